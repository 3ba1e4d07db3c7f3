//! Reading and changing over GraphQL as signals.
//!
//! A `Query` keeps its last answer while the next one is on its way, and a page is built once and then follows
//! the signal. Polling therefore never takes away the focus, the scroll position or a half-typed field, which
//! rebuilding a page from a resource on each answer would.

use std::time::Duration;

use cynic::Operation;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_use_document_visibility::use_document_visibility;
use leptos_use_interval_fn::use_interval_fn;
use serde::Serialize;
use serde::de::DeserializeOwned;
use web_sys::VisibilityState;

use crate::api::{self, Failure};
use crate::viewer::Session;
use crate::vocabulary::UserError;

/// A question to the server, asked again whenever a signal it is made of changes.
pub struct Query<T: Send + Sync + 'static> {
    data: RwSignal<Option<T>>,
    failure: RwSignal<Option<Failure>>,
    busy: RwSignal<bool>,
    turn: RwSignal<u32>,
}

impl<T: Send + Sync + 'static> Clone for Query<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Query<T> {}

impl<T> Query<T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    /// Asks now and whenever `build` would ask something else.
    pub fn new<V: Serialize + 'static>(build: impl Fn() -> Operation<T, V> + 'static) -> Self {
        let query = Self {
            data: RwSignal::new(None),
            failure: RwSignal::new(None),
            busy: RwSignal::new(true),
            turn: RwSignal::new(0),
        };
        let session = Session::expect();
        let newest = StoredValue::new(0_u32);
        Effect::new(move |_| {
            query.turn.track();
            let operation = build();
            let mine = newest.get_value() + 1;
            newest.set_value(mine);
            query.busy.set(true);
            spawn_local(async move {
                let answer = api::ask(operation).await;
                // The page may be gone, or have asked anew.
                if newest.try_get_value() != Some(mine) {
                    return;
                }
                query.busy.set(false);
                match answer {
                    Ok(data) => {
                        query.failure.set(None);
                        query.data.set(Some(data));
                    }
                    Err(Failure::SignedOut) => session.ended(),
                    Err(failure) => query.failure.set(Some(failure)),
                }
            });
        });
        query
    }

    /// Asks again.
    pub fn reload(self) {
        self.turn.update(|turn| *turn += 1);
    }

    /// Asks again every so often while `wanted` says so and the tab is seen.
    pub fn poll(self, every: Duration, wanted: impl Fn() -> bool + Clone + 'static) -> Self {
        let visibility = use_document_visibility();
        let millis = every.as_millis() as u64;
        use_interval_fn(
            move || {
                if visibility.get_untracked() == VisibilityState::Visible
                    && !self.busy.get_untracked()
                    && untrack(&wanted)
                {
                    self.reload();
                }
            },
            millis,
        );
        self
    }

    /// Whether an answer has arrived.
    pub fn is_ready(self) -> bool {
        self.data.with(Option::is_some)
    }

    /// Looks at the last answer, if there is one.
    pub fn with<R>(self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.data.with(|data| data.as_ref().map(look))
    }

    /// Looks at the last answer without following it.
    pub fn with_untracked<R>(self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.data.with_untracked(|data| data.as_ref().map(look))
    }

    /// The last failure, gone with the next answer.
    pub fn failure(self) -> Option<Failure> {
        self.failure.get()
    }
}

/// What is done with an answer; the refusals in it, if there are any.
type Settle<T> = Box<dyn Fn(T) -> Option<Vec<UserError>> + Send + Sync>;

/// A change to be sent once asked for, with what became of it.
pub struct Change<T: 'static> {
    busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    refusals: RwSignal<Vec<UserError>>,
    settle: StoredValue<Settle<T>>,
    session: Session,
}

impl<T: 'static> Clone for Change<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: 'static> Copy for Change<T> {}

impl<T: DeserializeOwned + 'static> Change<T> {
    /// Prepares a change: `take` finds the result or the refusals in the answer, `done` follows a success.
    pub fn new<R: 'static>(
        take: impl Fn(T) -> Result<R, Vec<UserError>> + Send + Sync + 'static,
        done: impl Fn(R) + Send + Sync + 'static,
    ) -> Self {
        let settle = move |answer: T| match take(answer) {
            Ok(result) => {
                done(result);
                None
            }
            Err(refusals) => Some(refusals),
        };
        Self {
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
            refusals: RwSignal::new(Vec::new()),
            settle: StoredValue::new(Box::new(settle)),
            session: Session::expect(),
        }
    }

    /// Sends it, unless it is on its way already.
    pub fn send<V: Serialize + 'static>(self, operation: Operation<T, V>) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.clear();
        spawn_local(async move {
            let answer = api::ask(operation).await;
            if self.busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(answer) => {
                    let refusals = self.settle.try_with_value(|settle| settle(answer)).flatten();
                    if let Some(refusals) = refusals {
                        self.refusals.set(refusals);
                    }
                }
                Err(Failure::SignedOut) => self.session.ended(),
                Err(failure) => self.failure.set(Some(failure)),
            }
        });
    }
}

impl<T: 'static> Change<T> {
    /// Whether the answer is on its way.
    pub fn is_busy(self) -> bool {
        self.busy.get()
    }

    /// Forgets what became of the last attempt.
    pub fn clear(self) {
        self.failure.set(None);
        self.refusals.set(Vec::new());
    }

    /// What is wrong with a field, named by the last part of its path.
    pub fn refusal_of(self, field: &str) -> Option<String> {
        self.refusals.with(|refusals| {
            let mut of_field = refusals.iter().filter(|refusal| refusal.last_field() == Some(field));
            of_field.next().map(|refusal| api::sentence(&refusal.message))
        })
    }

    /// What is wrong with the whole, in words, leaving out the named fields, which say so themselves.
    pub fn complaint(self, shown: &[&str]) -> Option<String> {
        if let Some(failure) = self.failure.get() {
            return Some(failure.message());
        }
        self.refusals.with(|refusals| {
            let rest = refusals
                .iter()
                .filter(|refusal| refusal.last_field().is_none_or(|field| !shown.contains(&field)));
            let words: Vec<String> = rest.map(|refusal| api::sentence(&refusal.message)).collect();
            (!words.is_empty()).then(|| words.join(" "))
        })
    }
}

/// Turns the two halves of a payload into one result.
pub fn settled<R>(result: Option<R>, refusals: Vec<UserError>) -> Result<R, Vec<UserError>> {
    match result {
        Some(result) if refusals.is_empty() => Ok(result),
        _ => Err(refusals),
    }
}
