//! The schemas of trueup's own files, `trueup.toml` and `app.toml`, which no AWS model has.

use serde_json::{Value, json};

use super::head;
use crate::kind::Kind;

/// The schema of `app.toml`.
pub fn json_schema_of_app() -> Value {
    let mut schema = head("app", "app.toml: an application's policy, order and images");
    let body = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "depends_on": {
                "description": "Applications that must be Synced and Healthy before this one is changed.",
                "type": "array", "items": { "type": "string", "minLength": 1 }, "uniqueItems": true
            },
            "environments": {
                "description": "The environments that the application is in; all of them when absent.",
                "type": "array", "items": { "$ref": "#/definitions/name" }, "uniqueItems": true
            },
            "policy": { "$ref": "#/definitions/policy" },
            "images": {
                "description": "Images of ECR for ${image.NAME}, by name. Each is resolved to a digest.",
                "type": "object",
                "propertyNames": { "$ref": "#/definitions/name" },
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["repository", "tag"],
                    "properties": {
                        "repository": {
                            "description": "The repository's name in the environment's account and region, or a full ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME.",
                            "type": "string", "minLength": 1
                        },
                        "tag": { "description": "The tag to look up.", "type": "string", "minLength": 1 },
                        "platform": {
                            "description": "The platform that the image must have, such as linux/amd64; the task definition's when absent.",
                            "type": "string", "pattern": "^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$"
                        }
                    }
                }
            },
            "allow_unknown": {
                "description": "Members that this version of trueup does not know and lets through.",
                "type": "array", "items": { "$ref": "#/definitions/field" }
            },
            "allow_plaintext": {
                "description": "Values that look like secrets and are not.",
                "type": "array", "items": { "$ref": "#/definitions/field" }
            }
        },
        "definitions": { "name": name(), "field": field(), "policy": policy() }
    });
    schema.extend(body.as_object().expect("it is written as one").clone());
    Value::Object(schema)
}

/// The schema of `trueup.toml`.
pub fn json_schema_of_trueup() -> Value {
    let mut schema = head("trueup", "trueup.toml: environments, policy and variables");
    let body = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["environments"],
        "properties": {
            "applications": {
                "description": "Directories with an app.toml, as globs; [\"*\"] when absent. `*` matches within one directory name, `**` over several.",
                "type": "array", "items": { "type": "string", "minLength": 1 }
            },
            "policy": { "$ref": "#/definitions/policy" },
            "variables": { "$ref": "#/definitions/variables" },
            "environments": {
                "description": "Accounts and regions, by a name such as production.",
                "type": "object",
                "minProperties": 1,
                "propertyNames": { "$ref": "#/definitions/name" },
                "additionalProperties": { "$ref": "#/definitions/environment" }
            }
        },
        "definitions": {
            "name": name(),
            "field": field(),
            "policy": policy(),
            "variables": {
                "description": "Values of ${var.NAME}, by name. An environment's override those for all.",
                "type": "object",
                "propertyNames": { "$ref": "#/definitions/name" },
                "additionalProperties": { "type": ["string", "number", "boolean"] }
            },
            "environment": {
                "type": "object",
                "additionalProperties": false,
                "required": ["account", "region"],
                "properties": {
                    "account": {
                        "description": "The AWS account. When any other account answers, trueup refuses to act.",
                        "type": "string", "pattern": "^[0-9]{12}$"
                    },
                    "region": {
                        "description": "The AWS region.",
                        "type": "string", "pattern": "^[a-z]{2,}(-[a-z]+)+-[0-9]+$"
                    },
                    "cluster": {
                        "description": "The default cluster's short name.",
                        "type": "string", "pattern": "^[A-Za-z0-9_-]{1,255}$"
                    },
                    "role": {
                        "description": "The ARN of a role that is assumed for this environment.",
                        "type": "string", "pattern": "^arn:[^:]+:iam::[0-9]{12}:role/.+$"
                    },
                    "variables": { "$ref": "#/definitions/variables" },
                    "policy": { "$ref": "#/definitions/policy" }
                }
            }
        }
    });
    schema.extend(body.as_object().expect("it is written as one").clone());
    Value::Object(schema)
}

/// The names of environments, variables and images.
fn name() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+$" })
}

/// A field of documents: `KIND[/NAME]:POINTER`.
fn field() -> Value {
    let kinds = Kind::ALL.map(Kind::as_str).join("|");
    json!({
        "description": "KIND[/NAME]:POINTER, such as service:/tags/CostCentre; a segment * matches any one.",
        "type": "string", "pattern": format!("^({kinds})(/[^:]+)?:/.+$")
    })
}

fn policy() -> Value {
    let mode = |description: &str| json!({ "description": description, "enum": ["on", "off", "report"] });
    json!({
        "description": "How differences are handled.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "follow": mode("Pending changes (git differs from what was last applied): \"on\" applies them, \"report\" reports them, \"off\" ignores them. Default: on."),
            "heal": mode("Drift (live differs from what was last applied): the same three. Default: on."),
            "prune": mode("Resources that trueup created and git no longer has: the same three. Default: off."),
            "prune_limit": {
                "description": "How many resources one commit may take away at most. Default: 5.",
                "type": "integer", "minimum": 0
            },
            "manage_stack_resources": {
                "description": "Whether resources that a CloudFormation stack owns are managed all the same. Default: false.",
                "type": "boolean"
            },
            "rollout_timeout": {
                "description": "How long a rollout may take, in addition to grace period and bake times, before it counts as stuck: \"45m\", \"1h 30m\". Default: 30m.",
                "type": "string", "pattern": "^\\s*[0-9]+[smhd](\\s+[0-9]+[smhd])*\\s*$"
            },
            "ignore": {
                "description": "Fields that are never compared and never written.",
                "type": "array", "items": { "$ref": "#/definitions/field" }
            }
        }
    })
}
