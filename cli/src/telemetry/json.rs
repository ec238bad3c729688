//! A log line as an object: `timestamp level module message filename line`, then the event's own fields and those of
//! the spans that it happened in, all on one level, so that every line can be found by `request_id` or `job.id`.

use super::{fields::Fields, wall_clock};
use chrono::SecondsFormat;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};
use std::fmt;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormattedFields,
        format::{JsonFields, Writer},
    },
    registry::LookupSpan,
};

/// What every line has; fields of the same names are left out.
const FIXED: [&str; 6] = ["timestamp", "level", "module", "message", "filename", "line"];

/// Writes an object a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonLines;

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = Line {
            timestamp: wall_clock::now().to_rfc3339_opts(SecondsFormat::Micros, true),
            metadata: event.metadata(),
            message: fields.message,
            fields: with_spans(context, fields.rest),
        };
        let text = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
        writeln!(out, "{text}")
    }
}

/// An inner span wins over an outer one, the event over both.
fn with_spans<S>(context: &FmtContext<'_, S, JsonFields>, own: Map<String, Value>) -> Map<String, Value>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut all = Map::new();
    for span in context.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
        let extensions = span.extensions();
        let written = extensions.get::<FormattedFields<JsonFields>>();
        if let Some(Ok(fields)) =
            written.map(|text| serde_json::from_str::<Map<String, Value>>(text.as_str()))
        {
            all.extend(fields);
        }
    }
    all.extend(own);
    all
}

struct Line {
    timestamp: String,
    metadata: &'static Metadata<'static>,
    message: String,
    fields: Map<String, Value>,
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut line = out.serialize_map(None)?;
        line.serialize_entry("timestamp", &self.timestamp)?;
        line.serialize_entry("level", self.metadata.level().as_str())?;
        line.serialize_entry("module", self.metadata.module_path().unwrap_or(self.metadata.target()))?;
        line.serialize_entry("message", &self.message)?;
        line.serialize_entry("filename", &self.metadata.file().map(short))?;
        line.serialize_entry("line", &self.metadata.line())?;
        for (name, value) in &self.fields {
            if !FIXED.contains(&name.as_str()) {
                line.serialize_entry(name, value)?;
            }
        }
        line.end()
    }
}

/// Our own paths start at the workspace; other people's would name a folder of the machine that built this.
fn short(path: &str) -> &str {
    if path.starts_with('/') || path.contains(':') {
        path.rsplit(['/', '\\']).next().unwrap_or(path)
    } else {
        path
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
