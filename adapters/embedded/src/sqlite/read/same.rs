//! When two JSON values are the same: as PostgreSQL's `jsonb` has it.

use serde_json::{Number, Value};

/// Whether two values are the same, numbers by their value: 2024 is 2024.0.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => same_number(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|found| same(value, found)))
        }
        _ => one == other,
    }
}

fn same_number(one: &Number, other: &Number) -> bool {
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => one == other,
        _ => false,
    }
}

/// A number without a fraction, exactly.
fn whole(number: &Number) -> Option<i128> {
    let fraction = || number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 1e38);
    number.as_i128().or_else(|| fraction().map(|float| float as i128))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_value() {
        let same = |one, other| {
            same(&serde_json::from_str(one).unwrap(), &serde_json::from_str::<Value>(other).unwrap())
        };
        assert!(
            same("2024", "2024.0") && same("[1, {\"a\": 2.0}]", "[1.0, {\"a\": 2}]") && same("1e3", "1000")
        );
        assert!(same("0.5", "5e-1") && same("1e300", "1e300") && same("null", "null"));
        assert!(
            !same("9007199254740993", "9007199254740992.0") && !same("1", "true") && !same("[1]", "[1, 1]")
        );
        assert!(!same("0.5", "0") && !same("{\"a\": 1}", "{\"b\": 1}") && !same("1e300", "1e301"));
    }
}
