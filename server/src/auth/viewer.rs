//! Who is asking, in which organization, and what they may do.

use std::fmt;
use std::str::FromStr;

use entity::{ActorKind, ApiTokenId, OrganizationId, Role, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};

/// Makes the permissions with the words that API tokens store.
macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// One right. API tokens carry them as scopes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Permission {
            $($(#[$doc])* #[serde(rename = $text)] $name),*
        }

        impl Permission {
            /// Every permission, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stored word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text),*
                }
            }
        }
    };
}

permissions! {
    /// See sources, streams and runs.
    SourcesRead = "sources:read",
    /// Add and change sources and streams.
    SourcesWrite = "sources:write",
    /// Set credentials and make keys.
    SecretsWrite = "secrets:write",
    /// Start and cancel runs, move checkpoints.
    SyncsRun = "syncs:run",
    /// See accounts, external IDs, opportunities, inputs, metrics and links.
    AccountsRead = "accounts:read",
    /// Add and change accounts, opportunities, inputs, metrics and settings.
    AccountsWrite = "accounts:write",
    /// Add and change external IDs and metric links.
    LinksWrite = "links:write",
    /// See series and measurements.
    MeasurementsRead = "measurements:read",
    /// Type measurements.
    MeasurementsWrite = "measurements:write",
    /// See unmatched and rejected rows.
    UnmatchedRead = "unmatched:read",
    /// Link, ignore, assign, note and replay them.
    UnmatchedTriage = "unmatched:triage",
    /// See the people of the organization.
    MembersRead = "members:read",
    /// Manage people, API tokens and the organization, and see the audit log.
    Admin = "admin",
}

/// The word of the GraphQL interface, which is what callers know: `SOURCES_READ`.
impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().replace(':', "_").to_uppercase())
    }
}

impl FromStr for Permission {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        let known = Self::ALL.iter().find(|permission| permission.as_str() == word);
        known.copied().ok_or_else(|| Error::invalid("scopes", format!("{word:?} is no permission")))
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u16);

impl Permissions {
    /// What a member with this role may do.
    pub fn of(role: Role) -> Self {
        use Permission as P;
        let read = [P::SourcesRead, P::AccountsRead, P::MeasurementsRead, P::UnmatchedRead, P::MembersRead];
        match role {
            Role::Owner | Role::Admin => P::ALL.iter().copied().collect(),
            Role::Support => read.into_iter().chain([P::LinksWrite, P::UnmatchedTriage]).collect(),
            Role::Viewer => read.into_iter().collect(),
        }
    }

    /// Tells whether the permission is in the set.
    pub fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u16) != 0
    }

    /// Tells whether every permission of `other` is in the set: a token cannot mint a wider one.
    pub fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// The permissions in order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.has(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |set, permission| set | 1 << permission as u16))
    }
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in person.
    User {
        /// The person.
        id: UserId,
        /// Their name, for the audit log.
        name: String,
        /// Their role in the organization.
        role: Role,
    },
    /// An API token.
    Token {
        /// The token.
        id: ApiTokenId,
        /// Its name, for the audit log.
        name: String,
    },
    /// Weir itself.
    System,
}

/// Who is asking, in which organization, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The only organization they see.
    pub organization: OrganizationId,
    /// Who they are.
    pub actor: Actor,
    /// What they may do.
    pub permissions: Permissions,
}

impl Viewer {
    /// A signed-in person.
    pub fn user(organization: OrganizationId, id: UserId, name: String, role: Role) -> Self {
        Self { organization, actor: Actor::User { id, name, role }, permissions: Permissions::of(role) }
    }

    /// An API token with its scopes.
    pub fn token(
        organization: OrganizationId,
        id: ApiTokenId,
        name: String,
        scopes: impl IntoIterator<Item = Permission>,
    ) -> Self {
        Self { organization, actor: Actor::Token { id, name }, permissions: scopes.into_iter().collect() }
    }

    /// Weir itself, which may do everything in the organization.
    pub fn system(organization: OrganizationId) -> Self {
        Self { organization, actor: Actor::System, permissions: Permission::ALL.iter().copied().collect() }
    }

    /// The person, if it is one.
    pub fn user_id(&self) -> Option<UserId> {
        match self.actor {
            Actor::User { id, .. } => Some(id),
            _ => None,
        }
    }

    /// The person's role, if it is one.
    pub fn role(&self) -> Option<Role> {
        match self.actor {
            Actor::User { role, .. } => Some(role),
            _ => None,
        }
    }

    /// What sort of actor it is.
    pub fn kind(&self) -> ActorKind {
        match self.actor {
            Actor::User { .. } => ActorKind::User,
            Actor::Token { .. } => ActorKind::Token,
            Actor::System => ActorKind::System,
        }
    }

    /// The actor's ID; none for Weir itself.
    pub fn actor_id(&self) -> Option<Uuid> {
        match self.actor {
            Actor::User { id, .. } => Some(id.0),
            Actor::Token { id, .. } => Some(id.0),
            Actor::System => None,
        }
    }

    /// The actor's name for the audit log.
    pub fn name(&self) -> &str {
        match &self.actor {
            Actor::User { name, .. } | Actor::Token { name, .. } => name,
            Actor::System => "weir",
        }
    }

    /// Refuses unless the permission is held.
    ///
    /// # Errors
    /// `Forbidden`, naming the permission.
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.permissions.has(permission) {
            return Ok(());
        }
        Err(Error::Forbidden(format!(
            "this needs the permission {permission}; ask an admin of the organization"
        )))
    }

    /// Refuses anyone but an owner, API tokens included: for changes to owners and to the organization itself.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn require_owner(&self) -> Result<()> {
        if self.role() == Some(Role::Owner) {
            return Ok(());
        }
        Err(Error::Forbidden("only an owner of the organization may do this".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_nested_and_support_never_touches_credentials() {
        let all = Permissions::of(Role::Owner);
        assert_eq!(all.iter().count(), Permission::ALL.len());
        let support = Permissions::of(Role::Support);
        for forbidden in [Permission::SecretsWrite, Permission::SourcesWrite, Permission::Admin] {
            assert!(!support.has(forbidden), "support has {forbidden}");
        }
        for right in Permissions::of(Role::Viewer).iter() {
            assert!(support.has(right), "support lacks {right}");
            assert!(right.as_str().ends_with(":read"));
        }
    }

    #[test]
    fn a_permission_survives_its_word() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse::<Permission>().ok(), Some(*permission));
            assert_eq!(serde_json::to_value(permission).expect("a word"), permission.as_str());
        }
        assert!("sources".parse::<Permission>().is_err());
    }

    #[test]
    fn only_a_person_can_be_an_owner() {
        let organization = OrganizationId::new();
        let token = Viewer::token(organization, ApiTokenId::new(), "ci".to_owned(), [Permission::Admin]);
        assert!(token.require(Permission::Admin).is_ok());
        assert!(token.require_owner().is_err());
        assert!(matches!(token.require(Permission::SyncsRun), Err(Error::Forbidden(_))));
        assert!(!token.permissions.covers(Permissions::of(Role::Owner)));
        let owner = Viewer::user(organization, UserId::new(), "Ann".to_owned(), Role::Owner);
        assert!(owner.require_owner().is_ok() && owner.permissions.covers(token.permissions));
    }
}
