//! The question a change of the cursor asks: where does reading go on?

use leptos::prelude::*;

use super::stream_draft::Draft;
use crate::components::Choice;
use crate::vocabulary::{CursorKind, StreamCursorStart, Word};

/// The cursor that is saved, and the answer given so far.
#[derive(Clone, Copy)]
pub struct CursorChange {
    saved: StoredValue<(String, CursorKind)>,
    chosen: RwSignal<Option<StreamCursorStart>>,
}

impl CursorChange {
    /// Starts without an answer.
    pub fn new(column: String, kind: CursorKind) -> Self {
        Self { saved: StoredValue::new((column, kind)), chosen: RwSignal::new(None) }
    }

    /// Whether the chosen cursor is another than the saved one.
    pub fn asks(self, draft: Draft) -> bool {
        let kind = draft.cursor_kind();
        let same = |(column, saved): &(String, CursorKind)| {
            draft.cursor.with(|chosen| chosen == column) && kind == Some(*saved)
        };
        kind.is_some() && !self.saved.with_value(same)
    }

    /// The answer, where there is a question.
    pub fn answer(self, draft: Draft) -> Option<StreamCursorStart> {
        self.asks(draft).then(|| self.chosen.get()).flatten()
    }

    /// What is still to be said, in words.
    pub fn missing(self, draft: Draft) -> Option<&'static str> {
        let open = self.asks(draft) && self.chosen.with(Option::is_none);
        open.then_some("Choose where reading goes on with the new cursor.")
    }
}

/// The question, shown only while there is one.
#[component]
pub fn CursorStartField(draft: Draft, change: CursorChange) -> impl IntoView {
    let options = Signal::derive(move || {
        let same = draft.cursor_kind() == Some(change.saved.with_value(|(_, kind)| *kind));
        let offered = StreamCursorStart::choices().into_iter();
        let offered = offered.filter(move |(key, _)| same || *key != StreamCursorStart::Keep.key());
        std::iter::once((String::new(), "Choose one".to_owned())).chain(offered).collect::<Vec<_>>()
    });
    let value = Signal::derive(move || {
        change.chosen.get().map(StreamCursorStart::key).unwrap_or_default().to_owned()
    });
    view! {
        <Show when=move || change.asks(draft)>
            <Choice
                label="Reading goes on"
                value
                on_change=move |key: String| change.chosen.set(StreamCursorStart::from_key(&key))
                options
                hint="The new cursor orders the rows anew. Nothing stored is deleted; a row read again changes only what is different."
            />
        </Show>
    }
}
