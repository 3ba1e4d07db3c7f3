//! PostgreSQL's scripts, run by an administrator who is no superuser, on a real server.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use connector::guard::Policy;
use connector::setup::{Given, Setup};
use connector::{Connector, CursorKind, ErrorKind, TableRef, kinds};
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use systems::postgres::Database;

use crate::looking::{count, table};

const SECRET: &str = "a long random one: 5f1c";

/// A database with a hard name, and an administrator who owns it and may make roles.
struct Site {
    /// Made first and dropped last: the name of the other one has no quote in it.
    database: Database,
    user: String,
    tables: [TableRef; 2],
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Site {
    async fn new() -> Result<Self> {
        let first = Database::empty().await?;
        let name = format!("Daten. bänk select {}", first.name);
        let (administrator, user) = (format!("{}_admin", first.name), format!("it's \"R\". {}", first.name));
        first.run(&format!("CREATE ROLE \"{administrator}\" LOGIN CREATEROLE PASSWORD '{SECRET}'")).await?;
        first.run(&format!("CREATE DATABASE \"{name}\" OWNER \"{administrator}\"")).await?;
        let database = Database { server: first.server.clone(), name };
        let tables = [table("a\"b; --", "order"), table("UPPER lower", "täble\n1")];
        Ok(Self { database, user, tables })
    }

    async fn as_administrator(&self, statements: &str) -> Result<()> {
        let user = self.database.name.rsplit(' ').next().context("a name")?;
        let mut connection = self.connect(&format!("{user}_admin")).await?;
        connection.execute(AssertSqlSafe(statements)).await.with_context(|| statements.to_owned())?;
        Ok(connection.close().await?)
    }

    async fn connect(&self, user: &str) -> Result<PgConnection> {
        let options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.database.server.port)
            .username(user)
            .password(SECRET)
            .database(&self.database.name);
        Ok(options.connect().await?)
    }

    fn config(&self) -> Value {
        json!({"host": "127.0.0.1", "port": self.database.server.port, "database": self.database.name,
            "user": self.user})
    }

    fn scripts(&self) -> Result<Setup> {
        kinds::setup("postgres", &self.config(), &self.tables, Given::default())?.context("no scripts")
    }

    fn open(&self) -> Result<Arc<dyn Connector>> {
        let policy = Policy { networks: vec!["127.0.0.0/8".parse()?], ..Policy::default() };
        Ok(kinds::open("postgres", &self.config(), Some(SecretString::from(SECRET)), &policy)?)
    }

    /// Who may do what with anything in the database, and what is said of roles.
    async fn rights(&self) -> Result<Vec<String>> {
        let mut connection = PgConnection::connect(&self.database.url()).await?;
        // Roles of other tests, and what is set for them, come and go.
        let own = self.database.name.rsplit(' ').next().context("a name")?;
        let sql = "SELECT 'role ' || rolname FROM pg_roles WHERE strpos(rolname, $1) > 0 \
             UNION ALL SELECT 'setting ' || setconfig::text FROM pg_db_role_setting s \
                 LEFT JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole \
                 WHERE d.datname = current_database() OR strpos(r.rolname, $1) > 0 \
             UNION ALL SELECT 'database ' || aclexplode(coalesce(datacl, acldefault('d', datdba)))::text \
                 FROM pg_database WHERE datname = current_database() \
             UNION ALL SELECT nspname || aclexplode(coalesce(nspacl, acldefault('n', nspowner)))::text \
                 FROM pg_namespace \
             UNION ALL SELECT relname || aclexplode(coalesce(relacl, acldefault('r', relowner)))::text \
                 FROM pg_class WHERE relkind = 'r' ORDER BY 1";
        Ok(sqlx::query_scalar(sql).bind(own).fetch_all(&mut connection).await?)
    }
}

impl Site {
    /// The tables: two to be read, one in the same schema that is not.
    async fn fill(&self) -> Result<()> {
        let [first, second] = &self.tables;
        let schema = |table: &TableRef| quote(table.schema.as_deref().unwrap_or_default());
        let name = |table: &TableRef| format!("{}.{}", schema(table), quote(&table.name));
        self.as_administrator(&format!(
            "CREATE SCHEMA {0}; CREATE SCHEMA {1}; CREATE TABLE {2} (id int8 PRIMARY KEY, at timestamptz); \
             CREATE TABLE {3} (id int8 PRIMARY KEY, at timestamptz); CREATE TABLE {0}.other (id int8); \
             INSERT INTO {2} SELECT n, now() FROM generate_series(1, 5) n; \
             INSERT INTO {3} SELECT n, now() FROM generate_series(1, 5) n",
            schema(first),
            schema(second),
            name(first),
            name(second),
        ))
        .await
    }
}

/// What a statement of the user is refused with.
async fn refusal(connection: &mut PgConnection, sql: &str) -> Result<String> {
    let refused =
        connection.execute(AssertSqlSafe(sql)).await.err().with_context(|| format!("{sql} passed"))?;
    let refused = refused.into_database_error().context("no error of the server's")?;
    Ok(refused.code().context("a code")?.into_owned())
}

#[tokio::test]
async fn what_the_script_grants_is_enough_least_and_taken_back() -> Result<()> {
    let site = Site::new().await?;
    site.fill().await?;
    let before = site.rights().await?;
    let scripts = site.scripts()?;
    site.as_administrator(&scripts.grant).await?;
    // What `\password` does, which the script leaves to psql.
    ensure!(scripts.grant.contains(&format!("\\password {}\n", quote(&site.user))), "{}", scripts.grant);
    site.as_administrator(&format!("ALTER ROLE {} PASSWORD '{SECRET}'", quote(&site.user))).await?;

    let connector = site.open()?;
    for table in &site.tables {
        let check = connector.check(Some(table), Some("at")).await;
        ensure!(check.passed(), "{check:?}");
        ensure!(count(&*connector, table, ("id", CursorKind::Int)).await? == 5);
    }
    let listed: Vec<TableRef> = connector.discover().await?.into_iter().map(|found| found.table).collect();
    let same = |one: &TableRef| (one.schema.clone(), one.name.clone());
    ensure!(
        listed.iter().map(same).collect::<Vec<_>>() == site.tables.iter().rev().map(same).collect::<Vec<_>>(),
        "{listed:?}"
    );

    let mut own = site.connect(&site.user).await?;
    let (schema, name) = (quote("a\"b; --"), quote("order"));
    ensure!(refusal(&mut own, &format!("INSERT INTO {schema}.{name} VALUES (9, NULL)")).await? == "25006");
    own.execute("SET default_transaction_read_only = off").await?;
    for sql in [
        format!("INSERT INTO {schema}.{name} VALUES (9, NULL)"),
        format!("UPDATE {schema}.{name} SET at = NULL"),
        format!("DELETE FROM {schema}.{name}"),
        format!("TRUNCATE {schema}.{name}"),
        format!("DROP TABLE {schema}.{name}"),
        format!("SELECT * FROM {schema}.other"),
        format!("CREATE TABLE {schema}.mine (id int)"),
        "CREATE TABLE public.mine (id int)".to_owned(),
        "CREATE SCHEMA mine".to_owned(),
        "CREATE ROLE mine".to_owned(),
    ] {
        // The owner alone may drop, which PostgreSQL tells with the same code.
        ensure!(refusal(&mut own, &sql).await? == "42501", "{sql}");
    }

    site.as_administrator(&scripts.revoke).await?;
    ensure!(site.rights().await? == before, "{before:#?}\n{:#?}", site.rights().await?);
    // A connection that was open all the time reads nothing either.
    ensure!(refusal(&mut own, &format!("SELECT * FROM {schema}.{name}")).await? == "42501");
    let check = site.open()?.check(None, None).await;
    let failed = check.steps.last().and_then(|step| step.error.as_ref()).context("it still signs in")?;
    ensure!(failed.kind() == ErrorKind::Auth, "{failed:?}");
    Ok(())
}
