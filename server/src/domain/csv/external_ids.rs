//! External IDs from CSV: `account_id,account_name,space,value`. An ID that another account has is moved.

use std::collections::{BTreeSet, HashMap};

use entity::{ExternalIdId, Normalizer, external_id};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::accounts::checked;
use super::book::{Accounts, Shelf};
use super::table::{self, Row};
use super::{Effect, ErrorPolicy, Report, Wrong, may_write};
use crate::domain::change::Change;
use crate::domain::normalizer::normalize;
use crate::domain::{id_space, series, text};
use crate::error::Result;

struct Ids {
    accounts: Accounts,
    spaces: HashMap<String, Normalizer>,
    shelf: Shelf<ExternalIdId, external_id::Model>,
    places: HashMap<(String, String), ExternalIdId>,
    touched: BTreeSet<String>,
}

/// Imports external IDs.
pub async fn import(
    change: &Change<'_, impl ConnectionTrait>,
    text: &str,
    dry_run: bool,
    policy: ErrorPolicy,
) -> Result<Report> {
    let table = table::read(text, &["space", "value"], &["account_id", "account_name"])?;
    let mut report = Report::of(table.misfits);
    let stored = external_id::Entity::find()
        .filter(external_id::Column::OrganizationId.eq(change.organization()))
        .all(change.db)
        .await?;
    let places = stored.iter().map(|row| ((row.space.clone(), row.value.clone()), row.id)).collect();
    let mut ids = Ids {
        accounts: Accounts::load(change).await?,
        spaces: id_space::normalizers(change.db, change.organization()).await?,
        shelf: Shelf::new(stored.into_iter().map(|row| (row.id, row))),
        places,
        touched: BTreeSet::new(),
    };
    for row in &table.rows {
        let effect = ids.take(change, row);
        report.count(row.line, effect);
    }
    if may_write(&mut report, dry_run, policy) {
        ids.shelf.write::<external_id::Entity, external_id::ActiveModel>(change.db).await?;
        for space in &ids.touched {
            series::repoint_all(change, space).await?;
        }
    }
    Ok(report)
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
                space: space.clone(),
                value,
                normalized,
                created_at: change.now,
                created_by: change.viewer.user_id(),
            };
            self.places.insert(place, id);
            self.shelf.add(id, model);
            self.touched.insert(space);
            return Ok(Effect::Created);
        };
        if stored.account_id == account_id {
            return Ok(Effect::Unchanged);
        }
        self.touched.insert(space);
        self.shelf.change(stored.id, external_id::Model { account_id, ..stored });
        Ok(Effect::Updated)
    }
}
