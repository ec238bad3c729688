//! Any OpenAI-compatible server as Llm and Embedder
