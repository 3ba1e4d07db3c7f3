//! Accounts: the customers that are measured.

use entity::account::{self, ActiveModel, Entity, Model};
use entity::id::AccountId;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Set};
use serde_json::json;

use crate::domain::change::{Change, expect_version};
use crate::domain::external_id::{self, NewExternalId};
use crate::domain::matching_change::{self, Scope};
use crate::domain::{refusal, text};
use crate::error::{Error, Result};

/// The most external IDs of a new account.
const EXTERNAL_IDS_MOST: usize = 500;

/// A new account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The name.
    pub name: String,
    /// The web domain.
    pub domain: Option<String>,
    /// Its IDs in other systems: space and value.
    pub external_ids: Vec<(String, String)>,
}

/// What to change on an account; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    /// A new name.
    pub name: Option<String>,
    /// A new domain, or none.
    pub domain: Option<Option<String>>,
}

/// Finds an account of the organization.
///
/// # Errors
/// When there is none.
pub async fn find(change: &Change<'_, impl ConnectionTrait>, id: AccountId) -> Result<Model> {
    let found = Entity::find_by_id((change.organization(), id)).one(change.db).await?;
    found.ok_or(Error::NotFound("account"))
}

/// Refuses unless the organization has the account; `field` names the input that gave it.
///
/// # Errors
/// When there is none.
pub async fn exists(change: &Change<'_, impl ConnectionTrait>, id: AccountId, field: &str) -> Result<()> {
    match find(change, id).await {
        Err(Error::NotFound(noun)) => Err(refusal::not_found(field, noun)),
        found => found.map(drop),
    }
}

/// Adds an account with its external IDs.
///
/// # Errors
/// When a value is unacceptable or an external ID belongs to another account.
pub async fn create(change: &Change<'_, impl ConnectionTrait>, new: NewAccount) -> Result<Model> {
    let model = ActiveModel {
        organization_id: Set(change.organization()),
        id: Set(AccountId::new()),
        name: Set(text::name("name", &new.name)?),
        domain: Set(text::optional("domain", new.domain)?),
        archived_at: Set(None),
        version: Set(1),
        created_at: Set(change.now),
        updated_at: Set(change.now),
    };
    let model = model.insert(change.db).await?;
    change.audit("account.create", "Account", model.id, json!({ "name": model.name })).await?;
    if new.external_ids.len() > EXTERNAL_IDS_MOST {
        let reason = format!("at most {EXTERNAL_IDS_MOST} external IDs at once");
        return Err(refusal::limit("externalIds", reason));
    }
    let ids = new.external_ids.into_iter().enumerate().map(|(index, (space, value))| {
        let field = format!("externalIds.{index}");
        NewExternalId { space, value, field }
    });
    external_id::create(change, model.id, &ids.collect::<Vec<_>>()).await?;
    Ok(model)
}

/// Changes an account.
///
/// # Errors
/// When it is gone, was changed in between, or a value is unacceptable.
pub async fn update(
    change: &Change<'_, impl ConnectionTrait>,
    id: AccountId,
    wanted: AccountChange,
    version: Option<i32>,
) -> Result<Model> {
    let stored = change.hold("account", Entity::find_by_id((change.organization(), id))).await?;
    expect_version("account", stored.version, version)?;
    let mut next = stored.clone().into_active_model();
    if let Some(name) = wanted.name {
        next.name = Set(text::name("name", &name)?);
    }
    if let Some(domain) = wanted.domain {
        next.domain = Set(text::optional("domain", domain)?);
    }
    let model = save(change, &stored, next).await?;
    let detail = json!({ "name": model.name, "domain": model.domain });
    change.audit("account.update", "Account", id, detail).await?;
    Ok(model)
}

/// Archives an account, or brings it back. Its measurements stay; rows for it wait while it is archived.
///
/// # Errors
/// When it is gone or was changed in between.
pub async fn set_archived(
    change: &Change<'_, impl ConnectionTrait>,
    id: AccountId,
    archived: bool,
    version: Option<i32>,
) -> Result<Model> {
    let stored = change.hold("account", Entity::find_by_id((change.organization(), id))).await?;
    expect_version("account", stored.version, version)?;
    if stored.archived_at.is_some() == archived {
        return Ok(stored);
    }
    let mut next = stored.clone().into_active_model();
    next.archived_at = Set(archived.then_some(change.now));
    let model = save(change, &stored, next).await?;
    let action = if archived { "account.archive" } else { "account.restore" };
    change.audit(action, "Account", id, json!({ "name": model.name })).await?;
    let scope = Scope::Account { account: id, metric: None };
    matching_change::announce(change.db, change.organization(), scope, change.now).await?;
    Ok(model)
}

async fn save(
    change: &Change<'_, impl ConnectionTrait>,
    stored: &Model,
    mut next: ActiveModel,
) -> Result<Model> {
    next.version = Set(stored.version + 1);
    next.updated_at = Set(change.now);
    Ok(account::Entity::update(next).exec(change.db).await?)
}
