//! A signed-in browser.

use crate::hidden::Hidden;
use crate::id::{OrganizationId, SessionId, UserId};
use sea_orm::entity::prelude::*;

/// A stored row of `session`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    /// The SHA-256 of the cookie's token, in hex.
    pub token_hash: Hidden,
    /// Who signed in.
    pub user_id: UserId,
    /// The organization the browser is looking at.
    pub organization_id: OrganizationId,
    /// When they signed in.
    pub created_at: i64,
    /// When the session was last used.
    pub last_seen_at: i64,
    /// When it ends.
    pub expires_at: i64,
    /// The browser, as it named itself.
    pub user_agent: Option<String>,
}

/// What `session` is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The `user` it belongs to.
    #[sea_orm(belongs_to = "super::user::Entity", from = "Column::UserId", to = "super::user::Column::Id")]
    User,
}

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
