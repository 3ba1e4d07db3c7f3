//! What can be asked of the server to go wrong, or to go another way than usual.

/// The calls of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `POST /api/v2/statements`.
    Submit,
    /// `GET /api/v2/statements/<handle>`: asking whether it is done, and for its first partition.
    Poll,
    /// `GET /api/v2/statements/<handle>?partition=<n>` with n above 0.
    Partition,
    /// `POST /api/v2/statements/<handle>/cancel`.
    Cancel,
    /// Anything else.
    Other,
}

/// One thing that goes wrong. Faults of one sort happen in the order they were given, each once; settings stay.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The next call of that sort is answered so, before it is looked at: `{"code", "message"}`.
    Status {
        /// Which calls.
        on: Call,
        /// HTTP status.
        status: u16,
        /// Snowflake's code.
        code: String,
        /// Its message.
        message: String,
        /// Seconds for `Retry-After`.
        retry_after: Option<u32>,
    },
    /// The next call of that sort is carried out, and then answered with this status: its answer is lost on the way.
    Lost {
        /// Which calls.
        on: Call,
        /// HTTP status of the answer sent instead, with a body of HTML.
        status: u16,
    },
    /// The next statement is still running (202) when submitted, and at that many polls more.
    Running {
        /// Polls that are answered with 202.
        polls: u32,
    },
    /// The next statement runs into its timeout: 408 when submitted, or 422 at the poll after `Running`.
    TimesOut,
    /// The next statement fails so: 422 with a `QueryFailureStatus`.
    Fails {
        /// Snowflake's code.
        code: String,
        /// SQLSTATE.
        state: String,
        /// Its message.
        message: String,
    },
    /// The next answer of that sort ends in the middle of its body, and with it the connection.
    Cut {
        /// Which calls.
        on: Call,
    },
    /// The next answer of that sort carries only the first half of its bytes, well framed.
    Half {
        /// Which calls.
        on: Call,
    },
    /// The next result tells a number of rows that differs by this from what it has.
    WrongTotal(i64),
    /// The next partition of that number lacks its last row.
    ShortPartition(usize),
    /// The results of the statements that have been submitted so far are gone.
    Expired,
    /// Setting: rows in a partition; 0 for the server's own choice (1,000 in the first, 10,000 in others).
    RowsPerPartition(usize),
    /// Setting: seconds the server's clock is ahead (or, below zero, behind), in `Date` and in judging tokens.
    ClockOffset(i64),
    /// Setting: whether a refused token is answered with the reason (3943xx) instead of 390144.
    TellReasons(bool),
    /// Setting: whether type names in `rowType` are in upper case, as the documents print them in one place.
    UpperCaseTypes(bool),
    /// Setting: a network policy refuses the caller as this address.
    NetworkPolicy(Option<String>),
}

impl Fault {
    /// A refusal of the next call of that sort, without `Retry-After`.
    pub fn status(on: Call, status: u16, code: &str, message: &str) -> Self {
        Self::Status { on, status, code: code.to_owned(), message: message.to_owned(), retry_after: None }
    }

    /// Too many requests, to be tried again after so many seconds.
    pub fn rate_limit(on: Call, retry_after: Option<u32>) -> Self {
        let (code, message) = ("390505".to_owned(), "Too many requests.".to_owned());
        Self::Status { on, status: 429, code, message, retry_after }
    }

    /// A failure of the next statement.
    pub fn fails(code: &str, state: &str, message: &str) -> Self {
        Self::Fails { code: code.to_owned(), state: state.to_owned(), message: message.to_owned() }
    }
}
