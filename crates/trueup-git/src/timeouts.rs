//! libgit2's time-outs, which are process-wide.

use std::sync::Once;

/// How long a connection may take to come about, in milliseconds.
const CONNECT_MILLISECONDS_MAX: i32 = 10_000;

/// How long a server may say nothing, in milliseconds. GitHub and others need several seconds before the first byte of a
/// large pack. A server that drips is caught by [`crate::Bounds::fetch_time_max`].
const SILENCE_MILLISECONDS_MAX: i32 = 30_000;

static SET: Once = Once::new();

/// Sets the time-outs, once per process and before its first connection: libgit2 itself waits for ever.
#[expect(unsafe_code, reason = "git2 has no safe way to these two settings")]
pub(crate) fn set() {
    SET.call_once(|| {
        // SAFETY: both functions write a C `int` that only libgit2's network code reads. No network code runs before
        // the first `Repository::open`, which comes through here, and `Once` lets nobody past before it is done.
        let set = unsafe {
            git2::opts::set_server_connect_timeout_in_milliseconds(CONNECT_MILLISECONDS_MAX)
                .and_then(|()| git2::opts::set_server_timeout_in_milliseconds(SILENCE_MILLISECONDS_MAX))
        };
        set.expect("these two options take any number");
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "git2 has no safe way to these two settings")]
    fn libgit2_does_not_wait_for_ever() {
        set();
        // SAFETY: both read what was written before, and nothing in this process writes it again.
        let (connect, silence) = unsafe {
            let connect = git2::opts::get_server_connect_timeout_in_milliseconds();
            (connect, git2::opts::get_server_timeout_in_milliseconds())
        };
        assert_eq!((connect.unwrap(), silence.unwrap()), (CONNECT_MILLISECONDS_MAX, SILENCE_MILLISECONDS_MAX));
    }
}
