//! Lists objects, a page of a thousand at a time.

use crate::{S3Blobs, error::port_error};
use chat_core::{PortResult, Timestamp, ports::Listed};
use futures::{StreamExt, TryStreamExt, stream, stream::BoxStream};

pub(crate) fn list(blobs: &S3Blobs, segment: &str) -> BoxStream<'static, PortResult<Listed>> {
    let request = blobs.client.list_objects_v2().bucket(&blobs.bucket).prefix(format!("{segment}/"));
    stream::unfold(request.into_paginator().send(), async |mut pages| Some((pages.next().await?, pages)))
        .map_err(|error| port_error(error, "listing files"))
        .map_ok(|page| {
            let objects = page.contents.unwrap_or_default().into_iter();
            stream::iter(objects.filter_map(|object| {
                let written = object.last_modified()?.to_millis().ok()?;
                Some(Ok(Listed { key: object.key?, written: Timestamp(written) }))
            }))
        })
        .try_flatten()
        .boxed()
}
