//! What stands before an engine that only knows passwords: the sign-in by token and by certificate, and the sleep of
//! a service of the Cloud. As strict as the real ones: one way to sign in per call, and nothing without one.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use futures::FutureExt;
use futures::future::BoxFuture;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::{Server, User};
use crate::relay::{Call, Reply, Script, Wire};
use crate::upstream::Upstream;

/// The front of one engine.
pub struct Front {
    upstream: Upstream,
    /// Who issues tokens.
    issuer: Option<DecodingKey>,
    /// The users of certificates, by the certificate.
    certificates: HashMap<Vec<u8>, String>,
    /// The passwords with which the engine lets users in.
    passwords: HashMap<String, String>,
    /// How many calls are still answered by a service that is waking up.
    asleep: AtomicUsize,
    /// The calls that came, in order.
    calls: Mutex<Vec<Call>>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

impl Front {
    /// Stands before an engine, and lets nobody in yet.
    pub fn new(server: &Server) -> Result<Self> {
        let upstream = Upstream::local(server.port)?;
        let (asleep, calls) = (AtomicUsize::new(0), Mutex::default());
        let known = [User::Reader, User::StrictReader]
            .map(|user| (user.name().to_owned(), server.password(user).to_owned()));
        let passwords = HashMap::from(known);
        Ok(Self { upstream, issuer: None, certificates: HashMap::new(), passwords, asleep, calls })
    }

    /// Trusts tokens signed by that RSA key.
    #[must_use]
    pub fn trusting(mut self, issuer: DecodingKey) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// Knows a user by that certificate.
    #[must_use]
    pub fn knowing(mut self, certificate: Vec<u8>, user: &str) -> Self {
        self.certificates.insert(certificate, user.to_owned());
        self
    }

    /// Lets another user in, with what the engine takes for a password.
    #[must_use]
    pub fn admitting(mut self, user: &str, password: &str) -> Self {
        self.passwords.insert(user.to_owned(), password.to_owned());
        self
    }

    /// Falls asleep; so many calls find it waking up.
    pub fn sleep(&self, calls: usize) {
        self.asleep.store(calls, Ordering::SeqCst);
    }

    /// The calls that came since this was asked last.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().expect("no holder of the lock panics"))
    }

    /// The user a call proves to be; else what the server says.
    fn user(&self, call: &Call) -> Result<String, &'static str> {
        let has = |name: &str| call.header(name).is_some();
        let ways = [has("authorization"), has("x-clickhouse-key"), has("x-clickhouse-ssl-certificate-auth")];
        if ways.iter().filter(|way| **way).count() > 1 || (ways[0] && has("x-clickhouse-user")) {
            return Err("it is not allowed to use several ways of authentication simultaneously");
        }
        if let Some(token) = call.header("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
            let issuer = self.issuer.as_ref().ok_or("tokens are not known here")?;
            let mut rules = Validation::new(Algorithm::RS256);
            rules.set_required_spec_claims(&["exp", "sub"]);
            let claims = jsonwebtoken::decode::<Claims>(token, issuer, &rules);
            let claims = claims.map_err(|_| "Invalid JWT token")?.claims;
            let known = self.passwords.contains_key(&claims.sub);
            return if known { Ok(claims.sub) } else { Err("the token's user is unknown") };
        }
        if call.header("x-clickhouse-ssl-certificate-auth") == Some("on") {
            let name = call.header("x-clickhouse-user").ok_or("no user")?;
            let shown =
                call.certificate.as_ref().ok_or("SSL certificate authentication requires a certificate")?;
            let user = self.certificates.get(shown).ok_or("the certificate is not known")?;
            return if user == name { Ok(user.clone()) } else { Err("the certificate is another user's") };
        }
        Err("Authentication failed: password is incorrect, or there is no user with such name")
    }
}

impl Script for Front {
    fn answer(&self, mut call: Call) -> BoxFuture<'_, Result<Wire>> {
        async move {
            self.calls.lock().expect("no holder of the lock panics").push(call.clone());
            let waking = |left: usize| left.checked_sub(1);
            if self.asleep.fetch_update(Ordering::SeqCst, Ordering::SeqCst, waking).is_ok() {
                return Ok(Wire::Whole(Reply::new(503, "text/plain", "Service Unavailable")));
            }
            if call.path() == "/ping" {
                return Ok(Wire::Whole(self.upstream.send(&call).await?));
            }
            let user = match self.user(&call) {
                Ok(user) => user,
                Err(said) => {
                    let text =
                        format!("Code: 516. DB::Exception: {said}. (AUTHENTICATION_FAILED) (version 26.7)\n");
                    let reply = Reply::new(403, "text/plain; charset=UTF-8", text);
                    return Ok(Wire::Whole(reply.with("X-ClickHouse-Exception-Code", 516)));
                }
            };
            call.headers.retain(|(name, _)| name != "authorization" && !name.starts_with("x-clickhouse-"));
            let mut add = |name: &str, value: &str| call.headers.push((name.to_owned(), value.to_owned()));
            add("x-clickhouse-user", &user);
            add("x-clickhouse-key", self.passwords.get(&user).map_or("", String::as_str));
            Ok(Wire::Whole(self.upstream.send(&call).await?))
        }
        .boxed()
    }
}
