//! Account identifiers: the host they stand for, and the name of the account in tokens.
//!
//! Sources: "Account identifiers" and "Authenticating to the server" (SQL API) in Snowflake's documentation; the rules
//! for old regions, `.global` and China from its Go and Python drivers.

use crate::{ConnectorError, ErrorKind, Result};

/// The domains a full host may end in.
const DOMAINS: [&str; 2] = [".snowflakecomputing.com", ".snowflakecomputing.cn"];
/// What an identifier of three or more parts may end in.
const ENDS: [&str; 5] = ["aws", "azure", "gcp", "global", "privatelink"];

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The host that answers for it.
    pub host: String,
    /// Its name in tokens: upper case, without region and cloud. Underscores stay.
    pub issuer: String,
}

impl Account {
    /// Reads an identifier in any form: `MYORG-ACCOUNT1`, `MYORG.ACCOUNT1`, `xy12345`, `xy12345.eu-central-1`,
    /// `xy12345.west-europe.azure`, or a full host, such as one of a private link.
    ///
    /// # Errors
    /// `Config`, beginning with the field's name.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(refuse("give the account identifier, such as MYORG-ACCOUNT1"));
        }
        if text.contains("://") || text.contains(['/', '\\', '@', ':', '?', '#']) {
            return Err(refuse(
                "give the identifier alone, such as MYORG-ACCOUNT1, without https://, port or path",
            ));
        }
        let domain =
            DOMAINS.iter().copied().find(|domain| text.len() > domain.len() && ends_with(text, domain));
        let name = domain.map_or(text, |domain| &text[..text.len() - domain.len()]);
        let mut labels: Vec<&str> = name.split('.').collect();
        let valid = |label: &&str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            let outer = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != b'-' && *byte != b'_');
            label.len() <= 63 && label.bytes().all(plain) && outer(label.as_bytes().first())
        };
        if !labels.iter().all(valid) {
            return Err(refuse("an identifier has letters, digits, hyphens, underscores and periods only"));
        }
        let joined;
        if domain.is_none() {
            match labels[..] {
                [name] => whole(name)?,
                // The form of SQL and of data sharing, which is no host.
                [organization, account] if !second(account) => {
                    joined = format!("{organization}-{account}");
                    whole(&joined)?;
                    labels = vec![&joined];
                }
                [_, _] => {}
                [.., last] if ENDS.iter().any(|end| last.eq_ignore_ascii_case(end)) => {}
                _ => return Err(refuse(FORMS)),
            }
        }
        // Where accounts without a region are.
        let home = |label: &str| label.eq_ignore_ascii_case("us-west-2");
        match labels[..] {
            [name, region] if home(region) => labels = vec![name],
            [name, region, cloud] if home(region) && cloud.eq_ignore_ascii_case("aws") => labels = vec![name],
            _ => {}
        }
        let global = labels.iter().skip(1).any(|label| label.eq_ignore_ascii_case("global"));
        let china = labels.iter().skip(1).any(|label| label.to_ascii_lowercase().starts_with("cn-"));
        let end = domain.unwrap_or(if china { DOMAINS[1] } else { DOMAINS[0] });
        // Underscores trouble name services and certificates; Snowflake answers to hyphens as well.
        let host = format!("{}{end}", labels.join(".")).replace('_', "-").to_ascii_lowercase();
        let first = labels[0];
        let issuer = if global { first.split('-').next().unwrap_or(first) } else { first };
        Ok(Self { host, issuer: issuer.to_ascii_uppercase() })
    }
}

const FORMS: &str =
    "give it as MYORG-ACCOUNT1, as locator.region or locator.region.cloud, or as the full host";

fn refuse(text: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::Config, format!("account: {text}"))
}

fn ends_with(text: &str, end: &str) -> bool {
    text.get(text.len() - end.len()..).is_some_and(|found| found.eq_ignore_ascii_case(end))
}

/// Refuses names without periods that can be no account: neither organization and account, nor a locator.
fn whole(name: &str) -> Result<()> {
    let Some((organization, account)) = name.split_once('-') else {
        if name.contains('_') {
            return Err(refuse("put the organization before the account's name, as in MYORG-ACCOUNT1"));
        }
        return Ok(());
    };
    let letter = |text: &str| text.starts_with(|first: char| first.is_ascii_alphabetic());
    if organization.contains('_') || !letter(organization) {
        return Err(refuse(
            "an organization's name has letters and digits only; it stands before the hyphen",
        ));
    }
    if !letter(account) || name.len() > 63 {
        return Err(refuse(FORMS));
    }
    Ok(())
}

/// Tells a region or the like, such as `eu-central-1`, from an account's name behind an organization's.
fn second(label: &str) -> bool {
    let parts: Vec<&str> = label.split('-').collect();
    let number = parts.last().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    let two = parts[0].len() == 2 && parts[0].bytes().all(|byte| byte.is_ascii_alphabetic());
    (parts.len() >= 3 && two && number)
        || ["global", "privatelink"].iter().any(|end| label.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pitfall_19_every_form_of_account_has_its_host_and_issuer() {
        for (text, host, issuer) in [
            ("MYORG-ACCOUNT1", "myorg-account1.snowflakecomputing.com", "MYORG-ACCOUNT1"),
            ("myorg-my_account", "myorg-my-account.snowflakecomputing.com", "MYORG-MY_ACCOUNT"),
            ("MYORG.ACCOUNT1", "myorg-account1.snowflakecomputing.com", "MYORG-ACCOUNT1"),
            ("xy12345", "xy12345.snowflakecomputing.com", "XY12345"),
            ("xy12345.eu-central-1", "xy12345.eu-central-1.snowflakecomputing.com", "XY12345"),
            ("XY12345.us-west-2", "xy12345.snowflakecomputing.com", "XY12345"),
            ("xy12345.us-west-2.aws", "xy12345.snowflakecomputing.com", "XY12345"),
            ("xy12345.us-east-2.aws", "xy12345.us-east-2.aws.snowflakecomputing.com", "XY12345"),
            ("xy12345.west-europe.azure", "xy12345.west-europe.azure.snowflakecomputing.com", "XY12345"),
            ("xy12345.us-central1.gcp", "xy12345.us-central1.gcp.snowflakecomputing.com", "XY12345"),
            (
                "xy12345.fhplus.us-gov-west-1.aws",
                "xy12345.fhplus.us-gov-west-1.aws.snowflakecomputing.com",
                "XY12345",
            ),
            ("xy12345.cn-northwest-1.aws", "xy12345.cn-northwest-1.aws.snowflakecomputing.cn", "XY12345"),
            ("acme-abc123.global", "acme-abc123.global.snowflakecomputing.com", "ACME"),
            (
                "xy12345.eu-west-1.privatelink",
                "xy12345.eu-west-1.privatelink.snowflakecomputing.com",
                "XY12345",
            ),
            ("myorg-acct.privatelink", "myorg-acct.privatelink.snowflakecomputing.com", "MYORG-ACCT"),
            (
                "myorg-my_acct.privatelink.snowflakecomputing.com",
                "myorg-my-acct.privatelink.snowflakecomputing.com",
                "MYORG-MY_ACCT",
            ),
            ("MyOrg-Acct.SnowflakeComputing.com", "myorg-acct.snowflakecomputing.com", "MYORG-ACCT"),
            ("xy1.cn-north-1.snowflakecomputing.cn", "xy1.cn-north-1.snowflakecomputing.cn", "XY1"),
        ] {
            let account = Account::parse(text).expect(text);
            assert_eq!((account.host.as_str(), account.issuer.as_str()), (host, issuer), "{text}");
        }
    }

    #[test]
    fn what_is_no_identifier_is_refused_by_name() {
        for text in [
            "",
            "https://myorg-account1.snowflakecomputing.com",
            "myorg-account1.snowflakecomputing.com/console",
            "myorg-account1:443",
            "user@myorg-account1",
            "my org-account1",
            "my_org-account1",
            "account_1",
            "myorg-",
            "-account1",
            "myorg-account1.",
            ".snowflakecomputing.com",
            "evil.example.com",
            "myorg-account1.snowflakecomputing.com.example.com",
            "myorg-account1.snowflakecomputing.org",
            "xy12345.some.where",
            "mÿorg-account1",
        ] {
            let error = Account::parse(text).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Config, "{text}");
            assert!(error.message().starts_with("account: "), "{text}: {error}");
        }
    }
}
