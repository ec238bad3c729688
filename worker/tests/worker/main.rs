//! A whole worker over embedded parts.
#![allow(clippy::unwrap_used)]

mod drain;
mod ends;
mod rig;
