//! Copies of what is stored, on which an import works out its effects before anything is written.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use entity::{AccountId, account};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IdenStatic,
    IntoActiveModel, Iterable, PrimaryKeyToColumn, QueryFilter, Select, Value,
};

use super::Wrong;
use super::table::Row;
use crate::domain::change::Change;
use crate::domain::global_id;
use crate::error::Result;

/// Rows written in one statement.
const AT_ONCE: usize = 500;

/// Values looked for in one statement.
const LOOKED_FOR: usize = 5_000;

/// The rows of one table that concern an import, by ID, with what was added and changed.
#[derive(Debug)]
pub struct Shelf<I, M> {
    models: HashMap<I, M>,
    /// Those added or changed.
    touched: BTreeSet<I>,
}

impl<I: Copy + Eq + Hash + Ord, M: Clone> Shelf<I, M> {
    /// Starts with what is stored.
    pub fn new(models: impl IntoIterator<Item = (I, M)>) -> Self {
        Self { models: models.into_iter().collect(), touched: BTreeSet::new() }
    }

    /// A row.
    pub fn get(&self, id: I) -> Option<&M> {
        self.models.get(&id)
    }

    /// Adds or changes a row.
    pub fn put(&mut self, id: I, model: M) {
        self.models.insert(id, model);
        self.touched.insert(id);
    }

    /// Writes what was added and changed, many rows in a statement.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn write<E, A>(&self, db: &impl ConnectionTrait) -> Result<()>
    where
        E: EntityTrait<Model = M>,
        M: IntoActiveModel<A>,
        A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
    {
        let is_key = |column: &E::Column| {
            E::PrimaryKey::iter().any(|key| key.into_column().as_str() == column.as_str())
        };
        let key = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column);
        let others = E::Column::iter().filter(|column| !is_key(column));
        let replace = OnConflict::columns(key).update_columns(others).to_owned();
        let written: Vec<I> = self.touched.iter().copied().collect();
        for part in written.chunks(AT_ONCE) {
            let rows = part.iter().filter_map(|id| self.models.get(id)).cloned();
            let rows: Vec<A> = rows.map(|model| model.into_active_model().reset_all()).collect();
            E::insert_many(rows).on_conflict(replace.clone()).exec_without_returning(db).await?;
        }
        Ok(())
    }
}

/// Loads the rows in which a column has one of many values.
///
/// # Errors
/// When the database fails.
pub async fn having<E, V>(
    db: &impl ConnectionTrait,
    rows: Select<E>,
    column: E::Column,
    values: impl IntoIterator<Item = V>,
) -> Result<Vec<E::Model>>
where
    E: EntityTrait,
    V: Into<Value> + Ord,
{
    let values: BTreeSet<V> = values.into_iter().collect();
    let mut values = values.into_iter().peekable();
    let mut found = Vec::new();
    while values.peek().is_some() {
        let some: Vec<V> = values.by_ref().take(LOOKED_FOR).collect();
        found.extend(rows.clone().filter(column.is_in(some)).all(db).await?);
    }
    Ok(found)
}

/// The accounts, found by ID or by name.
#[derive(Debug)]
pub struct Accounts {
    /// The accounts.
    pub shelf: Shelf<AccountId, account::Model>,
    names: HashMap<String, Vec<AccountId>>,
}

impl Accounts {
    /// Loads the accounts that rows name by ID or by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(
        change: &Change<'_, impl ConnectionTrait>,
        rows: &[Row<'_>],
        id: &str,
        name: &str,
    ) -> Result<Self> {
        let all = account::Entity::find().filter(account::Column::OrganizationId.eq(change.organization()));
        let ids = rows.iter().filter_map(|row| global_id::parse::<AccountId>("Account", row.filled(id)?));
        let named = rows.iter().filter_map(|row| row.filled(name));
        let mut found = having(change.db, all.clone(), account::Column::Id, ids).await?;
        found.extend(having(change.db, all, account::Column::Name, named).await?);
        let shelf = Shelf::new(found.into_iter().map(|row| (row.id, row)));
        let mut names: HashMap<String, Vec<AccountId>> = HashMap::new();
        for row in shelf.models.values().filter(|row| row.archived_at.is_none()) {
            names.entry(row.name.clone()).or_default().push(row.id);
        }
        Ok(Self { shelf, names })
    }

    /// The accounts that are there.
    pub fn ids(&self) -> impl Iterator<Item = AccountId> {
        self.shelf.models.keys().copied()
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
