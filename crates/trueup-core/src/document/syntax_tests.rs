//! What both formats accept and refuse, and the place of each problem.

use proptest::prelude::*;
use serde_json::{Map, Number, Value, json};

use super::marked::MarkedFiles;
use super::problem::render;
use super::{DEPTH_MAX, FILE_SIZE_MAX, Node, Problem, SYNTAX_PROBLEMS_MAX, SourceFile, parse, source_file};
use crate::pointer::Pointer;

fn problems(path: &str, text: &str) -> String {
    match parse(&SourceFile::new(path, text)) {
        Ok(node) => panic!("accepted as {}", node.to_json()),
        Err(problems) => render(&problems),
    }
}

fn read(path: &str, text: &str) -> Node {
    parse(&SourceFile::new(path, text)).unwrap_or_else(|problems| panic!("{}", render(&problems)))
}

/// The text at a place, for keys and values.
fn text_at<'a>(node: &'a Node, pointer: &str) -> &'a str {
    let node = node.at(&Pointer::parse(pointer).unwrap()).unwrap();
    &node.span.file.text()[node.span.range.clone()]
}

#[test]
fn toml_values_become_json_and_keep_their_places() {
    let node = read(
        "a.toml",
        "# head\nname = 'web'\n\"two words\" = [1, 0x1F, 1_000, +2, -3.50, 1e3]\n[a.b]\nc.d = true\n[[list]]\nx = { y = \"é\" }\n[[list]]\n[list.in]\n",
    );
    assert_eq!(
        node.to_json().to_string(),
        r#"{"name":"web","two words":[1,31,1000,2,-3.50,1e+3],"a":{"b":{"c":{"d":true}}},"list":[{"x":{"y":"é"}},{"in":{}}]}"#
    );
    assert_eq!(text_at(&node, "/name"), "'web'");
    assert_eq!(text_at(&node, "/two words/1"), "0x1F");
    assert_eq!(text_at(&node, "/a/b"), "[a.b]");
    assert_eq!(text_at(&node, "/a/b/c"), "c");
    assert_eq!(text_at(&node, "/list/1"), "[[list]]");
    assert_eq!(text_at(&node, "/list/0/x"), "{ y = \"é\" }");
}

#[test]
fn json_values_keep_their_places() {
    let node = read("a.json", "{\n  \"a\": [1, {\"b\\n\": \"\\u00e9\\ud83d\\ude00\"}],\n  \"c\": null }\n");
    assert_eq!(node.to_json(), json!({"a": [1, {"b\n": "é😀"}], "c": null}));
    assert_eq!(text_at(&node, "/a/1/b\n"), "\"\\u00e9\\ud83d\\ude00\"");
    assert_eq!(text_at(&node, "/c"), "null");
}

#[test]
fn numbers_keep_every_digit() {
    let text = r#"{"a":123456789012345678901234567890,"b":0.1000000000000000055511151231257827,"c":-0}"#;
    assert_eq!(read("a.json", text).to_json().to_string(), text);
    let toml = "a = 123456789012345678901234567890\nb = 0.1000000000000000055511151231257827\nc = -0\n";
    assert_eq!(read("a.toml", toml).to_json().to_string(), text);
}

/// Checks that each of some files has exactly the problems that are marked in it.
#[track_caller]
fn check_marked(text: &str) {
    let marked = MarkedFiles::parse(text);
    let parsed = marked.files.iter().map(|(path, content)| parse(&SourceFile::new(path.as_str(), content.as_str())));
    let problems: Vec<Problem> = parsed.filter_map(Result::err).flatten().collect();
    marked.assert_marked_with(&problems);
}

#[test]
fn all_problems_of_toml_syntax_are_reported_at_once() {
    check_marked(
        r#"
        == a.toml
        name = web
               ^^^ syntax: string values must be quoted: expected literal string
               help: write text in quotes: `"…"`
        when = 2026-01-01
               ^^^^^^^^^^ not-json: AWS requests have no dates and times
               help: write it as text, in quotes
        many = inf
               ^^^ not-json: this is not a number that JSON has
               help: write decimal digits
        a = 1
        a = 2
        ^ duplicate-key /a: `a` is here a second time
        help: it is already in line 4, column 1: keep one of them
        [t]
        [t]
         ^ duplicate-key /t: `t` is here a second time
         help: it is already in line 6, column 2: keep one of them
        b = { c = 1, c = 2 }
                     ^ duplicate-key: `c` is here a second time
                     help: it is already in line 8, column 7: keep one of them
        a.x = 1
        a.x.y = 1
        [a]
         ^ duplicate-key /a: `a` is here a second time
         help: it is already in line 4, column 1: keep one of them
        [t.a]
        = 3
        ^ syntax: unquoted keys cannot be empty: expected letters or numbers or `-` or `_`
        "#,
    );
}

#[test]
fn all_problems_of_json_syntax_are_reported_at_once() {
    check_marked(
        r#"
        == a.json
        { // comment
          ^^^^^^^^^^ syntax: JSON has no comments
          help: remove it, or write the document in TOML
          "a": 1,
          "a": True,
          ^^^ duplicate-key /a: `a` is here a second time
          help: it is already in line 2, column 3: keep one of them
               ^^^^ syntax /a: this word is not a value that JSON has
               help: write `true`
          b: 'x'
          ^ syntax: a member's name must be in double quotes
          help: write the name in double quotes
             ^^^ syntax /b: strings must be in double quotes
             help: write `"` instead of `'`
                ^ syntax: a comma is missing here
                help: write `,` between values
          "c": [1 2, 03, .5, "\x",],
                 ^ syntax /c: a comma is missing here
                 help: write `,` between values
                     ^^ syntax /c/2: this is not a number as JSON writes them
                     help: write plain decimal digits, such as `10` or `0.5`
                         ^^ syntax /c/3: this is not a number as JSON writes them
                         help: write plain decimal digits, such as `10` or `0.5`
                              ^^ syntax /c/4: `\x` is not an escape of JSON
                              help: write `\\` for a backslash
                                 ^ syntax /c: JSON has no comma after the last value
                                 help: remove it
          "d": {"e": 1, "e": 2},
                        ^^^ duplicate-key /d/e: `e` is here a second time
                        help: it is already in line 6, column 9: keep one of them
                               ^ syntax: JSON has no comma after the last value
                               help: remove it
        }
        "#,
    );
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_is_reported_with_the_place() {
    check_marked(
        r#"
        == bracket.json
        {"a": [1}
                ^ syntax /a: `}` closes what `]` should close
                help: write `]`
        == string.json
        {"a": "x
              ^^ syntax /a: the string has no end
              help: write `"` at its end, and `\n` for a new line in it
        "}
        == colon.json
        {"a" 1}
         ^^^ syntax: `:` is missing after this name
         help: write `"name": value`
        == end.json
        {"a": 1
               ^ syntax: the file ends before the document does
               help: a closing bracket is missing
        == value.json
        {"a": }
              ^ syntax /a: a value is missing here
              help: write a value, or `null`
        == surrogate.json
        {"a": "\ud800"}
               ^^^^^^ syntax /a: `\ud800` is not an escape of JSON
               help: write `\\` for a backslash
        == two.json
        {} {}
           ^^ syntax: there is something after the end of the document
           help: a file holds exactly one object
        == list.json
        []
        ^^ not-an-object: the outermost value is a list, not an object
        help: write an object: `{ … }`
        == empty.json
        ^ not-an-object: the file is empty
        help: write an object: `{ … }`
        == format.yaml
        ^ unknown-format: a document's name ends in `.toml` or `.json`
        a: 1
        == value.toml
        a =
           ^ syntax: string values must be quoted: expected literal string
           help: write text in quotes: `"…"`
        == header.toml
        [a
          ^ syntax: unclosed table: expected `]`
        == array.toml
        a = [1, 2
                 ^ syntax: unclosed array: expected `]`
        == string.toml
        a = "x
              ^ syntax: invalid basic string: expected `"`
        == key.toml
        a b = 1
          ^ syntax: key with no value: expected `=`
        "#,
    );
}

#[test]
fn what_may_be_a_secret_without_its_quotes_is_not_told() {
    let cases = [
        ("a.json", "{\"value\": hunter2}"),
        ("a.json", "{\"value\": hunter 2}"),
        ("a.json", "{\"value\": hun hunter2, \"a\": 1}"),
        ("a.json", "{\"value\": \"hun\" \"hunter2\"}"),
        ("a.json", "{\"value\": 'hunter2'}"),
        ("a.json", "{\"value\": 0hunter2}"),
        ("a.json", "{\"value\": hunter2"),
        ("a.toml", "value = hunter2"),
        ("a.toml", "value = \"hun\" hunter2"),
        ("a.toml", "value = 0hunter2"),
        ("a.toml", "value = \"hunter2"),
    ];
    for (path, text) in cases {
        let told = problems(path, text);
        assert!(!told.contains("hunter"), "{told}");
    }
}

#[test]
fn bytes_are_text_of_a_bounded_size() {
    let node = parse(&source_file("a.json", b"\xef\xbb\xbf{\"a\": 1}").unwrap()).unwrap();
    assert_eq!(node.get("a").unwrap().span.position(), (1, 7));
    let told: Vec<_> =
        [source_file("a.toml", b"a = 1\nb = \"\xff\"\n"), source_file("a.toml", &vec![b' '; FILE_SIZE_MAX + 1])]
            .into_iter()
            .map(Result::unwrap_err)
            .collect();
    insta::assert_snapshot!(render(&told), @r#"
    a.toml  the file is not UTF-8 text: line 2 has other bytes | save it as UTF-8
    a.toml  the file has 1048577 bytes, more than the 1048576 that are read | -
    "#);
}

#[test]
fn nesting_is_bounded_and_never_overflows_the_stack() {
    let legal = format!("{{\"a\":{}{}}}", "[".repeat(DEPTH_MAX - 1), "]".repeat(DEPTH_MAX - 1));
    read("a.json", &legal);
    read("a.toml", &format!("a = {}{}", "[".repeat(DEPTH_MAX - 1), "]".repeat(DEPTH_MAX - 1)));
    read("a.toml", &format!("{} = 1", vec!["a"; DEPTH_MAX].join(".")));
    read("a.toml", &format!("[{}]", vec!["a"; DEPTH_MAX - 1].join(".")));

    let half = FILE_SIZE_MAX / 2 - 8;
    let dotted = |count: usize| vec!["a"; count].join(".");
    let cases = [
        ("a.json", format!("{{\"a\":{}{}}}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX))),
        ("a.json", "[".repeat(2 * half)),
        ("a.json", "{\"a\":".repeat(half / 4)),
        ("a.toml", format!("a = {}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX))),
        ("a.toml", format!("a = {}", "[".repeat(2 * half))),
        ("a.toml", format!("a = {}", "{a=".repeat(half / 2))),
        ("a.toml", format!("{} = 1", dotted(half))),
        ("a.toml", format!("{} = 1", dotted(DEPTH_MAX + 1))),
        ("a.toml", format!("[{}]", dotted(half))),
        ("a.toml", format!("[{}]", dotted(DEPTH_MAX))),
        ("a.toml", format!("[[{}]]", dotted(DEPTH_MAX - 1))),
        ("a.toml", format!("[{}]\n{} = {{ {} = 1 }}", dotted(30), dotted(30), dotted(30))),
    ];
    for (path, text) in cases {
        let told = parse(&SourceFile::new(path, text.as_str())).err().expect("it is too deep");
        assert!(told.iter().any(|problem| problem.code == "nested-too-deeply"), "{}… {}", &text[..40], render(&told));
    }
}

#[test]
fn a_file_of_nothing_but_mistakes_has_a_bounded_number_of_problems() {
    for (path, line) in [("a.toml", "=\n"), ("a.toml", "a=\"\\x\"\n"), ("a.toml", "a=1979-05-27\n"), ("a.json", ",")] {
        let text = format!("{{{}", line.repeat(100_000));
        let text = if path == "a.toml" { &text[1..] } else { &text };
        let told = parse(&SourceFile::new(path, text)).err().expect("it is wrong");
        assert_eq!(told.len(), SYNTAX_PROBLEMS_MAX, "{path} {line}");
    }
}

/// JSON as people and programs could write it.
fn arbitrary_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?"
            .prop_map(|text| { Value::Number(text.parse::<Number>().unwrap()) }),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number,
        any::<String>().prop_map(Value::String)
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec((any::<String>(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn json_is_read_as_serde_json_reads_it(value in arbitrary_json(), pretty: bool) {
        let value = json!({ "value": value });
        let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        let expected: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read("a.json", &text).to_json(), expected);
    }

    #[test]
    fn what_is_json_is_what_serde_json_says(text in r#"[\[\]{},:"\\a01.eE+\- /*#\n'ntrue\u{1}]{0,12}"#) {
        let text = format!("{{\"a\":{text}}}");
        // A key twice is serde_json's last one; here it is a problem.
        let ours = match parse(&SourceFile::new("a.json", text.as_str())) {
            Ok(node) => Some(node.to_json()),
            Err(problems) if problems.iter().all(|problem| problem.code == "duplicate-key") => return Ok(()),
            Err(_) => None,
        };
        prop_assert_eq!(ours, serde_json::from_str::<Value>(&text).ok(), "{}", text);
    }

    #[test]
    fn what_is_toml_is_what_the_toml_crate_says(text in r#"([\[\]{}=., "a1b\n-]|\[a\]\n|\[\[a\]\]\n|\[a\.b\]\n|a\.b=1\n|b=\{a=1\}\n|a=1\n){0,12}"#) {
        let theirs = toml::from_str::<toml::Table>(&text).ok().map(|table| serde_json::to_value(table).unwrap());
        let ours = parse(&SourceFile::new("a.toml", text.as_str())).ok().map(|node| node.to_json());
        // Dates are TOML and no JSON.
        if theirs.is_none() || ours.is_some() {
            prop_assert_eq!(ours, theirs, "{}", text);
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(text: String) {
        for path in ["a.toml", "a.json"] {
            drop(parse(&SourceFile::new(path, text.as_str())));
            drop(parse(&SourceFile::new(path, format!("{{\"a\": {text}"))));
        }
    }
}
