//! What is typed about a source, and what is sent of it.

use leptos::prelude::*;

use super::source_config::{
    BigqueryConfigInput, ClickhouseConfigInput, DatabricksConfigInput, PostgresConfigInput,
    SnowflakeConfigInput, SourceConfig, SourceConfigInput, SqliteConfigInput,
};
use crate::vocabulary::{BigInt, BigquerySignIn, ClickhouseSignIn, SnowflakeSignIn, SourceKind, SslMode};
use crate::{schema, size};

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

/// Who signs in at Databricks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Principal {
    /// A service principal, by OAuth.
    Service,
    /// Whoever made a personal access token.
    Token,
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
    /// The password, token or key.
    pub(super) secret: RwSignal<String>,
    pub(super) ssl_mode: RwSignal<SslMode>,
    pub(super) certificate: RwSignal<String>,
    pub(super) secure: RwSignal<bool>,
    /// The path a reverse proxy serves the interface under.
    pub(super) prefix: RwSignal<String>,
    pub(super) merged: RwSignal<bool>,
    pub(super) path: RwSignal<String>,
    pub(super) account: RwSignal<String>,
    pub(super) role: RwSignal<String>,
    pub(super) warehouse: RwSignal<String>,
    pub(super) catalog: RwSignal<String>,
    pub(super) schema: RwSignal<String>,
    pub(super) project: RwSignal<String>,
    pub(super) dataset: RwSignal<String>,
    pub(super) data_project: RwSignal<String>,
    pub(super) location: RwSignal<String>,
    pub(super) most_bytes: RwSignal<String>,
    pub(super) client_id: RwSignal<String>,
    pub(super) clickhouse: RwSignal<ClickhouseSignIn>,
    pub(super) snowflake: RwSignal<SnowflakeSignIn>,
    pub(super) bigquery: RwSignal<BigquerySignIn>,
    pub(super) databricks: RwSignal<Principal>,
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
            secret: text(""),
            ssl_mode: RwSignal::new(SslMode::Prefer),
            certificate: text(""),
            secure: RwSignal::new(true),
            prefix: text(""),
            merged: RwSignal::new(false),
            path: text(""),
            account: text(""),
            role: text(""),
            warehouse: text(""),
            catalog: text(""),
            schema: text(""),
            project: text(""),
            dataset: text(""),
            data_project: text(""),
            location: text(""),
            most_bytes: text(""),
            client_id: text(""),
            clickhouse: RwSignal::new(ClickhouseSignIn::Password),
            snowflake: RwSignal::new(SnowflakeSignIn::KeyPair),
            bigquery: RwSignal::new(BigquerySignIn::Key),
            databricks: RwSignal::new(Principal::Service),
        }
    }

    pub(super) fn of(source: &Edited) -> Self {
        let draft = Self::new();
        draft.name.set(source.name.clone());
        draft.take(source.config.clone());
        draft
    }

    /// Takes over what is stored.
    fn take(self, config: SourceConfig) {
        let some = |signal: RwSignal<String>, text: Option<String>| signal.set(text.unwrap_or_default());
        match config {
            SourceConfig::Postgres(config) => {
                self.host.set(config.host);
                self.port.set(config.port.to_string());
                self.database.set(config.database);
                self.user.set(config.user);
                self.ssl_mode.set(config.ssl_mode);
                some(self.certificate, config.ca_certificate);
            }
            SourceConfig::Sqlite(config) => {
                self.kind.set(SourceKind::Sqlite);
                self.path.set(config.path);
            }
            SourceConfig::Clickhouse(config) => {
                self.kind.set(SourceKind::Clickhouse);
                self.host.set(config.host);
                self.port.set(config.port.to_string());
                self.database.set(config.database);
                self.user.set(config.user);
                self.secure.set(config.secure);
                self.clickhouse.set(config.sign_in);
                some(self.certificate, config.ca_certificate);
                some(self.prefix, config.path_prefix);
                self.merged.set(config.merged);
            }
            SourceConfig::Snowflake(config) => {
                self.kind.set(SourceKind::Snowflake);
                self.account.set(config.account);
                self.user.set(config.user);
                self.role.set(config.role);
                self.warehouse.set(config.warehouse);
                some(self.database, config.database);
                some(self.schema, config.schema);
                self.snowflake.set(config.sign_in);
            }
            SourceConfig::Bigquery(config) => {
                self.kind.set(SourceKind::Bigquery);
                self.project.set(config.project);
                some(self.dataset, config.dataset);
                some(self.data_project, config.data_project);
                some(self.location, config.location);
                some(self.most_bytes, config.maximum_bytes_billed.map(|most| size::write(most.number())));
                self.bigquery.set(config.sign_in);
            }
            SourceConfig::Databricks(config) => {
                self.kind.set(SourceKind::Databricks);
                self.host.set(config.host);
                self.warehouse.set(config.warehouse);
                some(self.catalog, config.catalog);
                some(self.schema, config.schema);
                let by_token = config.client_id.is_none();
                self.databricks.set(if by_token { Principal::Token } else { Principal::Service });
                some(self.client_id, config.client_id);
            }
            SourceConfig::Other => {}
        }
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
        let some = |signal: RwSignal<String>| Some(text(signal)).filter(|text| !text.is_empty());
        // As it is stored: another certificate asks for the secret again.
        let certificate = || Some(self.certificate.get_untracked()).filter(|text| !text.trim().is_empty());
        // A secret may begin or end with a blank.
        let secret = Some(self.secret.get_untracked()).filter(|text| !text.is_empty());
        let port = text(self.port).parse().unwrap_or(0);
        match self.kind.get_untracked() {
            SourceKind::Postgres => SourceConfigInput::Postgres(PostgresConfigInput {
                host: text(self.host),
                port,
                database: text(self.database),
                user: text(self.user),
                password: secret,
                ssl_mode: self.ssl_mode.get_untracked(),
                ca_certificate: certificate(),
            }),
            SourceKind::Sqlite => SourceConfigInput::Sqlite(SqliteConfigInput { path: text(self.path) }),
            SourceKind::Clickhouse => SourceConfigInput::Clickhouse(ClickhouseConfigInput {
                host: text(self.host),
                port,
                secure: self.secure.get_untracked(),
                database: text(self.database),
                user: text(self.user),
                sign_in: self.clickhouse.get_untracked(),
                password: secret,
                // Without TLS there is nothing to trust, nor a field to say so in.
                ca_certificate: certificate().filter(|_| self.secure.get_untracked()),
                path_prefix: some(self.prefix),
                merged: self.merged.get_untracked(),
            }),
            SourceKind::Snowflake => {
                let sign_in = self.snowflake.get_untracked();
                SourceConfigInput::Snowflake(SnowflakeConfigInput {
                    account: text(self.account),
                    user: text(self.user),
                    role: text(self.role),
                    warehouse: text(self.warehouse),
                    database: some(self.database),
                    schema: some(self.schema),
                    sign_in,
                    token: secret.filter(|_| sign_in == SnowflakeSignIn::Token),
                })
            }
            SourceKind::Bigquery => {
                let sign_in = self.bigquery.get_untracked();
                SourceConfigInput::Bigquery(BigqueryConfigInput {
                    project: text(self.project),
                    dataset: some(self.dataset),
                    data_project: some(self.data_project),
                    location: some(self.location),
                    // What is no size is refused as too small a one.
                    maximum_bytes_billed: some(self.most_bytes)
                        .map(|text| BigInt(size::read(&text).unwrap_or(0).to_string())),
                    sign_in,
                    key: secret.filter(|_| sign_in == BigquerySignIn::Key),
                })
            }
            SourceKind::Databricks => SourceConfigInput::Databricks(DatabricksConfigInput {
                host: text(self.host),
                warehouse: text(self.warehouse),
                catalog: some(self.catalog),
                schema: some(self.schema),
                client_id: some(self.client_id)
                    .filter(|_| self.databricks.get_untracked() == Principal::Service),
                secret,
            }),
        }
    }
}
