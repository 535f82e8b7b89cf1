//! Sends the daemon's own metrics to CloudWatch, with the daemon's own credentials, in its own region.
//!
//! Source: Amazon CloudWatch API reference, `PutMetricData`.

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit, StatisticSet};
use aws_smithy_types::DateTime;
use tokio::sync::Mutex;
use trueup_core::live::FailureKind;
use trueup_ports::{CallError, Datum, Effect, Metrics, Sample, Unit};

use crate::clouds::{Options, base};
use crate::failure::{classify, failure};

/// The operation.
const PUT: &str = "cloudwatch:PutMetricData";

/// Puts metrics into CloudWatch.
#[derive(Debug)]
pub struct AwsMetrics {
    options: Options,
    /// Created on first use, and again after AWS rejected its credentials: the SDK reads a profile's files once.
    client: Mutex<Option<Client>>,
}

impl AwsMetrics {
    /// The region and credentials will be those that the SDK finds (`AWS_REGION`, profile, task role): the daemon's
    /// own, whatever roles its environments have. Does not search for them yet.
    pub fn new(options: Options) -> Self {
        Self { options, client: Mutex::default() }
    }

    async fn client(&self) -> Result<Client, CallError> {
        let mut client = self.client.lock().await;
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let base = base(self.options.clone(), None).await;
        if base.region().is_none() {
            return Err(failure(PUT, FailureKind::Rejected, Effect::None, "no region is known: set AWS_REGION"));
        }
        // The caller retries a failed put a minute later.
        let config = base.to_builder().retry_config(RetryConfig::disabled()).build();
        Ok(client.insert(Client::new(&config)).clone())
    }
}

#[async_trait]
impl Metrics for AwsMetrics {
    async fn put(&self, namespace: &str, data: &[Datum]) -> Result<(), CallError> {
        let data = data.iter().map(datum).collect();
        let put = self.client().await?.put_metric_data().namespace(namespace).set_metric_data(Some(data));
        let put = put.send().await.map(|_| ()).map_err(|error| classify(PUT, &error));
        if put.as_ref().is_err_and(|error| error.kind == FailureKind::Credentials) {
            self.client.lock().await.take();
        }
        put
    }
}

fn datum(datum: &Datum) -> MetricDatum {
    let dimensions = datum.dimensions.iter().map(|(name, value)| Dimension::builder().name(*name).value(value).build());
    let unit = match datum.unit {
        Unit::Count => StandardUnit::Count,
        Unit::Seconds => StandardUnit::Seconds,
    };
    let put = MetricDatum::builder()
        .metric_name(datum.name)
        .set_dimensions(Some(dimensions.collect()))
        .timestamp(DateTime::from_secs(datum.time.as_second()))
        .unit(unit);
    match datum.sample {
        Sample::One(value) => put.value(value).build(),
        Sample::Many { count, sum, minimum, maximum } => {
            let set = StatisticSet::builder().sample_count(count).sum(sum).minimum(minimum).maximum(maximum);
            put.statistic_values(set.build()).build()
        }
    }
}
