//! A person who signs in.

use crate::hidden::Hidden;
use crate::id::UserId;
use sea_orm::entity::prelude::*;

/// A stored row of `user`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user")]
pub struct Model {
    /// Their ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// The address they sign in with, stored in lower case.
    pub email: String,
    /// What people call them.
    pub name: String,
    /// The argon2 hash of the password.
    pub password_hash: Hidden,
    /// When the user was made.
    pub created_at: i64,
    /// Since when they may not sign in.
    pub disabled_at: Option<i64>,
}

/// What `user` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The rows of `membership` that belong to it.
    #[sea_orm(has_many = "super::membership::Entity")]
    Membership,
}

impl Related<super::membership::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Membership.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
