//! One change by one viewer: the transaction it happens in, who makes it, when, and its audit event.

use entity::audit_event;
use entity::id::{AuditEventId, OrganizationId};
use sea_orm::sea_query::LockType;
use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect, Select, Set};

use crate::auth::Viewer;
use crate::clock::Micros;
use crate::error::{Error, Result};

/// What a domain function needs to change something. `db` is a transaction, so that several functions make one change.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a, C> {
    /// The transaction.
    pub db: &'a C,
    /// Who makes the change.
    pub viewer: &'a Viewer,
    /// When.
    pub now: Micros,
}

impl<'a, C: ConnectionTrait> Change<'a, C> {
    /// Makes a change of `viewer` inside `db`.
    pub fn new(db: &'a C, viewer: &'a Viewer, now: Micros) -> Self {
        Self { db, viewer, now }
    }

    /// The organization that is changed.
    pub fn organization(&self) -> OrganizationId {
        self.viewer.organization
    }

    /// Reads the object that is changed, and keeps it as it is for everyone else until the transaction ends: what is
    /// decided by it is still so when it is written.
    ///
    /// It is the lock that an update takes anyway, only sooner. A stronger one would stop syncs, whose rows refer to
    /// the object, while they hold what the change wants next. On SQLite the transaction is lock enough.
    ///
    /// # Errors
    /// When there is none.
    pub async fn hold<E: EntityTrait>(&self, noun: &'static str, object: Select<E>) -> Result<E::Model> {
        let found = object.lock(LockType::NoKeyUpdate).one(self.db).await?;
        found.ok_or(Error::NotFound(noun))
    }

    /// Writes who did what to which object. `detail` holds no secret.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(
        &self,
        action: &str,
        subject_type: &str,
        subject_id: impl ToString,
        detail: serde_json::Value,
    ) -> Result<()> {
        self.audit_all(action, subject_type, [subject_id], &detail).await
    }

    /// Writes who did one thing to several objects.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_all(
        &self,
        action: &str,
        subject_type: &str,
        subject_ids: impl IntoIterator<Item = impl ToString>,
        detail: &serde_json::Value,
    ) -> Result<()> {
        let subjects = subject_ids.into_iter().map(|id| (id.to_string(), detail.clone())).collect();
        self.audit_each(action, subject_type, subjects).await
    }

    /// Writes who did one thing to several objects, with what there is to say of each.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_each(
        &self,
        action: &str,
        subject_type: &str,
        subjects: Vec<(String, serde_json::Value)>,
    ) -> Result<()> {
        let events = subjects.into_iter().map(|(subject_id, detail)| audit_event::ActiveModel {
            organization_id: Set(self.organization()),
            id: Set(AuditEventId::new()),
            at: Set(self.now),
            actor_kind: Set(self.viewer.kind()),
            actor_id: Set(self.viewer.actor_id()),
            actor_name: Set(self.viewer.name().to_owned()),
            action: Set(action.to_owned()),
            subject_type: Set(subject_type.to_owned()),
            subject_id: Set(subject_id),
            detail: Set(detail.to_string()),
        });
        let events: Vec<_> = events.collect();
        audit_event::Entity::insert_many(events).exec_without_returning(self.db).await?;
        Ok(())
    }
}

/// Refuses a change based on an older version than the stored one, which is held.
///
/// # Errors
/// `Stale` when `expected` is given and differs.
pub fn expect_version(noun: &'static str, stored: i32, expected: Option<i32>) -> Result<()> {
    match expected {
        Some(expected) if expected != stored => Err(Error::Stale(noun)),
        _ => Ok(()),
    }
}
