//! How Weir's schema grows: the same steps on SQLite and PostgreSQL.
