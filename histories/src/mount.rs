//! The simulator under the SDK: requests of a process go to it, unless the process is dead.

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use tokio::sync::watch;
use tokio::time::sleep;
use trueup_sim::{Reply, Request, Simulator};

use crate::virtual_time::Began;

/// The simulator, for all who talk to it.
pub(crate) type Shared = Arc<Mutex<Simulator>>;

/// Locks it: everything runs on one thread, and nothing waits while holding it.
pub(crate) fn lock(shared: &Shared) -> MutexGuard<'_, Simulator> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where, in the life of one call, a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// The request never leaves: no effect.
    BeforeSend,
    /// The request has its effect; the process does not live to see the answer.
    AfterSend,
    /// The answer has come; nothing that the process does with it leaves the process any more.
    AfterAnswer,
}

impl Moment {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::BeforeSend, Self::AfterSend, Self::AfterAnswer];
}

/// A process dies at this call, counted from 0 in the order in which its calls are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Which call.
    pub call: u64,
    /// When in its life.
    pub moment: Moment,
}

/// The connection of one process: it can be cut, for ever.
#[derive(Clone)]
pub struct Line {
    state: Arc<Mutex<State>>,
    dead: Arc<watch::Sender<bool>>,
}

#[derive(Default)]
struct State {
    calls: u64,
    cut: Option<Cut>,
    /// Bytes that went out, for a judge of secrets.
    sent: Vec<String>,
    keep: bool,
}

impl Default for Line {
    fn default() -> Self {
        Self { state: Arc::default(), dead: Arc::new(watch::Sender::new(false)) }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({} calls)", self.calls())
    }
}

impl Line {
    /// Has the process die at this call.
    pub fn cut_at(&self, cut: Cut) {
        self.state().cut = Some(cut);
    }

    /// Keeps the bodies of what is sent.
    pub fn keep(&self) {
        self.state().keep = true;
    }

    /// The bodies that were kept.
    pub fn sent(&self) -> Vec<String> {
        self.state().sent.clone()
    }

    /// How many calls were sent.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Whether it is cut.
    pub fn is_dead(&self) -> bool {
        *self.dead.borrow()
    }

    /// Cuts it: nothing goes out any more, nothing comes in.
    pub fn kill(&self) {
        self.dead.send_replace(true);
    }

    /// Waits until it is cut.
    pub async fn died(&self) {
        let mut dead = self.dead.subscribe();
        // The sender lives as long as `self`.
        let _ = dead.wait_for(|dead| *dead).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next number and says when in this call the process dies.
    fn next(&self, request: &Request) -> Option<Moment> {
        let mut state = self.state();
        let call = state.calls;
        state.calls += 1;
        if state.keep {
            state.sent.push(String::from_utf8_lossy(&request.body).into_owned());
        }
        state.cut.filter(|cut| cut.call == call).map(|cut| cut.moment)
    }

    /// The SDK's HTTP client of a process.
    pub(crate) fn client(&self, simulator: &Shared, began: Began) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(Connector { line: self.clone(), simulator: simulator.clone(), began });
        http_client_fn(move |_, _| connector.clone())
    }
}

#[derive(Clone, Debug)]
struct Connector {
    line: Line,
    simulator: Shared,
    began: Began,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move { this.carry(&plain(&request)).await })
    }
}

impl Connector {
    async fn carry(self, request: &Request) -> Result<HttpResponse, ConnectorError> {
        if self.line.is_dead() {
            return pending().await;
        }
        let moment = self.line.next(request);
        if moment == Some(Moment::BeforeSend) {
            self.line.kill();
            return pending().await;
        }
        let reply = lock(&self.simulator).handle(self.began.time(), request);
        if moment == Some(Moment::AfterSend) {
            self.line.kill();
            return pending().await;
        }
        let result = match reply {
            Reply::Answer { after, response } => {
                sleep(after).await;
                Ok(answer(response))
            }
            Reply::Reset { after } => {
                sleep(after).await;
                Err(ConnectorError::io("connection reset by peer".into()))
            }
            Reply::Silence => return pending().await,
        };
        if self.line.is_dead() {
            return pending().await;
        }
        if moment == Some(Moment::AfterAnswer) {
            self.line.kill();
        }
        result
    }
}

fn plain(request: &HttpRequest) -> Request {
    let uri = request.uri();
    let target = uri.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned()));
    Request {
        method: request.method().to_owned(),
        target: target.unwrap_or_else(|| "/".to_owned()),
        headers: request.headers().iter().map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
        body: request.body().bytes().unwrap_or_default().to_vec(),
    }
}

fn answer(response: trueup_sim::Response) -> HttpResponse {
    let status = StatusCode::try_from(response.status).expect("the simulator answers with HTTP's own numbers");
    let mut answer = HttpResponse::new(status, SdkBody::from(response.body));
    for (name, value) in response.headers {
        answer.headers_mut().insert(name, value);
    }
    answer
}
