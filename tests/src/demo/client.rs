//! A client of Weir's public interface: GraphQL over HTTP with the session of the person who signed in.

use anyhow::{Context, Result, bail, ensure};
use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use serde_json::{Value, json};

/// Someone who is signed in.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    cookie: String,
}

/// Who makes the first account.
#[derive(Clone, Copy, Debug)]
pub struct Founder {
    /// The address to sign in with.
    pub email: &'static str,
    /// The password.
    pub password: &'static str,
    /// The person's name.
    pub name: &'static str,
    /// The organization's name.
    pub organization: &'static str,
}

impl Client {
    /// Makes the first account with the server's set-up token, and is signed in as it.
    pub async fn set_up(url: &str, token: &str, founder: Founder) -> Result<Self> {
        // Only plain HTTP to this machine; the client cannot be made without a provider all the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().context("make an HTTP client")?;
        let Founder { email, password, name, organization } = founder;
        let account = json!({
            "token": token, "email": email, "password": password, "name": name, "organization": organization,
        });
        let answer = http.post(format!("{url}/auth/setup")).header(ORIGIN, url).json(&account).send().await?;
        let cookies = answer.headers().get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        let cookies = cookies.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ");
        let status = answer.status();
        ensure!(status.is_success(), "the set-up was refused with {status}: {}", answer.text().await?);
        ensure!(!cookies.is_empty(), "the set-up gave no session");
        Ok(Self { http, url: url.to_owned(), cookie: cookies })
    }

    /// Asks a question and returns its `data`.
    pub async fn ask(&self, query: &str, variables: Value) -> Result<Value> {
        let answer = self
            .http
            .post(format!("{}/graphql", self.url))
            .header(COOKIE, &self.cookie)
            .header(ORIGIN, &self.url)
            .json(&json!({ "query": query, "variables": variables }))
            .send()
            .await
            .context("reach weir")?;
        let status = answer.status();
        let text = answer.text().await?;
        let mut body = serde_json::from_str::<Value>(&text).with_context(|| format!("{status}: {text}"))?;
        if body.get("errors").is_some() {
            bail!("weir refused ({status}): {}\nin {query}", body["errors"]);
        }
        Ok(body["data"].take())
    }

    /// Makes a change, such as `metricCreate`, and returns what `selection` names. A refusal is an error.
    pub async fn change(&self, name: &str, input: Value, selection: &str) -> Result<Value> {
        let mut letters = name.chars();
        let capital = letters.next().map(|letter| letter.to_ascii_uppercase());
        let type_name = capital.into_iter().chain(letters).collect::<String>();
        let query = format!(
            "mutation($input: {type_name}Input!) {{ {name}(input: $input) {{ {selection} userErrors {{ code field message }} }} }}"
        );
        let mut data = self.ask(&query, json!({ "input": input })).await?;
        let mut payload = data[name].take();
        let refused = payload["userErrors"].as_array().is_none_or(|errors| !errors.is_empty());
        ensure!(!refused, "{name} was refused: {}\nfor {input}", payload["userErrors"]);
        Ok(payload.as_object_mut().map_or(Value::Null, |fields| {
            fields.remove("userErrors");
            Value::Object(std::mem::take(fields))
        }))
    }

    /// Imports a CSV whole, or not at all.
    pub async fn import(&self, kind: &str, text: &str) -> Result<()> {
        let selection = "report { rows created failed errors { line column message } }";
        let input = json!({ "kind": kind, "text": text });
        let done = self.change("csvImport", input, selection).await?;
        let report = &done["report"];
        ensure!(report["failed"] == 0, "the import of {kind} failed: {}", report["errors"]);
        ensure!(report["rows"].as_u64() > Some(0), "the import of {kind} was empty");
        Ok(())
    }
}
