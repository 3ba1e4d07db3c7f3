//! What becomes of a whole incremental sync when answers are spoilt: no row is lost, none is kept twice, the checkpoint
//! never passes a row that is not kept, the message says what happened, and the next run heals.
//!
//! `suite` holds the tests, each written once; `systems` holds one system per kind behind the proxy of faults, with the
//! tests that apply to it and, with a reason each, those that do not.

mod intake;
mod suite;
mod system;
mod systems;

/// Runs the named tests over one system behind the proxy, and keeps the names of those it leaves out.
macro_rules! faults {
    (
        $kind:literal, $system:ident: $($test:ident),* $(,)?
        $(; omits { $($left_out:ident: $reason:literal),* $(,)? })?
    ) => {
        /// What this system is put through.
        pub const TRIALS: $crate::suite::Trials = $crate::suite::Trials {
            kind: $kind,
            kept: &[$(stringify!($test),)*],
            omitted: &[$($((stringify!($left_out), $reason),)*)?],
        };

        $(#[tokio::test]
        async fn $test() -> anyhow::Result<()> {
            $crate::suite::$test(&<$system as $crate::system::System>::start().await?).await
        })*
    };
}
pub(crate) use faults;
