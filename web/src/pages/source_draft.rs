//! What is typed about a source, and what is sent of it.

use leptos::prelude::*;

use super::source::SourceConfig;
use crate::schema;
use crate::vocabulary::{SourceKind, SslMode};

/// The connection details of one kind.
#[derive(cynic::InputObject, Clone, Debug)]
pub(super) enum SourceConfigInput {
    Postgres(PostgresConfigInput),
    Sqlite(SqliteConfigInput),
    Clickhouse(ClickhouseConfigInput),
}

#[derive(cynic::InputObject, Clone, Debug)]
pub(super) struct PostgresConfigInput {
    host: String,
    port: i32,
    database: String,
    user: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    ssl_mode: SslMode,
    ca_certificate: Option<String>,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub(super) struct SqliteConfigInput {
    path: String,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub(super) struct ClickhouseConfigInput {
    host: String,
    port: i32,
    secure: bool,
    database: String,
    user: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// A source that is edited.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Source")]
pub(super) struct Edited {
    pub(super) id: cynic::Id,
    pub(super) name: String,
    pub(super) config: SourceConfig,
    pub(super) has_secret: bool,
    pub(super) version: i32,
}

/// What is typed into the form; the fields of all kinds together, so that switching the kind loses nothing.
#[derive(Clone, Copy)]
pub(super) struct Draft {
    pub(super) name: RwSignal<String>,
    pub(super) kind: RwSignal<SourceKind>,
    pub(super) host: RwSignal<String>,
    pub(super) port: RwSignal<String>,
    pub(super) database: RwSignal<String>,
    pub(super) user: RwSignal<String>,
    pub(super) password: RwSignal<String>,
    pub(super) ssl_mode: RwSignal<SslMode>,
    pub(super) certificate: RwSignal<String>,
    pub(super) secure: RwSignal<bool>,
    pub(super) path: RwSignal<String>,
}

impl Draft {
    pub(super) fn new() -> Self {
        let text = |text: &str| RwSignal::new(text.to_owned());
        Self {
            name: text(""),
            kind: RwSignal::new(SourceKind::Postgres),
            host: text(""),
            port: text("5432"),
            database: text(""),
            user: text(""),
            password: text(""),
            ssl_mode: RwSignal::new(SslMode::Prefer),
            certificate: text(""),
            secure: RwSignal::new(true),
            path: text(""),
        }
    }

    pub(super) fn of(source: &Edited) -> Self {
        let draft = Self::new();
        draft.name.set(source.name.clone());
        match source.config.clone() {
            SourceConfig::Postgres(config) => {
                draft.host.set(config.host);
                draft.port.set(config.port.to_string());
                draft.database.set(config.database);
                draft.user.set(config.user);
                draft.ssl_mode.set(config.ssl_mode);
                draft.certificate.set(config.ca_certificate.unwrap_or_default());
            }
            SourceConfig::Sqlite(config) => {
                draft.kind.set(SourceKind::Sqlite);
                draft.path.set(config.path);
            }
            SourceConfig::Clickhouse(config) => {
                draft.kind.set(SourceKind::Clickhouse);
                draft.host.set(config.host);
                draft.port.set(config.port.to_string());
                draft.database.set(config.database);
                draft.user.set(config.user);
                draft.secure.set(config.secure);
            }
            SourceConfig::Other => {}
        }
        draft
    }

    /// Chooses a kind; a port nobody changed follows it.
    pub(super) fn choose(self, kind: SourceKind) {
        let usual = |kind| if kind == SourceKind::Clickhouse { "8443" } else { "5432" };
        if self.port.get_untracked() == usual(self.kind.get_untracked()) {
            self.port.set(usual(kind).to_owned());
        }
        self.kind.set(kind);
    }

    pub(super) fn config(self) -> SourceConfigInput {
        let text = |signal: RwSignal<String>| signal.get_untracked().trim().to_owned();
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let port = text(self.port).parse().unwrap_or(0);
        match self.kind.get_untracked() {
            SourceKind::Postgres => SourceConfigInput::Postgres(PostgresConfigInput {
                host: text(self.host),
                port,
                database: text(self.database),
                user: text(self.user),
                password: some(self.password.get_untracked()),
                ssl_mode: self.ssl_mode.get_untracked(),
                ca_certificate: some(text(self.certificate)),
            }),
            SourceKind::Sqlite => SourceConfigInput::Sqlite(SqliteConfigInput { path: text(self.path) }),
            SourceKind::Clickhouse => SourceConfigInput::Clickhouse(ClickhouseConfigInput {
                host: text(self.host),
                port,
                secure: self.secure.get_untracked(),
                database: text(self.database),
                user: text(self.user),
                password: some(self.password.get_untracked()),
            }),
        }
    }
}
