//! Which groups a change of matching may free.

use std::collections::BTreeMap;

use entity::{OrganizationId, StreamId, UnmatchedReason};

use super::store::{Bind, Record, Store};
use crate::app::App;
use crate::domain::matching_change::Scope;
use crate::domain::normalizer::normalize;
use crate::error::Result;

/// A group with rows waiting.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The group.
    pub id: i64,
    /// Why its rows wait.
    pub reason: UnmatchedReason,
    /// The external account ID.
    pub account: String,
    /// The external metric ID.
    pub metric: String,
}

/// Groups looked at in one go.
const GROUPS: i64 = 5_000;

/// The groups in scope that have rows waiting, page by page.
#[derive(Debug)]
pub struct Candidates {
    organization: OrganizationId,
    wanted: Wanted,
    after: i64,
}

impl Candidates {
    /// Looks up what the scope names.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn of(app: &App, organization: OrganizationId, scope: &Scope) -> Result<Self> {
        let mut store = Store::begin_reading(&app.db).await?;
        let wanted = wanted(&mut store, organization, scope).await?;
        store.commit().await?;
        Ok(Self { organization, wanted, after: 0 })
    }

    /// The next page, by stream; none when there are no more.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn next(&mut self, app: &App) -> Result<Option<BTreeMap<StreamId, Vec<Candidate>>>> {
        let sql = "SELECT g.id, g.stream_id, g.reason, g.external_account, g.external_metric FROM unmatched_group g \
            WHERE g.organization_id = $1 AND g.id > $2 AND g.waiting > 0 \
            AND g.stream_id NOT IN (SELECT id FROM stream WHERE deleted_at IS NOT NULL) ORDER BY g.id LIMIT $3";
        let binds: [Bind; 3] = [self.organization.0.into(), self.after.into(), GROUPS.into()];
        let mut store = Store::begin_reading(&app.db).await?;
        let page = store.fetch(sql, &binds).await?;
        store.commit().await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.after = last.int(0)?;
        let mut streams: BTreeMap<StreamId, Vec<Candidate>> = BTreeMap::new();
        for record in page {
            let candidate = Candidate {
                id: record.int(0)?,
                reason: reason(&record)?,
                account: record.text(3)?.to_owned(),
                metric: record.text(4)?.to_owned(),
            };
            let stream = StreamId(record.uuid(1)?);
            if self.wanted.covers(stream, &candidate) {
                streams.entry(stream).or_default().push(candidate);
            }
        }
        Ok(Some(streams))
    }
}

fn reason(record: &Record) -> Result<UnmatchedReason> {
    record.text(2)?.parse().map_err(|error| crate::error::Error::internal("read a group", error))
}

/// A scope with its names looked up.
#[derive(Debug, Default)]
struct Wanted {
    stream: Option<StreamId>,
    groups: Option<Vec<i64>>,
    /// Rule and normalized ID of the external accounts meant.
    accounts: Option<Vec<(entity::Normalizer, String)>>,
    metric: Option<String>,
}

impl Wanted {
    fn covers(&self, stream: StreamId, candidate: &Candidate) -> bool {
        let account = |(rule, id): &(entity::Normalizer, String)| {
            normalize(*rule, &candidate.account).value.as_ref() == Some(id)
        };
        self.stream.is_none_or(|wanted| wanted == stream)
            && self.groups.as_ref().is_none_or(|groups| groups.binary_search(&candidate.id).is_ok())
            && self.metric.as_ref().is_none_or(|metric| *metric == candidate.metric)
            && self.accounts.as_ref().is_none_or(|accounts| accounts.iter().any(account))
    }
}

async fn wanted(store: &mut Store, organization: OrganizationId, scope: &Scope) -> Result<Wanted> {
    Ok(match scope {
        Scope::Everything | Scope::Space { .. } | Scope::Ignored | Scope::Rejected { .. } => {
            Wanted::default()
        }
        Scope::Stream { stream } => Wanted { stream: Some(*stream), ..Wanted::default() },
        Scope::Groups { groups } => {
            let mut groups: Vec<i64> = groups.iter().map(|group| group.0).collect();
            groups.sort_unstable();
            Wanted { groups: Some(groups), ..Wanted::default() }
        }
        Scope::ExternalAccounts { space, normalized } => {
            let sql = "SELECT normalizer FROM id_space WHERE organization_id = $1 AND name = $2";
            let found = store.fetch(sql, &[organization.0.into(), space.as_str().into()]).await?;
            let accounts = match found.first() {
                Some(record) => {
                    let rule = rule(record, 0)?;
                    normalized.iter().map(|id| (rule, id.clone())).collect()
                }
                None => Vec::new(),
            };
            Wanted { accounts: Some(accounts), ..Wanted::default() }
        }
        Scope::Account { account, metric } => {
            let sql = "SELECT s.normalizer, e.normalized FROM external_id e JOIN id_space s \
                ON s.organization_id = e.organization_id AND s.name = e.space \
                WHERE e.organization_id = $1 AND e.account_id = $2";
            let mut accounts = Vec::new();
            for record in store.fetch(sql, &[organization.0.into(), account.0.into()]).await? {
                accounts.push((rule(&record, 0)?, record.text(1)?.to_owned()));
            }
            let name = match metric {
                Some(metric) => {
                    let sql = "SELECT external_id FROM metric WHERE organization_id = $1 AND id = $2";
                    let found = store.fetch(sql, &[organization.0.into(), metric.0.into()]).await?;
                    found.first().map(|record| record.text(0).map(str::to_owned)).transpose()?
                }
                None => None,
            };
            Wanted { accounts: Some(accounts), metric: name, ..Wanted::default() }
        }
    })
}

fn rule(record: &Record, index: usize) -> Result<entity::Normalizer> {
    record.text(index)?.parse().map_err(|error| crate::error::Error::internal("read an ID space", error))
}
