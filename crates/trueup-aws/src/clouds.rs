//! Connects to the AWS account of an environment: credentials, region, assumed role, time-outs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use tokio::sync::Mutex;
use tokio::time::Instant;
use trueup_core::desired::Environment;
use trueup_core::names::EnvironmentName;
use trueup_ports::{Cloud, Clouds, Meter, Unmetered};

use crate::buckets::{Buckets, Pace};
use crate::calls::{Calls, Count};
use crate::cloud::AwsCloud;
use crate::stop::Stop;

/// trueup's name in AWS's logs (`app/trueup` in the user agent).
const APP_NAME: &str = "trueup";

/// How long establishing a connection may take.
const CONNECT_SECONDS_MAX: u64 = 3;

/// How long the first byte of an answer may take.
const READ_SECONDS_MAX: u64 = 10;

/// How long one attempt may take, with credentials and connection: well below the 25 s within which a stopping process
/// must be gone.
const ATTEMPT_SECONDS_MAX: u64 = 12;

/// How long credentials that AWS rejects are kept before they are loaded again. The SDK reads a profile's files once,
/// so an operator who fixes them would otherwise have to restart trueup.
const CREDENTIALS_SOUGHT_AFTER: Duration = Duration::from_secs(30);

/// The longest session name that `AssumeRole` accepts.
const SESSION_NAME_LENGTH_MAX: usize = 64;

/// Overrides of the SDK's own choices. The default overrides nothing.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Carries requests: a simulated AWS in the same process, for example.
    pub http_client: Option<SharedHttpClient>,
    /// The source of credentials, instead of profile, environment, task role and so on.
    pub credentials: Option<SharedCredentialsProvider>,
    /// An access key to use as credentials, instead of searching for any.
    pub keys: Option<Keys>,
    /// The region to use where no environment names one: for the daemon's own metrics.
    pub region: Option<String>,
    /// The endpoint of all services: a simulated AWS on a loopback port, for example.
    pub endpoint_url: Option<String>,
    /// The time that requests are signed with.
    pub time_source: Option<SharedTimeSource>,
    /// The SDK's timer. Tokio's timers by default, which follow a paused clock.
    pub sleep: Option<SharedAsyncSleep>,
    /// Whether calls stay below AWS's published rates.
    pub pace: Pace,
    /// Records the duration and outcome of every call.
    pub meter: Option<Arc<dyn Meter>>,
}

/// An access key.
#[derive(Clone)]
pub struct Keys {
    id: String,
    secret: String,
}

impl Keys {
    /// Access key id and secret access key.
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { id: id.into(), secret: secret.into() }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

/// AWS for all environments of this process.
///
/// Environments in the same account and region share one set of token buckets, for all applications.
#[derive(Debug, Default)]
pub struct AwsClouds {
    options: Options,
    calls: Arc<Calls>,
    stop: Stop,
    buckets: std::sync::Mutex<BTreeMap<(String, String), Arc<Buckets>>>,
    clouds: Mutex<BTreeMap<EnvironmentName, Connected>>,
}

#[derive(Debug)]
struct Connected {
    cloud: Arc<AwsCloud>,
    since: Instant,
}

impl Connected {
    fn serves(&self, environment: &Environment) -> bool {
        let is_stuck = self.cloud.is_locked_out() && self.since.elapsed() >= CREDENTIALS_SOUGHT_AFTER;
        self.cloud.environment() == environment && !is_stuck
    }
}

impl AwsClouds {
    /// Connects nothing yet.
    pub fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// The number of calls since the start, by operation (`ecs:DescribeServices`), of all environments.
    pub fn calls(&self) -> BTreeMap<String, Count> {
        self.calls.snapshot()
    }

    fn buckets(&self, environment: &Environment) -> Arc<Buckets> {
        let place = (environment.account.clone(), environment.region.clone());
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(buckets.entry(place).or_insert_with(|| Arc::new(Buckets::new(self.options.pace))))
    }

    async fn connect(&self, environment: &Environment) -> AwsCloud {
        let base = base(self.options.clone(), Some(&environment.region)).await;
        let authenticated = match &environment.role {
            None => base,
            Some(role) => {
                let provider =
                    AssumeRoleProvider::builder(role).session_name(session_name(environment)).configure(&base).build();
                base.to_builder().credentials_provider(SharedCredentialsProvider::new(provider.await)).build()
            }
        };
        // The SDK itself sends the calls that obtain credentials, and retries them.
        let config = authenticated.to_builder().retry_config(RetryConfig::disabled()).build();
        let (buckets, calls) = (self.buckets(environment), Arc::clone(&self.calls));
        let meter = self.options.meter.clone().unwrap_or_else(|| Arc::new(Unmetered));
        AwsCloud::new(environment.clone(), &config, buckets, calls, meter, self.stop.clone())
    }

    /// [`Clouds::cloud`] with the adapter's own type.
    pub async fn aws(&self, environment: &Environment) -> Arc<AwsCloud> {
        let mut clouds = self.clouds.lock().await;
        if let Some(connected) = clouds.get(&environment.name).filter(|connected| connected.serves(environment)) {
            return Arc::clone(&connected.cloud);
        }
        let cloud = Arc::new(self.connect(environment).await);
        let connected = Connected { cloud: Arc::clone(&cloud), since: Instant::now() };
        clouds.insert(environment.name.clone(), connected);
        cloud
    }
}

/// The SDK's ordinary configuration (profile, `AWS_ENDPOINT_URL`, task role, single sign-on) with our time-outs. The
/// region is the given one, else the one in the options, else the one that the SDK finds.
pub(crate) async fn base(options: Options, region: Option<&str>) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
        .read_timeout(Duration::from_secs(READ_SECONDS_MAX))
        .operation_attempt_timeout(Duration::from_secs(ATTEMPT_SECONDS_MAX))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .app_name(AppName::new(APP_NAME).expect("letters only are a legal name"))
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts)
        // Meant for long downloads; our answers are small and every attempt has a time-out.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    let Options { http_client, credentials, keys, region: own, endpoint_url, time_source, sleep, pace: _, meter: _ } =
        options;
    if let Some(region) = region.map(str::to_owned).or(own) {
        loader = loader.region(Region::new(region));
    }
    if let Some(http_client) = http_client {
        loader = loader.http_client(http_client);
    }
    if let Some(credentials) = credentials {
        loader = loader.credentials_provider(credentials);
    }
    if let Some(Keys { id, secret }) = keys {
        loader = loader.credentials_provider(Credentials::new(id, secret, None, None, "given"));
    }
    if let Some(endpoint_url) = endpoint_url {
        loader = loader.endpoint_url(endpoint_url);
    }
    if let Some(time_source) = time_source {
        loader = loader.time_source(time_source);
    }
    if let Some(sleep) = sleep {
        loader = loader.sleep_impl(sleep);
    }
    loader.load().await
}

#[async_trait]
impl Clouds for AwsClouds {
    async fn cloud(&self, environment: &Environment) -> Arc<dyn Cloud> {
        self.aws(environment).await
    }

    fn stop_writing(&self) {
        self.stop.raise();
    }
}

/// `trueup-ENVIRONMENT`, restricted to what a session name may contain.
///
/// Source: STS API reference, `AssumeRole`, `RoleSessionName`: 2 to 64 of letters, digits and `_+=,.@-`.
fn session_name(environment: &Environment) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) { c } else { '-' };
    format!("trueup-{}", environment.name).chars().map(legal).take(SESSION_NAME_LENGTH_MAX).collect()
}
