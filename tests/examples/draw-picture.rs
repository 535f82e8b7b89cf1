//! Draws the README's picture: a commit and a manual change in the sandbox, as a terminal shows them, as SVG.
//!
//! `cargo run --example draw-picture` writes `docs/picture.svg`. The real binary printed every line in it. The picture
//! leaves out times, the middle of long names, and details of events that the plan above them shows; the commit has a fixed id. So the
//! same version always draws the same picture.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, RgbColor, Style};
use anstyle_svg::Term;
use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;
use trueup_e2e::binary;
use trueup_e2e::process::{Process, Signal};
use trueup_e2e::repository::Repository;

/// How long any part may take; at this speed each takes some seconds.
const LIMIT: Duration = Duration::from_mins(3);

/// Virtual seconds per real second: the fastest that the sandbox allows.
const SPEED: &str = "60";

/// The id that the picture shows for the commit.
const COMMIT: &str = "a737a3d6e4";

/// Parts of long names, and what the picture shows instead.
const SHORTENED: [(&str, &str); 2] = [
    ("123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/", ""),
    ("arn:aws:ecs:ap-northeast-1:123456789012:", "arn:…:"),
];

/// How many digits of a digest the picture shows.
const DIGEST_SHOWN: usize = 6;

/// Longer lines would make the picture's text too small to read on a page.
const WIDTH_MAX: usize = 132;

const PROMPT: Style = AnsiColor::BrightGreen.on_default().bold();
const TYPED: Style = Style::new().bold();
const COMMENT: Style = AnsiColor::BrightBlack.on_default();
const GOOD: Style = AnsiColor::BrightGreen.on_default();
const CHANGED: Style = AnsiColor::BrightYellow.on_default();
const BAD: Style = AnsiColor::BrightRed.on_default();

fn main() -> Result<()> {
    let screen = record()?;
    let target = trueup_e2e::workspace().join("docs/picture.svg");
    fs::write(&target, draw(&screen)).with_context(|| format!("cannot write `{}`", target.display()))?;
    println!("wrote {}", target.display());
    Ok(())
}

/// Plays the scene, and returns what the terminal shows, with its colours.
fn record() -> Result<String> {
    let directory = TempDir::new()?;
    let mut command = trueup(directory.path())?;
    command.args(["sandbox", "--speed", SPEED]);
    let mut sandbox = Sandbox { process: Process::start(command, &directory.path().join("sandbox"))? };
    let guide = sandbox.until("AWS_ENDPOINT_URL=")?;
    let url =
        guide.last().and_then(|line| line.split_once("AWS_ENDPOINT_URL=")?.1.split(' ').next().map(str::to_owned));
    let url = url.context("the guide says where AWS is")?;
    sandbox.until("rollout.completed")?;

    let at = directory.path().join("trueup-sandbox");
    let (site, work) = (at.join("site.git"), at.join("work"));
    let repository = Repository::existing(site.clone(), work);
    repository.edit("desired-state/elearning/app.toml", "backend\"\ntag = \"latest\"", "backend\"\ntag = \"1.1\"")?;
    let target_group = "desired-state/elearning/target-groups/backend.toml";
    repository.edit(target_group, "HealthCheckIntervalSeconds = 60", "HealthCheckIntervalSeconds = 45")?;

    let mut screen = String::new();
    let ask = |arguments: &[&str]| -> Result<String> {
        let mut command = trueup(directory.path())?;
        command.args(arguments).env("AWS_ENDPOINT_URL", &url).env("AWS_REGION", "ap-northeast-1");
        command.env("AWS_ACCESS_KEY_ID", "me").env("AWS_SECRET_ACCESS_KEY", "none").env("CLICOLOR_FORCE", "1");
        let output = command.output()?;
        let text = String::from_utf8(output.stdout)?;
        ensure!(!text.is_empty(), "{arguments:?} printed nothing: {}", String::from_utf8_lossy(&output.stderr));
        Ok(text)
    };

    // The commit exists in a copy first: trueup plans it there before the daemon can see it.
    let copy = directory.path().join("copy.git");
    git(directory.path(), &["clone", "--quiet", "--bare", utf8(&site)?, utf8(&copy)?])?;
    let elsewhere = directory.path().join("elsewhere");
    git(directory.path(), &["clone", "--quiet", utf8(&copy)?, utf8(&elsewhere)?])?;
    for path in ["desired-state/elearning/app.toml", target_group] {
        fs::copy(at.join("work").join(path), elsewhere.join(path))?;
    }
    let planned = Repository::existing(copy.clone(), elsewhere).push("Release 1.1")?;
    typed(&mut screen, "trueup plan", "what would this commit change?");
    screen.push_str(&fixed(&ask(&["plan", "--repository", utf8(&copy)?])?, &planned));

    let pushed = repository.push("Release 1.1")?;
    typed(&mut screen, "git push", "deploy it; this is the daemon's log");
    events(&mut screen, &sandbox.until("rollout.completed")?, &pushed);

    typed(&mut screen, "trueup sandbox drift", "someone changes the health check in the console");
    ask(&["sandbox", "drift", "health-check"])?;
    events(&mut screen, &sandbox.until("drift.resolved")?, &pushed);

    typed(&mut screen, "trueup status", "back to what git says");
    screen.push_str(&fixed(&ask(&["status", "--repository", utf8(&site)?])?, &pushed));
    sandbox.process.signal(Signal::TERM)?;
    sandbox.process.wait(LIMIT)?;
    Ok(screen)
}

/// The running sandbox.
struct Sandbox {
    process: Process,
}

impl Sandbox {
    /// The lines up to the first one that contains `part`.
    fn until(&mut self, part: &str) -> Result<Vec<String>> {
        let deadline = Instant::now() + LIMIT;
        let mut seen = Vec::new();
        loop {
            let Some(line) = self.process.next_line(deadline)? else {
                bail!("the sandbox ended before `{part}`\n{}\n{}", seen.join("\n"), self.process.last_words());
            };
            seen.push(line);
            if seen.last().is_some_and(|line| line.contains(part)) {
                return Ok(seen);
            }
        }
    }
}

/// The binary, in an environment that has nothing of this machine's AWS configuration.
fn trueup(directory: &Path) -> Result<Command> {
    let mut command = Command::new(binary::trueup()?);
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.current_dir(directory).env_clear().env("PATH", path).env("HOME", directory);
    Ok(command)
}

fn git(directory: &Path, arguments: &[&str]) -> Result<()> {
    let status = Command::new("git").args(arguments).current_dir(directory).status().context("cannot start git")?;
    ensure!(status.success(), "git {} failed", arguments.join(" "));
    Ok(())
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str().context("the path is UTF-8")
}

/// A prompt with a command and, as a comment, what it is for.
fn typed(screen: &mut String, command: &str, comment: &str) {
    let gap = if screen.is_empty() { "" } else { "\n" };
    let _ = writeln!(screen, "{gap}{PROMPT}${PROMPT:#} {TYPED}{command}{TYPED:#}  {COMMENT}# {comment}{COMMENT:#}");
}

/// Text with the same commit id in every run, with short names, and without an empty line at its end.
fn fixed(text: &str, commit: &str) -> String {
    // Events show ten digits of the id, plans and tables eight.
    let mut text = text.replace(&commit[..10], COMMIT).replace(&commit[..8], &COMMIT[..8]);
    for (long, short) in SHORTENED {
        text = text.replace(long, short);
    }
    let mut parts = text.trim_end().split("@sha256:");
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (shown, rest) = part.split_at(DIGEST_SHOWN);
        let _ = write!(short, "@sha256:{shown}…{}", rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    short + "\n"
}

/// The daemon's events without their times, with the event's name in the colour of its kind.
fn events(screen: &mut String, lines: &[String], commit: &str) {
    let mut has_details = false;
    for line in fixed(&lines.join("\n"), commit).lines().filter(|line| !line.is_empty()) {
        let event = line.split_once("Z ").and_then(|(_, rest)| rest.split_once(": "));
        let Some(((place, name), text)) = event.and_then(|(head, text)| Some((head.split_once(' ')?, text))) else {
            if has_details {
                let _ = writeln!(screen, "{line}");
            }
            continue;
        };
        let style = match name {
            "rollout.completed" | "drift.resolved" => GOOD,
            "drift.detected" => BAD,
            _ => CHANGED,
        };
        has_details = name == "drift.detected";
        let _ = writeln!(screen, "{COMMENT}{place}{COMMENT:#} {style}{name}{style:#}: {text}");
    }
}

/// Renders it in dark colours that are readable on a white page as well.
fn draw(screen: &str) -> String {
    let lines: Vec<&str> = screen.lines().collect();
    let long = lines.iter().filter(|line| width(line) > WIDTH_MAX);
    for line in long {
        eprintln!("longer than {WIDTH_MAX} columns: {line}");
    }
    let term = Term::new()
        .palette(anstyle_svg::WIN10_CONSOLE)
        .fg_color(RgbColor(0xd8, 0xde, 0xe9).into())
        .bg_color(RgbColor(0x16, 0x1b, 0x22).into())
        .min_width_px(960);
    let svg = term.render_svg(screen.trim_end());
    // Trailing spaces would be a difference in every editor.
    svg.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
}

/// How many columns a line takes, without its colours.
fn width(line: &str) -> usize {
    let mut escaped = false;
    let visible = line.chars().filter(|c| {
        let shown = !escaped && *c != '\u{1b}';
        escaped = *c == '\u{1b}' || (escaped && *c != 'm');
        shown
    });
    visible.count()
}
