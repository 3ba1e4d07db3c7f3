//! A script taken apart into its statements, as a client does that sends them one by one.

use anyhow::{Result, ensure};
use sqlparser::dialect::Dialect;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

/// A token as it stands in the script.
fn written(token: &Token) -> String {
    match token {
        // The end of the line is in it.
        Token::Whitespace(Whitespace::SingleLineComment { prefix, comment }) => format!("{prefix}{comment}"),
        token => token.to_string(),
    }
}

/// The statements of a script, without remarks.
pub fn statements(dialect: &dyn Dialect, script: &str) -> Result<Vec<String>> {
    let tokens = Tokenizer::new(dialect, script).with_unescape(false).tokenize()?;
    let whole: String = tokens.iter().map(written).collect();
    ensure!(whole == script, "taken apart, it is another script:\n{whole}\n{script}");
    let mut found = vec![String::new()];
    for token in tokens {
        match (token, found.last_mut()) {
            (Token::SemiColon, _) => found.push(String::new()),
            (Token::Whitespace(Whitespace::SingleLineComment { .. }), _) => {}
            (token, Some(last)) => last.push_str(&written(&token)),
            (_, None) => {}
        }
    }
    Ok(found.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect())
}
