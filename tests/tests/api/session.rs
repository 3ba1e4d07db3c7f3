//! People who sign in, where it matters that it is a person and no token who asks.

use anyhow::{Result, ensure};
use entity::{Role, UserId, membership, user};
use reqwest::header::COOKIE;
use sea_orm::{ActiveModelTrait, Set};
use secrecy::SecretString;
use serde_json::{Value, json};
use tests::site::{Answer, PASSWORD, send};

use crate::world::{World, mutation};

impl World {
    /// Adds a member of our organization who signs in, and gives the session's cookie.
    pub async fn session(&self, email: &str, role: Role) -> Result<String> {
        let (app, id) = (&self.site.app, UserId::new());
        let hash = app.passwords.hash(SecretString::from(PASSWORD)).await?;
        user::ActiveModel {
            id: Set(id),
            email: Set(email.to_owned()),
            name: Set(email.to_owned()),
            password_hash: Set(hash.into()),
            created_at: Set(app.clock.now()),
            disabled_at: Set(None),
        }
        .insert(app.db.orm())
        .await?;
        membership::ActiveModel {
            organization_id: Set(self.ours.organization),
            user_id: Set(id),
            role: Set(role),
            created_at: Set(app.clock.now()),
        }
        .insert(app.db.orm())
        .await?;
        self.sign_in(email).await
    }

    /// Signs in with the password all members of these tests have.
    pub async fn sign_in(&self, email: &str) -> Result<String> {
        let answer = self.site.sign_in(email, PASSWORD).await?;
        ensure!(answer.status == 200, "{email} was not let in: {answer:?}");
        Ok(answer.cookie())
    }

    /// Sends a request as a browser does.
    pub async fn send_signed(&self, cookie: &str, query: &str, variables: Value) -> Result<Answer> {
        let body = json!({ "query": query, "variables": variables });
        send(self.site.post("/graphql", &body).header(COOKIE, cookie)).await
    }

    /// Sends a mutation as a browser does, and gives its payload.
    pub async fn act_signed(&self, cookie: &str, name: &str, fields: &str, input: Value) -> Result<Value> {
        let answer = self.send_signed(cookie, &mutation(name, fields), json!({ "input": input })).await?;
        let mut body = answer.json();
        ensure!(body["errors"].is_null(), "{name} was answered: {}", answer.text);
        Ok(body["data"][name].take())
    }

    /// The code with which a mutation is refused to a person.
    pub async fn refused_signed(&self, cookie: &str, name: &str, input: Value) -> Result<String> {
        let payload = self.act_signed(cookie, name, "", input).await?;
        Ok(payload["userErrors"][0]["code"].as_str().unwrap_or_default().to_owned())
    }
}
