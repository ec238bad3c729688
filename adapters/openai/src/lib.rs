//! Any OpenAI-compatible server (OpenAI, vLLM, Ollama, llama.cpp, gateways) as [`Llm`](chat_core::ports::Llm)
//! and [`Embedder`](chat_core::ports::Embedder).
//!
//! # What `async-openai` does here, and what it does not
//!
//! Its configuration makes the URLs and headers, and its types make the request bodies. Sending them and reading the
//! answers is this crate's own work, because version 0.43's client, tried against the fake server of the tests,
//!
//! * retries 429, 5xx and refused connections three times by itself and sleeps for whatever `Retry-After` says (4
//!   calls and 6 s for `Retry-After: 2`): the job engine decides on retries, and a turn that waits must not hold a slot;
//! * drops the answer's headers, so that nobody else can know `Retry-After`, and the status of an error whose body is
//!   not its JSON (a proxy's 404 page becomes a parse error);
//! * fails on chunks without `id`, `created`, `object` or `model`, on errors inside a stream, and on embeddings without
//!   `usage` or in base64, all of which real servers send, and logs such bodies whole;
//! * ends a stream alike after `[DONE]` and after a body that ended half-way;
//! * reads on in a spawned task into an unbounded queue, with no limit to the length of a line.
//!
//! Its "bring your own types" variant changes the types alone, the other points stay.
//!
//! # Promises
//!
//! * Dropping a completion closes its TCP connection at once: HTTP/1.1 only, one connection per stream.
//! * No total time limit for a stream; the waits for its first and next piece are the caller's. Only text, reasoning
//!   and the end count as pieces: keep-alive comments and empty chunks do not hold a dead stream open.
//! * Everything read has a limit: a line (1 MiB), an error's body (64 KiB), an answer (see [`OpenAiLlm`]), a
//!   batch of vectors (64 MiB).
//! * The key is in no error, no log and no `Debug` output.
//!
//! # Errors
//!
//! | what happened | kind |
//! |---|---|
//! | connection refused, DNS, TLS, no connection within 5 s, cut before the end, 5xx, 409 | `Unavailable` |
//! | 401, 403; 402 or any status with a quota that is used up (`insufficient_quota`): an operator has to act, another try cannot help | `Unauthorized` |
//! | 429 | `RateLimited`, with the wait if the server names one (at most an hour) |
//! | a server that asked for a pause, with a [`Gate`] | `RateLimited`, `unasked`, with the rest of the pause (at most a minute and a quarter) |
//! | 408, no piece in time | `Timeout` |
//! | any other 4xx, redirects | `Invalid`, with the server's message |
//! | what is not the protocol | `Protocol` |

mod budget;
mod chunk;
mod client;
mod completion;
mod embedder;
mod errors;
mod gate;
mod refusal;
mod request;
mod secrets;
mod server;
mod sse;
mod stream;
mod thought;
mod vectors;
mod waits;

pub use completion::OpenAiLlm;
pub use embedder::OpenAiEmbedder;
pub use gate::Gate;
pub use server::OpenAiServer;
