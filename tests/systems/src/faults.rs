//! A proxy that spoils what a service answers, in every way networks, gateways and services are known to.
//!
//! It stands before any service that speaks HTTP and knows of it only what [`Protocol`] tells. A test says which page
//! of a result is spoilt, how, and how often; everything else is passed on as it is.

mod body;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::relay::{Call, Relay, Reply, Script, Wire};
use crate::upstream::Upstream;

/// One way to spoil an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A status that something in front of the service answers with, and the seconds it asks to wait.
    Status(u16, Option<u32>),
    /// Nothing is answered.
    Hang,
    /// Half the body comes, then nothing more.
    HangInBody,
    /// The body comes in small pieces.
    Slow,
    /// The connection is reset in the middle of the body.
    Reset,
    /// Half the body, uncompressed, in an answer that is whole to HTTP.
    HalfBody,
    /// A compressed body that ends too early, in an answer that is whole to HTTP.
    TruncatedGzip,
    /// A length larger than the body, which then ends.
    LongLength,
    /// A length smaller than the body.
    ShortLength,
    /// The page before is sent once more.
    RepeatedPage,
    /// The page after is sent in its place.
    SkippedPage,
    /// The service has thrown the result away.
    Expired,
    /// The total of rows is another than it was.
    LyingTotal,
    /// A compressed body a thousand times as large as it is sent.
    Bomb,
    /// A page for people with a status of success.
    Html,
}

/// How a service hands out results.
pub trait Protocol: Send + Sync + 'static {
    /// Which page of a result of rows a call asks for, from 0; nothing when it asks for something else. A service whose
    /// pages cannot be told apart by the call gives 1 for each after the first.
    fn page(&self, call: &Call) -> Option<usize>;

    /// The call for the page after the one that was answered.
    fn next(&self, call: &Call, reply: &Reply) -> Option<Call>;

    /// The answer for a page of a result that is no more.
    fn expired(&self, call: &Call) -> Reply;

    /// Makes the total of rows wrong; tells whether there was one.
    fn lie(&self, body: &mut serde_json::Value) -> bool;

    /// Where half a body ends. A format whose end is told by HTTP alone is not cut between two rows: nobody could tell.
    fn half(&self, body: &[u8]) -> usize {
        body.len() / 2
    }

    /// Changes a call before it is sent on, such as the size of the pages it asks for.
    fn ask(&self, _call: &mut Call) {}

    /// Changes what the service says of itself, such as addresses past the proxy, which listens at the port.
    fn pass(&self, _port: u16, _reply: &mut Reply) {}
}

/// What is to happen to a page.
#[derive(Clone, Copy, Debug)]
struct Plan {
    page: usize,
    fault: Fault,
    /// How often the page passes before.
    spared: usize,
    left: usize,
}

#[derive(Default)]
struct State {
    plans: Vec<Plan>,
    /// The faults that happened.
    happened: Vec<Fault>,
    /// Pages asked for, spoilt or not.
    pages: Vec<usize>,
    /// The page answered last.
    last: Option<Reply>,
    port: u16,
}

/// The proxy; it stops with this value.
pub struct Faults {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    state: Arc<Mutex<State>>,
    _relay: Relay,
}

struct Spoiler<P> {
    upstream: Upstream,
    protocol: P,
    state: Arc<Mutex<State>>,
}

fn hold(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Faults {
    /// Starts in front of the server at `target` on 127.0.0.1.
    pub async fn before(target: u16, protocol: impl Protocol) -> Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let script = Spoiler { upstream: Upstream::local(target)?, protocol, state: Arc::clone(&state) };
        let relay = Relay::start(Arc::new(script)).await?;
        hold(&state).port = relay.port;
        Ok(Self { port: relay.port, state, _relay: relay })
    }

    /// Spoils a page, so many times. Of several plans for a page the first that is not used up counts.
    pub fn plan(&self, page: usize, fault: Fault, times: usize) {
        hold(&self.state).plans.push(Plan { page, fault, spared: 0, left: times });
    }

    /// Spoils a page whenever it is asked for again.
    pub fn plan_again(&self, page: usize, fault: Fault) {
        hold(&self.state).plans.push(Plan { page, fault, spared: 1, left: usize::MAX });
    }

    /// Spoils nothing any more.
    pub fn lift(&self) {
        hold(&self.state).plans.clear();
    }

    /// The faults that happened since the last call.
    pub fn happened(&self) -> Vec<Fault> {
        std::mem::take(&mut hold(&self.state).happened)
    }

    /// The pages asked for since the last call.
    pub fn pages(&self) -> Vec<usize> {
        std::mem::take(&mut hold(&self.state).pages)
    }
}

impl State {
    /// The fault for a page, which is thereby used once.
    fn fault(&mut self, page: usize) -> Option<Fault> {
        let plan = self.plans.iter_mut().find(|plan| plan.page == page && plan.left > 0)?;
        if plan.spared > 0 {
            plan.spared -= 1;
            return None;
        }
        plan.left -= 1;
        Some(plan.fault)
    }
}

impl<P: Protocol> Spoiler<P> {
    async fn pass(&self, call: &Call) -> Result<Reply> {
        let mut call = call.clone();
        self.protocol.ask(&mut call);
        let mut reply = self.upstream.send(&call).await?;
        let port = hold(&self.state).port;
        self.protocol.pass(port, &mut reply);
        Ok(reply)
    }

    async fn spoil(&self, fault: Fault, call: &Call) -> Result<Wire> {
        Ok(match fault {
            Fault::Status(status, wait) => {
                let reply = Reply::new(status, "text/plain", format!("status {status} of a gateway"));
                Wire::Whole(match wait {
                    Some(seconds) => reply.with("retry-after", seconds),
                    None => reply,
                })
            }
            Fault::Hang => Wire::Hang(Vec::new()),
            Fault::Expired => Wire::Whole(self.protocol.expired(call)),
            Fault::Html => Wire::Whole(Reply::new(200, "text/html; charset=utf-8", body::PAGE)),
            Fault::Bomb => {
                let reply = self.pass(call).await?;
                let kind = reply.header("content-type").unwrap_or("application/json");
                Wire::Whole(Reply::new(200, kind, body::bomb()?).with("content-encoding", "gzip"))
            }
            Fault::RepeatedPage => {
                let before = hold(&self.state).last.clone();
                Wire::Whole(before.context("there is no page before the one to repeat")?)
            }
            Fault::SkippedPage => {
                let reply = self.pass(call).await?;
                let next =
                    self.protocol.next(call, &reply).context("there is no page after the one to skip")?;
                Wire::Whole(self.pass(&next).await?)
            }
            Fault::LyingTotal => {
                let mut plain = body::plain(&self.pass(call).await?)?;
                let mut value = serde_json::from_slice(&plain.body).context("an answer that is no JSON")?;
                anyhow::ensure!(self.protocol.lie(&mut value), "there is no total to lie about: {value}");
                plain.body = serde_json::to_vec(&value)?;
                Wire::Whole(plain)
            }
            Fault::HalfBody => {
                let mut plain = body::plain(&self.pass(call).await?)?;
                let half = self.protocol.half(&plain.body);
                plain.body.truncate(half);
                Wire::Whole(plain)
            }
            Fault::TruncatedGzip => {
                let mut packed = body::packed(&self.pass(call).await?)?;
                packed.body.truncate(packed.body.len() * 2 / 3);
                Wire::Whole(packed)
            }
            Fault::Slow => {
                let reply = self.pass(call).await?;
                let size = (reply.body.len() / 40).max(64);
                Wire::Slow(reply, size, Duration::from_millis(25))
            }
            Fault::HangInBody => Wire::Hang(self.half(call).await?),
            Fault::Reset => Wire::Reset(self.half(call).await?),
            Fault::LongLength => {
                let reply = self.pass(call).await?;
                Wire::Close(reply.bytes_claiming(reply.body.len() + 100))
            }
            Fault::ShortLength => {
                let reply = self.pass(call).await?;
                Wire::Close(reply.bytes_claiming(reply.body.len() * 2 / 3))
            }
        })
    }

    /// Head and half the body of the answer to a call.
    async fn half(&self, call: &Call) -> Result<Vec<u8>> {
        let reply = self.pass(call).await?;
        let mut bytes = reply.bytes();
        bytes.truncate(bytes.len() - reply.body.len() / 2 - 1);
        Ok(bytes)
    }
}

impl<P: Protocol> Script for Spoiler<P> {
    fn answer(&self, call: Call) -> BoxFuture<'_, Result<Wire>> {
        async move {
            let page = self.protocol.page(&call);
            let fault = page.and_then(|page| {
                let mut state = hold(&self.state);
                state.pages.push(page);
                let fault = state.fault(page);
                state.happened.extend(fault);
                fault
            });
            if let Some(fault) = fault {
                return self.spoil(fault, &call).await;
            }
            let reply = self.pass(&call).await?;
            if page.is_some() {
                hold(&self.state).last = Some(reply.clone());
            }
            Ok(Wire::Whole(reply))
        }
        .boxed()
    }
}
