//! How far a stream has been taken in, and the lock that lets one writer at a time into a stream.

use connector::{CursorKind, Position, Watermark};
use entity::{OrganizationId, StreamId, SyncRunId, checkpoint};

use super::store::{Bind, Store};
use crate::clock::Micros;
use crate::error::{Error, Result};

/// A stream's checkpoint, locked until the transaction ends.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    organization: OrganizationId,
    stream: StreamId,
    /// Grows with every transaction that writes to the stream; tells whether others wrote in between.
    pub version: i64,
    /// The highest cursor safely taken in, and the key of the last row; `None` before the first.
    pub position: Option<Position>,
    /// The run that moved it last.
    pub run: Option<SyncRunId>,
    /// What the last lookback window held.
    pub window: Option<String>,
}

impl Checkpoint {
    /// Locks the stream for writing and reads its checkpoint, making it on first use. A watermark of another cursor
    /// column or kind does not count: it orders other rows.
    ///
    /// # Errors
    /// When the database refuses or the stored watermark cannot be read.
    pub async fn lock(
        store: &mut Store,
        organization: OrganizationId,
        stream: StreamId,
        cursor: (&str, CursorKind),
        now: Micros,
    ) -> Result<Self> {
        let key: [Bind; 2] = [organization.0.into(), stream.0.into()];
        let sql = format!(
            "SELECT version, cursor_column, cursor_kind, watermark, position, run_id, window_hash, rank, updated_at \
             FROM checkpoint WHERE organization_id = $1 AND stream_id = $2 {}",
            store.update_lock()
        );
        let mut found = store.fetch(&sql, &key).await?;
        if found.is_empty() {
            // None for a stream that was deleted in between, so that nothing is written to it any more.
            let insert = format!(
                "INSERT INTO checkpoint (organization_id, stream_id, cursor_column, cursor_kind, watermark, \
                position, rank, version, updated_at) SELECT organization_id, id, $3, $4, '', '[]', $5, 0, $6 \
                FROM stream WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL {} \
                ON CONFLICT (organization_id, stream_id) DO NOTHING",
                store.share_lock()
            );
            let [organization, stream] = key.clone();
            let binds = [
                organization,
                stream,
                cursor.0.into(),
                kind_word(cursor.1).into(),
                i64::MIN.into(),
                now.into(),
            ];
            store.execute(&insert, &binds).await?;
            found = store.fetch(&sql, &key).await?;
        }
        let record = found.first().ok_or(Error::NotFound("stream"))?;
        let kind = record.text(2)?.parse().map_err(|error| Error::internal("read a checkpoint", error))?;
        let model = checkpoint::Model {
            organization_id: organization,
            stream_id: stream,
            version: record.int(0)?,
            cursor_column: record.text(1)?.to_owned(),
            cursor_kind: kind,
            watermark: record.text(3)?.to_owned(),
            position: record.text(4)?.to_owned(),
            run_id: record.maybe_uuid(5)?.map(SyncRunId),
            window_hash: record.maybe_text(6)?.map(str::to_owned),
            rank: record.int(7)?,
            updated_at: record.int(8)?,
        };
        Self::of(model, cursor)
    }

    /// Takes a stored checkpoint of a stream that has this cursor today.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(model: checkpoint::Model, cursor: (&str, CursorKind)) -> Result<Self> {
        let same = model.cursor_column == cursor.0 && model.cursor_kind.as_str() == kind_word(cursor.1);
        let text = model.watermark.as_str();
        let position = if same && !text.is_empty() {
            let watermark = Watermark::parse(cursor.1, text)
                .ok_or_else(|| Error::internal("read a checkpoint", format!("{text:?} is no watermark")))?;
            let key = serde_json::from_str(&model.position)
                .map_err(|error| Error::internal("read a checkpoint's position", error))?;
            Some(Position { watermark, key })
        } else {
            None
        };
        Ok(Self {
            organization: model.organization_id,
            stream: model.stream_id,
            version: model.version,
            position,
            run: model.run_id,
            window: model.window_hash.filter(|_| same),
        })
    }

    /// Moves the checkpoint forward to a row that is stored in this transaction; never backward.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn advance(
        &mut self,
        store: &mut Store,
        column: &str,
        to: Position,
        run: SyncRunId,
        now: Micros,
    ) -> Result<()> {
        let behind = self
            .position
            .as_ref()
            .and_then(|position| to.watermark.compare(&position.watermark))
            .is_some_and(std::cmp::Ordering::is_lt);
        if behind {
            return self.touch(store).await;
        }
        self.version += 1;
        let key =
            serde_json::to_string(&to.key).map_err(|error| Error::internal("write a position", error))?;
        let sql = "UPDATE checkpoint SET cursor_column = $3, cursor_kind = $4, watermark = $5, position = $6, \
            rank = $7, version = $8, updated_at = $9, run_id = $10, window_hash = NULL \
            WHERE organization_id = $1 AND stream_id = $2";
        let binds = [
            self.organization.0.into(),
            self.stream.0.into(),
            column.into(),
            kind_word(to.watermark.kind).into(),
            to.watermark.text.as_str().into(),
            key.into(),
            to.watermark.rank().unwrap_or(i64::MIN).into(),
            self.version.into(),
            now.into(),
            run.0.into(),
        ];
        store.execute(sql, &binds).await?;
        self.position = Some(to);
        self.run = Some(run);
        Ok(())
    }

    /// Puts the checkpoint back to where a read began that may have left rows out: the only way but a person's by which
    /// it moves backward. Rows read again change nothing that is right.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_back(&mut self, store: &mut Store, to: Option<Position>, now: Micros) -> Result<()> {
        self.version += 1;
        let key = to.as_ref().map_or(&[][..], |position| &position.key);
        let key = serde_json::to_string(key).map_err(|error| Error::internal("write a position", error))?;
        // No run's own: whoever goes on begins with the lookback again.
        let sql = "UPDATE checkpoint SET watermark = $3, position = $4, rank = $5, version = $6, updated_at = $7, \
            run_id = NULL, window_hash = NULL WHERE organization_id = $1 AND stream_id = $2";
        let watermark = to.as_ref().map_or("", |position| position.watermark.text.as_str());
        let rank = to.as_ref().and_then(|position| position.watermark.rank()).unwrap_or(i64::MIN);
        let binds = [
            self.organization.0.into(),
            self.stream.0.into(),
            watermark.into(),
            key.into(),
            rank.into(),
            self.version.into(),
            now.into(),
        ];
        store.execute(sql, &binds).await?;
        self.position = to;
        self.run = None;
        Ok(())
    }

    /// Tells other writers that somebody wrote, without moving.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn touch(&mut self, store: &mut Store) -> Result<()> {
        self.version += 1;
        let sql = "UPDATE checkpoint SET version = $3 WHERE organization_id = $1 AND stream_id = $2";
        let binds = [self.organization.0.into(), self.stream.0.into(), self.version.into()];
        store.execute(sql, &binds).await?;
        Ok(())
    }
}

/// The stored word of a cursor kind.
pub fn kind_word(kind: CursorKind) -> &'static str {
    match kind {
        CursorKind::Int => entity::CursorKind::Int,
        CursorKind::Date => entity::CursorKind::Date,
        CursorKind::Naive => entity::CursorKind::Naive,
        CursorKind::Zoned => entity::CursorKind::Zoned,
    }
    .as_str()
}
