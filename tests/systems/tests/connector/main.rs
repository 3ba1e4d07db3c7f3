//! What every connector promises (`docs/connector-spec.md`), tried on real systems.
//!
//! `suite` holds the tests, each written once; `systems` holds one system per kind, with the tests that apply to it and,
//! with a reason each, those that do not; `promises` sees that none is forgotten.

mod promises;
mod reading;
mod suite;
mod system;
mod systems;
mod table;

/// Runs the named tests of the suites over one system, and keeps the names of those it runs and of those it leaves out.
macro_rules! conformance {
    (
        $kind:literal, $system:ident: $($suite:ident { $($test:ident),* $(,)? })*
        $(; omits { $($left_suite:ident::$left_out:ident: $reason:literal),* $(,)? })?
    ) => {
        /// What this system promises.
        pub const PROMISES: $crate::promises::Promises = $crate::promises::Promises {
            kind: $kind,
            kept: &[$($((stringify!($suite), stringify!($test)),)*)*],
            omitted: &[$($((stringify!($left_suite), stringify!($left_out), $reason),)*)?],
        };

        $(mod $suite {
            $(#[tokio::test]
            async fn $test() -> anyhow::Result<()> {
                let system = <super::$system as $crate::system::System>::start().await?;
                $crate::suite::$suite::$test(&system).await
            })*
        })*
    };
}
pub(crate) use conformance;
