//! Query strings: like JSON bodies, every bad or unknown parameter is named.

use crate::problem::{FieldError, Problem};
use axum::{extract::FromRequestParts, http::request::Parts};
use std::{collections::BTreeMap, str::FromStr};

/// The parameters of a request, with what was found wrong so far.
#[derive(Debug, Default)]
pub struct Query {
    given: BTreeMap<String, String>,
    errors: Vec<FieldError>,
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| Problem::unreadable("The query string cannot be read."))?;
        let mut query = Self::default();
        for (name, value) in pairs.0 {
            if query.given.insert(name.clone(), value).is_some() {
                query.refuse(&name, "was given more than once");
            }
        }
        Ok(query)
    }
}

impl Query {
    /// Notes what is wrong with a parameter.
    pub fn refuse(&mut self, name: &str, message: impl Into<String>) {
        let field = name.chars().take(100).collect();
        self.errors.push(FieldError { field, message: message.into() });
    }

    /// A text, which is not empty.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let text = self.given.remove(name)?;
        if text.is_empty() {
            self.refuse(name, "must not be empty");
            return None;
        }
        Some(text)
    }

    /// Anything that reads itself from text.
    pub fn parse<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        text.parse().map_err(|error: T::Err| self.refuse(name, error.to_string())).ok()
    }

    /// A whole number.
    pub fn number(&mut self, name: &str) -> Option<u64> {
        let text = self.text(name)?;
        text.parse().map_err(|_| self.refuse(name, "must be a whole number, 0 or more")).ok()
    }

    /// A word that `read` understands.
    pub fn word<T>(&mut self, name: &str, words: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let found = read(&text);
        if found.is_none() {
            self.refuse(name, format!("must be one of {words}"));
        }
        found
    }

    /// Words that `read` understands, separated by commas.
    pub fn words<T>(&mut self, name: &str, words: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let text = self.text(name).unwrap_or_default();
        let found: Option<Vec<T>> =
            text.split(',').filter(|word| !word.is_empty()).map(|word| read(word.trim())).collect();
        found.unwrap_or_else(|| {
            self.refuse(name, format!("must be one or more of {words}"));
            Vec::new()
        })
    }

    /// Refuses what was not asked for; says what was wrong.
    pub fn finish(mut self) -> Result<(), Problem> {
        for name in std::mem::take(&mut self.given).into_keys() {
            self.refuse(&name, "is not a known parameter");
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::fields(self.errors)) }
    }
}
