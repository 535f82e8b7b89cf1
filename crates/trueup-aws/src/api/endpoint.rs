//! Where a service is reached.
//!
//! Which host names a partition has is knowledge of the SDK that grows with AWS. It is in the rules of every generated
//! client, so ECS's are asked, and the answer's first label is replaced by the service's own.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_ecs::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::endpoint::{EndpointFuture, EndpointResolverParams, ResolveEndpoint};
use aws_smithy_types::endpoint::Endpoint;
use aws_types::service_config::ServiceConfigKey;

use super::operations::{ApiService, SERVICES};

/// What a call asks the endpoint of.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) service: &'static ApiService,
    pub(crate) region: Option<String>,
}

/// The endpoints of all services, by AWS's rules and the user's settings.
#[derive(Debug)]
pub(crate) struct Endpoints {
    ecs: DefaultResolver,
    fips: bool,
    dual_stack: bool,
    /// URLs that the user set, by service id.
    custom: BTreeMap<&'static str, String>,
}

impl Endpoints {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        let custom = SERVICES.iter().filter_map(|service| Some((service.id, custom(config, service)?)));
        Self {
            ecs: DefaultResolver::new(),
            fips: config.use_fips().unwrap_or_default(),
            dual_stack: config.use_dual_stack().unwrap_or_default(),
            custom: custom.collect(),
        }
    }

    async fn of(&self, destination: &Destination) -> Result<Endpoint, BoxError> {
        let Destination { service, region } = destination;
        let custom = self.custom.get(service.id);
        // A custom URL excludes the other settings: ECS's rules say so, whatever the service.
        let asks_dual_stack = self.dual_stack && (service.dual_stack_host.is_some() || custom.is_some());
        let params = Params::builder()
            .set_region(region.clone())
            .use_fips(self.fips)
            .use_dual_stack(asks_dual_stack)
            .set_endpoint(custom.cloned())
            .build()?;
        let endpoint = self.ecs.resolve_endpoint(&params).await?;
        if custom.is_some() {
            return Ok(endpoint);
        }
        let rest = endpoint.url().split_once('.').map(|(_, rest)| rest).ok_or("the endpoint of ECS has no domain")?;
        let host = self.host(service, region.as_deref().unwrap_or_default());
        Ok(Endpoint::builder().url(format!("https://{host}.{rest}")).build())
    }

    /// The labels before the region.
    fn host(&self, service: &ApiService, region: &str) -> String {
        let host = service.dual_stack_host.filter(|_| self.dual_stack).unwrap_or(service.host);
        let is_fips_anyway = service.govcloud_is_fips && region.starts_with("us-gov-") && !self.dual_stack;
        if self.fips && !is_fips_anyway { format!("{host}-fips") } else { host.to_owned() }
    }
}

impl ResolveEndpoint for Endpoints {
    fn resolve_endpoint<'a>(&'a self, params: &'a EndpointResolverParams) -> EndpointFuture<'a> {
        EndpointFuture::new(async {
            self.of(params.get::<Destination>().ok_or("the call does not say which service it is for")?).await
        })
    }
}

/// The URL that the user set for a service: in the options, else for it alone (`AWS_ENDPOINT_URL_SSM`, or the profile's
/// `services` section), else for all services.
fn custom(config: &SdkConfig, service: &ApiService) -> Option<String> {
    let for_all = config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return for_all;
    }
    let key = ServiceConfigKey::builder().service_id(service.id).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let key = key.build().expect("all three are set");
    config.service_config().and_then(|settings| settings.load_config(key)).or(for_all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::operations::{BATCH_GET_IMAGE, DESCRIBE_PARAMETERS, DESCRIBE_SECRET, GET_CALLER_IDENTITY};

    async fn url(endpoints: &Endpoints, service: &'static ApiService, region: &str) -> String {
        let destination = Destination { service, region: Some(region.to_owned()) };
        match endpoints.of(&destination).await {
            Ok(endpoint) => endpoint.url().to_owned(),
            Err(error) => error.to_string(),
        }
    }

    // As the SDK's clients for these services have them in their own tests.
    #[tokio::test]
    async fn hosts_are_those_of_the_generated_clients() {
        let (ssm, ecr) = (DESCRIBE_PARAMETERS.service, BATCH_GET_IMAGE.service);
        let (secrets, sts) = (DESCRIBE_SECRET.service, GET_CALLER_IDENTITY.service);
        for (service, region, [fips, dual_stack], expected) in [
            (ssm, "ap-northeast-1", [false, false], "https://ssm.ap-northeast-1.amazonaws.com"),
            (ssm, "us-east-1", [true, false], "https://ssm-fips.us-east-1.amazonaws.com"),
            (ssm, "us-east-1", [false, true], "https://ssm.us-east-1.api.aws"),
            (ssm, "us-east-1", [true, true], "https://ssm-fips.us-east-1.api.aws"),
            (ssm, "cn-north-1", [false, false], "https://ssm.cn-north-1.amazonaws.com.cn"),
            (ssm, "cn-north-1", [false, true], "https://ssm.cn-north-1.api.amazonwebservices.com.cn"),
            (ssm, "us-gov-east-1", [true, false], "https://ssm.us-gov-east-1.amazonaws.com"),
            (ssm, "us-gov-east-1", [true, true], "https://ssm-fips.us-gov-east-1.api.aws"),
            (ssm, "us-iso-east-1", [false, false], "https://ssm.us-iso-east-1.c2s.ic.gov"),
            (ssm, "us-isob-east-1", [false, false], "https://ssm.us-isob-east-1.sc2s.sgov.gov"),
            (ecr, "us-east-1", [false, false], "https://api.ecr.us-east-1.amazonaws.com"),
            (ecr, "us-east-1", [true, false], "https://api.ecr-fips.us-east-1.amazonaws.com"),
            (ecr, "us-gov-west-1", [true, false], "https://api.ecr-fips.us-gov-west-1.amazonaws.com"),
            (ecr, "us-east-1", [false, true], "https://ecr.us-east-1.api.aws"),
            (ecr, "us-east-1", [true, true], "https://ecr-fips.us-east-1.api.aws"),
            (ecr, "eusc-de-east-1", [false, false], "https://api.ecr.eusc-de-east-1.amazonaws.eu"),
            (secrets, "us-east-1", [false, true], "https://secretsmanager.us-east-1.amazonaws.com"),
            (secrets, "us-gov-east-1", [true, true], "https://secretsmanager-fips.us-gov-east-1.amazonaws.com"),
            (sts, "us-gov-west-1", [true, false], "https://sts.us-gov-west-1.amazonaws.com"),
            (sts, "us-east-1", [true, false], "https://sts-fips.us-east-1.amazonaws.com"),
        ] {
            let config = SdkConfig::builder().use_fips(fips).use_dual_stack(dual_stack).build();
            assert_eq!(url(&Endpoints::new(&config), service, region).await, expected);
        }
    }

    #[tokio::test]
    async fn a_custom_url_is_taken_as_it_is_and_excludes_fips() {
        let at = |fips| SdkConfig::builder().endpoint_url("https://ecs.corp:8443").use_fips(fips).build();
        let ssm = DESCRIBE_PARAMETERS.service;
        assert_eq!(url(&Endpoints::new(&at(false)), ssm, "us-east-1").await, "https://ecs.corp:8443");
        let error = url(&Endpoints::new(&at(true)), ssm, "us-east-1").await;
        assert_eq!(error, "Invalid Configuration: FIPS and custom endpoint are not supported");
    }

    #[tokio::test]
    async fn a_url_for_one_service_comes_before_that_for_all() {
        #[derive(Debug)]
        struct Settings;

        impl aws_types::service_config::LoadServiceConfig for Settings {
            fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
                assert_eq!((key.env(), key.profile()), ("AWS_ENDPOINT_URL", "endpoint_url"));
                (key.service_id() == "Secrets Manager").then(|| "http://secrets".to_owned())
            }
        }

        let mut config =
            SdkConfig::builder().endpoint_url("http://all").service_config(Settings).build().into_builder();
        config.insert_origin("endpoint_url", aws_types::origin::Origin::shared_environment_variable());
        let endpoints = Endpoints::new(&config.build());
        assert_eq!(url(&endpoints, DESCRIBE_SECRET.service, "us-east-1").await, "http://secrets");
        assert_eq!(url(&endpoints, DESCRIBE_PARAMETERS.service, "us-east-1").await, "http://all");
    }
}
