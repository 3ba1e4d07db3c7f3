//! Copies of what is stored, on which an import works out its effects before anything is written.

use std::collections::HashMap;
use std::hash::Hash;

use entity::{AccountId, account};
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter,
};

use super::Wrong;
use super::table::Row;
use crate::domain::change::Change;
use crate::domain::global_id;
use crate::error::Result;

/// Rows inserted in one statement.
const AT_ONCE: usize = 500;

/// The rows of one table by ID, with what was added and changed.
#[derive(Debug)]
pub struct Shelf<I, M> {
    models: HashMap<I, M>,
    added: Vec<I>,
    changed: Vec<I>,
}

impl<I: Copy + Eq + Hash, M: Clone> Shelf<I, M> {
    /// Starts with what is stored.
    pub fn new(models: impl IntoIterator<Item = (I, M)>) -> Self {
        Self { models: models.into_iter().collect(), added: Vec::new(), changed: Vec::new() }
    }

    /// A row.
    pub fn get(&self, id: I) -> Option<&M> {
        self.models.get(&id)
    }

    /// Adds a row.
    pub fn add(&mut self, id: I, model: M) {
        self.models.insert(id, model);
        self.added.push(id);
    }

    /// Changes a row.
    pub fn change(&mut self, id: I, model: M) {
        self.models.insert(id, model);
        if !self.added.contains(&id) && !self.changed.contains(&id) {
            self.changed.push(id);
        }
    }

    /// Writes what was added and changed.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn write<E, A>(&self, db: &impl ConnectionTrait) -> Result<()>
    where
        E: EntityTrait<Model = M>,
        M: IntoActiveModel<A>,
        A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
    {
        for part in self.added.chunks(AT_ONCE) {
            let rows = part.iter().filter_map(|id| self.models.get(id)).cloned();
            let rows: Vec<A> = rows.map(|model| model.into_active_model().reset_all()).collect();
            E::insert_many(rows).exec_without_returning(db).await?;
        }
        for id in &self.changed {
            if let Some(model) = self.models.get(id) {
                let row: A = model.clone().into_active_model().reset_all();
                E::update(row).exec_without_returning(db).await?;
            }
        }
        Ok(())
    }
}

/// The accounts, found by ID or by name.
#[derive(Debug)]
pub struct Accounts {
    /// The accounts.
    pub shelf: Shelf<AccountId, account::Model>,
    names: HashMap<String, Vec<AccountId>>,
}

impl Accounts {
    /// Loads the accounts of the organization.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(change: &Change<'_, impl ConnectionTrait>) -> Result<Self> {
        let rows = account::Entity::find()
            .filter(account::Column::OrganizationId.eq(change.organization()))
            .all(change.db)
            .await?;
        let mut names: HashMap<String, Vec<AccountId>> = HashMap::new();
        for row in rows.iter().filter(|row| row.archived_at.is_none()) {
            names.entry(row.name.clone()).or_default().push(row.id);
        }
        Ok(Self { shelf: Shelf::new(rows.into_iter().map(|row| (row.id, row))), names })
    }

    /// Notes the name of an added account.
    pub fn name(&mut self, name: &str, id: AccountId) {
        self.names.entry(name.to_owned()).or_default().push(id);
    }

    /// The account with an ID, as people outside see it.
    pub fn by_id(&self, text: &str, column: &'static str) -> std::result::Result<AccountId, Wrong> {
        global_id::parse::<AccountId>("Account", text)
            .filter(|id| self.shelf.get(*id).is_some())
            .ok_or_else(|| Wrong::new(column, format!("there is no account with the ID {text:?}")))
    }

    /// The only account with a name; none when there is none.
    pub fn by_name(&self, name: &str, column: &'static str) -> std::result::Result<Option<AccountId>, Wrong> {
        match self.names.get(name).map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([id]) => Ok(Some(*id)),
            Some(_) => Err(Wrong::new(column, format!("several accounts are named {name:?}; give the ID"))),
        }
    }

    /// The account a row names by `account_id` or `account_name`.
    pub fn of(&self, row: &Row<'_>) -> std::result::Result<AccountId, Wrong> {
        match (row.filled("account_id"), row.filled("account_name")) {
            (Some(id), _) => self.by_id(id, "account_id"),
            (None, Some(name)) => self
                .by_name(name, "account_name")?
                .ok_or_else(|| Wrong::new("account_name", format!("there is no account named {name:?}"))),
            (None, None) => Err(Wrong::new("account_id", "the account is missing: give its ID or name")),
        }
    }
}
