//! A space of external IDs and the one way its values are normalized.

use crate::choice::Normalizer;
use crate::id::OrganizationId;
use sea_orm::entity::prelude::*;

/// A stored row of `id_space`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "id_space")]
pub struct Model {
    /// The organization that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its name: `salesforce`, `hubspot`, …
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// How values are made comparable.
    pub normalizer: Normalizer,
    /// When it was made.
    pub created_at: i64,
}

/// What `id_space` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
