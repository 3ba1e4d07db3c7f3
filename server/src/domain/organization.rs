//! The organization itself: its name, and whether runs may start.

use entity::organization::{Entity, Model};
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel, Set};
use serde_json::json;

use crate::domain::change::Change;
use crate::domain::{refusal, text};
use crate::error::{Error, Result};

/// Finds the organization of a change.
///
/// # Errors
/// When it is gone.
pub async fn find(change: &Change<'_, impl ConnectionTrait>) -> Result<Model> {
    let found = Entity::find_by_id(change.organization()).one(change.db).await?;
    found.ok_or(Error::NotFound("organization"))
}

/// Renames the organization or switches ingestion on or off.
///
/// # Errors
/// When the viewer is no owner, or the name is unacceptable.
pub async fn update(
    change: &Change<'_, impl ConnectionTrait>,
    name: Option<String>,
    ingestion_enabled: Option<bool>,
) -> Result<Model> {
    change.viewer.require_owner()?;
    let mut next = find(change).await?.into_active_model();
    if let Some(name) = name {
        next.name = Set(text::name("name", &name)?);
    }
    if let Some(enabled) = ingestion_enabled {
        next.ingestion_enabled = Set(enabled);
    }
    let model = Entity::update(next).exec(change.db).await?;
    let detail = json!({ "name": model.name, "ingestionEnabled": model.ingestion_enabled });
    change.audit("organization.update", "Organization", model.id, detail).await?;
    Ok(model)
}

/// Refuses while ingestion is switched off.
///
/// # Errors
/// When it is.
pub async fn require_ingestion(change: &Change<'_, impl ConnectionTrait>) -> Result<()> {
    match find(change).await?.ingestion_enabled {
        true => Ok(()),
        false => Err(refusal::ingestion_disabled()),
    }
}
