//! Text that must not reach a log: sealed secrets and password hashes.

use sea_orm::DeriveValueType;
use std::fmt;

/// Stored text whose `Debug` form says nothing about it.
#[derive(Clone, PartialEq, Eq, Hash, DeriveValueType)]
pub struct Hidden(String);

impl Hidden {
    /// Gives the text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes the text out.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Hidden {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}
