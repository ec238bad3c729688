//! Values of options that a server would refuse: checked before anything is done, so that the option is named.

use chrono::{DateTime, NaiveDate};

/// The longest name, in characters.
const NAME: usize = 200;

/// A time.
pub fn time(text: &str) -> Result<String, String> {
    let read = DateTime::parse_from_rfc3339(text);
    read.map(|_| text.to_owned()).map_err(|_| "not a time such as 2027-01-31T00:00:00Z".to_owned())
}

/// A time, or a day.
pub fn time_or_date(text: &str) -> Result<String, String> {
    let is_date = NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok();
    if is_date || DateTime::parse_from_rfc3339(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err("neither a time such as 2026-03-01T08:00:00Z nor a date such as 2026-03-01".to_owned())
}

/// A name that people give.
pub fn name(text: &str) -> Result<String, String> {
    match text.chars().count() {
        0 => Err("empty".to_owned()),
        1..=NAME if !text.chars().any(char::is_control) => Ok(text.to_owned()),
        1..=NAME => Err("contains a control character".to_owned()),
        length => Err(format!("has {length} characters; at most {NAME} are allowed")),
    }
}

/// How many, if none makes no sense.
pub fn some(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be more than 0".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("not a whole number".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_would_refuse_is_refused() {
        assert!(time("2027-01-31T00:00:00Z").is_ok() && time("2027-01-31").is_err() && time("soon").is_err());
        assert!(time_or_date("2026-02-28").is_ok() && time_or_date("2026-02-30").is_err());
        assert!(name("报销").is_ok() && name("").is_err() && name("a\nb").is_err());
        assert!(name(&"长".repeat(200)).is_ok() && name(&"长".repeat(201)).is_err());
        assert!(some("1").is_ok() && some("0").is_err() && some("many").is_err());
    }
}
