//! Finds the markers that cite passages in streamed text: `[1]`, `【1】`, `[1, 2]`, `[1][2]`.

use super::code::{Code, Place};
use std::mem;

/// The longest marker, in characters; what is longer is no marker.
const LONGEST: usize = 48;

/// A marker that cites a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// The passage's number.
    pub index: u32,
    /// Where the marker begins in the text, in characters.
    pub start: u64,
    /// Where it ends, in characters, exclusive.
    pub end: u64,
}

/// Reads text piece by piece. Code is not read: `a[1]` there is no citation.
#[derive(Debug)]
pub(super) struct Citations {
    passages: u32,
    at: u64,
    state: State,
    code: Code,
    /// What would be cited if the backtick before it opened no code: that shows at the end of the line.
    held: Vec<Mark>,
}

#[derive(Debug)]
enum State {
    Text,
    /// After an opening bracket.
    Inside {
        start: u64,
        content: String,
    },
    /// After a closing bracket: what follows tells a citation from a link.
    Closed(Vec<Mark>),
}

impl Citations {
    /// Reads an answer that can cite passages 1 to `passages`.
    pub(super) fn new(passages: usize) -> Self {
        let (code, held) = (Code::default(), Vec::new());
        Self { passages: passages as u32, at: 0, state: State::Text, code, held }
    }

    /// The markers that are complete with this piece.
    pub(super) fn push(&mut self, piece: &str) -> Vec<Mark> {
        let mut marks = Vec::new();
        for c in piece.chars() {
            self.read(c, &mut marks);
            self.at += 1;
        }
        marks
    }

    /// The markers that only the end shows to be complete.
    pub(super) fn finish(&mut self) -> Vec<Mark> {
        let mut marks = Vec::new();
        self.read('\n', &mut marks);
        marks
    }

    fn read(&mut self, c: char, marks: &mut Vec<Mark>) {
        match self.code.read(c) {
            Place::Text => marks.append(&mut self.held),
            Place::Span => {}
            Place::AfterSpan => self.held.clear(),
            Place::Code => return self.settle(c, marks),
        }
        let State::Inside { start, content } = &mut self.state else {
            self.settle(c, marks);
            if opens(c) {
                self.state = State::Inside { start: self.at, content: String::new() };
            }
            return;
        };
        match c {
            ']' | '】' | '］' => {
                let (start, end) = (*start, self.at + 1);
                let cited = numbers(content, self.passages).into_iter();
                self.state = State::Closed(cited.map(|index| Mark { index, start, end }).collect());
            }
            _ if opens(c) => (*start, *content) = (self.at, String::new()),
            _ if content.len() < LONGEST && c != '\n' => content.push(c),
            _ => self.state = State::Text,
        }
    }

    /// Decides about a closed bracket now that the next character is known: `[1](` begins a link.
    fn settle(&mut self, next: char, marks: &mut Vec<Mark>) {
        if let State::Closed(found) = mem::replace(&mut self.state, State::Text)
            && next != '('
        {
            let marks = if self.code.in_span() { &mut self.held } else { marks };
            marks.extend(found);
        }
    }
}

fn opens(c: char) -> bool {
    matches!(c, '[' | '【' | '［')
}

/// The numbers of a marker that name passages; none if it holds anything but numbers.
fn numbers(content: &str, passages: u32) -> Vec<u32> {
    let mut numbers = Vec::new();
    for part in content.split([',', '，', '、', ';', '；']) {
        let part = part.split('†').next().unwrap_or_default().trim(); // some models write 【1†source】
        match part.parse::<u32>() {
            Ok(number) if part.bytes().all(|b| b.is_ascii_digit()) => {
                if (1..=passages).contains(&number) && !numbers.contains(&number) {
                    numbers.push(number);
                }
            }
            _ => return Vec::new(),
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, passages: usize) -> Vec<(u32, String)> {
        let whole: Vec<char> = text.chars().collect();
        let mut by_size = Vec::new();
        for size in [1, 2, 3, whole.len()] {
            let mut citations = Citations::new(passages);
            let mut marks = Vec::new();
            for piece in whole.chunks(size.max(1)) {
                marks.extend(citations.push(&piece.iter().collect::<String>()));
            }
            marks.extend(citations.finish());
            by_size.push(marks);
        }
        assert!(by_size.iter().all(|marks| *marks == by_size[0]), "pieces make a difference: {by_size:?}");
        let text = |mark: &Mark| whole[mark.start as usize..mark.end as usize].iter().collect();
        by_size[0].iter().map(|mark| (mark.index, text(mark))).collect()
    }

    fn marks(pairs: &[(u32, &str)]) -> Vec<(u32, String)> {
        pairs.iter().map(|(index, text)| (*index, (*text).to_owned())).collect()
    }

    #[test]
    fn every_form_is_read_wherever_the_text_is_cut() {
        assert_eq!(read("所有权转移【2】。借用[1]", 3), marks(&[(2, "【2】"), (1, "[1]")]));
        assert_eq!(
            read("a [1, 3] b [2，3]", 3),
            marks(&[(1, "[1, 3]"), (3, "[1, 3]"), (2, "[2，3]"), (3, "[2，3]")])
        );
        assert_eq!(read("a [1][2].", 3), marks(&[(1, "[1]"), (2, "[2]")]));
        assert_eq!(read("b 【2†a.md】", 3), marks(&[(2, "【2†a.md】")]));
        assert_eq!(read("see [[2]]", 3), marks(&[(2, "[2]")]));
    }

    #[test]
    fn what_cites_nothing_is_text() {
        for text in
            ["[4]", "[0]", "[-1]", "[+1]", "[a]", "[]", "[1", "1]", "[1](http://x)", "[1.5]", "[12345678901]"]
        {
            assert_eq!(read(text, 3), [], "{text}");
        }
        assert_eq!(read("[4, 2]", 3), marks(&[(2, "[4, 2]")]));
    }

    #[test]
    fn code_is_not_read() {
        assert_eq!(read("`v[1]` is [2]", 3), marks(&[(2, "[2]")]));
        assert_eq!(read("```rust\nlet x = v[1];\n```\n[3]", 3), marks(&[(3, "[3]")]));
        assert_eq!(read("a lone ` tick\nthen [1]", 3), marks(&[(1, "[1]")]));
        assert_eq!(read("[1]`code`", 3), marks(&[(1, "[1]")]));
        assert_eq!(read("``a ` b[1]`` [2]", 3), marks(&[(2, "[2]")]));
        assert_eq!(read("~~~\n[1]\n~~~\n[2]", 3), marks(&[(2, "[2]")]));
        assert_eq!(read("```\nv[1]\n````\n[2]", 3), marks(&[(2, "[2]")]));
        assert_eq!(read("````\n```\nv[1]\n````\n[2]", 3), marks(&[(2, "[2]")]));
        assert_eq!(read("```v[1]``` is [2]\nand [3]", 3), marks(&[(2, "[2]"), (3, "[3]")]));
    }

    #[test]
    fn a_lone_backtick_opens_nothing() {
        assert_eq!(read("a ` b [1] c [2]", 3), marks(&[(1, "[1]"), (2, "[2]")]));
        assert_eq!(read("a ` b [1]\n`v[2]` [3]", 3), marks(&[(1, "[1]"), (3, "[3]")]));
        assert_eq!(read("~5 °C [1] ~~not~~ [2]", 3), marks(&[(1, "[1]"), (2, "[2]")]));
    }
}
