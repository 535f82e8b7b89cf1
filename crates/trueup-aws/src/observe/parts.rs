//! Reads the attributes and tags that are due in the sweep.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use trueup_core::live::Observed;

use super::sweep::{Batch, Key, Part, Sweep, Texts};
use crate::elb::Read;
use crate::failure;
use crate::reading::{at_once, not_mentioned, texts};
use crate::session::Session;

/// The sweep, shared by the reads of an observation.
#[derive(Debug, Default)]
pub(crate) struct Parts(Mutex<Sweep>);

impl Parts {
    /// The sweep, for a moment. Never held while something is awaited.
    pub(crate) fn sweep(&self) -> MutexGuard<'_, Sweep> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads attributes and tags and puts them into the sweep.
pub(crate) async fn read_batches(session: &Session, parts: &Parts, batches: Vec<Batch>) {
    let read = batches.into_iter().map(|batch| async move {
        let found = read_batch(session, &batch).await;
        let mut sweep = parts.sweep();
        for (key, value) in found {
            sweep.record(&key, value);
        }
    });
    at_once(read).await;
}

async fn read_batch(session: &Session, batch: &Batch) -> Vec<(Key, Observed<Texts>)> {
    let (read, input) = match (batch.part, batch.resources.as_slice()) {
        (Part::TargetGroupAttributes, [group]) => {
            (Read::DescribeTargetGroupAttributes, json!({"TargetGroupArn": group}))
        }
        (Part::TargetGroupAttributes | Part::TargetGroupTags | Part::RuleTags, resources) => {
            (Read::DescribeTags, json!({"ResourceArns": resources}))
        }
    };
    let answer = session.elb.read(&session.caller, read, &input).await;
    let value_of = |resource: &str| match &answer {
        Err(error) => failure::unknown(error.clone()),
        Ok(answer) => match found(answer, batch.part, resource) {
            Some(texts) => Observed::Present(texts),
            None => not_mentioned(&format!("elasticloadbalancing:{read:?}"), resource),
        },
    };
    batch.resources.iter().map(|resource| ((batch.part, resource.clone()), value_of(resource))).collect()
}

fn found(answer: &Value, part: Part, resource: &str) -> Option<Texts> {
    let array = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned();
    let pairs = match part {
        Part::TargetGroupAttributes => array(answer, "Attributes")?,
        Part::TargetGroupTags | Part::RuleTags => {
            let descriptions = array(answer, "TagDescriptions")?;
            let of_resource = |d: &&Value| d.get("ResourceArn").and_then(Value::as_str) == Some(resource);
            array(descriptions.iter().find(of_resource)?, "Tags").unwrap_or_default()
        }
    };
    Some(texts(&pairs, "Key", "Value"))
}
