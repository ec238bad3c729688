//! Where things are kept.

/// Rows.
pub(crate) mod database {
    use crate::parse;
    use crate::stores::{DatabaseUrl, database_url};

    settings! { "Database";
        DATABASE_URL: DatabaseUrl [Url] = "sqlite:", database_url,
            "`sqlite:`, `sqlite:PATH` or `postgresql://user:password@host:5432/database` (also `postgres:` and `postgresql+asyncpg:`)",
            "The database. `sqlite:` keeps it in DATA_DIR.";
        DATABASE_POOL_SIZE: u32 = "20", |text| parse::within(text, 1, 1000), "a number from 1 to 1000",
            "The most connections to PostgreSQL for reads and groups of writes.";
        DATABASE_MAX_OVERFLOW: u32 = "30", |text| parse::within(text, 0, 1000), "a number from 0 to 1000",
            "The most connections on top, for transactions; more than 16 are not used.";
    }
}

/// Hand-out, events, caches.
pub(crate) mod redis {
    use std::path::PathBuf;

    use crate::parse;
    use crate::secret::Secret;
    use crate::stores::{RedisLanes, RedisUrl, redis_lanes, redis_url};

    settings! { "Redis";
        REDIS_URL: RedisUrl [Url] = "memory:", redis_url,
            "`memory:`, `redis://host:6379/0`, `rediss://...` (TLS), `redis-cluster://host1:6379,host2:6379` or `redis-sentinel://host1:26379,host2:26379/service/0`; with TLS `rediss-cluster:` and `rediss-sentinel:`",
            "Hands out jobs, carries live events, caches. `memory:` does so inside this process, for a single process.";
        REDIS_CA_FILE: Option<PathBuf> = "", |text| parse::optional(text, parse::path), "a file of certificates in PEM",
            "Whose certificates are trusted, with TLS. Unset: those that this system trusts.";
        REDIS_SENTINEL_PASSWORD: Option<Secret> [Secret] = "", |text| parse::optional(text, parse::secret),
            "the password of the Sentinels",
            "What Sentinels themselves ask for; the password in REDIS_URL is the master's. Unset: they ask for none.";
        REDIS_MAX_CONNECTIONS: u32 = "50", |text| parse::within(text, 1, 10_000), "a number from 1 to 10000",
            "The most connections that one process may open to Redis. It opens 7 at most, to each node of a cluster, whatever the load; a smaller number is a warning.";
        REDIS_PREFIX: String = "rag-chat", parse::key_prefix, "1 to 64 letters, digits, hyphens, underscores and colons",
            "What every key begins with: deployments that share a server need different ones.";
        REDIS_LANES: RedisLanes = "lists", redis_lanes, "`lists` or `apalis`",
            "What hands out jobs in Redis: lists of our own, or queues of the crate apalis-redis (not on a cluster). The same for all processes of a deployment.";
    }
}

/// Uploaded files.
pub(crate) mod files {
    use std::time::Duration;

    use crate::secret::Secret;
    use crate::stores::{Endpoint, StorageProvider, s3_endpoint, storage_provider};
    use crate::{parse, quantity};

    settings! { "Uploaded files";
        STORAGE_PROVIDER: StorageProvider = "file:", storage_provider,
            "`file:`, `file:PATH` (also `local`), or `s3:` (also `s3` and `minio`)",
            "Where uploaded files are kept. `file:` keeps them in DATA_DIR; `s3:` in any S3 server, by the settings below.";
        MINIO_ENDPOINT: Option<Endpoint> = "", |text| parse::optional(text, s3_endpoint),
            "`host:port`, `http://host:port` or `https://host:port`",
            "The S3 server.";
        MINIO_ACCESS_KEY: Option<Secret> [Secret] = "", |text| parse::optional(text, parse::secret),
            "the name of an access key",
            "The access key of the S3 server.";
        MINIO_SECRET_KEY: Option<Secret> [Secret] = "", |text| parse::optional(text, parse::secret),
            "the secret of that access key",
            "Its secret. Production refuses the passwords of examples.";
        MINIO_SECURE: bool = "false", parse::switch, "true or false",
            "Whether to speak TLS to the S3 server, if MINIO_ENDPOINT does not say so itself.";
        BUCKET_NAME: String = "rag-chat-uploads", parse::bucket_name,
            "3 to 63 lower-case letters, digits, dots and hyphens",
            "The bucket of the uploaded files.";
        S3_REGION: String = "us-east-1", parse::text, "the name of a region",
            "The region that requests to the S3 server are signed for.";
        S3_PRESIGNED_DOWNLOADS: Option<Duration> = "", |text| parse::optional(text, quantity::duration),
            "seconds, or a number with ms, s, m or h, up to a day",
            "Downloads of documents are redirected to the S3 server, to an address that is good for so long, instead of going through the API. Unset: off.";
        S3_PUBLIC_ENDPOINT: Option<Endpoint> = "", |text| parse::optional(text, s3_endpoint),
            "`host:port`, `http://host:port` or `https://host:port`",
            "Where clients reach the S3 server, for S3_PRESIGNED_DOWNLOADS. Unset: at MINIO_ENDPOINT.";
    }
}

/// Vectors.
pub(crate) mod index {
    use crate::parse;
    use crate::secret::Secret;
    use crate::stores::{IndexUrl, index_url};

    settings! { "Search index";
        WEAVIATE_URL: IndexUrl [Url] = "embedded:", index_url,
            "`embedded:`, `http://host:8080`, `https://...` (also `weaviate+http:` and `weaviate+https:`)",
            "The vector index. `embedded:` keeps it in the database and searches it inside the process.";
        WEAVIATE_API_KEY: Option<Secret> [Secret] = "", |text| parse::optional(text, parse::secret),
            "a key",
            "The key of Weaviate, if it wants one.";
        WEAVIATE_GRPC_PORT: u16 = "50051", |text| parse::within(text, 1, u16::MAX), "a port, 1 to 65535",
            "The gRPC port of Weaviate, on the host of WEAVIATE_URL.";
        WEAVIATE_COLLECTION: String = "RagChat", parse::collection_name,
            "an upper-case letter, then up to 63 letters and digits",
            "What the names of its collections begin with: deployments that share a server need different ones.";
    }
}
