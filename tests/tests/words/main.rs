//! The glossary in `CONTRIBUTING.md` as a ratchet: each odd word may only become rarer.
//!
//! `tests/words.toml` has, for each row of the glossary, the pattern that finds the words and how often it matches. More matches
//! fail, with their places and with what to write instead. Fewer fail as well, so that the count is lowered and stays low:
//! `LOWER_WORDS=1 cargo test --test words` does that, and never raises one.

mod sources;

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result, ensure};
use regex::Regex;
use sources::{Line, Place};
use trueup_e2e::workspace;

/// The table of words, below the workspace.
const WORDS: &str = "tests/words.toml";

/// How many places of one word are shown.
const SHOWN_MAX: usize = 40;

/// A row of the glossary.
struct Word {
    /// What not to write, as the glossary says it.
    not: String,
    /// What to write instead.
    but: String,
    /// What finds it, line by line.
    pattern: Regex,
    /// What is not meant: taken out of a line before it is searched.
    except: Option<Regex>,
    /// Where it is searched for; everywhere when empty.
    only: String,
    /// Paths that begin so are not searched.
    outside: Vec<String>,
    /// How often it may be there.
    count: usize,
}

impl Word {
    fn read(table: &toml::Value) -> Result<Self> {
        let text = |name: &str| table.get(name).and_then(toml::Value::as_str).map(str::to_owned);
        let need = |name: &str| text(name).with_context(|| format!("a word in {WORDS} has no `{name}`"));
        let outside = table.get("outside").and_then(toml::Value::as_array).into_iter().flatten();
        let count = table.get("count").and_then(toml::Value::as_integer).context("a word has a count")?;
        Ok(Self {
            not: need("not")?,
            but: need("but")?,
            pattern: Regex::new(&need("pattern")?)?,
            except: text("except").map(|pattern| Regex::new(&pattern)).transpose()?,
            only: text("only").unwrap_or_default(),
            outside: outside.filter_map(toml::Value::as_str).map(str::to_owned).collect(),
            count: usize::try_from(count)?,
        })
    }

    /// How often this line has it.
    fn matches(&self, line: &Line) -> usize {
        let is_elsewhere = match self.only.as_str() {
            "strings" => line.place != Place::String,
            "prose" => line.place == Place::String,
            _ => false,
        };
        if is_elsewhere || self.outside.iter().any(|path| line.path.starts_with(path)) {
            return 0;
        }
        match &self.except {
            Some(except) => self.pattern.find_iter(&except.replace_all(&line.text, "·")).count(),
            None => self.pattern.find_iter(&line.text).count(),
        }
    }

    /// Every place in which it is, once for each time.
    fn places<'a>(&self, lines: &'a [Line]) -> Vec<&'a Line> {
        lines.iter().flat_map(|line| std::iter::repeat_n(line, self.matches(line))).collect()
    }
}

fn words() -> Result<Vec<Word>> {
    let table: toml::Table = fs::read_to_string(workspace().join(WORDS))?.parse()?;
    let words = table.get("word").and_then(toml::Value::as_array).context("the table has words")?;
    words.iter().map(Word::read).collect()
}

/// Writes these counts into the table, in the order of its words.
fn lower(counts: &[usize]) -> Result<()> {
    let path = workspace().join(WORDS);
    let mut counts = counts.iter();
    let mut next = |line: &str| {
        if line.starts_with("count = ") {
            counts.next().map(|count| format!("count = {count}"))
        } else {
            Some(line.to_owned())
        }
    };
    let text = fs::read_to_string(&path)?;
    let lines: Option<Vec<String>> = text.lines().map(&mut next).collect();
    fs::write(path, lines.context("every word has one count")?.join("\n") + "\n")?;
    Ok(())
}

#[test]
fn odd_words_only_become_rarer() -> Result<()> {
    let (words, lines) = (words()?, sources::lines(&workspace())?);
    ensure!(lines.len() > 5_000, "only {} lines of text were found", lines.len());
    let found: Vec<Vec<&Line>> = words.iter().map(|word| word.places(&lines)).collect();
    let total: usize = found.iter().map(Vec::len).sum();
    println!("{total} odd words, of {} that are allowed", words.iter().map(|word| word.count).sum::<usize>());

    let is_lowering = std::env::var_os("LOWER_WORDS").is_some();
    if is_lowering {
        let counts: Vec<usize> = words.iter().zip(&found).map(|(word, found)| word.count.min(found.len())).collect();
        lower(&counts)?;
    }
    let mut wrong = String::new();
    for (word, found) in words.iter().zip(&found) {
        let (count, allowed) = (found.len(), word.count);
        if count > allowed {
            let _ =
                writeln!(wrong, "\n\"{}\": {count} times, {allowed} allowed. Write instead: {}", word.not, word.but);
            for line in found.iter().take(SHOWN_MAX) {
                let _ = writeln!(wrong, "  {}:{}: {}", line.path, line.number, line.text.trim());
            }
            if count > SHOWN_MAX {
                let _ = writeln!(wrong, "  and {} more", count - SHOWN_MAX);
            }
        } else if count < allowed && !is_lowering {
            let _ = writeln!(
                wrong,
                "\n\"{}\": {count} times. Lower its count in {WORDS} from {allowed} to {count}",
                word.not
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}\n`LOWER_WORDS=1 cargo test --test words` lowers every count that can be lower");
    Ok(())
}

#[test]
fn the_glossary_and_the_ratchet_have_the_same_rows() -> Result<()> {
    let page = fs::read_to_string(workspace().join("CONTRIBUTING.md"))?;
    let (_, glossary) = page.split_once(sources::GLOSSARY).context("CONTRIBUTING.md has the glossary")?;
    let glossary = glossary.split("\n## ").next().unwrap_or_default();
    // The first table; the second one has examples.
    let table = glossary.trim_start().split("\n\n").next().unwrap_or_default();
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1).map(str::to_owned);
    let expected = words()?.into_iter().map(|word| format!("| {} | {} |", word.not, word.but));
    assert_eq!(rows.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "CONTRIBUTING.md and {WORDS}");
    Ok(())
}
