//! Which trace a request and its work are part of: W3C Trace Context, <https://www.w3.org/TR/trace-context/>.

use crate::{Change, Claim};
use std::fmt;

/// The position of a caller's span in its trace. As text it is the header `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace; not 0.
    pub trace: u128,
    /// The span of whoever asks; not 0.
    pub parent: u64,
    /// Bit 0: the caller records it.
    pub flags: u8,
}

impl TraceParent {
    /// Reads `00-<trace id>-<parent id>-<flags>` in lower-case hex; later versions may add more. Zeros name none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let version = parts.next().filter(|part| is_hex(part, 2) && *part != "ff")?;
        let mut number = |length| {
            let part = parts.next().filter(|part| is_hex(part, length))?;
            u128::from_str_radix(part, 16).ok()
        };
        let trace = number(32).filter(|trace| *trace != 0)?;
        let parent = number(16).filter(|parent| *parent != 0)? as u64;
        let flags = number(2)? as u8;
        (version != "00" || parts.next().is_none()).then_some(Self { trace, parent, flags })
    }

    /// The trace's id, as logs and other systems write it.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// Makes the jobs that are enqueued a part of this trace.
    pub fn mark(self, changes: &mut [Change]) {
        for change in changes {
            if let Change::Enqueue(job) = change {
                job.trace = Some(self);
            }
        }
    }
}

fn is_hex(part: &str, length: usize) -> bool {
    part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.parent, self.flags)
    }
}

impl Claim {
    /// What this attempt tells others of the trace: it is a span of its own, named by the first half of its fence.
    pub fn span(&self) -> Option<TraceParent> {
        let (parent, _) = self.fence.0.as_u64_pair();
        self.trace.map(|trace| TraceParent { parent, ..trace })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_taken_over_if_it_is_one() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let sound = format!("00-{id}-00f067aa0ba902b7-01");
        let read = TraceParent::parse(&sound).unwrap();
        assert_eq!((read.trace_id(), read.to_string()), (id.to_owned(), sound));
        let later = TraceParent::parse(&format!("cc-{id}-00f067aa0ba902b7-01-more"));
        assert_eq!(later, Some(read), "a later version");
        for broken in [
            format!("00-{id}-00f067aa0ba902b7"),
            format!("00-{id}-00f067aa0ba902b7-01-more"),
            format!("ff-{id}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{id}-0000000000000000-01"),
            "\"; DROP".to_owned(),
        ] {
            assert_eq!(TraceParent::parse(&broken), None, "{broken}");
        }
    }
}
