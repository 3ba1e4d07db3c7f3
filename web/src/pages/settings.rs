//! The organization: its people and its API tokens; and one's own password.

use leptos::prelude::*;

use super::api_tokens::ApiTokens;
use super::password::PasswordForm;
use super::people::People;
use crate::components::PageHead;
use crate::viewer::{Session, Standing};
use crate::vocabulary::Permission;

/// The page of the organization.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let session = Session::expect();
    let (people, tokens) = (session.may(Permission::MembersRead), session.may(Permission::Admin));
    let email = match untrack(|| session.standing()) {
        Standing::SignedIn(viewer) => viewer.user.map(|user| user.email),
        _ => None,
    };
    view! {
        <PageHead title="Settings"/>
        <div class="flex flex-col gap-5">
            {people.then(|| view! { <People may=tokens/> })}
            {tokens.then(|| view! { <ApiTokens/> })}
            {email.map(|email| view! { <PasswordForm email/> })}
        </div>
    }
}
