//! The client: makes a call as a generated one would, with the service as a value.

use std::error::Error;
use std::fmt;

use aws_config::{Region, SdkConfig};
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::service_clock_skew::{DisableClockSkewCorrection, ServiceClockSkewInterceptor};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_sdk_ecs::operation::RequestId;
use aws_smithy_runtime::client::defaults::{DefaultPluginParams, default_plugins};
use aws_smithy_runtime::client::http::connection_poisoning::ConnectionPoisoningInterceptor;
use aws_smithy_runtime::client::orchestrator::{AuthSchemeAndEndpointOrchestrationV2, invoke};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::endpoint::EndpointResolverParams;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, Error as ErasedError, Input, Output, OutputOrError,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::{RuntimePlugins, StaticRuntimePlugin};
use aws_smithy_runtime_api::client::ser_de::{
    DeserializeResponse, SerializeRequest, SharedRequestSerializer, SharedResponseDeserializer,
};
use aws_smithy_types::config_bag::{ConfigBag, FrozenLayer, Layer};
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use serde_json::Value;
use tracing::Instrument as _;
use trueup_ports::CallError;

use super::endpoint::{Destination, Endpoints};
use super::operations::Operation;
use super::protocol::Protocol;
use crate::caller::Caller;

/// All APIs of [`super::operations`] in one region, with one set of credentials and one pool of connections.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    region: Option<Region>,
    /// Shared by all calls: a second identity resolver would be a second entry in the cache of credentials.
    plugins: RuntimePlugins,
}

impl Api {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        let mut defaults = DefaultPluginParams::new().with_retry_partition_name("trueup").with_is_aws_sdk(true);
        if let Some(version) = config.behavior_version() {
            defaults = defaults.with_behavior_version(version);
        }
        let client =
            StaticRuntimePlugin::new().with_config(settings(config)).with_runtime_components(components(config));
        let plugins = RuntimePlugins::new().with_client_plugins(default_plugins(defaults)).with_client_plugin(client);
        Self { region: config.region().cloned(), plugins }
    }

    /// The same in another region.
    pub(crate) fn in_region(&self, region: &str) -> Self {
        Self { region: Some(Region::new(region.to_owned())), plugins: self.plugins.clone() }
    }

    /// Sends a read.
    ///
    /// # Errors
    /// When AWS did not answer, refused, or answered with something that is not the API's.
    pub(crate) async fn read(
        &self,
        caller: &Caller,
        operation: &'static Operation,
        input: &Value,
    ) -> Result<Value, CallError> {
        let body = operation.service.protocol.body(operation.name(), input);
        let reply = caller.read(operation.bucket, operation.action, || self.send(operation, body.clone())).await?;
        Ok(reply.value)
    }

    async fn send(
        &self,
        operation: &'static Operation,
        body: String,
    ) -> Result<Reply, SdkError<Refusal, HttpResponse>> {
        let (service, name) = (operation.service.id, operation.name());
        let region = self.region.as_ref().map(ToString::to_string);
        let address = Address(Destination { service: operation.service, region });
        let components = RuntimeComponentsBuilder::new(name).with_interceptor(address);
        let plugin =
            StaticRuntimePlugin::new().with_config(self.call(operation, body)).with_runtime_components(components);
        let plugins = self.plugins.clone().with_operation_plugin(plugin);
        let span = tracing::debug_span!("invoke", "rpc.service" = service, "rpc.method" = name);
        let output = invoke(service, name, Input::erase(()), &plugins).instrument(span).await;
        let output = output.map_err(|error| {
            error.map_service_error(|error| error.downcast::<Refusal>().expect("`Reader` makes no other error"))
        })?;
        Ok(output.downcast::<Reply>().expect("`Reader` makes no other output"))
    }

    /// The settings that differ between calls.
    fn call(&self, operation: &'static Operation, body: String) -> FrozenLayer {
        let (service, name) = (operation.service, operation.name());
        let mut layer = Layer::new(name);
        layer.store_put(Metadata::new(name, service.id));
        layer.store_put(ApiMetadata::new(service.user_agent, env!("CARGO_PKG_VERSION")));
        layer.store_put(SigningName::from_static(service.signing_name));
        layer.store_put(SigV4OperationSigningConfig::default());
        if let Some(region) = &self.region {
            layer.store_put(region.clone());
            layer.store_put(SigningRegion::from(region.clone()));
        }
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(SharedRequestSerializer::new(Writer { operation, body }));
        layer.store_put(SharedResponseDeserializer::new(Reader(service.protocol)));
        layer.freeze()
    }
}

/// The user's settings, as far as they are values.
fn settings(config: &SdkConfig) -> FrozenLayer {
    let mut layer = Layer::new("trueup");
    layer.store_put(AuthSchemeAndEndpointOrchestrationV2);
    // `Caller` repeats what may be repeated; this configuration has retries disabled.
    layer.store_or_unset(config.retry_config().cloned());
    layer.store_or_unset(config.timeout_config().cloned());
    layer.store_or_unset(config.app_name().cloned());
    if let Some(protection) = config.stalled_stream_protection() {
        layer.store_put(protection);
    }
    layer.store_or_unset(config.disable_clock_skew_correction().map(DisableClockSkewCorrection::from));
    layer.freeze()
}

/// The parts that do the work, as a generated client has them.
fn components(config: &SdkConfig) -> RuntimeComponentsBuilder {
    let mut components = RuntimeComponentsBuilder::new("trueup");
    components.set_http_client(config.http_client());
    components.set_sleep_impl(config.sleep_impl());
    components.set_time_source(config.time_source());
    components.set_identity_cache(config.identity_cache());
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, credentials);
    }
    components.set_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])));
    components.push_auth_scheme(SigV4AuthScheme::new());
    components.set_endpoint_resolver(Some(Endpoints::new(config)));
    components.push_interceptor(ConnectionPoisoningInterceptor::new());
    components.push_interceptor(ServiceClockSkewInterceptor::new());
    components.push_interceptor(RequestInfoInterceptor::new());
    components.push_interceptor(UserAgentInterceptor::new());
    components.push_interceptor(InvocationIdInterceptor::new());
    components.push_interceptor(RecursionDetectionInterceptor::new());
    components
}

/// A successful answer.
#[derive(Debug)]
struct Reply {
    value: Value,
    request_id: Option<String>,
}

impl RequestId for Reply {
    fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

/// A failed answer.
#[derive(Debug)]
struct Refusal(ErrorMetadata);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code().unwrap_or("an error without a code"))
    }
}

impl Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

/// Says where the call goes. The orchestrator takes that from an interceptor alone.
#[derive(Debug)]
struct Address(Destination);

impl Intercept for Address {
    fn name(&self) -> &'static str {
        "Address"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().store_put(EndpointResolverParams::new(self.0.clone()));
        Ok(())
    }
}

/// Writes the request.
struct Writer {
    operation: &'static Operation,
    body: String,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies are never logged.
        f.debug_struct("Writer").field("operation", &self.operation.action).finish_non_exhaustive()
    }
}

impl SerializeRequest for Writer {
    fn serialize_input(&self, _input: Input, _cfg: &mut ConfigBag) -> Result<HttpRequest, BoxError> {
        Ok(self.operation.service.protocol.request(self.operation.name(), &self.body))
    }
}

/// Reads the answer.
#[derive(Debug)]
struct Reader(Protocol);

impl DeserializeResponse for Reader {
    fn deserialize_nonstreaming_with_config(&self, response: &HttpResponse, _cfg: &ConfigBag) -> OutputOrError {
        if !response.status().is_success() {
            return Err(OrchestratorError::operation(ErasedError::erase(Refusal(self.0.error(response)))));
        }
        let body = response.body().bytes().unwrap_or_default();
        let value = self.0.answer(body).map_err(OrchestratorError::other)?;
        Ok(Output::erase(Reply { value, request_id: response.request_id().map(str::to_owned) }))
    }
}
