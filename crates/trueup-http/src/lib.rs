//! The HTTP edge of trueup: webhooks that say a push happened.
//!
//! A webhook is only ever a hint. It says *ask git now*; what is deployed is what git answers. So nothing that comes in here
//! can make trueup do anything that it would not do by itself at the next poll, and nothing that is lost here costs more
//! than the time until that poll.
//!
//! What is distrusted, in this order: how much and how fast somebody sends (`limits`, `serve`), whether it is signed by
//! somebody who has the secret (`signature`, `secrets`), whether it came before (`replays`), and only then what the body
//! says (`push`, `place`). [`Receiver`] is that order as a function of headers and body, without a socket; `serve` puts it
//! on one; [`Server`] gives it a thread, so that neither a flood nor a panic reaches the rest of the process.
//!
//! This crate sees no other of ours, and no SDK: it builds and tests in seconds.

mod answer;
mod limits;
mod place;
mod push;
mod receiver;
mod replays;
mod secrets;
mod serve;
mod server;
mod signature;

pub use self::answer::{Answer, Ignored, Refused};
pub use self::limits::Limits;
pub use self::place::Place;
pub use self::receiver::{Receiver, Watched};
pub use self::secrets::{SecretFile, SecretFileError};
pub use self::serve::serve;
pub use self::server::Server;
