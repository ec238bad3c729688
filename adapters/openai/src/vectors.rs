//! Reads vectors: in order, of one length, of unit length.

use crate::{chunk::count, errors};
use base64::{Engine, engine::general_purpose::STANDARD};
use chat_core::PortResult;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(crate) struct Answer {
    data: Vec<Item>,
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Vector,
}

/// Numbers, or little-endian `f32`s in base64.
#[derive(Deserialize)]
#[serde(untagged)]
enum Vector {
    Numbers(Vec<f32>),
    Base64(String),
}

impl Answer {
    pub(crate) fn parse(body: &[u8]) -> PortResult<Self> {
        serde_json::from_slice(body)
            .map_err(|error| errors::protocol("an answer without embeddings").with_source(error))
    }

    /// Tokens that were read; 0 if the server does not count.
    pub(crate) fn tokens(&self) -> u64 {
        let Some(usage) = &self.usage else { return 0 };
        count(usage, "prompt_tokens").max(count(usage, "total_tokens"))
    }

    /// One unit vector per text, in the order of the texts.
    pub(crate) fn into_vectors(self, texts: usize) -> PortResult<Vec<Vec<f32>>> {
        if self.data.len() != texts {
            return Err(errors::protocol(format_args!("{} embeddings for {texts} texts", self.data.len())));
        }
        let mut places: Vec<Option<Vec<f32>>> = vec![None; texts];
        for (position, item) in self.data.into_iter().enumerate() {
            let vector = unit(item.embedding.decode()?)?;
            let place = places.get_mut(item.index.unwrap_or(position)).filter(|place| place.is_none());
            *place.ok_or_else(|| errors::protocol("embeddings whose numbers do not fit the texts"))? =
                Some(vector);
        }
        // As many vectors as places, no place twice: every place is taken.
        let vectors: Vec<_> = places.into_iter().flatten().collect();
        let length = vectors.first().map_or(0, Vec::len);
        if vectors.iter().any(|vector| vector.len() != length) {
            return Err(errors::protocol("embeddings of different lengths"));
        }
        Ok(vectors)
    }
}

impl Vector {
    fn decode(self) -> PortResult<Vec<f32>> {
        let text = match self {
            Self::Numbers(numbers) => return Ok(numbers),
            Self::Base64(text) => text,
        };
        let bytes = STANDARD
            .decode(text)
            .map_err(|error| errors::protocol("an embedding in broken base64").with_source(error))?;
        let (floats, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(errors::protocol("an embedding that ends within a number"));
        }
        Ok(floats.iter().map(|float| f32::from_le_bytes(*float)).collect())
    }
}

/// Cosine becomes a dot product. A vector without a direction would match everything and nothing.
fn unit(mut vector: Vec<f32>) -> PortResult<Vec<f32>> {
    let norm = vector.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
    if !norm.is_finite() || norm == 0.0 {
        return Err(errors::protocol("an embedding that has no direction"));
    }
    for number in &mut vector {
        *number = (f64::from(*number) / norm) as f32;
    }
    Ok(vector)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_core::ErrorKind;

    fn vectors(json: &str, texts: usize) -> PortResult<Vec<Vec<f32>>> {
        Answer::parse(json.as_bytes())?.into_vectors(texts)
    }

    #[test]
    fn vectors_come_in_the_order_of_the_texts_and_of_unit_length() {
        let json = r#"{"data":[{"index":1,"embedding":[0,5]},{"index":0,"embedding":[3,4]}]}"#;
        assert_eq!(vectors(json, 2).unwrap(), [[0.6, 0.8], [0.0, 1.0]]);
        let unnumbered = r#"{"data":[{"embedding":[0,5]},{"embedding":[3,4]}]}"#;
        assert_eq!(vectors(unnumbered, 2).unwrap(), [[0.0, 1.0], [0.6, 0.8]]);
    }

    #[test]
    fn base64_is_understood() {
        // 3.0 and 4.0, little-endian.
        assert_eq!(vectors(r#"{"data":[{"embedding":"AABAQAAAgEA="}]}"#, 1).unwrap(), [[0.6, 0.8]]);
    }

    #[test]
    fn tokens_are_counted_if_the_server_does() {
        let tokens = |json: &str| Answer::parse(json.as_bytes()).unwrap().tokens();
        assert_eq!(tokens(r#"{"data":[],"usage":{"prompt_tokens":5,"total_tokens":5}}"#), 5);
        assert_eq!(tokens(r#"{"data":[],"usage":null}"#), 0);
        assert_eq!(tokens(r#"{"data":[]}"#), 0);
    }

    #[test]
    fn what_makes_no_sense_is_a_protocol_error() {
        for bad in [
            "garbage",
            r#"{"data":[]}"#,
            r#"{"data":[{"embedding":[1]}]}"#,
            r#"{"data":[{"embedding":[1]},{"embedding":[1,2]}]}"#,
            r#"{"data":[{"embedding":[1]},{"embedding":[0]}]}"#,
            r#"{"data":[{"embedding":[1]},{"embedding":[]}]}"#,
            r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
            r#"{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}"#,
            r#"{"data":[{"embedding":[1]},{"embedding":"%%"}]}"#,
            r#"{"data":[{"embedding":[1]},{"embedding":"AABA"}]}"#,
            // A not-a-number.
            r#"{"data":[{"embedding":[1]},{"embedding":"AADAfw=="}]}"#,
        ] {
            assert_eq!(vectors(bad, 2).err().map(|error| error.kind), Some(ErrorKind::Protocol), "{bad}");
        }
    }
}
