//! How external account IDs are matched, told step by step.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, Object, Result};
use entity::{AccountId, ExternalIdSettingId, StreamId, external_id_setting, stream};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::auth::Permission;
use crate::domain::kept::Kept;
use crate::domain::{external_id_setting as settings, id_space, refusal};
use crate::error::Error;
use crate::graphql::account::Account;
use crate::graphql::context::{Reach, maybe};
use crate::graphql::error::Fault;
use crate::graphql::id::Global;
use crate::graphql::id_space::Normalizer;
use crate::graphql::loaders::{Fetch, LoadError};
use crate::ingest::matching::{Attempt, Match, Space, explain};
use crate::ingest::store::Store;

/// What matching found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum MatchOutcome {
    /// Exactly one account.
    Matched,
    /// No account.
    Unknown,
    /// Several accounts.
    Ambiguous,
}

/// What is known of an external account ID.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The ID as given.
    pub raw: String,
    /// The account, when exactly one was found.
    pub account: Option<AccountId>,
    outcome: MatchOutcome,
    steps: Vec<Attempt>,
}

impl Explained {
    /// An ID that nothing was tried for.
    pub fn unknown(raw: &str) -> Self {
        Self { raw: raw.to_owned(), account: None, outcome: MatchOutcome::Unknown, steps: Vec::new() }
    }

    /// What was told of an ID.
    pub fn new(raw: &str, (found, steps): (Match, Vec<Attempt>)) -> Self {
        let (outcome, account) = match found {
            Match::Account { account, .. } => (MatchOutcome::Matched, Some(account)),
            Match::Unknown => (MatchOutcome::Unknown, None),
            Match::Ambiguous => (MatchOutcome::Ambiguous, None),
        };
        Self { raw: raw.to_owned(), account, outcome, steps }
    }
}

/// How an external account ID is matched.
pub struct MatchExplanation(pub Explained);

/// How an external account ID is matched.
#[Object]
impl MatchExplanation {
    /// The ID as given.
    async fn raw(&self) -> &str {
        &self.0.raw
    }

    /// What was found.
    async fn outcome(&self) -> MatchOutcome {
        self.0.outcome
    }

    /// The account, when exactly one was found.
    async fn account(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        maybe(ctx, self.0.account).await
    }

    /// What was tried, in order.
    async fn steps(&self) -> Vec<MatchStep> {
        self.0.steps.iter().cloned().map(MatchStep).collect()
    }
}

/// One ID space that was tried.
pub struct MatchStep(Attempt);

/// One ID space that was tried.
#[Object]
impl MatchStep {
    /// The ID space.
    async fn space(&self) -> &str {
        &self.0.space.name
    }

    /// How the ID was made comparable.
    async fn normalizer(&self) -> Normalizer {
        self.0.space.normalizer.into()
    }

    /// The ID as compared; null when it cannot be one of this space.
    async fn normalized(&self) -> Option<&str> {
        self.0.normalized.as_deref()
    }

    /// What the normalizer did or found wrong.
    async fn note(&self) -> Option<&str> {
        self.0.note
    }

    /// The accounts with this ID.
    async fn hits(&self, ctx: &Context<'_>) -> Result<Vec<Account>> {
        let ids = self.0.accounts.clone();
        let mut found = ctx.loader()?.load_many(ids.iter().copied()).await?;
        Ok(ids.into_iter().filter_map(|id| found.remove(&id).map(Account)).collect())
    }
}

/// Asks how an external account ID of a stream is matched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AskedOf {
    /// The stream.
    pub stream: StreamId,
    /// The ID as the rows have it.
    pub text: String,
}

impl Loader<AskedOf> for Fetch {
    type Value = Explained;
    type Error = LoadError;

    async fn load(&self, keys: &[AskedOf]) -> std::result::Result<HashMap<AskedOf, Explained>, LoadError> {
        let organization = self.organization(Permission::AccountsRead)?;
        let streams = stream::Entity::kept(organization)
            .filter(stream::Column::Id.is_in(keys.iter().map(|key| key.stream)))
            .all(self.db())
            .await?;
        let mut by_setting: HashMap<ExternalIdSettingId, Vec<&AskedOf>> = HashMap::new();
        for key in keys {
            let stream = streams.iter().find(|stream| stream.id == key.stream);
            if let Some(setting) = stream.and_then(|stream| stream.external_id_setting_id) {
                by_setting.entry(setting).or_default().push(key);
            }
        }
        let normalizers = id_space::normalizers(self.db(), organization).await?;
        let models = external_id_setting::Entity::find()
            .filter(external_id_setting::Column::OrganizationId.eq(organization))
            .filter(external_id_setting::Column::Id.is_in(by_setting.keys().copied()))
            .all(self.db())
            .await?;
        let mut store = Store::begin_reading(&self.app.db).await?;
        let mut found = HashMap::new();
        for model in models {
            let names = settings::spaces(&model)?;
            let spaces = names.into_iter().filter_map(|name| {
                let normalizer = *normalizers.get(&name)?;
                Some(Space { name, normalizer })
            });
            let spaces: Vec<Space> = spaces.collect();
            let asked = by_setting.remove(&model.id).unwrap_or_default();
            let raws: Vec<&str> = asked.iter().map(|key| key.text.as_str()).collect();
            let told = explain(&mut store, organization, &spaces, &raws).await?;
            for (key, told) in asked.into_iter().zip(told) {
                found.insert(key.clone(), Explained::new(&key.text, told));
            }
        }
        store.commit().await?;
        Ok(found)
    }
}

/// The query about matching.
#[derive(Default)]
pub struct MatchingQuery;

#[Object]
impl MatchingQuery {
    /// How one external account ID would be matched.
    async fn match_explain(
        &self,
        ctx: &Context<'_>,
        value: String,
        external_id_setting_id: Option<Global<ExternalIdSettingId>>,
        space: Option<String>,
    ) -> Result<MatchExplanation> {
        let spaces = asked_spaces(ctx, external_id_setting_id.map(|id| id.0), space).await?;
        let told = told(ctx, &spaces, &value).await.map_err(Fault::from)?;
        Ok(MatchExplanation(told))
    }

    /// The account with this external ID, after the space's normalization; null when none or several.
    async fn account_by_external_id(
        &self,
        ctx: &Context<'_>,
        space: String,
        value: String,
    ) -> Result<Option<Account>> {
        let spaces = asked_spaces(ctx, None, Some(space)).await?;
        let told = told(ctx, &spaces, &value).await.map_err(Fault::from)?;
        maybe(ctx, told.account).await
    }
}

async fn told(ctx: &Context<'_>, spaces: &[Space], value: &str) -> crate::error::Result<Explained> {
    let organization = ctx.need(Permission::AccountsRead).map_err(|_| Error::NotFound("account"))?;
    let mut store = Store::begin_reading(&ctx.app().db).await?;
    let told = explain(&mut store, organization, spaces, &[value]).await?.pop();
    store.commit().await?;
    Ok(told.map_or_else(|| Explained::unknown(value), |told| Explained::new(value, told)))
}

/// The spaces of a setting, the one named, or all of them by name.
async fn asked_spaces(
    ctx: &Context<'_>,
    setting: Option<ExternalIdSettingId>,
    space: Option<String>,
) -> Result<Vec<Space>> {
    let organization = ctx.need(Permission::AccountsRead)?;
    let normalizers = id_space::normalizers(ctx.db(), organization).await.map_err(Fault::from)?;
    let names = match (setting, space) {
        (Some(id), None) => {
            let model = crate::graphql::context::load(ctx, id).await?;
            let model = model.ok_or_else(|| Fault::from(Error::NotFound("external-ID setting")))?;
            settings::spaces(&model).map_err(Fault::from)?
        }
        (None, Some(name)) => vec![name],
        (None, None) => {
            let mut names: Vec<String> = normalizers.keys().cloned().collect();
            names.sort();
            names
        }
        (Some(_), Some(_)) => {
            let error = Error::invalid("space", "give a setting or a space, not both");
            return Err(Fault::from(error).into());
        }
    };
    let space = |name: String| match normalizers.get(&name) {
        Some(normalizer) => Ok(Space { name, normalizer: *normalizer }),
        None => Err(Fault::from(refusal::not_found("space", "ID space")).into()),
    };
    names.into_iter().map(space).collect()
}
