//! From (external account, metric, product) to a series, or to the group in which it waits.
//!
//! Answers are remembered for the run and thrown away when anything that decides matching has changed.

use std::collections::HashMap;

use entity::{
    AccountId, Destination, ExternalIdSettingId, InputId, MetricId, OrganizationId, StreamId, UnmatchedReason,
};
use rustc_hash::FxBuildHasher;

use super::dictionary::Dictionary;
use super::links::{Link, links};
use super::matching::{self, Match, Space};
use super::newest::Newest;
use super::series;
use super::store::{Bind, Rows, Store};
use crate::clock::Micros;
use crate::error::{Error, Result};

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

/// Whether readings of an external account and metric go anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Into a series.
    Goes {
        /// The account they are of.
        account: AccountId,
        /// The input they feed, where links decide.
        input: Option<InputId>,
    },
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
    /// Which ID spaces to try; without one, nothing matches.
    pub setting: Option<ExternalIdSettingId>,
    /// The stream is a draft: what is stored of it does not count.
    pub draft: bool,
}

/// Routes the readings of one run.
pub struct Router {
    route: Route,
    version: Option<i64>,
    /// The setting's, as of the version.
    spaces: Vec<Space>,
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
            spaces: Vec::new(),
            accounts: HashMap::default(),
            metrics: HashMap::default(),
            targets: HashMap::default(),
        }
    }

    /// Forgets everything; the dictionary's numbers may then be given out anew.
    pub fn forget(&mut self) {
        self.accounts.clear();
        self.metrics.clear();
        self.targets.clear();
    }

    /// The target of a triple that was resolved.
    pub fn target(&self, triple: Triple) -> Target {
        self.targets.get(&triple).copied().expect("every triple of a batch was resolved")
    }

    /// Makes sure that every triple has a target, once what decides matching is [held still](Self::hold_still).
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

    /// Locks what decides matching against change until the transaction ends. When it has changed since the last time,
    /// forgets the answers, takes the stream's route as it is today, and tells so.
    ///
    /// # Errors
    /// `NotFound` when the stream is gone; otherwise when the database refuses.
    pub async fn hold_still(&mut self, store: &mut Store) -> Result<bool> {
        let version = matching::hold_still(store, self.route.organization).await?;
        if self.version.replace(version) == Some(version) {
            return Ok(false);
        }
        self.forget();
        if !self.route.draft {
            self.reread(store).await?;
        }
        self.spaces = match self.route.setting {
            Some(setting) => matching::spaces(store, self.route.organization, setting).await?,
            None => Vec::new(),
        };
        Ok(true)
    }

    async fn reread(&mut self, store: &mut Store) -> Result<()> {
        let sql =
            "SELECT destination, external_id_setting_id FROM stream WHERE organization_id = $1 AND id = $2";
        let found = store.fetch(sql, &[self.route.organization.0.into(), self.route.stream.0.into()]).await?;
        let stored = found.first().ok_or(Error::NotFound("stream"))?;
        let destination = stored.text(0)?.parse();
        self.route.destination = destination.map_err(|error| Error::internal("read a stream", error))?;
        self.route.setting = stored.maybe_uuid(1)?.map(ExternalIdSettingId);
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
        let found = matching::accounts(store, self.route.organization, &self.spaces, &raws).await?;
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
            let insert = "INSERT INTO metric (organization_id, id, external_id, name, created_at, \
                updated_at) SELECT $1, b.c0, b.c1, b.c1, $2, $2 FROM {rows} WHERE b.c1 IS NOT NULL \
                ON CONFLICT (organization_id, external_id) DO NOTHING";
            store.execute_rows(insert, &[organization.clone(), now.into()], &rows).await?;
        }
        Ok(())
    }

    /// Decides for pairs of external account and metric whether their readings would go somewhere, once what decides
    /// matching is [held still](Self::hold_still). Makes no series.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn decide(
        &mut self,
        store: &mut Store,
        texts: &Dictionary,
        pairs: &[(u32, u32)],
        now: Micros,
    ) -> Result<Vec<Outcome>> {
        let triples: Vec<Triple> = pairs.iter().map(|(account, metric)| (*account, *metric, 0)).collect();
        self.match_accounts(store, texts, &triples).await?;
        self.find_metrics(store, texts, &triples, now).await?;
        self.outcomes(store, pairs).await
    }

    /// The outcomes of pairs whose accounts were matched and whose metrics were found.
    async fn outcomes(&self, store: &mut Store, pairs: &[(u32, u32)]) -> Result<Vec<Outcome>> {
        let known = |pair: &(u32, u32)| match (self.accounts.get(&pair.0), self.metrics.get(&pair.1)) {
            (Some(Match::Account { account, archived: false, .. }), Some(metric)) => {
                Some((account.0, metric.0))
            }
            _ => None,
        };
        let links = match self.route.destination {
            Destination::Inputs => {
                links(store, self.route.organization, pairs.iter().filter_map(known).collect()).await?
            }
            Destination::Usage => HashMap::new(),
        };
        let outcome = |pair: &(u32, u32)| match self.accounts.get(&pair.0) {
            Some(Match::Account { archived: true, .. }) => Outcome::Waits(UnmatchedReason::TargetGone),
            Some(Match::Ambiguous) => Outcome::Waits(UnmatchedReason::AccountAmbiguous),
            Some(Match::Unknown) | None => Outcome::Waits(UnmatchedReason::AccountUnknown),
            Some(Match::Account { account, .. }) if self.route.destination == Destination::Usage => {
                Outcome::Goes { account: *account, input: None }
            }
            Some(Match::Account { account, .. }) => match known(pair).and_then(|pair| links.get(&pair)) {
                Some(Link::Live(input)) => Outcome::Goes { account: *account, input: Some(*input) },
                Some(Link::Disabled) => Outcome::Waits(UnmatchedReason::LinkDisabled),
                Some(Link::TargetGone) => Outcome::Waits(UnmatchedReason::TargetGone),
                None => Outcome::Waits(UnmatchedReason::MetricUnlinked),
            },
        };
        Ok(pairs.iter().map(outcome).collect())
    }

    async fn find_targets(
        &mut self,
        store: &mut Store,
        texts: &Dictionary,
        newest: &mut Newest,
        triples: &[Triple],
        now: Micros,
    ) -> Result<()> {
        let pairs: Vec<(u32, u32)> = triples.iter().map(|triple| (triple.0, triple.1)).collect();
        let outcomes = self.outcomes(store, &pairs).await?;
        let mut matched: Vec<(Triple, AccountId, MetricId)> = Vec::new();
        for (triple, outcome) in triples.iter().zip(outcomes) {
            match (outcome, self.metrics.get(&triple.1)) {
                (Outcome::Goes { account, .. }, Some(metric)) => matched.push((*triple, account, *metric)),
                (Outcome::Goes { .. }, None) => {
                    return Err(Error::internal("route a reading", "its metric was not looked up"));
                }
                (Outcome::Waits(reason), _) => _ = self.targets.insert(*triple, Target::Waits(reason)),
            }
        }
        let key = (self.route.organization, self.route.stream);
        let found = series::find(store, key, texts, newest, &matched, now).await?;
        self.targets.extend(found.into_iter().map(|(triple, series)| (triple, Target::Series(series))));
        Ok(())
    }
}
