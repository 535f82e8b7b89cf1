//! What stands in the PRIMARY deployment: Service Connect, volumes, VPC Lattice.

use serde_json::{Value, json};
use trueup_core::drift::Context;
use trueup_core::kind::Kind;

use super::service;
use crate::{Row, over, paths};

/// A service whose PRIMARY deployment has these members; and a deployment that is on its way out.
fn with_primary(members: &Value) -> Value {
    service(&json!({"deployments": [
        {"status": "ACTIVE", "serviceConnectConfiguration": {"enabled": true, "namespace": "old"}, "volumeConfigurations": [{"name": "old"}]},
        over(json!({"status": "PRIMARY"}), members)
    ]}))
}

/// Judges rows whose live side is the PRIMARY deployment.
fn check_primary(rows: &[Row]) {
    for (name, desired, live, expected) in rows {
        let told = paths(Kind::Service, &service(desired), &with_primary(live), &Context::default());
        assert_eq!(told, *expected, "{name}");
    }
}

#[test]
fn what_stands_in_the_primary_deployment() {
    let connect = |more: Value| json!({"serviceConnectConfiguration": over(json!({"enabled": true, "namespace": "shop"}), &more)});
    let http = |more: Value| connect(json!({"services": [over(json!({"portName": "http"}), &more)]}));
    let alias = |more: Value| http(json!({"clientAliases": [over(json!({"port": 80}), &more)]}));
    let ebs = |more: Value| json!({"volumeConfigurations": [{"name": "data", "managedEBSVolume": over(json!({"roleArn": "r"}), &more)}]});
    let lattice = |group: &str| json!({"vpcLatticeConfigurations": [{"roleArn": "r", "targetGroupArn": group, "portName": "http"}]});
    check_primary(&[
        ("Service Connect alike", connect(json!({})), connect(json!({"services": []})), &[]),
        ("Service Connect off", json!({"serviceConnectConfiguration": {"enabled": false}}), json!({}), &[]),
        ("Service Connect off in live", json!({}), json!({"serviceConnectConfiguration": {"enabled": false}}), &[]),
        ("Service Connect missing", connect(json!({})), json!({}), &["/serviceConnectConfiguration"]),
        ("Service Connect added", json!({}), connect(json!({})), &["/serviceConnectConfiguration"]),
        (
            "Service Connect switched off",
            connect(json!({})),
            json!({"serviceConnectConfiguration": {"enabled": false}}),
            &["/serviceConnectConfiguration/enabled"],
        ),
        (
            "another namespace",
            connect(json!({})),
            connect(json!({"namespace": "other"})),
            &["/serviceConnectConfiguration/namespace"],
        ),
        ("the cluster's namespace", json!({"serviceConnectConfiguration": {"enabled": true}}), connect(json!({})), &[]),
        ("a discovery name completed", http(json!({})), http(json!({"discoveryName": "http"})), &[]),
        (
            "another discovery name",
            http(json!({})),
            http(json!({"discoveryName": "api"})),
            &["/serviceConnectConfiguration/services/http/discoveryName"],
        ),
        ("a DNS name completed", alias(json!({})), alias(json!({"dnsName": "http.shop"})), &[]),
        ("a DNS name not echoed", alias(json!({"dnsName": "http.shop"})), alias(json!({})), &[]),
        (
            "another DNS name",
            alias(json!({})),
            alias(json!({"dnsName": "api"})),
            &["/serviceConnectConfiguration/services/http/clientAliases/80/dnsName"],
        ),
        (
            "another DNS name declared",
            alias(json!({"dnsName": "web"})),
            alias(json!({"dnsName": "api"})),
            &["/serviceConnectConfiguration/services/http/clientAliases/80/dnsName"],
        ),
        (
            "aliases are a set",
            http(json!({"clientAliases": [{"port": 80}, {"port": 81}]})),
            http(json!({"discoveryName": "http", "clientAliases": [{"port": 81}, {"port": 80}]})),
            &[],
        ),
        (
            "an alias added",
            alias(json!({})),
            http(json!({"clientAliases": [{"port": 80}, {"port": 81}]})),
            &["/serviceConnectConfiguration/services/http/clientAliases/81"],
        ),
        (
            "services are a set",
            connect(json!({"services": [{"portName": "a"}, {"portName": "b"}]})),
            connect(json!({"services": [{"portName": "b"}, {"portName": "a"}]})),
            &[],
        ),
        (
            "a service added",
            http(json!({})),
            connect(json!({"services": [{"portName": "http"}, {"portName": "b"}]})),
            &["/serviceConnectConfiguration/services/b"],
        ),
        ("a default timeout", http(json!({})), http(json!({"timeout": {"idleTimeoutSeconds": 300}})), &[]),
        (
            "a timeout switched off",
            http(json!({})),
            http(json!({"timeout": {"idleTimeoutSeconds": 0}})),
            &["/serviceConnectConfiguration/services/http/timeout"],
        ),
        (
            "another timeout",
            http(json!({"timeout": {"idleTimeoutSeconds": 60}})),
            http(json!({"timeout": {"idleTimeoutSeconds": 0}})),
            &["/serviceConnectConfiguration/services/http/timeout/idleTimeoutSeconds"],
        ),
        (
            "an ingress port",
            http(json!({"ingressPortOverride": 8080})),
            http(json!({})),
            &["/serviceConnectConfiguration/services/http/ingressPortOverride"],
        ),
        (
            "TLS is verbatim",
            http(json!({"tls": {"issuerCertificateAuthority": {"awsPcaAuthorityArn": "a"}}})),
            http(json!({"tls": {"issuerCertificateAuthority": {"awsPcaAuthorityArn": "b"}}})),
            &["/serviceConnectConfiguration/services/http/tls/issuerCertificateAuthority/awsPcaAuthorityArn"],
        ),
        (
            "TLS added",
            http(json!({})),
            http(json!({"tls": {"issuerCertificateAuthority": {"awsPcaAuthorityArn": "b"}}})),
            &["/serviceConnectConfiguration/services/http/tls"],
        ),
        (
            "access logs completed",
            connect(json!({"accessLogConfiguration": {"format": "JSON"}})),
            connect(json!({"accessLogConfiguration": {"format": "JSON", "includeQueryParameters": "DISABLED"}})),
            &[],
        ),
        (
            "logs of the proxy",
            connect(json!({"logConfiguration": {"logDriver": "awslogs", "options": {"a": ""}}})),
            connect(json!({"logConfiguration": {"logDriver": "awslogs"}})),
            &["/serviceConnectConfiguration/logConfiguration/options/a"],
        ),
        (
            "a log level completed",
            connect(json!({"containerConfigurations": [{}]})),
            connect(json!({"containerConfigurations": [{"logLevel": "info"}]})),
            &[],
        ),
        (
            "another log level",
            connect(json!({"containerConfigurations": [{"logLevel": "debug"}]})),
            connect(json!({"containerConfigurations": [{"logLevel": "info"}]})),
            &["/serviceConnectConfiguration/containerConfigurations"],
        ),
        (
            "a volume completed",
            ebs(json!({"sizeInGiB": 10})),
            ebs(
                json!({"sizeInGiB": 10, "volumeType": "gp3", "iops": 3000, "throughput": 125, "encrypted": true, "filesystemType": "xfs"}),
            ),
            &[],
        ),
        (
            "a larger volume",
            ebs(json!({"sizeInGiB": 10})),
            ebs(json!({"sizeInGiB": 20})),
            &["/volumeConfigurations/data/managedEBSVolume/sizeInGiB"],
        ),
        (
            "another file system",
            ebs(json!({})),
            ebs(json!({"filesystemType": "ext4"})),
            &["/volumeConfigurations/data/managedEBSVolume/filesystemType"],
        ),
        (
            "more operations",
            ebs(json!({})),
            ebs(json!({"iops": 6000})),
            &["/volumeConfigurations/data/managedEBSVolume/iops"],
        ),
        (
            "encryption declared",
            ebs(json!({"encrypted": false})),
            ebs(json!({"encrypted": true})),
            &["/volumeConfigurations/data/managedEBSVolume/encrypted"],
        ),
        (
            "a volume's tags",
            ebs(
                json!({"tagSpecifications": [{"resourceType": "volume", "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "1"}]}]}),
            ),
            ebs(
                json!({"tagSpecifications": [{"resourceType": "volume", "tags": [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}], "propagateTags": "NONE"}]}),
            ),
            &["/volumeConfigurations/data/managedEBSVolume/tagSpecifications/volume/tags/b"],
        ),
        ("a volume missing", ebs(json!({})), json!({}), &["/volumeConfigurations/data"]),
        ("a volume added", json!({}), ebs(json!({})), &["/volumeConfigurations/data"]),
        ("VPC Lattice", lattice("a"), lattice("b"), &["/vpcLatticeConfigurations/http/targetGroupArn"]),
        ("VPC Lattice alike", lattice("a"), lattice("a"), &[]),
        ("VPC Lattice added", json!({}), lattice("a"), &["/vpcLatticeConfigurations/http"]),
    ]);
}
