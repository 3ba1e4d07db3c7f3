//! What a customer's administrator does so that Weir may read: scripts, key statements, the page to send them.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use connector::setup::{KeySetup as Statements, Setup};
use connector::{TableRef, kinds};
use entity::source::Model;
use entity::{key_pair, stream};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::auth::Permission;
use crate::domain::instruction::Instruction;
use crate::domain::kept::Kept;
use crate::domain::key_pair as pairs;
use crate::error::{Error, Result as DomainResult};
use crate::graphql::context::Reach;
use crate::graphql::error::Fault;
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
    let made = async {
        let tables = match tables {
            Some(tables) => tables,
            None => read_tables(ctx, source).await?,
        };
        let key = pairs::in_use(ctx.db(), source).await?;
        let key = key.as_ref().map(|pair| pair.public_key.as_str());
        Ok::<_, Error>(kinds::setup(&source.kind, &config(source)?, &tables, key)?)
    };
    made.await.map_err(|error| Fault::from(error).into())
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
    let newest = newest_key(ctx, source).await.map_err(Fault::from)?;
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
async fn newest_key(ctx: &Context<'_>, source: &Model) -> DomainResult<Option<key_pair::Model>> {
    let found = key_pair::Entity::find()
        .filter(key_pair::Column::OrganizationId.eq(source.organization_id))
        .filter(key_pair::Column::SourceId.eq(source.id))
        .filter(key_pair::Column::State.ne(entity::KeyPairState::Retired))
        .order_by_desc(key_pair::Column::CreatedAt);
    Ok(found.one(ctx.db()).await?)
}

/// The tables the source's streams read.
async fn read_tables(ctx: &Context<'_>, source: &Model) -> DomainResult<Vec<TableRef>> {
    let streams = stream::Entity::kept(source.organization_id)
        .filter(stream::Column::SourceId.eq(source.id))
        .order_by_asc(stream::Column::TableRef);
    let mut tables = Vec::new();
    for stream in streams.all(ctx.db()).await? {
        let table: TableRef = serde_json::from_str(&stream.table_ref)
            .map_err(|error| Error::internal("reading a stream's table", error))?;
        if tables.last() != Some(&table) {
            tables.push(table);
        }
    }
    Ok(tables)
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
