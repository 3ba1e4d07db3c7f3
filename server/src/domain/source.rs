//! Sources: configured connections to outside systems.

use entity::source::{ActiveModel, Column, Entity, Model};
use entity::{SourceId, SourceState, stream};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::custody::{self, Keyring, credential};
use crate::domain::change::{Change, expect_version};
use crate::domain::kept::Kept;
use crate::domain::{discard, refusal, text};
use crate::error::{Error, Result};

/// The connection details of a source: what may be seen, and what is sealed.
pub struct Settings {
    /// The kind of system.
    pub kind: &'static str,
    /// The kind's configuration as JSON, no secrets.
    pub config: String,
    /// What happens to the credential.
    pub credential: Credential,
}

/// What happens to the stored credential.
pub enum Credential {
    /// It stays.
    Keep,
    /// It is removed.
    Remove,
    /// It is replaced.
    Replace(SecretString),
}

/// Finds a source of the organization.
///
/// # Errors
/// When there is none.
pub async fn find(change: &Change<'_, impl ConnectionTrait>, id: SourceId) -> Result<Model> {
    let found = Entity::kept(change.organization()).filter(Column::Id.eq(id)).one(change.db).await?;
    found.ok_or(Error::NotFound("source"))
}

/// The same, which stays as it is until the transaction ends.
///
/// # Errors
/// When there is none.
pub async fn hold(change: &Change<'_, impl ConnectionTrait>, id: SourceId) -> Result<Model> {
    change.hold("source", Entity::kept(change.organization()).filter(Column::Id.eq(id))).await
}

/// Adds a source; its credential is sealed before it is stored.
///
/// # Errors
/// When the name is taken.
pub async fn create(
    change: &Change<'_, impl ConnectionTrait>,
    ring: &Keyring,
    name: &str,
    settings: Settings,
) -> Result<Model> {
    let id = SourceId::new();
    let sealed = match &settings.credential {
        Credential::Replace(secret) => Some(seal(change, ring, id, secret).await?),
        Credential::Keep | Credential::Remove => None,
    };
    let model = ActiveModel {
        organization_id: Set(change.organization()),
        id: Set(id),
        name: Set(free_name(change, name, None).await?),
        kind: Set(settings.kind.to_owned()),
        config: Set(settings.config),
        sealed_credential: Set(sealed),
        state: Set(SourceState::Active),
        last_check: Set(None),
        last_error: Set(None),
        version: Set(1),
        created_at: Set(change.now),
        updated_at: Set(change.now),
        deleted_at: Set(None),
    };
    let model = model.insert(change.db).await?;
    let detail = json!({ "name": model.name, "kind": model.kind });
    change.audit("source.create", "Source", id, detail).await?;
    Ok(model)
}

/// Changes a source.
///
/// # Errors
/// When it is gone, was changed in between, is of another kind, or the name is taken.
pub async fn update(
    change: &Change<'_, impl ConnectionTrait>,
    ring: &Keyring,
    id: SourceId,
    name: Option<String>,
    settings: Option<Settings>,
    version: Option<i32>,
) -> Result<Model> {
    let stored = hold(change, id).await?;
    expect_version("source", stored.version, version)?;
    let mut row = stored.clone().into_active_model();
    if let Some(name) = name {
        row.name = Set(free_name(change, &name, Some(id)).await?);
    }
    let mut detail = json!({});
    if let Some(settings) = settings {
        if settings.kind != stored.kind {
            return Err(Error::invalid("config", "a source stays of its kind; add another source instead"));
        }
        if matches!(settings.credential, Credential::Keep) {
            same_place(&stored, &settings.config)?;
        }
        detail = json!({ "config": settings.config != stored.config });
        row.config = Set(settings.config);
        match &settings.credential {
            Credential::Keep => {}
            Credential::Remove => row.sealed_credential = Set(None),
            Credential::Replace(secret) => {
                row.sealed_credential = Set(Some(seal(change, ring, id, secret).await?));
                detail["credential"] = json!("replaced");
            }
        }
        row.last_check = Set(None);
        row.last_error = Set(None);
    }
    row.version = Set(stored.version + 1);
    row.updated_at = Set(change.now);
    let model = Entity::update(row).exec(change.db).await?;
    change.audit("source.update", "Source", id, detail).await?;
    Ok(model)
}

/// Marks a source as changed where what changed is not its own row.
///
/// # Errors
/// What the database says.
pub async fn renew(change: &Change<'_, impl ConnectionTrait>, id: SourceId) -> Result<()> {
    let stored = find(change, id).await?;
    let mut row = stored.clone().into_active_model();
    row.last_error = Set(None);
    row.version = Set(stored.version + 1);
    row.updated_at = Set(change.now);
    Entity::update(row).exec(change.db).await?;
    Ok(())
}

/// Refuses to send a stored credential to another place than it was given for, or to the same one less well guarded:
/// without TLS, with less of it checked, or trusting another certificate.
///
/// # Errors
/// When it would be, and a credential is stored.
pub fn same_place(stored: &Model, config: &str) -> Result<()> {
    if stored.sealed_credential.is_none() {
        return Ok(());
    }
    let parsed = |config: &str| -> Value { serde_json::from_str(config).unwrap_or_default() };
    let (before, after) = (parsed(&stored.config), parsed(config));
    let same = |part: &str| before[part] == after[part];
    let moved = !["host", "port", "account", "pathPrefix"].into_iter().all(same);
    let plain = |config: &Value| config["secure"] == false;
    let checked = |config: &Value| match config["sslMode"].as_str() {
        Some("disable") => 0,
        Some("require") => 2,
        Some("verify-full") => 3,
        _ => 1,
    };
    let trusting = !after["caCertificate"].is_null() && !same("caCertificate");
    if moved || trusting || (plain(&after) && !plain(&before)) || checked(&after) < checked(&before) {
        return Err(refusal::secret_required("config"));
    }
    Ok(())
}

/// Stops all streams of a source from starting runs, or lets them go on.
///
/// # Errors
/// When it is gone or was changed in between.
pub async fn set_state(
    change: &Change<'_, impl ConnectionTrait>,
    id: SourceId,
    state: SourceState,
    version: Option<i32>,
) -> Result<Model> {
    let stored = hold(change, id).await?;
    expect_version("source", stored.version, version)?;
    let mut row = stored.clone().into_active_model();
    row.state = Set(state);
    row.version = Set(stored.version + 1);
    row.updated_at = Set(change.now);
    let model = Entity::update(row).exec(change.db).await?;
    let action = if state == SourceState::Active { "source.resume" } else { "source.pause" };
    change.audit(action, "Source", id, json!({})).await?;
    Ok(model)
}

/// Deletes a source with its streams and all they stored: at once for whoever looks, bit by bit in the tables.
///
/// # Errors
/// When it is gone, was changed in between, or one of its streams is at work.
pub async fn delete(
    change: &Change<'_, impl ConnectionTrait>,
    id: SourceId,
    version: Option<i32>,
) -> Result<SourceId> {
    // Its streams first, for so does a run that ends.
    let streams = stream::Entity::kept(change.organization()).filter(stream::Column::SourceId.eq(id));
    streams.order_by_asc(stream::Column::Id).lock(LockType::NoKeyUpdate).all(change.db).await?;
    let stored = hold(change, id).await?;
    expect_version("source", stored.version, version)?;
    let name = stored.name.clone();
    let runs = discard::mark_source(change, stored).await?;
    let detail = json!({ "name": name, "cancelledRuns": runs });
    change.audit("source.delete", "Source", id, detail).await?;
    Ok(id)
}

/// Keeps how a connection test went, unless the source is no longer what was tested. Where it passed, what runs found
/// wrong is over.
///
/// # Errors
/// When the database fails.
pub async fn note_check(
    change: &Change<'_, impl ConnectionTrait>,
    tested: &Model,
    check: &str,
    passed: bool,
) -> Result<()> {
    let mut update = Entity::update_many().col_expr(Column::LastCheck, Expr::value(check));
    if passed {
        update = update.col_expr(Column::LastError, Expr::value(None::<String>));
    }
    update
        .filter(Column::OrganizationId.eq(change.organization()))
        .filter(Column::Id.eq(tested.id))
        .filter(Column::Version.eq(tested.version))
        .exec(change.db)
        .await?;
    Ok(())
}

async fn seal(
    change: &Change<'_, impl ConnectionTrait>,
    ring: &Keyring,
    id: SourceId,
    secret: &SecretString,
) -> Result<entity::Hidden> {
    custody::may_seal(change.db, ring).await?;
    let sealed = credential::seal(ring, change.organization(), id, secret);
    sealed.map_err(|error| Error::internal("sealing a credential", error))
}

async fn free_name(
    change: &Change<'_, impl ConnectionTrait>,
    name: &str,
    own: Option<SourceId>,
) -> Result<String> {
    let name = text::name("name", name)?;
    let same = Entity::kept(change.organization()).filter(Column::Name.eq(&name)).one(change.db).await?;
    match same {
        Some(same) if Some(same.id) != own => {
            Err(refusal::taken("name", format!("there is a source {name:?} already")))
        }
        _ => Ok(name),
    }
}
