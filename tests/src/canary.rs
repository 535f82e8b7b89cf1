//! Secrets that can be found again, in whatever form they come out.

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How much of where a canary came out is shown.
const SURROUNDINGS_BYTES: usize = 200;

/// The text of a secret, which is nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Canary {
    /// Whose secret it is.
    pub of: &'static str,
    /// The text: letters and digits alone, so that neither JSON, TOML, HTML nor a URL writes it in another way.
    pub text: &'static str,
}

impl Canary {
    /// Where it is in what was said: as it is (in letters of either case), in hexadecimal digits, or in base64, also of a
    /// longer text.
    fn place_in(&self, said: &[u8]) -> Option<usize> {
        let small = said.to_ascii_lowercase();
        let find = |said: &[u8], form: &str| said.windows(form.len()).position(|part| part == form.as_bytes());
        let hexadecimal = self.text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let plain = [self.text.to_ascii_lowercase(), hexadecimal];
        let found = plain.iter().find_map(|form| find(&small, form));
        found.or_else(|| self.in_base64().iter().find_map(|form| find(said, form)))
    }

    /// What is the same of it in the base64 of every text that has it: that depends on its position.
    fn in_base64(&self) -> Vec<String> {
        let forms = (0..3).flat_map(|before: usize| {
            let text = [vec![0; before], self.text.as_bytes().to_vec()].concat();
            // A character is six bits; those at both ends also encode what is next to it.
            let (begin, end) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
            [STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|alphabet| alphabet.encode(&text)[begin..end].to_owned())
        });
        forms.collect()
    }
}

/// Fails where one of the canaries is in what was said.
///
/// # Errors
/// With whose secret it is, and what is around it.
pub fn silent(canaries: &[Canary], what: &str, said: &[u8]) -> Result<()> {
    for canary in canaries {
        let place = canary.place_in(said);
        let around = place.map(|at| {
            let end = (at + SURROUNDINGS_BYTES).min(said.len());
            String::from_utf8_lossy(&said[at.saturating_sub(SURROUNDINGS_BYTES)..end]).into_owned()
        });
        ensure!(around.is_none(), "{}: {what} has it: …{}…", canary.of, around.unwrap_or_default());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_in_every_form() {
        let canary = Canary { of: "a test", text: "q7Zk3VbX9pLm" };
        let table = [
            ("nothing of it", "{\"value\":\"q7Zk3VbX\"}".to_owned(), false),
            ("as it is", "{\"value\":\"<q7Zk3VbX9pLm>\"}".to_owned(), true),
            ("in a URL", "https://x/?value=%2Fq7Zk3VbX9pLm%2B".to_owned(), true),
            ("in small letters", "q7zk3vbx9plm".to_owned(), true),
            ("in hexadecimal digits", "7137 71375A6b3356625839704c6d".to_owned(), true),
            ("in base64 by itself", STANDARD_NO_PAD.encode("q7Zk3VbX9pLm"), true),
            ("in base64, of a name and it", STANDARD_NO_PAD.encode("user:q7Zk3VbX9pLm\n"), true),
            ("in base64, one further", STANDARD_NO_PAD.encode("user1:q7Zk3VbX9pLm and more"), true),
            ("in base64, two further", URL_SAFE_NO_PAD.encode("user12:q7Zk3VbX9pLm?"), true),
        ];
        for (what, said, found) in table {
            assert_eq!(silent(&[canary], what, said.as_bytes()).is_err(), found, "{what}: {said}");
        }
    }
}
