//! What the services keep, as far as clients of ECS read it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::time::Time;

/// Whose capacity: service namespace, resource id, scalable dimension.
pub type TargetKey = (String, String, String);

/// A scalable target.
#[derive(Clone, Debug)]
pub struct ScalableTarget {
    /// Its ARN.
    pub arn: String,
    /// The least capacity.
    pub min: u64,
    /// The most.
    pub max: u64,
    /// Which kinds of scaling are suspended, as sent.
    pub suspended: Value,
    /// When it was registered.
    pub created_at: Time,
}

/// A stack.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its ARN.
    pub id: String,
    /// Such as `UPDATE_COMPLETE`. One that is `DELETE_COMPLETE` is found by its id only.
    pub status: String,
    /// AWS's words on that.
    pub status_reason: Option<String>,
    /// When it was created.
    pub created_at: Time,
    /// Outputs by key.
    pub outputs: BTreeMap<String, Output>,
    /// Resources by logical id.
    pub resources: BTreeMap<String, Resource>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// An output of a stack.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its value.
    pub value: String,
    /// The name under which it is exported.
    pub export: Option<String>,
}

/// A resource of a stack.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Such as `AWS::EC2::Subnet`.
    pub kind: String,
    /// Its name or id in its service.
    pub physical_id: String,
    /// Such as `CREATE_COMPLETE`.
    pub status: String,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// When it happened.
    pub at: Time,
    /// When it can be looked up.
    pub visible_at: Time,
    /// A UUID.
    pub id: String,
    /// The action.
    pub name: String,
    /// Such as `ecs.amazonaws.com`.
    pub source: String,
    /// The name of the user, or of the role's session.
    pub username: String,
    /// The access key that signed.
    pub access_key: String,
    /// Types and names.
    pub resources: Vec<(String, String)>,
    /// The whole event.
    pub document: Value,
}

/// Metrics and alarms.
#[derive(Clone, Debug, Default)]
pub struct CloudWatch {
    /// Every datum that was put, in the order of arrival.
    pub metrics: Vec<Metric>,
    /// Alarms by name.
    pub alarms: BTreeMap<String, Alarm>,
}

/// A datum.
#[derive(Clone, Debug)]
pub struct Metric {
    /// When it arrived.
    pub at: Time,
    /// The namespace, such as `Trueup`.
    pub namespace: String,
    /// `MetricName`, `Dimensions`, `Value` or `Values`, … as sent.
    pub datum: Value,
}

/// A metric alarm.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// AWS's words on that.
    pub reason: String,
}

/// A repository.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    /// When it was created.
    pub created_at: Time,
    /// By digest.
    pub images: BTreeMap<String, Image>,
    /// The digests that tags point to.
    pub tags: BTreeMap<String, String>,
    /// Configuration blobs by digest.
    pub blobs: BTreeMap<String, String>,
}

/// An image, or an index of images.
#[derive(Clone, Debug)]
pub struct Image {
    /// The manifest, as text.
    pub manifest: String,
    /// Its media type.
    pub media_type: String,
    /// When it was pushed.
    pub pushed_at: Time,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// `String` or `SecureString`.
    pub kind: String,
    /// When it was put.
    pub put_at: Time,
}

/// A secret.
#[derive(Clone, Debug)]
pub struct Secret {
    /// Its ARN, which ends in a hyphen and six random characters.
    pub arn: String,
    /// When it was created.
    pub created_at: Time,
    /// When it was marked for deletion: it cannot be read since, and is gone after its recovery window.
    pub deleted_at: Option<Time>,
}
