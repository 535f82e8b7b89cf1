//! What all tests of this program log, on whichever thread.

use std::io;
use std::sync::{Mutex, Once, PoisonError};

/// Everything so far, as text.
static TEXT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

static BEGUN: Once = Once::new();

/// Keeps what is logged from here on, at every level.
pub fn keep() {
    BEGUN.call_once(|| {
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Keeper).finish();
        tracing::subscriber::set_global_default(subscriber).expect("nothing else in this program keeps logs");
    });
}

/// What was logged so far.
pub fn text() -> String {
    String::from_utf8_lossy(&TEXT.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

struct Keeper;

impl io::Write for Keeper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        TEXT.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
