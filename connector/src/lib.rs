//! Reads other people's tables: one trait, one folder per kind of system.
