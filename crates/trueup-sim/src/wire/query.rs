//! The query protocol's form: `Actions.member.1.Type=forward` as nested JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A form's pairs in the order sent, decoded.
pub fn pairs(form: &[u8]) -> Vec<(String, String)> {
    form.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let cut = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            (decoded(&pair[..cut]), decoded(pair.get(cut + 1..).unwrap_or_default()))
        })
        .collect()
}

/// Pairs as a tree: `member.N` makes lists, `entry.N.key` and `.value` make maps, everything else objects. All leaves are
/// strings. Lists are in the order of their numbers; gaps close, as AWS has it.
pub fn tree(pairs: &[(String, String)]) -> Value {
    let mut root = Node::default();
    for (key, value) in pairs {
        let mut node = &mut root;
        for part in key.split('.') {
            let known = node.children.iter().position(|(name, _)| name == part);
            let index = known.unwrap_or_else(|| {
                node.children.push((part.to_owned(), Node::default()));
                node.children.len() - 1
            });
            node = &mut node.children[index].1;
        }
        node.leaf = Some(value.clone());
    }
    root.into_value()
}

#[derive(Default)]
struct Node {
    leaf: Option<String>,
    children: Vec<(String, Node)>,
}

impl Node {
    fn into_value(mut self) -> Value {
        match (self.children.as_slice(), self.leaf.take()) {
            ([], leaf) => leaf.map_or_else(|| Value::Object(Map::new()), Value::String),
            ([(only, list)], _) if only == "member" && list.numbered().is_some() => {
                let (_, list) = self.children.remove(0);
                Value::Array(list.in_order().into_iter().map(Self::into_value).collect())
            }
            ([(only, list)], _) if only == "entry" && list.numbered().is_some() => {
                let (_, list) = self.children.remove(0);
                let entries = list.in_order().into_iter().filter_map(|entry| {
                    let mut entry = entry.into_value();
                    let key = entry.get("key")?.as_str()?.to_owned();
                    Some((key, entry.get_mut("value")?.take()))
                });
                Value::Object(entries.collect())
            }
            _ => Value::Object(self.children.into_iter().map(|(name, node)| (name, node.into_value())).collect()),
        }
    }

    fn numbered(&self) -> Option<()> {
        let numbers = self.children.iter().all(|(name, _)| name.parse::<u32>().is_ok());
        (numbers && !self.children.is_empty()).then_some(())
    }

    fn in_order(self) -> Vec<Node> {
        let by_number: BTreeMap<u32, Node> =
            self.children.into_iter().filter_map(|(name, node)| Some((name.parse().ok()?, node))).collect();
        by_number.into_values().collect()
    }
}

/// `application/x-www-form-urlencoded`: `+` is a space, `%41` a byte. Invalid escapes are kept unchanged.
fn decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                match tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).map(|hex| u8::from_str_radix(hex, 16))
                {
                    Some(Ok(byte)) => {
                        bytes.push(byte);
                        rest = &tail[2..];
                    }
                    _ => bytes.push(b'%'),
                }
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{pairs, tree};

    #[test]
    fn a_form_becomes_what_the_api_calls_its_input() {
        let cases = [
            ("A=1&B=x+y%2Fz", json!({"A": "1", "B": "x y/z"})),
            (
                "Actions.member.1.Type=forward&Actions.member.1.TargetGroupArn=arn%3Atg&Names.member.2=b&Names.member.1=a",
                json!({"Actions": [{"Type": "forward", "TargetGroupArn": "arn:tg"}], "Names": ["a", "b"]}),
            ),
            ("Tags=&X", json!({"Tags": "", "X": ""})),
            ("M.entry.1.key=k&M.entry.1.value=v", json!({"M": {"k": "v"}})),
            ("N.member.10=c&N.member.2=b&N.member.1=a", json!({"N": ["a", "b", "c"]})),
            ("Bad=%zz%4", json!({"Bad": "%zz%4"})),
            ("", json!({})),
        ];
        for (form, input) in cases {
            assert_eq!(tree(&pairs(form.as_bytes())), input, "{form}");
        }
    }
}
