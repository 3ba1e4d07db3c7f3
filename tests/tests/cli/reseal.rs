//! Sealing many secrets anew, killed in the middle, and keys of the ring that may not be dropped.

use anyhow::{Result, ensure};
use sea_orm::{ConnectionTrait, Statement};
use secrecy::ExposeSecret;
use server::custody::{self, Keyring};
use server::db::{Backend, Db};
use tests::postgres;
use tests::sealed::{fill, opened};
use tests::stage::until;
use tests::worker::arrange;

use crate::program::Install;

/// Sources, each with a credential and a key pair.
const SOURCES: usize = 4_000;

/// An install on either database, with sealed secrets.
struct Sealed {
    install: Install,
    db: Db,
    _database: Option<postgres::Database>,
}

impl Sealed {
    async fn both(sources: usize) -> Result<[Self; 2]> {
        let database = postgres::Database::empty().await?;
        let on_postgres = Install::new()?.with("DATABASE__URL", database.url());
        let url = database.url();
        let install = Install::new()?;
        let file = format!("sqlite:{}", install.data().join("weir.db").display());
        Ok([
            Self::new(install, file, None, sources).await?,
            Self::new(on_postgres, url, Some(database), sources).await?,
        ])
    }

    async fn new(
        install: Install,
        url: String,
        database: Option<postgres::Database>,
        sources: usize,
    ) -> Result<Self> {
        let made = install.run(&["migrate"])?;
        ensure!(made.success, "{made:?}");
        let ring = Keyring::generate()?;
        std::fs::create_dir_all(install.data())?;
        custody::save(&install.data().join("keyring"), &ring)?;
        let db = Db::connect(&url.into(), 2).await?;
        fill(&db, &ring, sources).await?;
        Ok(Self { install, db, _database: database })
    }

    /// The ring as its file holds it now.
    fn ring(&self) -> Result<Keyring> {
        Ok(custody::load(&self.install.data().join("keyring"))?)
    }

    fn save(&self, ring: &Keyring) -> Result<()> {
        Ok(custody::save(&self.install.data().join("keyring"), ring)?)
    }

    /// How many secrets are sealed by a ring's first key.
    async fn sealed_by(&self, ring: &Keyring) -> Result<usize> {
        let like = format!("v1.{}.%", ring.primary());
        let sql = format!(
            "SELECT (SELECT COUNT(*) FROM source WHERE sealed_credential LIKE '{like}') + \
             (SELECT COUNT(*) FROM key_pair WHERE sealed_private_key LIKE '{like}') AS found"
        );
        let orm = self.db.orm();
        let row = orm.query_one_raw(Statement::from_string(orm.get_database_backend(), sql)).await?;
        let found: i64 = row.map_or(Ok(0), |row| row.try_get("", "found"))?;
        Ok(usize::try_from(found)?)
    }
}

#[tokio::test]
async fn pitfall_38_killed_in_the_middle_of_sealing_anew_it_goes_on_where_it_stood() -> Result<()> {
    for sealed in Sealed::both(SOURCES).await? {
        let first = sealed.ring()?;
        let said = sealed.install.run(&["keys", "rotate"])?;
        assert!(said.success, "{said:?}");
        let rotated = sealed.ring()?;
        let mut done = 0;
        // In the middle of the credentials, then in the middle of the private keys.
        for enough in [SOURCES / 8, SOURCES + SOURCES / 8] {
            let running = sealed.install.start("keys reseal --drop-older")?;
            until("some are sealed anew", 60, async || Ok(sealed.sealed_by(&rotated).await? >= enough))
                .await?;
            running.kill()?;
            let now = sealed.sealed_by(&rotated).await?;
            ensure!(now > done && now < 2 * SOURCES, "killed with {now} of {}", 2 * SOURCES);
            done = now;
            // Whole transactions, each secret opens, and both keys are there and needed.
            assert_eq!(now % 100, 0, "half a transaction is stored");
            let both = [&first, &rotated].map(|ring| ring.primary().to_string());
            assert_eq!(opened(&sealed.db, &rotated).await?, both.into());
            assert_eq!(sealed.ring()?.ids().count(), 2, "no key was dropped");
        }
        let said = sealed.install.run(&["keys", "reseal", "--drop-older"])?;
        assert!(said.success, "{said:?}");
        assert!(said.out.starts_with(&format!("{} sealed anew", 2 * SOURCES - done)), "{said:?}");
        let alone = sealed.ring()?;
        assert_eq!(alone.ids().collect::<Vec<_>>(), [rotated.primary()]);
        assert_eq!(opened(&sealed.db, &alone).await?, [rotated.primary().to_string()].into());
        assert_eq!(sealed.sealed_by(&first).await?, 0);
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_38_a_key_that_still_seals_something_cannot_be_dropped() -> Result<()> {
    for sealed in Sealed::both(3).await? {
        let first = sealed.ring()?;
        assert!(sealed.install.run(&["keys", "rotate"])?.success);
        let rotated = sealed.ring()?;
        // Somebody took the old key out of the file before anything was sealed anew.
        sealed.save(&rotated.without_older_keys())?;
        for command in [&["keys", "reseal", "--drop-older"][..], &["serve"], &["worker"]] {
            let said = sealed.install.run(command)?;
            assert!(!said.success && said.err.contains(first.primary().as_str()), "{command:?}: {said:?}");
        }
        assert_eq!(sealed.sealed_by(&first).await?, 6, "nothing was touched");
        sealed.save(&rotated)?;
        assert!(sealed.install.run(&["keys", "reseal"])?.success);
        assert_eq!(sealed.ring()?.ids().count(), 2, "dropping is asked for apart");
        assert_eq!(opened(&sealed.db, &rotated).await?, [rotated.primary().to_string()].into());
    }
    Ok(())
}

#[tokio::test]
async fn what_another_server_seals_by_the_old_key_meanwhile_keeps_that_key() -> Result<()> {
    for sealed in Sealed::both(1).await? {
        let first = sealed.ring()?;
        let old = tests::sealed::stored(&sealed.db).await?.remove(0).sealed;
        assert!(sealed.install.run(&["keys", "rotate"])?.success);
        // A server with the ring of before stores a credential just behind the hand that seals them anew.
        let store = format!("UPDATE source SET sealed_credential = '{}'", old.as_str());
        let (begin, end): (String, &[&str]) = match sealed.db.backend() {
            Backend::Sqlite => (
                format!("CREATE TRIGGER meanwhile AFTER UPDATE ON key_pair BEGIN {store}; END"),
                &["DROP TRIGGER meanwhile"],
            ),
            Backend::Postgres => (
                format!(
                    "CREATE FUNCTION meanwhile() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {store}; RETURN NULL; END $$; \
                     CREATE TRIGGER meanwhile AFTER UPDATE ON key_pair FOR EACH ROW EXECUTE FUNCTION meanwhile()"
                ),
                &["DROP TRIGGER meanwhile ON key_pair", "DROP FUNCTION meanwhile"],
            ),
        };
        arrange(&sealed.db, &begin).await?;
        let said = sealed.install.run(&["keys", "reseal", "--drop-older"])?;
        assert!(!said.success && said.err.contains("no key was removed"), "{said:?}");
        assert!(said.err.contains(first.primary().as_str()), "{said:?}");
        assert_eq!(sealed.ring()?.ids().count(), 2);
        opened(&sealed.db, &sealed.ring()?).await?;
        for statement in end {
            arrange(&sealed.db, statement).await?;
        }
        let said = sealed.install.run(&["keys", "reseal", "--drop-older"])?;
        assert!(said.success && said.out.starts_with("1 sealed anew"), "{said:?}");
        opened(&sealed.db, &sealed.ring()?).await?;
        let secret = sealed.ring()?.text();
        assert!(!said.err.contains(secret.expose_secret().trim()), "{said:?}");
    }
    Ok(())
}
