//! What Weir stores: one file per table, no behaviour.
