//! From upload to answer, through the real program: in one process with everything inside, in one process on real
//! engines, and in several processes that share nothing but the engines.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

/// Every test of a module in every deployment. A test is an `async fn(Profile)`. One that measures milliseconds says
/// `write =>` before the list: it has the machine to itself.
macro_rules! in_every_deployment {
    (@$machine:ident, $module:ident, $profile:ident, $($test:ident),+) => {
        mod $module {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let _machine = crate::MACHINE.$machine().await;
                super::$test(chat_tests::deployment::Profile::$profile).await;
            })+
        }
    };
    ($machine:ident => $($test:ident),+ $(,)?) => {
        in_every_deployment!(@$machine, embedded, Embedded, $($test),+);
        in_every_deployment!(@$machine, production, Production, $($test),+);
        in_every_deployment!(@$machine, cluster, Cluster, $($test),+);
    };
    ($($test:ident),+ $(,)?) => { in_every_deployment!(read => $($test),+); };
}

mod caches;
mod cancel;
mod documents;
mod keys;
mod lanes;
mod limits;
mod models;
mod offline;
mod provider_limits;
mod quality;
mod resume;
mod shared;
mod sockets;
mod tenants;
mod traces;
mod turns;

use chat_tests::{
    deployment::{Deployment, Profile},
    fake_openai::FakeOpenAi,
};

/// Tests share the machine; one that measures milliseconds takes it whole.
static MACHINE: tokio::sync::RwLock<()> = tokio::sync::RwLock::const_new(());

/// A fresh deployment that asks a fake model.
async fn with_fake(profile: Profile, directives: &str) -> (FakeOpenAi, Deployment) {
    let fake = FakeOpenAi::start().await;
    fake.directives(directives);
    let settings = [("OPENAI_BASE_URL", fake.url()), ("EMBEDDING_MODEL", "offline".into())];
    let server = Deployment::start(profile, &settings).await;
    (fake, server)
}
