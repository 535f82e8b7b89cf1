//! Which notifications a target was sent, so that none is sent twice: kept in a file, so that a restart sends none twice either.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How many entries are kept; the oldest are dropped. It is far above the number of applications of one installation.
const TOLD_MAX: usize = 20_000;

/// A larger file was not written by trueup.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The content of the file.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Stored {
    version: u32,
    /// From the oldest to the newest.
    told: Vec<(String, String)>,
}

/// The last message sent about each subject.
#[derive(Debug)]
pub(super) struct Memory {
    path: Option<PathBuf>,
    told: BTreeMap<String, Entry>,
    next: u64,
    /// Whether it was logged that the file cannot be written.
    failed: bool,
}

#[derive(Debug)]
struct Entry {
    value: String,
    number: u64,
    /// Whether an earlier process recorded it, and stopped before it could see the end of it.
    inherited: bool,
}

impl Memory {
    /// Reads the file. One that is missing or damaged counts as empty; without a path, nothing outlives the process.
    pub fn open(path: Option<PathBuf>) -> Self {
        let stored = path.as_ref().and_then(|path| {
            let small = fs::metadata(path).ok()?.len() <= FILE_BYTES_MAX;
            let text = fs::read(path).ok().filter(|_| small)?;
            serde_json::from_slice::<Stored>(&text).ok().filter(|stored| stored.version == 1)
        });
        let mut memory = Self { path, told: BTreeMap::new(), next: 0, failed: false };
        for (key, value) in stored.unwrap_or_default().told {
            memory.put(key, value, true);
        }
        memory
    }

    fn put(&mut self, key: String, value: String, inherited: bool) {
        self.next += 1;
        self.told.insert(key, Entry { value, number: self.next, inherited });
        if self.told.len() > TOLD_MAX {
            let oldest = self.told.iter().min_by_key(|(_, entry)| entry.number).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| self.told.remove(&oldest));
        }
    }

    /// The last value recorded for `key`.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.told.get(key).map(|entry| entry.value.as_str())
    }

    /// Whether exactly this was recorded for `key` last. An entry that is asked for counts as this process's own from then on.
    pub fn knows(&mut self, key: &str, value: &str) -> bool {
        match self.told.get_mut(key) {
            Some(entry) if entry.value == value => {
                entry.inherited = false;
                true
            }
            _ => false,
        }
    }

    /// Records that this was sent for `key`.
    pub fn record(&mut self, key: &str, value: &str) {
        self.put(key.to_owned(), value.to_owned(), false);
        self.save();
    }

    /// Removes what was recorded for `key`: it ended.
    pub fn forget(&mut self, key: &str) {
        if self.told.remove(key).is_some() {
            self.save();
        }
    }

    /// Removes the entries of earlier processes that this one was not asked for.
    pub fn forget_inherited(&mut self) {
        let before = self.told.len();
        self.told.retain(|_, entry| !entry.inherited);
        if self.told.len() != before {
            self.save();
        }
    }

    /// Writes the file, as a whole or not at all.
    fn save(&mut self) {
        let Some(path) = self.path.clone() else { return };
        match self.write(&path) {
            Ok(()) => self.failed = false,
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    let path = path.display();
                    tracing::warn!(%path, %error, "The record of sent notifications cannot be written; after a restart, some may be sent again.");
                }
            }
        }
    }

    fn write(&self, path: &std::path::Path) -> io::Result<()> {
        let mut entries: Vec<_> = self.told.iter().collect();
        entries.sort_unstable_by_key(|(_, entry)| entry.number);
        let told = entries.into_iter().map(|(key, entry)| (key.clone(), entry.value.clone())).collect();
        let text = serde_json::to_vec(&Stored { version: 1, told })?;
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(&text).and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
            // A file that is half written is of no use. The error of the write is the one to report.
            let _ = fs::remove_file(&beside);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_known_until_it_ended_also_by_the_next_process() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notifications/x.json");
        let mut memory = Memory::open(Some(path.clone()));
        assert!(!memory.knows("web", "a"));
        memory.record("web", "a");
        memory.record("api", "b");
        assert!(memory.knows("web", "a") && !memory.knows("web", "b"));
        memory.forget("api");
        drop(memory);
        let mut memory = Memory::open(Some(path.clone()));
        assert_eq!((memory.value("web"), memory.value("api")), (Some("a"), None));
        // What is met again is its own; the rest may have ended meanwhile.
        memory.record("new", "c");
        let mut other = Memory::open(Some(path));
        assert!(other.knows("web", "a"));
        other.forget_inherited();
        assert_eq!((other.value("web"), other.value("new")), (Some("a"), None));
        let left: Vec<_> = fs::read_dir(directory.path().join("notifications")).unwrap().collect();
        assert_eq!(left.len(), 1);
    }

    #[test]
    fn a_file_that_is_missing_broken_or_cannot_be_written_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.json");
        for text in ["", "{", "[]", "{\"version\":2,\"told\":[[\"web\",\"a\"]]}", "{\"version\":1,\"told\":[1]}"] {
            fs::write(&path, text).unwrap();
            assert!(Memory::open(Some(path.clone())).told.is_empty(), "{text}");
        }
        fs::write(&path, "no directory").unwrap();
        let mut memory = Memory::open(Some(path.join("below.json")));
        memory.record("web", "a");
        assert!(memory.knows("web", "a"));
    }

    #[test]
    fn the_oldest_is_forgotten_when_there_is_too_much() {
        let mut memory = Memory::open(None);
        (0..=TOLD_MAX).for_each(|number| memory.put(number.to_string(), String::new(), false));
        assert_eq!(memory.told.len(), TOLD_MAX);
        assert!(!memory.told.contains_key("0") && memory.told.contains_key("1"));
    }
}
