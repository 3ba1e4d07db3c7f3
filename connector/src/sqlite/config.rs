//! A SQLite source: a file, and nothing secret.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{ConnectorError, ErrorKind, Result};

/// Which file is read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The file's full path on the machine Weir runs on.
    pub path: String,
}

impl Config {
    /// Checks what can be checked without opening the file.
    ///
    /// # Errors
    /// `Config`, naming the field.
    pub fn validate(&self) -> Result<()> {
        let refuse = |text: &str| Err(ConnectorError::new(ErrorKind::Config, text));
        if self.path.trim().is_empty() {
            return refuse("path: give the full path of the SQLite file");
        }
        if self.path.contains('\0') || !Path::new(&self.path).is_absolute() {
            return refuse("path: give a full path, beginning with /");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_paths_are_taken() {
        for (path, right) in [
            ("/data/usage.db", true),
            ("", false),
            ("usage.db", false),
            (":memory:", false),
            ("file:/data/usage.db?mode=rwc", false),
            ("/data/us\0age.db", false),
        ] {
            assert_eq!(Config { path: path.to_owned() }.validate().is_ok(), right, "{path}");
        }
    }
}
