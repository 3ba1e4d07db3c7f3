//! A running web server for one test, on a database of its own, with a clock the test moves.

use anyhow::{Context, Result, ensure};
use entity::{ApiTokenId, JobStatus, OrganizationId, UserId, api_token, job, membership, user};
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, ORIGIN, SET_COOKIE};
use reqwest::{Method, RequestBuilder, StatusCode};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use server::app::App;
use server::auth::{Permission, api_token as token, setup};
use server::clock::Clock;
use server::config::Config;
use server::http::{self, Serving, State};

use crate::postgres;
use crate::stage::until;
use crate::stand::START;

/// The owner's address.
pub const EMAIL: &str = "ann@example.com";
/// The owner's password.
pub const PASSWORD: &str = "correct horse battery staple";

/// A server that answers. Its database is gone with this value.
pub struct Site {
    /// The server's dependencies.
    pub app: App,
    /// Where it answers.
    pub url: String,
    client: reqwest::Client,
    _serving: Serving,
    _folder: tempfile::TempDir,
    _database: Option<postgres::Database>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as text.
    pub text: String,
}

impl Answer {
    /// The value of a header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The code of the first error; empty without errors.
    pub fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The session cookie it sets, as a browser sends it back.
    pub fn cookie(&self) -> String {
        self.header(SET_COOKIE.as_str()).split(';').next().unwrap_or_default().to_owned()
    }

    /// Its status and first code.
    pub fn outcome(&self) -> (u16, String) {
        (self.status.as_u16(), self.code())
    }
}

impl Site {
    /// On a SQLite file.
    pub async fn sqlite() -> Result<Self> {
        Self::with(|_| {}).await
    }

    /// On a SQLite file, with other settings.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().join("weir.db").display());
        Self::start(folder, url, None, change).await
    }

    /// On a PostgreSQL database.
    pub async fn postgres() -> Result<Self> {
        let database = postgres::Database::empty().await?;
        Self::start(tempfile::tempdir()?, database.url(), Some(database), |_| {}).await
    }

    /// One on each database.
    pub async fn both() -> Result<[Self; 2]> {
        Self::both_with(|_| {}).await
    }

    /// One on each database, with other settings.
    pub async fn both_with(change: impl Fn(&mut Config)) -> Result<[Self; 2]> {
        let database = postgres::Database::empty().await?;
        let url = database.url();
        let postgres = Self::start(tempfile::tempdir()?, url, Some(database), &change).await?;
        Ok([Self::with(&change).await?, postgres])
    }

    async fn start(
        folder: tempfile::TempDir,
        url: String,
        database: Option<postgres::Database>,
        change: impl FnOnce(&mut Config),
    ) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut config = Config::load(None)?;
        config.data_dir = folder.path().to_path_buf();
        config.database.url = url.into();
        config.http.listen = "127.0.0.1:0".to_owned();
        change(&mut config);
        let app = App::open(config, Clock::fixed(START)).await?;
        let serving = http::serve(State::new(app.clone()))?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .no_gzip()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let url = format!("http://{}", serving.address);
        Ok(Self { app, url, client, _serving: serving, _folder: folder, _database: database })
    }

    /// A request to a path, with nothing in it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// Sends JSON as one of Weir's own pages does.
    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path).header(ORIGIN, &self.url).json(body)
    }

    /// A GraphQL request with a bearer token, as a service sends it.
    pub fn graphql(&self, token: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, "/graphql").bearer_auth(token).json(body)
    }

    /// Makes the first account, and gives its session's cookie.
    pub async fn set_up(&self) -> Result<String> {
        let token = self.setup_token().await?;
        let answer = send(self.post("/auth/setup", &first_account(&token))).await?;
        ensure!(answer.status == StatusCode::OK, "the set-up was refused: {answer:?}");
        Ok(answer.cookie())
    }

    /// A set-up token as `weir serve` prints it.
    pub async fn setup_token(&self) -> Result<String> {
        let issued = setup::issue(self.app.db.orm(), self.app.clock.now()).await?;
        Ok(issued.context("the server is set up already")?.expose_secret().to_owned())
    }

    /// Signs in.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Answer> {
        send(self.post("/auth/sign-in", &json!({ "email": email, "password": password }))).await
    }

    /// Tells whether a cookie is still a session.
    pub async fn signed_in(&self, cookie: &str) -> Result<bool> {
        let answer = send(self.request(Method::GET, "/auth/session").header(COOKIE, cookie)).await?;
        Ok(answer.json()["signedIn"] == true)
    }

    /// The organization that the set-up made.
    pub async fn organization(&self) -> Result<OrganizationId> {
        let found = entity::organization::Entity::find().one(self.app.db.orm()).await?;
        Ok(found.context("the set-up made an organization")?.id)
    }

    /// Stores an API token with these scopes, and gives its text.
    pub async fn token(&self, scopes: &[Permission]) -> Result<(ApiTokenId, String)> {
        let (id, minted) = (ApiTokenId::new(), token::mint()?);
        api_token::ActiveModel {
            organization_id: Set(self.organization().await?),
            id: Set(id),
            name: Set("service".to_owned()),
            prefix: Set(minted.prefix),
            secret_hash: Set(minted.secret_hash),
            last4: Set(minted.last4),
            scopes: Set(serde_json::to_string(scopes)?),
            created_by: Set(None),
            created_at: Set(self.app.clock.now()),
            expires_at: Set(None),
            last_used_at: Set(None),
            revoked_at: Set(None),
        }
        .insert(self.app.db.orm())
        .await?;
        Ok((id, minted.text.expose_secret().to_owned()))
    }

    /// Waits until its workers have nothing to do.
    pub async fn settle(&self) -> Result<()> {
        let db = self.app.db.orm();
        let idle = async || {
            let live = job::Entity::find()
                .filter(job::Column::Status.is_in([JobStatus::Queued, JobStatus::Running]))
                .filter(job::Column::Queue.ne("prune"));
            Ok(live.count(db).await? == 0)
        };
        until("all jobs are done", 600, idle).await
    }

    /// Adds a member of the organization.
    pub async fn member(&self, email: &str, password: &str, role: entity::Role) -> Result<UserId> {
        let id = UserId::new();
        let now = self.app.clock.now();
        let hash = self.app.passwords.hash(SecretString::from(password)).await?;
        user::ActiveModel {
            id: Set(id),
            email: Set(email.to_owned()),
            name: Set("Member".to_owned()),
            password_hash: Set(hash.into()),
            created_at: Set(now),
            disabled_at: Set(None),
        }
        .insert(self.app.db.orm())
        .await?;
        membership::ActiveModel {
            organization_id: Set(self.organization().await?),
            user_id: Set(id),
            role: Set(role),
            created_at: Set(now),
        }
        .insert(self.app.db.orm())
        .await?;
        Ok(id)
    }
}

/// What makes the first account.
pub fn first_account(token: &str) -> Value {
    json!({
        "token": token, "email": EMAIL, "name": "Ann", "password": PASSWORD, "organization": "Acme",
    })
}

/// Sends a request and reads the answer.
pub async fn send(request: RequestBuilder) -> Result<Answer> {
    let answer = request.send().await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await?;
    Ok(Answer { status, headers, text: String::from_utf8_lossy(&body).into_owned() })
}

/// A request whose body is this text in this form.
pub fn body(request: RequestBuilder, kind: &str, text: impl Into<String>) -> RequestBuilder {
    request.header(CONTENT_TYPE, kind).body(text.into())
}
