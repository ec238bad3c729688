//! The trace that the request which is being answered is part of: jobs that it enqueues are a part of it, too.

use chat_core::TraceParent;

tokio::task_local! {
    static TRACE: Option<TraceParent>;
}

/// Does work that is part of a trace, or of none.
pub async fn within<T>(trace: Option<TraceParent>, work: impl Future<Output = T>) -> T {
    TRACE.scope(trace, work).await
}

/// The trace of the work that is being done in this task.
pub fn current() -> Option<TraceParent> {
    TRACE.try_with(|trace| *trace).ok().flatten()
}
