//! What becomes of a whole incremental sync when answers are spoilt: no row is lost, none is kept twice, the checkpoint
//! never passes a row that is not kept, the message says what happened, and the next run heals.
//!
//! `suite` holds the tests, each written once; `systems` holds one system per kind behind the proxy of faults, with the
//! tests that apply to it and, with a reason each, those that do not.

mod intake;
mod suite;
mod system;
mod systems;
mod trials;

/// Runs every test over one system behind the proxy, but for those it leaves out with a reason, and keeps the names of
/// both. A test left out is not made at all.
macro_rules! faults {
    ($kind:literal, $system:ident $(; omits { $($test:ident: $reason:literal),* $(,)? })?) => {
        $crate::faults! { @arms ($) $kind, $system [$($(($test $reason))*)?] }
    };
    (@arms ($dollar:tt) $kind:literal, $system:ident [$(($left_out:ident $reason:literal))*]) => {
        macro_rules! made {
            $((test $left_out) => {};)*
            (test $dollar test:ident) => {
                #[tokio::test]
                async fn $dollar test() -> anyhow::Result<()> {
                    $crate::suite::$dollar test(&<$system as $crate::system::System>::start().await?).await
                }
            };
            $((name $left_out) => { None };)*
            (name $dollar test:ident) => { Some(stringify!($dollar test)) };
            ($dollar($dollar test:ident,)*) => {
                /// What this system is put through.
                pub const TRIALS: $crate::trials::Trials = $crate::trials::Trials {
                    kind: $kind,
                    kept: &[$dollar(made! { name $dollar test },)*],
                    omitted: &[$((stringify!($left_out), $reason),)*],
                };

                $dollar(made! { test $dollar test })*
            };
        }
        $crate::trials::every_trial! { made! }
    };
}
pub(crate) use faults;
