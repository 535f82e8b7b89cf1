//! Volumes of every kind.

use serde_json::{Value, json};
use trueup_core::kind::Kind;

use super::{task, volume};
use crate::{Row, check, over};

#[test]
fn volumes() {
    let docker = |members: Value| json!({"dockerVolumeConfiguration": members});
    let efs = |members: Value| json!({"efsVolumeConfiguration": over(json!({"fileSystemId": "fs-1"}), &members)});
    let rows: &[Row] = &[
        ("an empty host appears", json!({}), json!({"host": {}}), &[]),
        ("an empty source path is none", json!({"host": {"sourcePath": ""}}), json!({"host": {}}), &[]),
        (
            "husks of other kinds",
            json!({}),
            json!({"host": null, "dockerVolumeConfiguration": null, "efsVolumeConfiguration": null}),
            &[],
        ),
        ("a source path", json!({}), json!({"host": {"sourcePath": "/srv"}}), &["/host/sourcePath"]),
        (
            "another source path",
            json!({"host": {"sourcePath": "/srv"}}),
            json!({"host": {"sourcePath": "/data"}}),
            &["/host/sourcePath"],
        ),
        (
            "a docker volume completed",
            docker(json!({"driverOpts": {}})),
            docker(json!({"scope": "task", "driver": "local", "labels": {}})),
            &[],
        ),
        (
            "a docker volume that says nothing",
            docker(json!({})),
            docker(json!({"scope": "task", "driver": "local"})),
            &[],
        ),
        (
            "a shared docker volume",
            docker(json!({"scope": "shared", "autoprovision": true})),
            docker(json!({"scope": "shared", "autoprovision": false})),
            &["/dockerVolumeConfiguration/autoprovision"],
        ),
        (
            "another scope",
            docker(json!({"scope": "shared"})),
            docker(json!({"scope": "task"})),
            &["/dockerVolumeConfiguration/scope"],
        ),
        (
            "driver options",
            docker(json!({"driver": "rexray", "driverOpts": {"size": "5"}})),
            docker(json!({"driver": "rexray", "driverOpts": {"size": "6"}})),
            &["/dockerVolumeConfiguration/driverOpts/size"],
        ),
        (
            "labels of a volume",
            docker(json!({"driver": "rexray"})),
            docker(json!({"driver": "rexray", "labels": {"a": "b"}})),
            &["/dockerVolumeConfiguration/labels/a"],
        ),
        (
            "a docker volume is not a bind mount",
            docker(json!({"scope": "task"})),
            json!({"host": {}}),
            &["/dockerVolumeConfiguration"],
        ),
        ("EFS's root comes back", efs(json!({})), efs(json!({"rootDirectory": "/"})), &[]),
        (
            "also with an access point",
            efs(json!({"transitEncryption": "ENABLED", "authorizationConfig": {"accessPointId": "fsap-1"}})),
            efs(
                json!({"rootDirectory": "/", "transitEncryption": "ENABLED", "authorizationConfig": {"accessPointId": "fsap-1", "iam": "DISABLED"}}),
            ),
            &[],
        ),
        (
            "encryption is off",
            efs(json!({})),
            efs(json!({"transitEncryption": "DISABLED", "transitEncryptionPort": 0})),
            &[],
        ),
        (
            "encryption switched on",
            efs(json!({})),
            efs(json!({"transitEncryption": "ENABLED"})),
            &["/efsVolumeConfiguration/transitEncryption"],
        ),
        (
            "authorization that says nothing",
            efs(json!({})),
            efs(json!({"authorizationConfig": {"iam": "DISABLED"}})),
            &[],
        ),
        (
            "IAM authorization",
            efs(json!({"authorizationConfig": {"iam": "ENABLED"}})),
            efs(json!({"authorizationConfig": {"iam": "DISABLED"}})),
            &["/efsVolumeConfiguration/authorizationConfig/iam"],
        ),
        (
            "authorization added",
            efs(json!({})),
            efs(json!({"authorizationConfig": {"accessPointId": "fsap-1"}})),
            &["/efsVolumeConfiguration/authorizationConfig/accessPointId"],
        ),
        (
            "another file system",
            efs(json!({})),
            efs(json!({"fileSystemId": "fs-2"})),
            &["/efsVolumeConfiguration/fileSystemId"],
        ),
        (
            "another root",
            efs(json!({"rootDirectory": "/a"})),
            efs(json!({"rootDirectory": "/"})),
            &["/efsVolumeConfiguration/rootDirectory"],
        ),
        (
            "an encryption port",
            efs(json!({"transitEncryptionPort": 2049})),
            efs(json!({})),
            &["/efsVolumeConfiguration/transitEncryptionPort"],
        ),
        (
            "FSx is verbatim",
            json!({"fsxWindowsFileServerVolumeConfiguration": {"fileSystemId": "fs-1", "rootDirectory": "a", "authorizationConfig": {"credentialsParameter": "c", "domain": "d"}}}),
            json!({"fsxWindowsFileServerVolumeConfiguration": {"fileSystemId": "fs-1", "rootDirectory": "a", "authorizationConfig": {"credentialsParameter": "c", "domain": "e"}}}),
            &["/fsxWindowsFileServerVolumeConfiguration/authorizationConfig/domain"],
        ),
        (
            "S3 Files' root",
            json!({"s3filesVolumeConfiguration": {"fileSystemArn": "a"}}),
            json!({"s3filesVolumeConfiguration": {"fileSystemArn": "a", "rootDirectory": "/"}}),
            &[],
        ),
        (
            "another S3 Files access point",
            json!({"s3filesVolumeConfiguration": {"fileSystemArn": "a", "accessPointArn": "b"}}),
            json!({"s3filesVolumeConfiguration": {"fileSystemArn": "a", "accessPointArn": "c"}}),
            &["/s3filesVolumeConfiguration/accessPointArn"],
        ),
        ("not configured at launch", json!({"configuredAtLaunch": false}), json!({}), &[]),
        ("configured at launch", json!({"configuredAtLaunch": true}), json!({}), &["/configuredAtLaunch"]),
    ];
    check(Kind::TaskDefinition, "/volumes/data", volume, rows);
    let sets: &[Row] = &[
        (
            "volumes are a set",
            json!({"volumes": [{"name": "a"}, {"name": "b"}]}),
            json!({"volumes": [{"name": "b", "host": {}}, {"name": "a", "host": {}}]}),
            &[],
        ),
        ("a volume added", json!({}), json!({"volumes": [{"name": "b", "host": {}}]}), &["/volumes/b"]),
        ("a volume taken away", json!({"volumes": [{"name": "b"}]}), json!({}), &["/volumes/b"]),
    ];
    check(Kind::TaskDefinition, "", task, sets);
}
