//! `STORAGE_PROVIDER`, `MINIO_*`, `BUCKET_NAME`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::local_path;
use crate::catalog::stores::files as keys;
use crate::loader::Loader;
use crate::parse::{self, Parsed, unknown_scheme};
use crate::secret::Secret;
use crate::url::Url;

/// The folder of uploaded files, inside the data folder.
const FOLDER: &str = "files";

/// Where uploaded files are kept.
#[derive(Clone, Debug)]
pub enum Storage {
    /// In a folder.
    File {
        /// The folder; it may be missing still.
        path: PathBuf,
    },
    /// In a bucket.
    S3(Box<S3>),
}

/// An S3 server, MinIO or any other.
#[derive(Clone, Debug)]
pub struct S3 {
    /// Its address, `http:` or `https:`, without a slash at the end.
    pub endpoint: Url,
    /// The access key.
    pub access_key: Secret,
    /// The secret of that key.
    pub secret_key: Secret,
    /// The bucket.
    pub bucket: String,
    /// The region that requests are signed for.
    pub region: String,
    /// How long the addresses of downloads are good; `None`: downloads go through the API.
    pub presigned_downloads: Option<Duration>,
    /// Where clients reach it, if that is elsewhere.
    pub public_endpoint: Option<Url>,
}

impl Storage {
    pub(crate) fn read(loader: &mut Loader, data_dir: &Path) -> Self {
        let provider = loader.get(&keys::STORAGE_PROVIDER);
        let endpoint = loader.get(&keys::MINIO_ENDPOINT);
        let access_key = loader.get(&keys::MINIO_ACCESS_KEY);
        let secret_key = loader.get(&keys::MINIO_SECRET_KEY);
        let secure = loader.get(&keys::MINIO_SECURE);
        let bucket = loader.get(&keys::BUCKET_NAME);
        let region = loader.get(&keys::S3_REGION);
        let presigned_downloads = loader.get(&keys::S3_PRESIGNED_DOWNLOADS);
        let public_endpoint = loader.get(&keys::S3_PUBLIC_ENDPOINT).map(|endpoint| endpoint.url(secure));
        if presigned_downloads.is_some() && !matches!(provider, StorageProvider::S3) {
            loader.warn("S3_PRESIGNED_DOWNLOADS has no effect: STORAGE_PROVIDER is not S3");
        }
        check_security(loader, endpoint.as_ref(), secure);
        match provider {
            StorageProvider::File(path) => Self::File { path: path.unwrap_or_else(|| data_dir.join(FOLDER)) },
            StorageProvider::S3 => match (endpoint, access_key, secret_key) {
                (Some(endpoint), Some(access_key), Some(secret_key)) => Self::S3(Box::new(S3 {
                    endpoint: endpoint.url(secure),
                    access_key,
                    secret_key,
                    bucket,
                    region,
                    presigned_downloads,
                    public_endpoint,
                })),
                (endpoint, access_key, secret_key) => {
                    report_missing(loader, [endpoint.is_some(), access_key.is_some(), secret_key.is_some()]);
                    Self::File { path: data_dir.join(FOLDER) } // never used: the load has failed
                }
            },
        }
    }
}

fn report_missing(loader: &mut Loader, present: [bool; 3]) {
    let names = [&keys::MINIO_ENDPOINT.spec, &keys::MINIO_ACCESS_KEY.spec, &keys::MINIO_SECRET_KEY.spec];
    for (spec, _) in names.iter().zip(present).filter(|(_, present)| !present) {
        loader.conflict(
            &[spec.name, "STORAGE_PROVIDER"],
            format!("is needed, as STORAGE_PROVIDER is S3; accepted: {}", spec.accepted),
        );
    }
}

/// `MINIO_SECURE=true` with an `http:` endpoint would send keys in the clear although somebody asked for TLS.
fn check_security(loader: &mut Loader, endpoint: Option<&Endpoint>, secure: bool) {
    let said = endpoint.and_then(|endpoint| endpoint.secure);
    if loader.is_set(&keys::MINIO_SECURE) && said.is_some_and(|said| said != secure) {
        loader.conflict(&["MINIO_SECURE", "MINIO_ENDPOINT"], "contradicts the scheme of MINIO_ENDPOINT");
    }
}

/// What `STORAGE_PROVIDER` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StorageProvider {
    File(Option<PathBuf>),
    S3,
}

/// Reads `STORAGE_PROVIDER`: a URL, or one of the names that existing deployments have.
pub(crate) fn storage_provider(text: &str) -> Parsed<StorageProvider> {
    let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
    match scheme.to_ascii_lowercase().as_str() {
        "file" => local_path(rest).map(StorageProvider::File),
        "local" if rest.is_empty() => Ok(StorageProvider::File(None)),
        "s3" | "minio" if rest.is_empty() || rest == "//" => Ok(StorageProvider::S3),
        "s3" | "minio" => {
            Err("names more than the provider: MINIO_ENDPOINT and BUCKET_NAME say where".into())
        }
        _ if !text.contains(':') => Err("is not a known provider".into()),
        other => Err(unknown_scheme(other)),
    }
}

/// The address of an S3 server, with or without a scheme.
#[derive(Debug)]
pub(crate) struct Endpoint {
    host: String,
    /// What its scheme says of TLS, if it has one.
    secure: Option<bool>,
}

impl Endpoint {
    fn url(&self, secure: bool) -> Url {
        let scheme = if self.secure.unwrap_or(secure) { "https" } else { "http" };
        Url::parse(&format!("{scheme}://{}", self.host)).expect("the host was checked when it was read")
    }
}

/// Reads `MINIO_ENDPOINT`.
pub(crate) fn s3_endpoint(text: &str) -> Parsed<Endpoint> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = parse::web_url(&with_scheme)?;
    if url.user().is_some() || url.password().is_some() {
        return Err("has a user: keys belong into MINIO_ACCESS_KEY and MINIO_SECRET_KEY".into());
    }
    if !url.path().is_empty() || !url.query().is_empty() {
        return Err("has a path".into());
    }
    let host = url.expose().split_once("://").map_or("", |(_, host)| host).to_owned();
    Ok(Endpoint { host, secure: text.contains("://").then(|| url.scheme() == "https") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_schemes_or_the_names_of_old() {
        for text in ["file:", "file", "local", "FILE:"] {
            assert_eq!(storage_provider(text), Ok(StorageProvider::File(None)), "{text}");
        }
        assert_eq!(
            storage_provider("file:///srv/files"),
            Ok(StorageProvider::File(Some("/srv/files".into())))
        );
        assert_eq!(storage_provider("file:files"), Ok(StorageProvider::File(Some("files".into()))));
        for text in ["s3:", "s3", "minio", "MinIO"] {
            assert_eq!(storage_provider(text), Ok(StorageProvider::S3), "{text}");
        }
        assert!(storage_provider("s3://bucket").unwrap_err().contains("BUCKET_NAME"));
        assert_eq!(storage_provider("gs://bucket").unwrap_err(), "has the unknown scheme `gs:`");
        assert!(storage_provider("azure").unwrap_err().contains("known provider"));
    }

    #[test]
    fn endpoints_may_leave_the_scheme_to_minio_secure() {
        let bare = s3_endpoint("minio:9000").unwrap();
        assert_eq!(
            (bare.url(false).expose(), bare.url(true).expose()),
            ("http://minio:9000", "https://minio:9000")
        );
        assert_eq!(s3_endpoint("https://s3.example/").unwrap().url(false).expose(), "https://s3.example");
        for bad in ["minio:9000/bucket", "http://key:secret@minio", "ftp://minio", "mi nio", "minio:port"] {
            assert!(s3_endpoint(bad).is_err(), "{bad}");
        }
    }
}
