//! The rows that did not become measurements, kept whole until someone or something helps them on.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use entity::{OrganizationId, StreamId, WaitingKind};
use rustc_hash::FxBuildHasher;

use super::groups::{GroupKey, Groups};
use super::store::{Bind, Insert, Rows, Store};
use crate::clock::Micros;
use crate::error::Result;

/// Row keys of this run that are remembered at most; past it, every batch asks the database.
const REMEMBERED: usize = 400_000;

/// Why an item waits.
#[derive(Clone, Debug)]
pub enum Why<'a> {
    /// It matches nothing yet.
    Unmatched(GroupKey),
    /// It cannot be read.
    Rejected {
        /// The stored word of the reason.
        reason: &'static str,
        /// The column at fault.
        column: &'a str,
        /// The text at fault.
        raw: String,
    },
}

/// A reading or row that waits.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// Its row's key.
    pub row_key: &'a str,
    /// The metric column of a wide row, else empty.
    pub part: &'a str,
    /// Why it waits.
    pub why: Why<'a>,
    /// The number of the run that read it.
    pub run: i64,
    /// The rank of its row's cursor.
    pub cursor: i64,
    /// The product, or empty.
    pub product: &'a str,
    /// The canonical value.
    pub value: Option<&'a str>,
    /// Microseconds since 1970, UTC.
    pub measured_at: Option<i64>,
    /// The business period.
    pub period: Option<&'a str>,
    /// The whole row as JSON.
    pub row: String,
}

/// What waits of one stream, as far as a run must know it.
pub struct Waiting {
    organization: OrganizationId,
    stream: StreamId,
    /// Rows waited before this run began, or were written by others since.
    before: bool,
    /// Hashes of the row keys this run has written.
    mine: HashSet<u64, FxBuildHasher>,
}

/// An item found in the table.
struct Kept {
    id: i64,
    part: String,
    group: Option<i64>,
    cursor: i64,
    row: String,
    reason: Option<String>,
}

impl Waiting {
    /// Starts a run.
    pub fn new(organization: OrganizationId, stream: StreamId) -> Self {
        Self { organization, stream, before: true, mine: HashSet::default() }
    }

    /// Looks whether anything waits at all; called at the start of a run and after others wrote to the stream.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn look(&mut self, store: &mut Store) -> Result<()> {
        let sql = "SELECT CASE WHEN EXISTS (SELECT 1 FROM waiting_row WHERE organization_id = $1 AND stream_id = $2) \
            THEN 1 ELSE 0 END";
        let found = store.fetch(sql, &[self.organization.0.into(), self.stream.0.into()]).await?;
        self.before = found.first().map_or(Ok(1), |record| record.int(0))? != 0;
        self.mine.clear();
        Ok(())
    }

    /// Keeps the items of a batch and takes out what earlier versions of its rows had waiting.
    ///
    /// `keys` are the keys of all rows of the batch, whatever became of them. Items with one key and part are the
    /// same content and kept once.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn write<'a>(
        &mut self,
        store: &mut Store,
        groups: &mut Groups,
        keys: impl Iterator<Item = &'a str>,
        items: &[Item<'a>],
        now: Micros,
    ) -> Result<()> {
        let mut asked: Vec<&str> = if self.before {
            keys.collect()
        } else if self.mine.is_empty() {
            Vec::new()
        } else {
            keys.filter(|key| self.mine.contains(&FxBuildHasher.hash_one(*key))).collect()
        };
        // A key asked for twice would be found twice: once to stay and once to go.
        asked.sort_unstable();
        asked.dedup();
        let mut kept = self.find(store, &asked).await?;
        let unmatched = items.iter().filter_map(|item| match &item.why {
            Why::Unmatched(key) => Some(key),
            Why::Rejected { .. } => None,
        });
        groups.ensure(store, unmatched, now).await?;
        let mut insert = Insert::new(store.backend(), "waiting_row", COLUMNS);
        let mut once = HashSet::with_capacity_and_hasher(items.len(), FxBuildHasher);
        for item in items {
            if !once.insert((item.row_key, item.part)) {
                continue;
            }
            let group = match &item.why {
                Why::Unmatched(key) => Some(groups.id(key)),
                Why::Rejected { .. } => None,
            };
            let old = kept.get_mut(item.row_key).and_then(|found| {
                let place = found.iter().position(|kept| kept.part == item.part)?;
                Some((place, found))
            });
            if let Some((place, found)) = old
                && found[place].stays(item, group)
            {
                found.swap_remove(place);
                if let (Why::Unmatched(key), Some(group)) = (&item.why, group) {
                    groups.stay(key, group);
                }
                continue;
            }
            if let (Why::Unmatched(key), Some(group)) = (&item.why, group) {
                groups.join(key, group);
            }
            self.push(&mut insert, item, group, now);
            if !self.before {
                self.mine.insert(FxBuildHasher.hash_one(item.row_key));
            }
        }
        let gone: Vec<Kept> = kept.into_values().flatten().collect();
        for item in &gone {
            if let Some(group) = item.group {
                groups.leave(group, 1);
            }
        }
        for part in gone.chunks(5_000) {
            let rows = Rows::new().ints(part.iter().map(|kept| kept.id));
            store
                .execute_rows("DELETE FROM waiting_row WHERE id IN (SELECT b.c0 FROM {rows})", &[], &rows)
                .await?;
        }
        insert.write(store).await?;
        if self.mine.len() > REMEMBERED {
            self.mine = HashSet::default();
            self.before = true;
        }
        Ok(())
    }

    async fn find(&self, store: &mut Store, keys: &[&str]) -> Result<HashMap<String, Vec<Kept>>> {
        let mut found: HashMap<String, Vec<Kept>> = HashMap::new();
        let sql = store.lookup(
            "w.id, w.row_key, w.part, w.group_id, w.cursor, w.row, w.reason",
            ("waiting_row", "w"),
            "w.organization_id = $1 AND w.stream_id = $2 AND w.row_key = b.c0",
        );
        let binds: [Bind; 2] = [self.organization.0.into(), self.stream.0.into()];
        for part in keys.chunks(10_000) {
            for record in store.fetch_rows(&sql, &binds, &Rows::new().texts(part.iter().copied())).await? {
                found.entry(record.text(1)?.to_owned()).or_default().push(Kept {
                    id: record.int(0)?,
                    part: record.text(2)?.to_owned(),
                    group: record.maybe_int(3)?,
                    cursor: record.int(4)?,
                    row: record.text(5)?.to_owned(),
                    reason: record.maybe_text(6)?.map(str::to_owned),
                });
            }
        }
        Ok(found)
    }

    fn push(&self, insert: &mut Insert, item: &Item<'_>, group: Option<i64>, now: Micros) {
        let (kind, reason, column, raw) = match &item.why {
            Why::Unmatched(_) => (WaitingKind::Unmatched, None, None, None),
            Why::Rejected { reason, column, raw } => {
                (WaitingKind::Rejected, Some(*reason), Some(*column), Some(raw.as_str()))
            }
        };
        insert.row();
        insert.uuid(self.organization.0);
        insert.uuid(self.stream.0);
        insert.text(item.row_key);
        insert.text(item.part);
        insert.text(kind.as_str());
        insert.int(group);
        insert.int(item.run);
        insert.int(item.cursor);
        insert.text(item.product);
        insert.decimal(item.value);
        insert.int(item.measured_at);
        insert.text(item.period);
        insert.text(item.row.as_str());
        insert.text(reason);
        insert.text(column);
        insert.text(raw);
        insert.int(now);
    }
}

impl Kept {
    fn stays(&self, item: &Item<'_>, group: Option<i64>) -> bool {
        let reason = match &item.why {
            Why::Unmatched(_) => None,
            Why::Rejected { reason, .. } => Some(*reason),
        };
        self.cursor == item.cursor
            && self.group == group
            && self.reason.as_deref() == reason
            && self.row == item.row
    }
}

const COLUMNS: &[&str] = &[
    "organization_id",
    "stream_id",
    "row_key",
    "part",
    "kind",
    "group_id",
    "run",
    "cursor",
    "product",
    "value",
    "measured_at",
    "period",
    "row",
    "reason",
    "column_name",
    "raw",
    "created_at",
];
