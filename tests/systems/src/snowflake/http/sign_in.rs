//! Who calls: tokens signed by a registered key, and programmatic access tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::signature::Verifier;
use serde_json::Value as Json;
use sha2::Sha256;

use super::refusal::Refusal;
use crate::snowflake::state::{State, World};
use crate::snowflake::users::{ACCOUNT, LOCATOR};

/// Seconds after its issue in which a token is good, whatever it says itself.
const LIFE: i64 = 3_600;
/// Seconds that a token may come from the future; how many the service allows is not documented.
const AHEAD: i64 = 5;

/// A caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user.
    pub user: String,
    /// The only role the token allows.
    pub role: Option<String>,
}

/// Why a token was refused: code and name of `SYSTEM$GET_LOGIN_FAILURE_DETAILS`.
type Reason = (&'static str, &'static str);

const NO_USER: Reason = ("394300", "JWT_TOKEN_INVALID_USER_IN_ISSUER");
const NO_TIMES: Reason = ("394301", "JWT_TOKEN_MISSING_ISSUE_OR_EXPIRATION_TIME");
const ISSUED: Reason = ("394302", "JWT_TOKEN_INVALID_ISSUE_TIME");
const EXPIRED: Reason = ("394303", "JWT_TOKEN_EXPIRED");
const FINGERPRINT: Reason = ("394304", "JWT_TOKEN_INVALID_PUBLIC_KEY_FINGERPRINT_MISMATCH");
const ALGORITHM: Reason = ("394305", "JWT_TOKEN_INVALID_ALGORITHM");
const SIGNATURE: Reason = ("394306", "JWT_TOKEN_INVALID_SIGNATURE");
const OTHER_ACCOUNT: Reason = ("394307", "JWT_TOKEN_INVALID_ACCOUNT");

/// Finds out who calls, from the headers `Authorization` and `X-Snowflake-Authorization-Token-Type`.
pub fn sign_in(state: &State, authorization: Option<&str>, kind: Option<&str>) -> Result<Caller, Refusal> {
    let missing = || Refusal::new(401, "390101", "Authorization header not found in the request data.");
    let token = authorization.and_then(|it| it.strip_prefix("Bearer ")).filter(|it| !it.is_empty());
    let token = token.ok_or_else(missing)?;
    // Without the header, OAuth is assumed, and this account has none.
    let caller = match kind.unwrap_or("OAUTH") {
        "KEYPAIR_JWT" => state
            .look(|world| jwt(world, token, state.clock.seconds()))
            .map_err(|reason| refused(state, reason))?,
        "PROGRAMMATIC_ACCESS_TOKEN" => state.look(|world| programmatic(world, token))?,
        "OAUTH" => return Err(Refusal::new(401, "390303", "Invalid OAuth access token.")),
        other => return Err(Refusal::bad(format!("Unknown token type {other}."))),
    };
    let disabled =
        state.look(|world| world.users.by_name.get(&caller.user).is_some_and(|user| user.disabled));
    if disabled {
        return Err(Refusal::new(
            401,
            "390101",
            "User access disabled. Contact your local system administrator.",
        ));
    }
    if let Some(address) = &state.faults().network_policy {
        let text = format!(
            "Incoming request with IP/Token {address} is not allowed to access Snowflake. Contact your account administrator. For more information about this error, go to https://community.snowflake.com/s/ip-xxxxxxxxxxxx-is-not-allowed-to-access."
        );
        // The number is one of three that are reported for it.
        return Err(Refusal::new(403, "390422", text));
    }
    Ok(caller)
}

/// Names the refusal by a UUID, and keeps the reason for who may ask for it.
fn refused(state: &State, (code, name): Reason) -> Refusal {
    let uuid = uuid::Uuid::now_v7().to_string();
    state.world().failures.insert(uuid.clone(), name.to_owned());
    let code = if state.faults().tell_reasons { code } else { "390144" };
    Refusal::new(401, code, format!("JWT token is invalid. [{uuid}]"))
}

fn programmatic(world: &World, token: &str) -> Result<Caller, Refusal> {
    let mut users = world.users.by_name.iter();
    let found = users.find_map(|(name, user)| Some((name, user.tokens.get(token)?)));
    let (name, found) =
        found.ok_or_else(|| Refusal::new(401, "390303", "Programmatic access token is invalid."))?;
    if found.expired {
        return Err(Refusal::new(401, "390318", "Programmatic access token expired."));
    }
    Ok(Caller { user: name.clone(), role: found.role.clone() })
}

fn part(text: &str) -> Option<Json> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// What a token says, unverified.
pub fn claims(authorization: Option<&str>) -> Option<Json> {
    part(authorization?.strip_prefix("Bearer ")?.split('.').nth(1)?)
}

fn jwt(world: &World, token: &str, now: i64) -> Result<Caller, Reason> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return Err(SIGNATURE) };
    let signed = format!("{header}.{claims}");
    let (header, claims) = part(header).zip(part(claims)).ok_or(SIGNATURE)?;
    if header["alg"] != "RS256" || header.get("typ").is_some_and(|it| it != "JWT") {
        return Err(ALGORITHM);
    }
    // The account holds no period: what follows the first is the user, up to the fingerprint.
    let issuer = claims["iss"].as_str().ok_or(NO_USER)?;
    let (subject, fingerprint) = issuer.split_once(".SHA256:").ok_or(NO_USER)?;
    let (account, user) = subject.split_once('.').ok_or(NO_USER)?;
    if account != ACCOUNT && account != LOCATOR {
        return Err(OTHER_ACCOUNT);
    }
    // A login name is the user's name where none was given, and is in upper case whatever the name's is.
    let login = |(name, _): &(&String, _)| name.to_uppercase() == user;
    let (name, found) = world.users.by_name.iter().find(login).ok_or(NO_USER)?;
    if claims["sub"].as_str() != Some(subject) {
        return Err(NO_USER);
    }
    let time = |name: &str| claims[name].as_f64().map(|it| it as i64);
    let (issued, expires) = time("iat").zip(time("exp")).ok_or(NO_TIMES)?;
    if issued > now + AHEAD {
        return Err(ISSUED);
    }
    if now >= expires || now > issued + LIFE {
        return Err(EXPIRED);
    }
    let fingerprint = format!("SHA256:{fingerprint}");
    let key = found.keys.iter().flatten().find(|key| key.fingerprint == fingerprint).ok_or(FINGERPRINT)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_bad| SIGNATURE)?;
    let signature = Signature::try_from(signature.as_slice()).map_err(|_bad| SIGNATURE)?;
    let verified = VerifyingKey::<Sha256>::new(key.key.clone()).verify(signed.as_bytes(), &signature);
    verified.map_err(|_bad| SIGNATURE)?;
    Ok(Caller { user: name.clone(), role: None })
}
