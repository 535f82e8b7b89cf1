//! What a newcomer reads: where everything is, and what to try.

use std::path::Path;

use super::site::{BROKEN, IMAGES};

/// What is printed at the start. `speed` is how many virtual seconds pass in a real one.
pub fn guide(dir: &Path, url: &str, region: &str, speed: u32) -> String {
    let dir = dir.display();
    format!(
        "A sandbox: a simulated AWS ({speed} times as fast as the real one), a git repository with the example, and the\n\
         daemon that follows it. Nothing outside of {dir} is touched. Ctrl-C ends it.\n\
         \n\
         The first rollout begins now. In another terminal, try:\n\
         \n\
         1. Push a change, and watch the rollout:\n\
         \n\
         \x20    cd {dir}/work\n\
         \x20    sed -i '0,/tag = .*/s//tag = \"1.1\"/' {IMAGES}\n\
         \x20    git commit -am 'Release 1.1' && git push\n\
         \n\
         2. Change something behind its back, and watch it healed:\n\
         \n\
         \x20    trueup sandbox drift --dir {dir}\n\
         \n\
         3. Push an image that does not start. ECS rolls back, and trueup holds that revision instead of trying for ever:\n\
         \n\
         \x20    sed -i '0,/tag = .*/s//tag = \"{BROKEN}\"/' {IMAGES}\n\
         \x20    git commit -am 'Release {BROKEN}' && git push\n\
         \n\
         4. Ask it, or AWS:\n\
         \n\
         \x20    export AWS_ENDPOINT_URL={url} AWS_REGION={region} AWS_ACCESS_KEY_ID=me AWS_SECRET_ACCESS_KEY=none\n\
         \x20    trueup status --repository {dir}/site.git\n\
         \x20    trueup why elearning --repository {dir}/site.git\n\
         \x20    aws ecs describe-services --cluster elearning-system-cluster --services elearning-system-service\n\
         \n\
         `trueup sandbox --tour` does the first three by itself.\n"
    )
}
