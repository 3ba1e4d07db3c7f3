//! Who may come in, and what they may do: viewers, passwords, sessions, API tokens, first set-up.

pub mod viewer;

pub use viewer::{Actor, Permission, Permissions, Viewer};
