//! Metrics reach CloudWatch as they are put, and what CloudWatch refuses comes back as an error.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use trueup_core::live::FailureKind;
use trueup_histories::{Scene, Stage, run, surroundings};
use trueup_ports::{Datum, Metrics as _, Sample, Unit};

#[test]
fn metrics_arrive_as_they_are_put_and_aws_own_namespaces_are_refused() {
    run(1, async {
        let stage = Stage::new(&Scene::new(surroundings(1)));
        let datum = |name, unit, sample| Datum {
            name,
            dimensions: BTreeMap::from([("Environment", "production".to_owned()), ("Application", "wäb".to_owned())]),
            time: Timestamp::from_second(1_800_000_000).expect("it is a time"),
            unit,
            sample,
        };
        let data = [
            datum("Held", Unit::Count, Sample::One(1.0)),
            datum("CycleSeconds", Unit::Seconds, Sample::One(0.5).and(1.5).and(1.0)),
        ];
        let metrics = stage.metrics();
        metrics.put("Trueup", &data).await.expect("the simulator takes metrics");
        {
            let aws = stage.aws();
            let kept = &aws.world().cloudwatch.metrics;
            assert!(kept.iter().all(|metric| metric.namespace == "Trueup"));
            let [held, cycle] = kept.as_slice() else { panic!("{kept:?}") };
            assert_eq!((&held.datum["MetricName"], &held.datum["Value"]), (&json!("Held"), &json!(1.0)));
            assert_eq!(held.datum["Unit"], "Count");
            let dimensions = json!([
                {"Name": "Application", "Value": "wäb"},
                {"Name": "Environment", "Value": "production"},
            ]);
            assert_eq!(held.datum["Dimensions"], dimensions);
            let set = json!({"SampleCount": 3.0, "Sum": 3.0, "Minimum": 0.5, "Maximum": 1.5});
            assert_eq!((&cycle.datum["StatisticValues"], &cycle.datum["Unit"]), (&set, &json!("Seconds")));
        }
        let refused = metrics.put("AWS/ECS", &data).await.expect_err("it is AWS's own");
        assert_eq!((refused.kind, refused.code.as_deref()), (FailureKind::Rejected, Some("InvalidParameterValue")));
        assert_eq!(refused.operation, "cloudwatch:PutMetricData");
    });
}
