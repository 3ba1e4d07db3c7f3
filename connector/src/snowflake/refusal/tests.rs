//! Codes and words, and what they mean to people.

use super::*;
use crate::Retry;
use crate::snowflake::config::tests::right;

fn explained(
    code: &str,
    state: &str,
    text: &str,
    fingerprint: Option<&str>,
    ahead: Option<i64>,
) -> Option<ConnectorError> {
    let config: Config = serde_json::from_value(right()).expect("a configuration");
    let json = serde_json::json!({"code": code, "sqlState": state, "message": text});
    let envelope: Envelope = serde_json::from_value(json).expect("an answer");
    Refusal::of(&envelope)?.explain(&Circumstances { config: &config, fingerprint, ahead })
}

fn of(code: &str, state: &str, text: &str) -> ConnectorError {
    explained(code, state, text, Some("SHA256:abc="), Some(2)).expect(code)
}

#[test]
fn the_code_decides_the_kind_and_the_hint_has_the_statement_to_run() {
    for (code, state, kind, hint) in [
        ("390144", "", Auth, "ALTER USER \"SYNC\" SET RSA_PUBLIC_KEY"),
        ("394300", "", Auth, "SHOW USERS LIKE 'SYNC'"),
        ("394304", "", Auth, "must be SHA256:abc="),
        ("394306", "", Auth, "DESC USER \"SYNC\""),
        ("394307", "", Auth, "CURRENT_ORGANIZATION_NAME()"),
        ("390101", "", Auth, "SET DISABLED = FALSE"),
        ("390102", "", Unavailable, "MINS_TO_UNLOCK = 0"),
        ("390189", "", Permission, "GRANT ROLE \"SYNC_ROLE\" TO USER \"SYNC\""),
        ("390201", "", NotFound, "GRANT USAGE ON WAREHOUSE \"SYNC_WH\" TO ROLE \"SYNC_ROLE\""),
        ("000606", "57P03", Setup, "ALTER WAREHOUSE \"SYNC_WH\" RESUME"),
        ("090073", "22000", Setup, "ALTER WAREHOUSE \"SYNC_WH\" RESUME"),
        ("390505", "", RateLimited, "less often"),
        ("002003", "42S02", NotFound, "SHOW GRANTS TO ROLE \"SYNC_ROLE\""),
        ("002043", "02000", NotFound, "SHOW GRANTS TO ROLE"),
        ("000904", "42000", NotFound, "choose its columns"),
        ("003001", "42501", Permission, "SHOW GRANTS TO ROLE \"SYNC_ROLE\""),
        ("000604", "57014", Timeout, "by itself"),
        ("000630", "57014", Timeout, "AUTO_RESUME = TRUE"),
        ("001003", "42000", Protocol, "own words"),
        ("100038", "22018", Schema, "TIMESTAMP_INPUT_FORMAT"),
    ] {
        let error = of(code, state, "Snowflake's words");
        assert_eq!(error.kind(), kind, "{code}: {error:?}");
        assert!(error.action().is_some_and(|it| it.contains(hint)), "{code}: {error:?}");
        assert!(error.message().ends_with(&format!("(code {code})")), "{code}: {error}");
        assert_eq!(error.system_text(), Some("Snowflake's words"));
    }
    assert_eq!(explained("391999", "", "new", None, None), None);
    assert_eq!(of("390102", "", "").retry(), Retry::Later(Some(LOCKED)));
}

#[test]
fn pitfall_19_a_refused_token_tells_how_to_learn_the_reason() {
    let id = "9e4ec9d1-7a57-4d63-b1f1-0a2c1f1b6e8a";
    let error = of("390144", "", &format!("JWT token is invalid. [{id}]"));
    let hint = error.action().expect("a hint");
    assert!(hint.contains("RSA_PUBLIC_KEY_FP") && hint.contains("SHA256:abc="), "{hint}");
    assert!(hint.contains(&format!("SYSTEM$GET_LOGIN_FAILURE_DETAILS('{id}')")), "{hint}");
    let told = of("390144", "", "JWT token is invalid: 394304 public key fingerprint mismatch");
    assert!(told.message().contains("another public key"), "{told}");
}

#[test]
fn a_wrong_clock_is_named() {
    for (ahead, words) in [(300, "300 seconds behind"), (-61, "61 seconds ahead of")] {
        for code in ["390144", "394302", "394303"] {
            let error = explained(code, "", "", Some("SHA256:abc="), Some(ahead)).expect(code);
            assert!(error.action().is_some_and(|hint| hint.contains(words)), "{error:?}");
        }
    }
}

#[test]
fn network_policies_are_known_by_their_words() {
    for text in [
        "Incoming request with IP/Token 203.0.113.7 is not allowed to access Snowflake. Contact your administrator.",
        "IP 203.0.113.7 is not allowed to access Snowflake.",
    ] {
        let error = of("390420", "", text);
        assert_eq!(error.kind(), Permission);
        assert!(error.message().contains("203.0.113.7"), "{error}");
    }
    assert_eq!(of("390432", "", "Network policy is required.").kind(), Permission);
}

#[test]
fn a_refused_token_of_a_user_is_told_as_such() {
    let error = explained("390303", "", "Invalid OAuth access token.", None, None).expect("a refusal");
    assert_eq!(error.kind(), Auth);
    assert!(error.message().contains("programmatic access token"), "{error}");
    assert!(error.action().is_some_and(|hint| hint.contains("TOKENS FOR USER \"SYNC\"")), "{error:?}");
}
