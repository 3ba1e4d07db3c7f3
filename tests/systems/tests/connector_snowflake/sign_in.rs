//! Signing in: key pairs, tokens, and why they are refused.

use anyhow::Result;
use connector::{ErrorKind, Retry, kinds};
use secrecy::SecretString;
use systems::snowflake::{Call, Fault, Pair};

use crate::home::{Home, counting, read, whole};

#[tokio::test]
async fn pitfall_19_a_key_signs_in_whatever_form_the_account_has() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(3).await?;
    let account = home.server.account();
    let locator = home.server.locator();
    for form in [
        account.to_owned(),
        account.to_lowercase(),
        account.replacen('-', ".", 1),
        format!("{account}.snowflakecomputing.com"),
        format!("{account}.privatelink.snowflakecomputing.com"),
        locator.to_owned(),
        format!("{locator}.eu-central-1"),
        format!("{locator}.eu-central-1.aws"),
        format!("{locator}.west-europe.azure"),
        format!("{locator}.eu-central-1.privatelink"),
    ] {
        let mut config = home.config(&home.reader);
        config["account"] = form.as_str().into();
        config["user"] = home.reader.user.to_lowercase().into();
        let connector = home.open_with(&config, &home.reader.private_key_pem)?;
        whole(&read(&*connector, &counting(table.clone())).await?, 0..3);
    }
    for call in home.calls(Call::Submit) {
        assert_eq!(call.headers["x-snowflake-authorization-token-type"], "KEYPAIR_JWT");
        assert!(call.headers["user-agent"].starts_with("Weir/"), "{:?}", call.headers);
    }
    Ok(())
}

#[tokio::test]
async fn a_programmatic_access_token_signs_in() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(3).await?;
    let mut config = home.config(&home.reader);
    config["signIn"] = "token".into();
    let connector = home.open_with(&config, &home.reader.token)?;
    whole(&read(&*connector, &counting(table)).await?, 0..3);
    let call = home.calls(Call::Submit).remove(0);
    assert_eq!(call.headers["x-snowflake-authorization-token-type"], "PROGRAMMATIC_ACCESS_TOKEN");
    let connector = home.open_with(&config, "pat-hunter2")?;
    let before = home.calls(Call::Submit).len();
    let check = connector.check(None, None).await;
    assert_eq!(home.calls(Call::Submit).len(), before + 1, "the same token is not tried twice");
    let error = check.steps.last().and_then(|step| step.error.clone()).expect("a wrong token");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never), "{error:?}");
    assert!(error.action().is_some_and(|hint| hint.contains("PROGRAMMATIC ACCESS TOKENS")), "{error:?}");
    assert!(!format!("{check:?}").contains("hunter2"));
    Ok(())
}

#[tokio::test]
async fn pitfall_19_a_key_that_is_not_installed_is_told_with_what_to_run() -> Result<()> {
    let home = Home::new().await?;
    let stranger = Pair::named("nobody")?;
    let connector = home.open_with(&home.config(&home.reader), &stranger.private_pem)?;
    for reasons in [false, true] {
        home.server.fault(Fault::TellReasons(reasons));
        let before = home.calls(Call::Submit).len();
        let error = connector.discover().await.expect_err("another key");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never), "{error:?}");
        let hint = error.action().expect("a hint");
        assert!(hint.contains(&stranger.fingerprint) && hint.contains("SET RSA_PUBLIC_KEY"), "{hint}");
        assert!(!format!("{error:?}").contains("PRIVATE KEY"));
        assert_eq!(home.calls(Call::Submit).len() - before, 2, "a new token is tried once");
        if !reasons {
            let id =
                hint.split("SYSTEM$GET_LOGIN_FAILURE_DETAILS('").nth(1).and_then(|it| it.split('\'').next());
            let reason = home.server.login_failure(id.expect("the ID to ask by"));
            assert!(reason.is_some_and(|reason| reason.contains("FINGERPRINT")));
        }
    }
    // Once it is installed in the other slot, both keys sign in.
    let install = format!("ALTER USER {} SET RSA_PUBLIC_KEY_2 = '{}'", home.reader.user, stranger.public);
    home.place.run(&install).await?;
    connector.discover().await?;
    home.open()?.discover().await?;
    Ok(())
}

#[tokio::test]
async fn reasons_of_refused_tokens_are_sentences() -> Result<()> {
    let home = Home::new().await?;
    home.server.fault(Fault::TellReasons(true));
    for (field, value, words) in
        [("user", "NOBODY", "no user \"NOBODY\""), ("account", "OTHERORG-OTHER", "another account")]
    {
        let mut config = home.config(&home.reader);
        config[field] = value.into();
        let error = home.open_with(&config, &home.reader.private_key_pem)?.discover().await.expect_err(field);
        assert_eq!(error.kind(), ErrorKind::Auth, "{error:?}");
        assert!(error.message().contains(words), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_clock_is_made_up_for_and_told_in_the_check() -> Result<()> {
    for offset in [-400, 4_000] {
        let home = Home::new().await?;
        let table = home.counted(3).await?;
        home.server.fault(Fault::ClockOffset(offset));
        let connector = home.open()?;
        whole(&read(&*connector, &counting(table)).await?, 0..3);
        let refused = home.calls(Call::Submit).iter().filter(|call| call.status == 401).count();
        assert_eq!(refused, 1, "the first token alone is refused at {offset}");
        let check = connector.check(None, None).await;
        let step = check.steps.iter().find(|step| step.name == "compare clocks").expect("a step");
        let side = if offset > 0 { "ahead of" } else { "behind" };
        assert!(step.note.as_deref().is_some_and(|note| note.contains(side)), "{step:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_token_refused_in_the_middle_is_made_anew() -> Result<()> {
    let home = Home::new().await?;
    let table = home.counted(5_000).await?;
    home.server.fault(Fault::RowsPerPartition(1_000));
    home.server.fault(Fault::status(Call::Partition, 401, "390144", "JWT token is invalid."));
    home.server.fault(Fault::Running { polls: 1 });
    home.server.fault(Fault::status(Call::Poll, 401, "394303", "JWT token is expired."));
    whole(&read(&*home.open()?, &counting(table)).await?, 0..5_000);
    Ok(())
}

#[tokio::test]
async fn tokens_are_shared_by_requests_in_a_row() -> Result<()> {
    let home = Home::new().await?;
    let connector = home.open()?;
    for _ in 0..3 {
        connector.clock().await?;
    }
    assert!(home.calls(Call::Submit).iter().all(|call| call.status == 200 && call.user.is_some()));
    Ok(())
}

#[tokio::test]
async fn passwords_are_refused_with_the_reason() -> Result<()> {
    let home = Home::new().await?;
    let mut config = home.config(&home.reader);
    config["signIn"] = "password".into();
    let error = kinds::validate("snowflake", &config).expect_err("a password");
    assert!(error.message().contains("takes no password"), "{error}");
    let config = home.config(&home.reader);
    let error = kinds::open("snowflake", &config, Some(SecretString::from("hunter2")), &home.policy())
        .err()
        .expect("a password instead of a key");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    Ok(())
}
