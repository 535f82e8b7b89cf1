//! Ports, health checks and Linux parameters of a container.

use serde_json::{Value, json};
use trueup_core::drift::Context;
use trueup_core::kind::Kind;

use super::container;
use crate::{Row, check, over, paths};

#[test]
fn port_mappings() {
    let ports = |mappings: Value| json!({"portMappings": mappings});
    let port = |more: Value| json!({"portMappings": [over(json!({"containerPort": 80}), &more)]});
    let any_mode: &[Row] = &[
        (
            "AWS reorders them",
            ports(json!([{"containerPort": 8080}, {"containerPort": 443}])),
            ports(json!([{"containerPort": 443, "protocol": "tcp"}, {"containerPort": 8080, "protocol": "tcp"}])),
            &[],
        ),
        ("udp is not tcp", port(json!({})), port(json!({"protocol": "udp"})), &["/portMappings/80/protocol"]),
        ("a name added by hand", port(json!({})), port(json!({"name": "web-80-tcp"})), &["/portMappings/80/name"]),
        (
            "an application protocol",
            port(json!({"appProtocol": "http"})),
            port(json!({"appProtocol": "http2"})),
            &["/portMappings/80/appProtocol"],
        ),
        ("an empty application protocol is none", port(json!({})), port(json!({"appProtocol": ""})), &[]),
        (
            "a port added",
            port(json!({})),
            ports(json!([{"containerPort": 80}, {"containerPort": 81}])),
            &["/portMappings/81"],
        ),
        ("a port number as text", ports(json!([{"containerPort": "80"}])), port(json!({})), &[]),
        (
            "a range",
            ports(json!([{"containerPortRange": "80-90"}])),
            ports(json!([{"containerPortRange": "80-90", "protocol": "tcp"}])),
            &[],
        ),
        (
            "one port with two protocols",
            ports(json!([{"containerPort": 53}, {"containerPort": 53, "protocol": "udp"}])),
            ports(json!([{"containerPort": 53, "protocol": "udp"}, {"containerPort": 53, "protocol": "tcp"}])),
            &[],
        ),
        (
            "another range",
            ports(json!([{"containerPortRange": "80-90"}])),
            ports(json!([{"containerPortRange": "80-91"}])),
            &["/portMappings/80-90", "/portMappings/80-91"],
        ),
    ];
    let awsvpc: &[Row] = &[
        ("the container's port is the host's", port(json!({})), port(json!({"hostPort": 80, "protocol": "tcp"})), &[]),
        ("0 is it too", port(json!({"hostPort": 0})), port(json!({"hostPort": 80})), &[]),
        ("another host port", port(json!({})), port(json!({"hostPort": 8080})), &["/portMappings/80/hostPort"]),
    ];
    let bridge: &[Row] = &[
        ("0 is any", port(json!({})), port(json!({"hostPort": 0})), &[]),
        ("a fixed port is not any", port(json!({})), port(json!({"hostPort": 80})), &["/portMappings/80/hostPort"]),
        (
            "any is not a fixed port",
            port(json!({"hostPort": 80})),
            port(json!({"hostPort": 0})),
            &["/portMappings/80/hostPort"],
        ),
        ("nor is it absent", port(json!({"hostPort": 80})), port(json!({})), &["/portMappings/80/hostPort"]),
    ];
    let whole = |mode: &'static str| move |members: &Value| over(container(members), &json!({"networkMode": mode}));
    for mode in ["awsvpc", "host", "bridge"] {
        check(Kind::TaskDefinition, "/containerDefinitions/web", whole(mode), any_mode);
    }
    check(Kind::TaskDefinition, "/containerDefinitions/web", whole("awsvpc"), awsvpc);
    check(Kind::TaskDefinition, "/containerDefinitions/web", whole("host"), awsvpc);
    check(Kind::TaskDefinition, "/containerDefinitions/web", whole("bridge"), bridge);
    check(Kind::TaskDefinition, "/containerDefinitions/web", container, bridge);
}

#[test]
fn a_changed_network_mode_does_not_change_the_ports_that_are_left_to_it() {
    let with = |mode: &str, port: Value| {
        over(
            container(&json!({"portMappings": [over(json!({"containerPort": 80}), &port)]})),
            &json!({"networkMode": mode}),
        )
    };
    for (desired, live) in [
        (with("bridge", json!({})), with("awsvpc", json!({"hostPort": 80}))),
        (with("awsvpc", json!({})), with("bridge", json!({"hostPort": 0}))),
        (with("awsvpc", json!({"hostPort": 80})), with("host", json!({"hostPort": 80}))),
    ] {
        assert_eq!(paths(Kind::TaskDefinition, &desired, &live, &Context::default()), ["/networkMode"], "{desired}");
    }
}

#[test]
fn health_checks() {
    let check_of = |more: Value| json!({"healthCheck": over(json!({"command": ["CMD", "true"]}), &more)});
    let rows: &[Row] = &[
        ("completed by AWS", check_of(json!({})), check_of(json!({"interval": 30, "timeout": 5, "retries": 3})), &[]),
        ("start period off", check_of(json!({"startPeriod": 0})), check_of(json!({})), &[]),
        ("a start period", check_of(json!({"startPeriod": 60})), check_of(json!({})), &["/healthCheck/startPeriod"]),
        (
            "another interval",
            check_of(json!({"interval": 60})),
            check_of(json!({"interval": 30})),
            &["/healthCheck/interval"],
        ),
        ("an interval left out", check_of(json!({})), check_of(json!({"interval": 60})), &["/healthCheck/interval"]),
        ("another timeout", check_of(json!({})), check_of(json!({"timeout": 10})), &["/healthCheck/timeout"]),
        ("more retries", check_of(json!({"retries": 5})), check_of(json!({"retries": 3})), &["/healthCheck/retries"]),
        (
            "a shell is not none",
            check_of(json!({})),
            check_of(json!({"command": ["CMD-SHELL", "true"]})),
            &["/healthCheck/command"],
        ),
        (
            "a command has an order",
            check_of(json!({"command": ["CMD", "a", "b"]})),
            check_of(json!({"command": ["CMD", "b", "a"]})),
            &["/healthCheck/command"],
        ),
        ("a check taken away", check_of(json!({})), json!({}), &["/healthCheck"]),
        ("a check added", json!({}), check_of(json!({"interval": 30})), &["/healthCheck"]),
        ("no check", json!({"healthCheck": null}), json!({}), &[]),
    ];
    check(Kind::TaskDefinition, "/containerDefinitions/web", container, rows);
}

#[test]
fn linux_parameters() {
    let linux = |members: Value| json!({"linuxParameters": members});
    let rows: &[Row] = &[
        ("none are empty ones", json!({}), linux(json!({})), &[]),
        (
            "the half not given",
            linux(json!({"capabilities": {"drop": ["ALL"]}})),
            linux(json!({"capabilities": {"add": [], "drop": ["ALL"]}})),
            &[],
        ),
        (
            "capabilities are sets",
            linux(json!({"capabilities": {"add": ["A", "B"]}})),
            linux(json!({"capabilities": {"add": ["B", "A"], "drop": []}})),
            &[],
        ),
        (
            "another capability",
            linux(json!({"capabilities": {"add": ["A"]}})),
            linux(json!({"capabilities": {"add": ["B"]}})),
            &["/linuxParameters/capabilities/add"],
        ),
        (
            "capabilities added",
            json!({}),
            linux(json!({"capabilities": {"add": ["B"]}})),
            &["/linuxParameters/capabilities/add"],
        ),
        (
            "a device added",
            json!({}),
            linux(json!({"devices": [{"hostPath": "/dev/a"}]})),
            &["/linuxParameters/devices/~1dev~1a"],
        ),
        (
            "capabilities beside others",
            linux(json!({"initProcessEnabled": true})),
            linux(json!({"initProcessEnabled": true, "capabilities": {"add": ["B"]}})),
            &["/linuxParameters/capabilities/add"],
        ),
        (
            "empty capabilities",
            json!({}),
            linux(json!({"capabilities": {"add": [], "drop": []}, "devices": [], "tmpfs": []})),
            &[],
        ),
        ("no init process", linux(json!({"initProcessEnabled": false})), json!({}), &[]),
        (
            "an init process",
            linux(json!({"initProcessEnabled": true})),
            linux(json!({"initProcessEnabled": false})),
            &["/linuxParameters/initProcessEnabled"],
        ),
        (
            "swap off is not swap left alone",
            linux(json!({"initProcessEnabled": true, "maxSwap": 0})),
            linux(json!({"initProcessEnabled": true})),
            &["/linuxParameters/maxSwap"],
        ),
        (
            "shared memory",
            linux(json!({"sharedMemorySize": 64})),
            linux(json!({"sharedMemorySize": 128})),
            &["/linuxParameters/sharedMemorySize"],
        ),
        ("swappiness 60", linux(json!({"swappiness": 60})), json!({}), &[]),
        (
            "another swappiness",
            linux(json!({"swappiness": 10})),
            linux(json!({"swappiness": 60})),
            &["/linuxParameters/swappiness"],
        ),
        (
            "a device completed",
            linux(json!({"devices": [{"hostPath": "/dev/a"}]})),
            linux(
                json!({"devices": [{"hostPath": "/dev/a", "containerPath": "/dev/a", "permissions": ["read", "write", "mknod"]}]}),
            ),
            &[],
        ),
        (
            "a device's empty permissions",
            linux(json!({"devices": [{"hostPath": "/dev/a", "permissions": []}]})),
            linux(json!({"devices": [{"hostPath": "/dev/a"}]})),
            &[],
        ),
        (
            "a device's permissions",
            linux(json!({"devices": [{"hostPath": "/dev/a"}]})),
            linux(json!({"devices": [{"hostPath": "/dev/a", "permissions": ["read"]}]})),
            &["/linuxParameters/devices/~1dev~1a/permissions"],
        ),
        (
            "a device elsewhere",
            linux(json!({"devices": [{"hostPath": "/dev/a"}]})),
            linux(json!({"devices": [{"hostPath": "/dev/a", "containerPath": "/dev/b"}]})),
            &["/linuxParameters/devices/~1dev~1a/containerPath"],
        ),
        (
            "a device twice",
            linux(
                json!({"devices": [{"hostPath": "/a", "containerPath": "/b"}, {"hostPath": "/a", "containerPath": "/c"}]}),
            ),
            linux(
                json!({"devices": [{"hostPath": "/a", "containerPath": "/c"}, {"hostPath": "/a", "containerPath": "/b"}]}),
            ),
            &[],
        ),
        (
            "tmpfs without options",
            linux(json!({"tmpfs": [{"containerPath": "/t", "size": 64}]})),
            linux(json!({"tmpfs": [{"containerPath": "/t", "size": 64, "mountOptions": []}]})),
            &[],
        ),
        (
            "a larger tmpfs",
            linux(json!({"tmpfs": [{"containerPath": "/t", "size": 64}]})),
            linux(json!({"tmpfs": [{"containerPath": "/t", "size": 65}]})),
            &["/linuxParameters/tmpfs/~1t/size"],
        ),
    ];
    check(Kind::TaskDefinition, "/containerDefinitions/web", container, rows);
}
