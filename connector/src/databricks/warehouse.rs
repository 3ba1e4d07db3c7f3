//! The SQL warehouse: whether it is there, and whether it sleeps.
//!
//! Source: `GET /api/2.0/sql/warehouses/{id}`; how long warehouses take to start: "SQL warehouse types".

use std::time::Duration;

use serde::Deserialize;

use super::client::{self, Client, Request};
use super::failure;
use crate::http::Answer;
use crate::{ConnectorError, ErrorKind, Rest, Result};

/// What the workspace tells of the warehouse.
pub struct Warehouse {
    told: Told,
    /// The answer itself, which also tells the clock.
    pub answer: Answer,
}

#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    enable_serverless_compute: Option<bool>,
    #[serde(default)]
    auto_stop_mins: Option<i64>,
}

/// Looks at the warehouse, which does not wake it up.
///
/// # Errors
/// `NotFound` when there is none, `Permission` when the user may not use it.
pub async fn look(client: &Client) -> Result<Warehouse> {
    let id = client.warehouse();
    let request = Request {
        doing: "look at the warehouse",
        path: &["api", "2.0", "sql", "warehouses", id],
        query: &[],
        body: None,
        most: client::SMALL,
    };
    let answer = client.call(request).await.map_err(|error| match error.kind() {
        ErrorKind::Permission => error.hint("give the user CAN USE on the warehouse"),
        _ => error,
    });
    let message = || format!("there is no warehouse {id}");
    let answer = failure::missing(answer, message, "take the ID from the warehouse's connection details")?;
    Ok(Warehouse { told: answer.json()?, answer })
}

impl Warehouse {
    /// Whether statements begin at once.
    pub fn awake(&self) -> bool {
        self.told.state.as_deref() == Some("RUNNING")
    }

    /// When it stops by itself, where that was told.
    pub fn rest(&self) -> Option<Rest> {
        match self.told.auto_stop_mins? {
            0 => Some(Rest::Never),
            minutes => Some(Rest::After(Duration::from_secs(u64::try_from(minutes).ok()? * 60))),
        }
    }

    /// Tells its state for people.
    ///
    /// # Errors
    /// `NotFound` when it is being deleted.
    pub fn note(&self) -> Result<String> {
        let name = self.told.name.as_deref().unwrap_or("the warehouse");
        let state = self.told.state.as_deref().unwrap_or_default();
        if state.starts_with("DELET") {
            return Err(ConnectorError::new(ErrorKind::NotFound, format!("warehouse {name:?} was deleted"))
                .hint("choose another warehouse"));
        }
        let serverless = self.told.enable_serverless_compute == Some(true);
        let takes = if serverless { "some seconds" } else { "about four minutes" };
        let state = match state {
            "RUNNING" => "is awake".to_owned(),
            "STARTING" => format!("is waking up, which takes {takes}"),
            _ => format!("sleeps; the first statement wakes it up, which takes {takes}"),
        };
        let stops = match self.told.auto_stop_mins {
            Some(0) => "; it never stops by itself".to_owned(),
            Some(minutes) => format!("; it stops after {minutes} minutes without work"),
            None => String::new(),
        };
        Ok(format!("{name:?} {state}{stops}"))
    }
}
