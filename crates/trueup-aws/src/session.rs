//! A session: the account and region of one environment, and the clients that reach it.

use aws_config::SdkConfig;
use trueup_core::desired::Environment;

use crate::api::Api;
use crate::caller::Caller;
use crate::ecs::Ecs;
use crate::elb::Elb;

/// What every read and write of one environment needs.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) environment: Environment,
    pub(crate) caller: Caller,
    pub(crate) ecs: Ecs,
    pub(crate) elb: Elb,
    pub(crate) api: Api,
}

impl Session {
    pub(crate) fn new(environment: Environment, config: &SdkConfig, caller: Caller) -> Self {
        Self {
            environment,
            caller,
            ecs: Ecs { client: aws_sdk_ecs::Client::new(config) },
            elb: Elb { client: aws_sdk_elasticloadbalancingv2::Client::new(config) },
            api: Api::new(config),
        }
    }
}
