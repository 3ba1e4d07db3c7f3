//! The stand of the benchmark: a real warehouse, and many accounts, inputs and links.

use std::sync::Arc;

use anyhow::{Context, Result};
use connector::Connector;
use entity::source;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, Set};
use secrecy::ExposeSecret;
use server::clock::Clock;
use server::custody::credential;

use super::{Origin, Stand};
use crate::bench::seed;

impl Stand {
    /// On a database of the caller's, with the PostgreSQL warehouse as its source and the accounts, inputs and links of
    /// the benchmark.
    pub async fn on(weir: &str, warehouse: &str) -> Result<Self> {
        Self::reading(weir, &Origin::postgres(warehouse)?).await
    }

    /// The same with any system as its source.
    pub async fn reading(weir: &str, origin: &Origin) -> Result<Self> {
        let sources = |config: &mut server::config::Config| {
            config.sources.networks = vec!["127.0.0.0/8".to_owned()];
            if let Some(url) = &origin.base_url {
                config.sources.base_urls.insert(origin.kind.clone(), url.clone());
            }
        };
        let mut stand = Self::new(tempfile::tempdir()?, weir.to_owned(), None, sources).await?;
        stand.app.clock = Clock::system();
        stand.read_from(origin).await?;
        for sql in seed::directory(&stand.organization.to_string(), weir.starts_with("postgres")) {
            stand.app.db.orm().execute_unprepared(&sql).await?;
        }
        stand.app.db.orm().execute_unprepared("ANALYZE").await?;
        Ok(stand)
    }

    /// The connector of its source.
    pub async fn connector(&self) -> Result<Arc<dyn Connector>> {
        Ok(self.app.sources.connector(&self.app, self.organization, self.source).await?)
    }

    /// Links every pair of the benchmark's accounts and metrics that is not linked yet.
    pub async fn link_all(&self) -> Result<()> {
        let postgres = self.app.config.database.url.expose_secret().starts_with("postgres");
        let all = seed::directory(&self.organization.to_string(), postgres);
        let sql = all.last().context("the links are last")?.replace("<> 0", "= 0");
        self.app.db.orm().execute_unprepared(&sql).await?;
        self.changed().await
    }

    async fn read_from(&self, origin: &Origin) -> Result<()> {
        let (db, secret) = (self.app.db.orm(), origin.secret());
        let found = source::Entity::find_by_id((self.organization, self.source)).one(db).await?;
        let mut source: source::ActiveModel = found.context("the source exists")?.into();
        source.kind = Set(origin.kind.clone());
        source.config = Set(origin.config.to_string());
        source.sealed_credential =
            Set(Some(credential::seal(&self.app.keyring, self.organization, self.source, &secret)?));
        source.update(db).await?;
        Ok(())
    }
}
