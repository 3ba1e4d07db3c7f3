//! A migrated database of one kind for one test, which other processes can open too.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use entity::{
    CursorKind, Destination, NullCursor, OrganizationId, SourceId, SourceState, StreamId, StreamShape,
    organization, source, stream,
};
use sea_orm::{EntityTrait, IntoActiveModel};
use server::app::App;
use server::clock::Clock;
use server::config::Config;
use server::db::{Backend, Db};

use crate::{postgres, trace};

/// The database, and where it is.
#[derive(Debug)]
pub struct Stage {
    /// Its connection string.
    pub url: String,
    /// A connection to it.
    pub db: Db,
    /// A folder for its files.
    pub folder: tempfile::TempDir,
    /// The PostgreSQL database, on that kind.
    pub postgres: Option<postgres::Database>,
}

impl Stage {
    /// A SQLite file with all tables and a trace.
    pub async fn sqlite() -> Result<Arc<Self>> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().join("weir.db").display());
        let db = Db::connect(&url.clone().into(), 4).await?;
        migration::migrate(db.orm()).await?;
        Self::finish(Self { url, db, folder, postgres: None }).await
    }

    /// A PostgreSQL database with all tables and a trace.
    pub async fn postgres() -> Result<Arc<Self>> {
        let server = postgres::Server::start(postgres::Durability::Scratch).await?;
        let fill = |url: String| async move {
            Ok(migration::migrate(Db::connect(&url.into(), 2).await?.orm()).await?)
        };
        let database = server.database_from("migrated", fill).await?;
        let url = database.url();
        let db = Db::connect(&url.clone().into(), 4).await?;
        Self::finish(Self { url, db, folder: tempfile::tempdir()?, postgres: Some(database) }).await
    }

    async fn finish(stage: Self) -> Result<Arc<Self>> {
        trace::create(&stage.db).await?;
        Ok(Arc::new(stage))
    }

    /// Runs a test on a database of each kind, at the same time.
    pub async fn each<F>(test: impl Fn(Arc<Self>) -> F) -> Result<()>
    where
        F: Future<Output = Result<()>>,
    {
        let (sqlite, postgres) = (Self::sqlite().await?, Self::postgres().await?);
        let sqlite = async { test(sqlite).await.context("on SQLite") };
        let postgres = async { test(postgres).await.context("on PostgreSQL") };
        futures::try_join!(sqlite, postgres).map(drop)
    }

    /// Which kind it is.
    pub fn backend(&self) -> Backend {
        self.db.backend()
    }

    /// The dependencies of one more process on this database, with connections and a bell of its own.
    pub async fn app(&self, change: impl FnOnce(&mut Config)) -> Result<App> {
        self.app_at(Clock::system(), change).await
    }

    /// The same with a clock of the test's, for what must not happen just because time goes on.
    pub async fn app_at(&self, clock: Clock, change: impl FnOnce(&mut Config)) -> Result<App> {
        let mut config = Config::load(None)?;
        config.data_dir = self.folder.path().to_owned();
        config.database.url = self.url.clone().into();
        config.workers.poll_milliseconds = 100;
        change(&mut config);
        Ok(App::open(config, clock).await?)
    }

    /// An organization with a source.
    pub async fn organization(&self) -> Result<(OrganizationId, SourceId)> {
        let (organization, id) = (OrganizationId::new(), SourceId::new());
        let model = organization::Model {
            id: organization,
            name: "Acme".to_owned(),
            ingestion_enabled: true,
            created_at: 0,
        };
        organization::Entity::insert(model.into_active_model()).exec_without_returning(self.db.orm()).await?;
        let model = source::Model {
            organization_id: organization,
            id,
            name: "Warehouse".to_owned(),
            kind: "memory".to_owned(),
            config: "{}".to_owned(),
            sealed_credential: None,
            state: SourceState::Active,
            last_check: None,
            last_error: None,
            version: 1,
            created_at: 0,
            updated_at: 0,
            deleted_at: None,
        };
        source::Entity::insert(model.into_active_model()).exec_without_returning(self.db.orm()).await?;
        Ok((organization, id))
    }

    /// A stream of that source. Its name tells the scripted engine what to do.
    pub async fn stream(
        &self,
        (organization_id, source_id): (OrganizationId, SourceId),
        name: &str,
        change: impl FnOnce(&mut stream::Model),
    ) -> Result<StreamId> {
        let id = StreamId::new();
        let mut model = stream::Model {
            organization_id,
            id,
            source_id,
            name: name.to_owned(),
            table_ref: r#"{"catalog":null,"schema":"public","name":"usage"}"#.to_owned(),
            shape: StreamShape::Long,
            destination: Destination::Usage,
            mapping: "{}".to_owned(),
            cursor_column: "id".to_owned(),
            cursor_kind: CursorKind::Int,
            cursor_zone: None,
            null_cursor: NullCursor::Reject,
            lookback: 0,
            row_key: "[]".to_owned(),
            future_tolerance: 0,
            external_id_setting_id: None,
            schedule: r#"{"kind":"manual"}"#.to_owned(),
            next_due_at: None,
            enabled: true,
            paused_reason: None,
            columns: "[]".to_owned(),
            columns_seen_at: None,
            last_succeeded_at: None,
            last_run_id: None,
            version: 1,
            created_at: 0,
            updated_at: 0,
            deleted_at: None,
            maximum_bytes_billed: None,
        };
        change(&mut model);
        stream::Entity::insert(model.into_active_model()).exec_without_returning(self.db.orm()).await?;
        Ok(id)
    }
}

/// Waits until something holds, and fails with `what` when it does not within `seconds`.
pub async fn until<F>(what: &str, seconds: u64, mut holds: impl FnMut() -> F) -> Result<()>
where
    F: Future<Output = Result<bool>>,
{
    let since = Instant::now();
    while !holds().await? {
        if since.elapsed() > Duration::from_secs(seconds) {
            bail!("after {seconds} seconds still not: {what}");
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Ok(())
}
