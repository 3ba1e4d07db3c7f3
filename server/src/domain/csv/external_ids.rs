//! External IDs from CSV: `account_id,account_name,space,value`. An ID that another account has is moved.

use std::collections::HashMap;

use entity::{ExternalIdId, Normalizer, external_id};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::accounts::checked;
use super::book::{Accounts, Shelf, having};
use super::table::Row;
use super::{Effect, Report, Wrong};
use crate::domain::change::Change;
use crate::domain::normalizer::normalize;
use crate::domain::{id_space, text};
use crate::error::Result;

struct Ids {
    accounts: Accounts,
    spaces: HashMap<String, Normalizer>,
    shelf: Shelf<ExternalIdId, external_id::Model>,
    places: HashMap<(String, String), ExternalIdId>,
}

/// The columns that must be there, and the others.
pub const COLUMNS: (&[&str], &[&str]) = (&["space", "value"], &["account_id", "account_name"]);

/// Works out what rows do, and does it if it is to be written. Series follow in the rematch.
pub async fn import(
    change: &Change<'_, impl ConnectionTrait>,
    rows: &[Row<'_>],
    write: bool,
    report: &mut Report,
) -> Result<()> {
    let accounts = Accounts::load(change, rows, "account_id", "account_name").await?;
    let spaces = match write {
        true => id_space::held(change).await?,
        false => id_space::normalizers(change.db, change.organization()).await?,
    };
    let all = external_id::Entity::find()
        .filter(external_id::Column::OrganizationId.eq(change.organization()))
        .filter(external_id::Column::Space.is_in(spaces.keys().map(String::as_str)));
    let values = rows.iter().filter_map(|row| row.filled("value"));
    let stored = having(change.db, all, external_id::Column::Value, values).await?;
    let places = stored.iter().map(|row| ((row.space.clone(), row.value.clone()), row.id)).collect();
    let shelf = Shelf::new(stored.into_iter().map(|row| (row.id, row)));
    let mut ids = Ids { accounts, spaces, shelf, places };
    for row in rows {
        let effect = ids.take(change, row);
        report.count(row.line, effect);
    }
    if write {
        ids.shelf.write::<external_id::Entity, external_id::ActiveModel>(change.db).await?;
    }
    Ok(())
}

impl Ids {
    fn take(
        &mut self,
        change: &Change<'_, impl ConnectionTrait>,
        row: &Row<'_>,
    ) -> std::result::Result<Effect, Wrong> {
        let account_id = self.accounts.of(row)?;
        let space =
            row.filled("space").ok_or_else(|| Wrong::new("space", "the ID space is missing"))?.to_owned();
        let rule = *self
            .spaces
            .get(&space)
            .ok_or_else(|| Wrong::new("space", format!("there is no ID space {space:?}")))?;
        let value = checked("value", text::name("value", row.cell("value").unwrap_or_default()))?;
        let made = normalize(rule, &value);
        let normalized = made
            .value
            .ok_or_else(|| Wrong::new("value", format!("{value:?} {}", made.note.unwrap_or("is no ID"))))?;
        let place = (space.clone(), value.clone());
        let stored = self.places.get(&place).and_then(|id| self.shelf.get(*id)).cloned();
        let Some(stored) = stored else {
            let id = ExternalIdId::new();
            let model = external_id::Model {
                organization_id: change.organization(),
                id,
                account_id,
                space,
                value,
                normalized,
                created_at: change.now,
                created_by: change.viewer.user_id(),
            };
            self.places.insert(place, id);
            self.shelf.put(id, model);
            return Ok(Effect::Created);
        };
        if stored.account_id == account_id {
            return Ok(Effect::Unchanged);
        }
        self.shelf.put(stored.id, external_id::Model { account_id, normalized, ..stored });
        Ok(Effect::Updated)
    }
}
