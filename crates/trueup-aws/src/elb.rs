//! ELBv2 over the query protocol, with requests and answers as JSON whose members are named as in the AWS CLI.
//!
//! The protocol of the SDK's ELBv2 client cannot be replaced, so an interceptor sets the body before the request is
//! signed and keeps the answer after it was read.

use std::fmt;
use std::sync::Arc;

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_elasticloadbalancingv2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_elasticloadbalancingv2::operation::RequestId as _;
use aws_smithy_runtime_api::box_error::BoxError;
use serde_json::Value;
use trueup_core::live::FailureKind;
use trueup_core::plan::Operation;
use trueup_ports::{Answer, CallError, Effect};

use crate::caller::Caller;
use crate::lossless::{self, Slot};
use crate::rate::Bucket;
use crate::{failure, query, xml};

/// Declares the operations with the SDK's method of each.
macro_rules! operations {
    (reads { $($read:ident $read_method:ident,)* } writes { $($write:ident $write_method:ident,)* }) => {
        /// The operations that read.
        #[expect(clippy::enum_variant_names, reason = "they are AWS's names, and AWS begins all of these alike")]
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Read { $($read,)* }

        /// The mutating operations that are adapted here.
        #[cfg(test)]
        pub(crate) const WRITES: &[Operation] = &[$(Operation::$write,)*];

        impl Elb {
            /// Executes a read.
            ///
            /// # Errors
            /// When AWS did not answer, refused the call, or sent an answer that is not one of this API.
            pub(crate) async fn read(&self, caller: &Caller, operation: Read, input: &Value) -> Result<Value, CallError> {
                match operation {
                    $(Read::$read => {
                        let name = concat!("elasticloadbalancing:", stringify!($read));
                        let exchange = Exchange::new(stringify!($read), input);
                        caller.read(Bucket::ElbRead, name, || {
                            self.client.$read_method().customize().interceptor(exchange.clone()).send()
                        }).await?;
                        parsed(name, &exchange.answer)
                    })*
                }
            }

            /// Executes a write.
            ///
            /// # Errors
            /// When AWS refused the call, or when it is unknown whether the call had its effect.
            pub(crate) async fn write(&self, caller: &Caller, operation: Operation, input: &Value) -> Result<Answer, CallError> {
                $(if operation == Operation::$write {
                    let name = concat!("elasticloadbalancing:", stringify!($write));
                    let exchange = Exchange::new(stringify!($write), input);
                    let answer = caller.write(Bucket::of(operation), name, || {
                        self.client.$write_method().customize().interceptor(exchange.clone()).send()
                    }).await?;
                    let output = parsed(name, &exchange.answer)?;
                    return Ok(Answer { output, request_id: answer.request_id().map(str::to_owned) });
                })*
                // A test keeps this list and that of the operations together.
                unreachable!("{} is not adapted", operation.action())
            }
        }
    };
}

operations! {
    reads {
        DescribeTargetGroups describe_target_groups,
        DescribeTargetGroupAttributes describe_target_group_attributes,
        DescribeRules describe_rules,
        DescribeTags describe_tags,
        DescribeLoadBalancers describe_load_balancers,
        DescribeListeners describe_listeners,
        DescribeTargetHealth describe_target_health,
    }
    writes {
        CreateTargetGroup create_target_group,
        ModifyTargetGroup modify_target_group,
        ModifyTargetGroupAttributes modify_target_group_attributes,
        DeleteTargetGroup delete_target_group,
        CreateRule create_rule,
        ModifyRule modify_rule,
        SetRulePriorities set_rule_priorities,
        DeleteRule delete_rule,
        AddTags add_tags,
        RemoveTags remove_tags,
    }
}

/// The ELBv2 API in one environment.
#[derive(Debug)]
pub(crate) struct Elb {
    /// Never repeats anything: [`Caller`] does, where that is safe.
    pub(crate) client: Client,
}

/// Puts a body into a request and keeps the answer's.
#[derive(Clone)]
struct Exchange {
    body: Arc<str>,
    answer: Slot,
}

impl Exchange {
    fn new(operation: &str, input: &Value) -> Self {
        Self { body: query::elb_body(operation, input).into(), answer: Slot::default() }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

impl Intercept for Exchange {
    fn name(&self) -> &'static str {
        "Exchange"
    }

    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        lossless::replace_body(context.request_mut(), self.body.as_bytes());
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        lossless::put(&self.answer, context.response().body().bytes().unwrap_or_default());
        Ok(())
    }
}

fn parsed(operation: &str, slot: &Slot) -> Result<Value, CallError> {
    let body = lossless::take(slot);
    let text = str::from_utf8(&body).map_err(|error| format!("the answer is not UTF-8: {error}"));
    text.and_then(xml::elb_result)
        .map_err(|message| failure::failure(operation, FailureKind::Unavailable, Effect::Unknown, message))
}
