//! A test stand for the engine: a database with an organization and streams over tables in memory.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use connector::memory::MemoryTable;
use entity::{
    AccountId, CursorKind, Destination, ExternalIdId, ExternalIdSettingId, InputId, MetricId, MetricLinkId,
    Normalizer, NullCursor, OpportunityId, OrganizationId, RunKind, RunStatus, RunTrigger, SourceId,
    SourceState, StreamId, StreamShape, SyncRunId, account, external_id, external_id_setting, id_space,
    input, match_state, metric, metric_link, opportunity, organization, source, stream, sync_run,
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, Set, Statement};
use secrecy::ExposeSecret;
use server::app::App;
use server::clock::{Clock, Micros};
use server::config::Config;
use server::domain::matching_change::Scope;
use server::ingest::{self, Lease, Outcome, Range};
use tokio_util::sync::CancellationToken;

use crate::postgres;

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
    _folder: tempfile::TempDir,
    _database: Option<postgres::Database>,
}

/// What a stream of a stand looks like; the columns are always `id`, `account`, `metric`, `value`, `at`, `updated`.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Usage or inputs.
    pub destination: Destination,
    /// Microseconds read again below the watermark.
    pub lookback: Micros,
    /// Rows without a cursor.
    pub null_cursor: NullCursor,
}

/// A stream over any table.
#[derive(Clone, Debug)]
pub struct StreamSpec {
    /// The table as stored.
    pub table: String,
    /// The mapping as stored.
    pub mapping: String,
    /// The cursor column, a timestamp with a zone.
    pub cursor: String,
    /// The rest.
    pub shape: Shape,
}

impl StreamSpec {
    /// The benchmark's stream.
    pub fn usage() -> Self {
        Self {
            table: r#"{"schema":"public","name":"usage"}"#.to_owned(),
            mapping: r#"{"account":"account","metric":"metric","value":"value","measuredAt":"measured_at"}"#
                .to_owned(),
            cursor: "updated_at".to_owned(),
            shape: Shape { destination: Destination::Inputs, lookback: 10_000_000, ..Shape::default() },
        }
    }
}

impl Default for Shape {
    fn default() -> Self {
        Self { destination: Destination::Usage, lookback: 0, null_cursor: NullCursor::Reject }
    }
}

impl Stand {
    /// On a SQLite file.
    pub async fn sqlite() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().join("weir.db").display());
        Self::new(folder, url, None).await
    }

    /// On a PostgreSQL database.
    pub async fn postgres() -> Result<Self> {
        let database = postgres::Database::empty().await?;
        Self::new(tempfile::tempdir()?, database.url(), Some(database)).await
    }

    /// One on each database.
    pub async fn both() -> Result<[Self; 2]> {
        Ok([Self::sqlite().await?, Self::postgres().await?])
    }

    /// On a database of the caller's, with the accounts, inputs and links of the benchmark.
    pub async fn on(url: &str) -> Result<Self> {
        let mut stand = Self::new(tempfile::tempdir()?, url.to_owned(), None).await?;
        stand.app.clock = Clock::system();
        for sql in crate::bench::seed::directory(&stand.organization.to_string(), url.starts_with("postgres"))
        {
            stand.app.db.orm().execute_unprepared(&sql).await?;
        }
        stand.app.db.orm().execute_unprepared("ANALYZE").await?;
        Ok(stand)
    }

    /// Links every pair of the benchmark's accounts and metrics that is not linked yet.
    pub async fn link_all(&self) -> Result<()> {
        let postgres = self.app.config.database.url.expose_secret().starts_with("postgres");
        let all = crate::bench::seed::directory(&self.organization.to_string(), postgres);
        let sql = all.last().ok_or_else(|| anyhow!("the links are last"))?.replace("<> 0", "= 0");
        self.app.db.orm().execute_unprepared(&sql).await?;
        self.changed().await
    }

    async fn new(
        folder: tempfile::TempDir,
        url: String,
        database: Option<postgres::Database>,
    ) -> Result<Self> {
        let mut config = Config::load(None)?;
        config.data_dir = folder.path().to_path_buf();
        config.database.url = url.into();
        let app = App::open(config, Clock::fixed(START)).await?;
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
            shape,
        })
        .await
    }

    /// Adds a long stream with a timestamp cursor and the row key `id`.
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
            shape: Set(StreamShape::Long),
            destination: Set(spec.shape.destination),
            mapping: Set(spec.mapping),
            cursor_column: Set(spec.cursor),
            cursor_kind: Set(CursorKind::Zoned),
            null_cursor: Set(spec.shape.null_cursor),
            lookback: Set(spec.shape.lookback),
            row_key: Set(r#"["id"]"#.to_owned()),
            future_tolerance: Set(300_000_000),
            external_id_setting_id: Set(Some(self.setting)),
            schedule: Set(r#"{"kind":"manual"}"#.to_owned()),
            enabled: Set(true),
            columns: Set("[]".to_owned()),
            mapping_version: Set(1),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }
        .insert(self.app.db.orm())
        .await?;
        Ok(id)
    }

    /// Adds an account without an ID.
    pub async fn account(&self, name: &str) -> Result<AccountId> {
        let id = AccountId::new();
        let now = self.app.clock.now();
        account::ActiveModel {
            organization_id: Set(self.organization),
            id: Set(id),
            name: Set(name.to_owned()),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }
        .insert(self.app.db.orm())
        .await?;
        Ok(id)
    }

    /// Gives an account an ID in the space `account_id`, as the product does: matching is told.
    pub async fn identify(&self, account: AccountId, value: &str) -> Result<()> {
        external_id::ActiveModel {
            organization_id: Set(self.organization),
            id: Set(ExternalIdId::new()),
            account_id: Set(account),
            space: Set("account_id".to_owned()),
            value: Set(value.to_owned()),
            normalized: Set(value.to_owned()),
            created_at: Set(self.app.clock.now()),
            ..Default::default()
        }
        .insert(self.app.db.orm())
        .await?;
        self.changed().await
    }

    /// Takes an ID away from whatever account has it.
    pub async fn forget(&self, value: &str) -> Result<()> {
        use sea_orm::{ColumnTrait, QueryFilter};
        external_id::Entity::delete_many()
            .filter(external_id::Column::OrganizationId.eq(self.organization))
            .filter(external_id::Column::Value.eq(value))
            .exec(self.app.db.orm())
            .await?;
        self.changed().await
    }

    /// Links an account's metric to a new input of a new opportunity.
    pub async fn link(&self, account: AccountId, external_metric: &str) -> Result<InputId> {
        let (opportunity, made, found, now) =
            (OpportunityId::new(), InputId::new(), self.metric(external_metric).await?, self.app.clock.now());
        let db = self.app.db.orm();
        opportunity::ActiveModel {
            organization_id: Set(self.organization),
            id: Set(opportunity),
            account_id: Set(account),
            name: Set(format!("case {made}")),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }
        .insert(db)
        .await?;
        input::ActiveModel {
            organization_id: Set(self.organization),
            id: Set(made),
            opportunity_id: Set(opportunity),
            name: Set(external_metric.to_owned()),
            kind: Set(entity::InputKind::Series),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }
        .insert(db)
        .await?;
        metric_link::ActiveModel {
            organization_id: Set(self.organization),
            id: Set(MetricLinkId::new()),
            account_id: Set(account),
            metric_id: Set(found),
            input_id: Set(made),
            enabled: Set(true),
            roll_up: Set(entity::RollUp::Last),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }
        .insert(db)
        .await?;
        self.changed().await?;
        Ok(made)
    }

    async fn metric(&self, external: &str) -> Result<MetricId> {
        use sea_orm::{ColumnTrait, QueryFilter};
        let found = metric::Entity::find()
            .filter(metric::Column::OrganizationId.eq(self.organization))
            .filter(metric::Column::ExternalId.eq(external))
            .one(self.app.db.orm())
            .await?;
        if let Some(found) = found {
            return Ok(found.id);
        }
        let (id, now) = (MetricId::new(), self.app.clock.now());
        metric::ActiveModel {
            organization_id: Set(self.organization),
            id: Set(id),
            external_id: Set(external.to_owned()),
            name: Set(external.to_owned()),
            aggregation: Set(entity::Aggregation::Gauge),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }
        .insert(self.app.db.orm())
        .await?;
        Ok(id)
    }

    /// Tells matching that something changed.
    pub async fn changed(&self) -> Result<()> {
        server::domain::matching_change::bump(self.app.db.orm(), self.organization).await?;
        Ok(())
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

    /// All measurements as text: `metric/external account/account name@micros=value`, sorted.
    pub async fn measurements(&self) -> Result<Vec<String>> {
        let sql = "SELECT x.external_id, s.external_account, a.name, m.measured_at, CAST(m.value AS TEXT) AS value \
            FROM measurement m JOIN series s ON s.id = m.series_id \
            JOIN metric x ON x.organization_id = s.organization_id AND x.id = s.metric_id \
            LEFT JOIN account a ON a.organization_id = s.organization_id AND a.id = s.account_id";
        let db = self.app.db.orm();
        let mut lines = Vec::new();
        for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await? {
            let text = |name: &str| row.try_get::<Option<String>>("", name).map(Option::unwrap_or_default);
            let at: i64 = row.try_get("", "measured_at")?;
            lines.push(format!(
                "{}/{}/{}@{}={}",
                text("external_id")?,
                text("external_account")?,
                text("name")?,
                at - START,
                text("value")?
            ));
        }
        lines.sort();
        Ok(lines)
    }

    /// All waiting rows as text: `kind row key/part reason`, sorted; the group's reason for unmatched rows.
    pub async fn waiting(&self) -> Result<Vec<String>> {
        let sql = "SELECT w.kind, w.row_key, w.part, COALESCE(w.reason, g.reason) AS reason FROM waiting_row w \
            LEFT JOIN unmatched_group g ON g.id = w.group_id";
        let db = self.app.db.orm();
        let mut lines = Vec::new();
        for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await? {
            let text = |name: &str| row.try_get::<String>("", name);
            lines.push(format!(
                "{} {}/{} {}",
                text("kind")?,
                text("row_key")?,
                text("part")?,
                text("reason")?
            ));
        }
        lines.sort();
        Ok(lines)
    }

    /// The number a statement gives.
    pub async fn count(&self, sql: &str) -> Result<i64> {
        let db = self.app.db.orm();
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
        Ok(row.ok_or_else(|| anyhow!("a count has a row"))?.try_get_by_index(0)?)
    }

    /// Checks that each group's count is the number of rows that wait in it.
    pub async fn groups_add_up(&self) -> Result<()> {
        let wrong = self
            .count(
                "SELECT COUNT(*) FROM unmatched_group g WHERE g.waiting <> \
                 (SELECT COUNT(*) FROM waiting_row w WHERE w.group_id = g.id) \
                 OR (g.waiting = 0) <> (g.status = 'resolved')",
            )
            .await?;
        anyhow::ensure!(wrong == 0, "{wrong} groups do not count the rows that wait in them");
        Ok(())
    }
}

/// Checks both sums of a run.
pub fn balanced(run: &sync_run::Model) -> Result<()> {
    let rows = run.rows_mapped + run.rows_rejected + run.rows_repeated;
    let readings = run.written + run.unchanged + run.superseded + run.unmatched + run.ignored;
    anyhow::ensure!(
        run.rows_read == rows && run.readings == readings,
        "run {} does not balance: {run:?}",
        run.number
    );
    Ok(())
}
