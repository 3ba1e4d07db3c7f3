//! Badges: a state in color, icon and word, never in color alone.

use leptos::prelude::*;

use super::{Cell, Glyph, Icon};
use crate::paths;
use crate::vocabulary::{Freshness, SyncRunStatus};

/// What a color says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Tone {
    /// Nothing in particular.
    #[default]
    Neutral,
    /// In progress, or worth knowing.
    Info,
    /// Good.
    Success,
    /// Needs attention.
    Warning,
    /// Bad.
    Error,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Neutral => "text-base-content/80",
            Self::Info => "text-info",
            Self::Success => "text-success",
            Self::Warning => "text-warning",
            Self::Error => "text-error",
        }
    }
}

/// A small label for a state.
#[component]
pub fn Badge(
    #[prop(into)] text: Signal<String>,
    #[prop(into, optional)] tone: Signal<Tone>,
    #[prop(into, optional)] icon: MaybeProp<Icon>,
) -> impl IntoView {
    let class = move || {
        format!(
            "tinted inline-flex items-center gap-1 rounded-field px-1.5 py-0.5 text-xs font-medium whitespace-nowrap {}",
            tone.get().class()
        )
    };
    let glyph = move || {
        icon.get().map(|icon| {
            let class =
                if icon == Icon::Busy { "size-3.5 shrink-0 animate-spin" } else { "size-3.5 shrink-0" };
            view! { <Glyph icon class/> }
        })
    };
    view! { <span class=class>{glyph}{text}</span> }
}

/// The state of a run.
#[component]
pub fn RunBadge(#[prop(into)] status: Signal<SyncRunStatus>) -> impl IntoView {
    view! {
        <Badge
            text=Signal::derive(move || status.get().text().to_owned())
            tone=Signal::derive(move || status.get().look().0)
            icon=Signal::derive(move || status.get().look().1)
        />
    }
}

/// Whether a stream is up to date.
#[component]
pub fn FreshnessBadge(#[prop(into)] freshness: Signal<Freshness>) -> impl IntoView {
    view! {
        <Badge
            text=Signal::derive(move || freshness.get().text().to_owned())
            tone=Signal::derive(move || freshness.get().look().0)
            icon=Signal::derive(move || freshness.get().look().1)
        />
    }
}

/// The cell of a stream's freshness, with its last run when that failed.
#[component]
pub fn FreshnessCell(
    freshness: Freshness,
    /// The ID of the last run, if it failed.
    failed: Option<String>,
) -> impl IntoView {
    let failed = failed.map(|run| {
        view! { <a href=paths::run(&run) class="rounded-field"><RunBadge status=SyncRunStatus::Failed/></a> }
    });
    view! {
        <Cell label="Freshness">
            <span class="flex flex-wrap items-center gap-1.5"><FreshnessBadge freshness/>{failed}</span>
        </Cell>
    }
}
