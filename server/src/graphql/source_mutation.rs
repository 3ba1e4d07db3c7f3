//! Adding, changing, pausing and deleting sources.

use async_graphql::{Context, ID, InputObject, Object, Result};
use entity::{SourceId, SourceState};

use crate::auth::Permission;
use crate::domain::source::{self, Credential};
use crate::graphql::context::{Reach, Work};
use crate::graphql::id::{Global, global};
use crate::graphql::payload::payload;
use crate::graphql::source::Source;
use crate::graphql::source_config::SourceConfigInput;

/// The input of `sourceCreate`.
#[derive(InputObject)]
struct SourceCreateInput {
    /// The name.
    name: String,
    /// The connection details.
    config: SourceConfigInput,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `sourceCreate`.
    SourceCreatePayload {
        /// The result; null when refused.
        source: Source
    }
}

/// The input of `sourceUpdate`.
#[derive(InputObject)]
struct SourceUpdateInput {
    /// The source.
    id: Global<SourceId>,
    /// A new name.
    name: Option<String>,
    /// New connection details, of the same kind.
    config: Option<SourceConfigInput>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `sourceUpdate`.
    SourceUpdatePayload {
        /// The result; null when refused.
        source: Source
    }
}

/// The input of `sourceDelete`.
#[derive(InputObject)]
struct SourceDeleteInput {
    /// The source.
    id: Global<SourceId>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `sourceDelete`.
    SourceDeletePayload {
        /// The ID of what was deleted; null when refused.
        deleted_source_id: ID
    }
}

/// The input of `sourcePause`.
#[derive(InputObject)]
struct SourcePauseInput {
    /// The source.
    id: Global<SourceId>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `sourcePause`.
    SourcePausePayload {
        /// The result; null when refused.
        source: Source
    }
}

/// The input of `sourceResume`.
#[derive(InputObject)]
struct SourceResumeInput {
    /// The source.
    id: Global<SourceId>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `sourceResume`.
    SourceResumePayload {
        /// The result; null when refused.
        source: Source
    }
}

/// The mutations of sources.
#[derive(Default)]
pub struct SourceMutation;

#[Object]
impl SourceMutation {
    /// Adds a source.
    async fn source_create(
        &self,
        ctx: &Context<'_>,
        input: SourceCreateInput,
    ) -> Result<SourceCreatePayload> {
        let ring = &ctx.app().keyring;
        let mut work = Work::begin(ctx, Permission::SourcesWrite).await?;
        let made = async {
            if let Some(id) = work.claim(ctx, input.idempotency_key.as_ref(), &input).await? {
                return source::find(&work.change(), id).await;
            }
            let settings = input.config.settings()?;
            if matches!(settings.credential, Credential::Replace(_)) {
                work.change().viewer.require(Permission::SecretsWrite)?;
            }
            let made = source::create(&work.change(), ring, &input.name, settings).await?;
            work.remember(&made.id).await?;
            Ok(made)
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Changes a source.
    async fn source_update(
        &self,
        ctx: &Context<'_>,
        input: SourceUpdateInput,
    ) -> Result<SourceUpdatePayload> {
        let ring = &ctx.app().keyring;
        let work = Work::begin(ctx, Permission::SourcesWrite).await?;
        let made = async {
            let settings = input.config.map(SourceConfigInput::settings).transpose()?;
            let touched = |credential: &Credential| !matches!(credential, Credential::Keep);
            if settings.as_ref().is_some_and(|settings| touched(&settings.credential)) {
                work.change().viewer.require(Permission::SecretsWrite)?;
            }
            let (id, version) = (input.id.0, input.expected_version);
            source::update(&work.change(), ring, id, input.name, settings, version).await
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Deletes a source with its streams and all they stored.
    async fn source_delete(
        &self,
        ctx: &Context<'_>,
        input: SourceDeleteInput,
    ) -> Result<SourceDeletePayload> {
        let work = Work::begin(ctx, Permission::SourcesWrite).await?;
        let gone = source::delete(&work.change(), input.id.0, input.expected_version).await;
        Ok(work.end(gone.map(global)).await?.into())
    }

    /// Stops all streams of a source from starting new runs.
    async fn source_pause(&self, ctx: &Context<'_>, input: SourcePauseInput) -> Result<SourcePausePayload> {
        let work = Work::begin(ctx, Permission::SourcesWrite).await?;
        let (state, version) = (SourceState::Paused, input.expected_version);
        let made = source::set_state(&work.change(), input.id.0, state, version).await;
        Ok(work.end(made).await?.into())
    }

    /// Lets a paused source run again.
    async fn source_resume(
        &self,
        ctx: &Context<'_>,
        input: SourceResumeInput,
    ) -> Result<SourceResumePayload> {
        let work = Work::begin(ctx, Permission::SourcesWrite).await?;
        let (state, version) = (SourceState::Active, input.expected_version);
        let made = source::set_state(&work.change(), input.id.0, state, version).await;
        Ok(work.end(made).await?.into())
    }
}
