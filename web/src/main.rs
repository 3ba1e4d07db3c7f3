//! The browser application: mounts the shell, which routes to the pages.
#![recursion_limit = "256"]

mod api;
mod app;
mod components;
mod file;
mod format;
mod pages;
mod paths;
mod query;
mod size;
mod viewer;
mod vocabulary;

/// What cynic checks each query against.
#[cynic::schema("weir")]
mod schema {}

fn main() {
    leptos::mount::mount_to_body(app::App);
}
