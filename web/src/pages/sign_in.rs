//! Signing in, and making the first account.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

use crate::api::{self, Credentials, Failure, Setup};
use crate::app::{Brand, ThemeSwitch};
use crate::components::{Button, Look, Notice, Text, Tone};
use crate::paths;
use crate::viewer::Session;

/// Fewest characters of a password.
pub(super) const SHORTEST_PASSWORD: usize = 12;

/// The screen of somebody who is not signed in. The address stays, so that signing in leads where one wanted to go.
#[component]
pub fn SignInPage() -> impl IntoView {
    let session = Session::expect();
    let email = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        busy.set(true);
        failure.set(None);
        let credentials = Credentials { email: email.get_untracked(), password: password.get_untracked() };
        spawn_local(async move {
            match api::sign_in(&credentials).await {
                Ok(()) => session.refresh(),
                Err(problem) => {
                    failure.set(Some(problem));
                    busy.set(false);
                }
            }
        });
    };
    let complaint = move || {
        let words = match failure.get()? {
            Failure::SignedOut => "The address or the password is not right.".to_owned(),
            other => other.message(),
        };
        Some(view! { <Notice tone=Tone::Error>{words}</Notice> })
    };
    view! {
        <Gate title="Sign in" about="Warehouse rows in, exact measurements on the right account out.">
            <form class="flex flex-col gap-4" on:submit=send>
                {move || (session.has_ended() && failure.get().is_none()).then(|| view! {
                    <Notice>"Your session has ended. Sign in to go on where you were."</Notice>
                })}
                {complaint}
                <Text label="Email" value=email kind="email" autocomplete="username" required=true/>
                <Text label="Password" value=password kind="password" autocomplete="current-password" required=true/>
                <Button look=Look::Primary submit=true busy>"Sign in"</Button>
            </form>
        </Gate>
    }
}

/// The token of the link the server prints. It stands behind the `#`, which browsers send to nobody.
fn printed_token() -> String {
    let hash = use_location().hash.get_untracked();
    hash.trim_start_matches('#').strip_prefix("token=").unwrap_or_default().to_owned()
}

/// The first screen of a new installation.
#[component]
pub fn SetupPage() -> impl IntoView {
    let session = Session::expect();
    let navigate = use_navigate();
    let token = RwSignal::new(printed_token());
    let organization = RwSignal::new(String::new());
    let name = RwSignal::new(String::new());
    let email = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let short = RwSignal::new(false);
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        short.set(password.with_untracked(|password| password.chars().count() < SHORTEST_PASSWORD));
        if short.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let setup = Setup {
            token: token.get_untracked().trim().to_owned(),
            email: email.get_untracked(),
            name: name.get_untracked(),
            password: password.get_untracked(),
            organization: organization.get_untracked(),
        };
        let navigate = navigate.clone();
        spawn_local(async move {
            match api::set_up(&setup).await {
                Ok(()) => {
                    // The token has done its work and leaves the address.
                    navigate(
                        paths::OVERVIEW,
                        NavigateOptions { replace: true, ..NavigateOptions::default() },
                    );
                    session.refresh();
                }
                Err(problem) => {
                    failure.set(Some(problem));
                    busy.set(false);
                }
            }
        });
    };
    let complaint = move || {
        let words = match failure.get()? {
            Failure::SignedOut | Failure::Forbidden => {
                "The set-up token is not right. The server prints it when it starts.".to_owned()
            }
            other => other.message(),
        };
        Some(view! { <Notice tone=Tone::Error>{words}</Notice> })
    };
    let too_short =
        Signal::derive(move || short.get().then(|| format!("Use at least {SHORTEST_PASSWORD} characters.")));
    view! {
        <Gate title="Set up Weir" about="Make the owner account, which may do everything here.">
            <form class="flex flex-col gap-4" on:submit=send>
                {complaint}
                <Text label="Set-up token" value=token required=true code=true hint="The server printed it when it started."/>
                <Text label="Organization" value=organization required=true autocomplete="organization"/>
                <Text label="Your name" value=name required=true autocomplete="name"/>
                <Text label="Email" value=email kind="email" autocomplete="username" required=true/>
                <Text
                    label="Password"
                    value=password
                    kind="password"
                    autocomplete="new-password"
                    required=true
                    hint="At least 12 characters. A few words in a row are good."
                    error=too_short
                />
                <Button look=Look::Primary submit=true busy>"Make the account"</Button>
            </form>
        </Gate>
    }
}

/// The frame of the screens before signing in.
#[component]
fn Gate(title: &'static str, about: &'static str, children: Children) -> impl IntoView {
    Effect::new(move |_| document().set_title(&format!("{title} · Weir")));
    view! {
        <main class="mx-auto flex min-h-dvh w-full max-w-sm flex-col justify-center px-4 py-10">
            <div class="mb-6 flex items-center justify-between"><Brand/><ThemeSwitch/></div>
            <div class="panel p-6">
                <h1 class="text-lg font-semibold tracking-tight">{title}</h1>
                <p class="mt-1 mb-5 muted">{about}</p>
                {children()}
            </div>
        </main>
    }
}
