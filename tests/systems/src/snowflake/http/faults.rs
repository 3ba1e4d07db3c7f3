//! The faults that are waiting to happen, and the settings.

use crate::snowflake::fault::{Call, Fault};

/// Faults in the order they were given, and settings.
#[derive(Debug, Default)]
pub struct Faults {
    waiting: Vec<Fault>,
    /// Rows in a partition; 0 for the server's own choice.
    pub rows_per_partition: usize,
    /// Whether refusals of tokens tell the reason.
    pub tell_reasons: bool,
    /// Whether type names are in upper case.
    pub upper_case: bool,
    /// The address a network policy refuses.
    pub network_policy: Option<String>,
}

impl Faults {
    /// Takes up a fault or a setting.
    pub fn put(&mut self, fault: Fault) {
        match fault {
            Fault::RowsPerPartition(rows) => self.rows_per_partition = rows,
            Fault::TellReasons(tell) => self.tell_reasons = tell,
            Fault::UpperCaseTypes(upper) => self.upper_case = upper,
            Fault::NetworkPolicy(address) => self.network_policy = address,
            other => self.waiting.push(other),
        }
    }

    /// The first fault of that sort, which then has happened.
    pub fn take(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let at = self.waiting.iter().position(wanted)?;
        Some(self.waiting.remove(at))
    }

    /// A refusal of the call before it is looked at.
    pub fn before(&mut self, call: Call) -> Option<Fault> {
        self.take(|it| matches!(it, Fault::Status { on, .. } if *on == call))
    }

    /// Damage to the call's answer.
    pub fn after(&mut self, call: Call) -> Option<Fault> {
        self.take(
            |it| matches!(it, Fault::Lost { on, .. } | Fault::Cut { on } | Fault::Half { on } if *on == call),
        )
    }
}
