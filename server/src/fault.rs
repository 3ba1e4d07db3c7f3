//! Named places where a test can break a transaction off, to prove that nothing is half done.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};

type Breaks = dyn Fn(&'static str) -> bool + Send + Sync;

/// Decides at named places whether to break off; never does unless a test says so.
#[derive(Clone, Default)]
pub struct Faults(Option<Arc<Breaks>>);

impl Faults {
    /// Breaks off wherever `breaks` says yes to the place's name.
    pub fn when(breaks: impl Fn(&'static str) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(breaks)))
    }

    /// Goes on, or breaks off.
    ///
    /// # Errors
    /// Only in tests.
    pub fn pass(&self, place: &'static str) -> Result<()> {
        match &self.0 {
            Some(breaks) if breaks(place) => Err(Error::internal("break off", place)),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Faults(armed)" } else { "Faults" })
    }
}
