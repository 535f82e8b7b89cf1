//! What a defect says before it ends its task: where, and nothing that could be a value.
//!
//! A panic's message is often made of what was at hand (`called Result::unwrap() on an Err value: …`), and what is at hand here are
//! documents and credentials. So only text that stands in the program itself is shown; the place is enough to find the defect.

use std::panic::{self, PanicHookInfo};
use std::thread;

use crate::terminal;

/// Shows panics this way from here on.
pub fn install() {
    panic::set_hook(Box::new(|info| {
        let thread = thread::current();
        terminal::tell(&describe(info, thread.name()));
        // As the standard library does: where it came from, when that is asked for. Frames are names, never values.
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|wanted| wanted != "0") {
            terminal::tell(&std::backtrace::Backtrace::force_capture().to_string());
        }
    }));
}

fn describe(info: &PanicHookInfo<'_>, thread: Option<&str>) -> String {
    let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    // A `&'static str` is a literal of the program; a `String` was made at run time.
    let message = info.payload().downcast_ref::<&'static str>();
    let message =
        message.copied().unwrap_or("the message is not shown, because it may contain values of the configuration");
    let thread = thread.unwrap_or("unnamed");
    format!("trueup has a defect: the thread `{thread}` panicked at {place}: {message}")
}

#[cfg(test)]
mod tests {
    use std::panic::{self, AssertUnwindSafe};
    use std::sync::{Arc, Mutex};

    use super::describe;

    /// The text shown for a panic.
    fn shown(defect: impl FnOnce()) -> String {
        let told: Arc<Mutex<String>> = Arc::default();
        let before = panic::take_hook();
        let hook = Arc::clone(&told);
        panic::set_hook(Box::new(move |info| {
            *hook.lock().expect("nothing panics while it holds the lock") = describe(info, Some("main"));
        }));
        let outcome = panic::catch_unwind(AssertUnwindSafe(defect));
        panic::set_hook(before);
        assert!(outcome.is_err(), "it is a defect");
        told.lock().expect("nothing panics while it holds the lock").clone()
    }

    #[test]
    fn a_defect_tells_its_place_and_no_value() {
        let canary = "hunter2-canary".to_owned();
        let value = canary.clone();
        let told = shown(move || panic!("{value} is not what it should be"));
        assert!(told.contains("panics.rs") && told.contains("not shown") && !told.contains(&canary), "{told}");
        let failed = || -> Result<(), String> { Err(canary.clone()) };
        let told = shown(move || failed().expect("it is there"));
        assert!(told.contains("panics.rs") && !told.contains(&canary), "{told}");
        let told = shown(|| panic!("a text of the program"));
        assert!(told.ends_with("a text of the program"), "{told}");
    }
}
