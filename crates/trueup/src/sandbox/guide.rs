//! What a newcomer reads: where everything is, and what to try.

use std::path::Path;

use super::site::{ARM, BROKEN, CLUSTER, IMAGES, REGION, RELEASES, SERVICE};

/// What is printed at the start. `speed` is how many virtual seconds pass in a real one.
pub fn guide(dir: &Path, url: &str, speed: u32, tour: bool) -> String {
    let begin = format!(
        "A sandbox: a simulated AWS ({speed} times as fast as the real one), a git repository with the example, and the\n\
         daemon that follows it. All of it is in {}. Ctrl-C ends it.\n",
        dir.display()
    );
    if tour {
        return format!(
            "{begin}\nThe first rollout begins now. It takes some ten seconds, as does each of the steps after it.\n"
        );
    }
    let (at, work, site) = (quoted(dir), quoted(&dir.join("work")), quoted(&dir.join("site.git")));
    let release = |tag: &str| {
        format!(
            "     cd {work}\n     \
             sed -i.old '/^.images.backend/,/^tag/s/^tag.*/tag = \"{tag}\"/' {IMAGES}\n     \
             git commit -am 'Release {tag}' && git push\n"
        )
    };
    format!(
        "{begin}\n\
         The first rollout begins now. When it is completed, try in another terminal:\n\
         \n\
         1. Push a change, and watch the rollout:\n\
         \n\
         {good}\n\
         2. Change something behind its back, and watch it healed (or change it with the AWS CLI, see 4):\n\
         \n     \
         trueup sandbox drift --dir {at}\n\
         \n\
         3. Push an image that does not start (`{ARM}` is one for another platform). ECS rolls back, and trueup holds\n\
         that commit instead of trying for ever. To go on, push one that works, such as {next}:\n\
         \n\
         {broken}\n\
         4. Ask it, or AWS:\n\
         \n     \
         export AWS_ENDPOINT_URL={url} AWS_REGION={REGION} AWS_ACCESS_KEY_ID=me AWS_SECRET_ACCESS_KEY=none\n     \
         trueup status --repository {site}\n     \
         trueup why elearning --repository {site}\n     \
         aws ecs describe-services --cluster {CLUSTER} --services {SERVICE}\n     \
         aws ecs update-service --cluster {CLUSTER} --service {SERVICE} --desired-count 3\n\
         \n\
         `trueup sandbox --tour` does the first three by itself.\n",
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
    fn the_guide_names_directory_and_address_and_a_tour_needs_no_instructions() {
        let text = guide(Path::new("/there"), "http://127.0.0.1:1", 20, false);
        for part in ["cd /there/work\n", "--dir /there\n", "AWS_ENDPOINT_URL=http://127.0.0.1:1 ", "20 times"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!guide(Path::new("/there"), "http://127.0.0.1:1", 20, true).contains("git push"));
    }
}
