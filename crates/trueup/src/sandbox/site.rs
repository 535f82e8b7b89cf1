//! The example's files in the sandbox's repository, and the images in its registry.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use trueup_sim::services::ecr::{self, Build};
use trueup_sim::setup::{self, ELEARNING};
use trueup_sim::workload::{Behaviour, Exit};
use trueup_sim::{Simulator, Time};

/// The region of the example.
pub const REGION: &str = ELEARNING.1;

/// The seed of the simulated AWS: every sandbox behaves the same.
const SEED: u64 = 1;

/// The repository of the backend's images.
const BACKEND: &str = "elearning-system-backend";

/// How long a broken backend runs before it gives up.
const BREAKS_AFTER: Duration = Duration::from_secs(2);

/// The cluster of the example.
pub const CLUSTER: &str = "elearning-system-cluster";

/// The service of the example.
pub const SERVICE: &str = "elearning-system-service";

/// The file in which a user writes another image tag.
pub const IMAGES: &str = "desired-state/elearning/app.toml";

/// Releases of the backend that come up, besides `latest`.
pub const RELEASES: [&str; 2] = ["1.1", "1.2"];

/// The tag of a backend that exits as soon as it starts.
pub const BROKEN: &str = "broken";

/// The tag of a backend that was built for arm64 only, while the example wants x86.
pub const ARM: &str = "arm";

/// How many calls the simulated AWS keeps: they are not evaluated, and a sandbox may run for days.
const CALLS_KEPT: usize = 500;

/// An AWS that has everything the example refers to, and nothing of the example itself. Its time continues from
/// `now`.
pub fn aws(now: Timestamp) -> Simulator {
    let start = Time(u64::try_from(now.as_millisecond()).unwrap_or_default());
    let (account, region) = ELEARNING;
    let mut aws = Simulator::starting(account, region, SEED, start);
    aws.recorder.keep(CALLS_KEPT);
    let world = aws.world_mut();
    setup::elearning(world);
    for tag in RELEASES {
        ecr::push(world, BACKEND, tag, &Build::of(tag));
    }
    let exits = Some(Exit { after: BREAKS_AFTER, code: 1, out_of_memory: false });
    ecr::push(world, BACKEND, BROKEN, &Build::of(BROKEN).that(Behaviour { exits, ..Behaviour::default() }));
    // With an index, as `docker buildx` makes it: so its platform can be told before ECS gets to see it.
    let build = Build { attested: true, ..Build::of(ARM).on(&["linux/arm64"]) };
    ecr::push(world, BACKEND, ARM, &build);
    aws
}

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        BTreeMap::from([$((concat!("desired-state/", $path), include_str!(concat!("../../../../desired-state/", $path)))),*])
    };
}

/// The application's file with another tag of the backend's image; none when it names none.
pub fn with_tag(text: &str, tag: &str) -> Option<String> {
    let images = text.find("[images.backend]")?;
    let start = images + text[images..].find("\ntag = ")? + 1;
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    Some(format!("{}tag = \"{tag}\"{}", &text[..start], &text[end..]))
}

/// The files of the first commit.
pub fn files() -> BTreeMap<&'static str, &'static str> {
    files!(
        "trueup.toml",
        "elearning/app.toml",
        "elearning/task-definition.toml",
        "elearning/service.toml",
        "elearning/target-groups/backend.toml",
        "elearning/target-groups/frontend.toml",
        "elearning/listener-rules/api.toml",
        "elearning/listener-rules/frontend.toml",
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::Timestamp;
    use trueup_sim::Time;
    use trueup_sim::http::Request;

    use super::{CALLS_KEPT, IMAGES, aws, files, with_tag};

    #[test]
    fn a_sandbox_that_runs_for_days_does_not_grow_with_every_call() {
        let mut aws = aws(Timestamp::UNIX_EPOCH);
        let credential =
            "AWS4-HMAC-SHA256 Credential=me/20260101/ap-northeast-1/ecs/aws4_request, SignedHeaders=host, Signature=0";
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "AmazonEC2ContainerServiceV20141113.ListClusters"),
            ("authorization", credential),
        ];
        let request = Request {
            method: "POST".to_owned(),
            target: "/".to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            body: b"{}".to_vec(),
        };
        let calls = CALLS_KEPT * 3;
        for _ in 0..calls {
            aws.handle(Time(0), &request);
        }
        assert_eq!(aws.recorder.next_index(), calls as u64, "all of them are taken in");
        assert!(aws.recorder.records().len() <= CALLS_KEPT * 2, "{}", aws.recorder.records().len());
    }

    #[test]
    fn only_the_backend_gets_another_tag() {
        let text = with_tag(files()[IMAGES], "1.1").expect("the example names one");
        assert_eq!(text.matches("tag = \"1.1\"\n").count(), 1, "{text}");
        assert_eq!(text.matches("tag = \"latest\"\n").count(), 1, "{text}");
        assert!(text.find("tag = \"1.1\"") < text.find("tag = \"latest\""), "{text}");
    }

    #[test]
    fn all_files_of_the_example_are_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut found = Vec::new();
        let mut open = vec![root.join("desired-state")];
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).expect("it is there") {
                let path = entry.expect("it can be read").path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    found.push(path.strip_prefix(&root).expect("it is below").to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        assert_eq!(found, files().into_keys().collect::<Vec<_>>());
    }
}
