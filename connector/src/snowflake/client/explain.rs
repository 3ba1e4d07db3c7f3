//! What an answer that refuses means.

use super::*;

impl Client {
    pub(super) async fn refused(&self, response: Response, about: About) -> ConnectorError {
        match Answer::read(response, self.host(), SMALL).await {
            Ok(answer) => self.explain(&answer, about),
            Err(error) => error,
        }
    }

    /// Tells what an answer that is no success means.
    pub(super) fn explain(&self, answer: &Answer, about: About) -> ConnectorError {
        let refusal = answer.json::<Envelope>().ok().and_then(|envelope| Refusal::of(&envelope));
        let said = refusal.as_ref().map_or_else(|| answer.words(), |refusal| refusal.text.clone());
        let bare = http::refused(self.host(), answer.status, &answer.headers, &self.sign_in.clean(&said));
        let status = answer.status.as_u16();
        if status == 429 || status >= 500 {
            return bare;
        }
        if let Some(error) = refusal.as_ref().and_then(|refusal| self.tell(refusal, answer.clock_offset())) {
            return error;
        }
        let told = |kind, message: String| {
            let code = refusal.as_ref().map_or(0, |refusal| refusal.code);
            let number = if code == 0 { String::new() } else { format!(" (code {code:06})") };
            let error = ConnectorError::new(kind, format!("{message}{number}"));
            match bare.system_text() {
                Some(text) => error.detail(text),
                None => error,
            }
        };
        match status {
            404 | 410 if about != About::Statement => told(ErrorKind::Unavailable, refusal::GONE.to_owned()),
            422 if about == About::Rows => told(ErrorKind::Unavailable, refusal::GONE.to_owned()),
            401 => told(ErrorKind::Auth, format!("Snowflake refused the user {:?}", self.config.user)).hint(
                match self.sign_in.fingerprint() {
                    Some(print) => format!(
                        "compare the key's fingerprint {print} with DESC USER {}",
                        quote_user(&self.config.user)
                    ),
                    None => refusal::token(&quote_user(&self.config.user)),
                },
            ),
            403 | 404 => {
                bare.hint("check the account identifier: no account, or not this one, answers there")
            }
            408 => told(ErrorKind::Timeout, "the statement took longer than allowed".to_owned())
                .hint(refusal::slow(&self.config)),
            400 | 422 => told(ErrorKind::Protocol, "Snowflake refused the statement".to_owned())
                .hint("see Snowflake's own words"),
            _ => bare,
        }
    }

    /// Tells a refusal for people, when its code says anything.
    pub fn tell(&self, refusal: &Refusal, ahead: Option<i64>) -> Option<ConnectorError> {
        let around = Circumstances { config: &self.config, fingerprint: self.sign_in.fingerprint(), ahead };
        Refusal { text: self.sign_in.clean(&refusal.text), ..refusal.clone() }.explain(&around)
    }
}
