//! A key is made here, installed there, and changed for another one, while every sync goes on.

use anyhow::{Context, Result};
use entity::key_pair;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use sea_orm::EntityTrait;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use server::custody::Owner;
use systems::snowflake::Fault;
use tests::dump;
use tests::log::Log;
use tests::stage::until;

use super::{Home, PAIR};
use crate::world::text;

const HOUR: i64 = 3_600_000_000;
/// In PKCS#8 of 3,072 bits, the bytes before the private exponent: headers and what is public.
const PUBLIC: usize = 427;

/// A stream whose table grows with every look.
struct Growing<'a> {
    home: &'a Home,
    stream: String,
    rows: i64,
}

impl Growing<'_> {
    /// Adds a row, runs a sync that must succeed and take it in, once, and be signed with this key.
    async fn sync(&mut self, pair: &Value) -> Result<()> {
        let Self { home, stream, rows } = self;
        home.add(*rows..*rows + 1).await?;
        *rows += 1;
        let run = home.world.sync_well(stream).await?;
        assert_eq!((&run["attempt"], &run["tally"]["written"]), (&json!(1), &json!("1")), "{run}");
        let mut wanted: Vec<String> = (0..*rows).map(|id| format!("a-1 seats {id}")).collect();
        wanted.sort();
        assert_eq!(home.world.measured(stream).await?, wanted);
        assert_eq!(home.signed_with()?, text(&pair["fingerprint"]));
        Ok(())
    }
}

#[tokio::test]
async fn a_key_is_changed_without_a_missed_sync_and_is_never_seen() -> Result<()> {
    let log = Log::keep()?;
    for home in Home::both().await? {
        let world = &home.world;
        let clock = &world.site.app.clock;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let source = home.source().await?;
        let version = async || -> Result<i64> {
            let query = "query($id: ID!) { source(id: $id) { version } }";
            let seen = world.ask(query, json!({ "id": source })).await?;
            seen["source"]["version"].as_i64().context("a number")
        };

        let first = home.make(&source).await?;
        assert_eq!((&first["slot"], text(&first["state"])), (&json!(1), "MADE".into()));
        let (install, remove) = (text(&first["setup"]["install"]), text(&first["setup"]["remove"]));
        let wanted =
            format!("ALTER USER \"{}\" SET RSA_PUBLIC_KEY = '{}';", home.user, text(&first["publicKey"]));
        assert_eq!(install, wanted);
        home.paste(&first).await?;
        let tested = home.check(&source, Some(&first)).await?;
        assert_eq!(tested["ok"], true, "{tested}");
        home.switch(&first).await?;
        let stream = home.stream(&source).await?;
        let mut growing = Growing { home: &home, stream, rows: 0 };
        growing.sync(&first).await?;
        assert_eq!(home.check(&source, None).await?["ok"], true);

        clock.advance(HOUR);
        let second = home.make(&source).await?;
        assert!(text(&second["setup"]["install"]).contains(" SET RSA_PUBLIC_KEY_2 = "), "{second}");
        growing.sync(&first).await?;
        home.paste(&second).await?;
        growing.sync(&first).await?;
        let tested = home.check(&source, Some(&second)).await?;
        assert_eq!((&tested["ok"], home.signed_with()?), (&json!(true), text(&second["fingerprint"])));
        growing.sync(&first).await?;

        // What is open with the key of before is not used any more.
        let before = version().await?;
        clock.advance(HOUR);
        let switched = home.switch(&second).await?;
        assert!(version().await? > before && switched["activatedAt"] != switched["createdAt"], "{switched}");
        growing.sync(&second).await?;
        let retire = json!({ "id": second["id"] });
        assert_eq!(world.refused("keyPairRetire", retire).await?.0, "CONFLICT", "it is in use");
        let retired = world
            .act("keyPairRetire", &format!("keyPair {{ {PAIR} }}"), json!({ "id": first["id"] }))
            .await?;
        assert!(retired["keyPair"]["retiredAt"].is_string(), "{retired}");
        let signs = json!({ "id": source, "keyPairId": first["id"] });
        assert_eq!(world.refused("sourceCheck", signs).await?.0, "CONFLICT", "it signs nothing any more");
        assert_eq!(world.refused("keyPairActivate", json!({ "id": first["id"] })).await?.0, "CONFLICT");
        growing.sync(&second).await?;
        home.place.run(&remove).await?;
        growing.sync(&second).await?;
        let told = format!("{:?}", home.place.query(&text(&second["setup"]["verify"])).await?);
        assert!(
            !told.contains(&text(&first["fingerprint"])) && told.contains(&text(&second["fingerprint"])),
            "{told}"
        );
        let ages = "query($id: ID!) { source(id: $id) { keyPairs { slot state createdAt activatedAt } } }";
        let ages = world.ask(ages, json!({ "id": source })).await?["source"]["keyPairs"].take();
        assert_eq!(ages[1]["createdAt"], "2026-01-01T01:00:00.000000Z", "{ages}");
        assert_eq!(ages[1]["activatedAt"], "2026-01-01T02:00:00.000000Z", "{ages}");

        // The slot of the retired one is free for the next.
        let third = home.make(&source).await?;
        assert_eq!((&third["slot"], text(&third["state"])), (&json!(1), "MADE".into()));
        assert_ne!(third["fingerprint"], first["fingerprint"]);
        growing.sync(&second).await?;
        unseen(&home, &log).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_run_under_way_goes_on_with_the_new_key_when_the_old_one_is_gone() -> Result<()> {
    for home in Home::both().await? {
        let world = &home.world;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let source = home.source().await?;
        let (first, second) = (home.make(&source).await?, home.make(&source).await?);
        home.paste(&first).await?;
        home.paste(&second).await?;
        home.switch(&first).await?;
        let stream = home.stream(&source).await?;
        home.add(0..3).await?;
        let sent = home.submitted().len();
        // The statement goes on and on, until nobody may ask for it any more.
        home.place.server().fault(Fault::Running { polls: 100_000 });
        let made = world.act("syncRunStart", "syncRun { id }", json!({ "streamId": stream })).await?;
        until("the warehouse is at work", 60, async || {
            Ok(home.submitted()[sent..].iter().any(|call| call.status == 202))
        })
        .await?;
        home.switch(&second).await?;
        home.place.run(&text(&first["setup"]["remove"])).await?;
        world.settle().await?;
        let run = world.run(&text(&made["syncRun"]["id"])).await?;
        assert_eq!(
            (text(&run["status"]), &run["attempt"], &run["tally"]["written"]),
            ("SUCCEEDED".into(), &json!(1), &json!("3")),
            "{run}"
        );
        assert_eq!(home.signed_with()?, text(&second["fingerprint"]));
        // A key that is gone while no other is in use ends the run at once.
        home.place.run(&text(&second["setup"]["remove"])).await?;
        let run = world.sync(&stream).await?;
        assert_eq!((text(&run["status"]), text(&run["error"]["kind"])), ("FAILED".into(), "auth".into()));
    }
    Ok(())
}

/// Checks that no piece of a private half is in an answer, a line of the log, `Debug`, or plain in the database.
async fn unseen(home: &Home, log: &Log) -> Result<()> {
    let app = &home.world.site.app;
    let pairs = key_pair::Entity::find().all(app.db.orm()).await?;
    assert_eq!(pairs.len(), 2);
    let everything = [
        home.world.heard(),
        log.text(),
        dump::all(&app.db).await?,
        format!("{pairs:?} {:?} {:?}", app.sources, app.keyring),
    ];
    for pair in &pairs {
        for (place, needle) in everything.iter().zip([
            &pair.public_key,
            "TRACE",
            pair.sealed_private_key.as_str(),
            &pair.fingerprint,
        ]) {
            assert!(place.contains(needle), "{needle} is not where it is looked for");
        }
        let owner = Owner::private_key(pair.organization_id, pair.source_id, pair.id);
        let pem = app.keyring.open(&owner, &pair.sealed_private_key)?;
        for piece in pieces(pem.expose_secret())? {
            assert!(
                everything.iter().all(|place| !place.contains(&piece)),
                "a piece of a private key came out"
            );
        }
    }
    assert!(everything.iter().all(|place| !place.contains("PRIVATE KEY-----")));
    Ok(())
}

/// What a private half would be recognized by: pieces of its base64, however it is broken into lines, and of its bytes
/// in hexadecimal digits.
fn pieces(pem: &str) -> Result<Vec<String>> {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let text = &text[(PUBLIC / 3 + 1) * 4..];
    let mut pieces: Vec<String> =
        (0..text.len() - 24).step_by(24).map(|at| text[at..at + 24].to_owned()).collect();
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).context("PKCS#8 in PEM")?;
    for bytes in der.secret_pkcs8_der()[PUBLIC..].chunks_exact(16) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        pieces.push(hex.to_uppercase());
        pieces.push(hex);
    }
    assert!(pieces.len() > 200, "{} pieces", pieces.len());
    Ok(pieces)
}
