//! From external account IDs to accounts: exact after one stated normalization, never a guess.
//!
//! The ID spaces of a setting are tried in their declared order; the first space with a hit decides. Preview, dry
//! run, run, replay and `matchExplain` all come here.

use std::collections::HashMap;

use entity::{AccountId, Normalizer, OrganizationId};

use super::store::{Bind, Rows, Store};
use crate::domain::match_rule::{self, Decision};
use crate::domain::normalizer::normalize;
use crate::error::{Error, Result};

/// One ID space and its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Space {
    /// Its name, such as `salesforce`.
    pub name: String,
    /// How its IDs are made comparable.
    pub normalizer: Normalizer,
}

/// What an external account ID is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// One account.
    Account {
        /// Whose ID it is.
        account: AccountId,
        /// The ID as compared.
        normalized: String,
        /// The account is put away.
        archived: bool,
    },
    /// No account has it, in any space.
    Unknown,
    /// Several accounts have it in the first space that knows it.
    Ambiguous,
}

/// What was tried for one ID in one space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The space.
    pub space: Space,
    /// The ID as compared; `None` when it cannot be one of this space.
    pub normalized: Option<String>,
    /// What the normalizer did or found wrong.
    pub note: Option<&'static str>,
    /// The accounts that have it.
    pub accounts: Vec<AccountId>,
}

/// Keeps what decides matching as it is until the transaction ends, and tells its version.
///
/// # Errors
/// When the database refuses.
pub async fn hold_still(store: &mut Store, organization: OrganizationId) -> Result<i64> {
    let sql = format!("SELECT version FROM match_state WHERE organization_id = $1 {}", store.share_lock());
    let found = store.fetch(&sql, &[organization.0.into()]).await?;
    found.first().map_or(Ok(0), |record| record.int(0))
}

/// Loads the spaces of a setting, in order.
///
/// # Errors
/// `NotFound` when the organization has no such setting, `Invalid` when it names a space that is gone.
pub async fn spaces(
    store: &mut Store,
    organization: OrganizationId,
    setting: entity::ExternalIdSettingId,
) -> Result<Vec<Space>> {
    let sql = "SELECT s.spaces, i.name, i.normalizer FROM external_id_setting s \
        LEFT JOIN id_space i ON i.organization_id = s.organization_id WHERE s.organization_id = $1 AND s.id = $2";
    let known = store.fetch(sql, &[organization.0.into(), setting.0.into()]).await?;
    let text = known.first().ok_or(Error::NotFound("external-ID setting"))?.text(0)?;
    let names: Vec<String> =
        serde_json::from_str(text).map_err(|error| Error::internal("read the spaces of a setting", error))?;
    let mut rules = HashMap::new();
    for record in &known {
        let Some(name) = record.maybe_text(1)? else { continue };
        let rule: Normalizer =
            record.text(2)?.parse().map_err(|error| Error::internal("read an ID space", error))?;
        rules.insert(name.to_owned(), rule);
    }
    names
        .into_iter()
        .map(|name| match rules.get(&name) {
            Some(normalizer) => Ok(Space { name, normalizer: *normalizer }),
            None => Err(Error::invalid("externalIdSetting.spaces", format!("there is no ID space {name:?}"))),
        })
        .collect()
}

/// Matches external account IDs, each on its own; the answers are in the order of the questions.
///
/// # Errors
/// When the database refuses.
pub async fn accounts(
    store: &mut Store,
    organization: OrganizationId,
    spaces: &[Space],
    raws: &[&str],
) -> Result<Vec<Match>> {
    let mut matches = vec![Match::Unknown; raws.len()];
    let mut open: Vec<usize> = (0..raws.len()).collect();
    for space in spaces {
        let hits = hits(store, organization, space, raws, &open).await?;
        open.retain(|index| match hits.get(index) {
            None => true,
            Some(found) => {
                matches[*index] = found.decide();
                false
            }
        });
        if open.is_empty() {
            break;
        }
    }
    Ok(matches)
}

/// Tells for each ID what each space made of it, the undecided later ones included, and the decision.
///
/// # Errors
/// When the database refuses.
pub async fn explain(
    store: &mut Store,
    organization: OrganizationId,
    spaces: &[Space],
    raws: &[&str],
) -> Result<Vec<(Match, Vec<Attempt>)>> {
    let all: Vec<usize> = (0..raws.len()).collect();
    let mut told: Vec<(Match, Vec<Attempt>)> = vec![(Match::Unknown, Vec::new()); raws.len()];
    for space in spaces {
        let mut found = hits(store, organization, space, raws, &all).await?;
        for (index, (decision, attempts)) in told.iter_mut().enumerate() {
            let made = normalize(space.normalizer, raws[index]);
            let found = found.remove(&index);
            if let (Match::Unknown, Some(found)) = (&decision, &found) {
                *decision = found.decide();
            }
            let accounts = found.map(|hits| hits.accounts).unwrap_or_default();
            attempts.push(Attempt {
                space: space.clone(),
                normalized: made.value,
                note: made.note,
                accounts: accounts.into_iter().map(|(account, _)| account).collect(),
            });
        }
    }
    Ok(told)
}

/// The accounts that have one normalized ID in one space.
struct Hits {
    normalized: String,
    accounts: Vec<(AccountId, bool)>,
}

impl Hits {
    fn decide(&self) -> Match {
        match match_rule::decide([&self.accounts]) {
            Decision::Unknown => Match::Unknown,
            Decision::One((account, archived)) => {
                Match::Account { account, normalized: self.normalized.clone(), archived }
            }
            Decision::Ambiguous => Match::Ambiguous,
        }
    }
}

/// Looks up the IDs at `open` in one space; only those with a hit are in the answer.
async fn hits(
    store: &mut Store,
    organization: OrganizationId,
    space: &Space,
    raws: &[&str],
    open: &[usize],
) -> Result<HashMap<usize, Hits>> {
    let asked: Vec<(usize, String)> = open
        .iter()
        .filter_map(|index| Some((*index, normalize(space.normalizer, raws[*index]).value?)))
        .collect();
    let rows = Rows::new()
        .ints(asked.iter().map(|(index, _)| *index as i64))
        .texts(asked.iter().map(|(_, normalized)| normalized.as_str()));
    let sql = "SELECT DISTINCT b.c0, e.account_id, CASE WHEN a.archived_at IS NULL THEN 0 ELSE 1 END \
        FROM {rows} CROSS JOIN external_id e CROSS JOIN account a \
        WHERE e.organization_id = $1 AND e.space = $2 AND e.normalized = b.c1 \
        AND a.organization_id = e.organization_id AND a.id = e.account_id";
    let found =
        store.fetch_rows(sql, &[organization.0.into(), Bind::from(space.name.as_str())], &rows).await?;
    let mut texts: HashMap<usize, String> = asked.into_iter().collect();
    let mut hits: HashMap<usize, Hits> = HashMap::new();
    for record in &found {
        let index = record.int(0)? as usize;
        let entry = hits.entry(index).or_insert_with(|| Hits {
            normalized: texts.remove(&index).unwrap_or_default(),
            accounts: Vec::new(),
        });
        entry.accounts.push((AccountId(record.uuid(1)?), record.int(2)? != 0));
    }
    Ok(hits)
}
