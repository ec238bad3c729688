//! Why a file cannot be read, in words for its owner.

use chat_core::PortError;

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It has no bytes.
    #[error("The file is empty")]
    Empty,
    /// White space, or markup without words.
    #[error("The file has no text")]
    NoText,
    /// Zero bytes or other control characters, whatever its name says.
    #[error("The file has binary content, not text: {0}")]
    Binary(String),
    /// No parser reads this kind of file.
    #[error("The file is {what}, which is not supported. Supported are: {supported}")]
    Unsupported {
        /// "a PDF document".
        what: String,
        /// The formats that are read.
        supported: String,
    },
    /// The caller named a character set that does not exist.
    #[error("The charset \"{0}\" is unknown: give a name such as utf-8, gb18030, big5, shift_jis or euc-kr")]
    UnknownCharset(String),
    /// The bytes begin with the mark of UTF-32.
    #[error("The file is in UTF-32, which is not read: save it as UTF-8")]
    Utf32,
    /// The caller named a character set that the bytes are not in.
    #[error(
        "The file is not in the charset {charset}: {damaged} of {characters} characters cannot be read. Leave the charset out to have it detected"
    )]
    WrongCharset {
        /// The one that was given.
        charset: String,
        /// Characters that came out as U+FFFD.
        damaged: usize,
        /// All characters.
        characters: usize,
    },
    /// The caller named one character set and the file's first bytes another.
    #[error("The file starts with a byte order mark of {found}, but the charset {given} was given")]
    ContradictoryCharset {
        /// The one that was given.
        given: String,
        /// The mark's.
        found: &'static str,
    },
    /// No character set fits.
    #[error("The charset of the file cannot be told: give it with the upload, for example charset=gb18030")]
    UndetectableCharset,
    /// Too large a tree for the memory of a job.
    #[error("The HTML has more than {0} elements: divide it into smaller files")]
    TooManyElements(usize),
}

impl From<ParseError> for PortError {
    fn from(error: ParseError) -> Self {
        Self::invalid(error.to_string())
    }
}
