//! Inputs: quantities inside an opportunity, a constant or a series of measurements.

use entity::input::{ActiveModel, Column, Entity, Model};
use entity::{Decimal, InputId, InputKind, OpportunityId};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
};
use serde_json::json;

use crate::domain::change::{Change, expect_version};
use crate::domain::matching_change::{self, Scope};
use crate::domain::{opportunity, refusal, text};
use crate::error::{Error, Result};

/// A new input.
#[derive(Clone, Debug)]
pub struct NewInput {
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// The name.
    pub name: String,
    /// The unit.
    pub unit: Option<String>,
    /// A constant or a series.
    pub kind: InputKind,
    /// The constant.
    pub constant_value: Option<Decimal>,
}

/// What to change on an input; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct InputChange {
    /// A new name.
    pub name: Option<String>,
    /// A new unit, or none.
    pub unit: Option<Option<String>>,
    /// A new constant.
    pub constant_value: Option<Decimal>,
}

/// Finds an input of the organization.
///
/// # Errors
/// When there is none.
pub async fn find(change: &Change<'_, impl ConnectionTrait>, id: InputId) -> Result<Model> {
    let found = Entity::find_by_id((change.organization(), id)).one(change.db).await?;
    found.ok_or(Error::NotFound("input"))
}

/// Adds an input to an opportunity.
///
/// # Errors
/// When the opportunity is unknown, the name is taken there, or the constant does not fit the kind.
pub async fn create(change: &Change<'_, impl ConnectionTrait>, new: NewInput) -> Result<Model> {
    match opportunity::find(change, new.opportunity).await {
        Err(Error::NotFound(noun)) => return Err(refusal::not_found("opportunityId", noun)),
        found => drop(found?),
    }
    fits(new.kind, new.constant_value.as_ref())?;
    let model = ActiveModel {
        organization_id: Set(change.organization()),
        id: Set(InputId::new()),
        opportunity_id: Set(new.opportunity),
        name: Set(free_name(change, new.opportunity, &new.name, None).await?),
        unit: Set(text::optional("unit", new.unit)?),
        kind: Set(new.kind),
        constant_value: Set(new.constant_value),
        archived_at: Set(None),
        version: Set(1),
        created_at: Set(change.now),
        updated_at: Set(change.now),
    };
    let model = model.insert(change.db).await?;
    audit(change, "input.create", &model).await?;
    Ok(model)
}

/// Changes an input.
///
/// # Errors
/// When it is gone, was changed in between, the name is taken, or the constant does not fit the kind.
pub async fn update(
    change: &Change<'_, impl ConnectionTrait>,
    id: InputId,
    wanted: InputChange,
    version: Option<i32>,
) -> Result<Model> {
    let stored = change.hold("input", Entity::find_by_id((change.organization(), id))).await?;
    expect_version("input", stored.version, version)?;
    let mut next = stored.clone().into_active_model();
    if let Some(name) = wanted.name {
        next.name = Set(free_name(change, stored.opportunity_id, &name, Some(id)).await?);
    }
    if let Some(unit) = wanted.unit {
        next.unit = Set(text::optional("unit", unit)?);
    }
    if let Some(value) = wanted.constant_value {
        fits(stored.kind, Some(&value))?;
        next.constant_value = Set(Some(value));
    }
    next.version = Set(stored.version + 1);
    next.updated_at = Set(change.now);
    let model = Entity::update(next).exec(change.db).await?;
    audit(change, "input.update", &model).await?;
    Ok(model)
}

/// Archives an input, or brings it back. Rows for it wait while it is archived.
///
/// # Errors
/// When it is gone or was changed in between.
pub async fn set_archived(
    change: &Change<'_, impl ConnectionTrait>,
    id: InputId,
    archived: bool,
    version: Option<i32>,
) -> Result<Model> {
    let stored = change.hold("input", Entity::find_by_id((change.organization(), id))).await?;
    expect_version("input", stored.version, version)?;
    if stored.archived_at.is_some() == archived {
        return Ok(stored);
    }
    let account = opportunity::find(change, stored.opportunity_id).await?.account_id;
    let mut next = stored.clone().into_active_model();
    next.archived_at = Set(archived.then_some(change.now));
    next.version = Set(stored.version + 1);
    next.updated_at = Set(change.now);
    let model = Entity::update(next).exec(change.db).await?;
    audit(change, if archived { "input.archive" } else { "input.restore" }, &model).await?;
    let scope = Scope::Account { account, metric: None };
    matching_change::announce(change.db, change.organization(), scope, change.now).await?;
    Ok(model)
}

fn fits(kind: InputKind, constant: Option<&Decimal>) -> Result<()> {
    match (kind, constant) {
        (InputKind::Constant, None) => Err(refusal::required("constantValue")),
        (InputKind::Series, Some(_)) => {
            Err(Error::invalid("constantValue", "an input of measurements has no constant"))
        }
        _ => Ok(()),
    }
}

async fn free_name(
    change: &Change<'_, impl ConnectionTrait>,
    opportunity: OpportunityId,
    name: &str,
    own: Option<InputId>,
) -> Result<String> {
    let name = text::name("name", name)?;
    let same = Entity::find()
        .filter(Column::OrganizationId.eq(change.organization()))
        .filter(Column::OpportunityId.eq(opportunity))
        .filter(Column::Name.eq(&name))
        .one(change.db)
        .await?;
    match same {
        Some(same) if Some(same.id) != own => {
            Err(refusal::taken("name", format!("the opportunity has an input {name:?} already")))
        }
        _ => Ok(name),
    }
}

async fn audit(change: &Change<'_, impl ConnectionTrait>, action: &str, model: &Model) -> Result<()> {
    let detail = json!({
        "opportunity": model.opportunity_id,
        "name": model.name,
        "unit": model.unit,
        "constantValue": model.constant_value,
    });
    change.audit(action, "Input", model.id, detail).await
}
