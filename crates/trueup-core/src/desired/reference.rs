//! References: `${NAMESPACE.NAME}` in the string values of documents.
//!
//! ```text
//! ${account} ${region} ${cluster} ${environment}    of the environment
//! ${var.NAME}                                       a variable of `trueup.toml`
//! ${image.NAME}                                     the digest URI of an image that `app.toml` declares
//! ${target_group.NAME}                              the ARN of a target group, by its document or its name in AWS
//! ${listener.LOAD_BALANCER.PORT}                    the ARN of a listener
//! ${secret.NAME}  ${parameter.NAME}                 the ARN, never the value
//! ${stack.STACK.LOGICAL_ID}                         the physical id of a stack's resource
//! ${stack.STACK.output.KEY}                         the value of a stack's output
//! $${                                               a literal ${
//! ```

use crate::document::nearest;

/// The parsed form of one reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// `${account}`
    Account,
    /// `${region}`
    Region,
    /// `${cluster}`
    Cluster,
    /// `${environment}`
    Environment,
    /// `${var.NAME}`
    Variable(String),
    /// `${image.NAME}`
    Image(String),
    /// `${target_group.NAME}`
    TargetGroup(String),
    /// `${listener.LOAD_BALANCER.PORT}`
    Listener {
        /// The load balancer's name.
        load_balancer: String,
        /// The listener's port.
        port: u16,
    },
    /// `${secret.NAME}`
    Secret(String),
    /// `${parameter.NAME}`
    Parameter(String),
    /// `${stack.STACK.LOGICAL_ID}`
    StackResource {
        /// The stack's name.
        stack: String,
        /// The resource's logical id.
        logical_id: String,
    },
    /// `${stack.STACK.output.KEY}`
    StackOutput {
        /// The stack's name.
        stack: String,
        /// The output's key.
        key: String,
    },
}

/// A piece of a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Literal text.
    Text(String),
    /// A reference, with its notation in the file.
    Reference(String, Reference),
}

/// Why a string's references cannot be read. Quotes references only: the rest of the string may be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The piece of the string that is wrong.
    pub piece: String,
    /// The message.
    pub message: String,
    /// The help.
    pub help: String,
}

/// The namespaces, with how each is written.
const FORMS: [(&str, &str); 11] = [
    ("account", "${account}"),
    ("region", "${region}"),
    ("cluster", "${cluster}"),
    ("environment", "${environment}"),
    ("var", "${var.NAME}"),
    ("image", "${image.NAME}"),
    ("target_group", "${target_group.NAME}"),
    ("listener", "${listener.LOAD_BALANCER.PORT}"),
    ("secret", "${secret.NAME}"),
    ("parameter", "${parameter.NAME}"),
    ("stack", "${stack.STACK.LOGICAL_ID}` or `${stack.STACK.output.KEY}"),
];

/// Splits a string into text and references.
///
/// # Errors
/// Every piece that begins like a reference and is not one.
pub(super) fn parse(text: &str) -> Result<Vec<Part>, Vec<Fault>> {
    let (mut parts, mut faults) = (Vec::new(), Vec::new());
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            plain.push_str(&rest[..at - 1]);
            plain.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        plain.push_str(&rest[..at]);
        let body = &rest[at + 2..];
        let end = body.find('}').filter(|&end| !body[..end].contains(['$', '{', '\n']));
        let Some(end) = end else {
            faults.push(Fault {
                piece: "${".to_owned(),
                message: "`${` begins a reference that no `}` ends".to_owned(),
                help: "end it with `}`; for a literal `${` write `$${`".to_owned(),
            });
            rest = body;
            continue;
        };
        let spelling = &rest[at..at + "${".len() + end + "}".len()];
        match read(&body[..end]) {
            Ok(reference) => {
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(Part::Reference(spelling.to_owned(), reference));
            }
            Err((message, help)) => faults.push(Fault { piece: spelling.to_owned(), message, help }),
        }
        rest = &body[end + 1..];
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    if faults.is_empty() { Ok(parts) } else { Err(faults) }
}

/// Reads the text between the braces.
fn read(body: &str) -> Result<Reference, (String, String)> {
    let (namespace, name) = body.split_once('.').map_or((body, None), |(namespace, name)| (namespace, Some(name)));
    let Some((_, form)) = FORMS.iter().find(|(known, _)| *known == namespace) else {
        let literal = "for a literal `${` write `$${`";
        return Err(match nearest(namespace, FORMS.iter().map(|(known, _)| *known)) {
            Some(near) => {
                (format!("references do not begin with `{namespace}`"), format!("did you mean `{near}`? {literal}"))
            }
            // Not quoted: it is probably not a reference at all, and may be a secret.
            None => (
                "`${` begins a reference of no known kind".to_owned(),
                format!("{literal}; references begin with {}", FORMS.map(|(known, _)| format!("`{known}`")).join(", ")),
            ),
        });
    };
    let malformed = |what: &str| (format!("`${{{body}}}` {what}"), format!("write `{form}`"));
    let plain = |name: Option<&str>, also: &str| match name {
        None | Some("") => Err(malformed("names nothing")),
        Some(name) => {
            match name.chars().find(|c| !(c.is_ascii_alphanumeric() || "_-".contains(*c) || also.contains(*c))) {
                Some(c) => Err(malformed(&format!("has `{c}` in its name"))),
                None => Ok(name.to_owned()),
            }
        }
    };
    let bare = |reference: Reference| match name {
        None => Ok(reference),
        Some(_) => Err(malformed("has a name, which it does not take")),
    };
    match namespace {
        "account" => bare(Reference::Account),
        "region" => bare(Reference::Region),
        "cluster" => bare(Reference::Cluster),
        "environment" => bare(Reference::Environment),
        "var" => plain(name, "").map(Reference::Variable),
        "image" => plain(name, "").map(Reference::Image),
        "target_group" => plain(name, "").map(Reference::TargetGroup),
        // Secrets Manager: letters, digits and /_+=.@-; Systems Manager: letters, digits and /_.-
        "secret" => plain(name, "/+=.@").map(Reference::Secret),
        "parameter" => plain(name, "/.").map(Reference::Parameter),
        "listener" => {
            let (load_balancer, port) =
                name.and_then(|name| name.split_once('.')).ok_or_else(|| malformed("names no port"))?;
            let port =
                port.parse().ok().filter(|port| *port > 0).ok_or_else(|| malformed("has no port from 1 to 65535"))?;
            Ok(Reference::Listener { load_balancer: plain(Some(load_balancer), "")?, port })
        }
        _ => {
            let parts: Vec<&str> = name.map(|name| name.split('.').collect()).unwrap_or_default();
            match parts[..] {
                [stack, logical_id] => Ok(Reference::StackResource {
                    stack: plain(Some(stack), "")?,
                    logical_id: plain(Some(logical_id), "")?,
                }),
                [stack, "output", key] => {
                    Ok(Reference::StackOutput { stack: plain(Some(stack), "")?, key: plain(Some(key), "")? })
                }
                _ => Err(malformed("names neither a resource nor an output of a stack")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, parse};

    /// Prints the parts of a string.
    fn show(text: &str) -> String {
        match parse(text) {
            Ok(parts) => parts
                .into_iter()
                .map(|part| match part {
                    Part::Text(text) => format!("[{text}]"),
                    Part::Reference(_, reference) => format!("{reference:?}"),
                })
                .collect(),
            Err(faults) => {
                let lines: Vec<_> = faults.iter().map(|fault| format!("{}; {}", fault.message, fault.help)).collect();
                lines.join("\n")
            }
        }
    }

    #[test]
    fn every_kind_of_reference_is_read() {
        let table = [
            ("plain $HOME {}", "[plain $HOME {}]"),
            ("${account}", "Account"),
            ("a${region}b${cluster}", "[a]Region[b]Cluster"),
            ("${environment}", "Environment"),
            ("https://${var.domain}/", "[https://]Variable(\"domain\")[/]"),
            ("${image.backend}", "Image(\"backend\")"),
            ("${target_group.web-1}", "TargetGroup(\"web-1\")"),
            ("${listener.my-alb.443}", "Listener { load_balancer: \"my-alb\", port: 443 }"),
            ("${secret.a/b_+=.@-c}", "Secret(\"a/b_+=.@-c\")"),
            ("${parameter./a/b.c}", "Parameter(\"/a/b.c\")"),
            ("${stack.infra.Subnet1}", "StackResource { stack: \"infra\", logical_id: \"Subnet1\" }"),
            ("${stack.infra.output.Url}", "StackOutput { stack: \"infra\", key: \"Url\" }"),
            ("$${HOME}", "[${HOME}]"),
            ("$$${HOME}", "[$${HOME}]"),
            ("$${a}${account}", "[${a}]Account"),
        ];
        for (text, parts) in table {
            assert_eq!(show(text), parts, "{text}");
        }
    }

    #[test]
    fn a_malformed_reference_is_reported_with_a_help() {
        let text = "${acount} ${HOME:-s3cret} ${image} ${var.} ${account.id} ${secret.a b} ${listener.alb.https} \
                    ${listener.alb} ${stack.infra} ${stack.a.b.c} ${var.x";
        let expected = [
            "references do not begin with `acount`; did you mean `account`? for a literal `${` write `$${`",
            "`${` begins a reference of no known kind; for a literal `${` write `$${`; references begin with `account`, \
             `region`, `cluster`, `environment`, `var`, `image`, `target_group`, `listener`, `secret`, `parameter`, `stack`",
            "`${image}` names nothing; write `${image.NAME}`",
            "`${var.}` names nothing; write `${var.NAME}`",
            "`${account.id}` has a name, which it does not take; write `${account}`",
            "`${secret.a b}` has ` ` in its name; write `${secret.NAME}`",
            "`${listener.alb.https}` has no port from 1 to 65535; write `${listener.LOAD_BALANCER.PORT}`",
            "`${listener.alb}` names no port; write `${listener.LOAD_BALANCER.PORT}`",
            "`${stack.infra}` names neither a resource nor an output of a stack; write `${stack.STACK.LOGICAL_ID}` or \
             `${stack.STACK.output.KEY}`",
            "`${stack.a.b.c}` names neither a resource nor an output of a stack; write `${stack.STACK.LOGICAL_ID}` or \
             `${stack.STACK.output.KEY}`",
            "`${` begins a reference that no `}` ends; end it with `}`; for a literal `${` write `$${`",
        ];
        assert_eq!(show(text).lines().collect::<Vec<_>>(), expected);
    }
}
