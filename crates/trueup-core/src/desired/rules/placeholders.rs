//! Account ids from examples that were not replaced.

use super::{ApplicationView, Located};
use crate::document::{NodeValue, Problem};

/// Accounts of AWS's own documentation, and invented ones.
const EXAMPLES: [&str; 6] =
    ["123456789012", "000000000000", "111111111111", "111122223333", "444455556666", "999999999999"];

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    if !subject.environment_sound {
        return;
    }
    for document in subject.documents {
        walk(&Located::root(&document.node), &subject.environment.account, problems);
    }
}

fn walk(place: &Located<'_>, account: &str, problems: &mut Vec<Problem>) {
    match &place.node.value {
        NodeValue::String(text) => {
            if let Some(found) = account_of(text).filter(|found| *found != account && is_placeholder(found)) {
                problems.push(
                    place
                        .problem("placeholder-account", format!("`{found}` is a placeholder, not an account"))
                        .help("write `${account}`, the environment's account"),
                );
            }
        }
        NodeValue::List(_) => place.items().for_each(|item| walk(&item, account, problems)),
        NodeValue::Object(_) => place.members().iter().for_each(|(_, member)| walk(member, account, problems)),
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) => {}
    }
}

/// The account in an ARN (`arn:PARTITION:SERVICE:REGION:ACCOUNT:…`) or in the name of an ECR registry
/// (`ACCOUNT.dkr.ecr.REGION.amazonaws.com`).
fn account_of(text: &str) -> Option<&str> {
    if text.starts_with("arn:") {
        return text.split(':').nth(4).filter(|account| !account.is_empty());
    }
    text.split_once(".dkr.ecr.").map(|(account, _)| account)
}

fn is_placeholder(account: &str) -> bool {
    let words = account.trim_matches(['<', '>', '{', '}', '[', ']']).to_uppercase().replace('-', "_");
    EXAMPLES.contains(&account)
        || matches!(words.as_str(), "ACCOUNT" | "ACCOUNT_ID" | "AWS_ACCOUNT_ID" | "YOUR_ACCOUNT_ID" | "YOUR_ACCOUNT")
        || (words.len() == 12 && words.chars().all(|c| c == 'X'))
}
