//! From a request to what the client experiences.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::chance::Stream;
use crate::http::{Reply, Request, Response};
use crate::principals::Principals;
use crate::recorder::{Effect, Fate, Recorder, hash};
use crate::services::cloudtrail::{self, Happened};
use crate::time::Time;
use crate::wire::answer::Envelope;
use crate::wire::read::{Incoming, read};
use crate::wire::{Call, Outcome, Service};
use crate::world::World;

/// A simulated AWS.
#[derive(Debug)]
pub struct Simulator {
    /// Who is behind which access key.
    pub principals: Principals,
    /// All calls so far.
    pub recorder: Recorder,
    home: Place,
    worlds: BTreeMap<Place, World>,
    seed: u64,
    now: Time,
    request_ids: Stream,
    latency: Stream,
}

/// An account and a region.
type Place = (String, String);

impl Simulator {
    /// A simulation from a seed, beginning at [`Time::START`]. Calls of access keys that nobody named work on this account.
    pub fn new(account: &str, region: &str, seed: u64) -> Self {
        Self::starting(account, region, seed, Time::START)
    }

    /// As [`Simulator::new`], from another time on.
    pub fn starting(account: &str, region: &str, seed: u64, start: Time) -> Self {
        let home = (account.to_owned(), region.to_owned());
        let world = World::new(account, region, seed, start);
        Self {
            principals: Principals::new(account),
            recorder: Recorder::default(),
            worlds: BTreeMap::from([(home.clone(), world)]),
            home,
            seed,
            now: start,
            request_ids: Stream::named(seed, "request ids"),
            latency: Stream::named(seed, "latency"),
        }
    }

    /// The time until which everything has happened.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The account and region that the simulation was made for.
    pub fn world(&self) -> &World {
        &self.worlds[&self.home]
    }

    /// The same, to set it up or to change it behind everybody's back.
    pub fn world_mut(&mut self) -> &mut World {
        let home = self.home.clone();
        self.world_of(&home.0, &home.1)
    }

    /// Another account or region: it is empty at first.
    pub fn world_of(&mut self, account: &str, region: &str) -> &mut World {
        let place = (account.to_owned(), region.to_owned());
        let (seed, now) = (self.seed, self.now);
        self.worlds.entry(place).or_insert_with(|| {
            // Two worlds must not hand out the same ids.
            let seed = Stream::named(seed, &format!("{account}/{region}")).bits();
            World::new(account, region, seed, now)
        })
    }

    /// Lets everything happen until `now`.
    pub fn advance(&mut self, now: Time) {
        self.now = self.now.max(now);
        for world in self.worlds.values_mut() {
            world.advance(self.now);
        }
    }

    /// Takes in a request that arrives at `now`.
    pub fn handle(&mut self, now: Time, request: &Request) -> Reply {
        self.advance(now);
        let request_id = self.request_id();
        let after = Duration::from_millis(self.latency.between(5, 40));
        let Incoming { call, protocol, .. } = match read(request) {
            Ok(incoming) => incoming,
            Err(refusal) => {
                let envelope = Envelope {
                    protocol: refusal.protocol,
                    service: refusal.service,
                    action: "",
                    request_id: &request_id,
                    now: self.now,
                };
                return Reply::Answer { after, response: envelope.respond(&Err(refusal.error)) };
            }
        };
        let principal = self.principals.of(&call.access_key);
        let index = self.recorder.arrived(self.now, &principal.arn, &principal.account, call.clone());
        let outcome = self.execute(&principal.account, &principal.arn, &call);
        let envelope = Envelope {
            protocol,
            service: Some(call.service),
            action: &call.action,
            request_id: &request_id,
            now: self.now,
        };
        let response = envelope.respond(&outcome);
        let record = self.recorder.record(index);
        record.effect = Effect::AtOnce;
        record.fate = answered(&response, after);
        record.outcome =
            Some(if record.mutation.is_some() { outcome } else { outcome.map(|_| serde_json::Value::Null) });
        Reply::Answer { after, response }
    }

    /// Has a call done in its world.
    fn execute(&mut self, account: &str, caller: &str, call: &Call) -> Outcome {
        let world = self.world_of(account, &call.region);
        let outcome = match call.service {
            Service::Ecs => crate::ecs::api::answer(world, caller, &call.action, &call.input),
            Service::ElasticLoadBalancing => crate::elb::api::answer(world, caller, &call.action, &call.input),
            other => crate::services::answer(world, other, caller, &call.action, &call.input),
        };
        if call.mutates() {
            let happened = Happened {
                caller,
                access_key: &call.access_key,
                service: call.service,
                action: &call.action,
                input: &call.input,
                error: outcome.as_ref().err(),
            };
            cloudtrail::append(world, happened);
        }
        if let (Service::Sts, Ok(assumed)) = (call.service, &outcome) {
            self.principals.learn(assumed);
        }
        outcome
    }

    fn request_id(&mut self) -> String {
        let ids = &mut self.request_ids;
        let parts = [ids.hex(8), ids.hex(4), ids.hex(3), ids.hex(3), ids.hex(12)];
        format!("{}-{}-4{}-a{}-{}", parts[0], parts[1], parts[2], parts[3], parts[4])
    }
}

fn answered(response: &Response, after: Duration) -> Fate {
    Fate::Answered { status: response.status, after, hash: hash(&response.body) }
}
