//! Which account the series of a stream belong to, kept true when external IDs move.
//!
//! A series is what the source says; its account is what matching makes of it. So linking, unlinking and linking again
//! end as if it had always been so: only the pointer moves, in the transaction that moves the external ID. What concerns
//! many series at once is left to the rematch that follows the change.

use std::collections::{BTreeSet, HashMap};

use entity::series::{Column, Entity, Model};
use entity::{AccountId, Normalizer, StreamId, external_id, stream};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::domain::change::Change;
use crate::domain::match_rule::{self, Decision};
use crate::domain::normalizer::{normalize, spelling};
use crate::domain::{external_id_setting, id_space};
use crate::error::Result;

/// Series updated in one statement.
const AT_ONCE: usize = 500;
/// Series pointed in the transaction of a change.
const MOST: u64 = 1_000;

/// Who has which normalized ID in which space.
type Owners = HashMap<(String, String), Vec<AccountId>>;

/// Points the series of normalized IDs of a space to the accounts that have them now, so that whoever links sees it at
/// once. Up to so many of them, and only those whose spelling tells that they are meant; tells whether it met no more.
///
/// # Errors
/// When the database fails.
pub async fn repoint(
    change: &Change<'_, impl ConnectionTrait>,
    space: &str,
    normalized: &[String],
) -> Result<bool> {
    let normalizers = id_space::normalizers(change.db, change.organization()).await?;
    let spellings: BTreeSet<&str> = normalized.iter().map(|text| spelling(text)).collect();
    let mut room = MOST;
    for (spaces, streams) in streams_of(change, space).await? {
        let series = of(change, &streams, &spellings, room).await?;
        room -= series.len() as u64;
        if series.is_empty() {
            continue;
        }
        let spaces = rules(&spaces, &normalizers);
        let texts: BTreeSet<String> = spaces
            .iter()
            .flat_map(|(_, rule)| series.iter().filter_map(|one| normalize(*rule, one.raw()).value))
            .collect();
        let owners = owners(change, &spaces, &texts).await?;
        point(change, &series, &spaces, &owners).await?;
        if room == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The settings that try a space, as their spaces in order, with the streams that use them.
async fn streams_of(
    change: &Change<'_, impl ConnectionTrait>,
    space: &str,
) -> Result<Vec<(Vec<String>, Vec<StreamId>)>> {
    let mut found = Vec::new();
    for (model, spaces) in external_id_setting::trying(change.db, change.organization(), space).await? {
        let streams = stream::Entity::find()
            .filter(stream::Column::OrganizationId.eq(change.organization()))
            .filter(stream::Column::ExternalIdSettingId.eq(model.id))
            .all(change.db)
            .await?;
        found.push((spaces, streams.into_iter().map(|stream| stream.id).collect()));
    }
    Ok(found)
}

fn rules(spaces: &[String], normalizers: &HashMap<String, Normalizer>) -> Vec<(String, Normalizer)> {
    spaces.iter().filter_map(|name| Some((name.clone(), *normalizers.get(name)?))).collect()
}

async fn of(
    change: &Change<'_, impl ConnectionTrait>,
    streams: &[StreamId],
    external_accounts: &BTreeSet<&str>,
    most: u64,
) -> Result<Vec<Model>> {
    let wanted = Entity::find()
        .filter(Column::OrganizationId.eq(change.organization()))
        .filter(Column::StreamId.is_in(streams.iter().copied()))
        .filter(Column::ExternalAccount.is_in(external_accounts.iter().copied()))
        .order_by_asc(Column::Id)
        .limit(most);
    Ok(wanted.all(change.db).await?)
}

async fn owners(
    change: &Change<'_, impl ConnectionTrait>,
    spaces: &[(String, Normalizer)],
    texts: &BTreeSet<String>,
) -> Result<Owners> {
    let wanted = external_id::Entity::find()
        .filter(external_id::Column::OrganizationId.eq(change.organization()))
        .filter(external_id::Column::Space.is_in(spaces.iter().map(|(name, _)| name.as_str())))
        .filter(external_id::Column::Normalized.is_in(texts.iter().map(String::as_str)));
    let mut owners = Owners::new();
    for id in wanted.all(change.db).await? {
        let accounts = owners.entry((id.space, id.normalized)).or_default();
        if !accounts.contains(&id.account_id) {
            accounts.push(id.account_id);
        }
    }
    Ok(owners)
}

/// The account an ID means, if it means one.
fn decide(text: &str, spaces: &[(String, Normalizer)], owners: &Owners) -> Option<AccountId> {
    let hits = spaces.iter().filter_map(|(name, rule)| {
        let normalized = normalize(*rule, text).value?;
        owners.get(&(name.clone(), normalized))
    });
    match match_rule::decide(hits) {
        Decision::One(account) => Some(account),
        Decision::Unknown | Decision::Ambiguous => None,
    }
}

async fn point(
    change: &Change<'_, impl ConnectionTrait>,
    series: &[Model],
    spaces: &[(String, Normalizer)],
    owners: &Owners,
) -> Result<()> {
    let mut moved: HashMap<Option<AccountId>, Vec<i64>> = HashMap::new();
    for one in series {
        let account = decide(one.raw(), spaces, owners);
        if account != one.account_id {
            moved.entry(account).or_default().push(one.id.0);
        }
    }
    for (account, ids) in moved {
        for part in ids.chunks(AT_ONCE) {
            Entity::update_many()
                .col_expr(Column::AccountId, Expr::value(account.map(Uuid::from)))
                .filter(Column::OrganizationId.eq(change.organization()))
                .filter(Column::Id.is_in(part.iter().copied()))
                .exec(change.db)
                .await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_space_that_knows_an_id_decides_and_two_accounts_mean_none() {
        let (one, two) = (AccountId::new(), AccountId::new());
        let spaces = [("a".to_owned(), Normalizer::Exact), ("b".to_owned(), Normalizer::Lowercase)];
        let mut owners = Owners::new();
        owners.insert(("b".to_owned(), "x".to_owned()), vec![two]);
        assert_eq!(decide("X", &spaces, &owners), Some(two));
        owners.insert(("a".to_owned(), "X".to_owned()), vec![one]);
        assert_eq!(decide("X", &spaces, &owners), Some(one));
        owners.insert(("a".to_owned(), "X".to_owned()), vec![one, two]);
        assert_eq!(decide("X", &spaces, &owners), None);
        assert_eq!(decide("y", &spaces, &owners), None);
    }
}
