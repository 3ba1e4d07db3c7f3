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

/// Runs every test of the suites over one system, but for those it leaves out with a reason, and keeps the names of both.
///
/// A test left out is not made at all: `made` has an arm for each of those, which gives nothing.
macro_rules! conformance {
    ($kind:literal, $system:ident $(; omits { $($suite:ident::$test:ident: $reason:literal),* $(,)? })?) => {
        $crate::conformance! { @arms ($) $kind, $system [$($(($suite $test $reason))*)?] }
    };
    (@arms ($dollar:tt) $kind:literal, $system:ident [$(($left_suite:ident $left_out:ident $reason:literal))*]) => {
        macro_rules! made {
            $((test $left_suite $left_out) => {};)*
            (test $dollar suite:ident $dollar test:ident) => {
                #[tokio::test]
                async fn $dollar test() -> anyhow::Result<()> {
                    let system = <super::$system as $crate::system::System>::start().await?;
                    $crate::suite::$dollar suite::$dollar test(&system).await
                }
            };
            $((name $left_suite $left_out) => { None };)*
            (name $dollar suite:ident $dollar test:ident) => {
                Some((stringify!($dollar suite), stringify!($dollar test)))
            };
            ($dollar($dollar suite:ident { $dollar($dollar test:ident,)* })*) => {
                /// What this system promises.
                pub const PROMISES: $crate::promises::Promises = $crate::promises::Promises {
                    kind: $kind,
                    kept: &[$dollar($dollar(made! { name $dollar suite $dollar test },)*)*],
                    omitted: &[$((stringify!($left_suite), stringify!($left_out), $reason),)*],
                };

                $dollar(mod $dollar suite {
                    $dollar(made! { test $dollar suite $dollar test })*
                })*
            };
        }
        $crate::suite::every_test! { made! }
    };
}
pub(crate) use conformance;
