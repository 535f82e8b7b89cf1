//! The HTTP edge of trueup: webhooks that announce a push, and pages that serve the status.
//!
//! Both stand behind the same door (`limits`, `serve`): a bounded number of connections, of bytes and of seconds, whoever
//! asks. What answers is a [`Service`]: [`Receiver`] for webhooks, [`Pages`] for what is read. [`Server`] gives each listener
//! a thread, so that neither a flood nor a panic reaches the rest of the process.
//!
//! A webhook is only ever a hint. It says *ask git now*; what is deployed is what git answers. So nothing that comes in here
//! can make trueup do anything that it would not do by itself at the next poll, and nothing that is lost here costs more
//! than the time until that poll.
//!
//! What is distrusted, in this order: how much and how fast somebody sends (`limits`, `serve`), whether it is signed by
//! somebody who has the secret (`signature`, `secrets`), whether it came before (`replays`), and only then what the body
//! says (`push`, `place`). [`Receiver`] is that order as a function of headers and body, without a socket; `webhooks` puts
//! it behind the door.
//!
//! This crate sees no other of ours, and no SDK: it builds and tests in seconds.

mod answer;
mod limits;
mod pages;
mod place;
mod push;
mod receiver;
mod replays;
mod secrets;
mod serve;
mod server;
mod service;
mod signature;
mod webhooks;

pub use self::answer::{Answer, Ignored, Refused};
pub use self::limits::Limits;
pub use self::pages::{Page, Pages};
pub use self::place::Place;
pub use self::receiver::{Receiver, Watched};
pub use self::secrets::{SecretError, SecretSource};
pub use self::serve::serve;
pub use self::server::Server;
pub use self::service::{Asked, Reply, Service, Unread};
