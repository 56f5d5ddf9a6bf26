//! A text as it is searched for names and versions: in one form for all ecosystems, byte for byte as long as the text itself, so that a
//! place in one is a place in the other.

use std::{cell::OnceCell, collections::BTreeSet};

use crate::{
    ecosystem::{admits, fits},
    fact::Ecosystem,
};

/// Bytes behind a name that may say which versions are meant.
const BEHIND: usize = 200;
/// Longer words are no versions.
const LONGEST: usize = 64;

/// A text and what is worked out of it once.
pub struct Text {
    plain: String,
    loose: String,
    versions: OnceCell<BTreeSet<String>>,
}

/// In lower case, with `-` for `_` and `.`: what all ecosystems that normalise names agree on.
pub fn loose(text: &str) -> String {
    let one = |c: char| if matches!(c, '_' | '.') { '-' } else { c.to_ascii_lowercase() };
    text.chars().map(one).collect()
}

/// The names that a word may be or begin with: `@a/b@1.2`, `x-1.2-py3-none-any.whl`, `x==1`, `https://h/x/-/x-1.2.tgz`.
pub fn names_in(word: &str) -> Vec<String> {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@');
    let mut ends: Vec<usize> = vec![word.len()];
    let version = |at: usize| {
        word.get(at + 1..).is_some_and(|v| v.trim_start_matches(['v', 'V']).starts_with(|c: char| c.is_ascii_digit()))
    };
    let parted =
        word.match_indices(['-', '_', '@', '.']).filter(|(at, sign)| *at > 0 && (*sign == "@" || version(*at)));
    ends.extend(parted.map(|(at, _)| at).take(8));
    let mut names = Vec::new();
    for whole in ends.into_iter().filter_map(|end| word.get(..end)) {
        names.push(whole.to_owned());
        let last = whole.rsplit('/').next().unwrap_or(whole);
        names.push(last.to_owned());
        names.extend(whole.rfind('@').and_then(|at| whole.get(at..)).filter(|n| n.contains('/')).map(str::to_owned));
    }
    names.retain(|name| name.len() > 1);
    names
}

impl Text {
    /// Of this text.
    pub fn new(plain: String) -> Self {
        let loose = loose(&plain);
        Self { plain, loose, versions: OnceCell::new() }
    }

    /// As names are searched for.
    pub fn loose(&self) -> &[u8] {
        self.loose.as_bytes()
    }

    /// Words that may hold a name.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let inside = |c: char| c.is_alphanumeric() || "@/._-".contains(c);
        self.plain.split(move |c: char| !inside(c)).filter(|w| w.len() > 1 && w.len() <= 4 * LONGEST)
    }

    /// Whether a name that was found is a whole one, and no part of another: `my-litellm`, `litellm-proxy`, `litellmx`.
    pub fn is_name(&self, start: usize, end: usize) -> bool {
        let bytes = self.plain.as_bytes();
        let at = |at: usize| bytes.get(at).copied().unwrap_or(b'\n');
        let before = |n: usize| start.checked_sub(n).map_or(b'\n', at);
        let word = |b: u8| b.is_ascii_alphanumeric() || b >= 0x80;
        let joint = |b: u8| matches!(b, b'-' | b'_' | b'.');
        let inside = word(before(1)) || joint(before(1)) && word(before(2));
        let version =
            at(end + 1).is_ascii_digit() || matches!(at(end + 1), b'v' | b'V') && at(end + 2).is_ascii_digit();
        let info = [".dist-info", ".egg-info", ".git"]
            .iter()
            .any(|i| self.plain.get(end..).is_some_and(|rest| rest.starts_with(i)));
        let ends = !word(at(end)) && (!joint(at(end)) || version || info || !word(at(end + 1)));
        ends && !inside
    }

    /// Whether the text holds exactly this as a whole word.
    pub fn has(&self, wanted: &str) -> bool {
        let bytes = self.plain.as_bytes();
        let at = |at: usize| bytes.get(at).copied().unwrap_or(b'\n');
        !wanted.is_empty()
            && memchr::memmem::find_iter(bytes, wanted.as_bytes()).any(|start| {
                let end = start + wanted.len();
                let before = |n: usize| start.checked_sub(n).map_or(b'\n', at);
                let v = matches!(before(1), b'v' | b'V') && !before(2).is_ascii_alphanumeric();
                let inside = before(1).is_ascii_alphanumeric() || before(1) == b'.' && before(2).is_ascii_digit();
                let goes_on = at(end).is_ascii_alphanumeric() || at(end) == b'.' && at(end + 1).is_ascii_digit();
                (v || !inside) && !goes_on
            })
    }

    /// Whether the text holds a version that an indicator means. `None` when the questions are used up.
    pub fn has_version(&self, ecosystem: Ecosystem, versions: &[String], questions: &mut usize) -> Option<bool> {
        if versions.iter().any(|v| v == "*") {
            return Some(true);
        }
        let found = self.versions.get_or_init(|| {
            let inside = |c: char| c.is_ascii_alphanumeric() || ".+_!-".contains(c);
            let words = self.plain.split(|c| !inside(c)).filter(|w| w.len() <= LONGEST);
            let words = words.map(|w| w.trim_start_matches(['v', 'V']).trim_end_matches(['.', '-', '_', '+', '!']));
            words.filter(|w| w.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned).collect()
        });
        for version in versions {
            *questions = questions.checked_sub(found.len() + 1)?;
            if self.has(version) || found.iter().any(|f| fits(ecosystem, version, f)) {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Whether what stands behind a name admits one of these versions: `>=1.80`, `": "^4.0.0"`, ` = {version = "*"}`. Nothing behind it
    /// is a mention.
    pub fn admits_behind(&self, end: usize, ecosystem: Ecosystem, versions: &[String]) -> bool {
        let mut stop = end.saturating_add(BEHIND).min(self.plain.len());
        while !self.plain.is_char_boundary(stop) {
            stop += 1;
        }
        let behind = self.plain.get(end..stop).unwrap_or_default();
        range_behind(behind).is_some_and(|range| match range.trim_start_matches(['v', 'V']) {
            "latest" | "next" | "x" | "X" => true,
            exact if exact.starts_with(|c: char| c.is_ascii_digit()) => {
                let word = exact.split([' ', ',']).next().unwrap_or(exact);
                let ranges = matches!(ecosystem, Ecosystem::Npm | Ecosystem::Cargo);
                versions.iter().any(|v| fits(ecosystem, v, word) || ranges && admits(ecosystem, exact, v))
            }
            range => versions.iter().any(|v| admits(ecosystem, range, v)),
        })
    }
}

/// The range, version or word behind a name; `None` where nothing there says which versions are meant.
fn range_behind(behind: &str) -> Option<&str> {
    let mut rest = behind.trim_start_matches([' ', '\t']);
    if let Some((_, after)) = rest.strip_prefix('[').and_then(|extras| extras.split_once(']')) {
        rest = after;
    }
    rest = rest.trim_start_matches(['"', '\'', '`', ' ', '\t', '(']);
    let is_sign = |text: &str| ["==", "=<", "=>", "=~"].iter().any(|sign| text.starts_with(sign));
    let parted = rest.strip_prefix([':', '@']).or_else(|| rest.strip_prefix('=').filter(|_| !is_sign(rest)));
    let named = parted.is_some();
    rest = parted.unwrap_or(rest).trim_start_matches([' ', '\t', '\r', '\n', '"', '\'', '`', '{']);
    if let Some(after) = rest.strip_prefix("version").filter(|_| named) {
        rest = after.trim_start_matches(['"', '\'', ' ', '\t', ':', '=']);
    }
    let range = rest.split(['"', '\'', '`', '\n', '\r', ';', '#', ')', ']']).next()?.trim();
    let range = range.get(..end_of_range(range))?.trim_end().trim_end_matches(',');
    let bare = range.trim_start_matches(['<', '>', '=', '~', '^', '!', ' ']);
    let signed = bare.len() < range.trim_start().len();
    let counts = match bare.chars().next()? {
        c if c.is_ascii_digit() => signed || named,
        'v' | 'V' => (signed || named) && bare.get(1..)?.starts_with(|c: char| c.is_ascii_digit()),
        '*' => signed || named,
        '{' | '$' | '%' => signed,
        _ => named && !signed && matches!(bare, "latest" | "next" | "x" | "X"),
    };
    (counts && !range.starts_with("=>")).then_some(range)
}

/// Where a range ends among the words of a sentence: `>= 1.80, <2 is needed`.
fn end_of_range(text: &str) -> usize {
    let (mut end, mut signed) = (0, false);
    for word in text.split_inclusive(' ') {
        let bare = word.trim_start_matches(['<', '>', '=', '~', '^', '!', ',', '|', '-', 'v', 'V']).trim();
        let version = bare.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '*' | 'x' | 'X'));
        let template = bare.starts_with(['{', '$', '%']) && (signed || word.starts_with(['<', '>', '=', '~', '^']));
        let sign = bare.is_empty();
        if !(version || template || sign || end == 0) {
            break;
        }
        signed = sign;
        end += word.len();
        if template {
            return text.len();
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_whole_or_none() {
        let whole = |text: &str| {
            let at = text.find("litellm").unwrap();
            Text::new(text.to_owned()).is_name(at, at + 7)
        };
        for text in [
            "litellm",
            "a litellm==1",
            "\"litellm\":",
            "litellm-1.82.8",
            "litellm_v1",
            "x/litellm/y",
            "@litellm",
            "litellm.",
            "litellm.dist-info",
        ] {
            assert!(whole(text), "{text}");
        }
        for text in ["my-litellm", "xlitellm", "litellmx", "litellm-proxy", "a.litellm", "litellm_x", "élitellm"] {
            assert!(!whole(text), "{text}");
        }
    }

    #[test]
    fn a_version_is_whole_or_none() {
        let has = |text: &str| Text::new(text.to_owned()).has("1.82.8");
        for text in ["1.82.8", "v1.82.8", "litellm-1.82.8.dist-info", "==1.82.8,", "1.82.8-py3"] {
            assert!(has(text), "{text}");
        }
        for text in ["11.82.8", "1.82.80", "1.82.8.1", "2.1.82.8", "1.82.8rc1", "1.82", ""] {
            assert!(!has(text), "{text}");
        }
    }

    #[test]
    fn what_stands_behind_a_name_is_a_range_or_a_mention() {
        for (behind, range) in [
            ("==1.82.8", Some("==1.82.8")),
            (" >= 1.80, <2 ; x", Some(">= 1.80, <2")),
            ("[proxy]~=1.80\n", Some("~=1.80")),
            ("\": \"^4.0.0\"", Some("^4.0.0")),
            (" = \"1.80\"", Some("1.80")),
            (" = {version = \">=1\"}", Some(">=1")),
            ("@latest\n", Some("latest")),
            ("\":\n  \"*\"", Some("*")),
            ("==1.83.0 {{", Some("==1.83.0")),
            (" >= 1.80 is needed", Some(">= 1.80")),
            ("\": \"1.x || >=2.5.0 || 5.0.0 - 7.2.3\"", Some("1.x || >=2.5.0 || 5.0.0 - 7.2.3")),
            ("== {{ v }}", Some("== {{ v }}")),
            ("=={{ v }}", Some("=={{ v }}")),
            ("==${V}", Some("==${V}")),
            (" (>=1.0)", Some(">=1.0")),
            ("", None),
            ("\", \"version\": \"1\"", None),
            (" is a proxy", None),
            (" => 1", None),
            (" != null", None),
            (" = require('x')", None),
            (": a mention", None),
            (" 1 of 2", None),
        ] {
            assert_eq!(range_behind(behind), range, "{behind}");
        }
    }

    #[test]
    fn names_stand_at_the_start_and_the_end_of_words() {
        for (word, name) in [
            ("litellm-1.82.8-py3-none-any.whl", "litellm"),
            ("@ctrl/tinycolor@4.1.1", "@ctrl/tinycolor"),
            ("host.example/@ctrl/tinycolor", "@ctrl/tinycolor"),
            ("a/b/easy-day-js", "easy-day-js"),
            ("github.com/x/y", "github.com/x/y"),
        ] {
            assert!(names_in(word).iter().any(|n| n == name), "{word}");
        }
    }
}
