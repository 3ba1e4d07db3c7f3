//! A test stand for the engine: a database with an organization and streams over tables in memory.

mod directory;
mod gate;
mod large;
mod look;
mod origin;
mod shape;

use std::sync::Arc;

use anyhow::{Result, anyhow};
use connector::memory::MemoryTable;
use entity::{
    CursorKind, ExternalIdSettingId, Normalizer, OrganizationId, RunKind, RunStatus, RunTrigger, SourceId,
    SourceState, StreamId, StreamShape, SyncRunId, external_id_setting, id_space, match_state, organization,
    source, stream, sync_run,
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, Set, Statement};
use server::app::App;
use server::auth::Viewer;
use server::clock::{Clock, Micros};
use server::config::Config;
use server::domain::change::Change;
use server::domain::matching_change::Scope;
use server::domain::stream_change;
use server::ingest::{self, Lease, Outcome, Range};
use tokio_util::sync::CancellationToken;

use crate::postgres;

pub use gate::{Gate, Hold};
pub use look::balanced;
pub use origin::Origin;
pub use shape::{Shape, StreamSpec};

/// When a stand's clock begins: 2026-01-01 00:00 UTC.
pub const START: Micros = 1_767_225_600_000_000;

/// An engine ready to run. Its database is gone with this value.
pub struct Stand {
    /// The server's dependencies.
    pub app: App,
    /// The organization all streams belong to.
    pub organization: OrganizationId,
    source: SourceId,
    setting: ExternalIdSettingId,
    _folder: Arc<tempfile::TempDir>,
    _database: Arc<Option<postgres::Database>>,
}

impl Stand {
    /// On a SQLite file.
    pub async fn sqlite() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().join("weir.db").display());
        Self::new(folder, url, None, |_| {}).await
    }

    /// On a PostgreSQL database.
    pub async fn postgres() -> Result<Self> {
        let database = postgres::Database::empty().await?;
        Self::new(tempfile::tempdir()?, database.url(), Some(database), |_| {}).await
    }

    /// One on each database.
    pub async fn both() -> Result<[Self; 2]> {
        Ok([Self::sqlite().await?, Self::postgres().await?])
    }

    async fn new(
        folder: tempfile::TempDir,
        url: String,
        database: Option<postgres::Database>,
        change: impl FnOnce(&mut Config),
    ) -> Result<Self> {
        let mut config = Config::load(None)?;
        config.data_dir = folder.path().to_path_buf();
        config.database.url = url.into();
        change(&mut config);
        let app = App::open(config, Clock::fixed(START)).await?;
        Self::found(app, Arc::new(folder), Arc::new(database)).await
    }

    /// Another organization on the same database, in a process of its own.
    pub async fn beside(&self) -> Result<Self> {
        Self::found(self.process().await?, Arc::clone(&self._folder), Arc::clone(&self._database)).await
    }

    async fn found(
        app: App,
        folder: Arc<tempfile::TempDir>,
        database: Arc<Option<postgres::Database>>,
    ) -> Result<Self> {
        let (organization, source, setting) =
            (OrganizationId::new(), SourceId::new(), ExternalIdSettingId::new());
        let db = app.db.orm();
        let now = app.clock.now();
        organization::ActiveModel {
            id: Set(organization),
            name: Set("Test".to_owned()),
            ingestion_enabled: Set(true),
            created_at: Set(now),
        }
        .insert(db)
        .await?;
        match_state::ActiveModel { organization_id: Set(organization), version: Set(1) }.insert(db).await?;
        for (name, normalizer) in [("account_id", Normalizer::Exact), ("salesforce", Normalizer::Salesforce)]
        {
            id_space::ActiveModel {
                organization_id: Set(organization),
                name: Set(name.to_owned()),
                normalizer: Set(normalizer),
                created_at: Set(now),
            }
            .insert(db)
            .await?;
        }
        external_id_setting::ActiveModel {
            organization_id: Set(organization),
            id: Set(setting),
            name: Set("both".to_owned()),
            spaces: Set(r#"["salesforce","account_id"]"#.to_owned()),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
        }
        .insert(db)
        .await?;
        source::ActiveModel {
            organization_id: Set(organization),
            id: Set(source),
            name: Set("memory".to_owned()),
            kind: Set("memory".to_owned()),
            config: Set("{}".to_owned()),
            state: Set(SourceState::Active),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }
        .insert(db)
        .await?;
        Ok(Self { app, organization, source, setting, _folder: folder, _database: database })
    }

    /// Adds a stream over a table with the columns of [`Shape`].
    pub async fn stream(&self, table: &MemoryTable, shape: Shape) -> Result<StreamId> {
        self.stream_of(&StreamSpec {
            table: serde_json::to_string(table.table())?,
            mapping: r#"{"account":"account","metric":"metric","value":"value","measuredAt":"at"}"#
                .to_owned(),
            cursor: "updated".to_owned(),
            schedule: r#"{"kind":"manual"}"#.to_owned(),
            form: StreamShape::Long,
            shape,
        })
        .await
    }

    /// Adds a wide stream over a table that has these metric columns besides `id`, `account`, `at` and `updated`.
    pub async fn wide_stream(&self, table: &MemoryTable, metrics: &[&str], shape: Shape) -> Result<StreamId> {
        let mapping = serde_json::json!({ "account": "account", "metrics": metrics, "measuredAt": "at" });
        self.stream_of(&StreamSpec {
            table: serde_json::to_string(table.table())?,
            mapping: mapping.to_string(),
            cursor: "updated".to_owned(),
            schedule: r#"{"kind":"manual"}"#.to_owned(),
            form: StreamShape::Wide,
            shape,
        })
        .await
    }

    /// The dependencies of another process on the same database, with connections of its own.
    pub async fn process(&self) -> Result<App> {
        Ok(App::open((*self.app.config).clone(), self.app.clock.clone()).await?)
    }

    /// Adds a stream with a timestamp cursor and the row key `id`.
    pub async fn stream_of(&self, spec: &StreamSpec) -> Result<StreamId> {
        let id = StreamId::new();
        let now = self.app.clock.now();
        let spec = spec.clone();
        stream::ActiveModel {
            organization_id: Set(self.organization),
            id: Set(id),
            source_id: Set(self.source),
            name: Set(id.to_string()),
            table_ref: Set(spec.table),
            shape: Set(spec.form),
            destination: Set(spec.shape.destination),
            mapping: Set(spec.mapping),
            cursor_column: Set(spec.cursor),
            cursor_kind: Set(CursorKind::Zoned),
            null_cursor: Set(spec.shape.null_cursor),
            lookback: Set(spec.shape.lookback),
            row_key: Set(r#"["id"]"#.to_owned()),
            future_tolerance: Set(300_000_000),
            external_id_setting_id: Set(Some(self.setting)),
            schedule: Set(spec.schedule),
            enabled: Set(true),
            columns: Set("[]".to_owned()),
            columns_seen_at: Set(None),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }
        .insert(self.app.db.orm())
        .await?;
        Ok(id)
    }

    /// Deletes a stream, as the product does: what it stored is still there.
    pub async fn delete(&self, stream: StreamId) -> server::error::Result<()> {
        let tx = self.app.db.begin().await?;
        let viewer = Viewer::system(self.organization);
        stream_change::delete(&Change::new(&tx, &viewer, self.app.clock.now()), stream, None).await?;
        Ok(tx.commit().await?)
    }

    /// Replays everything that waits.
    pub async fn replay(&self) -> Result<ingest::tally::Tally> {
        Ok(ingest::replay::waiting(
            &self.app,
            self.organization,
            &Scope::Everything,
            &CancellationToken::new(),
        )
        .await?)
    }

    /// Makes a running run of a stream, as a worker that claimed it.
    pub async fn claim(&self, stream: StreamId, kind: RunKind) -> Result<Lease> {
        let (run, now) = (SyncRunId::new(), self.app.clock.now());
        let sql = "SELECT COALESCE(MAX(number), 0) + 1 AS number FROM sync_run";
        let db = self.app.db.orm();
        let found = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
        let number: i64 = found.ok_or_else(|| anyhow!("an aggregate has a row"))?.try_get("", "number")?;
        let zero = || Set(0_i64);
        sync_run::ActiveModel {
            organization_id: Set(self.organization),
            id: Set(run),
            number: Set(number),
            stream_id: Set(stream),
            kind: Set(kind),
            trigger: Set(RunTrigger::Manual),
            status: Set(RunStatus::Running),
            attempt: Set(1),
            fence: Set(1),
            rows_read: zero(),
            rows_mapped: zero(),
            rows_rejected: zero(),
            rows_repeated: zero(),
            readings: zero(),
            written: zero(),
            unchanged: zero(),
            superseded: zero(),
            unmatched: zero(),
            ignored: zero(),
            null_cells: zero(),
            null_cursors: zero(),
            batches: zero(),
            bytes_read: zero(),
            queued_at: Set(now),
            ..Default::default()
        }
        .insert(db)
        .await?;
        Ok(Lease { organization: self.organization, run, number, fence: 1 })
    }

    /// Ends a run, so that the stream is free for the next.
    pub async fn finish(&self, lease: &Lease) -> Result<sync_run::Model> {
        let key = (lease.organization, lease.run);
        let found = sync_run::Entity::find_by_id(key).one(self.app.db.orm()).await?;
        let model = found.ok_or_else(|| anyhow!("the run exists"))?;
        let mut run: sync_run::ActiveModel = model.into();
        run.status = Set(RunStatus::Succeeded);
        Ok(run.update(self.app.db.orm()).await?)
    }

    /// Runs what is new, as one run that must succeed, and checks both sums.
    pub async fn sync(&self, stream: StreamId, table: &MemoryTable) -> Result<sync_run::Model> {
        let lease = self.claim(stream, RunKind::Sync).await?;
        let outcome = self.attempt(stream, table, &lease, &Range::New).await?;
        anyhow::ensure!(outcome == Outcome::Done, "the run ended {outcome:?}");
        let run = self.finish(&lease).await?;
        balanced(&run)?;
        Ok(run)
    }

    /// One attempt of a run.
    pub async fn attempt(
        &self,
        stream: StreamId,
        table: &MemoryTable,
        lease: &Lease,
        range: &Range,
    ) -> server::error::Result<Outcome> {
        let stop = CancellationToken::new();
        ingest::run(&self.app, Arc::new(table.clone()), lease, stream, range, &stop).await
    }
}
