//! Jobs and the workers that take them.

use crate::shape::*;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        jobs(schema).await?;
        let worker = keyed("worker", &["id"])
            .col(uuid("id"))
            .col(text("name"))
            .col(big_integer("started_at"))
            .col(big_integer("seen_at"))
            .take();
        schema.create_table(worker).await
    }
}

async fn jobs(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let job = Table::create()
        .table("job")
        .col(counted_id())
        .col(text("queue"))
        .col(text("payload"))
        .col(text_null("lock_key"))
        .col(text_null("dedupe_key"))
        .col(integer("priority").default(0))
        .col(big_integer("run_at"))
        .col(text("status"))
        .col(integer("attempts").default(0))
        .col(integer("max_attempts"))
        .col(uuid_null("lease_owner"))
        .col(big_integer_null("lease_until"))
        .col(text_null("last_error"))
        .col(big_integer("created_at"))
        .col(big_integer_null("finished_at"))
        .take();
    schema.create_table(job).await?;

    let claim = named_index("job_claim", "job", &["queue"])
        .col(("priority", IndexOrder::Desc))
        .col("run_at")
        .and_where(status_in(&["queued"]))
        .take();
    let lease = named_index("job_lease", "job", &["lease_until"]).and_where(status_in(&["running"])).take();
    let one_per_key =
        named_index("job_key", "job", &["lock_key"]).unique().and_where(status_in(&["running"])).take();
    let waiting_key = named_index("job_key_waiting", "job", &["lock_key", "id"])
        .and_where(status_in(&["queued"]))
        .and_where(Expr::col("lock_key").is_not_null())
        .take();
    let dedupe = named_index("job_dedupe", "job", &["queue", "dedupe_key"])
        .unique()
        .and_where(status_in(&["queued", "running"]))
        .take();
    create_indexes(schema, [claim, lease, one_per_key, waiting_key, dedupe, index("job", &["finished_at"])])
        .await
}
