//! Reads a JSON object field by field and remembers everything that is wrong with it.
//!
//! Serde stops at the first error; a client deserves to hear of all of them at once.

use crate::problem::{FieldError, Problem};
use serde_json::{Map, Value};
use std::{ops::RangeInclusive, str::FromStr};

/// The most bytes of a caller's own data.
const METADATA_BYTES: usize = 64 * 1024;

/// A request body: reads itself, naming every bad field. What it returns is used only if nothing was wrong.
pub trait Input: Sized {
    /// Takes the known fields.
    fn read(fields: &mut Fields) -> Self;
}

/// What is to become of a member that may be absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit<T> {
    /// It stays as it is.
    Keep,
    /// There is to be none.
    Remove,
    /// It is to be this.
    Set(T),
}

impl<T> Edit<T> {
    /// As changes write it: `None` keeps, `Some(None)` removes.
    #[expect(clippy::option_option, reason = "how `Change` says it")]
    pub fn into_change(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Remove => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

/// The members of an object, with what was found wrong so far.
#[derive(Debug, Default)]
pub struct Fields {
    members: Map<String, Value>,
    prefix: String,
    errors: Vec<FieldError>,
}

impl Fields {
    /// The members of an object.
    pub fn new(members: Map<String, Value>) -> Self {
        Self { members, ..Self::default() }
    }

    /// Reads an input: all of it, or what is wrong with it.
    pub fn finish<T: Input>(mut self) -> Result<T, Problem> {
        let value = T::read(&mut self);
        self.refuse_the_rest();
        if self.errors.is_empty() { Ok(value) } else { Err(Problem::fields(self.errors)) }
    }

    fn refuse_the_rest(&mut self) {
        for name in std::mem::take(&mut self.members).into_iter().map(|(name, _)| name) {
            let shown: String = name.chars().take(100).collect();
            self.refuse(&shown, "is not a known field");
        }
    }

    /// Notes what is wrong with a field.
    pub fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.errors.push(FieldError { field: format!("{}{name}", self.prefix), message: message.into() });
    }

    /// Whether nothing was wrong so far, and nothing is left that nobody asked for.
    pub fn is_sound(&self) -> bool {
        self.errors.is_empty() && self.members.is_empty()
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    /// Text of so many characters.
    pub fn text(&mut self, name: &str, chars: RangeInclusive<usize>) -> Option<String> {
        let Value::String(text) = self.take(name)? else {
            self.refuse(name, "must be a string");
            return None;
        };
        let Some(message) = text_problem(&text, &chars) else {
            return Some(text);
        };
        self.refuse(name, message);
        None
    }

    /// Text that has to be there.
    pub fn required_text(&mut self, name: &str, chars: RangeInclusive<usize>) -> String {
        self.require(name);
        self.text(name, chars).unwrap_or_default()
    }

    /// Notes a field that is missing.
    pub fn require(&mut self, name: &str) {
        if self.members.get(name).is_none_or(Value::is_null) {
            self.members.remove(name);
            self.refuse(name, "is required");
        }
    }

    /// Notes nulls where there is nothing to remove: to keep what there is, a field is left out.
    pub fn refuse_null(&mut self, names: &[&str]) {
        for name in names {
            if self.members.get(*name).is_some_and(Value::is_null) {
                self.members.remove(*name);
                self.refuse(name, "must not be null");
            }
        }
    }

    /// Text that can be removed with null.
    pub fn nullable_text(&mut self, name: &str, chars: RangeInclusive<usize>) -> Edit<String> {
        match self.members.get(name) {
            None => Edit::Keep,
            Some(Value::Null) => {
                self.members.remove(name);
                Edit::Remove
            }
            Some(_) => self.text(name, chars).map_or(Edit::Keep, Edit::Set),
        }
    }

    /// True or false.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        let value = self.take(name)?.as_bool();
        if value.is_none() {
            self.refuse(name, "must be true or false");
        }
        value
    }

    /// A whole number within a range.
    pub fn integer(&mut self, name: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.take(name)?;
        let found = value.as_u64().filter(|number| range.contains(number));
        if found.is_none() {
            self.refuse(name, format!("must be a whole number from {} to {}", range.start(), range.end()));
        }
        found
    }

    /// A number within a range.
    pub fn number(&mut self, name: &str, range: RangeInclusive<f64>) -> Option<f64> {
        let value = self.take(name)?;
        let found = value.as_f64().filter(|number| range.contains(number));
        if found.is_none() {
            self.refuse(name, format!("must be a number from {} to {}", range.start(), range.end()));
        }
        found
    }

    /// One of some words.
    pub fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let value = self.take(name)?;
        let chosen = value.as_str().and_then(|text| choices.iter().find(|(word, _)| *word == text));
        if chosen.is_none() {
            self.refuse(name, one_of(choices));
        }
        chosen.map(|(_, value)| *value)
    }

    /// A list of some words; one that comes again is taken once.
    pub fn choices<T: Copy + PartialEq>(&mut self, name: &str, choices: &[(&str, T)]) -> Vec<T> {
        let values = match self.take(name) {
            None => return Vec::new(),
            Some(Value::Array(values)) if (1..=choices.len()).contains(&values.len()) => values,
            Some(_) => {
                self.refuse(name, format!("must be a list of 1 to {} words", choices.len()));
                return Vec::new();
            }
        };
        let mut chosen = Vec::new();
        for (at, value) in values.iter().enumerate() {
            match choices.iter().find(|(word, _)| value == word) {
                Some((_, choice)) if chosen.contains(choice) => {}
                Some((_, choice)) => chosen.push(*choice),
                None => self.refuse(&format!("{name}[{at}]"), one_of(choices)),
            }
        }
        chosen
    }

    /// An id.
    pub fn id<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Option<T> {
        let value = self.take(name)?;
        self.read_id(name, &value)
    }

    /// A list of different ids.
    pub fn ids<T: FromStr<Err: std::fmt::Display> + PartialEq>(
        &mut self,
        name: &str,
        most: usize,
    ) -> Option<Vec<T>> {
        let Value::Array(values) = self.take(name)? else {
            self.refuse(name, "must be a list of ids");
            return None;
        };
        if values.len() > most {
            self.refuse(name, format!("may have at most {most} ids"));
            return None;
        }
        let mut ids = Vec::with_capacity(values.len());
        for (at, value) in values.iter().enumerate() {
            if let Some(id) = self.read_id(&format!("{name}[{at}]"), value)
                && !ids.contains(&id)
            {
                ids.push(id);
            }
        }
        Some(ids)
    }

    fn read_id<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str, value: &Value) -> Option<T> {
        let Some(text) = value.as_str() else {
            self.refuse(name, "must be an id, which is a string");
            return None;
        };
        text.parse().map_err(|error: T::Err| self.refuse(name, error.to_string())).ok()
    }

    /// A list of texts, or one text.
    pub fn texts(&mut self, name: &str, most: usize, chars: &RangeInclusive<usize>) -> Option<Vec<String>> {
        let values = match self.take(name)? {
            Value::Array(values) => values,
            single @ Value::String(_) => vec![single],
            _ => {
                self.refuse(name, "must be a string or a list of strings");
                return None;
            }
        };
        if values.is_empty() || values.len() > most {
            self.refuse(name, format!("must have 1 to {most} texts"));
            return None;
        }
        let mut texts = Vec::with_capacity(values.len());
        for (at, value) in values.into_iter().enumerate() {
            match value {
                Value::String(text) => match text_problem(&text, chars) {
                    None => texts.push(text),
                    Some(message) => self.refuse(&format!("{name}[{at}]"), message),
                },
                _ => self.refuse(&format!("{name}[{at}]"), "must be a string"),
            }
        }
        Some(texts)
    }

    /// The caller's own data: an object of a bounded size.
    pub fn metadata(&mut self, name: &str) -> Option<Value> {
        let value = self.take(name)?;
        match metadata_problem(&value) {
            None => Some(value),
            Some(message) => {
                self.refuse(name, message);
                None
            }
        }
    }

    /// An object, read by `read`; its bad fields are named `name.field`.
    pub fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let Value::Object(members) = self.take(name)? else {
            self.refuse(name, "must be an object");
            return None;
        };
        let prefix = format!("{}{name}.", self.prefix);
        let mut inner = Self { members, prefix, errors: std::mem::take(&mut self.errors) };
        let value = read(&mut inner);
        inner.refuse_the_rest();
        self.errors = inner.errors;
        Some(value)
    }
}

fn one_of<T>(choices: &[(&str, T)]) -> String {
    let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
    format!("must be one of {}", words.join(", "))
}

/// What is wrong with a text, if anything.
pub fn text_problem(text: &str, chars: &RangeInclusive<usize>) -> Option<String> {
    let count = text.chars().count();
    if !chars.contains(&count) {
        return Some(format!("must have {} to {} characters, has {count}", chars.start(), chars.end()));
    }
    if *chars.start() > 0 && text.trim().is_empty() {
        return Some("must not be blank".to_owned());
    }
    text.contains('\0').then(|| "must not contain the character U+0000".to_owned())
}

/// What is wrong with a caller's own data, if anything.
pub fn metadata_problem(value: &Value) -> Option<String> {
    if !value.is_object() {
        return Some("must be an object".to_owned());
    }
    let size = value.to_string().len();
    if size > METADATA_BYTES {
        return Some(format!("must be at most {METADATA_BYTES} bytes of JSON, is {size}"));
    }
    // A store that keeps JSON natively cannot keep this character.
    has_nul(value).then(|| "must not contain the character U+0000".to_owned())
}

/// Whether a text or a name in it has the character. What was read from JSON is not nested deeply.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// A body without fields.
#[derive(Debug)]
pub struct Nothing;

impl Input for Nothing {
    fn read(_fields: &mut Fields) -> Self {
        Self
    }
}
