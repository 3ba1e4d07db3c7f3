//! Tables that become one card per row on phones. Roles are spelled out, because the cards are laid out as blocks.

use leptos::prelude::*;

/// A column's heading, and whether it holds amounts.
#[derive(Clone, Debug)]
pub struct Column {
    title: &'static str,
    amount: bool,
}

/// A column of words.
pub fn column(title: &'static str) -> Column {
    Column { title, amount: false }
}

/// A column of numbers, set to the right.
pub fn amount(title: &'static str) -> Column {
    Column { title, amount: true }
}

/// A table. Its children are rows.
#[component]
pub fn Table(
    /// What the table shows, for screen readers.
    #[prop(into)]
    caption: Signal<String>,
    columns: Vec<Column>,
    children: Children,
) -> impl IntoView {
    let heading = |column: Column| {
        view! { <th scope="col" role="columnheader" class:amount=column.amount>{column.title}</th> }
    };
    view! {
        // What only screen readers see would make the page as long as the table without its frame.
        <div class="relative overflow-x-auto">
            <table class="grid-table cards" role="table">
                <caption class="sr-only">{caption}</caption>
                <thead role="rowgroup">
                    <tr role="row">{columns.into_iter().map(heading).collect_view()}</tr>
                </thead>
                <tbody role="rowgroup">{children()}</tbody>
            </table>
        </div>
    }
}

/// A row of a table.
#[component]
pub fn Row(children: Children) -> impl IntoView {
    view! { <tr role="row">{children()}</tr> }
}

/// A cell. Its label stands beside it on phones.
#[component]
pub fn Cell(
    #[prop(optional)] label: Option<&'static str>,
    /// Whether it holds an amount.
    #[prop(optional)]
    amount: bool,
    /// Whether it needs the whole width of a phone.
    #[prop(optional)]
    wide: bool,
    children: Children,
) -> impl IntoView {
    view! {
        <td role="cell" data-label=label class:amount=amount class:wide=wide>
            <div class="min-w-0">{children()}</div>
        </td>
    }
}
