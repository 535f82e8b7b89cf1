//! A thread for a listener, so that nothing that happens to it happens to anybody else.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::limits::Limits;
use crate::serve::serve;
use crate::service::Service;

/// How long until the address is tried again when it is in use, or after the listener failed.
const PAUSE: Duration = Duration::from_secs(5);

/// A listener that runs on a thread and a runtime of its own: a flood has one thread and not the loop's, and what panics
/// there is told and begins anew. Dropped, it stops.
#[derive(Debug)]
pub struct Server {
    address: watch::Receiver<Option<SocketAddr>>,
    /// The thread ends when this is gone.
    _running: watch::Sender<()>,
}

impl Server {
    /// Begins to listen, in a while: an address that is in use is tried again until it is free, as nothing else may wait for
    /// what is served here.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start<S: Service>(address: SocketAddr, service: S, limits: Limits) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (running, mut stopped) = watch::channel(());
        let (listening, listens_at) = watch::channel(None);
        let service = Arc::new(service);
        thread::Builder::new().name(S::THREAD.to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    // Nothing is ever sent: it ends when the server is dropped.
                    _ = stopped.changed() => {}
                    () = keep_listening(address, &service, limits, &listening) => {}
                }
            });
        })?;
        Ok(Self { address: listens_at, _running: running })
    }

    /// Waits until it listens, and says where: with port 0 the system chooses. `None` when its thread has ended.
    pub async fn listening(&mut self) -> Option<SocketAddr> {
        self.address.wait_for(Option::is_some).await.ok().and_then(|address| *address)
    }
}

async fn keep_listening<S: Service>(
    address: SocketAddr,
    service: &Arc<S>,
    limits: Limits,
    listening: &watch::Sender<Option<SocketAddr>>,
) {
    let mut was_told = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                was_told = false;
                let address = listener.local_addr().unwrap_or(address);
                tracing::info!(%address, "Listening for {}.", S::NAME);
                listening.send_replace(Some(address));
                // A task of its own, so that its panic ends there. The error says no more than that, and has the panic's
                // message in it, in which may be what somebody sent.
                let Err(_) = tokio::spawn(serve(listener, Arc::clone(service), limits)).await;
                tracing::error!("The {} listener failed and is restarting; nothing else is affected.", S::NAME);
            }
            Err(error) => {
                if !std::mem::replace(&mut was_told, true) {
                    let name = S::NAME;
                    tracing::warn!(%address, %error, "The {name} listener cannot listen on its address; it retries, and nothing else is affected.");
                }
            }
        }
        sleep(PAUSE).await;
    }
}
