//! Connections to a PostgreSQL server, and its errors told for people.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, PgConnection};

use super::config::{Config, SslMode};
use crate::guard::Policy;
use crate::{ConnectorError, ErrorKind, Result, TableRef};

/// Connections kept open between statements.
const IDLE: usize = 2;
/// How much longer than a statement may take we wait for its answer, before the server counts as gone.
const GRACE: Duration = Duration::from_secs(5);

/// Where the server is, and the connections to it that are free.
#[derive(Debug)]
pub struct Client {
    config: Config,
    password: Option<SecretString>,
    policy: Policy,
    idle: Mutex<Vec<PgConnection>>,
}

/// A connection in use. It goes back to the client only when told so: one left in the middle of a result is closed.
pub struct Lent {
    client: Arc<Client>,
    connection: PgConnection,
}

impl Lent {
    /// The connection.
    pub fn get(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Gives the connection back, ready for the next statement.
    pub fn give_back(self) {
        let mut idle = self.client.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(self.connection);
        }
    }
}

impl Client {
    /// Notes where to connect.
    pub fn new(config: Config, password: Option<SecretString>, policy: Policy) -> Self {
        Self { config, password, policy, idle: Mutex::new(Vec::new()) }
    }

    /// Checks that the host may be reached.
    ///
    /// # Errors
    /// See [`Policy::resolve`].
    pub async fn resolve(&self) -> Result<std::net::SocketAddr> {
        let found = self.policy.resolve(&self.config.host, self.config.port).await?;
        // IPv4 first: PostgreSQL on a name with both often listens on IPv4 alone.
        let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
        first.copied().ok_or_else(|| ConnectorError::new(ErrorKind::Unavailable, "the host has no address"))
    }

    /// A free connection with a transaction begun on it, or a new one: read only, one snapshot, UTC.
    ///
    /// # Errors
    /// What the server or the network refused.
    pub async fn begin(self: &Arc<Self>, tag: &str) -> Result<Lent> {
        let begin = self.begin_statement(tag);
        let free = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
        if let Some(mut connection) = free
            && let Ok(Ok(_)) = tokio::time::timeout(
                GRACE,
                sqlx::raw_sql(sqlx::AssertSqlSafe(begin.as_str())).execute(&mut connection),
            )
            .await
        {
            return Ok(Lent { client: Arc::clone(self), connection });
        }
        let mut connection = self.connect().await?;
        self.answer(async {
            sqlx::raw_sql(sqlx::AssertSqlSafe(begin.as_str())).execute(&mut connection).await.map_err(explain)
        })
        .await?;
        Ok(Lent { client: Arc::clone(self), connection })
    }

    /// Waits for an answer of the server, which must come a little after the server itself would have given up.
    ///
    /// # Errors
    /// `Unavailable` when it does not come.
    pub async fn answer<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::time::timeout(self.policy.statement_timeout + GRACE, work).await.unwrap_or_else(|_| {
            Err(ConnectorError::new(ErrorKind::Unavailable, "the server stopped answering")
                .hint("check the network between Weir and the server"))
        })
    }

    /// One snapshot, read only, in UTC. Where the server can, it looks now and then whether we are still there, as it
    /// would not notice while it computes; and it keeps its plan of our look at its catalog, which takes longer to
    /// make than to carry out.
    fn begin_statement(&self, tag: &str) -> String {
        let tag: String =
            tag.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ' ' | '/')).collect();
        format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT set_config(name, value, true) FROM (VALUES \
             ('TimeZone', 'UTC'), ('DateStyle', 'ISO'), ('IntervalStyle', 'postgres'), ('bytea_output', 'hex'), \
             ('jit', 'off'), ('statement_timeout', '{}'), ('application_name', 'weir {tag}'), \
             ('client_connection_check_interval', '2s'), ('plan_cache_mode', 'force_generic_plan')) AS s(name, value) \
             WHERE current_setting(name, true) IS NOT NULL",
            self.policy.statement_timeout.as_millis()
        )
    }

    /// Opens a new connection.
    ///
    /// # Errors
    /// What the server or the network refused.
    pub async fn connect(&self) -> Result<PgConnection> {
        let address = self.resolve().await?;
        let mode = match self.config.ssl_mode {
            SslMode::Disable => PgSslMode::Disable,
            SslMode::Prefer => PgSslMode::Prefer,
            SslMode::Require => PgSslMode::Require,
            SslMode::VerifyFull => PgSslMode::VerifyFull,
        };
        // To the address that was checked; a certificate can only be checked against the name, and then proves it.
        let host = match self.config.ssl_mode {
            SslMode::VerifyFull => self.config.host.clone(),
            _ => address.ip().to_string(),
        };
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&host)
            .port(self.config.port)
            .username(&self.config.user)
            .database(&self.config.database)
            .ssl_mode(mode)
            .application_name("weir")
            .disable_statement_logging();
        if let Some(password) = &self.password {
            options = options.password(password.expose_secret());
        }
        if let Some(pem) = &self.config.ca_certificate {
            options = options.ssl_root_cert_from_pem(pem.clone().into_bytes());
        }
        let connecting = tokio::time::timeout(std::time::Duration::from_secs(20), options.connect());
        match connecting.await {
            Ok(connected) => connected.map_err(|error| self.explain_connect(error)),
            Err(_) => Err(ConnectorError::new(
                ErrorKind::Unavailable,
                format!("{}:{} did not answer within 20 seconds", self.config.host, self.config.port),
            )
            .hint("check the port, and that a firewall lets Weir's address through")),
        }
    }

    fn explain_connect(&self, error: sqlx::Error) -> ConnectorError {
        let place = format!("{}:{}", self.config.host, self.config.port);
        match &error {
            sqlx::Error::Io(cause) => {
                ConnectorError::new(ErrorKind::Unavailable, format!("{place} cannot be connected to"))
                    .detail(cause.to_string())
                    .hint("check host and port, and that a firewall lets Weir's address through")
            }
            sqlx::Error::Tls(cause) => {
                ConnectorError::new(ErrorKind::Config, format!("no TLS connection to {place} could be made"))
                    .detail(cause.to_string())
                    .hint("check the TLS mode, and the certificate authority if the server has its own")
            }
            sqlx::Error::Protocol(cause) => {
                ConnectorError::new(ErrorKind::Unavailable, format!("{place} broke off while signing in"))
                    .detail(cause.clone())
                    .hint("check that PostgreSQL is what answers on this port")
            }
            _ => explain(error),
        }
    }
}

/// Tells a failure of a statement for people. The server's own words hold no secrets of ours.
pub fn explain(error: sqlx::Error) -> ConnectorError {
    explain_at(error, "what was asked for")
}

/// Tells a failure of reading a table.
pub fn explain_reading(error: sqlx::Error, table: &TableRef) -> ConnectorError {
    explain_at(error, &format!("table {table}"))
}

fn explain_at(error: sqlx::Error, what: &str) -> ConnectorError {
    let sqlx::Error::Database(database) = &error else {
        return match error {
            sqlx::Error::Io(cause) => {
                ConnectorError::new(ErrorKind::Unavailable, "the connection to the server was lost")
                    .detail(cause.to_string())
            }
            sqlx::Error::Tls(cause) => {
                ConnectorError::new(ErrorKind::Unavailable, "the TLS connection failed")
                    .detail(cause.to_string())
            }
            other => ConnectorError::new(ErrorKind::Protocol, "the server answered something unexpected")
                .detail(other.to_string()),
        };
    };
    let code = database.code().unwrap_or_default();
    let text = database.message().to_owned();
    let made = |kind, message: &str| {
        ConnectorError::new(kind, message.replace("{what}", what)).detail(format!("{text} (SQLSTATE {code})"))
    };
    match code.as_ref() {
        "28P01" => made(ErrorKind::Auth, "the server refused the user name or password")
            .hint("check both; a changed password must be entered here again"),
        "28000" => made(ErrorKind::Auth, "the server does not let this user in")
            .hint("check pg_hba.conf for this user, database and Weir's address"),
        "3D000" => made(ErrorKind::NotFound, "there is no such database")
            .hint("check the spelling; names are exact, upper and lower case included"),
        "3F000" | "42P01" => made(ErrorKind::NotFound, "{what} does not exist")
            .hint("it may have been renamed or dropped; names are exact"),
        "42703" => made(ErrorKind::Schema, "a column of {what} does not exist")
            .hint("it may have been renamed or dropped; open the stream and choose its columns again"),
        "42501" => made(ErrorKind::Permission, "the user may not read {what}")
            .hint("GRANT USAGE ON SCHEMA and GRANT SELECT ON the table to the user"),
        "42704" | "42883" | "42804" => {
            made(ErrorKind::Schema, "{what} has a type that cannot be read this way")
        }
        "57014" => made(ErrorKind::Timeout, "reading {what} took longer than allowed and was stopped")
            .hint("an index on (cursor, row key) lets Weir read only new rows"),
        "53300" => made(ErrorKind::RateLimited, "the server has too many connections"),
        "57P01" | "57P02" | "57P03" | "08000" | "08003" | "08006" => {
            made(ErrorKind::Unavailable, "the server is shutting down or starting up")
        }
        "40001" | "40P01" => {
            made(ErrorKind::Unavailable, "the server broke the statement off because of another")
        }
        "25006" => made(ErrorKind::Schema, "{what} writes when it is read, which Weir never does")
            .hint("choose a table, or a view that only reads"),
        code if code.starts_with("22") || code.starts_with("P0") || code.starts_with("XX") => {
            made(ErrorKind::Schema, "{what} ended in an error while it was read")
                .hint("read it with psql to see the row at fault, and mend the view or the data")
        }
        _ => made(ErrorKind::Protocol, "the server refused the statement"),
    }
}
