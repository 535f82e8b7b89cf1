//! Messages and sockets, as providers, strangers and attackers use them.

mod corpus;
mod door;
mod events;
mod message;
mod pages;
mod proofs;
mod thread;
