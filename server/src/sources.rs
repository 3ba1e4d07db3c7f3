//! Open connections to sources: each opened once per version, shared by requests and jobs, closed when nobody has asked
//! for it in a while. The only place where a credential is clear text on its way to a connector.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connector::guard::{Network, Policy};
use connector::setup::SignIn;
use connector::{Connector, ConnectorError, ErrorKind, kinds};
use entity::{KeyPairId, OrganizationId, SourceId, source};
use sea_orm::EntityTrait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::app::App;
use crate::clock::{Micros, SECOND};
use crate::config::Config;
use crate::custody::credential;
use crate::domain::key_pair;
use crate::error::{Error, Result, StartError};

/// After how long without use a connection is closed.
const IDLE: Micros = 600 * SECOND;

/// Opens connectors by kind.
pub trait Open: Send + Sync {
    /// Opens a connector of a kind. Nothing is reached yet.
    ///
    /// # Errors
    /// `Config` for an unknown kind, or a configuration that is wrong or not allowed.
    fn open(
        &self,
        kind: &str,
        config: &Value,
        credential: Option<SecretString>,
    ) -> connector::Result<Arc<dyn Connector>>;

    /// The e-mail address of Weir's own Google service account, where the operator gave one.
    fn google_account(&self) -> Option<String> {
        None
    }
}

#[derive(Clone)]
struct Held {
    version: i32,
    used_at: Micros,
    connector: Arc<dyn Connector>,
}

/// The sources this process has open.
#[derive(Clone)]
pub struct Sources {
    opener: Arc<dyn Open>,
    held: Arc<Mutex<HashMap<SourceId, Held>>>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Sources").field("open", &held.len()).finish()
    }
}

impl Sources {
    /// Nothing open yet.
    pub fn new(opener: Arc<dyn Open>) -> Self {
        Self { opener, held: Arc::default() }
    }

    /// The connector of a stored source, as it is configured now.
    ///
    /// # Errors
    /// `NotFound`, `Connector` when the configuration cannot be used, `Internal` when the credential does not open.
    pub async fn connector(
        &self,
        app: &App,
        organization: OrganizationId,
        id: SourceId,
    ) -> Result<Arc<dyn Connector>> {
        let found = source::Entity::find_by_id((organization, id)).one(app.db.orm()).await?;
        let found = found.filter(|source| source.deleted_at.is_none());
        self.open(app, &found.ok_or(Error::NotFound("source"))?).await
    }

    /// The same for a source that was just loaded.
    ///
    /// # Errors
    /// `Connector` when the configuration cannot be used, `Internal` when the credential does not open.
    pub async fn open(&self, app: &App, source: &source::Model) -> Result<Arc<dyn Connector>> {
        let (now, id) = (app.clock.now(), source.id);
        if let Some(connector) = self.shared(source, now) {
            return Ok(connector);
        }
        let config = config(source)?;
        let credential = self.credential(app, source, &config, None).await?;
        let connector = self.opener.open(&source.kind, &config, credential)?;
        let held = Held { version: source.version, used_at: now, connector: connector.clone() };
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(id, held);
        Ok(connector)
    }

    /// What a source would sign in with under a configuration: the stored credential, or the private half of a key
    /// pair: the named one, else the one in use.
    ///
    /// # Errors
    /// `Connector` when no key pair is in use, `NotFound` when the named one is another source's, `Internal` when what
    /// is stored does not open.
    pub async fn credential(
        &self,
        app: &App,
        source: &source::Model,
        config: &Value,
        key: Option<KeyPairId>,
    ) -> Result<Option<SecretString>> {
        let (organization, id) = (source.organization_id, source.id);
        match kinds::sign_in(&source.kind, config)? {
            SignIn::Nothing => Ok(None),
            SignIn::Secret => {
                let open = |sealed| {
                    credential::open(&app.keyring, organization, id, sealed).map_err(|error| {
                        Error::internal(&format!("open the credential of source {id}"), error)
                    })
                };
                source.sealed_credential.as_ref().map(open).transpose()
            }
            SignIn::KeyPair => {
                let found = match key {
                    Some(key) => Some(key_pair::of_source(app.db.orm(), source, key).await?),
                    None => key_pair::in_use(app.db.orm(), source).await?,
                };
                let none = || {
                    ConnectorError::new(ErrorKind::Config, "the source has no key pair in use").hint(
                        "make a key pair on the source's page, install its public half, and switch to it",
                    )
                };
                key_pair::private_key(&app.keyring, &found.ok_or_else(none)?).map(Some)
            }
        }
    }

    /// A connector for a configuration that is not stored, to check it before it is.
    ///
    /// # Errors
    /// `Config` when the configuration cannot be used.
    pub fn unstored(
        &self,
        kind: &str,
        config: &Value,
        credential: Option<SecretString>,
    ) -> std::result::Result<Arc<dyn Connector>, ConnectorError> {
        self.opener.open(kind, config, credential)
    }

    /// The e-mail address of Weir's own Google service account, where the operator gave one.
    pub fn google_account(&self) -> Option<String> {
        self.opener.google_account()
    }

    /// Closes what nobody has used in a while.
    pub fn close_idle(&self, now: Micros) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, held| now - held.used_at < IDLE);
    }

    fn shared(&self, source: &source::Model, now: Micros) -> Option<Arc<dyn Connector>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held.get_mut(&source.id).filter(|held| held.version == source.version)?;
        found.used_at = now;
        Some(found.connector.clone())
    }
}

/// A source's configuration as its kind reads it.
///
/// # Errors
/// `Internal` when it is no JSON.
pub fn config(source: &source::Model) -> Result<Value> {
    serde_json::from_str(&source.config)
        .map_err(|error| Error::internal(&format!("read the configuration of source {}", source.id), error))
}

/// Opens the kinds that are built in, within what the operator allows.
#[derive(Clone, Debug)]
pub struct Kinds {
    policy: Policy,
}

impl Kinds {
    /// Reads the operator's rules.
    ///
    /// # Errors
    /// A network, kind, address or file that cannot be used, named.
    pub fn new(config: &Config) -> std::result::Result<Self, StartError> {
        let network = |text: &String| {
            text.parse().map_err(|error| StartError::new(format!("sources.networks cannot be used: {error}")))
        };
        let networks = config.sources.networks.iter().map(network).collect::<std::result::Result<_, _>>()?;
        for text in &config.sources.egress_addresses {
            text.parse::<Network>().map_err(|error| {
                StartError::new(format!("sources.egress_addresses cannot be used: {error}"))
            })?;
        }
        let mut base_urls = BTreeMap::new();
        for (kind, url) in &config.sources.base_urls {
            let refuse = |text: String| StartError::new(format!("sources.base_urls cannot be used: {text}"));
            if !kinds::names().any(|name| name == kind) {
                return Err(refuse(format!("there is no kind {kind:?}")));
            }
            let parsed = url.parse().map_err(|error| refuse(format!("{url:?} of {kind}: {error}")))?;
            base_urls.insert(kind.clone(), parsed);
        }
        let policy = Policy {
            networks,
            folders: config.sources.folders.clone(),
            statement_timeout: Duration::from_secs(config.sync.statement_seconds.into()),
            base_urls,
            google_key: google_key(&config.sources.google_key_file)?,
        };
        Ok(Self { policy })
    }
}

/// The key of Weir's own Google service account, where the operator gave one.
fn google_key(file: &str) -> std::result::Result<Option<SecretString>, StartError> {
    if file.is_empty() {
        return Ok(None);
    }
    let read = std::fs::read_to_string(file);
    let read = read.map_err(|error| {
        StartError::new(format!("sources.google_key_file {file} cannot be read: {error}"))
    })?;
    let key: Value = serde_json::from_str(&read).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        StartError::new(format!("sources.google_key_file {file} is no JSON: see {place}"))
    })?;
    for field in ["client_email", "private_key"] {
        if key[field].as_str().is_none_or(str::is_empty) {
            let message = format!("sources.google_key_file {file} is no key file: it has no {field:?}");
            return Err(StartError::new(message));
        }
    }
    Ok(Some(read.into()))
}

impl Open for Kinds {
    fn open(
        &self,
        kind: &str,
        config: &Value,
        credential: Option<SecretString>,
    ) -> connector::Result<Arc<dyn Connector>> {
        kinds::open(kind, config, credential, &self.policy)
    }

    fn google_account(&self) -> Option<String> {
        let key: Value = serde_json::from_str(self.policy.google_key.as_ref()?.expose_secret()).ok()?;
        Some(key["client_email"].as_str()?.to_owned())
    }
}
