//! Settings: built-in defaults, then a file, then the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::clock::{Micros, SECOND};
use crate::error::StartError;

/// The defaults, which are also the manual of settings.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

/// All settings. Names and meanings: `config.default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the SQLite database and the key ring live unless told otherwise.
    pub data_dir: PathBuf,
    /// The web server.
    pub http: Http,
    /// Signed-in browsers.
    pub session: Session,
    /// The database.
    pub database: Database,
    /// The key ring.
    pub keyring: Keyring,
    /// The workers.
    pub workers: Workers,
    /// How syncs read and write.
    pub sync: Sync,
    /// What sources may reach.
    pub sources: Sources,
    /// How long things are kept.
    pub retention: Retention,
    /// Logging.
    pub log: Log,
}

/// The web server's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address and port to listen on.
    pub listen: String,
    /// The URL people use, or empty.
    pub public_url: String,
    /// Most bytes of a request body.
    pub body_limit: usize,
    /// Whether signed-in callers may read the schema.
    pub introspection: bool,
    /// Reverse proxies in front.
    pub trusted_proxies: usize,
    /// Requests a viewer may make in a minute.
    pub requests_per_minute: u32,
    /// Seconds a request may take.
    pub timeout_seconds: u32,
}

/// How long people stay signed in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Hours without a request after which a session ends.
    pub idle_hours: u32,
    /// Hours after which a session ends in any case.
    pub longest_hours: u32,
}

impl Session {
    /// The time without a request after which a session ends.
    pub fn idle(&self) -> Micros {
        i64::from(self.idle_hours) * 3600 * SECOND
    }

    /// The time after which a session ends in any case.
    pub fn longest(&self) -> Micros {
        i64::from(self.longest_hours) * 3600 * SECOND
    }
}

/// The database's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite:PATH` or a PostgreSQL URL; may hold a password.
    pub url: SecretString,
    /// A file that holds the URL.
    pub url_file: String,
    /// Most connections.
    pub connections: u32,
}

/// The key ring's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyring {
    /// A file that holds the ring, or empty for the data folder's.
    pub file: String,
    /// The ring itself, or empty.
    pub value: SecretString,
}

/// The workers' settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workers {
    /// Syncs at once; 0 for none.
    pub concurrency: usize,
    /// Seconds without renewal after which a lease is lost.
    pub lease_seconds: u32,
    /// Milliseconds between looks for work.
    pub poll_milliseconds: u64,
    /// Attempts of one run in all.
    pub attempts: u32,
    /// Seconds before the second attempt.
    pub backoff_seconds: u32,
    /// Most seconds between attempts.
    pub backoff_most_seconds: u32,
}

/// How syncs read and write.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// Most rows in a batch.
    pub batch_rows: usize,
    /// About the most bytes in a batch.
    pub batch_bytes: usize,
    /// Most bytes of a cell.
    pub cell_bytes: usize,
    /// Seconds a statement at a source may take.
    pub statement_seconds: u32,
}

/// What sources may reach.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// Private networks allowed, as CIDR.
    pub networks: Vec<String>,
    /// Folders whose SQLite files are allowed.
    pub folders: Vec<PathBuf>,
    /// Per kind, where its sources are reached instead of at their own hosts.
    pub base_urls: BTreeMap<String, String>,
    /// The file with the key of Weir's own Google service account; empty when it has none.
    pub google_key_file: String,
    /// The addresses Weir's connections come from, as CIDR, for customers' firewalls.
    pub egress_addresses: Vec<String>,
}

/// How long things are kept, in days.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Finished runs.
    pub run_days: u32,
    /// Finished jobs.
    pub job_days: u32,
    /// Replaced values.
    pub revision_days: u32,
    /// Ignored rows.
    pub ignored_days: u32,
}

/// Logging.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// What to log.
    pub filter: String,
    /// `text` or `json`.
    pub format: String,
}

impl Config {
    /// Loads the defaults, then `file` if given, then `WEIR_*` from the environment.
    ///
    /// # Errors
    /// A setting that is unknown, unreadable or out of range, named with where it came from.
    pub fn load(file: Option<&Path>) -> Result<Self, StartError> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(StartError::new(format!("there is no settings file {}", file.display())));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        figment = figment.merge(Env::prefixed("WEIR_").split("__").ignore(&["config"]));
        let config: Self = figment
            .extract()
            .map_err(|error| StartError::new(format!("the settings cannot be used: {error}")))?;
        config.validated()
    }

    fn validated(mut self) -> Result<Self, StartError> {
        let refuse = |text: &str| Err(StartError::new(text.to_owned()));
        if !self.database.url_file.is_empty() {
            if !self.database.url.expose_secret().is_empty() {
                return refuse("set database.url or database.url_file, not both");
            }
            let path = &self.database.url_file;
            let text = std::fs::read_to_string(path).map_err(|error| {
                StartError::new(format!("database.url_file {path} cannot be read: {error}"))
            })?;
            self.database.url = text.trim().to_owned().into();
        }
        if !self.keyring.file.is_empty() && !self.keyring.value.expose_secret().is_empty() {
            return refuse("set keyring.file or keyring.value, not both");
        }
        if self.session.idle_hours == 0 || self.session.longest_hours < self.session.idle_hours {
            return refuse("session.idle_hours must be at least 1, and session.longest_hours no less");
        }
        if !(4096..=16_777_216).contains(&self.http.body_limit) {
            return refuse("http.body_limit must be between 4096 and 16777216");
        }
        if self.http.requests_per_minute == 0 {
            return refuse("http.requests_per_minute must be at least 1");
        }
        if !self.http.public_url.is_empty() {
            self.http.public_url = origin(&self.http.public_url).ok_or_else(|| {
                StartError::new("http.public_url must be http:// or https://, a host, and no path")
            })?;
        }
        if !(5..=60).contains(&self.workers.lease_seconds) {
            return refuse("workers.lease_seconds must be between 5 and 60");
        }
        if self.workers.attempts == 0 {
            return refuse("workers.attempts must be at least 1");
        }
        if !(100..=100_000).contains(&self.sync.batch_rows) {
            return refuse("sync.batch_rows must be between 100 and 100000");
        }
        if self.database.connections < 2 {
            return refuse("database.connections must be at least 2");
        }
        Ok(self)
    }

    /// The database to use: the configured URL, or SQLite in the data folder.
    pub fn database_url(&self) -> SecretString {
        if self.database.url.expose_secret().is_empty() {
            format!("sqlite:{}", self.data_dir.join("weir.db").display()).into()
        } else {
            self.database.url.clone()
        }
    }

    /// Whether people reach this server by https, so that cookies must be marked Secure.
    pub fn https(&self) -> bool {
        self.http.public_url.starts_with("https://")
    }
}

/// The scheme, host and port of a URL as browsers send them in `Origin`; `None` when it is none or has a path.
fn origin(url: &str) -> Option<String> {
    let url = url.trim_end_matches('/').to_ascii_lowercase();
    let (scheme, host) = url.split_once("://")?;
    let default = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let host = host.strip_suffix(default).unwrap_or(host);
    let plain = !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']);
    plain.then(|| format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_load_and_every_limit_is_checked() {
        let base: Config =
            Figment::from(Toml::string(DEFAULTS)).extract().expect("the defaults are complete");
        let config = base.clone().validated().expect("the defaults are valid");
        assert_eq!(config.database_url().expose_secret(), "sqlite:./data/weir.db");
        let mut wrong = base.clone();
        wrong.workers.lease_seconds = 1;
        assert!(wrong.validated().is_err());
        let mut wrong = base.clone();
        wrong.session.longest_hours = 1;
        assert!(wrong.validated().is_err());
        let mut wrong = base.clone();
        wrong.http.public_url = "https://weir.example.com/app".to_owned();
        assert!(wrong.validated().is_err());
        let mut public = base.clone();
        public.http.public_url = "HTTPS://Weir.Example.com:443/".to_owned();
        let public = public.validated().expect("a good URL");
        assert_eq!(public.http.public_url, "https://weir.example.com");
        assert!(public.https());
        let mut wrong = base;
        wrong.sync.batch_rows = 1;
        assert!(wrong.validated().is_err());
    }

    #[test]
    fn a_password_in_the_database_url_is_not_shown() {
        let mut config: Config =
            Figment::from(Toml::string(DEFAULTS)).extract().expect("the defaults are complete");
        config.database.url = "postgres://weir:hunter2@db/weir".to_owned().into();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
