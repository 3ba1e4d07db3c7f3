//! External-ID settings: which ID spaces a stream tries, in which order.

use entity::external_id_setting::{ActiveModel, Column, Entity, Model};
use entity::{ExternalIdSettingId, OrganizationId, stream};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, Set,
};
use serde_json::json;

use crate::domain::change::{Change, expect_version};
use crate::domain::matching_change::{self, Scope};
use crate::domain::{id_space, refusal, text};
use crate::error::{Error, Result};

/// The most spaces in a setting.
const SPACES_MOST: usize = 20;

/// Finds a setting of the organization.
///
/// # Errors
/// When there is none.
pub async fn find(change: &Change<'_, impl ConnectionTrait>, id: ExternalIdSettingId) -> Result<Model> {
    let found = Entity::find_by_id((change.organization(), id)).one(change.db).await?;
    found.ok_or(Error::NotFound("external-ID setting"))
}

/// The spaces of a setting, in order.
///
/// # Errors
/// When the stored list cannot be read.
pub fn spaces(model: &Model) -> Result<Vec<String>> {
    serde_json::from_str(&model.spaces)
        .map_err(|error| Error::internal("reading an external-ID setting", error))
}

/// The settings of an organization that try a space, each with all it tries, in order.
///
/// # Errors
/// When the database fails or a stored list cannot be read.
pub async fn trying(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    space: &str,
) -> Result<Vec<(Model, Vec<String>)>> {
    let mut found = Vec::new();
    for model in Entity::find().filter(Column::OrganizationId.eq(organization)).all(db).await? {
        let tried = spaces(&model)?;
        if tried.iter().any(|name| name == space) {
            found.push((model, tried));
        }
    }
    Ok(found)
}

/// Adds a setting.
///
/// # Errors
/// When the name is taken or a space is unknown.
pub async fn create(
    change: &Change<'_, impl ConnectionTrait>,
    name: &str,
    spaces: &[String],
) -> Result<Model> {
    let name = free_name(change, name, None).await?;
    let model = ActiveModel {
        organization_id: Set(change.organization()),
        id: Set(ExternalIdSettingId::new()),
        name: Set(name),
        spaces: Set(checked(change, spaces).await?),
        version: Set(1),
        created_at: Set(change.now),
        updated_at: Set(change.now),
    };
    let model = model.insert(change.db).await?;
    audit(change, "external_id_setting.create", &model).await?;
    Ok(model)
}

/// Changes a setting.
///
/// # Errors
/// When it is gone, was changed in between, the name is taken or a space is unknown.
pub async fn update(
    change: &Change<'_, impl ConnectionTrait>,
    id: ExternalIdSettingId,
    name: Option<String>,
    spaces: Option<Vec<String>>,
    version: Option<i32>,
) -> Result<Model> {
    let stored = change.hold("external-ID setting", Entity::find_by_id((change.organization(), id))).await?;
    expect_version("external-ID setting", stored.version, version)?;
    let mut next = stored.clone().into_active_model();
    if let Some(name) = name {
        next.name = Set(free_name(change, &name, Some(id)).await?);
    }
    if let Some(spaces) = &spaces {
        next.spaces = Set(checked(change, spaces).await?);
    }
    next.version = Set(stored.version + 1);
    next.updated_at = Set(change.now);
    let model = Entity::update(next).exec(change.db).await?;
    audit(change, "external_id_setting.update", &model).await?;
    if model.spaces != stored.spaces {
        matching_change::announce(change.db, change.organization(), Scope::Everything, change.now).await?;
    }
    Ok(model)
}

/// Deletes a setting that no stream uses.
///
/// # Errors
/// When it is gone, in use, or was changed in between.
pub async fn delete(
    change: &Change<'_, impl ConnectionTrait>,
    id: ExternalIdSettingId,
    version: Option<i32>,
) -> Result<ExternalIdSettingId> {
    let stored = change.hold("external-ID setting", Entity::find_by_id((change.organization(), id))).await?;
    expect_version("external-ID setting", stored.version, version)?;
    let streams = stream::Entity::find()
        .filter(stream::Column::OrganizationId.eq(change.organization()))
        .filter(stream::Column::ExternalIdSettingId.eq(id))
        .count(change.db)
        .await?;
    if streams > 0 {
        return Err(refusal::in_use(format!("{streams} streams use this setting")));
    }
    Entity::delete_by_id((change.organization(), id)).exec(change.db).await?;
    audit(change, "external_id_setting.delete", &stored).await?;
    Ok(id)
}

async fn free_name(
    change: &Change<'_, impl ConnectionTrait>,
    name: &str,
    own: Option<ExternalIdSettingId>,
) -> Result<String> {
    let name = text::name("name", name)?;
    let same = Entity::find()
        .filter(Column::OrganizationId.eq(change.organization()))
        .filter(Column::Name.eq(&name))
        .one(change.db)
        .await?;
    match same {
        Some(same) if Some(same.id) != own => {
            Err(refusal::taken("name", format!("there is a setting {name:?} already")))
        }
        _ => Ok(name),
    }
}

async fn checked(change: &Change<'_, impl ConnectionTrait>, spaces: &[String]) -> Result<String> {
    if spaces.is_empty() {
        return Err(refusal::required("spaces"));
    }
    if spaces.len() > SPACES_MOST {
        return Err(refusal::limit("spaces", format!("at most {SPACES_MOST} spaces")));
    }
    let known = id_space::held(change).await?;
    for (index, space) in spaces.iter().enumerate() {
        let field = format!("spaces.{index}");
        if !known.contains_key(space) {
            return Err(refusal::not_found(&field, "ID space"));
        }
        if spaces[..index].contains(space) {
            return Err(Error::invalid(field, format!("{space:?} is named twice")));
        }
    }
    Ok(json!(spaces).to_string())
}

async fn audit(change: &Change<'_, impl ConnectionTrait>, action: &str, model: &Model) -> Result<()> {
    let detail = json!({ "name": model.name, "spaces": spaces(model)? });
    change.audit(action, "ExternalIdSetting", model.id, detail).await
}
