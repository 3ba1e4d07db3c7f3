//! The settings each statement is sent with, and how to do with fewer when the server or the user's profile refuses.

use std::collections::BTreeSet;
use std::time::Duration;

use super::exception::Exception;

/// Defaults and profiles differ, so everything a correct result hangs on is said each time: these, and the
/// [truthful](TRUTHFUL) ones.
const PINNED: [(&str, &str); 14] = [
    ("readonly", "2"),
    ("wait_end_of_query", "0"),
    ("send_progress_in_http_headers", "0"),
    ("http_write_exception_in_output_format", "0"),
    ("enable_http_compression", "1"),
    ("http_zlib_compression_level", "1"),
    ("cancel_http_readonly_queries_on_client_close", "1"),
    ("use_query_cache", "0"),
    ("session_timezone", "UTC"),
    ("date_time_output_format", "iso"),
    ("output_format_json_quote_64bit_integers", "0"),
    ("output_format_json_quote_decimals", "0"),
    ("output_format_json_quote_denormals", "1"),
    ("output_format_json_named_tuples_as_objects", "1"),
];

/// Settings of a profile that may cut a result without a word, and the only value that does not.
pub const TRUTHFUL: [(&str, &str); 15] = [
    ("result_overflow_mode", "throw"),
    ("read_overflow_mode", "throw"),
    ("sort_overflow_mode", "throw"),
    ("timeout_overflow_mode", "throw"),
    ("read_overflow_mode_leaf", "throw"),
    ("timeout_overflow_mode_leaf", "throw"),
    ("transfer_overflow_mode", "throw"),
    ("set_overflow_mode", "throw"),
    ("join_overflow_mode", "throw"),
    ("distinct_overflow_mode", "throw"),
    ("group_by_overflow_mode", "throw"),
    ("partial_result_on_first_cancel", "0"),
    ("limit", "0"),
    ("offset", "0"),
    ("skip_unavailable_shards", "0"),
];

/// Every setting that is said each time.
fn said() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    PINNED.iter().chain(&TRUTHFUL)
}

/// What the server has refused so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    names: BTreeSet<String>,
    all: bool,
}

impl Refused {
    /// Tells whether a setting that may cut a result is left to the user's profile.
    pub fn unsure(&self) -> bool {
        self.all || TRUTHFUL.iter().any(|(name, _)| self.names.contains(*name))
    }

    /// Tells whether the server may be told to stop a statement when nobody is there to take its rows.
    pub fn stops(&self) -> bool {
        !self.all && !self.names.contains("cancel_http_readonly_queries_on_client_close")
    }

    /// The settings to send.
    pub fn settings(&self, tag: &str, most: Duration) -> Vec<(String, String)> {
        if self.all {
            return Vec::new();
        }
        let own = |name: &str, value: String| (name.to_owned(), value);
        let mut settings: Vec<(String, String)> =
            said().map(|(name, value)| own(name, (*value).to_owned())).collect();
        settings.push(own("max_execution_time", most.as_secs().max(1).to_string()));
        settings.push(own("http_send_timeout", most.as_secs().max(30).to_string()));
        settings.push(own("log_comment", tag.to_owned()));
        settings.retain(|(name, _)| !self.names.contains(name));
        settings
    }

    /// Learns from an error; tells whether there is now something less to send.
    pub fn learn(&mut self, exception: &Exception) -> bool {
        if self.all {
            return false;
        }
        let name = exception.quoted().filter(|name| {
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        });
        match (exception.code, name) {
            // Unknown to this version.
            (115, Some(name)) => self.names.insert(name.to_owned()),
            // Read-only users: some may change everything but this one, some nothing.
            (164, Some("readonly")) if self.names.insert("readonly".to_owned()) => true,
            (164, _) => {
                self.all = true;
                true
            }
            // Outside what the profile allows.
            (452, _) => {
                let named = said().map(|(name, _)| *name).chain(["max_execution_time", "http_send_timeout"]);
                let named = named.filter(|name| {
                    exception
                        .text
                        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                        .any(|word| word == *name)
                });
                let before = self.names.len();
                self.names.extend(named.map(str::to_owned));
                self.names.len() > before
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(texts: &[&str]) -> (Refused, Vec<bool>) {
        let mut refused = Refused::default();
        let learnt = texts.iter().map(|text| refused.learn(&Exception::parse(text.as_bytes()))).collect();
        (refused, learnt)
    }

    #[test]
    fn pitfall_16_every_setting_that_may_cut_a_result_is_sent_or_looked_at() {
        let sent = Refused::default().settings("t", Duration::from_secs(9));
        for (name, value) in TRUTHFUL {
            assert!(sent.contains(&(name.to_owned(), value.to_owned())), "{name}");
        }
        let modes = sent.iter().filter(|(name, value)| name.contains("_overflow_mode") && value == "throw");
        assert_eq!(modes.count(), 11);
        let fixed = "Code: 452. DB::Exception: Setting set_overflow_mode should not be changed. (SETTING_CONSTRAINT_VIOLATION)";
        assert!(after(&[fixed]).0.unsure());
        let narrow = "Code: 452. DB::Exception: Setting max_execution_time shouldn't be greater than 300. (SETTING_CONSTRAINT_VIOLATION)";
        assert!(!after(&[narrow]).0.unsure() && !Refused::default().unsure());
    }

    #[test]
    fn settings_are_given_up_one_by_one_and_then_all() {
        let count = |refused: &Refused| refused.settings("t", Duration::from_secs(9)).len();
        let all = count(&Refused::default());
        let unknown = "Code: 115. DB::Exception: Unknown setting 'session_timezone'. (UNKNOWN_SETTING)";
        let (refused, learnt) = after(&[unknown, unknown]);
        assert_eq!((count(&refused), learnt), (all - 1, vec![true, false]));
        let narrow = "Code: 452. DB::Exception: Setting max_execution_time shouldn't be greater than 300. (SETTING_CONSTRAINT_VIOLATION)";
        assert_eq!(count(&after(&[narrow]).0), all - 1);
        let guard = "Code: 164. DB::Exception: Cannot modify 'readonly' setting in readonly mode. (READONLY)";
        assert_eq!(count(&after(&[guard]).0), all - 1);
        let strict = "Code: 164. DB::Exception: Cannot modify 'limit' setting in readonly mode. (READONLY)";
        let (refused, learnt) = after(&[guard, strict, strict]);
        assert_eq!((count(&refused), learnt), (0, vec![true, true, false]));
        assert!(refused.all && refused.unsure() && !refused.stops());
        assert!(Refused::default().stops());
    }
}
