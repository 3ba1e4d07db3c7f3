//! Changing one's own password.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::sign_in::SHORTEST_PASSWORD;
use crate::api::{self, Failure, NewPassword};
use crate::components::{Button, Look, Notice, Panel, Text, Toasts, Tone};

/// The form; whoever fills it in stays signed in, here and nowhere else.
#[component]
pub(super) fn PasswordForm(email: String) -> impl IntoView {
    let toasts = Toasts::expect();
    let (current, new) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let short = RwSignal::new(false);
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        failure.set(None);
        short.set(new.with_untracked(|new| new.chars().count() < SHORTEST_PASSWORD));
        if short.get_untracked() {
            return;
        }
        busy.set(true);
        let change = NewPassword { current: current.get_untracked(), new: new.get_untracked() };
        spawn_local(async move {
            match api::change_password(&change).await {
                Ok(()) => {
                    current.set(String::new());
                    new.set(String::new());
                    toasts.say("Your password is changed. All your other sessions have ended.");
                }
                Err(problem) => failure.set(Some(problem)),
            }
            busy.set(false);
        });
    };
    let wrong = Signal::derive(move || {
        let wrong = failure.with(|failure| matches!(failure, Some(Failure::SignedOut)));
        wrong.then(|| "This is not your current password.".to_owned())
    });
    let complaint = move || {
        let other = failure.get().filter(|failure| *failure != Failure::SignedOut)?;
        Some(view! { <Notice tone=Tone::Error>{other.message()}</Notice> })
    };
    let too_short =
        Signal::derive(move || short.get().then(|| format!("Use at least {SHORTEST_PASSWORD} characters.")));
    view! {
        <Panel title="Your password">
            <form class="flex max-w-sm flex-col gap-4" on:submit=send>
                {complaint}
                // For password managers, which need to know whose password it is.
                <input type="email" class="sr-only" autocomplete="username" aria-hidden="true" tabindex="-1" readonly prop:value=email/>
                <Text label="Current password" value=current kind="password" autocomplete="current-password" required=true error=wrong/>
                <Text
                    label="New password"
                    value=new
                    kind="password"
                    autocomplete="new-password"
                    required=true
                    hint="At least 12 characters. A few words in a row are good."
                    error=too_short
                />
                <p class="text-xs muted">"You stay signed in here. Every other browser is signed out."</p>
                <div><Button look=Look::Primary submit=true busy>"Change the password"</Button></div>
            </form>
        </Panel>
    }
}
