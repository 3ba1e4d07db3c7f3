//! A system behind the proxy of faults, holding one table that grows.

use std::sync::Arc;

use anyhow::Result;
use connector::{Connector, CursorKind, ErrorKind, NullCursors, ReadRequest, RunTag, TableRef};
use systems::faults::{Fault, Faults};

/// Rows whose cursor is the same: batches end in the middle of them.
pub const TIES: i128 = 7;

/// One system of one kind, with a table of its own for one test.
///
/// The table has the columns `id`, an integer that tells rows apart; `c`, an integer and the cursor, `id` by
/// [`TIES`]; and `label`, the text of [`label`].
pub trait System: Sized {
    /// Rows that make a result of several pages where there are pages, and of several batches everywhere.
    const ROWS: i128;
    /// Whether a result comes in pages that are asked for one by one.
    const PAGED: bool;

    /// Makes the place, and the proxy in front of it.
    async fn start() -> Result<Self>;

    /// The proxy.
    fn faults(&self) -> &Faults;

    /// A connector that reaches the system through the proxy alone. No answer may take longer than some seconds.
    fn connector(&self) -> Result<Arc<dyn Connector>>;

    /// The table.
    fn table(&self) -> TableRef;

    /// Adds the rows of those IDs.
    async fn grow(&self, ids: std::ops::Range<i128>) -> Result<()>;

    /// What a lasting fault is told as: kind, and words that the message, the hint or the detail must have,
    /// of several any.
    fn told(&self, fault: Fault) -> (&'static [ErrorKind], &'static str) {
        told(fault)
    }
}

/// The text of a row.
pub fn label(id: i128) -> String {
    format!("row {id} {}", (id * 7_919 % 10_007).to_string().repeat(12))
}

/// Asks for all rows of the table, in small batches.
pub fn request<S: System>(system: &S) -> ReadRequest {
    ReadRequest {
        table: system.table(),
        columns: ["id", "c", "label"].map(str::to_owned).to_vec(),
        cursor: connector::Cursor { column: "c".to_owned(), kind: CursorKind::Int },
        key: vec!["id".to_owned()],
        from: None,
        until: None,
        nulls: NullCursors::Skip,
        batch_rows: usize::try_from(S::ROWS / 20).expect("some rows"),
        batch_bytes: 8 << 20,
        cell_bytes: 1 << 20,
        tag: RunTag { organization: "organization-1".to_owned(), stream: "stream-1".to_owned() },
        cost: connector::Cost::default(),
    }
}

/// What a fault that lasts is told as by any kind that has nothing better to say.
pub fn told(fault: Fault) -> (&'static [ErrorKind], &'static str) {
    const AWAY: &[ErrorKind] = &[ErrorKind::Unavailable];
    match fault {
        Fault::Status(401, _) => (&[ErrorKind::Auth], "401|refused"),
        Fault::Status(403, _) => (&[ErrorKind::Permission], "403"),
        Fault::Status(429, _) => (&[ErrorKind::RateLimited], "429"),
        Fault::Status(500, _) => (AWAY, "500"),
        Fault::Status(502, _) => (AWAY, "502"),
        Fault::Status(503, _) => (AWAY, "503"),
        Fault::Status(..) => (AWAY, "504"),
        Fault::Hang | Fault::HangInBody => (AWAY, "stopped answering"),
        Fault::Reset | Fault::LongLength => (AWAY, "broke"),
        Fault::HalfBody | Fault::TruncatedGzip | Fault::ShortLength => (AWAY, "broke off"),
        Fault::Slow => (&[], ""),
        Fault::RepeatedPage | Fault::SkippedPage | Fault::LyingTotal => {
            (&[ErrorKind::Unavailable, ErrorKind::Protocol], "rows|page|part")
        }
        Fault::Expired => (AWAY, "result"),
        Fault::Bomb => (&[ErrorKind::Unavailable, ErrorKind::Protocol], ""),
        Fault::Html => (AWAY, "web page"),
    }
}
