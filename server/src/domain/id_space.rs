//! ID spaces: families of external IDs with one normalization.

use std::collections::HashMap;

use entity::id_space::{ActiveModel, Column, Entity, Model};
use entity::{Normalizer, OrganizationId, external_id};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select, Set,
};
use serde_json::json;

use crate::domain::change::Change;
use crate::domain::matching_change::{self, Scope};
use crate::domain::normalizer::normalize;
use crate::domain::{external_id_setting, refusal};
use crate::error::{Error, Result};

/// External IDs checked at a time.
const CHECKED: u64 = 5_000;

/// Finds a space of the organization.
///
/// # Errors
/// When there is none.
pub async fn find(change: &Change<'_, impl ConnectionTrait>, name: &str) -> Result<Model> {
    let found = Entity::find_by_id((change.organization(), name.to_owned())).one(change.db).await?;
    found.ok_or_else(|| refusal::not_found("name", "ID space"))
}

/// Adds a space.
///
/// # Errors
/// When the name is taken or not a lower-case word.
pub async fn create(
    change: &Change<'_, impl ConnectionTrait>,
    name: &str,
    normalizer: Normalizer,
) -> Result<Model> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !(1..=60).contains(&name.len()) || !name.chars().all(plain) {
        return Err(Error::invalid("name", "must be 1 to 60 lower-case letters, digits and underscores"));
    }
    let id = (change.organization(), name.to_owned());
    if Entity::find_by_id(id).one(change.db).await?.is_some() {
        return Err(refusal::taken("name", format!("there is an ID space {name:?} already")));
    }
    let model = ActiveModel {
        organization_id: Set(change.organization()),
        name: Set(name.to_owned()),
        normalizer: Set(normalizer),
        created_at: Set(change.now),
    };
    let model = model.insert(change.db).await?;
    let detail = json!({ "normalizer": normalizer });
    change.audit("id_space.create", "IdSpace", name, detail).await?;
    Ok(model)
}

/// Tells whether all external IDs of a space can be IDs by another normalizer, and the version of what decides matching
/// for which that holds. To be asked outside a transaction: it reads all IDs of the space.
///
/// # Errors
/// When one cannot.
pub async fn check(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    name: &str,
    normalizer: Normalizer,
) -> Result<i64> {
    let version = matching_change::version(db, organization).await?;
    let mut after = String::new();
    loop {
        let values: Vec<String> = external_id::Entity::find()
            .select_only()
            .column(external_id::Column::Value)
            .filter(external_id::Column::OrganizationId.eq(organization))
            .filter(external_id::Column::Space.eq(name))
            .filter(external_id::Column::Value.gt(after))
            .order_by_asc(external_id::Column::Value)
            .limit(CHECKED)
            .into_tuple()
            .all(db)
            .await?;
        for value in &values {
            let made = normalize(normalizer, value);
            if made.value.is_none() {
                let why = made.note.unwrap_or("is no ID of this sort");
                return Err(Error::invalid("normalizer", format!("the external ID {value:?} {why}")));
            }
        }
        after = match values.into_iter().next_back() {
            Some(last) => last,
            None => return Ok(version),
        };
    }
}

/// Gives a space another normalizer. Its external IDs are normalized again afterwards, and what they decide with them.
///
/// `checked` is the answer of [`check`].
///
/// # Errors
/// When it is gone, or one of its IDs cannot be an ID by the new normalizer.
pub async fn update(
    change: &Change<'_, impl ConnectionTrait>,
    name: &str,
    normalizer: Normalizer,
    checked: i64,
) -> Result<Model> {
    let stored = find(change, name).await?;
    if stored.normalizer == normalizer {
        return Ok(stored);
    }
    let mut next = stored.into_active_model();
    next.normalizer = Set(normalizer);
    let model = Entity::update(next).exec(change.db).await?;
    // Someone may have added an ID since.
    if matching_change::version(change.db, change.organization()).await? != checked {
        check(change.db, change.organization(), name, normalizer).await?;
    }
    let detail = json!({ "normalizer": normalizer });
    change.audit("id_space.update", "IdSpace", name, detail).await?;
    let scope = Scope::Space { space: name.to_owned() };
    matching_change::announce(change.db, change.organization(), scope, change.now).await?;
    Ok(model)
}

/// Deletes a space without external IDs that no setting names.
///
/// # Errors
/// When it is gone or in use.
pub async fn delete(change: &Change<'_, impl ConnectionTrait>, name: &str) -> Result<String> {
    // Whoever names it in a setting waits, and then finds it gone.
    let space = Entity::find_by_id((change.organization(), name.to_owned()));
    let held = space.lock_exclusive().one(change.db).await?;
    held.ok_or_else(|| refusal::not_found("name", "ID space"))?;
    let ids = external_id::Entity::find()
        .filter(external_id::Column::OrganizationId.eq(change.organization()))
        .filter(external_id::Column::Space.eq(name))
        .count(change.db)
        .await?;
    if ids > 0 {
        return Err(refusal::in_use(format!("{ids} external IDs are in this space")));
    }
    let naming = external_id_setting::trying(change.db, change.organization(), name).await?;
    if let Some((other, _)) = naming.first() {
        return Err(refusal::in_use(format!("the external-ID setting {:?} names this space", other.name)));
    }
    Entity::delete_by_id((change.organization(), name.to_owned())).exec(change.db).await?;
    change.audit("id_space.delete", "IdSpace", name, json!({})).await?;
    Ok(name.to_owned())
}

/// The normalizers of an organization's spaces, by name.
///
/// # Errors
/// When the database fails.
pub async fn normalizers(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<HashMap<String, Normalizer>> {
    by_name(db, Entity::find().filter(Column::OrganizationId.eq(organization))).await
}

/// The same, which stay as they are until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn held(change: &Change<'_, impl ConnectionTrait>) -> Result<HashMap<String, Normalizer>> {
    let spaces = Entity::find().filter(Column::OrganizationId.eq(change.organization()));
    by_name(change.db, spaces.lock_shared()).await
}

async fn by_name(db: &impl ConnectionTrait, spaces: Select<Entity>) -> Result<HashMap<String, Normalizer>> {
    Ok(spaces.all(db).await?.into_iter().map(|row| (row.name, row.normalizer)).collect())
}
