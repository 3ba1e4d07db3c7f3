//! What a resolver may reach: the app, the viewer, and the loaders. Nothing global.

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Context, InputType, Request};
use entity::id::OrganizationId;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use std::hash::Hash;

use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::clock::Micros;
use crate::domain::change::Change;
use crate::domain::idempotency;
use crate::error::{Error, Result as DomainResult};
use crate::graphql::error::{Fault, Outcome, outcome};
use crate::graphql::loaders::{Fetch, LoadError};

/// The ID of the HTTP request, shown with every error.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Gives a request what its resolvers need. Without a viewer it reads `__typename` and nothing else.
pub fn prepare(request: Request, app: &App, viewer: Option<Viewer>, request_id: String) -> Request {
    let request = request.data(app.clone()).data(RequestId(request_id));
    match viewer {
        None => request.disable_introspection(),
        Some(viewer) => {
            let fetch = Fetch::new(app.clone(), viewer.clone());
            request.data(DataLoader::new(fetch, tokio::spawn)).data(viewer)
        }
    }
}

/// What every resolver can ask of its context.
pub trait Reach {
    /// The process's dependencies.
    fn app(&self) -> &App;
    /// Who is asking, refused when nobody is.
    fn viewer(&self) -> async_graphql::Result<&Viewer>;
    /// The time of this moment.
    fn now(&self) -> Micros {
        self.app().clock.now()
    }
    /// The database for reading.
    fn db(&self) -> &DatabaseConnection {
        self.app().db.orm()
    }
    /// The loaders of this request.
    fn loader(&self) -> async_graphql::Result<&DataLoader<Fetch>>;
    /// The viewer's organization, refused unless they hold the permission.
    fn need(&self, permission: Permission) -> async_graphql::Result<OrganizationId> {
        let viewer = self.viewer()?;
        viewer.require(permission).map_err(Fault::from)?;
        Ok(viewer.organization)
    }
}

impl Reach for Context<'_> {
    fn app(&self) -> &App {
        self.data_unchecked::<App>()
    }

    fn viewer(&self) -> async_graphql::Result<&Viewer> {
        self.data_opt::<Viewer>().ok_or_else(Fault::unauthenticated)
    }

    fn loader(&self) -> async_graphql::Result<&DataLoader<Fetch>> {
        self.data_opt::<DataLoader<Fetch>>().ok_or_else(Fault::unauthenticated)
    }
}

/// Loads by key through the request's loader.
pub async fn load<K>(ctx: &Context<'_>, key: K) -> async_graphql::Result<Option<<Fetch as Loader<K>>::Value>>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Fetch: Loader<K, Error = LoadError>,
{
    ctx.loader()?.load_one(key).await.map_err(Into::into)
}

/// The object behind an ID that may be absent, gone or not set.
pub async fn maybe<K, N>(ctx: &Context<'_>, key: Option<K>) -> async_graphql::Result<Option<N>>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Fetch: Loader<K, Error = LoadError>,
    N: From<<Fetch as Loader<K>>::Value>,
{
    match key {
        Some(key) => Ok(load(ctx, key).await?.map(N::from)),
        None => Ok(None),
    }
}

/// The object behind a foreign key, which cannot be missing.
pub async fn must<K, N>(ctx: &Context<'_>, key: K) -> async_graphql::Result<N>
where
    K: Send + Sync + Hash + Eq + Clone + std::fmt::Debug + 'static,
    Fetch: Loader<K, Error = LoadError>,
    N: From<<Fetch as Loader<K>>::Value>,
{
    let missing = || Fault::from(Error::internal("following a reference", format!("{key:?} is gone")));
    let found = load(ctx, key.clone()).await?;
    found.map(N::from).ok_or_else(|| missing().into())
}

/// A request that may be repeated, if its input has an idempotency key.
fn request(
    ctx: &Context<'_>,
    key: Option<&String>,
    input: &impl InputType,
) -> DomainResult<Option<idempotency::Request>> {
    let ring = &ctx.app().keyring;
    let arguments = || input.to_value().to_string();
    let made = |key: &String| idempotency::Request::new(ring, key.clone(), ctx.field().name(), &arguments());
    key.map(made).transpose()
}

/// The answer given before, when a request is a repeat. Claims nothing.
pub async fn answered<T: serde::de::DeserializeOwned>(
    ctx: &Context<'_>,
    change: &Change<'_, impl ConnectionTrait>,
    key: Option<&String>,
    input: &impl InputType,
) -> DomainResult<Option<T>> {
    match request(ctx, key, input)? {
        Some(request) => idempotency::answered(change, &request).await,
        None => Ok(None),
    }
}

/// A mutation in hand: its transaction, and who it is for.
pub struct Work {
    app: App,
    transaction: DatabaseTransaction,
    viewer: Viewer,
    now: Micros,
    request: Option<idempotency::Request>,
}

impl Work {
    /// Begins a mutation for a viewer who holds the permission.
    pub async fn begin(ctx: &Context<'_>, permission: Permission) -> async_graphql::Result<Self> {
        ctx.need(permission)?;
        let viewer = ctx.viewer()?.clone();
        Ok(Self::start(ctx, viewer).await.map_err(Fault::from)?)
    }

    /// Begins one of the transactions of a mutation for a viewer whose permission was seen.
    pub async fn start(ctx: &Context<'_>, viewer: Viewer) -> DomainResult<Self> {
        let transaction = ctx.app().db.begin().await?;
        Ok(Self { app: ctx.app().clone(), transaction, viewer, now: ctx.now(), request: None })
    }

    /// The change to hand to domain functions.
    pub fn change(&self) -> Change<'_, DatabaseTransaction> {
        Change::new(&self.transaction, &self.viewer, self.now)
    }

    /// Ends the mutation: commits what succeeded, undoes what was refused.
    pub async fn end<T>(self, result: DomainResult<T>) -> async_graphql::Result<Outcome<T>> {
        Ok(outcome(self.close(result).await)?)
    }

    /// Commits what succeeded, undoes what was refused.
    pub async fn close<T>(self, result: DomainResult<T>) -> DomainResult<T> {
        match result {
            Ok(value) => {
                self.transaction.commit().await?;
                // What was enqueued need not wait for the workers' next look.
                self.app.jobs.wake();
                Ok(value)
            }
            Err(error) => {
                self.transaction.rollback().await?;
                Err(error)
            }
        }
    }

    /// Claims the idempotency key of an input, if it has one. The answer given before, when this is a repeat.
    pub async fn claim<T: serde::de::DeserializeOwned>(
        &mut self,
        ctx: &Context<'_>,
        key: Option<&String>,
        input: &impl InputType,
    ) -> DomainResult<Option<T>> {
        let Some(request) = request(ctx, key, input)? else { return Ok(None) };
        let answer = idempotency::claim(&self.change(), &request).await?;
        self.request = Some(request);
        Ok(answer)
    }

    /// Keeps the answer under the claimed key.
    pub async fn remember<T: serde::Serialize + Sync>(&self, answer: &T) -> DomainResult<()> {
        match &self.request {
            Some(request) => idempotency::remember(&self.change(), request, answer).await,
            None => Ok(()),
        }
    }
}
