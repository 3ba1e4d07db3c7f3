//! What the benchmark reads and where it writes: a warehouse table, and databases with accounts and links.

use anyhow::Result;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// How large the warehouse is: 1 000 accounts x 20 metrics x so many days, 1 000 rows per cursor value.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Days of measurements; 50 make a million rows.
    pub days: i64,
}

impl Size {
    /// How many rows there are.
    pub fn rows(self) -> i64 {
        self.days * 20_000
    }
}

/// Fills the warehouse: `usage(id, account, metric, value, measured_at, updated_at)`, in cursor order, with the index
/// on (cursor, row key) that the documentation asks for.
///
/// # Errors
/// When the server refuses.
pub async fn warehouse(url: &str, size: Size) -> Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    let fill = format!(
        "CREATE TABLE usage (id bigint PRIMARY KEY, account text NOT NULL, metric text NOT NULL, \
           value numeric(20, 4) NOT NULL, measured_at timestamptz NOT NULL, updated_at timestamptz NOT NULL); \
         INSERT INTO usage SELECT n, 'acct-' || n % 1000, 'metric-' || (n / 1000) % 20, ((n * 7919) % 1000003) / 100.0, \
           timestamptz '2024-01-01 00:00+00' + (n / 20000) * interval '1 day', \
           timestamptz '2025-06-01 00:00+00' + (n / 1000) * interval '1 minute' \
           FROM generate_series(0::bigint, {last}) AS n; \
         CREATE INDEX usage_updated ON usage (updated_at, id);",
        last = size.rows() - 1
    );
    connection.execute(AssertSqlSafe(fill)).await?;
    connection.execute("VACUUM ANALYZE usage").await?;
    connection.execute("CHECKPOINT").await?;
    Ok(connection.close().await?)
}

/// Changes 10 000 rows spread over all accounts and days, as one late transaction, 1 000 to a cursor value.
///
/// # Errors
/// When the server refuses.
pub async fn change(url: &str, size: Size, round: i64) -> Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    let step = size.rows() / 10_000;
    let sql = format!(
        "UPDATE usage SET value = value + 1, \
         updated_at = (SELECT max(updated_at) FROM usage) + (1 + id / {step} % 10) * interval '1 minute' \
         WHERE id % {step} = {}",
        round % step
    );
    connection.execute(AssertSqlSafe(sql)).await?;
    connection.execute("VACUUM ANALYZE usage").await?;
    Ok(connection.close().await?)
}

/// Accounts 0 to 949 are known; every twentieth pair of account and metric is not linked.
pub fn linked(account: i64, metric: i64) -> bool {
    (account * 7 + metric * 13) % 20 != 0
}

/// Statements that fill an organization's accounts, inputs and links, the same text on both databases but for the
/// dialect's functions.
pub fn directory(organization: &str, postgres: bool) -> Vec<String> {
    let id = |seed: &str| {
        if postgres {
            format!("md5({seed})::uuid")
        } else {
            format!("unhex(substr(printf('%032x', {seed}), -32))")
        }
    };
    let org = if postgres {
        format!("'{organization}'::uuid")
    } else {
        format!("unhex('{}')", organization.replace('-', ""))
    };
    let (accounts, metrics, pairs) = if postgres {
        (
            "generate_series(0, 949) AS a".to_owned(),
            "generate_series(0, 19) AS m".to_owned(),
            "generate_series(0, 949) AS a, generate_series(0, 19) AS m".to_owned(),
        )
    } else {
        let series = |name: &str, last: i64| {
            format!(
                "(WITH RECURSIVE s({name}) AS (SELECT 0 UNION ALL SELECT {name} + 1 FROM s WHERE {name} < {last}) SELECT {name} FROM s)"
            )
        };
        (series("a", 949), series("m", 19), format!("{}, {}", series("a", 949), series("m", 19)))
    };
    let number = |kind: i64, value: &str| {
        if postgres { format!("'{kind}/' || ({value})") } else { format!("{kind} * 1000000 + ({value})") }
    };
    let (account, opportunity) = (id(&number(1, "a")), id(&number(2, "a")));
    let (metric, input) = (id(&number(3, "m")), id(&number(4, "a * 20 + m")));
    let (external, link) = (id(&number(5, "a")), id(&number(6, "a * 20 + m")));
    let yes = if postgres { "true" } else { "1" };
    vec![
        format!(
            "INSERT INTO account (organization_id, id, name, version, created_at, updated_at) \
             SELECT {org}, {account}, 'Account ' || a, 1, 0, 0 FROM {accounts}"
        ),
        format!(
            "INSERT INTO external_id (organization_id, id, account_id, space, value, normalized, created_at) \
             SELECT {org}, {external}, {account}, 'account_id', 'acct-' || a, 'acct-' || a, 0 FROM {accounts}"
        ),
        format!(
            "INSERT INTO opportunity (organization_id, id, account_id, name, version, created_at, updated_at) \
             SELECT {org}, {opportunity}, {account}, 'Case ' || a, 1, 0, 0 FROM {accounts}"
        ),
        format!(
            "INSERT INTO metric (organization_id, id, external_id, name, created_at, updated_at) \
             SELECT {org}, {metric}, 'metric-' || m, 'metric-' || m, 0, 0 FROM {metrics}"
        ),
        format!(
            "INSERT INTO input (organization_id, id, opportunity_id, name, kind, version, created_at, updated_at) \
             SELECT {org}, {input}, {opportunity}, 'Input ' || m, 'series', 1, 0, 0 FROM {pairs}"
        ),
        format!(
            "INSERT INTO metric_link (organization_id, id, account_id, metric_id, input_id, enabled, version, \
             created_at, updated_at) SELECT {org}, {link}, {account}, {metric}, {input}, {yes}, 1, 0, 0 \
             FROM {pairs} WHERE (a * 7 + m * 13) % 20 <> 0"
        ),
    ]
}
