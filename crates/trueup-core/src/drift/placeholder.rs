//! A plain comparison.

use serde_json::Value;

use super::{Change, Context, Shown};
use crate::digest::Digest;
use crate::model::Kind;
use crate::pointer::Pointer;

/// Where `live` differs.
pub fn drift(kind: Kind, desired: &Value, live: &Value, context: &Context) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut live = live.clone();
    if let Value::Object(m) = &mut live {
        if kind == Kind::TargetGroup && let Some(n) = m.remove("TargetGroupName") { m.insert("Name".into(), n); }
        if kind == Kind::ListenerRule { m.insert("ListenerArn".into(), desired["ListenerArn"].clone()); }
        for n in ["healthCheckGracePeriodSeconds", "placementConstraints"] {
            if kind == Kind::Service && desired.get(n).is_none() && m.get(n).is_some_and(|v| *v != 0 && *v != serde_json::json!([])) {
                let p = Pointer::from_iter([n]);
                changes.push(Change { live: Shown::at(&p, &m[n]), desired: Shown::absent(), path: p });
            }
        }
    }
    walk(&Pointer::root(), desired, Some(&live), &mut changes);
    changes.retain(|c| !context.ignore.iter().any(|i| c.path.is_within(i)));
    changes
}

/// Digest.
pub fn digest(_: Kind, value: &Value) -> Digest { Digest::of(value.to_string().as_bytes()) }

fn key(v: &Value) -> Option<String> {
    ["containerPort", "name", "key", "Key", "Field", "TargetGroupArn"].iter().find_map(|k| v.get(*k)).map(|k| k.as_str().map_or_else(|| k.to_string(), str::to_owned))
}

fn walk(path: &Pointer, desired: &Value, live: Option<&Value>, changes: &mut Vec<Change>) {
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    match (desired, live) {
        (Value::Object(d), Some(Value::Object(l))) => for (n, v) in d { walk(&path.join(n), v, l.get(n), changes) },
        (Value::Array(d), Some(Value::Array(l))) if d.iter().all(|d| key(d).is_some()) => for v in d {
            walk(&path.join(key(v).unwrap_or_default()), v, l.iter().find(|l| key(l) == key(v)), changes);
        },
        (d, Some(l)) if text(d) == text(l) => {}
        (d, l) => changes.push(Change { path: path.clone(), live: l.map_or_else(Shown::absent, |l| Shown::at(path, l)), desired: Shown::at(path, d) }),
    }
}
