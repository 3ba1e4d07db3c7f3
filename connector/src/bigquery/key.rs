//! The key of a service account, as the JSON file Google gives out.

use jsonwebtoken::EncodingKey;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::{ConnectorError, ErrorKind, Result};

/// Where assertions are exchanged for tokens ("Using OAuth 2.0 for Server to Server Applications").
pub const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
/// What key files of any age name as Google's token endpoint; all mean [`TOKEN_URL`].
const GOOGLES: [&str; 4] = [
    TOKEN_URL,
    "https://accounts.google.com/o/oauth2/token",
    "https://www.googleapis.com/oauth2/v4/token",
    "https://www.googleapis.com/oauth2/v3/token",
];

/// An account that can sign. Neither `Debug` nor any message shows the private key.
pub struct Key {
    /// The account's e-mail address.
    pub email: String,
    /// Which of the account's keys this is.
    pub id: String,
    /// What signs.
    pub signer: EncodingKey,
    /// Where assertions go.
    pub token_url: Url,
}

impl Key {
    /// Reads a key file. A file may only send assertions to Google, or where `instead` of it the operator says.
    ///
    /// # Errors
    /// `Config`, naming the field.
    pub fn parse(file: &SecretString, instead: Option<&Url>) -> Result<Self> {
        let text = file.expose_secret().trim();
        let Ok(Value::Object(file)) = serde_json::from_str(text) else {
            return Err(wrong("key: this is not the JSON file of a service account's key").hint(
                "in Google Cloud: IAM & Admin, Service Accounts, Keys, Add key, JSON; paste the whole file",
            ));
        };
        let field = |name: &str| file.get(name).and_then(Value::as_str).map(str::trim).unwrap_or_default();
        match field("type") {
            "service_account" => {}
            "" => return Err(wrong("key: the field type is missing; it must be service_account")),
            "external_account" => {
                let text =
                    "key: external_account files may run programs and read addresses, and are not taken";
                return Err(
                    wrong(text).hint("give a service account's key, or grant access to Weir's own account")
                );
            }
            other => {
                let text = format!("key: the field type is {other:.40?}; it must be service_account");
                return Err(wrong(&text).hint("a person's own sign-in is not taken; make a service account"));
            }
        }
        let needed = |name: &str| match field(name) {
            "" => Err(wrong(&format!("key: the field {name} is missing"))),
            text => Ok(text),
        };
        let email = needed("client_email")?;
        if !email.contains('@') {
            return Err(wrong("key: the field client_email is no e-mail address"));
        }
        let id = needed("private_key_id")?;
        // Some forms escape the file once more on its way.
        let pem = needed("private_key")?.replace("\\n", "\n");
        let signer = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| {
            wrong("key: the field private_key is no RSA key in PEM form")
                .hint("paste the whole file, with the lines of the key as they are")
        })?;
        let token_url = token_url(field("token_uri"), instead)?;
        Ok(Self { email: email.to_owned(), id: id.to_owned(), signer, token_url })
    }
}

/// Where the file's assertions may go.
fn token_url(named: &str, instead: Option<&Url>) -> Result<Url> {
    let google = || Url::parse(TOKEN_URL).map_err(|_| wrong("key: the token endpoint is no address"));
    if named.is_empty() || GOOGLES.contains(&named) {
        return google();
    }
    // A signed assertion is worth a token: a file must not send it anywhere else.
    let url = Url::parse(named).ok();
    if let (Some(url), Some(instead)) = (&url, instead)
        && url.origin() == instead.origin()
    {
        return Ok(url.clone());
    }
    let host = url.as_ref().and_then(Url::host_str).unwrap_or("no address");
    let text = format!("key: the field token_uri names {host:.200?}, which is not Google's {TOKEN_URL}");
    Err(wrong(&text).hint("take the file as Google gave it out"))
}

fn wrong(text: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::Config, text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(file: &Value) -> String {
        match Key::parse(&file.to_string().into(), None) {
            Ok(_) => "taken".to_owned(),
            Err(error) => error.message().to_owned(),
        }
    }

    #[test]
    fn what_is_wrong_with_a_key_file_is_told_by_field() {
        let whole = json!({
            "type": "service_account", "client_email": "reader@acme.iam.gserviceaccount.com", "private_key_id": "1",
            "private_key": "not a key", "token_uri": TOKEN_URL,
        });
        let with = |name: &str, value: Value| {
            let mut file = whole.clone();
            file[name] = value;
            file
        };
        for (file, wanted) in [
            (json!("sesame"), "key: this is not the JSON file"),
            (with("type", Value::Null), "key: the field type is missing"),
            (with("type", json!("external_account")), "key: external_account files may run programs"),
            (with("type", json!("authorized_user")), "key: the field type is \"authorized_user\""),
            (with("client_email", json!("")), "key: the field client_email is missing"),
            (with("client_email", json!("reader")), "key: the field client_email is no e-mail address"),
            (with("private_key_id", json!(7)), "key: the field private_key_id is missing"),
            (with("private_key", Value::Null), "key: the field private_key is missing"),
            (whole.clone(), "key: the field private_key is no RSA key"),
        ] {
            assert!(refused(&file).starts_with(wanted), "{file}: {}", refused(&file));
        }
        assert!(!refused(&json!("sesame")).contains("sesame"), "what was pasted is not repeated");
    }

    #[test]
    fn assertions_go_to_google_or_where_the_operator_says() {
        let instead = Url::parse("http://127.0.0.1:9050").expect("an address");
        for named in GOOGLES.iter().copied().chain([""]) {
            assert_eq!(token_url(named, None).expect("Google's own").as_str(), TOKEN_URL);
        }
        assert!(token_url("http://127.0.0.1:9050/token", Some(&instead)).is_ok());
        for (named, instead) in [
            ("http://127.0.0.1:9050/token", None),
            ("http://127.0.0.1:9051/token", Some(&instead)),
            ("https://evil.example/token", Some(&instead)),
            ("https://oauth2.googleapis.com.evil.example/token", None),
            ("http://oauth2.googleapis.com/token", None),
            ("nonsense", None),
        ] {
            let error = token_url(named, instead).expect_err("it is not Google's");
            assert!(error.message().starts_with("key: the field token_uri names"), "{named}");
        }
    }
}
