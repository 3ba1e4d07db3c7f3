//! Connections: a page of a list with its cursors, and the total only when asked for.

use std::borrow::Cow;

use async_graphql::connection::PageInfo;
use async_graphql::{Context, Object, ObjectType, OutputType, SimpleObject, TypeName};
use futures::future::BoxFuture;
use sea_orm::{DatabaseConnection, EntityTrait, PaginatorTrait, Select};

use crate::error::Result;
use crate::graphql::context::{Reach, load};
use crate::graphql::error::Fault;
use crate::graphql::loaders::{Count, Fetch, LoadError, Nested, Slice};
use crate::graphql::window::{self, Key, Order, PageArgs, Window};
use async_graphql::dataloader::Loader;

/// A count on its way.
pub type Counted<'a> = BoxFuture<'a, async_graphql::Result<i64>>;

/// Counts a list when the client asks for the total.
pub type Counting = Box<dyn for<'a> Fn(&'a Context<'_>) -> Counted<'a> + Send + Sync>;

/// Boxes a count, which the compiler cannot see through otherwise.
pub fn counting<F>(count: F) -> Counting
where
    F: for<'a> Fn(&'a Context<'_>) -> Counted<'a> + Send + Sync + 'static,
{
    Box::new(count)
}

/// One page of a list.
pub struct Page<N: OutputType> {
    edges: Vec<Edge<N>>,
    previous: bool,
    next: bool,
    total: Counting,
}

/// An object in a page, with its cursor.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub struct Edge<N: OutputType> {
    /// The object.
    node: N,
    /// Its cursor, for `after` and `before`.
    cursor: String,
}

impl<N: OutputType> TypeName for Page<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", N::type_name()).into()
    }
}

impl<N: OutputType> TypeName for Edge<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", N::type_name()).into()
    }
}

/// One page of a list.
#[Object(name_type)]
impl<N: ObjectType> Page<N> {
    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: self.previous,
            has_next_page: self.next,
            start_cursor: self.edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: self.edges.last().map(|edge| edge.cursor.clone()),
        }
    }

    /// The objects with their cursors.
    async fn edges(&self) -> &[Edge<N>] {
        &self.edges
    }

    /// The objects.
    async fn nodes(&self) -> Vec<&N> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// How many there are in all. Counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let total = (self.total)(ctx).await?;
        Ok(i32::try_from(total).unwrap_or(i32::MAX))
    }
}

impl<N: ObjectType> Page<N> {
    /// Makes a page of the rows a window returned.
    pub fn of<E: EntityTrait>(
        rows: Vec<E::Model>,
        window: &Window,
        order: &Order<E>,
        list: &str,
        total: Counting,
    ) -> Result<Self>
    where
        N: From<E::Model>,
    {
        let limit = usize::try_from(window.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        let mut edges = Vec::with_capacity(rows.len().min(limit));
        for row in rows.into_iter().take(limit) {
            let cursor = window::cursor(list, order.keys(&row)?);
            edges.push(Edge { node: N::from(row), cursor });
        }
        let (mut previous, mut next) = (window.bound.is_some(), more);
        if window.backward {
            edges.reverse();
            std::mem::swap(&mut previous, &mut next);
        }
        Ok(Self { edges, previous, next, total })
    }
}

/// A page of a list that stands by itself. `filters` tells its cursors from those of other filters.
pub async fn page<E, N>(
    ctx: &Context<'_>,
    args: PageArgs,
    list: &[&str],
    order: Order<E>,
    rows: Select<E>,
) -> async_graphql::Result<Page<N>>
where
    E: EntityTrait<Model: Send + Sync>,
    N: ObjectType + From<E::Model>,
{
    let list = window::fingerprint(list);
    let window = args.window(&list, order.columns.len(), window::MOST)?;
    let counted = rows.clone();
    let total: Counting = Box::new(move |ctx| {
        let counted = counted.clone();
        Box::pin(async move { count(ctx.db(), counted).await.map_err(Into::into) })
    });
    let found = window.apply(rows, &order).all(ctx.db()).await.map_err(Fault::from)?;
    Page::of(found, &window, &order, &list, total).map_err(|error| Fault::from(error).into())
}

async fn count<E: EntityTrait<Model: Send + Sync>>(
    db: &DatabaseConnection,
    rows: Select<E>,
) -> std::result::Result<i64, Fault> {
    Ok(i64::try_from(rows.count(db).await?).unwrap_or(i64::MAX))
}

/// A page of a list that belongs to a parent; the lists of all parents of a level come in one statement.
pub async fn nested<L, N>(ctx: &Context<'_>, args: PageArgs, parent: Key) -> async_graphql::Result<Page<N>>
where
    L: Nested,
    N: ObjectType + From<<L::Entity as EntityTrait>::Model>,
    Fetch: Loader<Slice<L>, Value = Vec<<L::Entity as EntityTrait>::Model>, Error = LoadError>
        + Loader<Count<L>, Value = i64, Error = LoadError>,
{
    let order = L::order();
    let list = window::fingerprint(&[L::NAME, &format!("{parent:?}")]);
    let window = args.window(&list, order.columns.len(), window::MOST)?;
    let rows = load(ctx, Slice::<L>::new(parent.clone(), window.clone())).await?.unwrap_or_default();
    let total: Counting = Box::new(move |ctx| {
        let key = Count::<L>::new(parent.clone());
        Box::pin(async move { Ok(load(ctx, key).await?.unwrap_or_default()) })
    });
    Page::of(rows, &window, &order, &list, total).map_err(|error| Fault::from(error).into())
}
