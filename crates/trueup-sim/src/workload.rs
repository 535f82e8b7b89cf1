//! How the software in an image behaves, scripted by image.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// What a container of an image does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// Whether, and how, it gets as far as running.
    pub start: Start,
    /// From RUNNING until it answers its health checks.
    pub ready_after: Duration,
    /// Whether it answers health checks once it is ready.
    pub health: Health,
    /// It ends by itself, this long after RUNNING, with this exit code.
    pub exits: Option<Exit>,
}

/// How a container comes into being.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// It starts.
    Runs,
    /// The image's tag or digest does not exist.
    ImageMissing,
    /// The image was built for another platform than the task's.
    WrongPlatform,
    /// A secret named in the task definition cannot be read; the secret's ARN as ECS names it.
    SecretMissing,
    /// The execution role may not pull the image.
    PullDenied,
}

/// How a container that runs answers health checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Always.
    Answers,
    /// Never.
    Silent,
    /// With this HTTP status to a load balancer's check; a container's own check fails.
    Status(u16),
    /// Well and unwell by turns.
    Flaps {
        /// How long it is well.
        well: Duration,
        /// How long it is not, after that.
        unwell: Duration,
    },
}

/// How a container ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// After RUNNING.
    pub after: Duration,
    /// The exit code; 137 with `out_of_memory` when the kernel killed it.
    pub code: i32,
    /// Whether the kernel killed it for its memory.
    pub out_of_memory: bool,
}

impl Behaviour {
    /// Whether a container passes a health check so long after RUNNING.
    pub fn well(&self, running: Duration) -> bool {
        let Some(ready) = running.checked_sub(self.ready_after) else { return false };
        match self.health {
            Health::Answers => true,
            Health::Silent | Health::Status(_) => false,
            Health::Flaps { well, unwell } => {
                let turn = (well + unwell).as_millis().max(1);
                ready.as_millis() % turn < well.as_millis()
            }
        }
    }
}

impl Default for Behaviour {
    /// Starts and is ready after three seconds.
    fn default() -> Self {
        Self { start: Start::Runs, ready_after: Duration::from_secs(3), health: Health::Answers, exits: None }
    }
}

/// All scripted images. An image that was not scripted is healthy.
#[derive(Clone, Debug, Default)]
pub struct Workloads {
    by_image: BTreeMap<String, Behaviour>,
    scripted: u64,
    paths: BTreeMap<String, Vec<String>>,
}

impl Workloads {
    /// Scripts an image: its full name with tag or digest, or the end of it after a `/`.
    pub fn script(&mut self, image: &str, behaviour: Behaviour) {
        self.by_image.insert(image.to_owned(), behaviour);
        self.scripted += 1;
    }

    /// How often an image was scripted: another number means that answers may differ from what they were.
    pub fn scripted(&self) -> u64 {
        self.scripted
    }

    /// What a container of this image does.
    pub fn of(&self, image: &str) -> Behaviour {
        named(&self.by_image, image).cloned().unwrap_or_default()
    }

    /// What a container of this image does, if exactly this name was scripted.
    pub fn scripted_of(&self, image: &str) -> Option<Behaviour> {
        self.by_image.get(image).cloned()
    }

    /// A digest made up from an image's name; none when there is no such image.
    pub fn digest(&self, image: &str) -> Option<String> {
        if self.of(image).start == Start::ImageMissing {
            return None;
        }
        if let Some((_, digest)) = image.split_once('@') {
            return Some(digest.to_owned());
        }
        let hash = Sha256::digest(image.as_bytes());
        let digits: Vec<String> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(format!("sha256:{}", digits.concat()))
    }

    /// From now on the image answers 404 to any other path than these.
    pub fn only_answers(&mut self, image: &str, paths: &[&str]) {
        self.paths.insert(image.to_owned(), paths.iter().map(|path| (*path).to_owned()).collect());
        self.scripted += 1;
    }

    /// Whether the image knows a path.
    pub fn answers_path(&self, image: &str, path: &str) -> bool {
        named(&self.paths, image).is_none_or(|paths| paths.iter().any(|known| known == path))
    }
}

/// By the full name, or by the end of it after the last `/`.
fn named<'a, T>(by_image: &'a BTreeMap<String, T>, image: &str) -> Option<&'a T> {
    let short = image.rsplit('/').next().unwrap_or(image);
    by_image.get(image).or_else(|| by_image.get(short))
}
