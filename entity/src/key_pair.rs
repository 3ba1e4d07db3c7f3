//! A key pair made here for a source; two slots, so that it can be rotated.

use crate::choice::KeyPairState;
use crate::hidden::Hidden;
use crate::id::{KeyPairId, OrganizationId, SourceId};
use sea_orm::entity::prelude::*;

/// A stored row of `key_pair`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "key_pair")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KeyPairId,
    /// The source it signs for.
    pub source_id: SourceId,
    /// The outside system's slot, 1 or 2.
    pub slot: i32,
    /// The public half: base64 of the DER form on one line.
    pub public_key: String,
    /// `SHA256:` and the base64 digest of the public half.
    pub fingerprint: String,
    /// The private half, sealed by the key ring.
    pub sealed_private_key: Hidden,
    /// Made, in use, or retired.
    pub state: KeyPairState,
    /// When it was made.
    pub created_at: i64,
    /// When it was first used to sign in.
    pub activated_at: Option<i64>,
    /// When it was taken out of use.
    pub retired_at: Option<i64>,
}

/// What `key_pair` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
