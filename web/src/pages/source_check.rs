//! Testing a connection: the steps in order, each with its time and, where it fails, what to do.

use leptos::prelude::*;

use crate::components::{Code, Glyph, Icon, Notice, Tone};
use crate::vocabulary::{ConnectorProblem, DateTime, SourceCheckStatus};
use crate::{api, format, schema};

/// How a connection test went.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct SourceCheck {
    /// Whether every step passed.
    pub ok: bool,
    /// When it was made.
    pub checked_at: DateTime,
    /// The steps in order.
    pub steps: Vec<SourceCheckStep>,
}

/// One step of a test.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct SourceCheckStep {
    /// What is tried.
    pub name: String,
    /// How it went.
    pub status: SourceCheckStatus,
    /// How long it took.
    pub duration_ms: i32,
    /// What was learnt.
    pub note: Option<String>,
    /// What went wrong.
    pub problem: Option<ConnectorProblem>,
}

/// The steps of a test.
#[component]
pub fn CheckSteps(check: SourceCheck) -> impl IntoView {
    let warned = check.steps.iter().any(|step| step.status == SourceCheckStatus::Warned);
    let verdict = if check.ok {
        let rest = warned.then_some(" One step has a warning.");
        view! { <Notice tone=Tone::Success>"The connection works."{rest}</Notice> }
    } else {
        view! { <Notice tone=Tone::Error>"The connection does not work yet. The step that failed says what to do."</Notice> }
    };
    view! {
        <div class="flex flex-col gap-3">
            {verdict}
            <ol>{check.steps.into_iter().map(|step| view! { <Step step/> }).collect_view()}</ol>
        </div>
    }
}

#[component]
fn Step(step: SourceCheckStep) -> impl IntoView {
    let (icon, class) = match step.status {
        SourceCheckStatus::Passed => (Icon::Success, "mt-0.5 size-4 shrink-0 text-success"),
        SourceCheckStatus::Warned => (Icon::Warning, "mt-0.5 size-4 shrink-0 text-warning"),
        SourceCheckStatus::Failed => (Icon::Failure, "mt-0.5 size-4 shrink-0 text-error"),
    };
    // What a warning says is no aside.
    let note = match (step.note, step.status) {
        (Some(note), SourceCheckStatus::Warned) => view! { <p>{api::sentence(&note)}</p> }.into_any(),
        (Some(note), _) => view! { <p class="text-xs muted">{note}</p> }.into_any(),
        (None, _) => ().into_any(),
    };
    view! {
        <li class="flex items-start gap-2.5 border-b border-base-300/70 py-2 last:border-0">
            <Glyph icon class/>
            <div class="min-w-0 flex-1">
                <span class="font-medium">{format::word(&step.name)}</span>
                <span class="sr-only">{format!(": {}", step.status.text())}</span>
                {note}
                {step.problem.map(|problem| view! { <ProblemText problem/> })}
            </div>
            <span class="num text-xs muted">{format::duration(step.duration_ms.into())}</span>
        </li>
    }
}

/// Why an outside system could not be read: what happened, what to do, and its own words folded away.
#[component]
pub fn ProblemText(problem: ConnectorProblem) -> impl IntoView {
    view! {
        <p>{api::sentence(&problem.message)}</p>
        {problem.action.map(|action| view! { <p class="mt-0.5 muted">{api::sentence(&action)}</p> })}
        {problem.detail.map(|detail| view! {
            <details class="mt-1.5 text-xs">
                <summary class="cursor-pointer py-1 muted">"What the source said"</summary>
                <Code text=detail what="what the source said"/>
            </details>
        })}
    }
}
