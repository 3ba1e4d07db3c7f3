//! CSV out, in pieces that import back unchanged.

use std::collections::HashMap;

use entity::{AccountId, OrganizationId, account, external_id, input, metric, metric_link, opportunity};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use super::Kind;
use crate::domain::global_id::encode;
use crate::error::{Error, Result};

/// A piece of an export.
#[derive(Clone, Debug)]
pub struct Export {
    /// The CSV, with a header.
    pub text: String,
    /// Rows in this piece.
    pub rows: usize,
    /// The last object in this piece.
    pub last: Option<Uuid>,
    /// Whether there are more.
    pub more: bool,
}

/// A piece in the making.
struct Piece {
    writer: csv::Writer<Vec<u8>>,
    rows: usize,
    last: Option<Uuid>,
    more: bool,
}

impl Piece {
    fn new(header: &[&str]) -> Result<Self> {
        let mut piece =
            Self { writer: csv::Writer::from_writer(Vec::new()), rows: 0, last: None, more: false };
        piece.writer.write_record(header).map_err(broken)?;
        Ok(piece)
    }

    fn row(&mut self, cells: &[&str]) -> Result<()> {
        self.rows += 1;
        self.writer.write_record(cells).map_err(broken)
    }

    fn end(self) -> Result<Export> {
        let bytes = self.writer.into_inner().map_err(broken)?;
        let text = String::from_utf8(bytes).map_err(broken)?;
        Ok(Export { text, rows: self.rows, last: self.last, more: self.more })
    }

    /// Takes up to `limit` objects of those loaded, one more of which tells that there are more.
    fn take<M>(&mut self, rows: &mut Vec<M>, limit: u64, id: impl Fn(&M) -> Uuid) {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        self.more = rows.len() > most;
        rows.truncate(most);
        self.last = rows.last().map(id);
    }
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::internal("writing CSV", error)
}

/// Exports up to `limit` objects of a kind after the one named.
///
/// # Errors
/// When the database fails.
pub async fn export(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    kind: Kind,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Export> {
    match kind {
        Kind::Accounts => accounts(db, organization, after, limit).await,
        Kind::ExternalIds => external_ids(db, organization, after, limit).await,
        Kind::Opportunities => opportunities(db, organization, after, limit).await,
        Kind::MetricLinks => metric_links(db, organization, after, limit).await,
    }
}

/// The objects after one, in the order of their IDs.
fn slice<E: EntityTrait>(rows: Select<E>, id: E::Column, after: Option<Uuid>, limit: u64) -> Select<E> {
    let rows = match after {
        Some(after) => rows.filter(id.gt(after)),
        None => rows,
    };
    rows.order_by_asc(id).limit(limit + 1)
}

async fn accounts(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Export> {
    let mut piece = Piece::new(&["id", "name", "domain"])?;
    let rows = account::Entity::find()
        .filter(account::Column::OrganizationId.eq(organization))
        .filter(account::Column::ArchivedAt.is_null());
    let mut rows = slice(rows, account::Column::Id, after, limit).all(db).await?;
    piece.take(&mut rows, limit, |row| row.id.0);
    for row in rows {
        piece.row(&[&encode("Account", row.id), &row.name, row.domain.as_deref().unwrap_or_default()])?;
    }
    piece.end()
}

async fn names(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    ids: impl Iterator<Item = AccountId>,
) -> Result<HashMap<AccountId, String>> {
    let mut ids: Vec<AccountId> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut names = HashMap::new();
    for part in ids.chunks(1_000) {
        let rows = account::Entity::find()
            .filter(account::Column::OrganizationId.eq(organization))
            .filter(account::Column::Id.is_in(part.iter().copied()))
            .all(db)
            .await?;
        names.extend(rows.into_iter().map(|row| (row.id, row.name)));
    }
    Ok(names)
}

async fn external_ids(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Export> {
    let mut piece = Piece::new(&["account_id", "account_name", "space", "value"])?;
    let rows = external_id::Entity::find().filter(external_id::Column::OrganizationId.eq(organization));
    let mut rows = slice(rows, external_id::Column::Id, after, limit).all(db).await?;
    piece.take(&mut rows, limit, |row| row.id.0);
    let names = names(db, organization, rows.iter().map(|row| row.account_id)).await?;
    for row in rows {
        let name = names.get(&row.account_id).map(String::as_str).unwrap_or_default();
        piece.row(&[&encode("Account", row.account_id), name, &row.space, &row.value])?;
    }
    piece.end()
}

async fn opportunities(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Export> {
    let header = [
        "account_id",
        "account_name",
        "opportunity",
        "opportunity_external_id",
        "input",
        "unit",
        "kind",
        "constant_value",
    ];
    let mut piece = Piece::new(&header)?;
    let rows = opportunity::Entity::find()
        .filter(opportunity::Column::OrganizationId.eq(organization))
        .filter(opportunity::Column::ArchivedAt.is_null());
    let mut rows = slice(rows, opportunity::Column::Id, after, limit).all(db).await?;
    piece.take(&mut rows, limit, |row| row.id.0);
    let names = names(db, organization, rows.iter().map(|row| row.account_id)).await?;
    for part in rows.chunks(1_000) {
        let inputs = input::Entity::find()
            .filter(input::Column::OrganizationId.eq(organization))
            .filter(input::Column::OpportunityId.is_in(part.iter().map(|row| row.id)))
            .filter(input::Column::ArchivedAt.is_null())
            .order_by_asc(input::Column::Id)
            .all(db)
            .await?;
        for row in part {
            let account = encode("Account", row.account_id);
            let name = names.get(&row.account_id).map(String::as_str).unwrap_or_default();
            let external_id = row.external_id.as_deref().unwrap_or_default();
            let mut any = false;
            for input in inputs.iter().filter(|input| input.opportunity_id == row.id) {
                any = true;
                let unit = input.unit.as_deref().unwrap_or_default();
                let constant = input.constant_value.as_ref().map(ToString::to_string).unwrap_or_default();
                let kind = input.kind.as_str();
                piece.row(&[&account, name, &row.name, external_id, &input.name, unit, kind, &constant])?;
            }
            if !any {
                piece.row(&[&account, name, &row.name, external_id, "", "", "", ""])?;
            }
        }
    }
    piece.end()
}

async fn metric_links(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Export> {
    let header = ["account_id", "account_name", "metric", "opportunity", "input", "enabled", "note"];
    let mut piece = Piece::new(&header)?;
    let rows = metric_link::Entity::find().filter(metric_link::Column::OrganizationId.eq(organization));
    let mut rows = slice(rows, metric_link::Column::Id, after, limit).all(db).await?;
    piece.take(&mut rows, limit, |row| row.id.0);
    let names = names(db, organization, rows.iter().map(|row| row.account_id)).await?;
    for part in rows.chunks(1_000) {
        let metrics = metric::Entity::find()
            .filter(metric::Column::OrganizationId.eq(organization))
            .filter(metric::Column::Id.is_in(part.iter().map(|row| row.metric_id)))
            .all(db)
            .await?;
        let metrics: HashMap<_, _> = metrics.into_iter().map(|row| (row.id, row.external_id)).collect();
        let inputs = input::Entity::find()
            .filter(input::Column::OrganizationId.eq(organization))
            .filter(input::Column::Id.is_in(part.iter().map(|row| row.input_id)))
            .find_also_related(opportunity::Entity)
            .all(db)
            .await?;
        let inputs: HashMap<_, _> = inputs
            .into_iter()
            .map(|(input, owner)| (input.id, (input.name, owner.map(|owner| owner.name).unwrap_or_default())))
            .collect();
        for row in part {
            let account = encode("Account", row.account_id);
            let name = names.get(&row.account_id).map(String::as_str).unwrap_or_default();
            let metric = metrics.get(&row.metric_id).map(String::as_str).unwrap_or_default();
            let (input, owner) = inputs.get(&row.input_id).cloned().unwrap_or_default();
            let enabled = if row.enabled { "true" } else { "false" };
            let note = row.note.as_deref().unwrap_or_default();
            piece.row(&[&account, name, metric, &owner, &input, enabled, note])?;
        }
    }
    piece.end()
}
