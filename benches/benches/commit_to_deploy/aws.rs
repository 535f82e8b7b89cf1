//! A simulated AWS behind a loopback port, which notes when each call came and when it was answered.
//!
//! `trueup_sim::serve` counts in milliseconds; here a part of one counts, and so this is a mount of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use trueup_sim::{Reply, Request, Simulator, Time};

/// From a call to its answer, whatever the call: about what AWS takes at its fastest, so that what trueup adds is rather
/// too large a part of the whole than too small.
pub const ANSWER: Duration = Duration::from_millis(10);

/// The header of calls that are repeated by the benchmark and not by trueup.
const AGAIN: &str = "x-again";

/// How many calls the simulator itself remembers: they are not judged.
const CALLS_KEPT: usize = 100;

/// An AWS that listens until the process ends.
pub struct Aws {
    address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    simulator: Mutex<Simulator>,
    calls: Mutex<Vec<Call>>,
    /// Told whenever a call came.
    news: Condvar,
    began: Instant,
    start: Time,
    passed: Mutex<Duration>,
}

/// A call of trueup.
#[derive(Clone, Debug)]
pub struct Call {
    /// Such as `ModifyTargetGroup`.
    pub action: String,
    /// Whether it may change a resource.
    pub mutates: bool,
    /// When all of it had come.
    pub came: Instant,
    /// When its answer was sent; `None` before.
    pub went: Option<Instant>,
    /// As it came.
    request: Request,
}

impl Aws {
    /// Starts to listen. The time of `simulator` runs at the pace of the real one.
    ///
    /// # Errors
    /// When there is no port left.
    pub fn start(mut simulator: Simulator) -> Result<Self> {
        simulator.recorder.keep(CALLS_KEPT);
        let listener = TcpListener::bind("127.0.0.1:0").context("no port is left")?;
        let address = listener.local_addr()?;
        let inner = Arc::new(Inner {
            start: simulator.now(),
            simulator: Mutex::new(simulator),
            calls: Mutex::default(),
            news: Condvar::new(),
            began: Instant::now(),
            passed: Mutex::default(),
        });
        let shared = Arc::clone(&inner);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let inner = Arc::clone(&shared);
                // A client that went away needs no answer.
                thread::spawn(move || inner.serve(&client));
            }
        });
        Ok(Self { address, inner })
    }

    /// For `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets time pass here, and nowhere else.
    pub fn pass(&self, time: Duration) {
        *lock(&self.inner.passed) += time;
        self.inner.now_in(&mut lock(&self.inner.simulator));
    }

    /// Waits until the calls since `begun` are as wanted, and no further call comes for as long as `quiet`. Gives them back.
    ///
    /// # Errors
    /// When that is not so within `limit`: with what came.
    pub fn wait(
        &self,
        begun: Instant,
        quiet: Duration,
        limit: Duration,
        wanted: impl Fn(&[Call]) -> bool,
    ) -> Result<Vec<Call>> {
        let deadline = Instant::now() + limit;
        let mut calls = lock(&self.inner.calls);
        loop {
            let ours: Vec<Call> = calls.iter().filter(|call| call.came >= begun).cloned().collect();
            let last = ours.iter().map(|call| call.went.unwrap_or_else(Instant::now)).max().unwrap_or(begun);
            let now = Instant::now();
            if wanted(&ours) && now >= last + quiet {
                return Ok(ours);
            }
            if now >= deadline {
                let actions: Vec<&str> = ours.iter().map(|call| call.action.as_str()).collect();
                bail!("waited {limit:?} for what did not come; the calls were {actions:?}");
            }
            let next = if wanted(&ours) { deadline.min(last + quiet) } else { deadline };
            // Never nothing, so that what is just not quiet yet is not asked after all the time.
            let pause = next.saturating_duration_since(now).max(ANSWER / 10);
            let woken = self.inner.news.wait_timeout(calls, pause);
            (calls, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Makes the same calls again, one after the other on one connection, and gives what that took. They are not noted.
    ///
    /// # Errors
    /// When one is not answered.
    pub fn again(&self, calls: &[Call]) -> Result<Duration> {
        let request = |call: &Call| {
            let Request { method, target, headers, body } = &call.request;
            let again = [(AGAIN.to_owned(), String::new())];
            written(&format!("{method} {target} HTTP/1.1"), &[headers, &again[..]].concat(), body)
        };
        let requests: Vec<Vec<u8>> = calls.iter().map(request).collect();
        let begun = Instant::now();
        let mut client = TcpStream::connect(self.address)?;
        client.set_nodelay(true)?;
        let mut answers = BufReader::new(client.try_clone()?);
        for request in requests {
            client.write_all(&request)?;
            let status = head(&mut answers)?.context("the connection was closed")?.0;
            if !status.starts_with("HTTP/1.1 200 ") {
                bail!("a call that is made again is answered `{status}`");
            }
        }
        Ok(begun.elapsed())
    }
}

impl Inner {
    /// Answers one call after the other until the client goes away.
    fn serve(&self, client: &TcpStream) -> Result<()> {
        client.set_nodelay(true)?;
        let mut reader = BufReader::new(client.try_clone()?);
        while let Some((line, headers, body)) = head(&mut reader)? {
            let came = Instant::now();
            let mut words = line.split_whitespace().map(str::to_owned);
            let (method, target) = words.next().zip(words.next()).context("a request has a method and a target")?;
            let request = Request { method, target, headers, body };
            let noted = request.header(AGAIN).is_none();
            let (reply, place) = {
                let mut simulator = lock(&self.simulator);
                let now = self.now_in(&mut simulator);
                let reply = simulator.handle(now, &request);
                let record = simulator.recorder.records().last().context("a call is recorded")?;
                let (action, mutates) = (record.call.action.clone(), record.call.mutates());
                let place = noted.then(|| self.note(Call { action, mutates, came, went: None, request }));
                (reply, place)
            };
            let Reply::Answer { response, .. } = reply else { bail!("nothing goes wrong in this AWS") };
            thread::sleep(ANSWER.saturating_sub(came.elapsed()));
            let answer = written(&format!("HTTP/1.1 {} OK", response.status), &response.headers, &response.body);
            if let Some(place) = place {
                // Before it is sent: what trueup does with it is trueup's own time.
                lock(&self.calls)[place].went = Some(Instant::now());
            }
            let mut client = client;
            client.write_all(&answer)?;
        }
        Ok(())
    }

    /// Notes a call. Gives its place.
    fn note(&self, call: Call) -> usize {
        let mut calls = lock(&self.calls);
        calls.push(call);
        self.news.notify_all();
        calls.len() - 1
    }

    /// Brings the simulation up to the present time, which is given back.
    fn now_in(&self, simulator: &mut Simulator) -> Time {
        let now = self.start + self.began.elapsed() + *lock(&self.passed);
        simulator.advance(now);
        now
    }
}

/// A message's first line, its headers in lower case, and its body; `None` at the end of the connection.
type Message = (String, Vec<(String, String)>, Vec<u8>);

fn head(reader: &mut BufReader<TcpStream>) -> Result<Option<Message>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse()?;
        }
        headers.push((name, value));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((line, headers, body)))
}

fn written(line: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let headers = headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]);
    let mut bytes = [line, "\r\n"].into_iter().chain(headers).chain(["\r\n"]).collect::<String>().into_bytes();
    bytes.extend(body);
    bytes
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
