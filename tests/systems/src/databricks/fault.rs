//! What can be asked of the workspace to go wrong, or to go another way than usual.

/// The calls there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `POST /oidc/v1/token`.
    Token,
    /// `POST /api/2.0/sql/statements`.
    Submit,
    /// `GET /api/2.0/sql/statements/{id}`.
    Poll,
    /// `GET /api/2.0/sql/statements/{id}/result/chunks/{n}`.
    Chunk,
    /// `POST /api/2.0/sql/statements/{id}/cancel`.
    Cancel,
    /// `GET /api/2.0/sql/warehouses/{id}`.
    Warehouse,
    /// `GET /api/2.1/unity-catalog/…`.
    Catalog,
    /// A link to a part of a result.
    Link,
}

/// One thing that goes wrong, once, at the next occasion; those of one sort in the order given.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// A call is answered so, before it is looked at.
    Status {
        /// Which.
        on: Call,
        /// HTTP status.
        status: u16,
        /// The body, JSON or not.
        body: String,
        /// Seconds for `Retry-After`.
        retry_after: Option<u32>,
    },
    /// A statement finds the warehouse asleep, and is pending for so many looks.
    Sleeps(u32),
    /// A statement runs for so many looks.
    Runs(u32),
    /// A statement runs until it is cancelled.
    Hangs,
    /// A statement fails with that code and those words.
    Fails(String, String),
    /// A statement is cancelled by somebody else.
    Stopped,
    /// A link has ended.
    LinkEnds,
    /// What lies behind a link breaks off after so many bytes.
    LinkBreaks(usize),
    /// The manifest tells so many rows more than there are.
    RowTotal(i64),
    /// A chunk tells so many rows more than it has.
    ChunkRows(i64),
    /// A chunk tells that it begins so many rows later.
    ChunkOffset(i64),
    /// The result is told to be cut.
    Truncated,
    /// A result no longer exists when its next chunk is asked for.
    Gone,
}
