//! What a customer's administrator does so that Weir may read: scripts, key statements, the page to send them.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use connector::setup::{Given, KeySetup as Statements, Setup};
use connector::{TableRef, kinds};
use entity::source::Model;
use entity::{KeyPairState, SourceId, key_pair, stream};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::auth::Permission;
use crate::domain::instruction::Instruction;
use crate::domain::kept::Kept;
use crate::error::{Error, Result as DomainResult};
use crate::graphql::context::{Reach, load};
use crate::graphql::error::{Fault, advised};
use crate::graphql::key_pair::KeysOf;
use crate::graphql::loaders::{Fetch, LoadError};
use crate::graphql::source_config::SourceKind;
use crate::sources::config;

/// What a script is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "connector::setup::Language")]
pub enum ScriptLanguage {
    /// The system's SQL.
    Sql,
    /// A shell, with the system's own command-line tool.
    Shell,
}

/// The scripts that give Weir the right to read, and take it back. No secret is in them.
#[derive(SimpleObject)]
pub struct SourceSetup {
    /// What the scripts are written in.
    language: ScriptLanguage,
    /// Gives Weir's user the right to read the tables, and no other.
    grant: String,
    /// Takes all of it back.
    revoke: String,
}

impl From<Setup> for SourceSetup {
    fn from(setup: Setup) -> Self {
        Self { language: setup.language.into(), grant: setup.grant, revoke: setup.revoke }
    }
}

/// The statements for one key pair.
#[derive(SimpleObject)]
pub struct KeyPairSetup {
    /// Installs the public half.
    install: String,
    /// Shows what is installed, to compare fingerprints.
    verify: String,
    /// Removes it, once nothing signs with it any more.
    remove: String,
}

impl From<Statements> for KeyPairSetup {
    fn from(statements: Statements) -> Self {
        let Statements { install, verify, remove } = statements;
        Self { install, verify, remove }
    }
}

/// The scripts of a source for the tables named, or those of its streams; none where nothing is to be granted.
///
/// # Errors
/// When what is stored cannot be read.
pub async fn scripts(
    ctx: &Context<'_>,
    source: &Model,
    tables: Option<Vec<TableRef>>,
) -> Result<Option<Setup>> {
    ctx.need(Permission::SourcesRead)?;
    let tables = match tables {
        Some(tables) => tables,
        None => load(ctx, TablesOf(source.id)).await?.unwrap_or_default(),
    };
    let key = newest_key(ctx, source).await?;
    let google_account = ctx.app().sources.google_account();
    let given = Given {
        public_key: key.as_ref().map(|pair| pair.public_key.as_str()),
        google_account: google_account.as_deref(),
    };
    let made = config(source).and_then(|config| {
        let made = kinds::setup(&source.kind, &config, &tables, given);
        made.map_err(|error| Error::invalid("tables", advised(&error)))
    });
    made.map_err(|error| Fault::from(error).into())
}

/// The statements for a key pair of a source; none where the kind uses none.
///
/// # Errors
/// When what is stored cannot be read.
pub fn statements(source: &Model, pair: &key_pair::Model) -> DomainResult<Option<Statements>> {
    let slot = u8::try_from(pair.slot).map_err(|error| Error::internal("reading a key pair", error))?;
    Ok(kinds::key_setup(&source.kind, &config(source)?, slot, &pair.public_key)?)
}

/// The page for the customer's data team, as Markdown.
///
/// # Errors
/// When what is stored cannot be read.
pub async fn instructions(
    ctx: &Context<'_>,
    source: &Model,
    tables: Option<Vec<TableRef>>,
) -> Result<String> {
    let setup = scripts(ctx, source, tables).await?;
    let newest = newest_key(ctx, source).await?;
    let key =
        newest.as_ref().map(|pair| statements(source, pair)).transpose().map_err(Fault::from)?.flatten();
    let kind = SourceKind::stored(&source.kind).map_err(Fault::from)?;
    let page = Instruction {
        source: &source.name,
        system: kind.title(),
        egress: &ctx.app().config.sources.egress_addresses,
        setup: setup.as_ref(),
        key: key.as_ref().zip(newest.as_ref().map(|pair| pair.fingerprint.as_str())),
    };
    Ok(page.markdown())
}

/// The key pair that is to be installed: the newest that is not retired.
async fn newest_key(ctx: &Context<'_>, source: &Model) -> Result<Option<key_pair::Model>> {
    let pairs = load(ctx, KeysOf(source.id)).await?.unwrap_or_default();
    let live = pairs.into_iter().filter(|pair| pair.state != KeyPairState::Retired);
    Ok(live.max_by_key(|pair| pair.created_at))
}

/// Asks for the tables that the streams of a source read, each once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TablesOf(pub SourceId);

impl Loader<TablesOf> for Fetch {
    type Value = Vec<TableRef>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[TablesOf],
    ) -> std::result::Result<HashMap<TablesOf, Vec<TableRef>>, LoadError> {
        let organization = self.organization(Permission::SourcesRead)?;
        let streams: Vec<(SourceId, String)> = stream::Entity::kept(organization)
            .select_only()
            .column(stream::Column::SourceId)
            .column(stream::Column::TableRef)
            .distinct()
            .filter(stream::Column::SourceId.is_in(keys.iter().map(|key| key.0)))
            .order_by_asc(stream::Column::TableRef)
            .into_tuple()
            .all(self.db())
            .await?;
        let mut found: HashMap<TablesOf, Vec<TableRef>> = HashMap::new();
        for (source, table) in streams {
            let table = serde_json::from_str(&table)
                .map_err(|error| Error::internal("reading a stream's table", error))?;
            found.entry(TablesOf(source)).or_default().push(table);
        }
        Ok(found)
    }
}

/// How Weir comes to sources, for those who let it in.
pub struct Access;

/// How Weir comes to sources, for those who let it in.
#[Object]
impl Access {
    /// The addresses Weir's connections come from, as CIDR, as the operator stated them.
    async fn egress_addresses(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        ctx.need(Permission::SourcesRead)?;
        Ok(ctx.app().config.sources.egress_addresses.clone())
    }

    /// The e-mail address of Weir's own Google service account; null where the operator gave none.
    async fn google_service_account(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        ctx.need(Permission::SourcesRead)?;
        Ok(ctx.app().sources.google_account())
    }
}

/// The query about access.
#[derive(Default)]
pub struct AccessQuery;

#[Object]
impl AccessQuery {
    /// How Weir comes to sources.
    async fn access(&self) -> Access {
        Access
    }
}
