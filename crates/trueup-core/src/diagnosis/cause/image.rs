//! The container image: it does not exist, does not fit, or cannot be pulled.

use super::{ClassifiedFailure, Sentences, say};

impl ClassifiedFailure<'_> {
    pub(super) fn image_architecture(&self) -> Sentences {
        let platform = self.message.after("matching platform").unwrap_or("the task's platform");
        say(
            format!("{} has no variant for `{platform}`", self.image_name()),
            format!(
                "build and push it for `{platform}` (`docker buildx build --platform {platform}`), or set \
                 `runtimePlatform` in the task definition to the platform that it was built for"
            ),
        )
    }

    pub(super) fn image_not_found(&self) -> Sentences {
        say(
            format!("{} does not exist in its repository", self.image_name()),
            "push that tag or digest, or name one that exists; a digest may have been deleted after the deployment \
             began (see the repository's lifecycle policy)",
        )
    }

    pub(super) fn registry_unreachable(&self) -> Sentences {
        say(
            format!("the task cannot reach the registry of {}", self.image_name()),
            "give the task a public IP or a NAT gateway, or VPC endpoints for `ecr.api`, `ecr.dkr` and S3, and allow \
             outbound HTTPS in its security groups",
        )
    }

    pub(super) fn image_layer_download(&self) -> Sentences {
        say(
            format!("the manifest of {} was downloaded, and one of its layers could not be", self.image_name()),
            "check the S3 gateway endpoint, its policy (it must allow `s3:GetObject` on ECR's layer bucket) and the route to it",
        )
    }

    pub(super) fn image_pull_denied(&self) -> Sentences {
        let role = self.execution_role();
        say(
            format!("{role} may not pull {}, or the repository does not exist", self.image_name()),
            format!(
                "allow `ecr:GetAuthorizationToken`, `ecr:BatchGetImage` and `ecr:GetDownloadUrlForLayer` to {role}, \
                 check the repository's policy and its name; give `repositoryCredentials` for a private registry"
            ),
        )
    }

    pub(super) fn image_pull_rate_limit(&self) -> Sentences {
        say(
            format!("the registry's pull rate limit is used up for {}", self.image_name()),
            "wait, authenticate to the registry with `repositoryCredentials`, or mirror the image in ECR",
        )
    }

    pub(super) fn image_too_large(&self) -> Sentences {
        say(
            format!("{} does not fit on the task's disk", self.image_name()),
            "raise `ephemeralStorage` in the task definition (or the instance's disk), or make the image smaller",
        )
    }
}
