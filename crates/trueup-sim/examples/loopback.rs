//! A simulated AWS on a loopback port: `cargo run -p trueup-sim --example loopback -- [PORT] [SPEED]`, then
//! `aws --endpoint-url http://127.0.0.1:PORT ecs list-clusters` with any credentials.
//!
//! It begins empty and ends with its standard input, so that a test that started it cannot leave it behind.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::AsyncReadExt;
use trueup_sim::Simulator;
use trueup_sim::serve::{Pace, Server};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u32>());
    let mut number = |default| arguments.next().and_then(Result::ok).unwrap_or(default);
    let port = u16::try_from(number(0)).unwrap_or(0);
    let pace = Pace { speed: number(1) };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let server = Server::start(address, Simulator::new("123456789012", "eu-west-1", 1), pace).await?;
    println!("{}", server.url());
    let mut input = tokio::io::stdin();
    let mut ignored = [0; 256];
    while input.read(&mut ignored).await? > 0 {}
    server.stop().await;
    Ok(())
}
