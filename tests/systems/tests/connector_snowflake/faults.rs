//! What stands between Weir and Snowflake: web pages, silence, networks that are not let in.

use anyhow::Result;
use connector::guard::Policy;
use connector::{ErrorKind, Retry, kinds};
use secrecy::SecretString;
use systems::snowflake::{Call, Fault};

use crate::home::{Home, counting, read, whole};

#[tokio::test]
async fn a_web_page_instead_of_rows_is_told_and_passes() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(10).await?;
    let connector = home.open()?;
    connector.describe(&table).await?;
    home.server.fault(Fault::Lost { on: Call::Submit, status: 200 });
    whole(&read(&*connector, &counting(table.clone())).await?, 0..10);
    for _ in 0..10 {
        home.server.fault(Fault::Lost { on: Call::Submit, status: 200 });
    }
    let error = read(&*connector, &counting(table)).await.expect_err("nothing but pages");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.message().contains("web page"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_outage_ends_in_an_error_that_may_pass() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(10).await?;
    let connector = home.open()?;
    connector.describe(&table).await?;
    for _ in 0..5 {
        home.server.fault(Fault::Lost { on: Call::Submit, status: 503 });
    }
    let error = read(&*connector, &counting(table)).await.expect_err("an outage");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Later(None)), "{error:?}");
    assert!(error.message().contains("503"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_network_policy_is_told_with_the_address() -> Result<()> {
    let home = Home::new().await?;
    home.server.fault(Fault::NetworkPolicy(Some("203.0.113.9".to_owned())));
    let check = home.open()?.check(None, None).await;
    let step = check.steps.last().expect("a step");
    let error = step.error.as_ref().expect("refused");
    assert_eq!((step.name, error.kind()), ("connect and sign in", ErrorKind::Permission), "{error:?}");
    assert!(error.message().contains("203.0.113.9"), "{error}");
    Ok(())
}

#[tokio::test]
async fn hosts_that_are_not_snowflakes_are_not_reached() -> Result<()> {
    let home = Home::new().await?;
    let mut config = home.config(&home.reader);
    config["account"] = "127.0.0.1".into();
    assert!(kinds::validate("snowflake", &config).is_err());
    // A base URL of the operator goes through the guard all the same.
    let policy = Policy { networks: Vec::new(), ..home.policy() };
    let secret = SecretString::from(home.reader.private_key_pem.as_str());
    let connector = kinds::open("snowflake", &home.config(&home.reader), Some(secret), &policy)?;
    let error = connector.discover().await.expect_err("a private network");
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    assert!(home.server.journal().is_empty());
    Ok(())
}
