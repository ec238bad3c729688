//! A deterministic embedder and an extractive answerer: no model needed
