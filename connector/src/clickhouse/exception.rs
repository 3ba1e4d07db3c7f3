//! The server's errors: where they stand in an answer, and what they mean to people and to the scheduler.

use std::time::Duration;

use crate::{ConnectorError, ErrorKind};

/// Every exception's text begins like this, the code in between.
const PROLOGUE: (&[u8], &[u8]) = (b"Code: ", b". DB::Exception: ");
/// What frames an exception in the middle of a result since 25.11.
const FRAME: &[u8] = b"\r\n__exception__\r\n";
/// A quota's interval is told, not its end in a form that can be relied on: this long at least is waited.
const QUOTA: Duration = Duration::from_secs(60);
/// The most of the server's words that is kept.
const WORDS: usize = 1_000;

/// An error as the server tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// ClickHouse's own number; zero when none was found.
    pub code: u32,
    /// The words after the prologue.
    pub text: String,
}

/// Tells whether an exception begins here rather than a row.
pub fn begins(bytes: &[u8], tag: Option<&str>) -> bool {
    if let Some(rest) = bytes.strip_prefix(PROLOGUE.0) {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        return (1..=9).contains(&digits) && rest[digits..].starts_with(PROLOGUE.1);
    }
    let framed = bytes.strip_prefix(FRAME);
    framed.is_some_and(|rest| tag.is_some_and(|tag| rest.starts_with(tag.as_bytes())))
}

/// Finds the block a failed result ends with: frame, tag, message, length and tag, frame.
pub fn block(bytes: &[u8], tag: Option<&str>) -> Option<Exception> {
    let tag = tag?;
    let inner = bytes.strip_suffix(FRAME)?.strip_suffix(tag.as_bytes())?.strip_suffix(b" ")?;
    let digits = inner.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (inner, size) = inner.split_at(inner.len() - digits);
    let size: usize = std::str::from_utf8(size).ok()?.parse().ok()?;
    // The length counts the line's end or not, depending on the version; the opening frame decides.
    let open = [FRAME, tag.as_bytes(), b"\r\n"].concat();
    let start = inner.len().saturating_sub(size + open.len() + 2);
    let at = inner[start..].windows(open.len()).position(|window| window == open)?;
    Some(Exception::parse(&inner[start + at + open.len()..]))
}

/// Where a prologue may begin.
fn places(bytes: &[u8]) -> impl Iterator<Item = usize> {
    bytes.iter().enumerate().filter(|(_, byte)| **byte == PROLOGUE.0[0]).map(|(at, _)| at)
}

impl Exception {
    /// Finds the error in the body of an answer that failed. Rows may stand before it; the code comes from the
    /// headers, where they tell one.
    pub fn find(body: &[u8], tag: Option<&str>, code: Option<u32>) -> Self {
        if let Some(found) = block(body, tag) {
            return found;
        }
        let mut prologues = places(body).filter(|at| begins(&body[*at..], None));
        let told = |at: &usize| code.is_none_or(|code| Self::parse(&body[*at..]).code == code);
        match prologues.find(told) {
            Some(at) => Self::parse(&body[at..]),
            None => Self { code: code.unwrap_or(0), ..Self::parse(body) },
        }
    }

    /// Reads an exception's text, which is all there is.
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let found = text.find("Code: ").map_or(&*text, |at| &text[at + 6..]);
        let digits = found.bytes().take_while(u8::is_ascii_digit).count();
        let code = found[..digits].parse().unwrap_or(0);
        let words = if code == 0 { &*text } else { found[digits..].trim_start_matches(". DB::Exception:") };
        let words = words.split("\r\n__exception__").next().unwrap_or_default();
        let words = words.split("\nStack trace").next().unwrap_or_default().trim();
        let end = words.char_indices().nth(WORDS).map_or(words.len(), |(at, _)| at);
        Self { code, text: words[..end].to_owned() }
    }

    /// The name in quotes the words tell, such as that of a setting.
    pub fn quoted(&self) -> Option<&str> {
        self.text.split(['\'', '`']).nth(1)
    }

    /// Tells it for people and for the scheduler. The kind hangs on the code alone.
    pub fn explain(&self) -> ConnectorError {
        use ErrorKind::{
            Auth, Config, NotFound, Permission, Protocol, RateLimited, Schema, Timeout, Unavailable,
        };
        let (kind, message, hint) = match self.code {
            192 | 193 | 194 | 516 => (
                Auth,
                "the server refused the user or the password",
                "check both; in ClickHouse Cloud, check also that the service's access list lets Weir in",
            ),
            497 | 512 => {
                return match self.text.split("the grant ").nth(1).and_then(|rest| rest.split(". (").next()) {
                    Some(grant) => {
                        ConnectorError::new(Permission, format!("the user lacks the grant {:.300}", brief(grant)))
                            .hint(format!("ask an administrator to run: GRANT {:.300} TO the user", brief(grant)))
                    }
                    None => ConnectorError::new(Permission, "the user may not do this")
                        .hint("grant SELECT on the table to the user"),
                }
                .detail(self.text.as_str());
            }
            164 => (
                Permission,
                "the user's profile forbids this statement in read-only mode",
                "give the user a profile with readonly = 2",
            ),
            60 | 81 => (
                NotFound,
                "the table or database does not exist, or may not be seen",
                "it may have been renamed or dropped; names are exact",
            ),
            47 | 16 => (
                NotFound,
                "a column does not exist, or may not be seen",
                "it may have been renamed or dropped; open the stream and choose its columns again",
            ),
            159 | 160 => (
                Timeout,
                "the statement took longer than allowed",
                "make the cursor part of the table's sorting key, or allow the user a longer max_execution_time",
            ),
            241 => (
                Timeout,
                "the statement needed more memory than the server allows",
                "make cursor and row key the table's sorting key, so that rows need no sorting, or raise max_memory_usage",
            ),
            158 | 307 | 396 => (
                Timeout,
                "the statement would read more than the user's limits allow",
                "make the cursor part of the table's sorting key, or raise the user's limits",
            ),
            202 => (
                RateLimited,
                "the server runs too many statements",
                "raise the user's limit, or read less often",
            ),
            201 => {
                return ConnectorError::new(RateLimited, "the user's quota is used up (code 201)")
                    .hint("raise the quota, or read less often")
                    .detail(self.text.as_str())
                    .after(QUOTA);
            }
            452 => (
                Config,
                "the user's profile does not allow a setting that reading needs",
                "widen the setting's limits in the user's profile",
            ),
            43 | 44 | 53 | 70 | 386 | 395 | 153 | 349 => (
                Schema,
                "the table cannot be read as asked",
                "see the server's own words; a view's or column's expression may fail on some row",
            ),
            3 | 74 | 76 | 203 | 209 | 210 | 236 | 242 | 243 | 279 | 373 | 394 | 425 | 439 | 499 | 735
            | 999 => {
                (Unavailable, "the server could not finish the statement", "it is tried again by itself")
            }
            0 => (
                Protocol,
                "the host answered something that is not ClickHouse's",
                "check that host, port and path are those of ClickHouse's HTTP interface",
            ),
            _ => (Protocol, "the server refused the statement", "see the server's own words"),
        };
        let told = ConnectorError::new(kind, format!("{message}{}", self.number()));
        told.hint(hint).detail(self.text.as_str())
    }

    fn number(&self) -> String {
        if self.code == 0 { String::new() } else { format!(" (code {})", self.code) }
    }
}

/// A grant as the server words it, without what follows the sentence.
fn brief(grant: &str) -> &str {
    grant.split(" for at least").next().unwrap_or(grant).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_the_kind() {
        for (text, code, kind) in [
            (
                "Code: 516. DB::Exception: x: Authentication failed. (AUTHENTICATION_FAILED)",
                516,
                ErrorKind::Auth,
            ),
            ("Code: 60. DB::Exception: Unknown table 'Code: 7'. (UNKNOWN_TABLE)\n", 60, ErrorKind::NotFound),
            ("Code: 159. DB::Exception: Timeout exceeded", 159, ErrorKind::Timeout),
            ("Code: 202. DB::Exception: Too many", 202, ErrorKind::RateLimited),
            ("Code: 241. DB::Exception: Memory limit exceeded", 241, ErrorKind::Timeout),
            ("Code: 4711. DB::Exception: New", 4711, ErrorKind::Protocol),
            ("<html>Bad gateway</html>", 0, ErrorKind::Protocol),
        ] {
            let exception = Exception::parse(text.as_bytes());
            assert_eq!((exception.code, exception.explain().kind()), (code, kind), "{text}");
        }
    }

    #[test]
    fn a_missing_grant_is_told_as_the_statement_to_run() {
        let text = "Code: 497. DB::Exception: r: Not enough privileges. To execute this query, it's necessary to have \
            the grant SELECT(a) ON db.t. (ACCESS_DENIED) (version 26.7)";
        let error = Exception::parse(text.as_bytes()).explain();
        assert_eq!(error.kind(), ErrorKind::Permission);
        assert_eq!(error.action(), Some("ask an administrator to run: GRANT SELECT(a) ON db.t TO the user"));
    }

    #[test]
    fn pitfall_16_the_block_at_the_end_of_a_failed_result_is_found() {
        let message = "Code: 395. DB::Exception: bad row. (X) (version 26.7)";
        for size in [message.len() + 1, message.len()] {
            let bytes = format!("rows\r\n__exception__\r\nabc\r\n{message}\n{size} abc\r\n__exception__\r\n");
            let found = block(bytes.as_bytes(), Some("abc")).expect("the block is there");
            assert_eq!((found.code, found.text.as_str()), (395, "bad row. (X) (version 26.7)"));
            assert_eq!(block(bytes.as_bytes(), Some("abd")), None);
            assert!(begins(&bytes.as_bytes()[4..], Some("abc")));
        }
        assert!(begins(message.as_bytes(), None));
        let rows = format!("rows Code: 1. more rows{message}");
        assert_eq!(Exception::find(rows.as_bytes(), None, Some(395)).text, "bad row. (X) (version 26.7)");
        assert_eq!(Exception::find(b"rows only", None, Some(395)).code, 395);
        assert!(!begins(b"Code: red. DB::Exception: ", None));
    }
}
