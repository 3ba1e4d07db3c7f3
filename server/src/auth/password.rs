//! Passwords: the rules for new ones, and argon2id, a few at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::{AuthError, AuthResult};
use crate::error::Error;

/// Fewest characters of a new password.
pub const SHORTEST: usize = 12;
/// Most characters of a password.
pub const LONGEST: usize = 200;

/// Hashes computed at once: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// How long an attempt waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Verified when there is no such user, so that the answer takes as long. No password is known for it.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$fh4mRjD2RlqzhkGf6NwmMQ$u5fIbGnPqyPFU1dfJV5Wc3rRZGwjUYjDPKGxBhl4vbs";

/// Hashes and verifies passwords with bounded memory.
#[derive(Clone, Debug)]
pub struct Passwords {
    gate: Arc<Semaphore>,
    verified: Arc<AtomicU64>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { gate: Arc::new(Semaphore::new(AT_ONCE)), verified: Arc::default() }
    }
}

impl Passwords {
    /// Hashes a password for storing.
    ///
    /// # Errors
    /// `Busy` when too many others wait.
    pub async fn hash(&self, password: SecretString) -> AuthResult<String> {
        self.work(move || {
            let hash = Argon2::default().hash_password(password.expose_secret().as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|error| Error::internal("hash a password", error))
        })
        .await
    }

    /// Tells whether the password is the one stored; takes as long when there is none.
    ///
    /// # Errors
    /// `Busy` when too many others wait.
    pub async fn verify(&self, password: SecretString, stored: Option<String>) -> AuthResult<bool> {
        let verified = Arc::clone(&self.verified);
        self.work(move || {
            let known = stored.is_some();
            let stored = stored.unwrap_or_else(|| DECOY.to_owned());
            let hash = PasswordHash::new(&stored)
                .map_err(|error| Error::internal("read a stored password hash", error))?;
            let right = Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash);
            verified.fetch_add(1, Ordering::Relaxed);
            Ok(known && right.is_ok())
        })
        .await
    }

    /// How many hashes were computed to verify a password so far: as many for a stranger as for a member.
    pub fn verifications(&self) -> u64 {
        self.verified.load(Ordering::Relaxed)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> AuthResult<T> {
        let permit = self.turn().await?;
        let done = tokio::task::spawn_blocking(move || {
            let _held = permit;
            work()
        });
        Ok(done.await.map_err(|error| Error::internal("work on a password", error))??)
    }

    async fn turn(&self) -> AuthResult<OwnedSemaphorePermit> {
        match tokio::time::timeout(PATIENCE, self.gate.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(AuthError::Busy),
        }
    }
}

/// Refuses a new password that is too short, too long or the person's own address. Nothing else: rules about
/// digits and signs make passwords worse.
///
/// # Errors
/// `Invalid`, saying which rule.
pub fn accept(password: &SecretString, email: &str) -> AuthResult<()> {
    let text = password.expose_secret();
    let length = text.chars().count();
    if length < SHORTEST {
        return Err(AuthError::invalid("password", format!("use at least {SHORTEST} characters")));
    }
    if length > LONGEST {
        return Err(AuthError::invalid("password", format!("use at most {LONGEST} characters")));
    }
    if text.trim().eq_ignore_ascii_case(email.trim()) {
        return Err(AuthError::invalid("password", "use something other than the email address"));
    }
    Ok(())
}

/// Brings an email address into the form it is stored in.
///
/// # Errors
/// `Invalid` when it cannot be one.
pub fn email(text: &str) -> AuthResult<String> {
    let email = text.trim().to_lowercase();
    let plausible = email.len() <= 254
        && email
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
        && !email.chars().any(|it| it.is_whitespace() || it.is_control());
    if plausible { Ok(email) } else { Err(AuthError::invalid("email", "this is no email address")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_verifies_its_password_only() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse battery".into()).await.expect("hashed");
        assert!(hash.starts_with("$argon2id$"));
        assert!(
            passwords.verify("correct horse battery".into(), Some(hash.clone())).await.expect("verified")
        );
        assert!(
            !passwords.verify("correct horse batterz".into(), Some(hash.clone())).await.expect("verified")
        );
        assert!(!passwords.verify("correct horse battery".into(), None).await.expect("verified"));
        let cost = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(cost(DECOY), cost(&hash), "the decoy must cost what a real hash costs");
    }

    #[tokio::test]
    async fn the_decoy_is_a_hash() {
        PasswordHash::new(DECOY).expect("a hash");
    }

    #[test]
    fn new_passwords_need_length_and_nothing_else() {
        let accepted = |text: &str| accept(&text.into(), "ann@example.com").is_ok();
        assert!(accepted("aaaaaaaaaaaa") && accepted("ein längerer Satz") && accepted(&"x".repeat(200)));
        assert!(!accepted("aaaaaaaaaaa") && !accepted(&"x".repeat(201)) && !accepted("Ann@example.com"));
    }

    #[test]
    fn addresses_are_stored_in_lower_case() {
        assert_eq!(email(" Ann@Example.COM ").ok().as_deref(), Some("ann@example.com"));
        for wrong in ["", "ann", "@", "a@", "@b", "a@b@c", "a b@c"] {
            assert!(email(wrong).is_err(), "{wrong}");
        }
    }
}
