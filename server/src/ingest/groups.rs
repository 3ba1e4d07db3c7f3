//! The groups in which unmatched readings wait, and the rules that ignore some of them.

use std::collections::HashMap;

use entity::{OrganizationId, StreamId, UnmatchedReason};
use rustc_hash::FxBuildHasher;
use uuid::Uuid;

use super::store::{Bind, Rows, Store};
use crate::clock::{Micros, SECOND};
use crate::error::Result;

/// How far the time at which a group was last seen may lie behind. It is in an index, and to write it with each batch
/// would cost more than the rows that join.
const SEEN: Micros = 30 * SECOND;

/// A group's key within its stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupKey {
    /// Why its readings wait.
    pub reason: UnmatchedReason,
    /// The external account ID, as rows have it.
    pub account: String,
    /// The external metric ID.
    pub metric: String,
}

/// A rule that ignores what it names; what it does not name, it does not look at.
#[derive(Clone, Debug)]
struct Rule {
    id: Uuid,
    account: Option<String>,
    metric: Option<String>,
}

/// The groups of one stream, and how many readings joined and left them in the transaction at hand.
pub struct Groups {
    organization: OrganizationId,
    stream: StreamId,
    known: HashMap<GroupKey, i64, FxBuildHasher>,
    rules: Vec<Rule>,
    /// When the first of the rules ends.
    until: Option<Micros>,
    changes: HashMap<i64, Change, FxBuildHasher>,
}

#[derive(Default)]
struct Change {
    joined: i64,
    left: i64,
    rule: Option<Option<Uuid>>,
}

impl Groups {
    /// Starts with nothing remembered.
    pub fn new(organization: OrganizationId, stream: StreamId) -> Self {
        Self {
            organization,
            stream,
            known: HashMap::default(),
            rules: Vec::new(),
            until: None,
            changes: HashMap::default(),
        }
    }

    /// Forgets everything, for a transaction that was undone.
    pub fn forget(&mut self) {
        self.known.clear();
        self.changes.clear();
    }

    /// Tells whether one of the rules has ended by `now`.
    pub fn outlived(&self, now: Micros) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Loads the rules in force at `now`. They stay so while what decides matching is held still.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn load_rules(&mut self, store: &mut Store, now: Micros) -> Result<()> {
        let sql = "SELECT id, external_account, external_metric, expires_at FROM ignore_rule WHERE organization_id = $1 \
            AND (stream_id IS NULL OR stream_id = $2) AND (expires_at IS NULL OR expires_at > $3) ORDER BY id";
        let binds: [Bind; 3] = [self.organization.0.into(), self.stream.0.into(), now.into()];
        self.rules.clear();
        self.until = None;
        for record in store.fetch(sql, &binds).await? {
            let ends = record.maybe_int(3)?;
            self.until = [self.until, ends].into_iter().flatten().min();
            self.rules.push(Rule {
                id: record.uuid(0)?,
                account: record.maybe_text(1)?.map(str::to_owned),
                metric: record.maybe_text(2)?.map(str::to_owned),
            });
        }
        Ok(())
    }

    /// Tells whether a rule ignores such readings.
    pub fn ignored(&self, account: &str, metric: &str) -> bool {
        self.rule(account, metric).is_some()
    }

    fn rule(&self, account: &str, metric: &str) -> Option<Uuid> {
        let fits =
            |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted == text);
        let rule = self.rules.iter().find(|rule| fits(&rule.account, account) && fits(&rule.metric, metric));
        rule.map(|rule| rule.id)
    }

    /// Finds or makes the groups of these keys.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn ensure<'a>(
        &mut self,
        store: &mut Store,
        keys: impl Iterator<Item = &'a GroupKey>,
        now: Micros,
    ) -> Result<()> {
        let mut open: Vec<&GroupKey> = keys.filter(|key| !self.known.contains_key(*key)).collect();
        open.sort_unstable_by(|a, b| {
            (a.reason, &a.account, &a.metric).cmp(&(b.reason, &b.account, &b.metric))
        });
        open.dedup();
        let binds: [Bind; 3] = [self.organization.0.into(), self.stream.0.into(), now.into()];
        let select = store.seek(
            "b.c0, g.id",
            ("unmatched_group", "g"),
            &[
                ("organization_id", "$1"),
                ("stream_id", "$2"),
                ("reason", "b.c1"),
                ("external_account", "b.c2"),
                ("external_metric", "b.c3"),
            ],
        );
        let insert = "INSERT INTO unmatched_group (organization_id, stream_id, reason, external_account, \
            external_metric, waiting, first_seen_at, last_seen_at, status, version) \
            SELECT $1, $2, b.c1, b.c2, b.c3, 0, $3, $3, 'open', 1 FROM {rows} WHERE true \
            ON CONFLICT (organization_id, stream_id, reason, external_account, external_metric) DO NOTHING";
        for part in open.chunks(5_000) {
            let mut part = part.to_vec();
            for pass in 0..2 {
                let found = store.fetch_rows(&select, &binds[..2], &rows(&part)).await?;
                for record in &found {
                    self.known.insert(part[record.int(0)? as usize].clone(), record.int(1)?);
                }
                part.retain(|key| !self.known.contains_key(*key));
                if part.is_empty() || pass == 1 {
                    break;
                }
                store.execute_rows(insert, &binds, &rows(&part)).await?;
            }
        }
        Ok(())
    }

    /// The ID of a group that was ensured.
    pub fn id(&self, key: &GroupKey) -> i64 {
        self.known.get(key).copied().expect("the groups of a batch were ensured")
    }

    /// Notes readings that join a group.
    pub fn join(&mut self, key: &GroupKey, group: i64) {
        let rule = self.rule(&key.account, &key.metric);
        let change = self.changes.entry(group).or_default();
        change.joined += 1;
        change.rule = Some(rule);
    }

    /// Notes a reading that was read again and goes on waiting.
    pub fn stay(&mut self, key: &GroupKey, group: i64) {
        let rule = self.rule(&key.account, &key.metric);
        self.changes.entry(group).or_default().rule = Some(rule);
    }

    /// Notes readings that leave a group.
    pub fn leave(&mut self, group: i64, readings: i64) {
        self.changes.entry(group).or_default().left += readings;
    }

    /// Writes the counts and states of the groups that changed. An empty group is resolved; one that fills again is
    /// open again, or ignored when a rule says so.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn write(&mut self, store: &mut Store, now: Micros) -> Result<()> {
        let mut changes: Vec<(i64, Change)> = self.changes.drain().collect();
        changes.sort_unstable_by_key(|(group, _)| *group);
        let state = |change: &Change| match change.rule {
            None => -1,
            Some(None) => 0,
            Some(Some(_)) => 1,
        };
        let sql = "UPDATE unmatched_group AS g SET waiting = g.waiting + b.c1, \
            last_seen_at = CASE WHEN b.c2 >= 0 AND g.last_seen_at < $2 THEN $1 ELSE g.last_seen_at END, \
            status = CASE WHEN g.waiting + b.c1 <= 0 THEN 'resolved' WHEN b.c2 = 1 THEN 'ignored' \
                WHEN b.c2 = 0 THEN 'open' ELSE g.status END, \
            ignore_rule_id = CASE WHEN b.c2 = 1 THEN b.c3 WHEN b.c2 = 0 THEN NULL ELSE g.ignore_rule_id END, \
            resolved_at = CASE WHEN g.waiting + b.c1 <= 0 THEN $1 ELSE NULL END \
            FROM {rows} WHERE g.id = b.c0";
        for part in changes.chunks(5_000) {
            let rows = Rows::new()
                .ints(part.iter().map(|(group, _)| *group))
                .ints(part.iter().map(|(_, change)| change.joined - change.left))
                .ints(part.iter().map(|(_, change)| state(change)))
                .uuids(part.iter().map(|(_, change)| change.rule.flatten().unwrap_or_default()));
            store.execute_rows(sql, &[now.into(), (now - SEEN).into()], &rows).await?;
        }
        Ok(())
    }
}

fn rows(keys: &[&GroupKey]) -> Rows {
    Rows::new()
        .ints(0..keys.len() as i64)
        .texts(keys.iter().map(|key| key.reason.as_str()))
        .texts(keys.iter().map(|key| key.account.as_str()))
        .texts(keys.iter().map(|key| key.metric.as_str()))
}
