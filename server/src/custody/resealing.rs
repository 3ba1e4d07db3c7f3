//! Where sealed secrets are stored, and sealing them anew after the ring was rotated.

use entity::{Hidden, KeyPairId, OrganizationId, SourceId};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use super::keyring::{Keyring, KeyringError};
use super::sealed::{Owner, prefix};
use crate::db::Db;
use crate::error::Result;
use crate::sql::Sql;

/// How many secrets are sealed anew in one transaction.
const BATCH: u32 = 100;

/// A column of sealed secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Sources' credentials.
    Credential,
    /// Key pairs' private halves.
    PrivateKey,
}

/// Every column that holds sealed secrets.
pub(super) const PLACES: [Place; 2] = [Place::Credential, Place::PrivateKey];

/// A stored sealed secret.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    place: Place,
    organization_id: OrganizationId,
    id: Uuid,
    source_id: SourceId,
    /// The sealed text.
    pub sealed: Hidden,
}

#[derive(FromQueryResult)]
struct Row {
    organization_id: OrganizationId,
    id: Uuid,
    source_id: SourceId,
    sealed: Hidden,
}

impl Stored {
    /// Where the next page begins after this row.
    pub fn key(&self) -> (OrganizationId, Uuid) {
        (self.organization_id, self.id)
    }

    /// Whose secret it is.
    pub fn owner(&self) -> Owner {
        match self.place {
            Place::Credential => Owner::credential(self.organization_id, self.source_id),
            Place::PrivateKey => Owner::private_key(self.organization_id, self.source_id, KeyPairId(self.id)),
        }
    }

    /// What it is, for an operator.
    pub fn name(&self) -> String {
        match self.place {
            Place::Credential => format!("the credential of source {}", self.id),
            Place::PrivateKey => format!("the private key of key pair {}", self.id),
        }
    }
}

impl Place {
    fn table(self) -> &'static str {
        match self {
            Self::Credential => "source",
            Self::PrivateKey => "key_pair",
        }
    }

    fn column(self) -> &'static str {
        match self {
            Self::Credential => "sealed_credential",
            Self::PrivateKey => "sealed_private_key",
        }
    }

    /// Reads the next secrets in order of their key, leaving out those that begin with `without`.
    pub async fn page(
        self,
        db: &impl ConnectionTrait,
        after: Option<(OrganizationId, Uuid)>,
        without: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Stored>> {
        let (table, column) = (self.table(), self.column());
        let source = if self == Self::Credential { "id" } else { "source_id" };
        let (organization, id) = after.unwrap_or((OrganizationId::NIL, Uuid::nil()));
        let select = format!(
            "SELECT organization_id, id, {source} AS source_id, {column} AS sealed FROM {table}
             WHERE {column} IS NOT NULL AND (organization_id, id) > ("
        );
        let mut select = Sql::new(db, &select).bind(organization).text(", ").bind(id).text(")");
        if let Some(without) = without {
            select = select.text(&format!(" AND {column} NOT LIKE ")).bind(format!("{without}%"));
        }
        let rows: Vec<Row> =
            select.text(" ORDER BY organization_id, id LIMIT ").bind(i64::from(limit)).all(db).await?;
        let stored = |Row { organization_id, id, source_id, sealed }| Stored {
            place: self,
            organization_id,
            id,
            source_id,
            sealed,
        };
        Ok(rows.into_iter().map(stored).collect())
    }

    /// Replaces a secret unless it was changed since it was read.
    async fn replace(self, db: &impl ConnectionTrait, row: &Stored, sealed: Hidden) -> Result<bool> {
        let (table, column) = (self.table(), self.column());
        let update = Sql::new(db, &format!("UPDATE {table} SET {column} = ")).bind(sealed);
        let update = update
            .text(" WHERE organization_id = ")
            .bind(row.organization_id)
            .text(" AND id = ")
            .bind(row.id);
        let changed = update.text(&format!(" AND {column} = ")).bind(row.sealed.clone()).run(db).await?;
        Ok(changed == 1)
    }
}

/// What sealing anew came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many secrets are now sealed by the ring's primary key.
    pub resealed: u64,
    /// Those that could not be opened, each with the reason; they are as they were.
    pub refused: Vec<String>,
}

/// Seals every stored secret by the ring's primary key, in transactions of bounded size. Secrets that someone changes
/// meanwhile are theirs. Safe to repeat: what is done stays done.
///
/// # Errors
/// When the database fails; the batches before stay.
pub async fn reseal(db: &Db, ring: &Keyring) -> Result<Resealed> {
    let mut total = Resealed::default();
    let done = prefix(ring.primary());
    for place in PLACES {
        let mut after = None;
        loop {
            let transaction = db.begin().await?;
            let rows = place.page(&transaction, after, Some(&done), BATCH).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.key());
            for row in &rows {
                match anew(ring, row) {
                    Ok(sealed) => {
                        let replaced = place.replace(&transaction, row, sealed).await?;
                        total.resealed += u64::from(replaced);
                    }
                    Err(error) => total.refused.push(format!("{}: {error}", row.name())),
                }
            }
            transaction.commit().await?;
        }
    }
    Ok(total)
}

fn anew(ring: &Keyring, row: &Stored) -> std::result::Result<Hidden, KeyringError> {
    ring.seal(&row.owner(), &ring.open(&row.owner(), &row.sealed)?)
}
