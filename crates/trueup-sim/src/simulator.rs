//! Turns a request into the reply that the client experiences.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::chance::Stream;
use crate::faults::past::Past;
use crate::faults::{Ending, Executed, Fault, FaultVerdict, Faults, Moment, texts};
use crate::hash::hash;
use crate::http::{Reply, Request, Response};
use crate::principals::{Principal, Principals};
use crate::recorder::{Effect, Fate, Record, Recorder};
use crate::services::cloudtrail::{self, Happened};
use crate::throttle::{Buckets, rate_exceeded};
use crate::time::Time;
use crate::truth;
use crate::wire::answer::Envelope;
use crate::wire::read::{Incoming, Refusal, read};
use crate::wire::{Api, Call, Outcome};
use crate::world::World;
use crate::writers::{Deed, Writer};

mod cuts;
#[cfg(test)]
mod tests;

use cuts::Cuts;
pub use cuts::Reached;

/// A simulated AWS. A clone evolves independently from then on; it shares only the listeners for cuts.
#[derive(Clone, Debug)]
pub struct Simulator {
    /// The principals by access key.
    pub principals: Principals,
    /// All calls so far.
    pub recorder: Recorder,
    /// The active faults.
    pub faults: Faults,
    /// AWS's request limits.
    pub buckets: Buckets,
    home: Place,
    worlds: BTreeMap<Place, World>,
    past: Past,
    due: BTreeMap<(Time, u64), Due>,
    queued: u64,
    interposed: BTreeMap<u64, Vec<Act>>,
    seed: u64,
    now: Time,
    request_ids: Stream,
    latency: Stream,
    cuts: Cuts,
}

/// An account and a region.
type Place = (String, String);

/// A scheduled action from outside the worlds.
#[derive(Clone, Debug)]
enum Due {
    /// The call with this index takes effect.
    Effect(u64),
    /// A writer acts.
    Deed(Box<Act>),
}

/// An action of a writer, in an account and region.
#[derive(Clone, Debug)]
struct Act {
    writer: Writer,
    place: Place,
    deed: Deed,
}

impl Simulator {
    /// A simulation from a seed, starting at [`Time::START`]. Calls by unregistered access keys work on this account.
    pub fn new(account: &str, region: &str, seed: u64) -> Self {
        Self::starting(account, region, seed, Time::START)
    }

    /// As [`Simulator::new`], starting at another time.
    pub fn starting(account: &str, region: &str, seed: u64, start: Time) -> Self {
        Self::around(World::new(account, region, seed, start))
    }

    /// A simulation of a world that was set up before.
    pub fn around(world: World) -> Self {
        let (seed, now) = (world.chance.seed(), world.now);
        let home = (world.account.clone(), world.region.clone());
        Self {
            principals: Principals::new(&world.account),
            recorder: Recorder::default(),
            faults: Faults::new(seed),
            buckets: Buckets::default(),
            worlds: BTreeMap::from([(home.clone(), world)]),
            home,
            past: Past::default(),
            due: BTreeMap::new(),
            queued: 0,
            interposed: BTreeMap::new(),
            seed,
            now,
            request_ids: Stream::named(seed, "request ids"),
            latency: Stream::named(seed, "latency"),
            cuts: Cuts::default(),
        }
    }

    /// The time up to which the simulation has run.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The world of the account and region with which the simulation started.
    pub fn world(&self) -> &World {
        &self.worlds[&self.home]
    }

    /// The same world, to set it up or to change it without a call.
    pub fn world_mut(&mut self) -> &mut World {
        let (account, region) = self.home.clone();
        self.world_of(&account, &region)
    }

    /// The world of another account or region, empty at first.
    pub fn world_of(&mut self, account: &str, region: &str) -> &mut World {
        let place = (account.to_owned(), region.to_owned());
        let (seed, now) = (self.seed, self.now);
        self.worlds.entry(place).or_insert_with(|| {
            // Two worlds must not hand out the same ids.
            let seed = Stream::named(seed, &format!("{account}/{region}")).bits();
            World::new(account, region, seed, now)
        })
    }

    /// Has a writer do something in the first account and region, at a time.
    pub fn script(&mut self, at: Time, writer: &Writer, deed: Deed) {
        let place = self.home.clone();
        self.later(at, Due::Deed(Box::new(Act { writer: writer.clone(), place, deed })));
    }

    /// Has a writer do something in the first account and region right after the call of this index: between a read of the
    /// product's and the write that it decides on.
    pub fn script_after(&mut self, call: u64, writer: &Writer, deed: Deed) {
        let act = Act { writer: writer.clone(), place: self.home.clone(), deed };
        self.interposed.entry(call).or_default().push(act);
    }

    /// Answers the calls of a client again that was cut off: it was restarted.
    pub fn revive(&mut self, access_key: &str) {
        self.cuts.revive(access_key);
    }

    /// The cuts that were reached so far.
    pub fn cuts(&self) -> &[Reached] {
        self.cuts.reached()
    }

    /// Calls this as soon as a cut is reached, before the client sees anything of it.
    pub fn on_cut(&mut self, hook: impl Fn(&Reached) + Send + Sync + 'static) {
        self.cuts.hook(Arc::new(hook));
    }

    /// Lets everything happen until `now`: in the worlds, late effects, and what others do.
    pub fn advance(&mut self, now: Time) {
        while let Some(entry) = self.due.first_entry() {
            let (at, _) = *entry.key();
            if at > now {
                break;
            }
            let due = entry.remove();
            self.advance_worlds(at);
            match due {
                Due::Effect(index) => {
                    let Record { account, caller, call, resources, .. } = self.recorder.record(index).clone();
                    let principal = Principal { account, arn: caller, expires: None };
                    let (outcome, truth) = self.execute(&principal, &call, &resources);
                    let record = self.recorder.record(index);
                    (record.outcome, record.truth) = (Some(outcome), truth);
                }
                Due::Deed(act) => self.perform(&act),
            }
        }
        self.advance_worlds(now);
    }

    /// The time of the next event that needs no call.
    pub fn next(&self) -> Option<Time> {
        let due = self.due.keys().next().map(|(at, _)| *at);
        self.worlds.values().filter_map(World::next).chain(due).min()
    }

    /// Handles a request that arrives at `now`.
    pub fn handle(&mut self, now: Time, request: &Request) -> Reply {
        self.advance(now);
        let request_id = self.request_id();
        let after = Duration::from_millis(self.latency.between(5, 40));
        match read(request) {
            Ok(incoming) => {
                let index = self.recorder.next_index();
                let reply = self.answer(&incoming, &request_id, after);
                for act in self.interposed.remove(&index).unwrap_or_default() {
                    self.perform(&act);
                }
                reply
            }
            Err(refusal) => {
                let Refusal { protocol, service, error } = *refusal;
                let envelope = Envelope { protocol, service, action: "", request_id: &request_id, now: self.now };
                Reply::Answer { after, response: envelope.respond(&Err(error)) }
            }
        }
    }

    fn answer(&mut self, incoming: &Incoming, request_id: &str, after: Duration) -> Reply {
        let Incoming { call, protocol, signed_at } = incoming;
        let principal = self.principals.of(&call.access_key);
        let index = self.recorder.arrived(self.now, &principal.arn, &principal.account, call.clone());
        if self.cuts.is_dead(&call.access_key) {
            self.recorder.record(index).faults.push("after the cut");
            return Reply::Silence;
        }
        self.remember_the_past(&principal.account, &call.region);
        let verdict = self.faults.judge(self.recorder.record(index));
        let skew = Duration::from_secs(verdict.ahead.unsigned_abs());
        let server_time = if verdict.ahead < 0 { self.now - skew } else { self.now + skew };
        let after = after + verdict.slow;
        self.recorder.record(index).faults.clone_from(&verdict.names);
        let resources = self.recorder.record(index).resources.clone();

        let skewed = (verdict.ahead != 0).then(|| signed_at.and_then(|at| texts::skewed(*protocol, at, server_time)));
        let refused = match verdict.decisive {
            _ if skewed.as_ref().is_some_and(Option::is_some) => skewed.flatten(),
            Some(Fault::Throttled) => Some(rate_exceeded(call.service)),
            Some(Fault::ServerError { status, executed: false }) => Some(texts::server_error(*protocol, status)),
            Some(Fault::Expired) => Some(texts::expired(*protocol)),
            _ if principal.expires.is_some_and(|expires| expires <= self.now) => Some(texts::expired(*protocol)),
            Some(Fault::Denied) => {
                Some(texts::denied(*protocol, call, &principal.arn, resources.first().map(String::as_str)))
            }
            Some(Fault::NoAnswer { executed, ending }) if executed != Executed::AtOnce => {
                return self.unheard(index, executed, ending, after);
            }
            Some(Fault::Cut(Moment::BeforeSend)) => return self.cut(index, Moment::BeforeSend, Reply::Silence),
            _ => (!self.buckets.take(self.now, &principal.account, call)).then(|| rate_exceeded(call.service)),
        };
        let executed = refused.is_none();
        let outcome = match refused {
            Some(error) => Err(error),
            None => self.execute_as_judged(index, &principal, call, &verdict),
        };
        let told = match verdict.decisive {
            Some(Fault::ServerError { status, executed: true }) => Err(texts::server_error(*protocol, status)),
            _ => outcome.clone(),
        };
        let envelope = Envelope {
            protocol: *protocol,
            service: Some(call.service),
            action: &call.action,
            request_id,
            now: server_time,
        };
        let response = match (verdict.decisive, &told) {
            // These come from a proxy in front of the service, which speaks no API.
            (Some(Fault::ServerError { status: status @ (502 | 504), .. }), Err(_)) => gateway_error(status),
            _ => envelope.respond(&told),
        };
        let record = self.recorder.record(index);
        if executed {
            record.effect = Effect::AtOnce;
        }
        record.outcome = Some(if record.mutation.is_some() { outcome } else { outcome.map(|_| Value::Null) });
        record.fate = answered(&response, after);
        match verdict.decisive {
            Some(Fault::NoAnswer { ending, .. }) if executed => self.unanswered(index, ending, after),
            Some(Fault::Cut(Moment::AfterSend)) => self.cut(index, Moment::AfterSend, Reply::Silence),
            Some(Fault::Cut(moment)) => self.cut(index, moment, Reply::Answer { after, response }),
            _ => Reply::Answer { after, response },
        }
    }

    /// Executes a call, or answers a read from the past, and takes from the answer what a fault takes.
    fn execute_as_judged(&mut self, index: u64, principal: &Principal, call: &Call, verdict: &FaultVerdict) -> Outcome {
        let shortened = verdict.page.map(|size| texts::shortened(call, size));
        let call = shortened.as_ref().unwrap_or(call);
        let past = verdict.as_of.and_then(|time| self.past.at(&principal.account, &call.region, time));
        let mut outcome = if let Some(mut world) = past {
            dispatch(&mut world, &principal.arn, call)
        } else {
            let resources = self.recorder.record(index).resources.clone();
            let (outcome, truth) = self.execute(principal, call, &resources);
            self.recorder.record(index).truth = truth;
            outcome
        };
        if let (Some((chance, percent, told)), Ok(output)) = (&verdict.partial, &mut outcome) {
            let mut chance = chance.clone();
            texts::thin(&call.action, output, *told, || chance.percent(*percent));
        }
        outcome
    }

    /// Executes a call in its world, and records what it changed there.
    fn execute(&mut self, principal: &Principal, call: &Call, resources: &[String]) -> (Outcome, Option<truth::Truth>) {
        let memory = self.faults.memory(self.now);
        let world = self.world_of(&principal.account, &call.region);
        let before = call.mutates().then(|| truth::before(world, call, resources));
        let outcome = dispatch(world, &principal.arn, call);
        let truth = before.map(|before| truth::after(before, world, call, resources));
        if truth.is_some() {
            let Call { service, action, access_key, input, .. } = call;
            let error = outcome.as_ref().err();
            let happened = Happened { caller: &principal.arn, access_key, service: *service, action, input, error };
            cloudtrail::append(world, happened);
        }
        if let (Some(memory), Some(_)) = (memory, &truth) {
            let world = &self.worlds[&(principal.account.clone(), call.region.clone())];
            self.past.keep(world, memory);
        }
        if let (Api::Sts, Ok(assumed)) = (call.service, &outcome) {
            self.principals.learn(assumed);
        }
        (outcome, truth)
    }

    /// Keeps a copy of a world from the first call on that could be answered from the past.
    fn remember_the_past(&mut self, account: &str, region: &str) {
        let Some(memory) = self.faults.memory(self.now) else { return self.past.clear() };
        self.world_of(account, region);
        let world = &self.worlds[&(account.to_owned(), region.to_owned())];
        if self.past.lacks(world) {
            self.past.keep(world, memory);
        }
    }

    /// A call that is not executed now, and gets no answer.
    fn unheard(&mut self, index: u64, executed: Executed, ending: Ending, after: Duration) -> Reply {
        if let Executed::Late(delay) = executed {
            let at = self.now + delay;
            self.later(at, Due::Effect(index));
            self.recorder.record(index).effect = Effect::Late(at);
        }
        self.unanswered(index, ending, after)
    }

    fn unanswered(&mut self, index: u64, ending: Ending, after: Duration) -> Reply {
        let (fate, reply) = match ending {
            Ending::Reset => (Fate::Reset, Reply::Reset { after }),
            Ending::Silence => (Fate::Silence, Reply::Silence),
        };
        self.recorder.record(index).fate = fate;
        reply
    }

    /// The client is stopped here: from now on it is not heard.
    fn cut(&mut self, index: u64, moment: Moment, reply: Reply) -> Reply {
        let now = self.now;
        let record = self.recorder.record(index);
        record.cut = Some(moment);
        let answered_at = match &reply {
            Reply::Answer { after, .. } => Some(now + *after),
            Reply::Reset { .. } | Reply::Silence => None,
        };
        if answered_at.is_none() {
            record.fate = Fate::Silence;
        }
        let reached = Reached { call: index, moment, access_key: record.call.access_key.clone(), answered_at };
        self.cuts.reach(reached);
        reply
    }

    fn perform(&mut self, act: &Act) {
        let Act { writer, place: (account, region), deed } = act;
        let principal = Principal { account: account.clone(), arn: writer.arn.clone(), expires: None };
        let mut last = Value::Null;
        let mut done = 0;
        while let Some((service, action, input)) = deed.step(self.world_of(account, region), done, &last) {
            let call = Call { service, action, access_key: writer.access_key.clone(), region: region.clone(), input };
            let index = self.recorder.arrived(self.now, &writer.arn, account, call.clone());
            // They take from the buckets that all share; that they are refused themselves would only be another script.
            self.buckets.take(self.now, account, &call);
            let resources = self.recorder.record(index).resources.clone();
            let (outcome, truth) = self.execute(&principal, &call, &resources);
            let record = self.recorder.record(index);
            let (status, text) = match &outcome {
                Ok(output) => (200, output.to_string()),
                Err(error) => (error.status, error.message.clone()),
            };
            record.fate = Fate::Answered { status, after: Duration::ZERO, hash: hash(text.as_bytes()) };
            record.effect = Effect::AtOnce;
            record.truth = truth;
            record.outcome = Some(outcome.clone());
            let Ok(output) = outcome else { return };
            last = output;
            done += 1;
        }
    }

    fn later(&mut self, at: Time, due: Due) {
        self.queued += 1;
        self.due.insert((at, self.queued), due);
    }

    fn advance_worlds(&mut self, now: Time) {
        self.now = self.now.max(now);
        for world in self.worlds.values_mut() {
            world.advance(self.now);
        }
    }

    fn request_id(&mut self) -> String {
        let ids = &mut self.request_ids;
        let parts = [ids.hex(8), ids.hex(4), ids.hex(3), ids.hex(3), ids.hex(12)];
        format!("{}-{}-4{}-a{}-{}", parts[0], parts[1], parts[2], parts[3], parts[4])
    }
}

/// Which service answers.
fn dispatch(world: &mut World, caller: &str, call: &Call) -> Outcome {
    let Call { service, action, input, .. } = call;
    match service {
        Api::Ecs => crate::ecs::api::answer(world, caller, action, input),
        Api::ElasticLoadBalancing => crate::elb::api::answer(world, caller, action, input),
        Api::CloudFormation
        | Api::Sts
        | Api::Ecr
        | Api::SecretsManager
        | Api::Ssm
        | Api::CloudWatch
        | Api::ApplicationAutoScaling
        | Api::CloudTrail => crate::services::answer(world, *service, caller, action, input),
    }
}

fn gateway_error(status: u16) -> Response {
    let body = b"<html><body><h1>The server could not complete the request</h1></body></html>".to_vec();
    let headers = [("content-type", "text/html".to_owned()), ("content-length", body.len().to_string())];
    Response { status, headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(), body }
}

fn answered(response: &Response, after: Duration) -> Fate {
    Fate::Answered { status: response.status, after, hash: hash(&response.body) }
}
