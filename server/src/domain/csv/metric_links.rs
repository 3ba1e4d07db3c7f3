//! Metric links from CSV: `account_id,account_name,metric,opportunity,input,enabled,note`.

use std::collections::{HashMap, HashSet};

use entity::{
    AccountId, InputId, InputKind, MetricId, MetricLinkId, input, metric, metric_link, opportunity,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::accounts::checked;
use super::book::{Accounts, Shelf, having};
use super::table::Row;
use super::{Effect, Report, Wrong};
use crate::domain::change::Change;
use crate::domain::text;
use crate::error::Result;

struct Links {
    accounts: Accounts,
    /// Opportunities by account and name.
    opportunities: HashSet<(AccountId, String)>,
    /// Inputs that can be linked, by account, opportunity name and input name.
    inputs: HashMap<(AccountId, String, String), Vec<InputId>>,
    metrics: Shelf<MetricId, metric::Model>,
    metrics_by_name: HashMap<String, MetricId>,
    links: Shelf<MetricLinkId, metric_link::Model>,
    by_metric: HashMap<(AccountId, MetricId), MetricLinkId>,
    by_input: HashMap<InputId, MetricLinkId>,
}

/// The columns that must be there, and the others.
pub const COLUMNS: (&[&str], &[&str]) =
    (&["metric", "opportunity", "input"], &["account_id", "account_name", "enabled", "note"]);

/// Works out what rows do, and does it if it is to be written. Metrics that no row has named yet are added.
pub async fn import(
    change: &Change<'_, impl ConnectionTrait>,
    rows: &[Row<'_>],
    write: bool,
    report: &mut Report,
) -> Result<()> {
    let mut links = Links::load(change, rows).await?;
    for row in rows {
        let effect = links.take(change, row);
        report.count(row.line, effect);
    }
    if write {
        links.metrics.write::<metric::Entity, metric::ActiveModel>(change.db).await?;
        links.links.write::<metric_link::Entity, metric_link::ActiveModel>(change.db).await?;
    }
    Ok(())
}

impl Links {
    async fn load(change: &Change<'_, impl ConnectionTrait>, rows: &[Row<'_>]) -> Result<Self> {
        let (db, organization) = (change.db, change.organization());
        let accounts = Accounts::load(change, rows, "account_id", "account_name").await?;
        let opportunities = opportunity::Entity::find()
            .filter(opportunity::Column::OrganizationId.eq(organization))
            .filter(opportunity::Column::ArchivedAt.is_null());
        let opportunities = having(db, opportunities, opportunity::Column::AccountId, accounts.ids()).await?;
        let owners: HashMap<_, _> = opportunities.into_iter().map(|row| (row.id, row)).collect();
        let stored = input::Entity::find()
            .filter(input::Column::OrganizationId.eq(organization))
            .filter(input::Column::Kind.eq(InputKind::Series))
            .filter(input::Column::ArchivedAt.is_null());
        let stored = having(db, stored, input::Column::OpportunityId, owners.keys().copied()).await?;
        let mut inputs: HashMap<(AccountId, String, String), Vec<InputId>> = HashMap::new();
        for row in stored {
            if let Some(owner) = owners.get(&row.opportunity_id) {
                let place = (owner.account_id, owner.name.clone(), row.name);
                inputs.entry(place).or_default().push(row.id);
            }
        }
        let metrics = metric::Entity::find().filter(metric::Column::OrganizationId.eq(organization));
        let named = rows.iter().filter_map(|row| row.filled("metric"));
        let metrics = having(db, metrics, metric::Column::ExternalId, named).await?;
        // A link's input is of the link's account, so these are also all that may hold an input named here.
        let links = metric_link::Entity::find().filter(metric_link::Column::OrganizationId.eq(organization));
        let links = having(db, links, metric_link::Column::AccountId, accounts.ids()).await?;
        Ok(Self {
            accounts,
            opportunities: owners.into_values().map(|owner| (owner.account_id, owner.name)).collect(),
            inputs,
            metrics_by_name: metrics.iter().map(|row| (row.external_id.clone(), row.id)).collect(),
            metrics: Shelf::new(metrics.into_iter().map(|row| (row.id, row))),
            by_metric: links.iter().map(|row| ((row.account_id, row.metric_id), row.id)).collect(),
            by_input: links.iter().map(|row| (row.input_id, row.id)).collect(),
            links: Shelf::new(links.into_iter().map(|row| (row.id, row))),
        })
    }

    fn take(
        &mut self,
        change: &Change<'_, impl ConnectionTrait>,
        row: &Row<'_>,
    ) -> std::result::Result<Effect, Wrong> {
        let account = self.accounts.of(row)?;
        let metric = checked("metric", text::name("metric", row.cell("metric").unwrap_or_default()))?;
        let input = self.input(account, row)?;
        let wanted = Wanted::read(row)?;
        let known = self.metrics_by_name.get(&metric).copied();
        let link = known.and_then(|metric| self.by_metric.get(&(account, metric)).copied());
        if let Some(other) = self.by_input.get(&input)
            && Some(*other) != link
        {
            return Err(Wrong::new("input", "another metric feeds this input already"));
        }
        let metric = known.unwrap_or_else(|| self.add_metric(change, metric));
        let stored = link.and_then(|link| self.links.get(link)).cloned();
        let Some(stored) = stored else {
            self.add(change, account, metric, input, wanted);
            return Ok(Effect::Created);
        };
        let next = metric_link::Model {
            input_id: input,
            enabled: wanted.enabled.unwrap_or(stored.enabled),
            note: wanted.note.unwrap_or_else(|| stored.note.clone()),
            ..stored.clone()
        };
        if next == stored {
            return Ok(Effect::Unchanged);
        }
        self.by_input.remove(&stored.input_id);
        self.by_input.insert(input, stored.id);
        let next = metric_link::Model { version: stored.version + 1, updated_at: change.now, ..next };
        self.links.put(next.id, next);
        Ok(Effect::Updated)
    }

    fn input(&self, account: AccountId, row: &Row<'_>) -> std::result::Result<InputId, Wrong> {
        let opportunity = row
            .filled("opportunity")
            .ok_or_else(|| Wrong::new("opportunity", "the opportunity is missing"))?;
        let input = row.filled("input").ok_or_else(|| Wrong::new("input", "the input is missing"))?;
        let place = (account, opportunity.to_owned(), input.to_owned());
        match self.inputs.get(&place).map(Vec::as_slice) {
            Some([id]) => Ok(*id),
            Some(_) => {
                Err(Wrong::new("opportunity", format!("several opportunities are named {opportunity:?}")))
            }
            None if !self.opportunities.contains(&(account, place.1)) => {
                Err(Wrong::new("opportunity", format!("the account has no opportunity {opportunity:?}")))
            }
            None => {
                let reason = format!("the opportunity {opportunity:?} has no input {input:?} of a series");
                Err(Wrong::new("input", reason))
            }
        }
    }

    fn add_metric(&mut self, change: &Change<'_, impl ConnectionTrait>, external_id: String) -> MetricId {
        let id = MetricId::new();
        self.metrics_by_name.insert(external_id.clone(), id);
        let model = metric::Model {
            organization_id: change.organization(),
            id,
            name: external_id.clone(),
            external_id,
            unit: None,
            created_at: change.now,
            updated_at: change.now,
        };
        self.metrics.put(id, model);
        id
    }

    fn add(
        &mut self,
        change: &Change<'_, impl ConnectionTrait>,
        account_id: AccountId,
        metric_id: MetricId,
        input_id: InputId,
        wanted: Wanted,
    ) {
        let id = MetricLinkId::new();
        self.by_metric.insert((account_id, metric_id), id);
        self.by_input.insert(input_id, id);
        let model = metric_link::Model {
            organization_id: change.organization(),
            id,
            account_id,
            metric_id,
            input_id,
            enabled: wanted.enabled.unwrap_or(true),
            note: wanted.note.flatten(),
            created_by: change.viewer.user_id(),
            version: 1,
            created_at: change.now,
            updated_at: change.now,
        };
        self.links.put(id, model);
    }
}

/// The cells that may be left out; none where the row says nothing.
struct Wanted {
    enabled: Option<bool>,
    note: Option<Option<String>>,
}

impl Wanted {
    fn read(row: &Row<'_>) -> std::result::Result<Self, Wrong> {
        let enabled = row.filled("enabled").map(|word| match word.to_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            _ => Err(Wrong::new("enabled", format!("{word:?} is neither true nor false"))),
        });
        let note = match row.cell("note") {
            None => None,
            Some("") => Some(None),
            Some(note) => {
                let made = text::note("note", Some(note.to_owned())).map(Option::unwrap_or_default);
                Some(Some(checked("note", made)?))
            }
        };
        Ok(Self { enabled: enabled.transpose()?, note })
    }
}
