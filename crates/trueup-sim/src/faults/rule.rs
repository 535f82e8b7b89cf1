//! Fault rules: what fails, when, and for which calls.

use std::time::Duration;

use crate::time::Time;
use crate::wire::{Api, Call};

/// One active fault.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultRule {
    /// When.
    pub when: When,
    /// Which calls.
    pub what: What,
    /// The percentage of matching calls that it affects.
    pub percent: u64,
    /// The fault that these calls suffer.
    pub fault: Fault,
}

/// When a rule is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Always.
    Always,
    /// From one time to another, excluding the latter.
    Between(Time, Time),
    /// For the n-th call that the rule matches, from 0.
    Nth(u64),
    /// For the call of this index in the recorder.
    Call(u64),
    /// For the n-th mutating call in the recorder, from 0.
    Mutation(u64),
}

/// Which calls a rule is about; what is left out matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct What {
    /// The service.
    pub service: Option<Api>,
    /// Actions by name; `List*` is every action that begins so.
    pub actions: Vec<String>,
    /// A part of the ARN of a resource that the call names.
    pub resource: Option<String>,
    /// The access key id that signs, or a part of the caller's ARN.
    pub caller: Option<String>,
    /// Only mutating calls, or only reads.
    pub mutating: Option<bool>,
}

/// What AWS and the network do to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `Rate exceeded`, however full the buckets are.
    Throttled,
    /// A 5xx answer.
    ServerError {
        /// 500 or 503, answered by the service; 502 or 504, by a proxy in front of it, with an HTML page.
        status: u16,
        /// Whether the call had its effect all the same.
        executed: bool,
    },
    /// No answer comes.
    NoAnswer {
        /// What the call does nevertheless.
        executed: Executed,
        /// What the client sees.
        ending: Ending,
    },
    /// The answer takes this much longer; the effect does not.
    Slow(Duration),
    /// A read answers from the past.
    Stale {
        /// At most so old.
        up_to: Duration,
        /// Whether no answer is older than one given before. AWS does not promise it: each endpoint has replicas.
        monotonic: bool,
    },
    /// Of the things that a batch read asks for by name, some are missing from the answer.
    Partial {
        /// How many of a hundred.
        percent: u64,
        /// Whether `failures[]` names them, as `MISSING`.
        told: bool,
    },
    /// Pages of listings have at most so many entries, whatever was asked for: AWS promises no length.
    ShortPages(u64),
    /// The caller's temporary credentials are over.
    Expired,
    /// IAM refuses.
    Denied,
    /// The server's clock is ahead of true time by so many seconds (or behind): signatures that are more than five minutes
    /// off its clock are refused, and `date` says its clock.
    ClockSkew(i64),
    /// The client is to be stopped at this call. Calls of the same access key after it are not heard, until
    /// [`crate::Simulator::revive`].
    Cut(Moment),
}

/// What becomes of a call whose answer does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executed {
    /// Nothing: it did not arrive.
    Never,
    /// It is executed when it arrives.
    AtOnce,
    /// It is executed so much later.
    Late(Duration),
}

/// How a call without an answer ends for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The connection is reset.
    Reset,
    /// Nothing comes, until the client's own time-out.
    Silence,
}

/// Where in a call the client is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// Before it is sent: it has no effect.
    BeforeSend,
    /// After it is sent: it has its effect, and no answer comes.
    AfterSend,
    /// After it was answered.
    AfterAnswer,
}

impl FaultRule {
    /// A rule that is always active and affects every matching call.
    pub fn new(what: What, fault: Fault) -> Self {
        Self { when: When::Always, what, percent: 100, fault }
    }

    /// The same rule, active at another time.
    #[must_use]
    pub fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    /// The same rule for a percentage of the calls.
    #[must_use]
    pub fn percent(self, percent: u64) -> Self {
        Self { percent, ..self }
    }

    /// A service is down from one time to another: every caller gets a 503.
    pub fn outage(service: Api, from: Time, to: Time) -> Self {
        Self::new(What::service(service), Fault::ServerError { status: 503, executed: false })
            .when(When::Between(from, to))
    }

    /// All buckets are empty from a time to another, for every client of the account.
    pub fn storm(what: What, from: Time, to: Time) -> Self {
        Self::new(what, Fault::Throttled).when(When::Between(from, to))
    }

    /// Listings of a service lag behind its describes.
    pub fn lagging_lists(service: Api, up_to: Duration) -> Self {
        Self::new(What::action(service, "List*"), Fault::Stale { up_to, monotonic: false })
    }

    /// Stops the client at a call.
    pub fn cut(call: u64, moment: Moment) -> Self {
        Self::new(What::default(), Fault::Cut(moment)).when(When::Call(call))
    }

    /// One fault to the n-th mutating call.
    pub fn mutation(nth: u64, fault: Fault) -> Self {
        Self::new(What::default(), fault).when(When::Mutation(nth))
    }
}

impl What {
    /// All calls of a service.
    pub fn service(service: Api) -> Self {
        Self { service: Some(service), ..Self::default() }
    }

    /// One action of a service, or several by a prefix with `*`.
    pub fn action(service: Api, action: &str) -> Self {
        Self { service: Some(service), actions: vec![action.to_owned()], ..Self::default() }
    }

    /// All reads.
    pub fn reads() -> Self {
        Self { mutating: Some(false), ..Self::default() }
    }

    /// All mutating calls.
    pub fn mutations() -> Self {
        Self { mutating: Some(true), ..Self::default() }
    }

    /// The same, of one caller only.
    #[must_use]
    pub fn by(self, caller: &str) -> Self {
        Self { caller: Some(caller.to_owned()), ..self }
    }

    /// The same, on one resource only.
    #[must_use]
    pub fn on(self, resource: &str) -> Self {
        Self { resource: Some(resource.to_owned()), ..self }
    }

    pub(super) fn matches(&self, call: &Call, caller: &str, resources: &[String]) -> bool {
        let action = |known: &String| match known.strip_suffix('*') {
            Some(prefix) => call.action.starts_with(prefix),
            None => call.action == *known,
        };
        self.service.is_none_or(|service| service == call.service)
            && (self.actions.is_empty() || self.actions.iter().any(action))
            && self.resource.as_ref().is_none_or(|part| resources.iter().any(|resource| resource.contains(part)))
            && self.caller.as_ref().is_none_or(|part| call.access_key == *part || caller.contains(part))
            && self.mutating.is_none_or(|mutating| mutating == call.mutates())
    }
}

impl Fault {
    /// Its name in histories; rules of the same name have streams of chance that differ by their number.
    pub fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::ServerError { executed: false, .. } => "5xx before the effect",
            Self::ServerError { executed: true, .. } => "5xx after the effect",
            Self::NoAnswer { executed: Executed::Never, ending: Ending::Reset } => "reset before the effect",
            Self::NoAnswer { executed: Executed::Never, ending: Ending::Silence } => "time-out before the effect",
            Self::NoAnswer { executed: Executed::AtOnce, .. } => "lost answer",
            Self::NoAnswer { executed: Executed::Late(_), .. } => "late effect",
            Self::Slow(_) => "slow answer",
            Self::Stale { .. } => "stale read",
            Self::Partial { .. } => "partial failure",
            Self::ShortPages(_) => "short pages",
            Self::Expired => "expired credentials",
            Self::Denied => "access denied",
            Self::ClockSkew(_) => "clock skew",
            Self::Cut(_) => "cut",
        }
    }
}
