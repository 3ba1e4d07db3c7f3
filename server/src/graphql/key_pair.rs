//! Key pairs of sources.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use entity::key_pair::{Column, Entity, Model};
use entity::{KeyPairId, SourceId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::auth::Permission;
use crate::custody;
use crate::domain::change::Change;
use crate::domain::key_pair;
use crate::graphql::context::{Reach, Work, must};
use crate::graphql::error::{Fault, outcome};
use crate::graphql::id::{Global, global};
use crate::graphql::loaders::{Fetch, LoadError};
use crate::graphql::payload::payload;
use crate::graphql::scalar::DateTime;
use crate::graphql::source::Source;
use crate::graphql::source_setup::{KeyPairSetup, statements};

/// A stored row on its way out.
#[derive(Clone)]
pub struct KeyPair(pub Model);

impl From<Model> for KeyPair {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// A key pair made here. The private half never leaves.
#[Object]
impl KeyPair {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Its source.
    async fn source(&self, ctx: &Context<'_>) -> Result<Source> {
        must(ctx, self.0.source_id).await
    }

    /// Which of the two slots it is in.
    async fn slot(&self) -> i32 {
        self.0.slot
    }

    /// The public half as one line to paste.
    async fn public_key(&self) -> &str {
        &self.0.public_key
    }

    /// The SHA-256 fingerprint both sides can compare.
    async fn fingerprint(&self) -> &str {
        &self.0.fingerprint
    }

    /// The statements that install, check and remove its public half; null where the kind uses no key pairs.
    async fn setup(&self, ctx: &Context<'_>) -> Result<Option<KeyPairSetup>> {
        let source: Source = must(ctx, self.0.source_id).await?;
        let made = statements(&source.0, &self.0).map_err(Fault::from)?;
        Ok(made.map(KeyPairSetup::from))
    }

    /// Where it is in its life.
    async fn state(&self) -> KeyPairState {
        self.0.state.into()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it came into use.
    async fn activated_at(&self) -> Option<DateTime> {
        self.0.activated_at.map(DateTime)
    }

    /// When it went out of use.
    async fn retired_at(&self) -> Option<DateTime> {
        self.0.retired_at.map(DateTime)
    }
}

/// Where a key pair is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::KeyPairState")]
pub enum KeyPairState {
    /// Waiting to be pasted and switched to.
    Made,
    /// In use.
    Active,
    /// No longer used.
    Retired,
}

/// Asks for the key pairs of a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeysOf(pub SourceId);

impl Loader<KeysOf> for Fetch {
    type Value = Vec<Model>;
    type Error = LoadError;

    async fn load(&self, keys: &[KeysOf]) -> std::result::Result<HashMap<KeysOf, Vec<Model>>, LoadError> {
        let organization = self.organization(Permission::SourcesRead)?;
        let rows = Entity::find()
            .filter(Column::OrganizationId.eq(organization))
            .filter(Column::SourceId.is_in(keys.iter().map(|key| key.0)))
            .order_by_asc(Column::Slot)
            .all(self.db())
            .await?;
        let mut found: HashMap<KeysOf, Vec<Model>> = HashMap::new();
        for row in rows {
            found.entry(KeysOf(row.source_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// The input of `keyPairGenerate`.
#[derive(InputObject)]
struct KeyPairGenerateInput {
    /// The source.
    source_id: Global<SourceId>,
}

payload! {
    /// The answer of `keyPairGenerate`.
    KeyPairGeneratePayload {
        /// The result; null when refused.
        key_pair: KeyPair
    }
}

/// The input of `keyPairActivate`.
#[derive(InputObject)]
struct KeyPairActivateInput {
    /// The key pair.
    id: Global<KeyPairId>,
}

payload! {
    /// The answer of `keyPairActivate`.
    KeyPairActivatePayload {
        /// The result; null when refused.
        key_pair: KeyPair
    }
}

/// The input of `keyPairRetire`.
#[derive(InputObject)]
struct KeyPairRetireInput {
    /// The key pair.
    id: Global<KeyPairId>,
}

payload! {
    /// The answer of `keyPairRetire`.
    KeyPairRetirePayload {
        /// The result; null when refused.
        key_pair: KeyPair
    }
}

/// The mutations of key pairs.
#[derive(Default)]
pub struct KeyPairMutation;

#[Object]
impl KeyPairMutation {
    /// Makes a key pair in a free slot of a source.
    async fn key_pair_generate(
        &self,
        ctx: &Context<'_>,
        input: KeyPairGenerateInput,
    ) -> Result<KeyPairGeneratePayload> {
        ctx.need(Permission::SecretsWrite)?;
        // Finding the primes takes a second or so: not for a source that cannot have them, and not in a transaction.
        let look = Change::new(ctx.db(), ctx.viewer()?, ctx.now());
        if let Err(errors) = outcome(key_pair::has_room(&look, input.source_id.0).await)? {
            return Ok(Err::<KeyPair, _>(errors).into());
        }
        ctx.app().faults.pass("key_pair.generate").map_err(Fault::from)?;
        let made = custody::KeyPair::generate().await.map_err(Fault::from)?;
        let work = Work::begin(ctx, Permission::SecretsWrite).await?;
        let kept = key_pair::store(&work.change(), &ctx.app().keyring, input.source_id.0, made).await;
        Ok(work.end(kept).await?.into())
    }

    /// Switches a source to a key pair.
    async fn key_pair_activate(
        &self,
        ctx: &Context<'_>,
        input: KeyPairActivateInput,
    ) -> Result<KeyPairActivatePayload> {
        let work = Work::begin(ctx, Permission::SecretsWrite).await?;
        let made = key_pair::activate(&work.change(), input.id.0).await;
        Ok(work.end(made).await?.into())
    }

    /// Retires a key pair.
    async fn key_pair_retire(
        &self,
        ctx: &Context<'_>,
        input: KeyPairRetireInput,
    ) -> Result<KeyPairRetirePayload> {
        let work = Work::begin(ctx, Permission::SecretsWrite).await?;
        let made = key_pair::retire(&work.change(), input.id.0).await;
        Ok(work.end(made).await?.into())
    }
}
