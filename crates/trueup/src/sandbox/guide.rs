//! The introduction of the sandbox: where everything is, and what to try.

use std::env;
use std::ffi::OsString;
use std::path::Path;

use super::site::{ARM, BROKEN, CLUSTER, IMAGES, REGION, RELEASES, SERVICE};

/// How a shell in another terminal, in any directory, finds this program: by its name where it was found by it, and by its
/// path where it was started by a path, such as `cargo run` does.
///
/// # Errors
/// When the system does not tell where it is.
pub fn program() -> std::io::Result<String> {
    let is_name = |first: &OsString| Path::new(first).components().count() == 1;
    match env::args_os().next().filter(is_name) {
        Some(name) => Ok(quoted(Path::new(&name))),
        None => env::current_exe().map(|path| quoted(&path)),
    }
}

/// The introduction, with the commands of `program` in shell quoting. `speed` is how many virtual seconds pass in a
/// real one; `is_new` tells a new repository from that of an earlier sandbox.
pub fn guide(program: &str, dir: &Path, url: &str, speed: u32, tour: bool, is_new: bool) -> String {
    let begin = format!(
        "This is a sandbox: a simulated AWS ({speed} times as fast as the real one), a git repository with an example, and\n\
         the trueup daemon that follows the repository. Everything is in {}. Stop it with Ctrl-C.\n",
        dir.display()
    );
    if tour {
        return format!(
            "{begin}\nThe first rollout starts now. It takes about ten seconds, as does each of the steps after it.\n"
        );
    }
    let (at, work, site) = (quoted(dir), quoted(&dir.join("work")), quoted(&dir.join("site.git")));
    let release = |tag: &str| {
        format!(
            "     cd {work}\n     \
             sed -i.old '/^.images.backend/,/^tag/s/^tag.*/tag = \"{tag}\"/' {IMAGES} && rm {IMAGES}.old\n     \
             git commit -am 'Release {tag}' && git push\n"
        )
    };
    let earlier = if is_new {
        String::new()
    } else {
        format!(
            "\nThe repository is from an earlier sandbox, with everything pushed to it; the simulated AWS is new and empty. The\n\
             newest commit is rolled out now: if its image is `{BROKEN}` or `{ARM}`, push {next}, see 3. To start over, stop this\n\
             sandbox and remove {at}.\n",
            next = RELEASES[1],
        )
    };
    format!(
        "{begin}{earlier}\n\
         The first rollout starts now. When it is completed, try this in another terminal:\n\
         \n\
         1. Push a change, and watch the rollout:\n\
         \n\
         {good}\n\
         2. Change something in AWS manually, and watch trueup correct it (or change it with the AWS CLI, see 4):\n\
         \n     \
         {program} sandbox drift --dir {at}\n\
         \n\
         3. Push an image that does not start (`{ARM}` is built for another platform). ECS rolls back, and trueup holds that\n\
         commit instead of deploying it again and again. To continue, push one that works, such as {next}, or `retry` (see 4):\n\
         \n\
         {broken}\n\
         4. Query trueup, or AWS. The first two lines make that terminal use the sandbox only:\n\
         \n     \
         export AWS_ENDPOINT_URL={url} AWS_REGION={REGION} AWS_ACCESS_KEY_ID=me AWS_SECRET_ACCESS_KEY=none\n     \
         export AWS_DEFAULT_REGION={REGION} AWS_PAGER= TRUEUP_REPOSITORY={site}; unset AWS_PROFILE AWS_SESSION_TOKEN\n     \
         {program} status\n     \
         {program} why elearning\n     \
         {program} plan\n     \
         {program} retry elearning       # ends the hold of 3: the image is deployed once more\n     \
         {program} suspend elearning     # nothing is deployed or corrected until `resume elearning`\n     \
         aws ecs describe-services --cluster {CLUSTER} --services {SERVICE}\n     \
         aws ecs update-service --cluster {CLUSTER} --service {SERVICE} --desired-count 3\n\
         \n\
         `trueup sandbox --tour` demonstrates the first three.\n",
        good = release(RELEASES[0]),
        broken = release(BROKEN),
        next = RELEASES[1],
    )
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{guide, quoted};

    #[test]
    fn paths_survive_a_shell() {
        for (path, written) in [("/a/b-c.d", "/a/b-c.d"), ("/my dir", "'/my dir'"), ("/it's", r"'/it'\''s'")] {
            assert_eq!(quoted(Path::new(path)), written);
        }
    }

    #[test]
    fn the_guide_mentions_that_the_repository_is_an_earlier_sandboxs() {
        let told = |is_new| {
            guide("trueup", Path::new("/there"), "http://127.0.0.1:1", 20, false, is_new).contains("earlier sandbox")
        };
        assert_eq!((told(true), told(false)), (false, true));
    }

    #[test]
    fn the_guide_names_directory_and_address_and_a_tour_needs_no_instructions() {
        let text = guide("trueup", Path::new("/there"), "http://127.0.0.1:1", 20, false, true);
        for part in ["cd /there/work\n", "--dir /there\n", "AWS_ENDPOINT_URL=http://127.0.0.1:1 ", "20 times"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!guide("trueup", Path::new("/there"), "http://127.0.0.1:1", 20, true, true).contains("git push"));
    }
}
