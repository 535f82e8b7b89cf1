//! Reads an answer of the query protocol, XML, as the JSON that the AWS CLI prints for it.
//!
//! XML shows neither types nor whether an empty element is an empty list, so for ELBv2 the API model directs the walk.
//! What the model does not know is kept all the same: `member` elements as a list, other elements as an object, the rest as text.

use roxmltree::{Document, Node};
use serde_json::{Map, Value};
use trueup_core::model::{Api, Model, Shape};

/// The result in an answer of ELBv2: the object that the CLI prints, empty for operations that answer nothing.
///
/// # Errors
/// When the answer is not XML, or not the API's.
pub(crate) fn elb_result(answer: &str) -> Result<Value, String> {
    result_of(answer, member_of_elb_result)
}

/// The result in an answer of an API without a model here: everything that is no list or object is text.
///
/// # Errors
/// When the answer is not XML, or not the API's.
pub(crate) fn result(answer: &str) -> Result<Value, String> {
    result_of(answer, |_| Expected::Unknown)
}

/// The code and the message of a failed answer, as far as it has them.
pub(crate) fn error(answer: &str) -> (Option<String>, Option<String>) {
    let Ok(document) = Document::parse(answer) else { return (None, None) };
    let error = elements(document.root_element()).find(|node| node.tag_name().name() == "Error");
    let member = |name| elements(error?).find(|node| node.tag_name().name() == name).map(text);
    (member("Code"), member("Message"))
}

fn result_of(answer: &str, member: impl Fn(&str) -> Expected) -> Result<Value, String> {
    let document = Document::parse(answer).map_err(|error| format!("the answer is not XML: {error}"))?;
    let root = document.root_element();
    if !root.tag_name().name().ends_with("Response") {
        return Err(format!("the answer is a `{}`", root.tag_name().name()));
    }
    let result = elements(root).find(|node| node.tag_name().name().ends_with("Result"));
    Ok(result.map_or_else(|| Value::Object(Map::new()), |result| object(result, member)))
}

/// What a value is.
#[derive(Clone, Copy)]
enum Expected {
    Known(&'static Shape),
    ListOf(&'static Shape),
    Unknown,
}

/// The members of results that hold what documents are compared with. Others hold texts and lists of texts only, which
/// need no direction.
fn member_of_elb_result(name: &str) -> Expected {
    match name {
        // Not the model's `TargetGroupList`: that one is the list in a forward action.
        "TargetGroups" => Expected::ListOf(shape("TargetGroup")),
        "Rules" => Expected::ListOf(shape("Rule")),
        "Attributes" => Expected::Known(shape("TargetGroupAttributes")),
        _ => Expected::Unknown,
    }
}

fn shape(name: &str) -> &'static Shape {
    Model::aws().shape(Api::Elbv2, name)
}

fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

fn object(node: Node<'_, '_>, member: impl Fn(&str) -> Expected) -> Value {
    let members = elements(node).map(|child| {
        let name = child.tag_name().name();
        (name.to_owned(), value(child, member(name)))
    });
    Value::Object(members.collect())
}

fn list(node: Node<'_, '_>, member: Expected) -> Value {
    elements(node).map(|child| value(child, member)).collect()
}

fn value(node: Node<'_, '_>, expected: Expected) -> Value {
    match expected {
        Expected::ListOf(member) => list(node, Expected::Known(member)),
        Expected::Known(known) => match known {
            Shape::List(of) => list(node, Expected::Known(shape(&of.member))),
            Shape::Structure(structure) => object(node, |name| match structure.members.get(name) {
                Some(member) => Expected::Known(shape(&member.shape)),
                None => Expected::Unknown,
            }),
            Shape::Map(_) => map(node),
            Shape::Integer(_) | Shape::Long(_) | Shape::Float(_) | Shape::Double(_) => number(&text(node)),
            Shape::Boolean {} => match text(node).as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                other => Value::String(other.to_owned()),
            },
            Shape::String(_) | Shape::Timestamp {} | Shape::Blob {} => Value::String(text(node)),
        },
        Expected::Unknown if elements(node).next().is_none() => Value::String(text(node)),
        Expected::Unknown if elements(node).all(|child| child.tag_name().name() == "member") => {
            list(node, Expected::Unknown)
        }
        Expected::Unknown => object(node, |_| Expected::Unknown),
    }
}

/// A map: `<entry><key>…</key><value>…</value></entry>`, with texts as values.
fn map(node: Node<'_, '_>) -> Value {
    let entries = elements(node).filter_map(|entry| {
        let named = |name| elements(entry).find(|child| child.tag_name().name() == name).map(text);
        Some((named("key")?, Value::String(named("value").unwrap_or_default())))
    });
    Value::Object(entries.collect())
}

fn number(text: &str) -> Value {
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(whole), _) => Value::from(whole),
        (Err(_), Ok(number)) if number.is_finite() => Value::from(number),
        _ => Value::String(text.to_owned()),
    }
}

fn text(node: Node<'_, '_>) -> String {
    node.text().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::elb_result as result;

    fn check(operation: &str, xml: &str, expected: &serde_json::Value) {
        let answer = format!(
            "<{operation}Response xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">{xml}\
             <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{operation}Response>"
        );
        assert_eq!(&result(&answer).unwrap(), expected, "{xml}");
    }

    #[test]
    fn numbers_truths_texts_and_empty_lists_are_what_the_cli_prints() {
        check(
            "DescribeTargetGroups",
            "<DescribeTargetGroupsResult><TargetGroups>
               <member><TargetGroupName>a&amp;b</TargetGroupName><Port>80</Port><HealthCheckPort>80</HealthCheckPort>
                 <HealthCheckIntervalSeconds>30</HealthCheckIntervalSeconds><HealthCheckEnabled>true</HealthCheckEnabled>
                 <Matcher><HttpCode>200</HttpCode></Matcher><LoadBalancerArns/></member>
             </TargetGroups><NextMarker>m</NextMarker></DescribeTargetGroupsResult>",
            &json!({"TargetGroups": [{
                "TargetGroupName": "a&b", "Port": 80, "HealthCheckPort": "80", "HealthCheckIntervalSeconds": 30,
                "HealthCheckEnabled": true, "Matcher": {"HttpCode": "200"}, "LoadBalancerArns": [],
            }], "NextMarker": "m"}),
        );
        check(
            "DescribeTargetGroups",
            "<DescribeTargetGroupsResult><TargetGroups/></DescribeTargetGroupsResult>",
            &json!({"TargetGroups": []}),
        );
    }

    #[test]
    fn a_rules_priority_and_a_redirects_port_are_texts_and_weights_are_numbers() {
        check(
            "DescribeRules",
            "<DescribeRulesResult><Rules><member><Priority>10</Priority><IsDefault>false</IsDefault>
               <Conditions><member><Field>path-pattern</Field><Values><member>/api/*</member></Values>
                 <PathPatternConfig><Values><member>/api/*</member></Values></PathPatternConfig></member></Conditions>
               <Actions>
                 <member><Type>redirect</Type><RedirectConfig><Port>443</Port></RedirectConfig></member>
                 <member><Type>forward</Type><Order>2</Order><ForwardConfig><TargetGroups><member><Weight>1</Weight></member></TargetGroups>
                   <TargetGroupStickinessConfig><Enabled>false</Enabled></TargetGroupStickinessConfig></ForwardConfig></member>
                 <member><Type>authenticate-oidc</Type><AuthenticateOidcConfig><AuthenticationRequestExtraParams>
                   <entry><key>display</key><value>page</value></entry></AuthenticationRequestExtraParams>
                   <SessionTimeout>604800</SessionTimeout></AuthenticateOidcConfig></member>
               </Actions><Transforms/></member></Rules></DescribeRulesResult>",
            &json!({"Rules": [{
                "Priority": "10", "IsDefault": false,
                "Conditions": [{"Field": "path-pattern", "Values": ["/api/*"], "PathPatternConfig": {"Values": ["/api/*"]}}],
                "Actions": [
                    {"Type": "redirect", "RedirectConfig": {"Port": "443"}},
                    {"Type": "forward", "Order": 2, "ForwardConfig": {
                        "TargetGroups": [{"Weight": 1}], "TargetGroupStickinessConfig": {"Enabled": false}}},
                    {"Type": "authenticate-oidc", "AuthenticateOidcConfig": {
                        "AuthenticationRequestExtraParams": {"display": "page"}, "SessionTimeout": 604_800}},
                ],
                "Transforms": [],
            }]}),
        );
    }

    #[test]
    fn members_that_the_model_does_not_know_are_kept() {
        check(
            "DescribeRules",
            "<DescribeRulesResult><Rules><member><Newer><Than>us</Than></Newer><List><member>a</member></List><Empty/></member></Rules>
             <Also>new</Also></DescribeRulesResult>",
            &json!({"Rules": [{"Newer": {"Than": "us"}, "List": ["a"], "Empty": ""}], "Also": "new"}),
        );
    }

    #[test]
    fn an_answer_without_a_result_is_empty_and_a_page_is_an_error() {
        check("AddTags", "<AddTagsResult/>", &json!({}));
        check("DeleteRule", "", &json!({}));
        assert!(result("<html><body>502</body></html>").is_err());
        assert!(result("no markup").is_err());
    }
}
