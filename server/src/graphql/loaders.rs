//! Batched loading: the rows behind all IDs of one level of a query come in one statement.
//!
//! Every load stays inside the viewer's organization and checks the permission of what it loads, so no edge can be
//! followed further than a direct question would reach.

use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use entity::id::*;
use entity::*;
use sea_orm::sea_query::{Asterisk, Expr, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, ModelTrait, QueryFilter, QuerySelect,
    QueryTrait, Select,
};

use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::domain::kept::Kept;
use crate::error::{Error, Result};
use crate::graphql::error::Fault;
use crate::graphql::window::{Key, Order, Window};

/// Parents asked about in one statement; SQLite takes at most 500 terms in a union.
const PARENTS: usize = 200;

/// What loads for one request.
pub struct Fetch {
    /// The process's dependencies.
    pub app: App,
    /// Who is asking.
    pub viewer: Viewer,
}

impl Fetch {
    /// Makes the loader of one request.
    pub fn new(app: App, viewer: Viewer) -> Self {
        Self { app, viewer }
    }

    /// The viewer's organization, refused unless they hold the permission.
    pub fn organization(&self, permission: Permission) -> Result<OrganizationId> {
        self.viewer.require(permission)?;
        Ok(self.viewer.organization)
    }

    /// The database.
    pub fn db(&self) -> &sea_orm::DatabaseConnection {
        self.app.db.orm()
    }
}

/// A failed load, told to everyone who waited for it.
#[derive(Clone, Debug)]
pub struct LoadError(Arc<Error>);

impl<E: Into<Error>> From<E> for LoadError {
    fn from(error: E) -> Self {
        Self(Arc::new(error.into()))
    }
}

impl From<LoadError> for async_graphql::Error {
    fn from(error: LoadError) -> Self {
        Fault::shared(&error.0)
    }
}

/// The entities whose rows are found by their ID inside an organization; `kept` are those of which rows may wait to be
/// discarded.
macro_rules! by_id {
    (@rows kept $noun:ident, $organization:ident) => { $noun::Entity::kept($organization) };
    (@rows all $noun:ident, $organization:ident) => {
        $noun::Entity::find().filter($noun::Column::OrganizationId.eq($organization))
    };
    ($($id:ident => $which:ident $noun:ident, $permission:ident;)*) => {$(
        impl Loader<$id> for Fetch {
            type Value = $noun::Model;
            type Error = LoadError;

            async fn load(&self, ids: &[$id]) -> std::result::Result<HashMap<$id, $noun::Model>, LoadError> {
                let organization = self.organization(Permission::$permission)?;
                let rows = by_id!(@rows $which $noun, organization)
                    .filter($noun::Column::Id.is_in(ids.iter().copied()))
                    .all(self.db())
                    .await?;
                Ok(rows.into_iter().map(|row| (row.id, row)).collect())
            }
        }
    )*};
}

by_id! {
    AccountId => all account, AccountsRead;
    ApiTokenId => all api_token, Admin;
    AuditEventId => all audit_event, Admin;
    ExternalIdId => all external_id, AccountsRead;
    ExternalIdSettingId => all external_id_setting, AccountsRead;
    IgnoreRuleId => kept ignore_rule, UnmatchedRead;
    InputId => all input, AccountsRead;
    KeyPairId => all key_pair, SourcesRead;
    MetricId => all metric, AccountsRead;
    MetricLinkId => all metric_link, AccountsRead;
    OpportunityId => all opportunity, AccountsRead;
    ReconcileId => kept reconcile, SourcesRead;
    SeriesId => kept series, MeasurementsRead;
    SourceId => kept source, SourcesRead;
    StreamId => kept stream, SourcesRead;
    SyncRunId => kept sync_run, SourcesRead;
    UnmatchedGroupId => kept unmatched_group, UnmatchedRead;
    WaitingRowId => kept waiting_row, UnmatchedRead;
}

/// A list that belongs to a parent, such as the runs of a stream.
pub trait Nested: Send + Sync + 'static {
    /// What is listed.
    type Entity: EntityTrait<Model: Send + Sync + Clone + ModelTrait<Entity = Self::Entity> + FromQueryResult>;
    /// Its name in cursors.
    const NAME: &'static str;
    /// Who may see it.
    const READ: Permission;
    /// The column that names the parent.
    fn parent() -> <Self::Entity as EntityTrait>::Column;
    /// How it is sorted.
    fn order() -> Order<Self::Entity>;
    /// Its rows of all parents.
    fn rows(organization: OrganizationId) -> Select<Self::Entity>;
}

/// One window into the list of one parent.
pub struct Slice<L> {
    /// The parent.
    pub parent: Key,
    /// The window.
    pub window: Window,
    list: PhantomData<fn() -> L>,
}

/// How long the list of one parent is.
pub struct Count<L> {
    /// The parent.
    pub parent: Key,
    list: PhantomData<fn() -> L>,
}

impl<L> Slice<L> {
    /// Asks for a window into the list of `parent`.
    pub fn new(parent: Key, window: Window) -> Self {
        Self { parent, window, list: PhantomData }
    }
}

impl<L> Count<L> {
    /// Asks how long the list of `parent` is.
    pub fn new(parent: Key) -> Self {
        Self { parent, list: PhantomData }
    }
}

/// The traits a loader key needs, whatever the list's type is.
macro_rules! key {
    ($name:ident { $($field:ident),* }) => {
        impl<L> Clone for $name<L> {
            fn clone(&self) -> Self {
                Self { $($field: self.$field.clone(),)* list: PhantomData }
            }
        }

        impl<L> PartialEq for $name<L> {
            fn eq(&self, other: &Self) -> bool {
                $(self.$field == other.$field)&&*
            }
        }

        impl<L> Eq for $name<L> {}

        impl<L> Hash for $name<L> {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                $(self.$field.hash(state);)*
            }
        }
    };
}

key!(Slice { parent, window });
key!(Count { parent });

impl<L: Nested> Loader<Slice<L>> for Fetch {
    type Value = Vec<<L::Entity as EntityTrait>::Model>;
    type Error = LoadError;

    async fn load(
        &self,
        slices: &[Slice<L>],
    ) -> std::result::Result<HashMap<Slice<L>, Self::Value>, LoadError> {
        let organization = self.organization(L::READ)?;
        let order = L::order();
        let mut found: HashMap<Slice<L>, Self::Value> =
            slices.iter().map(|slice| (slice.clone(), Vec::new())).collect();
        for chunk in slices.chunks(PARENTS) {
            let branches = chunk.iter().map(|slice| {
                let rows = L::rows(organization).filter(L::parent().eq(slice.parent.value()));
                slice.window.apply(rows, &order).into_query()
            });
            for (index, model) in union::<L::Entity>(self.db(), branches).await? {
                if let Some(rows) = chunk.get(index).and_then(|slice| found.get_mut(slice)) {
                    rows.push(model);
                }
            }
        }
        Ok(found)
    }
}

/// Runs limited queries as one statement and tells which query each row is from.
///
/// The rows of one query keep their order: no database reorders or runs in parallel the limited parts of a union.
pub async fn union<E: EntityTrait>(
    db: &impl ConnectionTrait,
    branches: impl Iterator<Item = SelectStatement>,
) -> Result<Vec<(usize, E::Model)>> {
    let mut whole: Option<SelectStatement> = None;
    for (index, branch) in branches.enumerate() {
        let number = i32::try_from(index).map_err(|error| Error::internal("joining queries", error))?;
        let part = Query::select()
            .column(Asterisk)
            .expr_as(Expr::val(number), "branch_number")
            .from_subquery(branch, format!("b{index}"))
            .to_owned();
        match &mut whole {
            None => whole = Some(part),
            Some(whole) => {
                whole.union(UnionType::All, part);
            }
        }
    }
    let Some(whole) = whole else { return Ok(Vec::new()) };
    let mut models = Vec::new();
    for row in db.query_all(&whole).await? {
        let index: i32 = row.try_get("", "branch_number")?;
        let index = usize::try_from(index).map_err(|error| Error::internal("joining queries", error))?;
        models.push((index, E::Model::from_query_result(&row, "")?));
    }
    Ok(models)
}

impl<L: Nested> Loader<Count<L>> for Fetch {
    type Value = i64;
    type Error = LoadError;

    async fn load(&self, counts: &[Count<L>]) -> std::result::Result<HashMap<Count<L>, i64>, LoadError> {
        let organization = self.organization(L::READ)?;
        let parents = counts.iter().map(|count| count.parent.value());
        let query = L::rows(organization)
            .filter(L::parent().is_in(parents))
            .select_only()
            .column_as(L::parent(), "parent")
            .column_as(L::parent().count(), "count")
            .group_by(L::parent());
        let rows = self.db().query_all(&query.into_query()).await?;
        let mut found: HashMap<Count<L>, i64> = counts.iter().map(|count| (count.clone(), 0)).collect();
        for row in rows {
            let parent = match row.try_get::<i64>("", "parent") {
                Ok(number) => Key::Int(number),
                Err(_) => Key::Uuid(row.try_get("", "parent")?),
            };
            found.insert(Count::new(parent), row.try_get("", "count")?);
        }
        Ok(found)
    }
}
