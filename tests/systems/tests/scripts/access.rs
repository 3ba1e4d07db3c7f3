//! What ClickHouse's statements about users say, and the same as a `users.xml`.
//!
//! The engine of the tests is ClickHouse's own code, started without a storage that statements could put users into:
//! it keeps those of its `users.xml`. So the script is read here, to the last word, and what it says is what the
//! engine is started with. How the engine itself reads the statements is asked apart from that.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use sqlparser::dialect::ClickHouseDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// How a user proves who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By a password.
    Password(String),
    /// By a certificate of that common name.
    Certificate(String),
    /// In a way that was there before.
    Other,
}

/// Users, and what belongs to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// By name.
    pub users: BTreeMap<String, Proof>,
    /// What may be read, as it is written in statements, and by whom.
    pub grants: Vec<(String, String)>,
    /// By name: settings, and whose.
    pub profiles: BTreeMap<String, (BTreeMap<String, String>, String)>,
    /// By name: limits in an hour, and whose.
    pub quotas: BTreeMap<String, (BTreeMap<String, String>, String)>,
}

/// The words of a statement.
struct Words(Vec<Token>);

impl Words {
    fn take(&mut self, words: &str) -> bool {
        let wanted: Vec<&str> = words.split(' ').collect();
        let same = |(token, word): (&Token, &&str)| token.to_string() == **word;
        let there = self.0.len() >= wanted.len() && self.0.iter().zip(&wanted).all(same);
        if there {
            self.0.drain(..wanted.len());
        }
        there
    }

    fn need(&mut self, words: &str) -> Result<()> {
        ensure!(self.take(words), "{words} is missing before {:?}", self.0);
        Ok(())
    }

    /// One name in backticks.
    fn name(&mut self) -> Result<String> {
        match self.0.remove(0) {
            Token::Word(word) if word.quote_style == Some('`') => Ok(word.value),
            other => bail!("{other} is no name in backticks"),
        }
    }

    fn text(&mut self) -> Result<String> {
        match self.0.remove(0) {
            Token::SingleQuotedString(text) => Ok(text),
            other => bail!("{other} is no text"),
        }
    }

    /// `name = number` one after the other.
    fn numbers(&mut self) -> Result<BTreeMap<String, String>> {
        let mut found = BTreeMap::new();
        loop {
            let name = self.0.remove(0).to_string();
            self.need("=")?;
            let Token::Number(number, _) = self.0.remove(0) else { bail!("{name} is no number") };
            found.insert(name, number);
            if !self.take(",") {
                return Ok(found);
            }
        }
    }

    /// `database.table`, as it is written.
    fn table(&mut self) -> Result<String> {
        let schema = self.name()?;
        self.need(".")?;
        let quote = |name: &str| format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"));
        Ok(format!("{}.{}", quote(&schema), quote(&self.name()?)))
    }
}

impl Access {
    /// Does what a statement says. One with a word more or less than the scripts have is refused.
    pub fn run(&mut self, statement: &str) -> Result<()> {
        self.done(statement).with_context(|| statement.to_owned())
    }

    fn done(&mut self, statement: &str) -> Result<()> {
        let tokens = Tokenizer::new(&ClickHouseDialect {}, statement).tokenize()?;
        let mut words =
            Words(tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect());
        if words.take("CREATE USER") {
            let name = words.name()?;
            let proof = if words.take("IDENTIFIED WITH sha256_password BY") {
                Proof::Password(words.text()?)
            } else {
                words.need("IDENTIFIED WITH ssl_certificate CN")?;
                Proof::Certificate(words.text()?)
            };
            ensure!(self.users.insert(name, proof).is_none(), "the user is there already");
        } else if words.take("CREATE SETTINGS PROFILE") {
            let name = words.name()?;
            words.need("SETTINGS")?;
            let settings = words.numbers()?;
            let user = self.to(&mut words)?;
            ensure!(self.profiles.insert(name, (settings, user)).is_none(), "the profile is there already");
        } else if words.take("CREATE QUOTA") {
            let name = words.name()?;
            words.need("FOR INTERVAL 1 hour MAX")?;
            let limits = words.numbers()?;
            let user = self.to(&mut words)?;
            ensure!(self.quotas.insert(name, (limits, user)).is_none(), "the quota is there already");
        } else if words.take("GRANT SELECT ON") {
            let table = words.table()?;
            let user = self.to(&mut words)?;
            self.grants.push((table, user));
        } else if words.take("REVOKE SELECT ON") {
            let table = words.table()?;
            words.need("FROM")?;
            let user = words.name()?;
            self.grants.retain(|grant| *grant != (table.clone(), user.clone()));
        } else if words.take("DROP USER IF EXISTS") {
            let name = words.name()?;
            self.users.remove(&name);
            self.grants.retain(|(_, user)| *user != name);
        } else if words.take("DROP QUOTA IF EXISTS") {
            self.quotas.remove(&words.name()?);
        } else {
            words.need("DROP SETTINGS PROFILE IF EXISTS")?;
            self.profiles.remove(&words.name()?);
        }
        ensure!(words.0.is_empty(), "{:?} is too much", words.0);
        Ok(())
    }

    fn to(&self, words: &mut Words) -> Result<String> {
        words.need("TO")?;
        let user = words.name()?;
        ensure!(self.users.contains_key(&user), "there is no user {user}");
        Ok(user)
    }

    /// The same for the engine. Whoever does not prove themselves by a password is let in with this one by whoever
    /// looks at certificates and tokens before the engine.
    pub fn xml(&self, password: &str) -> String {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        let mut xml = String::from("<clickhouse><profiles>");
        let elements = |map: &BTreeMap<String, String>| -> String {
            map.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect()
        };
        let mut add = |text: String| write!(xml, "{text}").expect("a text takes any text");
        for (name, (settings, _)) in &self.profiles {
            add(format!("<{name}>{}</{name}>", elements(settings)));
        }
        add("</profiles><quotas>".to_owned());
        for (name, (limits, _)) in &self.quotas {
            let hour = format!("<interval><duration>3600</duration>{}</interval>", elements(limits));
            add(format!("<{name}>{hour}</{name}>"));
        }
        add("</quotas><users>".to_owned());
        for (user, proof) in &self.users {
            let password = if let Proof::Password(own) = proof { own } else { password };
            let hash: String = Sha256::digest(password).iter().map(|byte| format!("{byte:02x}")).collect();
            let of = |all: &BTreeMap<String, (BTreeMap<String, String>, String)>| {
                let own = all.iter().find(|(_, (_, whose))| whose == user);
                own.map_or_else(|| "default".to_owned(), |(name, _)| name.clone())
            };
            // Without any, the engine would let the user do everything.
            let none = "<query>GRANT USAGE ON *.*</query>".to_owned();
            let grants = self.grants.iter().filter(|(_, whose)| whose == user);
            let grants =
                grants.map(|(table, _)| format!("<query>GRANT SELECT ON {}</query>", escaped(table)));
            add(format!(
                "<{user}><password_sha256_hex>{hash}</password_sha256_hex><networks><ip>127.0.0.1</ip></networks>\
                 <profile>{}</profile><quota>{}</quota><grants>{none}{}</grants></{user}>",
                of(&self.profiles),
                of(&self.quotas),
                grants.collect::<String>()
            ));
        }
        add("</users></clickhouse>".to_owned());
        xml
    }
}
