//! `trueup iam-policy`: the least-privilege IAM policy that a tree of desired state needs.

use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use trueup_aws::AwsClouds;
use trueup_core::desired::{self, Loaded};
use trueup_core::live::Observed;
use trueup_core::names::{EnvironmentName, InstanceName};
use trueup_core::permissions::{Answers, Request, lookups, policy};
use trueup_core::report;
use trueup_ports::Clouds as _;

use crate::cli::IamPolicyArgs;
use crate::terminal::Hinted;
use crate::{directory, render, terminal, wiring};

/// Prints the policy as JSON, stable to the byte. What an operator should know about it goes to stderr.
///
/// # Errors
/// When the tree cannot be read, has no such environment, AWS is to be asked and does not answer, or stdout cannot take the
/// policy.
pub fn iam_policy(args: &IamPolicyArgs) -> Result<ExitCode> {
    let root = directory::locate(args.dir.as_deref())?;
    let loaded = desired::load(&directory::read(&root)?);
    // A policy of half a tree would deny what the other half needs.
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
            "note: some document names a role by a reference that only AWS can answer, so any role of the account may be passed\n\
             hint: `--resolve` asks AWS, or write the role's ARN into the document",
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
        let account = cloud.account().await.map_err(|failure| anyhow!("cannot tell the account: {failure}"))?;
        if account != environment.account {
            let name = &environment.name;
            bail!("the credentials are of account {account}, not of {} (`{name}`)", environment.account);
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
