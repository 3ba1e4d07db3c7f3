//! Choosing an ID space.

use cynic::QueryBuilder;
use leptos::prelude::*;

use crate::components::Choice;
use crate::query::Query;
use crate::schema;
use crate::vocabulary::Normalizer;

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query")]
struct SpacesQuery {
    id_spaces: Vec<IdSpace>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct IdSpace {
    name: String,
    normalizer: Normalizer,
}

/// The ID spaces of the organization; the first is chosen to begin with.
#[component]
pub fn SpaceChoice(space: RwSignal<String>) -> impl IntoView {
    let query = Query::new(|| SpacesQuery::build(()));
    Effect::new(move |_| {
        let first = query.with(|data| data.id_spaces.first().map(|space| space.name.clone())).flatten();
        if let Some(first) = first
            && space.with_untracked(String::is_empty)
        {
            space.set(first);
        }
    });
    let options = Signal::derive(move || {
        let spaces = query.with(|data| data.id_spaces.clone()).unwrap_or_default();
        spaces.into_iter().map(|space| (space.name.clone(), space.name)).collect::<Vec<_>>()
    });
    let hint = Signal::derive(move || {
        let chosen = space.get();
        let found = query.with(|data| {
            data.id_spaces.iter().find(|space| space.name == chosen).map(|space| space.normalizer)
        });
        found.flatten().map(|normalizer| format!("Compared {}.", normalizer.text()))
    });
    view! { <Choice label="ID space" value=space on_change=move |key: String| space.set(key) options hint/> }
}
