//! External IDs: an account's ID in one ID space, unique there as given.
//!
//! Two accounts may hold IDs that normalize to the same text; then matching says ambiguous and never guesses.

use entity::external_id::{ActiveModel, Column, Entity, Model};
use entity::{AccountId, ExternalIdId, id_space};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
};
use serde_json::json;

use crate::domain::account;
use crate::domain::change::Change;
use crate::domain::matching_change::{self, Scope};
use crate::domain::normalizer::normalize;
use crate::domain::{refusal, series, text};
use crate::error::{Error, Result};

/// Finds an external ID of the organization.
///
/// # Errors
/// When there is none.
pub async fn find(change: &Change<'_, impl ConnectionTrait>, id: ExternalIdId) -> Result<Model> {
    let found = Entity::find_by_id((change.organization(), id)).one(change.db).await?;
    found.ok_or(Error::NotFound("external ID"))
}

/// Gives an account an external ID. Rows that waited for it are matched.
///
/// `field` is the path of the input the ID came in, for refusals.
///
/// # Errors
/// When the account or space is unknown, the value cannot be an ID of the space, or another account has it.
pub async fn create(
    change: &Change<'_, impl ConnectionTrait>,
    account: AccountId,
    space: &str,
    value: &str,
    field: &str,
) -> Result<Model> {
    let at = |name: &str| if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
    account::exists(change, account, &at("accountId")).await?;
    let value = text::name(&at("value"), value)?;
    let space = id_space::Entity::find_by_id((change.organization(), space.to_owned()))
        .one(change.db)
        .await?
        .ok_or_else(|| refusal::not_found(&at("space"), "ID space"))?;
    let made = normalize(space.normalizer, &value);
    let normalized = made.value.ok_or_else(|| {
        Error::invalid(at("value"), format!("{value:?} {}", made.note.unwrap_or("is no ID of this space")))
    })?;
    let same = Entity::find()
        .filter(Column::OrganizationId.eq(change.organization()))
        .filter(Column::Space.eq(&space.name))
        .filter(Column::Value.eq(&value))
        .one(change.db)
        .await?;
    match same {
        Some(same) if same.account_id == account => return Ok(same),
        Some(_) => {
            let reason = format!("another account has {value:?} in {} already; move it instead", space.name);
            return Err(refusal::taken(&at("value"), reason));
        }
        None => {}
    }
    let model = ActiveModel {
        organization_id: Set(change.organization()),
        id: Set(ExternalIdId::new()),
        account_id: Set(account),
        space: Set(space.name),
        value: Set(value),
        normalized: Set(normalized),
        created_at: Set(change.now),
        created_by: Set(change.viewer.user_id()),
    };
    let model = model.insert(change.db).await?;
    audit(change, "external_id.create", &model).await?;
    announce(change, &model).await?;
    Ok(model)
}

/// Moves an external ID to another account, with what was matched by it.
///
/// # Errors
/// When the ID or the account is gone.
pub async fn assign(
    change: &Change<'_, impl ConnectionTrait>,
    id: ExternalIdId,
    account: AccountId,
) -> Result<Model> {
    let stored = find(change, id).await?;
    account::exists(change, account, "accountId").await?;
    if stored.account_id == account {
        return Ok(stored);
    }
    let mut next = stored.into_active_model();
    next.account_id = Set(account);
    let model = Entity::update(next).exec(change.db).await?;
    audit(change, "external_id.move", &model).await?;
    announce(change, &model).await?;
    Ok(model)
}

/// Takes an external ID away, with what was matched by it.
///
/// # Errors
/// When it is gone.
pub async fn delete(change: &Change<'_, impl ConnectionTrait>, id: ExternalIdId) -> Result<ExternalIdId> {
    let stored = find(change, id).await?;
    Entity::delete_by_id((change.organization(), id)).exec(change.db).await?;
    audit(change, "external_id.delete", &stored).await?;
    announce(change, &stored).await?;
    Ok(id)
}

async fn audit(change: &Change<'_, impl ConnectionTrait>, action: &str, model: &Model) -> Result<()> {
    let detail = json!({ "account": model.account_id, "space": model.space, "value": model.value });
    change.audit(action, "ExternalId", model.id, detail).await
}

async fn announce(change: &Change<'_, impl ConnectionTrait>, model: &Model) -> Result<()> {
    series::repoint(change, &model.space, &model.normalized).await?;
    let scope =
        Scope::ExternalAccounts { space: model.space.clone(), normalized: vec![model.normalized.clone()] };
    matching_change::announce(change.db, change.organization(), scope, change.now).await
}
