//! A client that can be as wrong as a test wants.

use anyhow::{Context, Result};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value as Json, json};
use systems::snowflake::{Account, Pair, Place, Server, Who};

/// A place and one of its users.
pub struct Client {
    pub server: Server,
    pub place: Place,
    pub account: Account,
    http: reqwest::Client,
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Json,
}

impl Answer {
    /// The code in the body.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The statement's handle.
    pub fn handle(&self) -> String {
        self.body["statementHandle"].as_str().unwrap_or_default().to_owned()
    }

    /// The rows of the body, NULL as `-`.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let cell = |cell: &Json| cell.as_str().map_or_else(|| "-".to_owned(), str::to_owned);
        let row = |row: &Json| row.as_array().into_iter().flatten().map(cell).collect();
        self.body["data"].as_array().into_iter().flatten().map(row).collect()
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    since.as_secs() as i64
}

impl Client {
    /// The reader of a new place.
    pub async fn reader() -> Result<Self> {
        Self::of(Who::Reader).await
    }

    /// A user of a new place on a new server.
    pub async fn of(who: Who) -> Result<Self> {
        let server = Server::start().await?;
        let place = server.place().await?;
        Self::at(&place, who)
    }

    /// A user of a place.
    pub fn at(place: &Place, who: Who) -> Result<Self> {
        rustls::crypto::ring::default_provider().install_default().ok();
        let http = reqwest::Client::builder().no_gzip().build()?;
        Ok(Self { server: place.server().clone(), place: place.clone(), account: place.user(who), http })
    }

    /// The claims a right token has.
    pub fn claims(&self) -> Result<Json> {
        let subject = format!("{}.{}", self.account.account, self.account.user);
        let fingerprint = Pair::from_pem(&self.account.private_key_pem)?.fingerprint;
        Ok(
            json!({"iss": format!("{subject}.{fingerprint}"), "sub": subject, "iat": now(), "exp": now() + 3_000}),
        )
    }

    /// A token with these claims, signed with the user's key.
    pub fn token(&self, claims: &Json) -> Result<String> {
        let key = EncodingKey::from_rsa_pem(self.account.private_key_pem.as_bytes())?;
        Ok(encode(&Header::new(Algorithm::RS256), claims, &key)?)
    }

    /// A call without any header.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/v2/statements{path}", self.server.url()))
    }

    /// A call as it should be.
    pub fn call(&self, method: Method, path: &str) -> Result<RequestBuilder> {
        Ok(self
            .bare(method, path)
            .bearer_auth(self.token(&self.claims()?)?)
            .header("X-Snowflake-Authorization-Token-Type", "KEYPAIR_JWT")
            .header("User-Agent", "weir-test/1.0")
            .header("Accept", "application/json"))
    }

    /// What a submission of a statement usually has.
    pub fn body(&self, statement: &str) -> Json {
        json!({
            "statement": statement, "timeout": 60, "role": self.account.role, "warehouse": self.account.warehouse,
            "database": self.account.database, "schema": self.account.schema, "parameters": {"timezone": "UTC"},
        })
    }

    /// Submits a body.
    pub async fn submit(&self, query: &str, body: &Json) -> Result<Answer> {
        read(self.call(Method::POST, query)?.json(body).send().await?).await
    }

    /// Runs a statement.
    pub async fn run(&self, statement: &str) -> Result<Answer> {
        self.submit("", &self.body(statement)).await
    }

    /// Runs a statement with values bound: type and value each.
    pub async fn bound(&self, statement: &str, values: &[(&str, Option<&str>)]) -> Result<Answer> {
        let mut body = self.body(statement);
        for (number, (kind, value)) in values.iter().enumerate() {
            body["bindings"][(number + 1).to_string()] = json!({"type": kind, "value": value});
        }
        self.submit("", &body).await
    }

    /// The rows of a statement that must succeed.
    pub async fn rows(&self, statement: &str) -> Result<Vec<Vec<String>>> {
        let answer = self.run(statement).await?;
        anyhow::ensure!(answer.status == 200, "{statement}: {answer:?}");
        Ok(answer.rows())
    }

    /// The only cell of a statement that must succeed.
    pub async fn cell(&self, statement: &str) -> Result<String> {
        self.rows(statement).await?.pop().and_then(|mut row| row.pop()).context("no cell")
    }

    /// The code a statement fails with.
    pub async fn code(&self, statement: &str) -> Result<String> {
        let answer = self.run(statement).await?;
        anyhow::ensure!(answer.status != 200, "{statement} succeeded");
        Ok(answer.code().to_owned())
    }

    /// Asks for a statement or a partition.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        read(self.call(Method::GET, path)?.send().await?).await
    }

    /// Cancels a statement.
    pub async fn cancel(&self, handle: &str) -> Result<Answer> {
        let call = self.call(Method::POST, &format!("/{handle}/cancel"))?.header("content-length", 0);
        read(call.send().await?).await
    }
}

/// Reads an answer; one in gzip is unpacked.
pub async fn read(response: Response) -> Result<Answer> {
    let status = response.status().as_u16();
    let gzip = response.headers().get("content-encoding").is_some_and(|it| it == "gzip");
    let bytes = response.bytes().await?;
    let body = if gzip {
        serde_json::from_reader(flate2::read::GzDecoder::new(bytes.as_ref()))?
    } else {
        serde_json::from_slice(&bytes).unwrap_or(Json::Null)
    };
    Ok(Answer { status, body })
}
