//! AWS's token buckets and the rates at which trueup uses them.

use std::time::Duration;

use trueup_core::operation::WriteBucket;
use trueup_core::plan::Operation;

/// The part of AWS's rate that we use.
const SHARE: f64 = 0.8;

/// How long a read waits for its turn at most. A fleet of 5,000 services needs 500 `DescribeServices`, about 26 s.
const READ_WAIT_MAX: Duration = Duration::from_mins(1);

/// How long a write waits for its turn at most. Sixteen applications are written to at a time: when all of them register
/// a task definition, the last one's turn comes after 20 s.
const WRITE_WAIT_MAX: Duration = Duration::from_secs(30);

/// One of AWS's buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bucket {
    /// Those of mutating operations, which declare theirs.
    Write(WriteBucket),
    ServiceRead,
    ServiceRevisionRead,
    TaskDefinitionRead,
    ClusterRead,
    ServiceDeploymentRead,
    ElbRead,
    CloudFormation,
    Ecr,
    Parameters,
    Secrets,
    Identity,
    Scaling,
    Trail,
}

/// How many calls a bucket holds, and how many come back per second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) burst: f64,
    pub(crate) per_second: f64,
    /// How long a call waits for its turn at most.
    pub(crate) wait_max: Duration,
}

impl Bucket {
    /// The bucket of a mutating operation.
    pub(crate) fn of(operation: Operation) -> Self {
        Self::Write(operation.bucket())
    }

    /// AWS's rates.
    ///
    /// Source: Amazon ECS developer guide, "Request throttling for the Amazon ECS API"; Elastic Load Balancing,
    /// "Request throttling for the API" for its non-mutating calls. For the others AWS publishes either far more than
    /// we use or nothing at all: those numbers are our own caution.
    pub(crate) fn rate(self) -> Rate {
        let (burst, per_second, wait_max) = match self {
            Self::Write(WriteBucket::ServiceModify) => (50.0, 5.0, WRITE_WAIT_MAX),
            Self::ServiceRead | Self::ClusterRead => (100.0, 20.0, READ_WAIT_MAX),
            Self::Write(WriteBucket::TaskDefinitionModify) => (20.0, 1.0, WRITE_WAIT_MAX),
            Self::TaskDefinitionRead | Self::ServiceDeploymentRead | Self::ServiceRevisionRead | Self::Secrets => {
                (50.0, 20.0, READ_WAIT_MAX)
            }
            Self::Write(WriteBucket::TagModify) => (20.0, 10.0, WRITE_WAIT_MAX),
            Self::Write(WriteBucket::ElbModify) => (10.0, 3.0, WRITE_WAIT_MAX),
            Self::ElbRead => (40.0, 10.0, READ_WAIT_MAX),
            Self::CloudFormation | Self::Parameters | Self::Scaling => (10.0, 3.0, READ_WAIT_MAX),
            Self::Ecr => (100.0, 50.0, READ_WAIT_MAX),
            Self::Identity => (20.0, 10.0, READ_WAIT_MAX),
            // CloudTrail API reference, `LookupEvents`: two a second.
            Self::Trail => (2.0, 2.0, READ_WAIT_MAX),
        };
        Rate { burst: burst * SHARE, per_second: per_second * SHARE, wait_max }
    }
}
