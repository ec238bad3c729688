//! A deployment's own place in engines that it shares with others.

use super::Engines;
use crate::process::Settings;
use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
};
use redis::aio::MultiplexedConnection;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, PgPool, postgres::PgConnectOptions};
use std::{collections::BTreeMap, str::FromStr};

/// A database, a prefix of keys, a prefix of collections and a bucket. All of it is removed when it is dropped.
pub struct Ground {
    engines: Engines,
    name: String,
}

impl Ground {
    /// A fresh place.
    pub async fn claim(engines: &Engines) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok(); // a second call changes nothing
        let ground = Self { engines: engines.clone(), name: format!("test{:016x}", rand::random::<u64>()) };
        let mut connection = ground.common_database().await;
        let create = format!("CREATE DATABASE {}", ground.name);
        sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
        ground
    }

    /// The settings of processes that work here.
    pub fn settings(&self) -> Settings {
        let mut settings = self.engines.settings();
        for (name, value) in &mut settings {
            if name == "DATABASE_URL" {
                *value = self.database_url();
            }
        }
        settings.extend([
            ("REDIS_PREFIX".into(), self.name.clone()),
            ("WEAVIATE_COLLECTION".into(), self.collection()),
            ("BUCKET_NAME".into(), self.name.clone()),
        ]);
        settings
    }

    /// Its database.
    pub async fn database(&self) -> PgPool {
        PgPool::connect(&self.database_url()).await.unwrap()
    }

    /// What the names of its keys begin with.
    pub fn prefix(&self) -> &str {
        &self.name
    }

    /// Where its database is.
    pub fn database_url(&self) -> String {
        let mut url = Url::parse(self.engines.setting("DATABASE_URL")).unwrap();
        url.set_path(&self.name);
        url.to_string()
    }

    async fn common_database(&self) -> sqlx::PgConnection {
        let options = PgConnectOptions::from_str(self.engines.setting("DATABASE_URL")).unwrap();
        options.connect().await.unwrap()
    }

    /// Its collection; nobody has made it yet.
    pub fn index(&self) -> chat_weaviate::WeaviateOptions {
        chat_weaviate::WeaviateOptions {
            url: self.engines.setting("WEAVIATE_URL").to_owned(),
            grpc_port: self.engines.setting("WEAVIATE_GRPC_PORT").parse().unwrap(),
            api_key: Some(self.engines.setting("WEAVIATE_API_KEY").to_owned()),
            collection: self.collection(),
        }
    }

    /// What the names of its collections begin with.
    fn collection(&self) -> String {
        self.name.replacen('t', "T", 1)
    }

    /// How many passages its collections hold.
    pub async fn passages(&self) -> u64 {
        let mut count = 0;
        for class in self.classes().await.unwrap() {
            let tenants = self.weaviate(Method::GET, &format!("/v1/schema/{class}/tenants"), None).await;
            for tenant in tenants.unwrap().as_array().unwrap() {
                let tenant = tenant["name"].as_str().unwrap();
                let query = format!("{{Aggregate{{{class}(tenant:{tenant:?}){{meta{{count}}}}}}}}");
                let body = json!({ "query": query });
                let answer = self.weaviate(Method::POST, "/v1/graphql", Some(body)).await.unwrap();
                let meta = &answer["data"]["Aggregate"][&class][0]["meta"]["count"];
                count += meta.as_u64().unwrap_or_else(|| panic!("{answer}"));
            }
        }
        count
    }

    /// How many passages its collections hold of each embedding model.
    pub async fn points_of_models(&self) -> Vec<(String, u64)> {
        let mut counts = BTreeMap::new();
        for class in self.classes().await.unwrap() {
            let tenants = self.weaviate(Method::GET, &format!("/v1/schema/{class}/tenants"), None).await;
            for tenant in tenants.unwrap().as_array().unwrap() {
                let tenant = tenant["name"].as_str().unwrap();
                let query = format!(
                    "{{Aggregate{{{class}(tenant:{tenant:?},groupBy:[\"model\"]){{groupedBy{{value}}meta{{count}}}}}}}}"
                );
                let answer = self
                    .weaviate(Method::POST, "/v1/graphql", Some(json!({ "query": query })))
                    .await
                    .unwrap();
                let groups = answer["data"]["Aggregate"][&class].as_array();
                for group in groups.unwrap_or_else(|| panic!("{answer}")) {
                    let model = group["groupedBy"]["value"].as_str().unwrap().to_owned();
                    *counts.entry(model).or_default() += group["meta"]["count"].as_u64().unwrap();
                }
            }
        }
        counts.into_iter().collect()
    }

    async fn classes(&self) -> reqwest::Result<Vec<String>> {
        let schema = self.weaviate(Method::GET, "/v1/schema", None).await?;
        let names =
            schema["classes"].as_array().into_iter().flatten().filter_map(|class| class["class"].as_str());
        let prefix = self.collection();
        Ok(names.filter(|name| name.starts_with(&prefix)).map(str::to_owned).collect())
    }

    async fn weaviate(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Value> {
        let url = format!("{}{path}", self.engines.setting("WEAVIATE_URL").trim_end_matches('/'));
        let request =
            crate::chat::http().request(method, url).bearer_auth(self.engines.setting("WEAVIATE_API_KEY"));
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let text = request.send().await?.error_for_status()?.text().await?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    async fn clear(&self) {
        self.clear_database().await;
        // A cluster and what Sentinels watch are private, and go by themselves.
        let common = self.engines.setting("REDIS_URL").starts_with("redis:");
        if common && let Err(error) = self.clear_redis().await {
            eprintln!("keys of {} stay: {error}", self.name);
        }
        for class in self.classes().await.unwrap_or_default() {
            if let Err(error) = self.weaviate(Method::DELETE, &format!("/v1/schema/{class}"), None).await {
                eprintln!("the collection {class} stays: {error}");
            }
        }
        if let Err(error) = self.clear_bucket().await {
            eprintln!("the bucket {} stays: {error}", self.name);
        }
    }

    async fn clear_database(&self) {
        let options = PgConnectOptions::from_str(self.engines.setting("DATABASE_URL")).unwrap();
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let dropped = async {
            let mut connection = options.connect().await?;
            sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&mut connection).await?;
            connection.close().await
        };
        if let Err(error) = dropped.await {
            eprintln!("the database {} stays: {error}", self.name);
        }
    }

    async fn clear_redis(&self) -> redis::RedisResult<()> {
        let mut connection = self.redis().await?;
        let keys = keys_like(&mut connection, &format!("*{}*", self.name)).await?;
        for keys in keys.chunks(1_000) {
            redis::cmd("UNLINK").arg(keys).exec_async(&mut connection).await?;
        }
        Ok(())
    }

    /// Its keys in Redis that match a pattern, each with the milliseconds that it has left; -1: it stays for ever.
    pub async fn keys(&self, pattern: &str) -> Vec<(String, i64)> {
        let mut connection = self.redis().await.unwrap();
        let keys = keys_like(&mut connection, &format!("{}:{pattern}", self.name)).await.unwrap();
        let mut found = Vec::new();
        for key in keys {
            let left = redis::cmd("PTTL").arg(&key).query_async(&mut connection).await.unwrap();
            found.push((key, left));
        }
        found
    }

    async fn redis(&self) -> redis::RedisResult<MultiplexedConnection> {
        redis::Client::open(self.engines.setting("REDIS_URL"))?.get_multiplexed_async_connection().await
    }

    /// Has Redis forget all of them, as if it had been emptied.
    pub async fn forget_keys(&self) {
        self.clear_redis().await.unwrap();
    }

    async fn clear_bucket(&self) -> Result<(), aws_sdk_s3::Error> {
        let client = self.s3();
        let listed = client.list_buckets().send().await?;
        if !listed.buckets().iter().any(|bucket| bucket.name() == Some(&self.name)) {
            return Ok(());
        }
        loop {
            let listed = client.list_objects_v2().bucket(&self.name).send().await?;
            for key in listed.contents().iter().filter_map(|object| object.key()) {
                client.delete_object().bucket(&self.name).key(key).send().await?;
            }
            if !listed.is_truncated().unwrap_or_default() {
                break;
            }
        }
        let uploads = client.list_multipart_uploads().bucket(&self.name).send().await?;
        for upload in uploads.uploads() {
            client
                .abort_multipart_upload()
                .bucket(&self.name)
                .set_key(upload.key().map(str::to_owned))
                .set_upload_id(upload.upload_id().map(str::to_owned))
                .send()
                .await?;
        }
        client.delete_bucket().bucket(&self.name).send().await?;
        Ok(())
    }

    /// Its bucket; nobody has made it yet.
    pub fn bucket(&self) -> chat_s3::S3Options {
        let setting = |name| self.engines.setting(name).to_owned();
        chat_s3::S3Options {
            endpoint: setting("MINIO_ENDPOINT"),
            access_key: setting("MINIO_ACCESS_KEY"),
            secret_key: setting("MINIO_SECRET_KEY"),
            bucket: self.name.clone(),
            region: setting("S3_REGION"),
            public_endpoint: None,
        }
    }

    /// Begins an upload in parts that nobody will end.
    pub async fn begin_upload(&self, key: &str) {
        let upload = self.s3().create_multipart_upload().bucket(&self.name).key(key);
        upload.send().await.unwrap();
    }

    fn s3(&self) -> Client {
        let place = self.bucket();
        let credentials = Credentials::new(place.access_key, place.secret_key, None, None, "tests");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(place.region))
            .endpoint_url(place.endpoint)
            .credentials_provider(credentials)
            .force_path_style(true)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Client::from_conf(config)
    }
}

async fn keys_like(connection: &mut MultiplexedConnection, pattern: &str) -> redis::RedisResult<Vec<String>> {
    let (mut cursor, mut found) = (0_u64, Vec::new());
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(1000);
        let (next, keys): (u64, Vec<String>) = scan.query_async(connection).await?;
        found.extend(keys);
        if next == 0 {
            return Ok(found);
        }
        cursor = next;
    }
}

impl Drop for Ground {
    /// On a thread and runtime of its own: a drop cannot wait otherwise, and must work while a test fails.
    fn drop(&mut self) {
        let this = &*self;
        std::thread::scope(|scope| {
            let cleared = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(this.clear());
            });
            if cleared.join().is_err() {
                eprintln!("{} was not cleared", this.name);
            }
        });
    }
}
