//! Passes requests to stop on to the jobs that run here.

use crate::engine::Engine;
use chat_core::ports::Control;
use futures::StreamExt;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(500);

/// As they are announced.
pub(crate) async fn hear(engine: &Engine) {
    loop {
        match engine.ports.bus.controls().await {
            Ok(mut controls) => {
                while let Some(Control::Cancel { job, worker }) = controls.next().await {
                    if worker == engine.id {
                        engine.running.cancel(job);
                    }
                }
            }
            Err(error) => tracing::warn!(error = %error, "the control channel does not answer"),
        }
        engine.ports.clock.sleep(PAUSE).await;
    }
}

/// As they are written: an announcement is lost if Redis is away when the request is made.
pub(crate) async fn look(engine: &Engine) {
    loop {
        engine.ports.clock.sleep(engine.options.heartbeat).await;
        let running = engine.running.jobs();
        if running.is_empty() {
            continue;
        }
        match engine.ports.store.asked_to_stop(running).await {
            Ok(asked) => asked.into_iter().for_each(|job| engine.running.cancel(job)),
            Err(error) => tracing::warn!(error = %error, "whether jobs are to stop cannot be seen"),
        }
    }
}
