//! Where streamed Markdown is code: between fences, and between backticks within a line.

/// Where a character stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In text.
    Text,
    /// After a backtick that opens code if another one follows in this line.
    Span,
    /// The first of the text after such code.
    AfterSpan,
    /// Between fences, or of a mark that opens or closes code.
    Code,
}

/// A run of backticks or tildes that goes on perhaps.
#[derive(Debug, Clone, Copy)]
struct Run {
    mark: char,
    count: usize,
    /// Whether nothing but blanks stands before it in its line: it may be a fence.
    is_first: bool,
}

/// What was opened and not closed so far.
#[derive(Debug)]
pub(super) struct Code {
    fence: Option<Run>,
    /// Whether the fence stands in the line that is read: another run of backticks shows that it is none.
    in_fence_line: bool,
    /// How many backticks opened code within the line; 0: none.
    span: usize,
    run: Option<Run>,
    line_is_blank: bool,
}

impl Default for Code {
    fn default() -> Self {
        Self { fence: None, in_fence_line: false, span: 0, run: None, line_is_blank: true }
    }
}

impl Code {
    /// Reads the next character; where it stands.
    pub(super) fn read(&mut self, c: char) -> Place {
        if c == '`' || (c == '~' && self.may_be_fence()) {
            self.mark(c);
            return Place::Code;
        }
        let before = self.span;
        if let Some(run) = self.run.take() {
            self.end_run(run);
        }
        let closed = before > 0 && self.span == 0;
        self.line_is_blank = c == '\n' || (self.line_is_blank && c == ' ');
        if c == '\n' {
            (self.span, self.in_fence_line) = (0, false);
        }
        match (self.fence, self.span, closed) {
            (Some(_), ..) => Place::Code,
            (None, _, true) => Place::AfterSpan,
            (None, 0, false) => Place::Text,
            (None, ..) => Place::Span,
        }
    }

    /// Whether the text may still turn out to be code.
    pub(super) fn in_span(&self) -> bool {
        self.span > 0
    }

    /// Tildes in the middle of a line are no mark.
    fn may_be_fence(&self) -> bool {
        self.line_is_blank || self.run.is_some_and(|run| run.mark == '~')
    }

    fn mark(&mut self, mark: char) {
        match &mut self.run {
            Some(run) if run.mark == mark => run.count += 1,
            _ => self.run = Some(Run { mark, count: 1, is_first: self.line_is_blank }),
        }
        self.line_is_blank = false;
    }

    fn end_run(&mut self, run: Run) {
        match self.fence {
            Some(open) if self.in_fence_line && run.mark == '`' && open.mark == '`' => {
                // What looked like a fence is code within the line.
                self.fence = None;
                self.span = if run.count == open.count { 0 } else { open.count };
            }
            Some(open) if run.is_first && run.mark == open.mark && run.count >= open.count => {
                self.fence = None;
            }
            None if run.is_first && run.count >= 3 => (self.fence, self.in_fence_line) = (Some(run), true),
            None if run.mark == '`' && self.span == 0 => self.span = run.count,
            None if run.mark == '`' && self.span == run.count => self.span = 0,
            _ => {}
        }
    }
}
