//! A database, a warehouse, roles and users of its own for one test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, anyhow};

use super::keys::Pair;
use super::server::Server;
use super::sql::catalog::Object;
use super::sql::session::Session;
use super::sql::source::{Generated, Source};
use super::sql::types::Column;
use super::sql::value::Value;
use super::users::{ADMIN, Token};

/// The users a place has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// May read every table and view of the place, those to come too.
    Reader,
    /// May use the warehouse and sign in, and see nothing.
    Stranger,
}

/// What a user connects with.
#[derive(Clone, Debug)]
pub struct Account {
    /// Account identifier.
    pub account: String,
    /// User name.
    pub user: String,
    /// A role the user has, its default too.
    pub role: String,
    /// The place's warehouse.
    pub warehouse: String,
    /// The place's database.
    pub database: String,
    /// The schema in it: `PUBLIC`.
    pub schema: String,
    /// Private key in PEM (PKCS#8); its public half is in the user's first slot.
    pub private_key_pem: String,
    /// A programmatic access token, restricted to the role.
    pub token: String,
}

/// A database with a schema `PUBLIC`, a warehouse, two roles and two users.
#[derive(Clone, Debug)]
pub struct Place {
    server: Server,
    reader: Account,
    stranger: Account,
}

impl Place {
    pub(super) async fn make(server: &Server) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let (database, warehouse) = (format!("PLACE_{number}"), format!("WH_{number}"));
        let account = async |name: &str| -> Result<Account> {
            let key = name.to_lowercase();
            let pair = tokio::task::spawn_blocking(move || Pair::named(&key)).await??;
            let (user, role) = (format!("{name}_{number}"), format!("{name}_ROLE_{number}"));
            let token = format!("pat-{}", uuid::Uuid::now_v7().simple());
            let mut world = server.state().world();
            world.roles.insert(role.clone());
            let made = world.users.make(&user);
            made.keys[0] = Some(pair.public.parse()?);
            made.roles.insert(role.clone());
            made.default_role = Some(role.clone());
            made.default_warehouse = Some(warehouse.clone());
            made.tokens.insert(token.clone(), Token { role: Some(role.clone()), expired: false });
            Ok(Account {
                account: server.account().to_owned(),
                user,
                role,
                warehouse: warehouse.clone(),
                database: database.clone(),
                schema: "PUBLIC".to_owned(),
                private_key_pem: pair.private_pem,
                token,
            })
        };
        let (reader, stranger) = (account("READER").await?, account("STRANGER").await?);
        let place = Self { server: server.clone(), reader, stranger };
        let role = &place.reader.role;
        for statement in [
            format!("CREATE DATABASE {database}"),
            format!("CREATE WAREHOUSE {warehouse}"),
            format!("GRANT USAGE ON WAREHOUSE {warehouse} TO ROLE {role}"),
            format!("GRANT USAGE ON WAREHOUSE {warehouse} TO ROLE {}", place.stranger.role),
            format!("GRANT USAGE ON DATABASE {database} TO ROLE {role}"),
            format!("GRANT USAGE ON SCHEMA {database}.PUBLIC TO ROLE {role}"),
            format!("GRANT SELECT ON FUTURE TABLES IN SCHEMA {database}.PUBLIC TO ROLE {role}"),
            format!("GRANT SELECT ON FUTURE VIEWS IN SCHEMA {database}.PUBLIC TO ROLE {role}"),
        ] {
            place.run(&statement).await?;
        }
        Ok(place)
    }

    /// What one of its users connects with.
    pub fn user(&self, who: Who) -> Account {
        match who {
            Who::Reader => self.reader.clone(),
            Who::Stranger => self.stranger.clone(),
        }
    }

    /// The server it is on.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Runs one statement as the account's administrator, in the place's database and schema.
    pub async fn run(&self, sql: &str) -> Result<()> {
        self.query(sql).await.map(drop)
    }

    /// Runs one statement like [`run`](Self::run) and returns its rows.
    pub async fn query(&self, sql: &str) -> Result<Vec<Vec<Value>>> {
        let session = Session {
            user: ADMIN.to_owned(),
            role: Some(ADMIN.to_owned()),
            warehouse: Some(self.reader.warehouse.clone()),
            database: Some(self.reader.database.clone()),
            schema: Some(self.reader.schema.clone()),
            ..Session::default()
        };
        let answer = self.server.state().execute(&session, sql, &[]);
        let answer = answer.map_err(|error| anyhow!("{}: {} in {sql:.200}", error.code, error.message))?;
        answer.rows().map_err(|error| anyhow!("{}: {} in {sql:.200}", error.code, error.message))
    }

    /// Makes a table whose rows are made when they are read. `row` is given the number of a row, from 0, and returns
    /// a value for each column; it must always return the same. `sorted` names the columns, in order, by which
    /// ascending row numbers are sorted ascending and without NULL: a read in that order need not sort.
    pub fn generate(
        &self,
        name: &str,
        columns: Vec<Column>,
        rows: usize,
        sorted: &[&str],
        row: impl Fn(usize) -> Vec<Value> + Send + Sync + 'static,
    ) -> Result<()> {
        let sorted = sorted
            .iter()
            .map(|name| columns.iter().position(|column| column.name == *name))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| anyhow!("sorted by a column that does not exist"))?;
        let source = Source::Made(Arc::new(Generated { rows, sorted, make: Box::new(row) }));
        let full = [self.reader.database.clone(), self.reader.schema.clone(), name.to_owned()];
        let made = Object::table(columns, source, self.server.state().clock.nanos());
        self.server
            .state()
            .world()
            .put(&full, made)
            .map_err(|error| anyhow!("{}: {} for {name}", error.code, error.message))?;
        Ok(())
    }
}
