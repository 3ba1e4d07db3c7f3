//! The series of readings that found an account: found, or made on first sight.

use entity::{AccountId, MetricId, OrganizationId, StreamId};

use super::dictionary::Dictionary;
use super::newest::Newest;
use super::route::Triple;
use super::store::{Bind, Rows, Store};
use crate::clock::Micros;
use crate::domain::normalizer::spelling;
use crate::error::Result;

/// A triple that found its account and metric.
pub type Matched = (Triple, AccountId, MetricId);

/// Finds or makes the series of a stream, and binds each to the account its external ID means now.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    store: &mut Store,
    (organization, stream): (OrganizationId, StreamId),
    texts: &Dictionary,
    newest: &mut Newest,
    matched: &[Matched],
    now: Micros,
) -> Result<Vec<(Triple, i64)>> {
    let binds: [Bind; 3] = [organization.0.into(), stream.0.into(), now.into()];
    let mut all = Vec::with_capacity(matched.len());
    let mut open: Vec<usize> = (0..matched.len()).collect();
    let mut rebind: Vec<(i64, AccountId)> = Vec::new();
    for pass in 0..2 {
        let select = store.seek(
            "b.c0, s.id, s.account_id",
            ("series", "s"),
            &[
                ("organization_id", "$1"),
                ("stream_id", "$2"),
                ("metric_id", "b.c1"),
                ("external_account", "b.c2"),
                ("product", "b.c3"),
            ],
        );
        let mut found = vec![false; matched.len()];
        for record in store.fetch_rows(&select, &binds[..2], &rows(texts, matched, &open)).await? {
            let index = record.int(0)? as usize;
            let (triple, account, _) = matched[index];
            let series = record.int(1)?;
            found[index] = true;
            if record.maybe_uuid(2)? != Some(account.0) {
                rebind.push((series, account));
            }
            all.push((triple, series));
            if pass == 1 {
                newest.made(series);
            }
        }
        open.retain(|index| !found[*index]);
        if open.is_empty() || pass == 1 {
            break;
        }
        let insert = "INSERT INTO series (organization_id, stream_id, metric_id, external_account, product, \
            account_id, raw_account, created_at) \
            SELECT $1, $2, b.c1, b.c2, b.c3, b.c4, b.c5, $3 FROM {rows} WHERE true \
            ON CONFLICT (organization_id, stream_id, metric_id, external_account, product) DO NOTHING";
        store.execute_rows(insert, &binds, &rows(texts, matched, &open)).await?;
    }
    rebind.sort_unstable();
    rebind.dedup();
    let rows = Rows::new().ints(rebind.iter().map(|(id, _)| *id)).uuids(rebind.iter().map(|(_, id)| id.0));
    let update = "UPDATE series AS s SET account_id = b.c1 FROM {rows} WHERE s.id = b.c0";
    store.execute_rows(update, &[], &rows).await?;
    Ok(all)
}

/// Series as they are looked for and made: index, metric, account, product, the account it is of, and how the source
/// wrote it.
fn rows(texts: &Dictionary, matched: &[Matched], open: &[usize]) -> Rows {
    let at = |index: &usize| matched[*index];
    Rows::new()
        .ints(open.iter().map(|index| *index as i64))
        .uuids(open.iter().map(|index| at(index).2.0))
        .texts(open.iter().map(|index| spelling(texts.text(at(index).0.0))))
        .texts(open.iter().map(|index| texts.text(at(index).0.2)))
        .uuids(open.iter().map(|index| at(index).1.0))
        .maybe_texts(open.iter().map(|index| {
            let raw = texts.text(at(index).0.0);
            Some(raw).filter(|raw| *raw != spelling(raw))
        }))
}
