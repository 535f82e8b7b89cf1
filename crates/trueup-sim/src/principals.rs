//! Who calls: access keys, and the accounts and principals behind them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::time::Time;

/// An identity that calls AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The account whose resources it sees: twelve digits.
    pub account: String,
    /// Its ARN, such as `arn:aws:sts::123456789012:assumed-role/trueup/copy-1`.
    pub arn: String,
    /// When its temporary credentials are over.
    pub expires: Option<Time>,
}

/// All access keys.
#[derive(Clone, Debug)]
pub struct Principals {
    account: String,
    keys: BTreeMap<String, Principal>,
}

impl Principals {
    /// No keys are known yet; unknown ones belong to this account.
    pub fn new(account: &str) -> Self {
        Self { account: account.to_owned(), keys: BTreeMap::new() }
    }

    /// Names the principal behind an access key id.
    pub fn add(&mut self, access_key: &str, account: &str, arn: &str) {
        let principal = Principal { account: account.to_owned(), arn: arn.to_owned(), expires: None };
        self.keys.insert(access_key.to_owned(), principal);
    }

    /// Who signs with this access key id. An unknown one is a user of the first account who is called like the key.
    pub fn of(&self, access_key: &str) -> Principal {
        self.keys.get(access_key).cloned().unwrap_or_else(|| Principal {
            account: self.account.clone(),
            arn: format!("arn:aws:iam::{}:user/{access_key}", self.account),
            expires: None,
        })
    }

    /// Learns the temporary key that `AssumeRole` answered with: it acts in the role's account.
    pub fn learn(&mut self, assumed: &Value) {
        let text = |pointer: &str| assumed.pointer(pointer).and_then(Value::as_str);
        if let (Some(key), Some(arn)) = (text("/Credentials/AccessKeyId"), text("/AssumedRoleUser/Arn")) {
            let account = arn.split(':').nth(4).unwrap_or(&self.account).to_owned();
            let expires = text("/Credentials/Expiration").and_then(Time::from_iso);
            self.keys.insert(key.to_owned(), Principal { account, arn: arn.to_owned(), expires });
        }
    }
}
