//! The shell: who may see what, the navigation, the routes.

use leptos::ev::MouseEvent;
use leptos::html;
use leptos::prelude::*;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::hooks::use_location;
use leptos_router::path;

use crate::components::{
    Badge, Clock, Dialog, Glyph, Icon, Missing, Moved, Notice, Only, PageHead, Problem, ToastList, Toasts,
    Tone,
};
use crate::pages::{
    AccountPage, AccountsPage, DiagnosisPage, LinksImportPage, LinksPage, OverviewPage, RunPage,
    SettingsPage, SetupPage, SignInPage, SourceEditPage, SourceNewPage, SourcePage, SourcesPage,
    StreamEditPage, StreamNewPage, StreamPage, UnmatchedGroupPage, UnmatchedPage,
};
use crate::paths;
use crate::viewer::{Session, Standing, Theme, Viewer};
use crate::vocabulary::Permission;

/// The whole application.
#[component]
pub fn App() -> impl IntoView {
    let session = Session::provide();
    Toasts::provide();
    Clock::provide();
    // What stands decides which of the screens is built; the viewer's details are read where they are shown.
    let screen = Memo::new(move |_| session.standing());
    view! {
        <Router>
            {move || match screen.get() {
                Standing::Asking => view! { <div class="starting" role="status">"Weir is starting"</div> }.into_any(),
                Standing::SetupRequired => view! { <SetupPage/> }.into_any(),
                Standing::SignedOut => view! { <SignInPage/> }.into_any(),
                Standing::SignedIn(viewer) => view! { <Shell viewer/> }.into_any(),
                Standing::Failed(failure) => view! {
                    <main class="mx-auto grid min-h-dvh max-w-xl place-items-center p-6">
                        <Problem failure retry=move |()| session.refresh()/>
                    </main>
                }.into_any(),
            }}
            <ToastList/>
        </Router>
    }
}

/// A place in the navigation.
#[derive(Clone, Copy)]
struct Place {
    href: &'static str,
    name: &'static str,
    icon: Icon,
    /// The first parts of the addresses that belong to it.
    covers: &'static [&'static str],
}

const PLACES: [Place; 5] = [
    Place { href: paths::OVERVIEW, name: "Overview", icon: Icon::Overview, covers: &[""] },
    Place {
        href: paths::SOURCES,
        name: "Sources",
        icon: Icon::Source,
        covers: &["sources", "streams", "runs"],
    },
    Place { href: paths::UNMATCHED, name: "Unmatched", icon: Icon::Inbox, covers: &["unmatched"] },
    Place { href: paths::LINKS, name: "Metric links", icon: Icon::Link, covers: &["links"] },
    Place { href: paths::ACCOUNTS, name: "Accounts", icon: Icon::Account, covers: &["accounts"] },
];

/// Whether a place is where one is.
fn is_here(place: Place) -> impl Fn() -> Option<&'static str> + Clone + Send {
    let path = use_location().pathname;
    move || {
        path.with(|path| place.covers.contains(&path.split('/').nth(1).unwrap_or_default())).then_some("page")
    }
}

/// The frame around every page of somebody who is signed in.
#[component]
fn Shell(viewer: Viewer) -> impl IntoView {
    let menu = RwSignal::new(false);
    Moved::provide();
    let content = NodeRef::<html::Main>::new();
    // The router takes a link to a place on the page for one to another page, and the focus would stay.
    let skip = move |event: MouseEvent| {
        event.prevent_default();
        if let Some(content) = content.get_untracked() {
            let _ = content.focus();
        }
    };
    let paused = !viewer.organization.ingestion_enabled;
    let viewer = StoredValue::new(viewer);
    let location = use_location();
    Effect::new(move |_| {
        location.pathname.track();
        menu.set(false);
    });
    view! {
        <a href="#content" on:click=skip class="btn btn-primary btn-sm fixed start-3 top-3 z-50 h-9 -translate-y-16 focus:translate-y-0">
            "Skip to the content"
        </a>
        <div class="lg:grid lg:grid-cols-[14.5rem_minmax(0,1fr)]">
            <aside class="sticky top-0 hidden h-dvh flex-col border-e border-base-300 bg-base-100 lg:flex">
                <div class="px-4 py-4"><Brand/></div>
                <nav aria-label="Main" class="flex-1 overflow-y-auto px-2.5">
                    <ul class="flex flex-col gap-0.5">
                        {PLACES.into_iter().map(|place| view! { <li><SideLink place/></li> }).collect_view()}
                    </ul>
                </nav>
                <div class="border-t border-base-300 p-3"><Account viewer=viewer.get_value()/></div>
            </aside>
            <div class="min-w-0 pb-20 lg:pb-0">
                <header class="sticky top-0 z-20 flex items-center gap-3 border-b border-base-300 bg-base-100/95 px-4 py-2 backdrop-blur lg:hidden">
                    <Brand/>
                    <button
                        type="button"
                        class="btn btn-ghost btn-square ms-auto size-10"
                        aria-label="Your account"
                        aria-haspopup="dialog"
                        on:click=move |_| menu.set(true)
                    >
                        <Glyph icon=Icon::Person class="size-5"/>
                    </button>
                </header>
                <main node_ref=content id="content" tabindex="-1" class="mx-auto max-w-page px-4 py-5 outline-none sm:px-6 lg:py-7">
                    {paused.then(|| view! {
                        <div class="mb-5"><Notice tone=Tone::Warning>"Ingestion is switched off for this organization: no run starts."</Notice></div>
                    })}
                    <Pages/>
                </main>
            </div>
        </div>
        <nav
            aria-label="Main"
            class="fixed inset-x-0 bottom-0 z-20 border-t border-base-300 bg-base-100 pb-[env(safe-area-inset-bottom)] lg:hidden"
        >
            <ul class="grid grid-cols-5">
                {PLACES.into_iter().map(|place| view! { <li><TabLink place/></li> }).collect_view()}
            </ul>
        </nav>
        <Dialog open=menu title="Your account">
            <Account viewer=viewer.get_value()/>
        </Dialog>
    }
}

#[component]
fn Pages() -> impl IntoView {
    view! {
        <Routes fallback=|| view! { <PageHead title="Page not found"/><Missing what="page"/> }>
            <Route path=path!("/") view=OverviewPage/>
            <Route path=path!("/sources") view=SourcesPage/>
            <Route path=path!("/sources/new") view=|| view! { <Only permission=Permission::SourcesWrite title="Add a source"><SourceNewPage/></Only> }/>
            <Route path=path!("/sources/:id") view=SourcePage/>
            <Route path=path!("/sources/:id/edit") view=|| view! { <Only permission=Permission::SourcesWrite title="Edit the source"><SourceEditPage/></Only> }/>
            <Route path=path!("/sources/:id/streams/new") view=|| view! { <Only permission=Permission::SourcesWrite title="New stream"><StreamNewPage/></Only> }/>
            <Route path=path!("/streams/:id") view=StreamPage/>
            <Route path=path!("/streams/:id/missing") view=DiagnosisPage/>
            <Route path=path!("/streams/:id/edit") view=|| view! { <Only permission=Permission::SourcesWrite title="Edit the stream"><StreamEditPage/></Only> }/>
            <Route path=path!("/runs/:id") view=RunPage/>
            <Route path=path!("/unmatched") view=UnmatchedPage/>
            <Route path=path!("/unmatched/:id") view=UnmatchedGroupPage/>
            <Route path=path!("/links") view=LinksPage/>
            <Route path=path!("/links/import") view=|| view! { <Only permission=Permission::LinksWrite title="Import metric links"><LinksImportPage/></Only> }/>
            <Route path=path!("/accounts") view=AccountsPage/>
            <Route path=path!("/accounts/:id") view=AccountPage/>
            <Route path=path!("/settings") view=SettingsPage/>
        </Routes>
    }
}

/// The name and the mark.
#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <a href=paths::OVERVIEW class="flex items-center gap-2.5 text-base font-semibold tracking-tight">
            <svg viewBox="0 0 32 32" class="size-7 shrink-0" aria-hidden="true">
                <rect width="32" height="32" rx="8" class="fill-primary"/>
                <path d="M4.5 10h4l3.6 11.5L16 11l3.9 10.5L23.5 10h4" class="fill-none stroke-primary-content" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/>
                <path d="M8 26.2c1.9 0 1.9-1.4 4-1.4s2.1 1.4 4 1.4 2-1.4 4-1.4 2.1 1.4 4 1.4" class="fill-none stroke-primary-content/55" stroke-width="1.8" stroke-linecap="round"/>
            </svg>
            "Weir"
        </a>
    }
}

#[component]
fn SideLink(place: Place) -> impl IntoView {
    view! {
        <a
            href=place.href
            aria-current=is_here(place)
            class="flex h-9 items-center gap-2.5 rounded-field px-2.5 font-medium text-base-content/80 hover:bg-base-200 aria-[current=page]:bg-primary/10 aria-[current=page]:text-primary"
        >
            <Glyph icon=place.icon class="size-[1.125rem] shrink-0"/>
            {place.name}
        </a>
    }
}

#[component]
fn TabLink(place: Place) -> impl IntoView {
    // The last word is enough under a thumb.
    let name = if place.href == paths::LINKS { "Links" } else { place.name };
    view! {
        <a
            href=place.href
            aria-current=is_here(place)
            class="flex h-14 flex-col items-center justify-center gap-0.5 text-[0.6875rem] font-medium text-base-content/75 aria-[current=page]:text-primary"
        >
            <Glyph icon=place.icon class="size-5 shrink-0"/>
            {name}
        </a>
    }
}

/// Who is signed in, the theme, and the way out.
#[component]
fn Account(viewer: Viewer) -> impl IntoView {
    let session = Session::expect();
    let path = use_location().pathname;
    let here = move || path.with(|path| path == paths::SETTINGS).then_some("page");
    let name = viewer.user.as_ref().map(|user| user.name.clone()).unwrap_or_default();
    let email = viewer.user.map(|user| user.email).unwrap_or_default();
    view! {
        <div class="flex flex-col gap-3">
            <div class="min-w-0 px-1">
                <p class="flex items-center gap-2">
                    <span class="truncate font-medium">{name}</span>
                    {viewer.role.map(|role| view! { <Badge text=role.text()/> })}
                </p>
                <p class="truncate text-xs muted" title=email.clone()>{email.clone()}</p>
                <p class="truncate text-xs muted">{viewer.organization.name}</p>
            </div>
            <a
                href=paths::SETTINGS
                aria-current=here
                class="flex h-9 items-center gap-2.5 rounded-field px-1 font-medium text-base-content/80 hover:bg-base-200 aria-[current=page]:text-primary"
            >
                <Glyph icon=Icon::Settings class="size-[1.125rem] shrink-0"/>
                "Settings"
            </a>
            <div class="flex items-center justify-between gap-2">
                <ThemeSwitch/>
                <button type="button" class="btn btn-ghost btn-sm h-8 px-2" on:click=move |_| session.sign_out()>
                    <Glyph icon=Icon::SignOut/>
                    "Sign out"
                </button>
            </div>
        </div>
    }
}

/// Light, dark, or as the system.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let chosen = RwSignal::new(Theme::stored());
    let option = move |theme: Theme, name: &'static str, icon: Icon| {
        view! {
            <button
                type="button"
                class="grid size-7 place-items-center rounded-selector aria-pressed:bg-base-100 aria-pressed:text-primary aria-pressed:shadow-sm"
                aria-label=name
                title=name
                aria-pressed=move || if chosen.get() == theme { "true" } else { "false" }
                on:click=move |_| {
                    theme.apply();
                    chosen.set(theme);
                }
            >
                <Glyph icon/>
            </button>
        }
    };
    view! {
        <div role="group" aria-label="Theme" class="flex gap-0.5 rounded-field bg-base-content/8 p-0.5">
            {option(Theme::Light, "Light theme", Icon::Light)}
            {option(Theme::Dark, "Dark theme", Icon::Dark)}
            {option(Theme::System, "System theme", Icon::System)}
        </div>
    }
}
