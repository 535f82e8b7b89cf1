//! Text with holes, filled in for one service of the fleet.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use trueup_core::digest::Digest;
use trueup_core::kind::Kind;

/// How many rules one listener has: as many as AWS lets a load balancer have.
pub const RULES_PER_LISTENER: usize = 100;

/// The digests that the tags of one application's resources carry.
pub type Digests = BTreeMap<Kind, Digest>;

/// Text with holes: `%n%`, the service's number; `%listener%` and `%priority%`, where its rule is; `%service%`,
/// `%task-definition%`, `%target-group%` and `%listener-rule%`, the digests of its documents.
#[derive(Debug)]
pub struct Template(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(String),
    Number,
    Listener,
    Priority,
    Digest(Kind),
}

impl Template {
    /// Takes a text apart.
    ///
    /// # Panics
    /// When a hole has a name that does not exist.
    pub fn new(text: &str) -> Self {
        let piece = |(index, text): (usize, &str)| match (index % 2, text) {
            (0, text) => Piece::Text(text.to_owned()),
            (_, "n") => Piece::Number,
            (_, "listener") => Piece::Listener,
            (_, "priority") => Piece::Priority,
            (_, kind) => Piece::Digest(
                Kind::ALL.into_iter().find(|known| known.as_str() == kind).unwrap_or_else(|| panic!("a hole {kind}")),
            ),
        };
        Self(text.split('%').enumerate().map(piece).collect())
    }

    /// Writes the text for a service. Where no digests are given, their holes stay empty.
    pub fn write(&self, out: &mut String, number: usize, digests: Option<&Digests>) {
        for piece in &self.0 {
            let written = match piece {
                Piece::Text(text) => {
                    out.push_str(text);
                    Ok(())
                }
                Piece::Number => write!(out, "{number:04}"),
                Piece::Listener => write!(out, "{:02}", number / RULES_PER_LISTENER),
                Piece::Priority => write!(out, "{}", number % RULES_PER_LISTENER + 1),
                Piece::Digest(kind) => {
                    out.push_str(digests.and_then(|digests| digests.get(kind)).map_or("", |digest| digest.as_str()));
                    Ok(())
                }
            };
            written.expect("a string takes everything");
        }
    }

    /// The text for a service.
    pub fn text(&self, number: usize, digests: Option<&Digests>) -> String {
        let mut out = String::new();
        self.write(&mut out, number, digests);
        out
    }
}
