//! What a server says may hold our key: it is taken out before anybody sees it.

use std::fmt;

/// Shorter ones would be found inside ordinary words.
const SHORTEST: usize = 6;
/// The longest message that is passed on, in characters.
const MESSAGE_CHARS: usize = 300;

/// The values that no message may show.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn new(values: impl IntoIterator<Item = String>) -> Self {
        Self(values.into_iter().filter(|value| value.len() >= SHORTEST).collect())
    }

    /// One line for people: without secrets, control characters and excess.
    pub(crate) fn tidy(&self, said: &str) -> String {
        // First the secrets, then the cut: half a key is a leak as well.
        let hidden = self.0.iter().fold(said.to_owned(), |text, secret| text.replace(secret, "[hidden]"));
        let words: Vec<&str> = hidden
            .split_whitespace()
            .map(|word| if is_masked_key(word) { "[hidden]" } else { word })
            .collect();
        shorten(&words.join(" ").replace(char::is_control, ""))
    }
}

/// Servers repeat the key that was refused, with its middle blotted out.
fn is_masked_key(word: &str) -> bool {
    word.trim_start_matches(['"', '\'', '`', '(']).starts_with("sk-") || word.contains("****")
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_the_key_even_across_the_cut() {
        let secrets = Secrets::new(["topsecretkey".to_owned()]);
        let said = format!("{} topsecretkey", "x".repeat(294));
        let told = secrets.tidy(&said);
        assert!(!told.contains("topse"), "{told}");
        assert_eq!(told.chars().count(), MESSAGE_CHARS + 1);
    }

    #[test]
    fn hides_masked_keys_and_control_characters() {
        let told = Secrets::default().tidy("Incorrect key: sk-ab***yz,\n\tor (sk-1).\u{1b}[31m 密钥");
        assert_eq!(told, "Incorrect key: [hidden] or [hidden] 密钥");
    }
}
