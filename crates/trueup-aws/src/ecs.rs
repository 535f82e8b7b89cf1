//! ECS: JSON in, JSON out, whatever members it has.

use std::sync::Arc;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::Builder;
use aws_sdk_ecs::operation::RequestId as _;
use serde::Deserialize;
use serde_json::Value;
use trueup_core::live::FailureKind;
use trueup_core::plan::Operation;
use trueup_ports::{Answer, CallError, Effect};

use crate::caller::Caller;
use crate::failure;
use crate::lossless::{self, Lossless, Slot};
use crate::rate::Bucket;

/// Declares the operations with the SDK's method, and for reads the bucket, of each.
macro_rules! operations {
    (reads { $($read:ident $read_method:ident $read_bucket:ident,)* } writes { $($write:ident $write_method:ident,)* }) => {
        /// The operations that read.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Read { $($read,)* }

        /// The mutating operations that are adapted here.
        #[cfg(test)]
        pub(crate) const WRITES: &[Operation] = &[$(Operation::$write,)*];

        impl Ecs {
            /// Executes a read and returns the answer's body unparsed.
            ///
            /// # Errors
            /// When AWS did not answer, or refused the call.
            pub(crate) async fn read_body(
                &self,
                caller: &Caller,
                operation: Read,
                input: &Value,
            ) -> Result<Vec<u8>, CallError> {
                let body = input.to_string().into_bytes();
                match operation {
                    $(Read::$read => {
                        let name = concat!("ecs:", stringify!($read));
                        let slot = Slot::default();
                        caller.read(Bucket::$read_bucket, name, || {
                            let protocol = Lossless::new(body.clone(), Arc::clone(&slot));
                            self.client.$read_method().customize().config_override(Builder::new().protocol(protocol)).send()
                        }).await?;
                        Ok(lossless::take(&slot))
                    })*
                }
            }

            /// Executes a write.
            ///
            /// # Errors
            /// When AWS refused the call, or when it is unknown whether the call had its effect.
            pub(crate) async fn write(&self, caller: &Caller, operation: Operation, input: &Value) -> Result<Answer, CallError> {
                let body = input.to_string().into_bytes();
                $(if operation == Operation::$write {
                    let name = concat!("ecs:", stringify!($write));
                    let slot = Slot::default();
                    let answer = caller.write(Bucket::of(operation), name, || {
                        let protocol = Lossless::new(body.clone(), Arc::clone(&slot));
                        self.client.$write_method().customize().config_override(Builder::new().protocol(protocol)).send()
                    }).await?;
                    return Ok(Answer { output: parsed(name, &lossless::take(&slot))?, request_id: answer.request_id().map(str::to_owned) });
                })*
                // A test keeps this list and that of the operations together.
                unreachable!("{} is not adapted", operation.action())
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
        DescribeServiceDeployments describe_service_deployments ServiceDeploymentRead,
        DescribeServiceRevisions describe_service_revisions ServiceRevisionRead,
    }
    writes {
        RegisterTaskDefinition register_task_definition,
        CreateService create_service,
        UpdateService update_service,
        DeleteService delete_service,
        TagResource tag_resource,
        UntagResource untag_resource,
    }
}

/// The ECS API in one environment.
#[derive(Debug)]
pub(crate) struct Ecs {
    /// Never repeats anything: [`Caller`] does, where that is safe.
    pub(crate) client: Client,
}

impl Ecs {
    /// Executes a read and parses the answer.
    ///
    /// # Errors
    /// When AWS did not answer, refused, or answered with something that is not JSON.
    pub(crate) async fn read(&self, caller: &Caller, operation: Read, input: &Value) -> Result<Value, CallError> {
        let body = self.read_body(caller, operation, input).await?;
        parsed(&format!("ecs:{operation:?}"), &body)
    }
}

/// Reads a body as JSON.
///
/// # Errors
/// When it is not JSON, so not an answer of the API.
pub(crate) fn parsed<'a, T: Deserialize<'a>>(operation: &str, body: &'a [u8]) -> Result<T, CallError> {
    serde_json::from_slice(body).map_err(|error| {
        let message = format!("the answer is not JSON: {error}");
        failure::failure(operation, FailureKind::Unavailable, Effect::Unknown, message)
    })
}
