//! Opportunities: the business cases of accounts.

use entity::opportunity::{ActiveModel, Column, Entity, Model};
use entity::{AccountId, OpportunityId};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
};
use serde_json::json;

use crate::domain::change::{Change, expect_version};
use crate::domain::matching_change::{self, Scope};
use crate::domain::{account, refusal, text};
use crate::error::{Error, Result};

/// What to change on an opportunity; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct OpportunityChange {
    /// A new name.
    pub name: Option<String>,
    /// A new ID in another system, or none.
    pub external_id: Option<Option<String>>,
}

/// Finds an opportunity of the organization.
///
/// # Errors
/// When there is none.
pub async fn find(change: &Change<'_, impl ConnectionTrait>, id: OpportunityId) -> Result<Model> {
    let found = Entity::find_by_id((change.organization(), id)).one(change.db).await?;
    found.ok_or(Error::NotFound("opportunity"))
}

/// Adds an opportunity to an account.
///
/// # Errors
/// When the account is unknown or the external ID is taken.
pub async fn create(
    change: &Change<'_, impl ConnectionTrait>,
    account: AccountId,
    name: &str,
    external_id: Option<String>,
) -> Result<Model> {
    account::exists(change, account, "accountId").await?;
    let model = ActiveModel {
        organization_id: Set(change.organization()),
        id: Set(OpportunityId::new()),
        account_id: Set(account),
        name: Set(text::name("name", name)?),
        external_id: Set(free_external_id(change, external_id, None).await?),
        archived_at: Set(None),
        version: Set(1),
        created_at: Set(change.now),
        updated_at: Set(change.now),
    };
    let model = model.insert(change.db).await?;
    audit(change, "opportunity.create", &model).await?;
    Ok(model)
}

/// Changes an opportunity.
///
/// # Errors
/// When it is gone, was changed in between, or the external ID is taken.
pub async fn update(
    change: &Change<'_, impl ConnectionTrait>,
    id: OpportunityId,
    wanted: OpportunityChange,
    version: Option<i32>,
) -> Result<Model> {
    let stored = change.hold("opportunity", Entity::find_by_id((change.organization(), id))).await?;
    expect_version("opportunity", stored.version, version)?;
    let mut next = stored.clone().into_active_model();
    if let Some(name) = wanted.name {
        next.name = Set(text::name("name", &name)?);
    }
    if let Some(external_id) = wanted.external_id {
        next.external_id = Set(free_external_id(change, external_id, Some(id)).await?);
    }
    next.version = Set(stored.version + 1);
    next.updated_at = Set(change.now);
    let model = Entity::update(next).exec(change.db).await?;
    audit(change, "opportunity.update", &model).await?;
    Ok(model)
}

/// Archives an opportunity, or brings it back. Rows for its inputs wait while it is archived.
///
/// # Errors
/// When it is gone or was changed in between.
pub async fn set_archived(
    change: &Change<'_, impl ConnectionTrait>,
    id: OpportunityId,
    archived: bool,
    version: Option<i32>,
) -> Result<Model> {
    let stored = change.hold("opportunity", Entity::find_by_id((change.organization(), id))).await?;
    expect_version("opportunity", stored.version, version)?;
    if stored.archived_at.is_some() == archived {
        return Ok(stored);
    }
    let mut next = stored.clone().into_active_model();
    next.archived_at = Set(archived.then_some(change.now));
    next.version = Set(stored.version + 1);
    next.updated_at = Set(change.now);
    let model = Entity::update(next).exec(change.db).await?;
    audit(change, if archived { "opportunity.archive" } else { "opportunity.restore" }, &model).await?;
    let scope = Scope::Account { account: model.account_id, metric: None };
    matching_change::announce(change.db, change.organization(), scope, change.now).await?;
    Ok(model)
}

async fn free_external_id(
    change: &Change<'_, impl ConnectionTrait>,
    external_id: Option<String>,
    own: Option<OpportunityId>,
) -> Result<Option<String>> {
    let Some(external_id) = text::optional("externalId", external_id)? else { return Ok(None) };
    let same = Entity::find()
        .filter(Column::OrganizationId.eq(change.organization()))
        .filter(Column::ExternalId.eq(&external_id))
        .one(change.db)
        .await?;
    match same {
        Some(same) if Some(same.id) != own => {
            Err(refusal::taken("externalId", format!("another opportunity has the ID {external_id:?}")))
        }
        _ => Ok(Some(external_id)),
    }
}

async fn audit(change: &Change<'_, impl ConnectionTrait>, action: &str, model: &Model) -> Result<()> {
    let detail = json!({ "account": model.account_id, "name": model.name, "externalId": model.external_id });
    change.audit(action, "Opportunity", model.id, detail).await
}
