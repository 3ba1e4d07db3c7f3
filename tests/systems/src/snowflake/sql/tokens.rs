//! Reading statements word by word, where that is simpler than a grammar.

use sqlparser::dialect::SnowflakeDialect;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::error::{Outcome, SqlError};

/// The words of a statement.
#[derive(Clone, Debug)]
pub struct Tokens {
    all: Vec<TokenWithSpan>,
    at: usize,
}

impl Tokens {
    /// Takes a statement apart. Comments and blanks are left out, `?` are numbered from 1, a last `;` is dropped.
    pub fn of(sql: &str) -> Outcome<Self> {
        let all =
            Tokenizer::new(&SnowflakeDialect, sql).tokenize_with_location().map_err(SqlError::syntax)?;
        let mut all: Vec<_> =
            all.into_iter().filter(|it| !matches!(it.token, Token::Whitespace(_))).collect();
        while all.last().is_some_and(|it| it.token == Token::SemiColon) {
            all.pop();
        }
        let mut number = 0;
        for token in &mut all {
            if matches!(&token.token, Token::Placeholder(text) if text == "?") {
                number += 1;
                token.token = Token::Placeholder(format!("?{number}"));
            }
        }
        Ok(Self { all, at: 0 })
    }

    /// The same with names in quotes in upper case, as QUOTED_IDENTIFIERS_IGNORE_CASE has it.
    #[must_use]
    pub fn folded(mut self) -> Self {
        for token in &mut self.all {
            if let Token::Word(word) = &mut token.token {
                word.value = word.value.to_uppercase();
            }
        }
        self
    }

    /// All of them, for the grammar.
    pub fn all(&self) -> Vec<TokenWithSpan> {
        self.all.clone()
    }

    /// How many statements there are.
    pub fn statements(&self) -> usize {
        self.all.split(|it| it.token == Token::SemiColon).filter(|part| !part.is_empty()).count()
    }

    /// How many placeholders there are.
    pub fn placeholders(&self) -> usize {
        self.all.iter().filter(|it| matches!(it.token, Token::Placeholder(_))).count()
    }

    fn peek(&self) -> Option<&Token> {
        self.all.get(self.at).map(|it| &it.token)
    }

    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.at >= self.all.len()
    }

    /// Refuses what is left.
    pub fn end(&self) -> Outcome<()> {
        if self.is_done() { Ok(()) } else { Err(self.unexpected()) }
    }

    /// A syntax error at the next word.
    pub fn unexpected(&self) -> SqlError {
        let token = self.all.get(self.at).or(self.all.last());
        let place = token.map(|it| it.span.start);
        let (line, column) = place.map_or((1, 0), |it| (it.line, it.column));
        let found = self.peek().map_or("<EOF>".to_owned(), ToString::to_string);
        SqlError::syntax(format!("line {line} at position {column} unexpected '{found}'."))
    }

    /// Takes these words if they are next, in any case.
    pub fn take(&mut self, words: &str) -> bool {
        let start = self.at;
        for word in words.split(' ') {
            let found = match self.peek() {
                Some(Token::Word(found)) => {
                    found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word)
                }
                Some(other) => other.to_string() == word,
                None => false,
            };
            if !found {
                self.at = start;
                return false;
            }
            self.at += 1;
        }
        true
    }

    /// Takes these words or fails.
    pub fn need(&mut self, words: &str) -> Outcome<()> {
        if self.take(words) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Takes one identifier, folded.
    pub fn ident(&mut self) -> Outcome<String> {
        let Some(Token::Word(word)) = self.peek() else { return Err(self.unexpected()) };
        let name = if word.quote_style.is_some() { word.value.clone() } else { word.value.to_uppercase() };
        self.at += 1;
        Ok(name)
    }

    /// Takes a dotted name; each part folded.
    pub fn name(&mut self) -> Outcome<Vec<String>> {
        let mut parts = vec![self.ident()?];
        while self.take(".") {
            // `db..table`
            parts.push(if self.peek() == Some(&Token::Period) { String::new() } else { self.ident()? });
        }
        Ok(parts)
    }

    /// Takes a text in single quotes.
    pub fn text(&mut self) -> Outcome<String> {
        let Some(Token::SingleQuotedString(text)) = self.peek() else { return Err(self.unexpected()) };
        let text = text.clone();
        self.at += 1;
        Ok(text)
    }

    /// Takes a number, a word or a text: the value of a property.
    pub fn word(&mut self) -> Outcome<String> {
        let value = match self.peek() {
            Some(Token::SingleQuotedString(text)) => text.clone(),
            Some(Token::Word(word)) if word.quote_style.is_some() => word.value.clone(),
            Some(Token::Word(word)) => word.value.to_uppercase(),
            Some(Token::Number(number, _)) => number.clone(),
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(value)
    }

    /// Takes everything up to one of these words, or to the end, as text.
    pub fn until(&mut self, words: &[&str]) -> String {
        let mut out = String::new();
        while let Some(token) = self.peek() {
            if words.iter().any(|word| token.to_string().eq_ignore_ascii_case(word)) {
                break;
            }
            out.push_str(&token.to_string());
            out.push(' ');
            self.at += 1;
        }
        out.trim_end().to_owned()
    }

    /// Takes `NAME = value` pairs to the end; names in upper case.
    pub fn properties(&mut self) -> Outcome<Vec<(String, String)>> {
        let mut found = Vec::new();
        while !self.is_done() {
            let name = self.ident()?;
            self.need("=")?;
            found.push((name, self.word()?));
            self.take(",");
        }
        Ok(found)
    }
}
