//! The harness and the suites that run Weir whole.
