//! `WEAVIATE_*`.

use crate::catalog::stores::index as keys;
use crate::loader::Loader;
use crate::parse::{Parsed, unknown_scheme, web_url};
use crate::secret::Secret;
use crate::url::Url;

/// Where vectors are searched.
#[derive(Clone, Debug)]
pub enum Index {
    /// Inside this process.
    Embedded,
    /// A Weaviate server.
    Weaviate(Box<Weaviate>),
}

/// How a Weaviate server is reached.
#[derive(Clone, Debug)]
pub struct Weaviate {
    /// Its REST address, `http:` or `https:`, without a slash at the end.
    pub url: Url,
    /// The key, if it wants one.
    pub api_key: Option<Secret>,
    /// Its gRPC port, on the same host.
    pub grpc_port: u16,
    /// What the names of its collections begin with.
    pub collection: String,
}

impl Index {
    pub(crate) fn read(loader: &mut Loader) -> Self {
        let url = loader.get(&keys::WEAVIATE_URL);
        let api_key = loader.get(&keys::WEAVIATE_API_KEY);
        let grpc_port = loader.get(&keys::WEAVIATE_GRPC_PORT);
        let collection = loader.get(&keys::WEAVIATE_COLLECTION);
        match url {
            IndexUrl::Embedded => Self::Embedded,
            IndexUrl::Weaviate(url) => {
                Self::Weaviate(Box::new(Weaviate { url, api_key, grpc_port, collection }))
            }
        }
    }
}

/// What `WEAVIATE_URL` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum IndexUrl {
    Embedded,
    Weaviate(Url),
}

/// Reads `WEAVIATE_URL`.
pub(crate) fn index_url(text: &str) -> Parsed<IndexUrl> {
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err("has no scheme".into());
    };
    match scheme.to_ascii_lowercase().as_str() {
        "embedded" if rest.is_empty() || rest == "//" => Ok(IndexUrl::Embedded),
        "embedded" => Err("names more than `embedded:`".into()),
        "weaviate+http" | "http" => web_url(&format!("http:{rest}")).map(IndexUrl::Weaviate),
        "weaviate+https" | "https" => web_url(&format!("https:{rest}")).map(IndexUrl::Weaviate),
        other => Err(unknown_scheme(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_kinds() {
        assert_eq!(index_url("embedded:"), Ok(IndexUrl::Embedded));
        for text in ["http://w:8080", "weaviate+http://w:8080", "http://w:8080/"] {
            let Ok(IndexUrl::Weaviate(url)) = index_url(text) else { panic!("{text}") };
            assert_eq!(url.expose(), "http://w:8080");
        }
        assert!(
            matches!(index_url("weaviate+https://w"), Ok(IndexUrl::Weaviate(url)) if url.scheme() == "https")
        );
    }

    #[test]
    fn refuses_other_engines() {
        assert_eq!(index_url("qdrant://q").unwrap_err(), "has the unknown scheme `qdrant:`");
        for text in ["weaviate", "embedded:here", "http://", "weaviate+http:w"] {
            assert!(index_url(text).is_err(), "{text}");
        }
    }
}
