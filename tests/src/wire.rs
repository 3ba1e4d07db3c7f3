//! The statements that PostgreSQL is asked to carry out, heard on the wire: whatever way a client sends them, each counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

use crate::postgres::Database;
use crate::proxy::Proxy;

/// Listens to all connections that are made to a database through it.
#[derive(Debug)]
pub struct Wire {
    proxy: Proxy,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Wire {
    /// Begins to listen.
    ///
    /// # Errors
    /// When it has no port to listen at.
    pub async fn to(database: &Database) -> Result<Self> {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = heard.clone();
        let proxy = Proxy::hearing(database.server.port, move || {
            let mut client = Client { told: told.clone(), ..Client::default() };
            Box::new(move |bytes| client.sends(bytes))
        });
        Ok(Self { proxy: proxy.await?, heard })
    }

    /// The connection string of the database through it.
    pub fn url(&self, database: &Database) -> String {
        let direct = format!("127.0.0.1:{}/", database.server.port);
        database.url().replace(&direct, &format!("127.0.0.1:{}/", self.proxy.port))
    }

    /// The statements since the last time, in the order in which they were sent.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One connection, as far as its client has spoken.
#[derive(Default)]
struct Client {
    told: Arc<Mutex<Vec<String>>>,
    begun: Vec<u8>,
    signed_in: bool,
    /// The texts of statements and portals by name.
    prepared: HashMap<String, String>,
    bound: HashMap<String, String>,
}

impl Client {
    fn sends(&mut self, bytes: &[u8]) {
        self.begun.extend_from_slice(bytes);
        // Messages begin with a letter and their length; those before the sign-in with the length alone.
        while let Some(length) = {
            let at = usize::from(self.signed_in);
            let length =
                self.begun.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_be_bytes);
            length.map(|length| at + length as usize).filter(|length| self.begun.len() >= *length)
        } {
            let message: Vec<u8> = self.begun.drain(..length).collect();
            if self.signed_in {
                self.hears(message[0], &message[5..]);
            } else {
                // Protocol 3: anything else is a question for encryption, which comes before.
                self.signed_in = message[4..8] == [0, 3, 0, 0];
            }
        }
    }

    fn hears(&mut self, letter: u8, body: &[u8]) {
        let mut texts = body.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
        let mut text = || texts.next().unwrap_or_default();
        match letter {
            b'Q' => self.tell(text()),
            b'P' => _ = self.prepared.insert(text(), text()),
            b'B' => {
                let (portal, statement) = (text(), text());
                let statement = self.prepared.get(&statement).cloned().unwrap_or_default();
                self.bound.insert(portal, statement);
            }
            b'E' => {
                let statement = self.bound.get(&text()).cloned().unwrap_or_default();
                self.tell(statement);
            }
            _ => {}
        }
    }

    fn tell(&self, statement: String) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(statement);
    }
}
