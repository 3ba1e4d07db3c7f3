//! How many rows each write transaction of a SQLite database changes, counted by the database itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use server::db::Db;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::LockedSqliteHandle;

/// The changes of one transaction, by table.
pub type Changes = BTreeMap<String, u64>;

/// Counts on every connection.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    done: Arc<Mutex<Vec<Changes>>>,
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Meter {
    /// Begins to count.
    ///
    /// # Errors
    /// When the database is no SQLite, or refuses.
    pub async fn on(db: &Db) -> Result<Self> {
        let pool = db.sqlite().context("only SQLite counts so")?;
        // The database tells nobody of changes in tables without row numbers, so triggers say it of one that has them.
        let mut sql = "CREATE TABLE metered (id INTEGER PRIMARY KEY, name TEXT); \
            INSERT INTO metered VALUES (1, 'measurement');"
            .to_owned();
        for change in ["INSERT", "UPDATE", "DELETE"] {
            sql.push_str(&format!(
                "CREATE TRIGGER measurement_{change} AFTER {change} ON measurement BEGIN \
                 UPDATE metered SET name = name WHERE id = 1; END;"
            ));
        }
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await?;
        let meter = Self::default();
        for pool in [Some(pool), db.sqlite_writer()].into_iter().flatten() {
            let most = pool.options().get_max_connections();
            let mut connections = futures::future::try_join_all((0..most).map(|_| pool.acquire())).await?;
            for connection in &mut connections {
                meter.watch(&mut connection.lock_handle().await?);
            }
        }
        Ok(meter)
    }

    fn watch(&self, handle: &mut LockedSqliteHandle<'_>) {
        let counts = Arc::new(Mutex::new(Changes::new()));
        let (counted, kept, undone) = (counts.clone(), counts.clone(), counts);
        let done = self.done.clone();
        handle.set_update_hook(move |change| {
            *open(&counted).entry(change.table.to_owned()).or_default() += 1;
        });
        handle.set_commit_hook(move || {
            let changes = std::mem::take(&mut *open(&kept));
            if !changes.is_empty() {
                open(&done).push(changes);
            }
            true
        });
        handle.set_rollback_hook(move || open(&undone).clear());
    }

    /// The transactions since the last time.
    pub fn take(&self) -> Vec<Changes> {
        std::mem::take(&mut *open(&self.done))
    }
}
