//! One setting: what is declared about it, and how its text becomes a value.

/// How much of a value may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sensitivity {
    /// All of it.
    Plain,
    /// All but the password inside the URL.
    Url,
    /// Nothing.
    Secret,
}

/// What is declared about a setting, apart from its type.
#[derive(Debug)]
pub(crate) struct Spec {
    /// The environment variable.
    pub name: &'static str,
    /// The text that stands for an unset value; empty: unset, or derived from other settings as `help` says.
    pub default: &'static str,
    /// What is accepted, for error messages: completes "accepted: ...".
    pub accepted: &'static str,
    /// What it does, for `.env.example` and the table.
    pub help: &'static str,
    /// How much of a value may be shown.
    pub sensitivity: Sensitivity,
}

/// A setting with its type.
pub(crate) struct Key<T: 'static> {
    /// What is declared about it.
    pub spec: Spec,
    /// Text to value. The error says what is wrong ("is not a number") and never repeats the text: it may be secret.
    pub parse: fn(&str) -> Result<T, String>,
}

/// Declares the settings of one group, each as `NAME: Type = "default", parse, "accepted", "help";` with
/// `[Url]` or `[Secret]` after the type where a value must not be shown.
macro_rules! settings {
    (@sensitivity) => { $crate::setting::Sensitivity::Plain };
    (@sensitivity $kind:ident) => { $crate::setting::Sensitivity::$kind };
    ($title:literal; $(
        $name:ident: $type:ty $([$kind:ident])? = $default:literal, $parse:expr, $accepted:literal, $help:literal;
    )*) => {
        $(pub(crate) static $name: $crate::setting::Key<$type> = $crate::setting::Key {
            spec: $crate::setting::Spec {
                name: stringify!($name),
                default: $default,
                accepted: $accepted,
                help: $help,
                sensitivity: settings!(@sensitivity $($kind)?),
            },
            parse: $parse,
        };)*
        /// The settings of this group, in the order in which they are shown.
        pub(crate) static GROUP: $crate::catalog::Group =
            $crate::catalog::Group { title: $title, settings: &[$(&$name.spec),*] };
    };
}
