//! JSON whose objects have each member once. Which of two is meant nobody knows, and parsers that stand in front may take
//! the other one.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Reads JSON; also which members are there more than once, by their paths.
pub fn read(bytes: &[u8]) -> Result<(Value, Vec<String>), serde_json::Error> {
    let mut twice = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = Seed { path: String::new(), twice: &mut twice }.deserialize(&mut json)?;
    json.end()?;
    Ok((value, twice))
}

/// A value at a path.
struct Seed<'a> {
    path: String,
    twice: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let path = format!("{}[{}]", self.path, list.len());
            match items.next_element_seed(Seed { path, twice: &mut *self.twice })? {
                Some(item) => list.push(item),
                None => return Ok(list.into()),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let path = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
            let value = members.next_value_seed(Seed { path: path.clone(), twice: &mut *self.twice })?;
            if object.insert(name, value).is_some() && !self.twice.contains(&path) {
                self.twice.push(path);
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn members_that_are_there_twice_are_named() {
        let (value, twice) = read(br#"{"a": 1, "b": [{"c": 1, "c": 2}], "a": -2.5, "a": null}"#).unwrap();
        assert_eq!(value.to_string(), r#"{"a":null,"b":[{"c":2}]}"#);
        assert_eq!(twice, ["b[0].c", "a"]);
        assert!(read(b"{}x").is_err() && read(b"").is_err() && read(b"{\"a\": \xff}").is_err());
        let text = r#"{"n":18446744073709551615,"s":"你\n","t":true,"x":1e3}"#;
        assert_eq!(read(text.as_bytes()).unwrap().0, serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn what_is_nested_too_deep_is_an_error() {
        assert!(read("[".repeat(10_000).as_bytes()).is_err());
    }
}
