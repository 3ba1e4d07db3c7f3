//! From (external account, metric, product) to a series, or to the group in which it waits.
//!
//! Answers are remembered for the run and thrown away when anything that decides matching has changed.

use std::collections::HashMap;

use entity::{AccountId, Destination, MetricId, OrganizationId, StreamId, UnmatchedReason};
use rustc_hash::FxBuildHasher;
use uuid::Uuid;

use super::dictionary::Dictionary;
use super::matching::{self, Match, Space};
use super::newest::Newest;
use super::store::{Bind, Rows, Store};
use crate::clock::Micros;
use crate::error::Result;

/// External account, metric and product, as numbers of the run's dictionary.
pub type Triple = (u32, u32, u32);

/// Where a reading goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Into this series.
    Series(i64),
    /// Nowhere yet.
    Waits(UnmatchedReason),
}

/// The stream whose readings are routed.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its organization.
    pub organization: OrganizationId,
    /// The stream.
    pub stream: StreamId,
    /// Series on first sight, or only what is linked.
    pub destination: Destination,
    /// The ID spaces to try, in order.
    pub spaces: Vec<Space>,
}

/// Routes the readings of one run.
pub struct Router {
    route: Route,
    version: Option<i64>,
    accounts: HashMap<u32, Match, FxBuildHasher>,
    metrics: HashMap<u32, MetricId, FxBuildHasher>,
    targets: HashMap<Triple, Target, FxBuildHasher>,
}

impl Router {
    /// Starts with nothing remembered.
    pub fn new(route: Route) -> Self {
        Self {
            route,
            version: None,
            accounts: HashMap::default(),
            metrics: HashMap::default(),
            targets: HashMap::default(),
        }
    }

    /// The stream it routes for.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// Forgets everything; the dictionary's numbers may then be given out anew.
    pub fn forget(&mut self) {
        self.accounts.clear();
        self.metrics.clear();
        self.targets.clear();
    }

    /// How much is remembered.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Tells whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The target of a triple that was resolved.
    pub fn target(&self, triple: Triple) -> Target {
        self.targets.get(&triple).copied().expect("every triple of a batch was resolved")
    }

    /// Makes sure that every triple has a target. Nothing that decides matching changes until the transaction ends.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn resolve(
        &mut self,
        store: &mut Store,
        texts: &Dictionary,
        newest: &mut Newest,
        triples: impl Iterator<Item = Triple>,
        now: Micros,
    ) -> Result<()> {
        self.hold_still(store).await?;
        let mut missing: Vec<Triple> = triples.filter(|triple| !self.targets.contains_key(triple)).collect();
        missing.sort_unstable();
        missing.dedup();
        for part in missing.chunks(10_000) {
            self.match_accounts(store, texts, part).await?;
            self.find_metrics(store, texts, part, now).await?;
            self.find_targets(store, texts, newest, part, now).await?;
        }
        Ok(())
    }

    /// Locks what decides matching against change, and forgets the answers when it has changed.
    async fn hold_still(&mut self, store: &mut Store) -> Result<()> {
        let sql =
            format!("SELECT version FROM match_state WHERE organization_id = $1 {}", store.share_lock());
        let found = store.fetch(&sql, &[self.route.organization.0.into()]).await?;
        let version = found.first().map_or(Ok(0), |record| record.int(0))?;
        if self.version.replace(version) != Some(version) {
            self.forget();
        }
        Ok(())
    }

    async fn match_accounts(
        &mut self,
        store: &mut Store,
        texts: &Dictionary,
        triples: &[Triple],
    ) -> Result<()> {
        let mut open: Vec<u32> = triples
            .iter()
            .map(|triple| triple.0)
            .filter(|number| !self.accounts.contains_key(number))
            .collect();
        open.sort_unstable();
        open.dedup();
        let raws: Vec<&str> = open.iter().map(|number| texts.text(*number)).collect();
        let found = matching::accounts(store, self.route.organization, &self.route.spaces, &raws).await?;
        self.accounts.extend(open.into_iter().zip(found));
        Ok(())
    }

    /// Finds or makes the metrics; a metric exists from the first row that names it.
    async fn find_metrics(
        &mut self,
        store: &mut Store,
        texts: &Dictionary,
        triples: &[Triple],
        now: Micros,
    ) -> Result<()> {
        let mut open: Vec<u32> = triples
            .iter()
            .map(|triple| triple.1)
            .filter(|number| !self.metrics.contains_key(number))
            .collect();
        open.sort_unstable_by_key(|number| texts.text(*number));
        open.dedup();
        let organization: Bind = self.route.organization.0.into();
        let select = "SELECT b.c0, m.id FROM {rows} CROSS JOIN metric m \
            WHERE m.organization_id = $1 AND m.external_id = b.c1";
        for pass in 0..2 {
            let rows = Rows::new()
                .ints(open.iter().map(|number| i64::from(*number)))
                .texts(open.iter().map(|number| texts.text(*number)));
            for record in store.fetch_rows(select, std::slice::from_ref(&organization), &rows).await? {
                self.metrics.insert(record.int(0)? as u32, MetricId(record.uuid(1)?));
            }
            open.retain(|number| !self.metrics.contains_key(number));
            if open.is_empty() || pass == 1 {
                break;
            }
            let rows = Rows::new()
                .uuids(open.iter().map(|_| MetricId::new().0))
                .texts(open.iter().map(|number| texts.text(*number)));
            let insert = "INSERT INTO metric (organization_id, id, external_id, name, aggregation, created_at, \
                updated_at) SELECT $1, b.c0, b.c1, b.c1, 'gauge', $2, $2 FROM {rows} WHERE b.c1 IS NOT NULL \
                ON CONFLICT (organization_id, external_id) DO NOTHING";
            store.execute_rows(insert, &[organization.clone(), now.into()], &rows).await?;
        }
        Ok(())
    }

    async fn find_targets(
        &mut self,
        store: &mut Store,
        texts: &Dictionary,
        newest: &mut Newest,
        triples: &[Triple],
        now: Micros,
    ) -> Result<()> {
        let mut matched: Vec<(Triple, AccountId, MetricId)> = Vec::new();
        for triple in triples {
            match self.accounts.get(&triple.0) {
                Some(Match::Account { account, archived: false, .. }) => {
                    if let Some(metric) = self.metrics.get(&triple.1) {
                        matched.push((*triple, *account, *metric));
                    }
                }
                Some(Match::Account { archived: true, .. }) => {
                    self.wait(*triple, UnmatchedReason::TargetGone)
                }
                Some(Match::Ambiguous) => self.wait(*triple, UnmatchedReason::AccountAmbiguous),
                Some(Match::Unknown) | None => self.wait(*triple, UnmatchedReason::AccountUnknown),
            }
        }
        if self.route.destination == Destination::Inputs {
            let links = links(store, self.route.organization, &matched).await?;
            matched.retain(|(triple, account, metric)| match links.get(&(account.0, metric.0)) {
                Some(Link::Live) => true,
                Some(Link::Disabled) => {
                    self.targets.insert(*triple, Target::Waits(UnmatchedReason::LinkDisabled));
                    false
                }
                Some(Link::TargetGone) => {
                    self.targets.insert(*triple, Target::Waits(UnmatchedReason::TargetGone));
                    false
                }
                None => {
                    self.targets.insert(*triple, Target::Waits(UnmatchedReason::MetricUnlinked));
                    false
                }
            });
        }
        self.find_series(store, texts, newest, &matched, now).await
    }

    fn wait(&mut self, triple: Triple, reason: UnmatchedReason) {
        self.targets.insert(triple, Target::Waits(reason));
    }

    /// Finds or makes the series, and binds each to the account its external ID now means.
    async fn find_series(
        &mut self,
        store: &mut Store,
        texts: &Dictionary,
        newest: &mut Newest,
        matched: &[(Triple, AccountId, MetricId)],
        now: Micros,
    ) -> Result<()> {
        let binds: [Bind; 3] = [self.route.organization.0.into(), self.route.stream.0.into(), now.into()];
        let mut open: Vec<usize> = (0..matched.len()).collect();
        let mut rebind: Vec<(i64, AccountId)> = Vec::new();
        for pass in 0..2 {
            let select = "SELECT b.c0, s.id, s.account_id FROM {rows} CROSS JOIN series s \
                WHERE s.organization_id = $1 AND s.stream_id = $2 AND s.metric_id = b.c1 \
                AND s.external_account = b.c2 AND s.product = b.c3";
            let rows = self.series_rows(texts, matched, &open);
            let mut found = vec![false; matched.len()];
            for record in store.fetch_rows(select, &binds[..2], &rows).await? {
                let index = record.int(0)? as usize;
                let (triple, account, _) = matched[index];
                let series = record.int(1)?;
                found[index] = true;
                if record.maybe_uuid(2)? != Some(account.0) {
                    rebind.push((series, account));
                }
                self.targets.insert(triple, Target::Series(series));
                if pass == 1 {
                    newest.made(series);
                }
            }
            open.retain(|index| !found[*index]);
            if open.is_empty() || pass == 1 {
                break;
            }
            let rows = self.series_rows(texts, matched, &open);
            let insert = "INSERT INTO series (organization_id, stream_id, metric_id, external_account, product, \
                account_id, created_at) SELECT DISTINCT $1, $2, b.c1, b.c2, b.c3, b.c4, $3 FROM {rows} WHERE true \
                ON CONFLICT (organization_id, stream_id, metric_id, external_account, product) DO NOTHING";
            store.execute_rows(insert, &binds, &rows).await?;
        }
        rebind.sort_unstable();
        rebind.dedup();
        let rows =
            Rows::new().ints(rebind.iter().map(|(id, _)| *id)).uuids(rebind.iter().map(|(_, id)| id.0));
        let update = "UPDATE series AS s SET account_id = b.c1 FROM {rows} WHERE s.id = b.c0";
        store.execute_rows(update, &[], &rows).await?;
        Ok(())
    }

    fn series_rows(
        &self,
        texts: &Dictionary,
        matched: &[(Triple, AccountId, MetricId)],
        open: &[usize],
    ) -> Rows {
        let normalized = |number: u32| match self.accounts.get(&number) {
            Some(Match::Account { normalized, .. }) => normalized.as_str(),
            _ => texts.text(number),
        };
        let at = |index: &usize| matched[*index];
        Rows::new()
            .ints(open.iter().map(|index| *index as i64))
            .uuids(open.iter().map(|index| at(index).2.0))
            .texts(open.iter().map(|index| normalized(at(index).0.0)))
            .texts(open.iter().map(|index| texts.text(at(index).0.2)))
            .uuids(open.iter().map(|index| at(index).1.0))
    }
}

/// What a metric link says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Live,
    Disabled,
    TargetGone,
}

async fn links(
    store: &mut Store,
    organization: OrganizationId,
    matched: &[(Triple, AccountId, MetricId)],
) -> Result<HashMap<(Uuid, Uuid), Link>> {
    let mut pairs: Vec<(Uuid, Uuid)> =
        matched.iter().map(|(_, account, metric)| (account.0, metric.0)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let rows = Rows::new().uuids(pairs.iter().map(|pair| pair.0)).uuids(pairs.iter().map(|pair| pair.1));
    let sql = "SELECT l.account_id, l.metric_id, l.enabled, \
        CASE WHEN i.archived_at IS NULL AND o.archived_at IS NULL THEN 0 ELSE 1 END \
        FROM {rows} CROSS JOIN metric_link l CROSS JOIN input i CROSS JOIN opportunity o \
        WHERE l.organization_id = $1 AND l.account_id = b.c0 AND l.metric_id = b.c1 \
        AND i.organization_id = l.organization_id AND i.id = l.input_id \
        AND o.organization_id = i.organization_id AND o.id = i.opportunity_id";
    let mut links = HashMap::new();
    for record in store.fetch_rows(sql, &[organization.0.into()], &rows).await? {
        let link = match (record.bool(2)?, record.int(3)?) {
            (false, _) => Link::Disabled,
            (true, 0) => Link::Live,
            (true, _) => Link::TargetGone,
        };
        links.insert((record.uuid(0)?, record.uuid(1)?), link);
    }
    Ok(links)
}
