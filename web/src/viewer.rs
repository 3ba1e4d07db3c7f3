//! Who is at the screen: the session, the viewer's rights, and the chosen theme.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{self, Failure};
use crate::schema;
use crate::vocabulary::{Permission, Role};

/// Where the sign-in stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not known yet.
    Asking,
    /// The first account is still to be made.
    SetupRequired,
    /// Nobody is signed in.
    SignedOut,
    /// Somebody is.
    SignedIn(Viewer),
    /// It could not be found out.
    Failed(Failure),
}

/// Who is signed in.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The person.
    pub user: Option<User>,
    /// The organization all answers are about.
    pub organization: Organization,
    /// The person's role.
    pub role: Option<Role>,
    /// What the person may do.
    pub permissions: Vec<Permission>,
}

/// A person.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

/// The organization.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// The name.
    pub name: String,
    /// Whether runs may start.
    pub ingestion_enabled: bool,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query")]
struct ViewerQuery {
    viewer: Viewer,
}

/// The session of this tab.
#[derive(Clone, Copy)]
pub struct Session {
    standing: RwSignal<Standing>,
    ended: RwSignal<bool>,
}

impl Session {
    /// Makes the session known to all pages and asks where it stands.
    pub fn provide() -> Self {
        let session = Self { standing: RwSignal::new(Standing::Asking), ended: RwSignal::new(false) };
        provide_context(session);
        session.refresh();
        session
    }

    /// The session of this tab.
    pub fn expect() -> Self {
        use_context().expect("the application provides the session")
    }

    /// Asks the server anew.
    pub fn refresh(self) {
        spawn_local(async move {
            let standing = match api::session().await {
                Ok(api::Session { setup_required: true, .. }) => Standing::SetupRequired,
                Ok(api::Session { signed_in: false, .. }) => Standing::SignedOut,
                Ok(_) => {
                    use cynic::QueryBuilder;
                    match api::ask(ViewerQuery::build(())).await {
                        Ok(answer) => Standing::SignedIn(answer.viewer),
                        Err(Failure::SignedOut) => Standing::SignedOut,
                        Err(failure) => Standing::Failed(failure),
                    }
                }
                Err(failure) => Standing::Failed(failure),
            };
            if matches!(standing, Standing::SignedIn(_)) {
                self.ended.set(false);
            }
            self.standing.set(standing);
        });
    }

    /// Notes that the server no longer knows the session.
    pub fn ended(self) {
        if matches!(self.standing.get_untracked(), Standing::SignedIn(_)) {
            self.ended.set(true);
        }
        self.standing.set(Standing::SignedOut);
    }

    /// Whether it ended by itself and not by signing out.
    pub fn has_ended(self) -> bool {
        self.ended.get()
    }

    /// Signs out.
    pub fn sign_out(self) {
        spawn_local(async move {
            // Without an answer the cookie may live on; asking again shows the truth.
            let answer = api::sign_out().await;
            self.ended.set(false);
            match answer {
                Ok(()) => self.standing.set(Standing::SignedOut),
                Err(_) => self.refresh(),
            }
        });
    }

    /// Where it stands.
    pub fn standing(self) -> Standing {
        self.standing.get()
    }

    /// Whether the viewer has a right. All pages are built anew when somebody else signs in.
    pub fn may(self, permission: Permission) -> bool {
        self.standing.with_untracked(|standing| match standing {
            Standing::SignedIn(viewer) => viewer.permissions.contains(&permission),
            _ => false,
        })
    }
}

/// Which theme the viewer wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Always light.
    Light,
    /// Always dark.
    Dark,
    /// As the system.
    System,
}

impl Theme {
    /// The stored choice.
    pub fn stored() -> Self {
        let stored = window()
            .local_storage()
            .ok()
            .flatten()
            .and_then(|storage| storage.get_item("theme").ok().flatten());
        match stored.as_deref() {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::System,
        }
    }

    /// Applies and keeps the choice. Where storage is forbidden it lasts until the page is left.
    pub fn apply(self) {
        let name = match self {
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
            Self::System => None,
        };
        let storage = window().local_storage().ok().flatten();
        let Some(root) = document().document_element() else { return };
        let _ = match name {
            Some(name) => root.set_attribute("data-theme", &format!("weir-{name}")),
            None => root.remove_attribute("data-theme"),
        };
        let _ = storage.map(|storage| match name {
            Some(name) => storage.set_item("theme", name),
            None => storage.remove_item("theme"),
        });
    }
}
