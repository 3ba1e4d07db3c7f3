//! Series brought in line with what matching says today: their account, and the text that names them.
//!
//! A series is named by its external account as the deciding space normalizes it. When that text changes, the series is
//! renamed, or joined to the one that has the text already, as if its rows had been read by the rules of today.

use std::collections::HashSet;

use entity::{ExternalIdSettingId, OrganizationId, StreamId, external_id_setting, stream};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tokio_util::sync::CancellationToken;

use super::bound::{Bound, Due, names, pour, rename};
use super::checkpoint::Checkpoint;
use super::matching::{self, Match, Space};
use super::plan::cursor_kind;
use super::store::{Bind, Rows, Store};
use crate::app::App;
use crate::domain::kept::Kept;
use crate::domain::{external_id_setting as setting, id_space};
use crate::error::Result;

/// Series looked at, and at most changed, in one transaction.
const SERIES: i64 = 1_000;

/// Whose series are brought in line.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// The organization's.
    All,
    /// One stream's.
    Stream(StreamId),
    /// Of streams that try this space and others with another normalizer: an ID of it may give series another name.
    Mixed(&'a str),
}

/// Brings series in line.
///
/// # Errors
/// When the database refuses; what was committed before stays done.
pub async fn series(
    app: &App,
    organization: OrganizationId,
    whose: Whose<'_>,
    stop: &CancellationToken,
) -> Result<u64> {
    let mut streams = stream::Entity::kept(organization);
    if let Whose::Stream(only) = whose {
        streams = streams.filter(stream::Column::Id.eq(only));
    }
    if let Whose::Mixed(space) = whose {
        let settings = mixed(app, organization, space).await?;
        streams = streams.filter(stream::Column::ExternalIdSettingId.is_in(settings));
    }
    let mut changed = 0;
    for stream in streams.all(app.db.orm()).await? {
        let Some(setting) = stream.external_id_setting_id else { continue };
        match (OfStream { app, stream: &stream, setting, stop }).all().await {
            Ok(moved) => changed += moved,
            // A setting that names a space that is gone, or a stream that was deleted in between.
            Err(error) if !error.transient() => continue,
            Err(error) => return Err(error),
        }
    }
    Ok(changed)
}

/// The settings that try a space beside spaces with other normalizers.
async fn mixed(app: &App, organization: OrganizationId, space: &str) -> Result<Vec<ExternalIdSettingId>> {
    let normalizers = id_space::normalizers(app.db.orm(), organization).await?;
    let all = external_id_setting::Entity::find()
        .filter(external_id_setting::Column::OrganizationId.eq(organization))
        .all(app.db.orm())
        .await?;
    let mut found = Vec::new();
    for model in all {
        let spaces = setting::spaces(&model)?;
        let rules: HashSet<_> = spaces.iter().filter_map(|name| normalizers.get(name)).collect();
        if rules.len() > 1 && spaces.iter().any(|name| name == space) {
            found.push(model.id);
        }
    }
    Ok(found)
}

/// The series of one stream.
struct OfStream<'a> {
    app: &'a App,
    stream: &'a stream::Model,
    setting: ExternalIdSettingId,
    stop: &'a CancellationToken,
}

impl OfStream<'_> {
    async fn all(&self) -> Result<u64> {
        let (mut changed, mut after) = (0, None::<[Bind; 3]>);
        while !self.stop.is_cancelled() {
            let mut store = Store::begin_reading(&self.app.db).await?;
            let mut binds: Vec<Bind> = self.key().into();
            binds.push(SERIES.into());
            let beyond = if after.is_some() {
                "AND (metric_id, external_account, product) > ($4, $5, $6)"
            } else {
                ""
            };
            binds.extend(after.into_iter().flatten());
            let sql = format!(
                "SELECT {} FROM series WHERE organization_id = $1 AND stream_id = $2 {beyond} \
                 ORDER BY metric_id, external_account, product LIMIT $3",
                Bound::COLUMNS
            );
            let page = store.fetch(&sql, &binds).await?;
            let page = page.iter().map(Bound::of).collect::<Result<Vec<_>>>()?;
            let Some(last) = page.last() else { break };
            after = Some([last.metric.into(), last.text.as_str().into(), last.product.as_str().into()]);
            let due = self.due(&mut store, page).await?;
            store.commit().await?;
            if due.is_empty() {
                continue;
            }
            let (done, others) = self.point(due).await?;
            changed += done;
            for series in others {
                changed += 1;
                while !self.stop.is_cancelled() && self.join(&series).await? {}
            }
        }
        Ok(changed)
    }

    fn key(&self) -> [Bind; 2] {
        [self.stream.organization_id.0.into(), self.stream.id.0.into()]
    }

    /// The series that are not in line.
    async fn due(&self, store: &mut Store, series: Vec<Bound>) -> Result<Vec<Due>> {
        let organization = self.stream.organization_id;
        let spaces: Vec<Space> = matching::spaces(store, organization, self.setting).await?;
        let raws: Vec<&str> = series.iter().map(|one| one.raw.as_str()).collect();
        let found = matching::accounts(store, organization, &spaces, &raws).await?;
        let judged = series.into_iter().zip(found).map(|(series, found)| match found {
            Match::Account { account, normalized, .. } => {
                Due { account: Some(account.0), text: normalized, series }
            }
            Match::Unknown | Match::Ambiguous => Due { account: None, text: series.text.clone(), series },
        });
        Ok(judged.filter(|due| due.renamed() || due.account != due.series.account).collect())
    }

    /// Begins a transaction in which nobody else writes to the stream, and nothing that decides matching changes.
    async fn begin(&self) -> Result<(Store, Checkpoint)> {
        let mut store = Store::begin(&self.app.db).await?;
        let (organization, stream) = (self.stream.organization_id, self.stream.id);
        let cursor = (self.stream.cursor_column.as_str(), cursor_kind(self.stream.cursor_kind));
        let now = self.app.clock.now();
        let checkpoint = Checkpoint::lock(&mut store, organization, stream, cursor, now).await?;
        matching::hold_still(&mut store, organization).await?;
        Ok((store, checkpoint))
    }

    /// Points series to their accounts, and renames those whose new name is free. Gives how many it changed, and those
    /// whose name is taken.
    async fn point(&self, due: Vec<Due>) -> Result<(u64, Vec<Bound>)> {
        let (mut store, _checkpoint) = self.begin().await?;
        let due = self.due(&mut store, due.into_iter().map(|due| due.series).collect()).await?;
        let (mut renamed, pointed): (Vec<Due>, Vec<Due>) = due.into_iter().partition(Due::renamed);
        let rows = Rows::new()
            .ints(pointed.iter().map(|due| due.series.id))
            .maybe_uuids(pointed.iter().map(|due| due.account));
        let sql = "UPDATE series AS s SET account_id = b.c1 FROM {rows} WHERE s.id = b.c0";
        let mut changed = store.execute_rows(sql, &[], &rows).await?;

        let mut taken = HashSet::new();
        for record in store.fetch_rows(&self.by_name(&store), &self.key(), &names(&renamed)).await? {
            taken.insert((record.uuid(1)?, record.text(3)?.to_owned(), record.text(2)?.to_owned()));
        }
        let mut others = Vec::new();
        renamed.retain(|due| {
            let free = taken.insert((due.series.metric, due.text.clone(), due.series.product.clone()));
            if !free {
                others.push(due.series.clone());
            }
            free
        });
        changed += rename(&mut store, &renamed).await?;
        store.commit().await?;
        Ok((changed, others))
    }

    /// Finds series by the metric, name and product of [`names`].
    fn by_name(&self, store: &Store) -> String {
        let columns = Bound::COLUMNS.split(", ").map(|column| format!("s.{column}")).collect::<Vec<_>>();
        store.seek(
            &columns.join(", "),
            ("series", "s"),
            &[
                ("organization_id", "$1"),
                ("stream_id", "$2"),
                ("metric_id", "b.c0"),
                ("external_account", "b.c1"),
                ("product", "b.c2"),
            ],
        )
    }

    /// Moves some of what a series holds to the one that has its name, and once it holds nothing deletes it. Tells
    /// whether there is more to do.
    async fn join(&self, series: &Bound) -> Result<bool> {
        let (mut store, mut checkpoint) = self.begin().await?;
        let sql = format!(
            "SELECT {} FROM series WHERE id = $3 AND organization_id = $1 AND stream_id = $2",
            Bound::COLUMNS
        );
        let [organization, stream] = self.key();
        let found = store.fetch(&sql, &[organization, stream, series.id.into()]).await?;
        let found = found.iter().map(Bound::of).collect::<Result<Vec<_>>>()?;
        let due: Vec<Due> = self.due(&mut store, found).await?.into_iter().filter(Due::renamed).collect();
        let target = store.fetch_rows(&self.by_name(&store), &self.key(), &names(&due)).await?;
        let more = match target.first() {
            Some(target) => pour(&mut store, series.id, target.int(0)?, self.app.clock.now()).await?,
            None => {
                rename(&mut store, &due).await?;
                false
            }
        };
        checkpoint.touch(&mut store).await?;
        self.app.faults.pass("series.joined")?;
        store.commit().await?;
        Ok(more)
    }
}
