//! External IDs: an account's ID in one ID space, unique there as given.
//!
//! Two accounts may hold IDs that normalize to the same text; then matching says ambiguous and never guesses.

use std::collections::{BTreeMap, HashMap};

use entity::external_id::{Column, Entity, Model};
use entity::{AccountId, ExternalIdId};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
};
use serde_json::json;

use crate::domain::account;
use crate::domain::change::Change;
use crate::domain::matching_change::{self, Scope};
use crate::domain::normalizer::normalize;
use crate::domain::{id_space, refusal, series, text};
use crate::error::{Error, Result};

/// Finds an external ID of the organization.
///
/// # Errors
/// When there is none.
pub async fn find(change: &Change<'_, impl ConnectionTrait>, id: ExternalIdId) -> Result<Model> {
    let found = Entity::find_by_id((change.organization(), id)).one(change.db).await?;
    found.ok_or(Error::NotFound("external ID"))
}

/// An external ID to give to an account.
#[derive(Clone, Debug)]
pub struct NewExternalId {
    /// The ID space.
    pub space: String,
    /// The ID as it is given.
    pub value: String,
    /// The path of the input it came in, for refusals.
    pub field: String,
}

impl NewExternalId {
    fn at(&self, name: &str) -> String {
        if self.field.is_empty() { name.to_owned() } else { format!("{}.{name}", self.field) }
    }
}

/// Gives an account external IDs, all or none, and returns them in the order given. Rows that waited for them are
/// matched. However many there are, it takes a few statements.
///
/// # Errors
/// When the account or a space is unknown, a value cannot be an ID of its space, or another account has it.
pub async fn create(
    change: &Change<'_, impl ConnectionTrait>,
    account: AccountId,
    wanted: &[NewExternalId],
) -> Result<Vec<Model>> {
    let Some(first) = wanted.first() else { return Ok(Vec::new()) };
    account::exists(change, account, &first.at("accountId")).await?;
    let spaces = id_space::held(change).await?;
    let mut places = Vec::new();
    for new in wanted {
        let value = text::name(&new.at("value"), &new.value)?;
        let rule = spaces.get(&new.space).ok_or_else(|| refusal::not_found(&new.at("space"), "ID space"))?;
        let made = normalize(*rule, &value);
        let normalized = made.value.ok_or_else(|| {
            let why = made.note.unwrap_or("is no ID of this space");
            Error::invalid(new.at("value"), format!("{value:?} {why}"))
        })?;
        places.push((new.space.clone(), value, normalized));
    }
    let mut known: HashMap<(String, String), Model> = HashMap::new();
    let stored = Entity::find()
        .filter(Column::OrganizationId.eq(change.organization()))
        .filter(Column::Space.is_in(places.iter().map(|(space, ..)| space.as_str())))
        .filter(Column::Value.is_in(places.iter().map(|(_, value, _)| value.as_str())))
        .all(change.db)
        .await?;
    known.extend(stored.into_iter().map(|row| ((row.space.clone(), row.value.clone()), row)));
    let (mut given, mut made) = (Vec::new(), Vec::new());
    for (new, (space, value, normalized)) in wanted.iter().zip(places) {
        let place = (space.clone(), value.clone());
        let model = match known.get(&place) {
            Some(same) if same.account_id == account => same.clone(),
            Some(_) => {
                let reason = format!("another account has {value:?} in {space} already; move it instead");
                return Err(refusal::taken(&new.at("value"), reason));
            }
            None => {
                let model = Model {
                    organization_id: change.organization(),
                    id: ExternalIdId::new(),
                    account_id: account,
                    space,
                    value,
                    normalized,
                    created_at: change.now,
                    created_by: change.viewer.user_id(),
                };
                known.insert(place, model.clone());
                made.push(model.clone());
                model
            }
        };
        given.push(model);
    }
    if !made.is_empty() {
        let rows = made.iter().map(|model| model.clone().into_active_model().reset_all());
        Entity::insert_many(rows).exec_without_returning(change.db).await?;
        let told = made.iter().map(|model| (model.id.to_string(), detail(model))).collect();
        change.audit_each("external_id.create", "ExternalId", told).await?;
        announce(change, &made).await?;
    }
    Ok(given)
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
    announce(change, std::slice::from_ref(&model)).await?;
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
    announce(change, std::slice::from_ref(&stored)).await?;
    Ok(id)
}

fn detail(model: &Model) -> serde_json::Value {
    json!({ "account": model.account_id, "space": model.space, "value": model.value })
}

async fn audit(change: &Change<'_, impl ConnectionTrait>, action: &str, model: &Model) -> Result<()> {
    change.audit(action, "ExternalId", model.id, detail(model)).await
}

/// Says that the accounts of external IDs are others now, and points what was measured for them.
async fn announce(change: &Change<'_, impl ConnectionTrait>, models: &[Model]) -> Result<()> {
    let mut spaces: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for model in models {
        spaces.entry(model.space.clone()).or_default().push(model.normalized.clone());
    }
    for (space, normalized) in spaces {
        let scope = Scope::ExternalAccounts { space: space.clone(), normalized: normalized.clone() };
        // First: it holds those back who bind series by what they read before.
        matching_change::announce(change.db, change.organization(), scope, change.now).await?;
        if !series::repoint(change, &space, &normalized).await? {
            let everything = Scope::Everything;
            matching_change::enqueue(change.db, change.organization(), everything, change.now).await?;
        }
    }
    Ok(())
}
