//! What a stand's database holds, as text to compare.

use anyhow::{Result, anyhow};
use entity::{StreamId, sync_run};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};
use server::sql::Sql;

use super::{START, Stand};

impl Stand {
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

    /// Rows that belong to a stream, the stream's own included, and rows of any stream that belong to nothing.
    pub async fn left_of(&self, stream: StreamId) -> Result<i64> {
        const OF_SERIES: &str = "WHERE series_id IN (SELECT id FROM series WHERE stream_id = ";
        let mut left = 0;
        for (sql, end) in [
            ("measurement ".to_owned() + OF_SERIES, ")"),
            ("measurement_revision ".to_owned() + OF_SERIES, ")"),
            ("series WHERE stream_id = ".to_owned(), ""),
            ("waiting_row WHERE stream_id = ".to_owned(), ""),
            ("unmatched_group WHERE stream_id = ".to_owned(), ""),
            ("ignore_rule WHERE stream_id = ".to_owned(), ""),
            ("reconcile WHERE stream_id = ".to_owned(), ""),
            ("reconcile_slice WHERE stream_id = ".to_owned(), ""),
            ("reconcile_setting WHERE stream_id = ".to_owned(), ""),
            ("sync_run WHERE stream_id = ".to_owned(), ""),
            ("checkpoint WHERE stream_id = ".to_owned(), ""),
            ("stream WHERE id = ".to_owned(), ""),
        ] {
            let db = self.app.db.orm();
            let sql = Sql::new(db, "SELECT COUNT(*) AS rows FROM ").text(&sql).bind(stream).text(end);
            left += sql.one::<Counted>(db).await?.map_or(0, |counted| counted.rows);
        }
        for orphans in [
            "measurement WHERE series_id NOT IN (SELECT id FROM series)",
            "measurement_revision WHERE series_id NOT IN (SELECT id FROM series)",
            "series WHERE stream_id NOT IN (SELECT id FROM stream)",
            "waiting_row WHERE stream_id NOT IN (SELECT id FROM stream)",
            "unmatched_group WHERE stream_id NOT IN (SELECT id FROM stream)",
            "sync_run WHERE stream_id NOT IN (SELECT id FROM stream)",
        ] {
            left += self.count(&format!("SELECT COUNT(*) FROM {orphans}")).await?;
        }
        Ok(left)
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

#[derive(FromQueryResult)]
struct Counted {
    rows: i64,
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
