//! Signing in by token and by certificate, which never mix with a password, and services that are asleep.

use std::sync::Arc;

use anyhow::Result;
use connector::guard::Policy;
use connector::{CursorKind, ErrorKind, Retry, kinds};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use secrecy::SecretString;
use serde_json::{Value, json};
use systems::authority::Authority;
use systems::clickhouse::{Database, Front, User};
use systems::relay::Relay;

use crate::reading::{column, numbers, policy, request, table};

const FAR: i64 = 4_000_000_000;

/// Whoever issues tokens.
struct Issuer {
    signs: EncodingKey,
    proves: DecodingKey,
}

impl Issuer {
    fn new() -> Result<Self> {
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048)?;
        let signs = EncodingKey::from_rsa_pem(key.to_pkcs8_pem(LineEnding::LF)?.as_bytes())?;
        let proves = key.to_public_key().to_public_key_pem(LineEnding::LF)?;
        Ok(Self { signs, proves: DecodingKey::from_rsa_pem(proves.as_bytes())? })
    }

    fn token(&self, user: User, ends: i64) -> Result<String> {
        let claims = json!({"sub": user.name(), "exp": ends});
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.signs)?)
    }
}

/// A service of the Cloud, reached at a relay.
fn cloud(relay: &Relay) -> Result<Policy> {
    let base = format!("http://127.0.0.1:{}/", relay.port).parse()?;
    let base_urls = [("clickhouse".to_owned(), base)].into();
    Ok(Policy { base_urls, ..policy() })
}

fn service(database: &Database, sign_in: &str) -> Value {
    json!({"host": "abc.eu-central-1.aws.clickhouse.cloud", "database": database.name, "signIn": sign_in})
}

async fn filled() -> Result<Database> {
    let database = Database::empty().await?;
    database
        .run("CREATE TABLE t (c UInt64) ENGINE = MergeTree ORDER BY c AS SELECT number FROM numbers(5)")
        .await?;
    Ok(database)
}

#[tokio::test]
async fn a_token_signs_in_without_user_or_password() -> Result<()> {
    let (database, issuer) = (filled().await?, Issuer::new()?);
    let front = Arc::new(Front::new(&database.server)?.trusting(issuer.proves.clone()));
    let relay = Relay::start(Arc::clone(&front)).await?;
    let token = issuer.token(User::Reader, FAR)?;
    let open = |token: &str| {
        kinds::open(
            "clickhouse",
            &service(&database, "token"),
            Some(SecretString::from(token)),
            &cloud(&relay)?,
        )
        .map_err(anyhow::Error::from)
    };
    // Pasted with the line's end.
    let connector = open(&format!("{token}\n"))?;
    let request = request(table(&database, "t"), &["c"], ("c", CursorKind::Int), &[]);
    assert_eq!(column(&*connector, &request, "c").await?, numbers(0..5));
    for call in front.calls() {
        assert_eq!(call.header("authorization"), Some(format!("Bearer {token}").as_str()));
        assert!(!call.headers.iter().any(|(name, _)| name.starts_with("x-clickhouse-")), "{call:?}");
        assert!(!call.target.contains(&token), "a token in an address is logged");
    }
    let check = connector.check(Some(&table(&database, "t")), Some("c")).await;
    assert!(check.passed(), "{check:?}");
    let note = check.steps.iter().find(|step| step.name == "sign in").and_then(|step| step.note.clone());
    assert!(
        note.is_some_and(|note| note.ends_with("with a token that ends 2096-10-02T07:06:40Z")),
        "{check:?}"
    );

    let other = Issuer::new()?.token(User::Reader, FAR)?;
    for wrong in [issuer.token(User::Reader, 1_000_000_000)?, other, "no.token.atall".to_owned()] {
        let connector = open(&wrong)?;
        let error = connector.discover().await.expect_err("a wrong token");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never), "{error:?}");
        assert!(error.message().contains("token"), "{error}");
        assert!(!format!("{error:?} {:?}", connector.check(None, None).await).contains(&wrong));
    }
    Ok(())
}

#[tokio::test]
async fn a_client_certificate_signs_in_its_own_user() -> Result<()> {
    let (database, authority) = (filled().await?, Authority::new("Tests")?);
    let (reader, strict) = (authority.client("reader")?, authority.client("strict_reader")?);
    let front = Front::new(&database.server)?
        .knowing(reader.certificate, User::Reader.name())
        .knowing(strict.certificate, User::StrictReader.name());
    let front = Arc::new(front);
    let relay = Relay::start_tls(Arc::clone(&front), authority.server()?).await?;
    let config = |user: User| {
        json!({"host": "127.0.0.1", "port": relay.port, "database": database.name, "user": user.name(),
            "signIn": "certificate", "caCertificate": authority.pem})
    };
    let open =
        |user, pem: &str| kinds::open("clickhouse", &config(user), Some(SecretString::from(pem)), &policy());
    let request = request(table(&database, "t"), &["c"], ("c", CursorKind::Int), &[]);
    for (user, pem) in [(User::Reader, &reader.pem), (User::StrictReader, &strict.pem)] {
        let connector = open(user, pem)?;
        assert_eq!(column(&*connector, &request, "c").await?, numbers(0..5));
        assert!(front.calls().iter().all(|call| call.header("x-clickhouse-key").is_none()));
    }
    // Another user's certificate, one the server does not know, and one of an authority it does not trust.
    for pem in
        [&strict.pem, &authority.client("reader")?.pem, &Authority::new("Others")?.client("reader")?.pem]
    {
        let error = open(User::Reader, pem)?.discover().await.expect_err("a wrong certificate");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never), "{error:?}");
        assert!(error.message().contains("certificate"), "{error}");
        assert!(error.action().is_some(), "{error:?}");
    }
    Ok(())
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_refused_before_connecting() -> Result<()> {
    let authority = Authority::new("Tests")?;
    let (one, two) = (authority.client("one")?, authority.client("two")?);
    let config = json!({"host": "127.0.0.1", "user": "reader", "signIn": "certificate"});
    let (certificate, _) = one.pem.split_once("-----BEGIN PRIVATE KEY").expect("a certificate and a key");
    let (_, key) = two.pem.split_once("-----BEGIN PRIVATE KEY").expect("a certificate and a key");
    let mixed = format!("{certificate}-----BEGIN PRIVATE KEY{key}");
    for (pem, wanted) in [
        (certificate, "credential: give the private key"),
        (mixed.as_str(), "credential: this private key cannot be used"),
        ("hunter2", "credential: give the client certificate"),
    ] {
        let opened = kinds::open("clickhouse", &config, Some(SecretString::from(pem)), &policy());
        let error = opened.err().expect("no certificate and key");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().starts_with(wanted), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    assert!(kinds::open("clickhouse", &config, None, &policy()).is_err());
    Ok(())
}

#[tokio::test]
async fn an_authority_of_the_servers_own_is_trusted_only_when_it_is_given() -> Result<()> {
    let (database, authority) = (filled().await?, Authority::new("Tests")?);
    let reader = authority.client("reader")?;
    let front = Arc::new(Front::new(&database.server)?.knowing(reader.certificate, User::Reader.name()));
    let relay = Relay::start_tls(front, authority.server()?).await?;
    let mut config =
        json!({"host": "127.0.0.1", "port": relay.port, "user": "reader", "signIn": "certificate"});
    let open = |config: &Value| {
        kinds::open("clickhouse", config, Some(SecretString::from(reader.pem.as_str())), &policy())
    };
    let error = open(&config)?.discover().await.expect_err("an unknown authority");
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    assert!(error.message().contains("not trusted"), "{error}");
    config["caCertificate"] = authority.pem.as_str().into();
    open(&config)?.discover().await?;
    Ok(())
}

#[tokio::test]
async fn a_service_that_is_asleep_is_waited_for_by_reads_and_named_by_the_check() -> Result<()> {
    let (database, issuer) = (filled().await?, Issuer::new()?);
    let front = Arc::new(Front::new(&database.server)?.trusting(issuer.proves.clone()));
    let relay = Relay::start(Arc::clone(&front)).await?;
    let token = SecretString::from(issuer.token(User::Reader, FAR)?);
    let connector = kinds::open("clickhouse", &service(&database, "token"), Some(token), &cloud(&relay)?)?;
    front.sleep(1);
    let check = connector.check(None, None).await;
    let last = check.steps.last().expect("a step");
    let error = last.error.as_ref().expect("it is asleep");
    assert_eq!((last.name, error.kind()), ("connect", ErrorKind::Unavailable));
    assert!(error.message().contains("waking up"), "{error}");
    assert!(connector.check(None, None).await.passed(), "the call has woken it");
    // More than one round of patience.
    front.sleep(6);
    let request = request(table(&database, "t"), &["c"], ("c", CursorKind::Int), &[]);
    assert_eq!(column(&*connector, &request, "c").await?, numbers(0..5));
    Ok(())
}
