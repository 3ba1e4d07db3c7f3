//! What the streams of a stand look like.

use connector::TableRef;
use entity::{Destination, NullCursor, StreamShape};
use server::clock::Micros;

/// What a stream of a stand looks like; the columns are always `id`, `account`, `metric`, `value`, `at`, `updated`.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Usage or inputs.
    pub destination: Destination,
    /// Microseconds read again below the watermark.
    pub lookback: Micros,
    /// Rows without a cursor.
    pub null_cursor: NullCursor,
}

/// A stream over any table.
#[derive(Clone, Debug)]
pub struct StreamSpec {
    /// The table as stored.
    pub table: String,
    /// The mapping as stored.
    pub mapping: String,
    /// The cursor column, a timestamp with a zone.
    pub cursor: String,
    /// When it runs by itself, as stored.
    pub schedule: String,
    /// Long or wide.
    pub form: StreamShape,
    /// The rest.
    pub shape: Shape,
}

impl StreamSpec {
    /// The benchmark's stream.
    pub fn usage() -> Self {
        Self {
            table: r#"{"schema":"public","name":"usage"}"#.to_owned(),
            mapping: r#"{"account":"account","metric":"metric","value":"value","measuredAt":"measured_at"}"#
                .to_owned(),
            cursor: "updated_at".to_owned(),
            schedule: r#"{"kind":"manual"}"#.to_owned(),
            form: StreamShape::Long,
            shape: Shape { destination: Destination::Inputs, lookback: 10_000_000, ..Shape::default() },
        }
    }

    /// The benchmark's stream over a table somewhere else.
    ///
    /// # Errors
    /// When the name cannot be stored.
    pub fn usage_of(table: &TableRef) -> anyhow::Result<Self> {
        Ok(Self { table: serde_json::to_string(table)?, ..Self::usage() })
    }

    /// One of many streams of the benchmark over a small table, run by the scheduler.
    pub fn quiet() -> Self {
        Self {
            table: r#"{"schema":"public","name":"quiet"}"#.to_owned(),
            schedule: r#"{"kind":"cron","expression":"0 3 1 * *","zone":"UTC"}"#.to_owned(),
            ..Self::usage()
        }
    }
}

impl Default for Shape {
    fn default() -> Self {
        Self { destination: Destination::Usage, lookback: 0, null_cursor: NullCursor::Reject }
    }
}
