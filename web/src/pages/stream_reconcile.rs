//! How a stream compared with its table: when last, what differed, what became of it.

use cynic::MutationBuilder;
use leptos::prelude::*;

use super::reconcile_record::{Earlier, Found, told};
use super::stream_record::Stream;
use crate::components::{Button, Fact, Facts, Icon, Look, Notice, Panel, Toasts, Tone};
use crate::query::{Change, settled};
use crate::vocabulary::{CursorKind, DateTime, UserError};
use crate::{api, format, schema};

/// When a stream is compared by itself.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct ReconcileSetting {
    /// Whether it is.
    pub enabled: bool,
    /// The time of day.
    pub at: String,
    /// The zone of that time.
    pub zone: String,
    /// How far back.
    pub days: i32,
}

#[derive(cynic::QueryVariables)]
struct StartVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "StartVariables")]
struct StartReconcile {
    #[arguments(input: { streamId: $id })]
    reconcile_start: ReconcileStartPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct ReconcileStartPayload {
    reconcile: Option<StartedReconcile>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Reconcile")]
struct StartedReconcile {
    #[expect(dead_code, reason = "a fragment names at least one field")]
    started_at: DateTime,
}

/// The panel of a stream's page.
#[component]
pub(super) fn ReconcilePanel(
    stream: Signal<Stream>,
    may_start: bool,
    may_set: bool,
    on_set: Callback<()>,
    done: Callback<()>,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let setting = Memo::new(move |_| stream.with(|stream| (stream.reconcile.clone(), stream.cursor.kind)));
    let last = Memo::new(move |_| stream.with(|stream| stream.reconciles.nodes.first().cloned()));
    let start = Change::new(
        |answer: StartReconcile| {
            settled(answer.reconcile_start.reconcile, answer.reconcile_start.user_errors)
        },
        move |_: StartedReconcile| {
            toasts.say("The stream is being compared with its table");
            done.run(());
        },
    );
    let send = move |_| {
        start.send(StartReconcile::build(StartVariables {
            id: stream.with_untracked(|stream| stream.id.clone()),
        }));
    };
    let facts = move || {
        let (setting, kind) = setting.get();
        let schedule = if setting.enabled {
            format!("Every day at {} {}, {}", setting.at, setting.zone, reach(kind, setting.days))
        } else {
            "Only when asked".to_owned()
        };
        let last = match last.get() {
            Some(reconcile) => told(&reconcile, kind).into_any(),
            None => "Never".into_any(),
        };
        view! {
            <Facts>
                <Fact name="Compares">{schedule}</Fact>
                <Fact name="Last time">{last}</Fact>
            </Facts>
        }
    };
    let trouble = move || {
        last.get().and_then(|reconcile| reconcile.error).map(|error| {
            view! {
                <Notice tone=Tone::Warning>
                    {api::sentence(&error.message)}" "{error.action.map(|action| api::sentence(&action))}
                </Notice>
            }
        })
    };
    let found = move || {
        let slices = last.get().map(|reconcile| reconcile.slices).unwrap_or_default();
        (!slices.is_empty()).then(|| {
            view! { <ul class="mt-3 border-t border-base-300/70">{slices.into_iter().map(|slice| view! { <Found slice/> }).collect_view()}</ul> }
        })
    };
    let earlier = Memo::new(move |_| {
        stream.with(|stream| {
            (stream.reconciles.nodes.iter().skip(1).cloned().collect::<Vec<_>>(), stream.cursor.kind)
        })
    });
    let complaint =
        move || start.complaint(&[]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> });
    let actions = move || {
        view! {
            {may_start.then(|| view! { <Button look=Look::Quiet icon=Icon::Retry busy=Signal::derive(move || start.is_busy()) on:click=send>"Compare now"</Button> })}
            {may_set.then(|| view! { <Button look=Look::Quiet icon=Icon::Clock on:click=move |_| on_set.run(())>"Schedule"</Button> })}
        }
    };
    view! { <Panel title="Compared with the table" actions>{complaint}{facts}{trouble}{found}{move || view! { <Earlier comparisons=earlier.get().0 kind=earlier.get().1/> }}</Panel> }
}

/// How far back, in words.
fn reach(kind: CursorKind, days: i32) -> String {
    match kind {
        CursorKind::Int => format!("the last {} of 100,000", format::counted(days.into(), "block", "blocks")),
        _ => format!("the last {}", format::counted(days.into(), "day", "days")),
    }
}
