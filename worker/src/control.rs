//! Passes control messages on to the jobs that run here.

use crate::engine::Engine;
use chat_core::ports::Control;
use futures::StreamExt;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(500);

pub(crate) async fn run(engine: &Engine) {
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
