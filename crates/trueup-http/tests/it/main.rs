//! Messages and sockets, as providers, strangers and attackers use them.

mod corpus;
mod door;
mod events;
mod logs;
mod message;
mod pages;
mod panics;
mod proofs;
mod thread;
