//! Picks an adapter for every port from its URL
