//! What the database of an install holds, compared with what it should.

use anyhow::{Context, Result, ensure};
use entity::sync_run;
use sea_orm::{ConnectionTrait, EntityTrait, QueryResult, Statement};
use server::db::Db;
use tests::demo::calendar::time_text;
use tests::stand::balanced;

use crate::install::Install;
use crate::oracle::Oracle;

impl Install {
    /// Checks that the database holds what the oracle says, and that all sums add up.
    pub async fn holds(&self, oracle: &Oracle) -> Result<()> {
        let db = self.db().await?;
        let measurements = "SELECT s.external_account, x.external_id, a.name, m.measured_at, \
            CAST(m.value AS TEXT) AS value, m.row_key FROM measurement m JOIN series s ON s.id = m.series_id \
            JOIN metric x ON x.organization_id = s.organization_id AND x.id = s.metric_id \
            JOIN account a ON a.organization_id = s.organization_id AND a.id = s.account_id";
        let mut found = Vec::new();
        for row in rows(&db, measurements).await? {
            let text = |name: &str| row.try_get::<String>("", name);
            let (external, at) = (text("external_account")?, row.try_get::<i64>("", "measured_at")?);
            let name = text("name")?;
            ensure!(name.replace("Account ", "acct-") == external, "{external} is on {name}");
            let at = time_text(at / 1_000_000);
            found.push(format!(
                "{external} {} {at} {} {}",
                text("external_id")?,
                text("value")?,
                text("row_key")?
            ));
        }
        same("measurements", found, oracle.measurements())?;
        let waiting = "SELECT w.row_key, COALESCE(w.reason, g.reason) AS reason FROM waiting_row w \
            LEFT JOIN unmatched_group g ON g.id = w.group_id";
        let mut found = Vec::new();
        for row in rows(&db, waiting).await? {
            let text = |name: &str| row.try_get::<String>("", name);
            found.push(format!("{} {}", text("row_key")?, text("reason")?));
        }
        same("waiting rows", found, oracle.waiting())?;
        let wrong = "SELECT COUNT(*) FROM unmatched_group g WHERE g.waiting <> \
            (SELECT COUNT(*) FROM waiting_row w WHERE w.group_id = g.id)";
        ensure!(count(&db, wrong).await? == 0, "a group does not count the rows that wait in it");
        for run in sync_run::Entity::find().all(db.orm()).await? {
            ensure!(run.balanced == Some(true), "a run that ended is not balanced: {run:?}");
            balanced(&run)?;
        }
        Ok(())
    }

    /// Checks that each reading written by these runs is one measurement or one replaced value: none was written twice.
    pub async fn wrote_once(&self, runs: &[&sync_run::Model]) -> Result<()> {
        let db = self.db().await?;
        let written: i64 = runs.iter().map(|run| run.written).sum();
        let stored = count(&db, "SELECT COUNT(*) FROM measurement").await?;
        let replaced = count(&db, "SELECT COUNT(*) FROM measurement_revision").await?;
        ensure!(written == stored + replaced, "{written} written, {stored} stored, {replaced} replaced");
        let syncs = count(&db, "SELECT COUNT(*) FROM sync_run WHERE kind = 'sync'").await?;
        ensure!(syncs == i64::try_from(runs.len())?, "{syncs} runs were made");
        Ok(())
    }
}

async fn rows(db: &Db, sql: &str) -> Result<Vec<QueryResult>> {
    let db = db.orm();
    Ok(db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?)
}

/// The number a statement gives.
pub async fn count(db: &Db, sql: &str) -> Result<i64> {
    rows(db, sql).await?.first().context("a count has a row")?.try_get_by_index(0).context("a count")
}

fn same(what: &str, mut found: Vec<String>, wanted: Vec<String>) -> Result<()> {
    found.sort();
    let differs = found.iter().zip(&wanted).find(|(found, wanted)| found != wanted);
    ensure!(
        found.len() == wanted.len() && differs.is_none(),
        "{} {what} instead of {}; found and wanted: {differs:?}",
        found.len(),
        wanted.len()
    );
    Ok(())
}
