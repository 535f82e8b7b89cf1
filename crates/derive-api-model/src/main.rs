//! Derives the API model that `trueup-core` validates documents against from AWS's published service models.
//!
//! AWS publishes the model of every API with its SDKs; botocore (Apache-2.0) carries them as `service-2.json`. This
//! program keeps the shapes that trueup's documents can reach, with what a check needs of them (types, members,
//! required, enumerations, ranges, lengths, patterns) and the first sentence of each description, and leaves out the
//! rest. Its output is committed; run it again when AWS adds fields:
//!
//! ```text
//! pip install --target /tmp/botocore botocore==1.44.5
//! cargo run -p derive-api-model -- --botocore /tmp/botocore            # writes the model
//! cargo run -p derive-api-model -- --botocore /tmp/botocore --check    # says whether the committed one agrees
//! ```

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use serde_json::{Map, Value, json};

/// Where the derived model is in the repository.
const OUTPUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../trueup-core/src/model/aws.json");

/// One API: its name in our model, its folder in botocore's data, and what of it we keep.
struct Api {
    name: &'static str,
    folder: &'static str,
    /// Operations whose input shapes are kept.
    operations: &'static [&'static str],
    /// Shapes of answers that are kept in addition, because live state comes in them.
    answers: &'static [&'static str],
}

const APIS: &[Api] = &[
    Api {
        name: "ecs",
        folder: "ecs/2014-11-13",
        operations: &["RegisterTaskDefinition", "CreateService", "UpdateService", "RunTask"],
        answers: &["TaskDefinition", "Service"],
    },
    Api {
        name: "elbv2",
        folder: "elbv2/2015-12-01",
        operations: &[
            "CreateTargetGroup",
            "ModifyTargetGroup",
            "ModifyTargetGroupAttributes",
            "CreateRule",
            "ModifyRule",
            "SetRulePriorities",
        ],
        answers: &["TargetGroup", "Rule", "TargetGroupAttribute"],
    },
];

/// Derives trueup's API model from AWS's published service models.
#[derive(Parser)]
struct Args {
    /// A directory that holds an installed or unpacked botocore (the parent of `botocore/data`).
    #[arg(long)]
    botocore: PathBuf,
    /// Compare with the committed model instead of writing it; exit 1 when they differ.
    #[arg(long)]
    check: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let data = args.botocore.join("botocore/data");
    let mut apis = Map::new();
    for api in APIS {
        apis.insert(api.name.to_owned(), derive(&data, api)?);
    }
    let model = json!({
        "source": format!("botocore {}", botocore_version(&args.botocore)?),
        "apis": apis,
    });
    let text = render(&model)?;
    if args.check {
        let committed = fs::read_to_string(OUTPUT).with_context(|| format!("cannot read {OUTPUT}"))?;
        if committed == text {
            println!("the committed API model agrees with {}", model["source"]);
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!(
            "the committed API model differs from what {} gives: run this program without --check",
            model["source"]
        );
        return Ok(ExitCode::FAILURE);
    }
    fs::write(OUTPUT, text).with_context(|| format!("cannot write {OUTPUT}"))?;
    Ok(ExitCode::SUCCESS)
}

/// Reads `__version__` from botocore's own `__init__.py`.
fn botocore_version(root: &Path) -> Result<String> {
    let init = root.join("botocore/__init__.py");
    let text = fs::read_to_string(&init).with_context(|| format!("cannot read {}", init.display()))?;
    text.lines()
        .find_map(|line| line.strip_prefix("__version__ = "))
        .map(|v| v.trim_matches(['\'', '"']).to_owned())
        .with_context(|| format!("no __version__ in {}", init.display()))
}

/// Reads one `service-2.json`, which botocore ships compressed or plain.
fn service_model(folder: &Path) -> Result<Value> {
    let plain = folder.join("service-2.json");
    let packed = folder.join("service-2.json.gz");
    let mut text = String::new();
    if plain.exists() {
        text = fs::read_to_string(&plain)?;
    } else {
        let file = fs::File::open(&packed).with_context(|| format!("cannot read {}", packed.display()))?;
        flate2::read::GzDecoder::new(file)
            .read_to_string(&mut text)
            .with_context(|| format!("cannot decompress {}", packed.display()))?;
    }
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", folder.display()))
}

fn derive(data: &Path, api: &Api) -> Result<Value> {
    let model = service_model(&data.join(api.folder))?;
    let shapes = model["shapes"].as_object().context("a service model has `shapes`")?;
    let mut wanted = BTreeSet::new();
    let mut operations = Map::new();
    for name in api.operations {
        let input = model["operations"][name]["input"]["shape"]
            .as_str()
            .with_context(|| format!("{}: no operation {name} with an input", api.folder))?;
        operations.insert((*name).to_owned(), json!(input));
        reach(shapes, input, &mut wanted)?;
    }
    for name in api.answers {
        reach(shapes, name, &mut wanted)?;
    }
    let mut kept = Map::new();
    for name in &wanted {
        kept.insert(name.clone(), shape(&shapes[name]));
    }
    Ok(json!({
        "version": model["metadata"]["apiVersion"],
        "operations": operations,
        "shapes": kept,
    }))
}

/// Adds `name` and every shape it can reach to `seen`.
fn reach(shapes: &Map<String, Value>, name: &str, seen: &mut BTreeSet<String>) -> Result<()> {
    if !seen.insert(name.to_owned()) {
        return Ok(());
    }
    let Some(shape) = shapes.get(name) else { bail!("the service model names a shape `{name}` that it does not have") };
    let members = shape["members"].as_object().into_iter().flat_map(Map::values);
    let parts = ["member", "key", "value"].into_iter().filter_map(|part| shape.get(part));
    for reference in members.chain(parts) {
        let target = reference["shape"].as_str().context("a reference names its shape")?;
        reach(shapes, target, seen)?;
    }
    Ok(())
}

/// Keeps of a shape what a check can use.
fn shape(from: &Value) -> Value {
    let mut kept = Map::new();
    for key in ["type", "required", "enum", "min", "max", "pattern", "sensitive", "deprecated", "document"] {
        if let Some(value) = from.get(key) {
            kept.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(doc) = from["documentation"].as_str().and_then(first_sentence) {
        kept.insert("doc".to_owned(), json!(doc));
    }
    if let Some(members) = from["members"].as_object() {
        let members = members.iter().map(|(name, member)| (name.clone(), reference(member))).collect::<Map<_, _>>();
        kept.insert("members".to_owned(), Value::Object(members));
    }
    for key in ["member", "key", "value"] {
        if let Some(part) = from.get(key) {
            kept.insert(key.to_owned(), part["shape"].clone());
        }
    }
    Value::Object(kept)
}

/// A structure's member: its shape, and its own description and deprecation.
fn reference(member: &Value) -> Value {
    let mut kept = Map::new();
    kept.insert("shape".to_owned(), member["shape"].clone());
    if let Some(deprecated) = member.get("deprecated") {
        kept.insert("deprecated".to_owned(), deprecated.clone());
    }
    if let Some(doc) = member["documentation"].as_str().and_then(first_sentence) {
        kept.insert("doc".to_owned(), json!(doc));
    }
    Value::Object(kept)
}

/// The first sentence of an HTML description, as plain text on one line.
fn first_sentence(html: &str) -> Option<String> {
    let mut text = String::new();
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if in_tag => {}
            _ => text.push(c),
        }
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = text.find(". ").map_or(text.len(), |at| at + 1);
    let sentence = text[..end].trim();
    (!sentence.is_empty()).then(|| sentence.to_owned())
}

/// One shape a line: small enough to ship, and a diff shows which shape changed.
fn render(model: &Value) -> Result<String> {
    let mut out = format!("{{\n\"source\": {},\n\"apis\": {{\n", model["source"]);
    let apis = model["apis"].as_object().context("made above")?;
    for (i, (name, api)) in apis.iter().enumerate() {
        let comma = if i + 1 < apis.len() { "," } else { "" };
        let operations = serde_json::to_string(&api["operations"])?;
        write!(out, "\"{name}\": {{\n\"version\": {},\n", api["version"])?;
        write!(out, "\"operations\": {operations},\n\"shapes\": {{\n")?;
        let shapes = api["shapes"].as_object().context("made above")?;
        for (j, (shape_name, shape)) in shapes.iter().enumerate() {
            let comma = if j + 1 < shapes.len() { "," } else { "" };
            writeln!(out, "\"{shape_name}\": {}{comma}", serde_json::to_string(shape)?)?;
        }
        write!(out, "}}\n}}{comma}\n")?;
    }
    out += "}\n}\n";
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::first_sentence;

    #[test]
    fn a_description_becomes_its_first_sentence_in_plain_text() {
        let html = "<p>The <code>name</code> of a\n  service &amp; more. Up to 255 letters.</p>";
        assert_eq!(first_sentence(html).as_deref(), Some("The name of a service & more."));
        assert_eq!(first_sentence("<p/>"), None);
    }
}
