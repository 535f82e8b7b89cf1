//! `trueup iam-policy`: the least-privilege IAM policy that a tree of desired state needs.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use trueup_aws::AwsClouds;
use trueup_core::desired::{self, Loaded};
use trueup_core::live::Observed;
use trueup_core::names::{EnvironmentName, InstanceName};
use trueup_core::permissions::{Answers, Request, lookups, policy};
use trueup_core::report;
use trueup_ports::Clouds as _;

use crate::terminal::Hinted;
use crate::{directory, render, terminal, wiring};

/// Arguments of `trueup iam-policy`.
#[derive(Args, Debug)]
pub struct IamPolicyArgs {
    /// The directory of desired state [default: `desired-state` if it exists, else the current directory]
    pub dir: Option<PathBuf>,
    /// Print the policy for the role of this environment; may be repeated [default: for the role of the daemon]
    #[arg(long = "environment", env = "TRUEUP_ENVIRONMENT", value_name = "NAME", value_delimiter = ',')]
    pub environments: Vec<String>,
    /// Allow reads only: enough for `plan`, `status`, `why` and `run --report-only`
    #[arg(long, env = "TRUEUP_READ_ONLY")]
    pub read_only: bool,
    /// Resolve references to stacks with AWS, so that the policy names exactly the roles that documents refer to
    #[arg(long, env = "TRUEUP_RESOLVE")]
    pub resolve: bool,
    /// The name of the trueup installation, as given to `trueup run`
    #[arg(long, env = "TRUEUP_INSTANCE", default_value = "trueup", value_name = "NAME")]
    pub instance: String,
}

/// Prints the policy as JSON, stable to the byte. Notes for the operator go to stderr.
///
/// # Errors
/// When the tree cannot be read, has no such environment, AWS is to be asked and does not answer, or stdout cannot take the
/// policy.
pub fn iam_policy(args: &IamPolicyArgs) -> Result<ExitCode> {
    let root = directory::locate(args.dir.as_deref())?;
    let loaded = desired::load(&directory::read(&root)?);
    // Invalid documents are left out, and the policy would lack what they need.
    if !loaded.problems.is_empty() {
        let problems = render::problems::problems(&root, &loaded.problems);
        terminal::tell(&format!("{problems}\n\n{}", render::problems::summary(&loaded.problems)));
        return Ok(ExitCode::FAILURE);
    }
    let known: Vec<&EnvironmentName> = loaded.environments.iter().map(|environment| &environment.name).collect();
    let environments: Vec<EnvironmentName> = args.environments.iter().map(EnvironmentName::new).collect();
    if let Some(unknown) = environments.iter().find(|name| !known.contains(name)) {
        let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let hint = format!("environments are {}", names.join(", "));
        return Err(Hinted::new(format!("`trueup.toml` has no environment `{unknown}`"), hint).into());
    }
    let instance = InstanceName::new(args.instance.as_str());
    let request = Request { environments, instance, read_only: args.read_only };
    let answers = if args.resolve { wiring::block_on(ask(&loaded, &request))? } else { Answers::new() };
    let policy = policy(&loaded, &answers, &request);
    terminal::print_line(report::escaped(&policy.to_json()))?;
    if policy.passes_any_role() {
        terminal::tell(
            "note: a document refers to a role by a reference that only AWS can resolve, so the policy allows passing any role of the account\n\
             hint: use `--resolve`, which asks AWS, or write the ARN of the role into the document",
        );
    }
    if !policy.fits_managed_policy() {
        terminal::tell(
            "note: the policy is longer than the 6,144 characters of a managed policy\n\
             hint: attach it as an inline policy of the role (10,240 characters), or use `--environment` for one at a time",
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks AWS what the references to stacks are, in each environment that the policy's role acts in.
async fn ask(loaded: &Loaded, request: &Request) -> Result<Answers> {
    let clouds = AwsClouds::new(trueup_aws::Options::default());
    let mut answers = Answers::new();
    for environment in request.environments(loaded) {
        let cloud = clouds.cloud(environment).await;
        let account = cloud.account().await.map_err(|failure| anyhow!("cannot determine the account: {failure}"))?;
        if account != environment.account {
            let name = &environment.name;
            bail!(
                "the credentials belong to account {account}, but environment `{name}` is account {}",
                environment.account
            );
        }
        let found = cloud.resolve(&lookups(loaded, &environment.name)).await;
        for answer in found.values() {
            if let Observed::Unknown(failure) = answer {
                bail!("cannot resolve the references of `{}`: {failure}", environment.name);
            }
        }
        answers.insert(environment.name.clone(), found);
    }
    Ok(answers)
}
