//! What only the BigQuery connector has, on emulators behind a gate that is as strict as Google and can misbehave.

mod costs;
mod jobs;
mod pages;
mod refusals;
mod scene;
mod signing;
mod tables;
mod values;
