//! How statements fail: Snowflake's code, SQLSTATE and message.

/// A failed statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError {
    /// Six digits.
    pub code: String,
    /// SQLSTATE.
    pub state: String,
    /// What it says.
    pub message: String,
}

/// What a step of a statement returns.
pub type Outcome<T> = Result<T, SqlError>;

impl SqlError {
    /// An error of that code.
    pub fn new(code: &str, state: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), state: state.to_owned(), message: message.into() }
    }

    /// 001003: the statement cannot be parsed.
    pub fn syntax(what: impl std::fmt::Display) -> Self {
        Self::new("001003", "42000", format!("SQL compilation error:\nsyntax error {what}"))
    }

    /// 000002: known to Snowflake, perhaps, but not to this server.
    pub fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::new("000002", "0A000", format!("Unsupported feature '{what}'."))
    }

    /// 002003: an object is not there or may not be seen, which the service does not tell apart.
    pub fn missing(sort: &str, name: impl std::fmt::Display) -> Self {
        // Tables and views are objects of SQLSTATE 42S02; what holds them is 02000.
        let state = if sort == "Object" { "42S02" } else { "02000" };
        let message = format!("SQL compilation error:\n{sort} '{name}' does not exist or not authorized.");
        Self::new("002003", state, message)
    }

    /// 002043: the object of SHOW, DESCRIBE or another command is not there.
    pub fn cannot() -> Self {
        let text = "SQL compilation error:\nObject does not exist, or operation cannot be performed.";
        Self::new("002043", "02000", text)
    }

    /// 000904: no such column.
    pub fn column(name: impl std::fmt::Display) -> Self {
        Self::new(
            "000904",
            "42000",
            format!("SQL compilation error: error line 1 at position 7\ninvalid identifier '{name}'"),
        )
    }

    /// 003001: the role may not do this.
    pub fn privilege(what: impl std::fmt::Display) -> Self {
        let text = format!("SQL access control error:\nInsufficient privileges to operate on {what}.");
        Self::new("003001", "42501", text)
    }

    /// 000606: the statement computes and has no warehouse.
    pub fn no_warehouse() -> Self {
        let text = "No active warehouse selected in the current session.  Select an active warehouse with the 'use warehouse' command.\n";
        Self::new("000606", "57P03", text)
    }

    /// 100038: a text is no number.
    pub fn number(text: &str) -> Self {
        Self::new("100038", "22018", format!("Numeric value '{text}' is not recognized"))
    }

    /// 100039: a number does not fit its type.
    pub fn range(text: impl std::fmt::Display) -> Self {
        Self::new("100039", "22003", format!("Numeric value '{text}' is out of range"))
    }

    /// 100035: a text is no time of that sort.
    pub fn time(sort: &str, text: &str) -> Self {
        // The three sorts of times have three codes.
        let code = match sort {
            "Date" => "100040",
            "Time" => "100108",
            _ => "100035",
        };
        Self::new(code, "22007", format!("{sort} '{text}' is not recognized"))
    }

    /// 100037: a bound value is not of its type, or a text is no truth value.
    pub fn invalid(kind: &str, text: &str) -> Self {
        Self::new("100037", "22018", format!("{kind} value '{text}' is not recognized"))
    }
}
