//! Server-sent events, read from bytes in pieces of any size.

use crate::errors;
use chat_core::PortResult;

/// The longest line, and the longest data of one event, in bytes.
pub(crate) const LONGEST: usize = 1024 * 1024;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// One event.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Event {
    /// Its name; mostly none.
    pub(crate) name: String,
    pub(crate) data: String,
}

/// Takes bytes, gives events. Lines end with LF, CR or CRLF.
#[derive(Default)]
pub(crate) struct SseParser {
    bytes: Vec<u8>,
    /// Where the line that is not read yet begins.
    start: usize,
    /// How far no end of line was found.
    scanned: usize,
    /// The last line ended with CR: a LF that follows belongs to it.
    skip_lf: bool,
    is_begun: bool,
    event: Event,
    has_data: bool,
}

impl SseParser {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.scanned -= self.start;
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole event, if it has come already.
    pub(crate) fn next(&mut self) -> PortResult<Option<Event>> {
        while let Some((from, to)) = self.line()? {
            if from == to {
                if let Some(event) = self.dispatch() {
                    return Ok(Some(event));
                }
            } else {
                self.field(from, to)?;
            }
        }
        Ok(None)
    }

    /// The event that the end of the stream completes: some servers leave out the last empty line.
    pub(crate) fn finish(&mut self) -> PortResult<Option<Event>> {
        self.push(b"\n\n");
        self.next()
    }

    fn line(&mut self) -> PortResult<Option<(usize, usize)>> {
        self.begin();
        if self.skip_lf && self.start < self.bytes.len() {
            self.skip_lf = false;
            if self.bytes[self.start] == b'\n' {
                self.start += 1;
                self.scanned = self.scanned.max(self.start);
            }
        }
        let end = self.bytes[self.scanned..].iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let end = end.map(|offset| self.scanned + offset);
        if end.unwrap_or(self.bytes.len()) - self.start > LONGEST {
            return Err(errors::protocol(format_args!("a line of more than {LONGEST} bytes")));
        }
        let Some(end) = end else {
            self.scanned = self.bytes.len();
            return Ok(None);
        };
        let from = self.start;
        self.skip_lf = self.bytes[end] == b'\r';
        self.start = end + 1;
        self.scanned = self.start;
        Ok(Some((from, end)))
    }

    /// A byte order mark may come first.
    fn begin(&mut self) {
        if !self.is_begun && self.bytes.len() >= BOM.len() {
            self.is_begun = true;
            if self.bytes.starts_with(BOM) {
                self.start = BOM.len();
                self.scanned = self.start;
            }
        }
    }

    fn field(&mut self, from: usize, to: usize) -> PortResult<()> {
        let line = std::str::from_utf8(&self.bytes[from..to])
            .map_err(|_| errors::protocol("bytes that are not UTF-8"))?;
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => {
                if self.event.data.len() + value.len() > LONGEST {
                    return Err(errors::protocol(format_args!("an event of more than {LONGEST} bytes")));
                }
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            "event" => value.clone_into(&mut self.event.name),
            // Comments keep the connection alive; `id`, `retry` and fields to come are of no use here.
            name if name.len() <= 32
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') => {}
            _ => return Err(errors::protocol("a line that is no event")),
        }
        Ok(())
    }

    fn dispatch(&mut self) -> Option<Event> {
        let event = std::mem::take(&mut self.event);
        std::mem::take(&mut self.has_data).then_some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], piece: usize) -> PortResult<Vec<String>> {
        let mut parser = SseParser::default();
        let mut found = Vec::new();
        for piece in bytes.chunks(piece) {
            parser.push(piece);
            while let Some(event) = parser.next()? {
                found.push(event.data);
            }
        }
        found.extend(parser.finish()?.map(|event| event.data));
        Ok(found)
    }

    #[test]
    fn any_cut_and_any_line_end_give_the_same_events() {
        let lf = "\u{feff}: hello\n\ndata: 一\n\nevent: x\ndata:two\ndata: lines\nid: 7\nretry: 5\n\n\n\ndata: [DONE]";
        let expected = ["一", "two\nlines", "[DONE]"];
        for text in [lf.to_owned(), lf.replace('\n', "\r\n"), lf.replace('\n', "\r")] {
            for piece in 1..=text.len() {
                assert_eq!(read(text.as_bytes(), piece).unwrap(), expected, "{text:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn an_event_is_given_as_soon_as_its_empty_line_is_here() {
        let mut parser = SseParser::default();
        parser.push(b"data: a\r\n\r");
        assert_eq!(parser.next().unwrap().unwrap().data, "a");
        parser.push(b"\ndata: b\n\n");
        assert_eq!(parser.next().unwrap().unwrap().data, "b");
        assert_eq!(parser.next().unwrap(), None);
    }

    #[test]
    fn lines_and_events_have_a_limit() {
        let line = vec![b'x'; LONGEST + 7];
        assert!(read(&[b"data: ", line.as_slice()].concat(), 4096).is_err());
        let half = format!("data: {}\n", "x".repeat(LONGEST / 2 + 1));
        assert!(read(half.repeat(2).as_bytes(), 4096).is_err());
        assert_eq!(read(half.as_bytes(), 4096).unwrap()[0].len(), LONGEST / 2 + 1);
    }

    #[test]
    fn garbage_is_an_error_and_unknown_fields_are_not() {
        assert!(read(b"data: \xff\xfe\n\n", 8).is_err());
        assert!(read(b"<html>what?</html>\n\n", 8).is_err());
        assert!(read(b"{\"error\":1}\n\n", 8).is_err());
        assert_eq!(read(b"x-new: 1\ndata: a\n\n", 8).unwrap(), ["a"]);
    }
}
