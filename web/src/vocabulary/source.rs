//! The words of sources: kinds, ways to sign in, keys, and what is found about their tables.

use super::Word;
use crate::schema;

words! {
    /// What a source signs in with.
    SourceSignIn { Nothing => "Nothing", Secret => "A secret", KeyPair => "A key pair" }
}

words! {
    /// Where a key pair is in its life.
    KeyPairState { Made => "Made", Active => "In use", Retired => "Retired" }
}

words! {
    /// How bad a finding is.
    FindingSeverity { Fine => "Fine", Notice => "Notice", Problem => "Problem" }
}

/// What an external ID looks like.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdShape {
    /// A Salesforce ID of 15 characters.
    #[cynic(rename = "SALESFORCE_15")]
    Salesforce15,
    /// A Salesforce ID of 18 characters.
    #[cynic(rename = "SALESFORCE_18")]
    Salesforce18,
    /// A number.
    Number,
    /// A UUID.
    Uuid,
    /// An e-mail address.
    Email,
    /// A domain name.
    Domain,
    /// Blank.
    Blank,
    /// None of these.
    Other,
}

impl IdShape {
    /// The words people read, in the plural.
    pub fn text(self) -> &'static str {
        match self {
            Self::Salesforce15 => "Salesforce IDs of 15 characters",
            Self::Salesforce18 => "Salesforce IDs of 18 characters",
            Self::Number => "numbers, like HubSpot’s IDs",
            Self::Uuid => "UUIDs",
            Self::Email => "e-mail addresses",
            Self::Domain => "domain names",
            Self::Blank => "blank",
            Self::Other => "no shape known here",
        }
    }
}

words! {
    /// Which kind of system a source reads.
    SourceKind {
        Snowflake => "Snowflake", Bigquery => "BigQuery", Databricks => "Databricks", Clickhouse => "ClickHouse",
        Postgres => "PostgreSQL", Sqlite => "SQLite",
    }
}
words! {
    /// How TLS is used with PostgreSQL.
    SslMode {
        Disable => "Off", Prefer => "When the server offers it", Require => "Always, without checking who answers",
        VerifyFull => "Always, and the certificate must be right",
    }
}

words! {
    /// How a ClickHouse user signs in.
    ClickhouseSignIn {
        Password => "A password", Token => "A JSON Web Token", Certificate => "A client certificate",
    }
}

words! {
    /// How a Snowflake user signs in.
    SnowflakeSignIn { KeyPair => "A key pair made here", Token => "A programmatic access token" }
}

words! {
    /// Who signs in at Google.
    BigquerySignIn { Key => "A service account of yours, by its key", Weir => "Weir’s own service account" }
}
