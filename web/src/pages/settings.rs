//! The organization: its people and its API tokens.

use leptos::prelude::*;

use super::api_tokens::ApiTokens;
use super::people::People;
use crate::components::{Notice, PageHead};
use crate::viewer::Session;
use crate::vocabulary::Permission;

/// The page of the organization.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let session = Session::expect();
    let (people, tokens) = (session.may(Permission::MembersRead), session.may(Permission::Admin));
    view! {
        <PageHead title="Settings"/>
        <div class="flex flex-col gap-5">
            {people.then(|| view! { <People may=tokens/> })}
            {tokens.then(|| view! { <ApiTokens/> })}
            {(!people && !tokens).then(|| view! { <Notice>"Your role does not show the settings. Ask an owner or admin."</Notice> })}
        </div>
    }
}
