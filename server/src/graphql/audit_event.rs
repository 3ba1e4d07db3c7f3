//! The audit log.

use async_graphql::{Context, Enum, ID, InputObject, InputType, Object, Result};
use entity::audit_event::{Column, Entity, Model};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::auth::Permission;
use crate::graphql::context::Reach;
use crate::graphql::id::{decode, encode, global};
use crate::graphql::page::{Page, page};
use crate::graphql::scalar::{DateTime, Json};
use crate::graphql::window::{Order, PageArgs};

/// A stored row on its way out.
#[derive(Clone)]
pub struct AuditEvent(pub Model);

impl From<Model> for AuditEvent {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// One change and who made it.
#[Object]
impl AuditEvent {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// When.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// What sort of actor.
    async fn actor_kind(&self) -> ActorKind {
        self.0.actor_kind.into()
    }

    /// Who.
    async fn actor_name(&self) -> &str {
        &self.0.actor_name
    }

    /// What was done, such as `source.create`.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// The type of the object.
    async fn subject_type(&self) -> &str {
        &self.0.subject_type
    }

    /// The global ID of the object.
    async fn subject_id(&self) -> String {
        encode(&self.0.subject_type, &self.0.subject_id)
    }

    /// What changed, without secrets.
    async fn detail(&self) -> Json {
        Json::stored(&self.0.detail)
    }
}

/// What sort of actor made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::ActorKind")]
pub enum ActorKind {
    /// A person.
    User,
    /// An API token.
    Token,
    /// Weir itself.
    System,
}

/// Which audit events.
#[derive(InputObject, Default)]
pub struct AuditEventWhere {
    /// Only about this object.
    pub subject_id: Option<ID>,
    /// Only this action.
    pub action: Option<String>,
}

/// The queries about the audit log.
#[derive(Default)]
pub struct AuditEventQuery;

#[Object]
impl AuditEventQuery {
    /// Who changed what, newest first.
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        r#where: Option<AuditEventWhere>,
    ) -> Result<Page<AuditEvent>> {
        let organization = ctx.need(Permission::Admin)?;
        let filters = r#where.to_value().to_string();
        let wanted = r#where.unwrap_or_default();
        let mut rows = Entity::find().filter(Column::OrganizationId.eq(organization));
        if let Some(id) = &wanted.subject_id {
            let (subject_type, subject_id) = decode(id).unwrap_or_default();
            rows = rows.filter(Column::SubjectType.eq(subject_type)).filter(Column::SubjectId.eq(subject_id));
        }
        if let Some(action) = wanted.action {
            rows = rows.filter(Column::Action.eq(action));
        }
        let order = Order::descending([Column::At, Column::Id]);
        page(ctx, PageArgs::new(first, after, last, before), &["auditEvents", &filters], order, rows).await
    }
}
