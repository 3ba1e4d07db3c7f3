//! The gate in front of an emulator: Google's token endpoint, Google's rules, and the faults a test asks for.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::middleware::Compress;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::act::{Act, Seen};
use super::place::PROJECT;
use super::{Account, Server, strict};

/// Where the gate says all data is: jobs elsewhere do not find it, nor are they found without it.
pub const REGION: &str = "europe-west3";
/// The most bytes of a request.
const MOST: usize = 64 << 20;

struct Rule {
    wanted: Arc<dyn Fn(&Seen) -> bool + Send + Sync>,
    left: usize,
    act: Act,
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    rules: Vec<Rule>,
    /// Body and answer by request ID.
    requests: HashMap<String, (Value, u16, Vec<u8>)>,
    /// Jobs that still run, for how many questions, and their answer.
    pending: HashMap<String, (usize, Vec<u8>)>,
    /// What tables are constrained by, for an emulator that forgets it.
    constraints: HashMap<String, Value>,
}

/// What the gate's threads share.
struct Shared {
    emulator: String,
    http: reqwest::Client,
    account: Account,
    state: Mutex<State>,
}

/// A gate on a port of 127.0.0.1; it closes with this value.
pub struct Gate {
    /// Where it listens.
    pub port: u16,
    shared: Arc<Shared>,
    handle: ServerHandle,
}

impl Gate {
    /// Opens a gate in front of an emulator.
    pub async fn open(server: &Server) -> Result<Self> {
        // The scheme is http, so the provider is never used; the client wants one all the same.
        rustls::crypto::ring::default_provider().install_default().ok();
        let shared = Arc::new(Shared {
            emulator: server.url(),
            http: reqwest::Client::builder().no_proxy().build()?,
            account: Account::new(&server.key)?,
            state: Mutex::default(),
        });
        let data = web::Data::from(shared.clone());
        let build = move || {
            App::new()
                .app_data(data.clone())
                .app_data(web::PayloadConfig::new(MOST))
                .wrap(Compress::default())
                .default_service(web::to(handle))
        };
        let server = HttpServer::new(build).workers(1).disable_signals().bind(("127.0.0.1", 0))?;
        let port = server.addrs().first().context("the gate has no address")?.port();
        let running = server.run();
        let handle = running.handle();
        tokio::spawn(running);
        Ok(Self { port, shared, handle })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The account that may pass.
    pub fn account(&self) -> &Account {
        &self.shared.account
    }

    /// The key file of that account, with its token endpoint here.
    pub fn key_file(&self) -> String {
        self.shared.account.key_file(&format!("{}/token", self.url())).to_string()
    }

    /// What was asked so far, tokens apart.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.lock().seen.clone()
    }

    /// What was asked so far and is of that sort.
    pub fn count(&self, wanted: impl Fn(&Seen) -> bool) -> usize {
        self.shared.lock().seen.iter().filter(|seen| wanted(seen)).count()
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        self.shared.lock().seen.clear();
    }

    /// From now on does `act` for the next `times` requests of a sort. Of several, the oldest that is left counts.
    pub fn rule(&self, times: usize, wanted: impl Fn(&Seen) -> bool + Send + Sync + 'static, act: Act) {
        self.shared.lock().rules.push(Rule { wanted: Arc::new(wanted), left: times, act });
    }

    /// Adds what a table is constrained by to what the emulator tells of it.
    pub fn constrain(&self, dataset: &str, table: &str, constraints: Value) {
        let path = format!("/projects/{PROJECT}/datasets/{dataset}/tables/{table}");
        self.shared.lock().constraints.insert(path, constraints);
    }

    /// The same with a change of the answer.
    pub fn change(
        &self,
        times: usize,
        wanted: impl Fn(&Seen) -> bool + Send + Sync + 'static,
        change: impl Fn(&mut Value) + Send + Sync + 'static,
    ) {
        self.rule(times, wanted, Act::Change(Arc::new(change)));
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the lock panics")
    }

    /// What to do with a request, and that it came.
    fn act(&self, seen: &Seen) -> Option<Act> {
        let mut state = self.lock();
        state.seen.push(seen.clone());
        let rule = state.rules.iter_mut().find(|rule| rule.left > 0 && (rule.wanted)(seen))?;
        rule.left -= 1;
        Some(rule.act.clone())
    }

    /// Asks the emulator. Request IDs stop here: one emulator takes them for job IDs, the other ignores them.
    async fn forward(&self, request: &HttpRequest, seen: &Seen) -> Result<(u16, Vec<u8>)> {
        let method = reqwest::Method::from_bytes(seen.method.as_bytes())?;
        let mut asked = self.http.request(method, format!("{}{}", self.emulator, request.uri()));
        if !seen.body.is_null() {
            let mut body = seen.body.clone();
            if let Some(fields) = body.as_object_mut() {
                fields.remove("requestId");
            }
            asked = asked.json(&body);
        }
        let answer = asked.send().await?;
        let status = answer.status().as_u16();
        let mut bytes = answer.bytes().await?.to_vec();
        if seen.path.contains("/tables/") && status == 200 {
            bytes = placed(&bytes, self.lock().constraints.get(&seen.path))?;
        }
        Ok((status, bytes))
    }
}

/// An answer about a table, which says where it is.
fn placed(bytes: &[u8], constraints: Option<&Value>) -> Result<Vec<u8>> {
    let mut answer: Value = serde_json::from_slice(bytes)?;
    if let Some(constraints) = constraints {
        answer["tableConstraints"] = constraints.clone();
    }
    if answer.get("schema").is_some() {
        answer["location"] = json!(REGION);
    }
    Ok(serde_json::to_vec(&answer)?)
}

/// An error in BigQuery's words.
fn refusal(status: u16, reason: &str, message: &str) -> HttpResponse {
    let body = json!({"error": {
        "code": status,
        "message": message,
        "errors": [{"domain": "global", "reason": reason, "message": message}],
        "status": "REFUSED",
    }});
    answered(status, &body)
}

fn answered(status: u16, body: &Value) -> HttpResponse {
    raw(status, "application/json; charset=UTF-8", body.to_string().into_bytes())
}

fn raw(status: u16, kind: &str, body: Vec<u8>) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status).content_type(kind).body(body)
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

async fn handle(shared: web::Data<Shared>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let kind = header(&request, "content-type").unwrap_or_default().to_owned();
    if request.path() == "/token" {
        if request.method() != "POST" || kind != "application/x-www-form-urlencoded" {
            return refusal(400, "invalid", "no form");
        }
        return match shared.account.token(&String::from_utf8_lossy(&body)) {
            Ok(token) => answered(200, &token),
            Err(denied) => answered(400, &denied),
        };
    }
    let Some(path) = request.path().strip_prefix("/bigquery/v2").map(str::to_owned) else {
        return raw(404, "text/html", b"<html><title>Error 404 (Not Found)</title></html>".to_vec());
    };
    let query = web::Query::<BTreeMap<String, String>>::from_query(request.query_string());
    let Ok(web::Query(query)) = query else { return refusal(400, "invalid", "no parameters") };
    if !body.is_empty() && kind != "application/json" {
        return refusal(400, "parseError", "the body is not said to be JSON");
    }
    let Ok(body) = (if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) }) else {
        return refusal(400, "parseError", "the body is no JSON");
    };
    let seen = Seen { method: request.method().to_string(), path, query, body };
    let act = shared.act(&seen);
    if !shared.account.knows(header(&request, "authorization")) {
        let words = "Request had invalid authentication credentials. Expected OAuth 2 access token.";
        return refusal(401, "authError", words);
    }
    match act {
        Some(Act::Answer(status, body)) => answered(status, &body),
        Some(Act::Refuse(status, reason, words)) => refusal(status, reason, words),
        Some(Act::Raw(status, kind, body)) => raw(status, kind, body),
        Some(Act::Hang) => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            refusal(503, "backendError", "hung")
        }
        act => match right(&shared, &request, &seen, act).await {
            Ok(answer) => answer,
            Err(error) => refusal(500, "internalError", &format!("the gate failed: {error:#}")),
        },
    }
}

/// The right answer, but for changes.
async fn right(
    shared: &Shared,
    request: &HttpRequest,
    seen: &Seen,
    act: Option<Act>,
) -> Result<HttpResponse> {
    let queries = seen.method == "POST" && seen.path.ends_with("/queries");
    if queries && let Err(words) = strict::query(&seen.body) {
        return Ok(refusal(400, "invalid", &words));
    }
    if seen.results()
        && let Err(words) = strict::results(&seen.query)
    {
        return Ok(refusal(400, "invalid", &words));
    }
    let reads = queries && seen.body["query"].as_str().is_some_and(|sql| sql.contains(" FROM "));
    if reads && seen.body["location"] != REGION {
        return Ok(refusal(404, "notFound", "Not found: Dataset was not found in location US"));
    }
    let job = seen.path.split("/queries/").nth(1).or(seen.path.split("/jobs/").nth(1));
    if job.is_some() && seen.query.get("location").map(String::as_str) != Some(REGION) {
        return Ok(refusal(404, "notFound", "Not found: Job"));
    }
    if seen.cancels() {
        return Ok(answered(200, &json!({"kind": "bigquery#jobCancelResponse"})));
    }
    if let Some(job) = job.filter(|_| seen.results())
        && let Some((left, answer)) = shared.lock().pending.get_mut(job)
    {
        if *left > 0 {
            *left -= 1;
            return Ok(answered(200, &unfinished(job)));
        }
        return Ok(raw(200, "application/json", answer.clone()));
    }
    let id = seen.body["requestId"].as_str().filter(|_| queries).map(str::to_owned);
    if queries && id.is_none() && seen.body.get("dryRun").is_none() {
        return Ok(refusal(400, "required", "this gate wants a requestId with every statement"));
    }
    let kept = id.as_ref().and_then(|id| shared.lock().requests.get(id).cloned());
    let (status, mut bytes) = match kept {
        Some((body, ..)) if body != seen.body => {
            return Ok(refusal(400, "invalid", "the requestId was used for another statement"));
        }
        Some((_, status, bytes)) => (status, bytes),
        None => {
            let (status, mut bytes) = shared.forward(request, seen).await?;
            if queries && status == 200 {
                let mut answer: Value = serde_json::from_slice(&bytes)?;
                if answer.get("jobReference").is_some() && reads {
                    answer["jobReference"]["location"] = json!(REGION);
                }
                bytes = serde_json::to_vec(&answer)?;
            }
            if let Some(id) = id {
                shared.lock().requests.insert(id, (seen.body.clone(), status, bytes.clone()));
            }
            (status, bytes)
        }
    };
    match act {
        Some(Act::Change(change)) => {
            let mut answer: Value = serde_json::from_slice(&bytes)?;
            change(&mut answer);
            bytes = serde_json::to_vec(&answer)?;
        }
        Some(Act::Pend(times) | Act::Late(_, times)) => {
            if let Some(Act::Late(wait, _)) = act {
                tokio::time::sleep(wait).await;
            }
            let answer: Value = serde_json::from_slice(&bytes)?;
            let job = answer["jobReference"]["jobId"].as_str().context("the job has no ID")?.to_owned();
            let first = unfinished(&job);
            shared.lock().pending.insert(job, (times, bytes));
            return Ok(answered(200, &first));
        }
        Some(Act::Lose) => {
            return Ok(raw(502, "text/html", b"<html>bad gateway</html>".to_vec()));
        }
        _ => {}
    }
    Ok(raw(status, "application/json; charset=UTF-8", bytes))
}

fn unfinished(job: &str) -> Value {
    json!({
        "kind": "bigquery#queryResponse",
        "jobComplete": false,
        "jobReference": {"projectId": PROJECT, "jobId": job, "location": REGION},
    })
}
