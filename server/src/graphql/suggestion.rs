//! What unmatched groups could be linked to: scored, explained, never applied by themselves.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Object, Result};
use entity::{
    AccountId, InputId, InputKind, OrganizationId, UnmatchedReason, account, external_id, input, metric_link,
    opportunity,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use crate::auth::Permission;
use crate::domain::id_space;
use crate::domain::normalizer::normalize;
use crate::domain::similarity::{likeness, squashed};
use crate::graphql::account::Account;
use crate::graphql::context::maybe;
use crate::graphql::input::Input;
use crate::graphql::loaders::{Fetch, LoadError};

/// Suggestions shown of a group at most.
const MOST: usize = 5;
/// Accounts whose names are compared at most, the newest first.
const ACCOUNTS: u64 = 5_000;
/// Names less alike than this are not suggested.
const ALIKE: u8 = 55;

/// Something a group could be linked to.
#[derive(Clone, Debug)]
pub struct Guess {
    score: u8,
    explanation: String,
    account: Option<AccountId>,
    input: Option<InputId>,
}

/// Something a group could be linked to.
pub struct Suggestion(pub Guess);

/// Something a group could be linked to.
#[Object]
impl Suggestion {
    /// How good it looks, from 0 to 100.
    async fn score(&self) -> i32 {
        self.0.score.into()
    }

    /// Why, in words.
    async fn explanation(&self) -> &str {
        &self.0.explanation
    }

    /// The account to link.
    async fn account(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        maybe(ctx, self.0.account).await
    }

    /// The input to link.
    async fn input(&self, ctx: &Context<'_>) -> Result<Option<Input>> {
        maybe(ctx, self.0.input).await
    }
}

/// Asks what a group could be linked to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Why its rows wait.
    pub reason: UnmatchedReason,
    /// The external account ID, or the external metric ID when the account is known.
    pub text: String,
    /// The account, when it is known.
    pub account: Option<AccountId>,
}

impl Loader<Wanted> for Fetch {
    type Value = Vec<Guess>;
    type Error = LoadError;

    async fn load(&self, keys: &[Wanted]) -> std::result::Result<HashMap<Wanted, Vec<Guess>>, LoadError> {
        let organization = self.organization(Permission::AccountsRead)?;
        let mut found: HashMap<Wanted, Vec<Guess>> = HashMap::new();
        let unknown: Vec<&Wanted> =
            keys.iter().filter(|key| key.reason == UnmatchedReason::AccountUnknown).collect();
        if !unknown.is_empty() {
            self.by_other_space(organization, &unknown, &mut found).await?;
            self.by_name(organization, &unknown, &mut found).await?;
        }
        let unlinked: Vec<(&Wanted, AccountId)> = keys
            .iter()
            .filter(|key| key.reason == UnmatchedReason::MetricUnlinked)
            .filter_map(|key| Some((key, key.account?)))
            .collect();
        if !unlinked.is_empty() {
            self.by_input(organization, &unlinked, &mut found).await?;
        }
        for guesses in found.values_mut() {
            // Total: databases give equal guesses in any order.
            guesses.sort_by(|a, b| {
                let place = |guess: &Guess| (std::cmp::Reverse(guess.score), guess.account, guess.input);
                place(a).cmp(&place(b)).then_with(|| a.explanation.cmp(&b.explanation))
            });
            let mut seen = Vec::new();
            guesses.retain(|guess| {
                let target = (guess.account, guess.input);
                let first = !seen.contains(&target);
                seen.push(target);
                first
            });
            guesses.truncate(MOST);
        }
        Ok(found)
    }
}

impl Fetch {
    /// The same ID in any space, by that space's own normalization, or with another case.
    async fn by_other_space(
        &self,
        organization: OrganizationId,
        keys: &[&Wanted],
        found: &mut HashMap<Wanted, Vec<Guess>>,
    ) -> std::result::Result<(), LoadError> {
        let normalizers = id_space::normalizers(self.db(), organization).await?;
        let forms = |text: &str| -> Vec<(String, String)> {
            let made = normalizers
                .iter()
                .filter_map(|(name, rule)| Some((name.clone(), normalize(*rule, text).value?)));
            made.collect()
        };
        let mut texts: Vec<String> =
            keys.iter().flat_map(|key| forms(&key.text)).map(|(_, normalized)| normalized).collect();
        texts.extend(keys.iter().flat_map(|key| [key.text.to_lowercase(), key.text.to_uppercase()]));
        texts.sort_unstable();
        texts.dedup();
        let mut ids = Vec::new();
        for part in texts.chunks(1_000) {
            let rows = external_id::Entity::find()
                .filter(external_id::Column::OrganizationId.eq(organization))
                .filter(external_id::Column::Normalized.is_in(part.iter().map(String::as_str)))
                .all(self.db())
                .await?;
            ids.extend(rows);
        }
        for key in keys {
            let forms = forms(&key.text);
            for id in &ids {
                let exact = forms.iter().any(|(space, text)| *space == id.space && *text == id.normalized);
                let cased = id.value.eq_ignore_ascii_case(key.text.trim());
                let (score, how) = match (exact, cased) {
                    (true, _) => (95, "has this ID"),
                    (false, true) => (85, "has this ID in another case"),
                    _ => continue,
                };
                let explanation = format!("{how} in the space {}", id.space);
                let guess = Guess { score, explanation, account: Some(id.account_id), input: None };
                found.entry((*key).clone()).or_default().push(guess);
            }
        }
        Ok(())
    }

    /// Accounts whose name or domain looks like the ID.
    async fn by_name(
        &self,
        organization: OrganizationId,
        keys: &[&Wanted],
        found: &mut HashMap<Wanted, Vec<Guess>>,
    ) -> std::result::Result<(), LoadError> {
        let accounts = account::Entity::find()
            .filter(account::Column::OrganizationId.eq(organization))
            .filter(account::Column::ArchivedAt.is_null())
            .order_by_desc(account::Column::Id)
            .limit(ACCOUNTS)
            .all(self.db())
            .await?;
        let names: Vec<(AccountId, String, String)> = accounts
            .into_iter()
            .map(|account| {
                let domain = account.domain.unwrap_or_default();
                let host = domain.split('.').next().unwrap_or_default();
                (account.id, squashed(&account.name), squashed(host))
            })
            .collect();
        for key in keys {
            let text = squashed(&key.text);
            for (account, name, host) in &names {
                let (by_name, by_host) = (likeness(&text, name), likeness(&text, host));
                let (like, what) = if by_host > by_name { (by_host, "domain") } else { (by_name, "name") };
                if like >= ALIKE {
                    let score = share(like, 80);
                    let explanation = format!("its {what} looks like this ID ({like} %)");
                    let guess = Guess { score, explanation, account: Some(*account), input: None };
                    found.entry((*key).clone()).or_default().push(guess);
                }
            }
        }
        Ok(())
    }

    /// Free inputs of the account's opportunities, those with a like name first.
    async fn by_input(
        &self,
        organization: OrganizationId,
        keys: &[(&Wanted, AccountId)],
        found: &mut HashMap<Wanted, Vec<Guess>>,
    ) -> std::result::Result<(), LoadError> {
        let opportunities = opportunity::Entity::find()
            .filter(opportunity::Column::OrganizationId.eq(organization))
            .filter(opportunity::Column::AccountId.is_in(keys.iter().map(|(_, account)| *account)))
            .filter(opportunity::Column::ArchivedAt.is_null())
            .all(self.db())
            .await?;
        let linked = metric_link::Entity::find()
            .select_only()
            .column(metric_link::Column::InputId)
            .filter(metric_link::Column::OrganizationId.eq(organization));
        let inputs = input::Entity::find()
            .filter(input::Column::OrganizationId.eq(organization))
            .filter(
                input::Column::OpportunityId.is_in(opportunities.iter().map(|opportunity| opportunity.id)),
            )
            .filter(
                Condition::all()
                    .add(input::Column::Kind.eq(InputKind::Series))
                    .add(input::Column::ArchivedAt.is_null())
                    .add(input::Column::Id.not_in_subquery(linked.into_query())),
            )
            .all(self.db())
            .await?;
        for (key, account) in keys {
            let text = squashed(&key.text);
            for input in &inputs {
                let owner = opportunities.iter().find(|opportunity| opportunity.id == input.opportunity_id);
                let Some(owner) = owner.filter(|owner| owner.account_id == *account) else { continue };
                let like = likeness(&text, &squashed(&input.name));
                let (score, explanation) = match like {
                    100 => (95, format!("has the metric's name, in {:?}", owner.name)),
                    ALIKE.. => (
                        share(like, 80),
                        format!("its name looks like the metric's ({like} %), in {:?}", owner.name),
                    ),
                    _ => (10, format!("is free, in {:?}", owner.name)),
                };
                let guess = Guess { score, explanation, account: None, input: Some(input.id) };
                found.entry((*key).clone()).or_default().push(guess);
            }
        }
        Ok(())
    }
}

/// So many hundredths of a score.
fn share(score: u8, hundredths: u8) -> u8 {
    u8::try_from(u32::from(score) * u32::from(hundredths) / 100).unwrap_or(hundredths)
}
