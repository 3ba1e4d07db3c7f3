//! What every connector promises (`docs/connector-spec.md`), tried on real systems.
//!
//! `suite` holds the tests, each written once; `systems` holds one system per kind; here every system gets the tests
//! that apply to it, by name, so what is left out is seen.

mod reading;
mod suite;
mod system;
mod systems;
mod table;

/// Runs the named tests of one suite over one system.
macro_rules! conformance {
    ($system:ident: $($suite:ident { $($test:ident),* $(,)? })*) => {
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
