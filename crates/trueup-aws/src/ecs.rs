//! ECS: JSON in, JSON out, whatever members it has.

use std::sync::Arc;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::Builder;
use aws_sdk_ecs::operation::RequestId as _;
use serde_json::Value;
use trueup_core::live::FailureKind;
use trueup_ports::{Answer, CallError, Effect};

use crate::buckets::Bucket;
use crate::caller::Caller;
use crate::lossless::{self, Lossless, Slot};
use crate::{answer, failure};

/// Declares the operations with the SDK's method and the bucket of each.
macro_rules! operations {
    (reads { $($read:ident $read_method:ident $read_bucket:ident,)* } writes { $($write:ident $write_method:ident $write_bucket:ident,)* }) => {
        /// The operations that read.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Read { $($read,)* }

        /// The operations that change something.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Write { $($write,)* }

        impl Ecs {
            /// Makes a read.
            ///
            /// # Errors
            /// When AWS did not answer, refused, or answered with something that is no JSON.
            pub(crate) async fn read(&self, caller: &Caller, operation: Read, input: &Value) -> Result<Value, CallError> {
                let body = input.to_string().into_bytes();
                match operation {
                    $(Read::$read => {
                        let name = concat!("ecs:", stringify!($read));
                        let slot = Slot::default();
                        caller.read(Bucket::$read_bucket, name, || {
                            let protocol = Lossless::new(body, Arc::clone(&slot));
                            self.reads.$read_method().customize().config_override(Builder::new().protocol(protocol)).send()
                        }).await?;
                        parsed(name, &slot)
                    })*
                }
            }

            /// Makes a write.
            ///
            /// # Errors
            /// When AWS refused, or when nobody knows whether the call had its effect.
            pub(crate) async fn write(&self, caller: &Caller, operation: Write, input: &Value) -> Result<Answer, CallError> {
                let body = input.to_string().into_bytes();
                match operation {
                    $(Write::$write => {
                        let name = concat!("ecs:", stringify!($write));
                        let slot = Slot::default();
                        let answer = caller.write(Bucket::$write_bucket, name, || {
                            let protocol = Lossless::new(body.clone(), Arc::clone(&slot));
                            self.writes.$write_method().customize().config_override(Builder::new().protocol(protocol)).send()
                        }).await?;
                        Ok(Answer { output: parsed(name, &slot)?, request_id: answer.request_id().map(str::to_owned) })
                    })*
                }
            }
        }
    };
}

operations! {
    reads {
        DescribeServices describe_services ServiceRead,
        ListServices list_services ServiceRead,
        DescribeTaskDefinition describe_task_definition TaskDefinitionRead,
        ListTaskDefinitions list_task_definitions TaskDefinitionRead,
        ListTasks list_tasks ClusterRead,
        DescribeTasks describe_tasks ClusterRead,
        ListServiceDeployments list_service_deployments ServiceDeploymentRead,
    }
    writes {
        RegisterTaskDefinition register_task_definition TaskDefinitionModify,
        CreateService create_service ServiceModify,
        UpdateService update_service ServiceModify,
        DeleteService delete_service ServiceModify,
        TagResource tag_resource TagModify,
        UntagResource untag_resource TagModify,
    }
}

/// The ECS API in one environment.
#[derive(Debug)]
pub(crate) struct Ecs {
    /// Repeats what fails for a passing reason.
    pub(crate) reads: Client,
    /// Never repeats anything: [`Caller::write`] does, where that is safe.
    pub(crate) writes: Client,
}

fn parsed(operation: &str, slot: &Slot) -> Result<Value, CallError> {
    answer::read(&lossless::take(slot)).map_err(|error| {
        let message = format!("the answer is not JSON: {error}");
        failure::failure(operation, FailureKind::Unavailable, Effect::Unknown, message)
    })
}
