//! Bytes to structured text, by media type
