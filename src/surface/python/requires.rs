//! `requires.txt` of setuptools: what an egg requires.
//!
//! ```text
//! litellm>=1.0
//!
//! [dev]                        behind an extra
//! pytest
//!
//! [:python_version < "3.8"]    behind a marker
//! [proxy:sys_platform == "win32"]
//! ```
//!
//! Documented in setuptools, "The Internal Structure of Python Eggs".

use super::text;
use crate::{
    ecosystem::pypi::{is_name, needs_an_extra, normalise, requirement},
    fact::Requirement,
};

/// More than any project has.
const REQUIREMENTS: usize = 20_000;

/// Its requirements, with the section of each as its marker. Lines that are none are left out.
pub fn read(bytes: &[u8]) -> Vec<Requirement> {
    let text = text(bytes);
    let (mut section, mut found) = (Some(None), Vec::new());
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).take(REQUIREMENTS) {
        if let Some(head) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = marker(head);
            continue;
        }
        let Some(mut r) = requirement(line) else {
            continue;
        };
        // A section whose head cannot be read may be asked for by anybody.
        if let Some(Some(of_section)) = &section {
            let own = r.marker.take().map(|own| format!("({own}) and ")).unwrap_or_default();
            let whole = format!("{own}{of_section}");
            r.extra = needs_an_extra(&whole);
            r.marker = Some(whole.into());
        }
        found.push(r);
    }
    found
}

/// The marker that a section stands for: `Some(None)` for an empty head, `None` for one that cannot be read.
fn marker(head: &str) -> Option<Option<String>> {
    let (extra, rest) = head.split_once(':').unwrap_or((head, ""));
    let (extra, rest) = (extra.trim(), rest.trim());
    match (extra.is_empty(), rest.is_empty()) {
        (true, true) => Some(None),
        (true, false) => Some(Some(format!("({rest})"))),
        _ if !is_name(extra) => None,
        (false, true) => Some(Some(format!("extra == '{}'", normalise(extra)))),
        (false, false) => Some(Some(format!("extra == '{}' and ({rest})", normalise(extra)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_extras_and_markers() {
        let text = b"litellm>=1.0\n# note\n\n[dev]\npytest\n[:python_version < \"3.8\"]\ntyping\n[Pro_xy:sys_platform == 'win32']\nfoo[bar]==1 ; os_name == 'nt'\nnot a requirement\n[]\nlast\n";
        let got: Vec<_> = read(text)
            .into_iter()
            .map(|r| (r.text.to_string(), r.marker.map(String::from).unwrap_or_default(), r.extra))
            .collect();
        let expected = [
            ("litellm>=1.0", "", false),
            ("pytest", "extra == 'dev'", true),
            ("typing", "(python_version < \"3.8\")", false),
            ("foo==1", "(os_name == 'nt') and extra == 'pro-xy' and (sys_platform == 'win32')", true),
            ("last", "", false),
        ];
        let expected: Vec<_> = expected.map(|(t, m, e)| (t.to_owned(), m.to_owned(), e)).into();
        assert_eq!(got, expected);
    }

    #[test]
    fn damage_costs_its_lines_only() {
        let text = b"x- >1\n[\xff]\nlitellm\n[unclosed\n\0\0\na==1\n";
        let names: Vec<_> = read(text).into_iter().map(|r| r.name.to_string()).collect();
        assert_eq!(names, ["litellm", "a"]);
        assert!(read("[a]\n".repeat(100_000).as_bytes()).is_empty());
    }
}
