//! What a customer's administrator does so that Weir may read: scripts in the system's own language, with the
//! customer's own names, and no secret in them.

use crate::{ConnectorError, ErrorKind, TableRef};

/// What a kind signs in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// Nothing.
    Nothing,
    /// A secret that a person types: a password, a token, a key file.
    Secret,
    /// A key pair made here; its public half is installed at the system.
    KeyPair,
}

/// The scripts for a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// What the scripts are written in.
    pub language: Language,
    /// Gives Weir's user the right to read, and no other.
    pub grant: String,
    /// Takes all of it back.
    pub revoke: String,
}

/// What a script is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The system's SQL.
    Sql,
    /// A shell, with the system's own command-line tool.
    Shell,
}

/// The statements for one key pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetup {
    /// Installs the public half.
    pub install: String,
    /// Shows what is installed, to compare fingerprints.
    pub verify: String,
    /// Removes it, once nothing signs with it any more.
    pub remove: String,
}

/// What is known besides the configuration, none of it secret.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// The public half of the key pair in use, or to be used, on one line.
    pub public_key: Option<&'a str>,
    /// The e-mail address of Weir's own Google service account.
    pub google_account: Option<&'a str>,
}

/// Which tables the scripts are for.
#[derive(Clone, Copy, Debug)]
pub struct Tables<'a>(pub &'a [TableRef]);

impl Tables<'_> {
    /// The schemas the tables lie in, each once, in order, as (catalog, schema).
    pub fn schemas(&self) -> Vec<(Option<&str>, &str)> {
        let mut found: Vec<(Option<&str>, &str)> = self
            .0
            .iter()
            .filter_map(|table| Some((table.catalog.as_deref(), table.schema.as_deref()?)))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Refuses a table whose name lacks a part, without which nothing is granted, or another table; `form` is how it is to
/// be written.
pub(crate) fn incomplete(table: &TableRef, part: &str, form: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Config,
        format!("table {table} names no {part}, and neither does the source"),
    )
    .hint(format!("write it as {form}"))
}

/// A remark of an SQL script: one line, whatever the names in it, since a name may hold the end of a line.
pub(crate) fn remark(text: &str) -> String {
    let ends = |letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
    format!("-- {}", text.replace(ends, " "))
}

/// Puts script lines together.
pub(crate) fn lines<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> String {
    let mut script = String::new();
    for line in lines {
        script.push_str(line.as_ref());
        script.push('\n');
    }
    script
}
