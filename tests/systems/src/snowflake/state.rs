//! All the server knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};

use super::clock::Clock;
use super::fault::Fault;
use super::http::faults::Faults;
use super::http::statements::Statements;
use super::journal::Request;
use super::sql::answer::Answer;
use super::sql::catalog::{Catalog, Object};
use super::sql::error::{Outcome, SqlError};
use super::sql::grants::{Grants, Sort};
use super::sql::session::Session;
use super::sql::statement::{self, Plan};
use super::sql::value::Value;
use super::users::Users;

/// A warehouse. It computes nothing; statements need one all the same.
#[derive(Clone, Debug)]
pub struct Warehouse {
    /// Whether it sleeps.
    pub suspended: bool,
    /// Whether a statement wakes it up.
    pub auto_resume: bool,
    /// After how many seconds without work it would sleep; none for never.
    pub auto_suspend: Option<u32>,
}

impl Warehouse {
    /// A new one, awake.
    pub fn with(properties: &BTreeMap<String, String>) -> Self {
        let mut made = Self { suspended: false, auto_resume: true, auto_suspend: Some(600) };
        made.set(properties);
        made.suspended = properties.get("INITIALLY_SUSPENDED").is_some_and(|it| it == "TRUE");
        made
    }

    /// Sets properties; its size means nothing here, and it sleeps only when it is told to.
    pub fn set(&mut self, properties: &BTreeMap<String, String>) {
        if let Some(value) = properties.get("AUTO_RESUME") {
            self.auto_resume = value == "TRUE";
        }
        if let Some(value) = properties.get("AUTO_SUSPEND") {
            self.auto_suspend = value.parse().ok().filter(|seconds| *seconds > 0);
        }
    }
}

/// The account: what statements read and change.
#[derive(Debug, Default)]
pub struct World {
    /// Databases and what is in them.
    pub catalog: Catalog,
    /// Users.
    pub users: Users,
    /// Roles, apart from the administrator's.
    pub roles: BTreeSet<String>,
    /// Warehouses by name.
    pub warehouses: BTreeMap<String, Warehouse>,
    /// What roles may do.
    pub grants: Grants,
    /// Why sign-ins were refused, by the UUID in the refusal.
    pub failures: BTreeMap<String, String>,
}

impl World {
    /// Whether the session's role may use something.
    pub fn uses(&self, session: &Session, sort: Sort, name: &[String]) -> bool {
        let there = match (sort, name) {
            (Sort::Warehouse, [name]) => self.warehouses.contains_key(name),
            (Sort::Database, [name]) => self.catalog.databases.contains_key(name),
            // Every database has it, for whoever may use the database.
            (Sort::Schema, [database, schema]) if schema == "INFORMATION_SCHEMA" => {
                return self.uses(session, Sort::Database, std::slice::from_ref(database));
            }
            (Sort::Schema, [database, schema]) => self.catalog.schema(database, schema).is_ok(),
            _ => true,
        };
        there && self.grants.has(session.role.as_deref(), "USAGE", sort, name)
    }

    /// Puts a table or a view into a schema, in place of one of that name, with what was granted for it beforehand.
    pub fn put(&mut self, full: &[String; 3], object: Object) -> Outcome<()> {
        let sort = if object.is_view() { Sort::View } else { Sort::Table };
        self.catalog.schema_mut(&full[0], &full[1])?.insert(full[2].clone(), object);
        self.grants.gone(sort, full);
        self.grants.born(sort, full);
        Ok(())
    }

    /// Refuses a statement that computes when the session has no warehouse for it.
    pub fn compute(&self, session: &Session) -> Outcome<()> {
        let name = session.warehouse.as_ref().ok_or_else(SqlError::no_warehouse)?;
        let used = self.uses(session, Sort::Warehouse, std::slice::from_ref(name));
        let awake = self.warehouses.get(name).is_some_and(|it| !it.suspended || it.auto_resume);
        if used && awake { Ok(()) } else { Err(SqlError::no_warehouse()) }
    }

    /// Whether the session's role sees a table or a view at all.
    pub fn sees_object(&self, session: &Session, full: &[String; 3], object: &Object) -> bool {
        let sort = if object.is_view() { Sort::View } else { Sort::Table };
        self.uses(session, Sort::Database, &full[..1])
            && self.uses(session, Sort::Schema, &full[..2])
            && self.grants.sees(session.role.as_deref(), sort, full)
    }

    /// The tables and views that the session's role sees, by database, schema and name.
    pub fn visible(
        &self,
        session: &Session,
        database: Option<&str>,
        schema: Option<&str>,
    ) -> Vec<([&str; 3], &Object)> {
        let mut found = Vec::new();
        for (in_database, schemas) in &self.catalog.databases {
            for (in_schema, objects) in schemas {
                if database.is_some_and(|it| it != in_database) || schema.is_some_and(|it| it != in_schema) {
                    continue;
                }
                for (name, object) in objects {
                    let full = [in_database.clone(), in_schema.clone(), name.clone()];
                    if self.sees_object(session, &full, object) {
                        found.push(([in_database.as_str(), in_schema, name], object));
                    }
                }
            }
        }
        found
    }
}

/// The server's state, shared by its threads.
#[derive(Debug, Default)]
pub struct State {
    world: RwLock<World>,
    statements: Mutex<Statements>,
    faults: Mutex<Faults>,
    journal: Mutex<Vec<Request>>,
    /// The server's time.
    pub clock: Clock,
}

impl State {
    /// The account, to change it.
    pub fn world(&self) -> RwLockWriteGuard<'_, World> {
        // A test that panicked while it held the lock has failed already.
        self.world.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the account.
    pub fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The statements submitted.
    pub fn statements(&self) -> MutexGuard<'_, Statements> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to go wrong.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every call so far.
    pub fn journal(&self) -> Vec<Request> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes a call down.
    pub fn note(&self, request: Request) {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    }

    /// Takes up a fault or a setting.
    pub fn fault(&self, fault: Fault) {
        match fault {
            Fault::ClockOffset(seconds) => self.clock.set_offset(seconds),
            Fault::Expired => self.statements().expire(),
            other => self.faults().put(other),
        }
    }

    /// Statements that are still running.
    pub fn running(&self) -> Vec<String> {
        self.statements().running()
    }

    /// Runs a statement.
    pub fn execute(&self, session: &Session, sql: &str, bound: &[Value]) -> Outcome<Answer> {
        let session = Session { now: self.clock.nanos(), ..session.clone() };
        let plan = statement::plan(sql, bound, session.ignore_case)?;
        match plan {
            Plan::Listing(_) | Plan::Reading(_) => {
                self.look(|world| statement::read(world, &session, &plan, bound))
            }
            Plan::Words(_) | Plan::Changing(_) => {
                statement::change(&mut self.world(), &session, &plan, bound)
            }
        }
    }
}
