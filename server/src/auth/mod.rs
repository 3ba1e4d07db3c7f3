//! Who may come in, and what they may do: viewers, passwords, sessions, API tokens, first set-up.

pub mod api_token;
pub mod error;
pub mod password;
pub mod random;
pub mod session;
pub mod setup;
pub mod sign_in;
pub mod throttle;
pub mod viewer;

pub use error::{AuthError, AuthResult};
pub use viewer::{Actor, Permission, Permissions, Viewer};
