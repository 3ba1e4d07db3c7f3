//! Opportunities and inputs from CSV, an input a row:
//! `account_id,account_name,opportunity,opportunity_external_id,input,unit,kind,constant_value`.

use std::collections::{HashMap, HashSet};

use entity::{AccountId, Decimal, InputId, InputKind, OpportunityId, input, opportunity};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::accounts::checked;
use super::book::{Accounts, Shelf, having};
use super::table::Row;
use super::{Effect, Report, Wrong};
use crate::domain::change::Change;
use crate::domain::text;
use crate::error::Result;

struct Cases {
    accounts: Accounts,
    opportunities: Shelf<OpportunityId, opportunity::Model>,
    by_name: HashMap<(AccountId, String), Vec<OpportunityId>>,
    by_external_id: HashMap<String, OpportunityId>,
    inputs: Shelf<InputId, input::Model>,
    inputs_by_name: HashMap<(OpportunityId, String), InputId>,
}

/// The columns that must be there, and the others.
pub const COLUMNS: (&[&str], &[&str]) = (
    &["opportunity"],
    &["account_id", "account_name", "opportunity_external_id", "input", "unit", "kind", "constant_value"],
);

/// Works out what rows do, and does it if it is to be written.
pub async fn import(
    change: &Change<'_, impl ConnectionTrait>,
    rows: &[Row<'_>],
    write: bool,
    report: &mut Report,
) -> Result<()> {
    let mut cases = Cases::load(change, rows).await?;
    for row in rows {
        let effect = cases.take(change, row);
        report.count(row.line, effect);
    }
    if write {
        cases.opportunities.write::<opportunity::Entity, opportunity::ActiveModel>(change.db).await?;
        cases.inputs.write::<input::Entity, input::ActiveModel>(change.db).await?;
    }
    Ok(())
}

impl Cases {
    async fn load(change: &Change<'_, impl ConnectionTrait>, rows: &[Row<'_>]) -> Result<Self> {
        let accounts = Accounts::load(change, rows, "account_id", "account_name").await?;
        let all =
            opportunity::Entity::find().filter(opportunity::Column::OrganizationId.eq(change.organization()));
        let outside = rows.iter().filter_map(|row| row.filled("opportunity_external_id"));
        let mut opportunities =
            having(change.db, all.clone(), opportunity::Column::AccountId, accounts.ids()).await?;
        let known: HashSet<OpportunityId> = opportunities.iter().map(|row| row.id).collect();
        let others = having(change.db, all, opportunity::Column::ExternalId, outside).await?;
        opportunities.extend(others.into_iter().filter(|row| !known.contains(&row.id)));
        let inputs = input::Entity::find().filter(input::Column::OrganizationId.eq(change.organization()));
        let ids = opportunities.iter().map(|row| row.id);
        let inputs = having(change.db, inputs, input::Column::OpportunityId, ids).await?;
        let mut by_name: HashMap<(AccountId, String), Vec<OpportunityId>> = HashMap::new();
        for row in opportunities.iter().filter(|row| row.archived_at.is_none()) {
            by_name.entry((row.account_id, row.name.clone())).or_default().push(row.id);
        }
        let external = opportunities.iter().filter_map(|row| Some((row.external_id.clone()?, row.id)));
        let named = inputs.iter().map(|row| ((row.opportunity_id, row.name.clone()), row.id));
        Ok(Self {
            accounts,
            by_name,
            by_external_id: external.collect(),
            inputs_by_name: named.collect(),
            opportunities: Shelf::new(opportunities.into_iter().map(|row| (row.id, row))),
            inputs: Shelf::new(inputs.into_iter().map(|row| (row.id, row))),
        })
    }

    fn take(
        &mut self,
        change: &Change<'_, impl ConnectionTrait>,
        row: &Row<'_>,
    ) -> std::result::Result<Effect, Wrong> {
        // The input is judged first, so that a bad row leaves nothing behind.
        let wanted = row.filled("input").map(|name| WantedInput::read(name, row)).transpose()?;
        let account = self.accounts.of(row)?;
        let (stored, name, external_id) = self.find(account, row)?;
        if let (Some(wanted), Some(stored)) = (&wanted, &stored) {
            self.fits(stored.id, wanted)?;
        }
        let (id, first) = match stored {
            None => (self.add(change, account, name, external_id), Effect::Created),
            Some(stored) => {
                let external_id = external_id.or_else(|| stored.external_id.clone());
                let id = stored.id;
                if stored.name == name && stored.external_id == external_id {
                    (id, Effect::Unchanged)
                } else {
                    let version = stored.version + 1;
                    let updated_at = change.now;
                    let next = opportunity::Model { name, external_id, version, updated_at, ..stored };
                    self.opportunities.put(id, next);
                    (id, Effect::Updated)
                }
            }
        };
        let second = wanted.map_or(Effect::Unchanged, |wanted| self.put(change, id, wanted));
        Ok(first.max(second))
    }

    /// The opportunity a row means, if it is there, with the row's name and external ID for it.
    fn find(
        &self,
        account: AccountId,
        row: &Row<'_>,
    ) -> std::result::Result<(Option<opportunity::Model>, String, Option<String>), Wrong> {
        let name = checked("opportunity", text::name("name", row.cell("opportunity").unwrap_or_default()))?;
        let column = "opportunity_external_id";
        let external_id =
            row.filled(column).map(|id| checked(column, text::name("externalId", id))).transpose()?;
        let known = external_id.as_ref().and_then(|id| self.by_external_id.get(id));
        let id = match (known, self.by_name.get(&(account, name.clone())).map(Vec::as_slice)) {
            (Some(id), _) => Some(*id),
            (None, None | Some([])) => None,
            (None, Some([id])) => Some(*id),
            (None, Some(_)) => {
                let reason =
                    format!("the account has several opportunities named {name:?}; give the external ID");
                return Err(Wrong::new("opportunity", reason));
            }
        };
        let stored = id.and_then(|id| self.opportunities.get(id)).cloned();
        if stored.as_ref().is_some_and(|stored| stored.account_id != account) {
            return Err(Wrong::new(column, "this opportunity is of another account"));
        }
        Ok((stored, name, external_id))
    }

    fn add(
        &mut self,
        change: &Change<'_, impl ConnectionTrait>,
        account_id: AccountId,
        name: String,
        external_id: Option<String>,
    ) -> OpportunityId {
        let id = OpportunityId::new();
        self.by_name.entry((account_id, name.clone())).or_default().push(id);
        if let Some(external_id) = &external_id {
            self.by_external_id.insert(external_id.clone(), id);
        }
        let model = opportunity::Model {
            organization_id: change.organization(),
            id,
            account_id,
            name,
            external_id,
            archived_at: None,
            version: 1,
            created_at: change.now,
            updated_at: change.now,
        };
        self.opportunities.put(id, model);
        id
    }

    fn stored_input(&self, opportunity: OpportunityId, name: &str) -> Option<&input::Model> {
        let id = self.inputs_by_name.get(&(opportunity, name.to_owned()))?;
        self.inputs.get(*id)
    }

    fn fits(&self, opportunity: OpportunityId, wanted: &WantedInput) -> std::result::Result<(), Wrong> {
        match self.stored_input(opportunity, &wanted.name) {
            Some(stored) if stored.kind != wanted.kind => {
                Err(Wrong::new("kind", format!("the input {:?} is a {} already", wanted.name, stored.kind)))
            }
            _ => Ok(()),
        }
    }

    fn put(
        &mut self,
        change: &Change<'_, impl ConnectionTrait>,
        opportunity_id: OpportunityId,
        wanted: WantedInput,
    ) -> Effect {
        let WantedInput { name, unit, kind, constant_value } = wanted;
        let Some(stored) = self.stored_input(opportunity_id, &name).cloned() else {
            let id = InputId::new();
            self.inputs_by_name.insert((opportunity_id, name.clone()), id);
            let model = input::Model {
                organization_id: change.organization(),
                id,
                opportunity_id,
                name,
                unit: unit.flatten(),
                kind,
                constant_value,
                archived_at: None,
                version: 1,
                created_at: change.now,
                updated_at: change.now,
            };
            self.inputs.put(id, model);
            return Effect::Created;
        };
        let unit = unit.unwrap_or_else(|| stored.unit.clone());
        if stored.unit == unit && stored.constant_value == constant_value {
            return Effect::Unchanged;
        }
        let version = stored.version + 1;
        let next = input::Model { unit, constant_value, version, updated_at: change.now, ..stored };
        self.inputs.put(next.id, next);
        Effect::Updated
    }
}

struct WantedInput {
    name: String,
    /// None when the file has no such column.
    unit: Option<Option<String>>,
    kind: InputKind,
    constant_value: Option<Decimal>,
}

impl WantedInput {
    fn read(name: &str, row: &Row<'_>) -> std::result::Result<Self, Wrong> {
        let name = checked("input", text::name("name", name))?;
        let unit = match row.cell("unit") {
            Some("") => Some(None),
            Some(unit) => Some(Some(checked("unit", text::name("unit", unit))?)),
            None => None,
        };
        let constant: Option<Decimal> = row
            .filled("constant_value")
            .map(|text| {
                text.parse().map_err(|error| Wrong::new("constant_value", format!("{text:?} is {error}")))
            })
            .transpose()?;
        let kind = match row.filled("kind").map(str::to_lowercase).as_deref() {
            None if constant.is_some() => InputKind::Constant,
            None | Some("series") => InputKind::Series,
            Some("constant") => InputKind::Constant,
            Some(other) => {
                return Err(Wrong::new("kind", format!("{other:?} is neither series nor constant")));
            }
        };
        match (kind, &constant) {
            (InputKind::Constant, None) => Err(Wrong::new("constant_value", "a constant needs its value")),
            (InputKind::Series, Some(_)) => Err(Wrong::new("constant_value", "a series has no constant")),
            _ => Ok(Self { name, unit, kind, constant_value: constant }),
        }
    }
}
