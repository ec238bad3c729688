//! File names from outside: made safe to keep and to show.

/// The longest name, in bytes: what file systems take.
const NAME_BYTES: usize = 255;
/// An ending is kept when a name is cut, if it is not longer than this.
const ENDING_BYTES: usize = 16;
/// What a file without a usable name is called.
const NAMELESS: &str = "document";

/// The last segment of a path, without control characters, cut to 255 bytes.
pub fn sanitise(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control() && !turns_text(*c)).collect();
    let clean = clean.trim();
    if clean.is_empty() || clean.chars().all(|c| c == '.') {
        return NAMELESS.to_owned();
    }
    cut(clean)
}

/// Characters that change the direction of text: a name could look as if it had another ending.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn cut(name: &str) -> String {
    if name.len() <= NAME_BYTES {
        return name.to_owned();
    }
    let ending =
        name.rfind('.').map(|at| &name[at..]).filter(|ending| ending.len() <= ENDING_BYTES).unwrap_or("");
    let mut end = NAME_BYTES - ending.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_their_folders() {
        assert_eq!(sanitise("../../etc/passwd"), "passwd");
        assert_eq!(sanitise("C:\\Users\\王\\说明.txt"), "说明.txt");
        assert_eq!(sanitise(".."), "document");
        assert_eq!(sanitise("a/.."), "document");
        assert_eq!(sanitise(""), "document");
    }

    #[test]
    fn control_characters_go() {
        assert_eq!(sanitise("a\0b\r\n.txt"), "ab.txt");
        assert_eq!(sanitise("ev\u{202e}txt.exe"), "evtxt.exe");
        assert_eq!(sanitise("\0"), "document");
    }

    #[test]
    fn long_names_keep_their_ending() {
        let name = sanitise(&format!("{}.txt", "文".repeat(100)));
        assert!(name.len() <= 255 && name.len() > 250, "{}", name.len());
        assert!(name.ends_with("文.txt"));
        assert_eq!(sanitise(&"x".repeat(300)).len(), 255);
    }
}
