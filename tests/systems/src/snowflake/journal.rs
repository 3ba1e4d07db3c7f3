//! What the server was asked, call by call.

use std::collections::BTreeMap;

use super::fault::Call;

/// One binding as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Its type, such as `TEXT`.
    pub kind: String,
    /// Its value; none for SQL NULL.
    pub value: Option<String>,
}

/// One call to the server, the refused ones too.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Which call.
    pub call: Call,
    /// The status it was answered with.
    pub status: u16,
    /// Path without the query string.
    pub path: String,
    /// Query string, decoded.
    pub query: BTreeMap<String, String>,
    /// Headers by their names in lower case, without the token.
    pub headers: BTreeMap<String, String>,
    /// What the token says, if it is a JWT, whether it was accepted or not.
    pub claims: Option<serde_json::Value>,
    /// The user that signed in.
    pub user: Option<String>,
    /// The statement's handle, asked for or given out.
    pub handle: Option<String>,
    /// `requestId` of the query string.
    pub request_id: Option<String>,
    /// The statement's text.
    pub statement: Option<String>,
    /// Its bindings by number.
    pub bindings: BTreeMap<usize, Bound>,
    /// Its session parameters.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Its timeout in seconds.
    pub timeout: Option<i64>,
    /// Its role.
    pub role: Option<String>,
    /// Its warehouse.
    pub warehouse: Option<String>,
    /// Its database.
    pub database: Option<String>,
    /// Its schema.
    pub schema: Option<String>,
}
