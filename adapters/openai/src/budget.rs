//! How much a model may say: a server that never stops is stopped.

/// Far above any language: English has about 4.5 bytes a token, Chinese 3 to 4, code with its spaces perhaps 8.
const BYTES_PER_TOKEN: u64 = 16;
/// For short limits, where one long token would count for much.
const SPARE_BYTES: u64 = 1024;
/// Servers send a token or more at a time; gateways that send single letters are still below it.
const PIECES_PER_TOKEN: u64 = 8;
const SPARE_PIECES: u64 = 256;

/// What is left of an answer's bound.
pub(crate) struct Budget {
    bytes: u64,
    pieces: u64,
}

impl Budget {
    pub(crate) fn new(max_tokens: u32) -> Self {
        let tokens = u64::from(max_tokens);
        Self {
            bytes: tokens * BYTES_PER_TOKEN + SPARE_BYTES,
            pieces: tokens * PIECES_PER_TOKEN + SPARE_PIECES,
        }
    }

    /// Takes a piece; answers how many of its bytes are within the bound.
    pub(crate) fn take(&mut self, text: &str) -> usize {
        if self.pieces == 0 {
            return 0;
        }
        self.pieces -= 1;
        let room = usize::try_from(self.bytes).unwrap_or(usize::MAX);
        let fits = text.floor_char_boundary(room.min(text.len()));
        self.bytes -= if fits == text.len() { fits as u64 } else { self.bytes };
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_bounded_at_a_character() {
        let mut budget = Budget::new(1);
        assert_eq!(budget.take(&"x".repeat(1039)), 1039);
        assert_eq!(budget.take("一"), 0);
        assert_eq!(budget.take("a"), 0);
    }

    #[test]
    fn pieces_are_bounded() {
        let mut budget = Budget::new(10);
        let taken = (0..1000).take_while(|_| budget.take("a") == 1).count();
        assert_eq!(taken, 336);
    }
}
