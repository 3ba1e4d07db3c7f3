//! A server with two organizations, a warehouse to read, and workers, as each test of the API finds it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use entity::{ApiTokenId, KeyPairId, KeyPairState, OrganizationId, api_token, key_pair};
use sea_orm::{ActiveModelTrait, Set};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use server::auth::setup::{self, Founder};
use server::auth::{Permission, Permissions, api_token as tokens};
use server::config::Config;
use server::domain::global_id::{decode, encode};
use server::jobs::{self, Reader};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tests::site::{Answer, Site, send};
use tokio_util::sync::CancellationToken;

/// An organization, with a token that may do everything in it.
pub struct Party {
    /// The organization.
    pub organization: OrganizationId,
    /// The token.
    pub token: String,
}

/// A server with two organizations.
pub struct World {
    /// The server.
    pub site: Site,
    /// The organization that acts.
    pub ours: Party,
    /// Another one.
    pub theirs: Party,
    /// The file that sources read.
    pub file: String,
    warehouse: SqlitePool,
    _folder: tempfile::TempDir,
    stop: CancellationToken,
    workers: Option<jobs::Handle>,
    heard: Mutex<String>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl World {
    /// One on each database.
    pub async fn both() -> Result<Vec<Self>> {
        Self::both_with(|_| {}).await
    }

    /// One on each database whose sources may be servers on this machine.
    pub async fn reaching() -> Result<Vec<Self>> {
        Self::both_with(|config| config.sources.networks = vec!["127.0.0.0/8".to_owned()]).await
    }

    /// One on each database, with other settings.
    pub async fn both_with(change: impl Fn(&mut Config)) -> Result<Vec<Self>> {
        let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
        let allowed: Vec<_> = folders.iter().map(|folder| folder.path().to_owned()).collect();
        let sites = Site::both_with(|config| {
            config.sources.folders = allowed.clone();
            config.workers.poll_milliseconds = 50;
            change(config);
        })
        .await?;
        let mut worlds = Vec::new();
        for (site, folder) in sites.into_iter().zip(folders) {
            worlds.push(Self::on(site, folder).await?);
        }
        Ok(worlds)
    }

    async fn on(site: Site, folder: tempfile::TempDir) -> Result<Self> {
        let stop = CancellationToken::new();
        let workers = Some(jobs::start(&site.app, Arc::new(Reader), &stop));
        let path = folder.path().join("warehouse.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        // One connection: another one would not see at once that a column has a new name.
        let warehouse = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        let ours = party(&site, "ours").await?;
        let theirs = party(&site, "theirs").await?;
        let file = path.display().to_string();
        let heard = Mutex::default();
        Ok(Self { site, ours, theirs, file, warehouse, _folder: folder, stop, workers, heard })
    }

    /// Ends the workers: what is asked for from now on stays asked for.
    pub async fn rest(&mut self) {
        self.stop.cancel();
        if let Some(workers) = self.workers.take() {
            workers.finished().await;
        }
    }

    /// Starts workers again.
    pub fn work(&mut self) {
        self.stop = CancellationToken::new();
        self.workers = Some(jobs::start(&self.site.app, Arc::new(Reader), &self.stop));
    }

    /// Runs a statement in the warehouse.
    pub async fn warehouse(&self, sql: &str) -> Result<()> {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&self.warehouse).await?;
        Ok(())
    }

    /// Drops the tables that `usage` makes.
    pub async fn forget_warehouse(&self) -> Result<()> {
        self.warehouse("DROP TABLE IF EXISTS usage").await
    }

    /// A token of our organization with these permissions only.
    pub async fn token(&self, permissions: impl IntoIterator<Item = Permission>) -> Result<String> {
        token(&self.site, self.ours.organization, permissions).await
    }

    /// A token that may do what members of a role may.
    pub async fn as_role(&self, role: entity::Role) -> Result<String> {
        self.token(Permissions::of(role).iter()).await
    }

    /// Sends a request as it is.
    pub async fn send(&self, token: &str, query: &str, variables: Value) -> Result<Answer> {
        let answer =
            send(self.site.graphql(token, &json!({ "query": query, "variables": variables }))).await?;
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.push_str(&answer.text);
        Ok(answer)
    }

    /// All that was answered so far, to look for what must not be in it.
    pub fn heard(&self) -> String {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks our organization's data; errors fail the test.
    pub async fn ask(&self, query: &str, variables: Value) -> Result<Value> {
        self.ask_as(&self.ours.token, query, variables).await
    }

    /// Asks with another token; errors fail the test.
    pub async fn ask_as(&self, token: &str, query: &str, variables: Value) -> Result<Value> {
        let answer = self.send(token, query, variables).await?;
        let mut body = answer.json();
        ensure!(body["errors"].is_null() && answer.status == 200, "{query}\nwas answered: {}", answer.text);
        Ok(body["data"].take())
    }

    /// The code of the first error of a question.
    pub async fn code(&self, token: &str, query: &str, variables: Value) -> Result<String> {
        Ok(self.send(token, query, variables).await?.code())
    }

    /// Sends a mutation, and gives its payload whatever it says.
    pub async fn act_as(&self, token: &str, name: &str, fields: &str, input: Value) -> Result<Value> {
        let mut data = self.ask_as(token, &mutation(name, fields), json!({ "input": input })).await?;
        Ok(data[name].take())
    }

    /// Sends a mutation that must succeed, and gives its payload.
    pub async fn act(&self, name: &str, fields: &str, input: Value) -> Result<Value> {
        let payload = self.act_as(&self.ours.token, name, fields, input).await?;
        ensure!(payload["userErrors"] == json!([]), "{name} was refused: {}", payload["userErrors"]);
        Ok(payload)
    }

    /// Sends a mutation that must be refused, and gives the code and the path of the field.
    pub async fn refused(&self, name: &str, input: Value) -> Result<(String, String)> {
        let payload = self.act_as(&self.ours.token, name, "", input).await?;
        let error = &payload["userErrors"][0];
        let Some(code) = error["code"].as_str() else { bail!("{name} was not refused: {payload}") };
        let path: Vec<&str> = error["field"]
            .as_array()
            .map_or_else(Vec::new, |path| path.iter().skip(1).filter_map(Value::as_str).collect());
        Ok((code.to_owned(), path.join(".")))
    }

    /// Waits until the workers have nothing to do.
    pub async fn settle(&self) -> Result<()> {
        self.site.settle().await
    }

    /// Stores a key pair as it would be; to make one takes long.
    pub async fn key_pair(&self, source: &str) -> Result<String> {
        let (_, source) = decode(source).context("a global ID")?;
        let pair = key_pair::ActiveModel {
            organization_id: Set(self.ours.organization),
            id: Set(KeyPairId::new()),
            source_id: Set(source.parse()?),
            slot: Set(1),
            public_key: Set("public".to_owned()),
            fingerprint: Set("print".to_owned()),
            sealed_private_key: Set("sealed".into()),
            state: Set(KeyPairState::Made),
            created_at: Set(0),
            activated_at: Set(None),
            retired_at: Set(None),
        };
        Ok(encode("KeyPair", pair.insert(self.site.app.db.orm()).await?.id))
    }
}

/// A mutation that asks for these fields of its payload, and for the refusals.
pub fn mutation(name: &str, fields: &str) -> String {
    let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    format!(
        "mutation($input: {kind}!) {{ {name}(input: $input) {{ {fields} userErrors {{ code field message }} }} }}"
    )
}

async fn party(site: &Site, name: &str) -> Result<Party> {
    let founder = Founder {
        email: format!("{name}@example.com"),
        name: format!("Owner of {name}"),
        password_hash: "none".to_owned(),
        organization: name.to_owned(),
    };
    let (_, organization) = setup::found(site.app.db.orm(), founder, site.app.clock.now()).await?;
    let token = token(site, organization, Permission::ALL.iter().copied()).await?;
    Ok(Party { organization, token })
}

async fn token(
    site: &Site,
    organization: OrganizationId,
    permissions: impl IntoIterator<Item = Permission>,
) -> Result<String> {
    let minted = tokens::mint()?;
    let scopes: Vec<Permission> = permissions.into_iter().collect();
    api_token::ActiveModel {
        organization_id: Set(organization),
        id: Set(ApiTokenId::new()),
        name: Set("test".to_owned()),
        prefix: Set(minted.prefix),
        secret_hash: Set(minted.secret_hash),
        last4: Set(minted.last4),
        scopes: Set(serde_json::to_string(&scopes)?),
        created_by: Set(None),
        created_at: Set(site.app.clock.now()),
        expires_at: Set(None),
        last_used_at: Set(None),
        revoked_at: Set(None),
    }
    .insert(site.app.db.orm())
    .await?;
    Ok(minted.text.expose_secret().to_owned())
}

/// The text of a JSON string.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
