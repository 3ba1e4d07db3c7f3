//! The addresses of the pages. The address is the state: filters, sorting and pages stand in its query.

use js_sys::encode_uri_component;

/// The overview.
pub const OVERVIEW: &str = "/";
/// The list of sources.
pub const SOURCES: &str = "/sources";
/// The form for a new source.
pub const SOURCE_NEW: &str = "/sources/new";
/// The inbox of unmatched groups.
pub const UNMATCHED: &str = "/unmatched";
/// The table of metric links.
pub const LINKS: &str = "/links";
/// The CSV import of metric links.
pub const LINKS_IMPORT: &str = "/links/import";
/// The list of accounts.
pub const ACCOUNTS: &str = "/accounts";

/// The people and API tokens of the organization.
pub const SETTINGS: &str = "/settings";

/// The external-ID settings, on the list of accounts.
pub const ID_SETTINGS: &str = "/accounts?settings=open";

/// A source.
pub fn source(id: &str) -> String {
    format!("/sources/{id}")
}

/// The form that edits a source.
pub fn source_edit(id: &str) -> String {
    format!("/sources/{id}/edit")
}

/// The new-stream flow of a source.
pub fn stream_new(source_id: &str) -> String {
    format!("/sources/{source_id}/streams/new")
}

/// A stream.
pub fn stream(id: &str) -> String {
    format!("/streams/{id}")
}

/// Why rows of a stream may be missing.
pub fn diagnosis(stream_id: &str) -> String {
    format!("/streams/{stream_id}/missing")
}

/// The form that changes a stream.
pub fn stream_edit(id: &str) -> String {
    format!("/streams/{id}/edit")
}

/// A sync run.
pub fn run(id: &str) -> String {
    format!("/runs/{id}")
}

/// An unmatched group.
pub fn unmatched(id: &str) -> String {
    format!("/unmatched/{id}")
}

/// An account.
pub fn account(id: &str) -> String {
    format!("/accounts/{id}")
}

/// An address with a query; empty values are left out.
pub fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = query
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", String::from(encode_uri_component(value))))
        .collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}
