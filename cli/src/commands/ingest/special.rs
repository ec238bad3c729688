//! What has a name in a folder and is no file: opening it may wait for ever, and reading it may have no end.

use std::fs::FileType;

/// What it is, if it is neither a file nor a folder.
#[cfg(unix)]
pub fn kind(of: FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    if of.is_fifo() {
        Some("a named pipe")
    } else if of.is_socket() {
        Some("a socket")
    } else if of.is_block_device() || of.is_char_device() {
        Some("a device")
    } else {
        None
    }
}

/// What it is, if it is neither a file nor a folder.
#[cfg(not(unix))]
pub fn kind(of: FileType) -> Option<&'static str> {
    (!of.is_file() && !of.is_dir()).then_some("something else")
}
