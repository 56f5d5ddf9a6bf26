//! How a report is written: one file per format. What a format is called, which file names mean it and what it can write stand in
//! its own file; the command line, `-o`, hints, README and tests are loops over `FORMATS`.

mod csv;
mod json;
mod markdown;
mod ndjson;
mod sh;
mod table;

use std::{
    io::{self, Write},
    path::Path,
};

pub use self::ndjson::{image_record, is_records};
use super::{Colour, Style, v1, words};

/// Every format. The first is the one of standard output where nobody asks for another.
pub static FORMATS: &[&Format] =
    &[&table::FORMAT, &json::FORMAT, &ndjson::FORMAT, &markdown::FORMAT, &csv::FORMAT, &sh::FORMAT];

/// The format that every report can be written in, also when another one fails.
pub static JSON: &Format = &json::FORMAT;

/// Writes something of a report.
type Render = fn(&v1::Report, &mut dyn Write, Style) -> io::Result<()>;

/// One format.
#[derive(Debug)]
pub struct Format {
    /// The word for `--format`.
    pub name: &'static str,
    /// What the names of its files end in, lower case with the dot; the first is the usual one. May be double (`.ocsf.json`).
    pub endings: &'static [&'static str],
    /// A few words, for the help and README.
    pub about: &'static str,
    /// Whether the reader is a person: what was interrupted must say so in its first line then.
    pub for_people: bool,
    /// The whole report; `None` where `scan` and `images` do not take it.
    report: Option<Render>,
    /// The checklist with every step; `None` where `rotate` does not take it.
    checklist: Option<Render>,
    /// Whether a file that starts so was written by this format.
    is_ours: fn(&str) -> bool,
}

/// What a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// `scan` and `images`: the whole report.
    Report,
    /// `rotate`: the checklist with every step.
    Checklist,
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Format {
    /// By the word for `--format`.
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().copied().find(|f| f.name == name)
    }

    /// By the ending of a file's name, whatever its case; `None` where no format has it.
    pub fn from_path(path: &Path) -> Option<&'static Self> {
        by_ending(FORMATS, path)
    }

    /// Whether it has this document.
    pub fn writes(&self, document: Document) -> bool {
        self.render_of(document).is_some()
    }

    /// Writes a document of a report.
    ///
    /// # Errors
    /// When the writer fails, or this format has no such document.
    pub fn render(&self, document: Document, report: &v1::Report, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let render = self.render_of(document).ok_or(io::ErrorKind::Unsupported)?;
        render(report, out, style)
    }

    fn render_of(&self, document: Document) -> Option<Render> {
        match document {
            Document::Report => self.report,
            Document::Checklist => self.checklist,
        }
    }
}

/// The usual endings of all formats that have a document, for a hint: `.txt, .json or .md`.
pub fn usual_endings(document: Document) -> String {
    let writing = FORMATS.iter().filter(|f| f.writes(document));
    let endings: Vec<&str> = writing.filter_map(|f| f.endings.first().copied()).collect();
    match endings.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Whether the start of a file is that of a report or checklist that this program wrote, in any format.
pub fn is_ours(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    FORMATS.iter().any(|f| (f.is_ours)(text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}')))
}

/// The longest ending wins: `case.ocsf.json` is no `.json`. A name that is nothing but an ending has none.
fn by_ending<'f>(formats: &[&'f Format], path: &Path) -> Option<&'f Format> {
    let name = path.file_name()?.as_encoded_bytes().to_ascii_lowercase();
    let all = formats.iter().flat_map(|f| f.endings.iter().map(move |ending| (*ending, *f)));
    let fitting = all.filter(|(ending, _)| name.len() > ending.len() && name.ends_with(ending.as_bytes()));
    fitting.max_by_key(|(ending, _)| ending.len()).map(|(_, format)| format)
}

/// Whether a text starts with the answer, as the formats for people do.
fn starts_with_answer(text: &str) -> bool {
    ["exposed: ", "nothing found"].iter().any(|start| text.starts_with(start))
}

/// Whether a text, the `{` of an object behind it, starts with the id of an item of the checklist.
fn starts_with_item(text: &str) -> bool {
    let id = text.strip_prefix('{').map(str::trim_start).and_then(|rest| rest.strip_prefix("\"id\":"));
    let id = id.map(str::trim_start).and_then(|rest| rest.strip_prefix("\"s-"));
    id.is_some_and(|id| id.bytes().take(8).filter(u8::is_ascii_hexdigit).count() == 8)
}

/// Whether an object starts with this schema.
fn starts_with_schema(text: &str, schema: &str) -> bool {
    let first: String = text.chars().filter(|c| !c.is_whitespace()).take(200).collect();
    first.starts_with('{') && first.contains(&format!("\"schema\":\"{schema}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(name: &str) -> Option<&'static str> {
        Format::from_path(Path::new(name)).map(|f| f.name)
    }

    #[test]
    fn endings_choose_the_format() {
        assert_eq!(format("a/case.JSON"), Some("json"));
        assert_eq!((format("case.ndjson"), format("case.jsonl")), (Some("ndjson"), Some("ndjson")));
        assert_eq!(
            (format("case.md"), format("case.txt"), format("plan.sh")),
            (Some("markdown"), Some("table"), Some("sh"))
        );
        assert_eq!((format("case.pdf"), format("json"), format(".json"), format("/")), (None, None, None, None));
    }

    #[test]
    fn the_longest_ending_wins_in_any_order() {
        let double = Format { name: "double", endings: &[".x.json"], ..json::FORMAT };
        for formats in [[&double, &json::FORMAT], [&json::FORMAT, &double]] {
            let name = |path: &str| by_ending(&formats, Path::new(path)).map(|f| f.name);
            assert_eq!(name("case.x.json"), Some("double"));
            assert_eq!(
                (name("case.json"), name("x.json"), name("casex.json")),
                (Some("json"), Some("json"), Some("json"))
            );
            assert_eq!(name(".x.json"), Some("json"), "nothing stands before the double ending");
        }
    }

    #[test]
    fn each_format_is_declared_whole_and_once() {
        let (mut names, mut endings) = (Vec::new(), Vec::new());
        for f in FORMATS {
            assert!(!f.about.is_empty() && !f.about.ends_with('.'), "{}", f.name);
            assert!(f.writes(Document::Report) || f.writes(Document::Checklist), "{} writes nothing", f.name);
            assert!(f.endings.iter().all(|e| e.starts_with('.') && **e == e.to_ascii_lowercase()), "{}", f.name);
            assert!(!f.endings.is_empty(), "`-o` cannot choose {}", f.name);
            names.push(f.name);
            endings.extend(f.endings);
        }
        for mut all in [names, endings] {
            all.sort_unstable();
            assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{all:?}");
        }
    }

    #[test]
    fn the_hint_lists_what_a_command_can_write() {
        assert_eq!(usual_endings(Document::Report), ".txt, .json, .ndjson, .md or .sh");
    }

    #[test]
    fn a_format_without_a_document_does_not_write_it() {
        let report = serde_json::from_str(include_str!("../../../tests/fixtures/report/example.json")).unwrap();
        let half = Format { checklist: None, ..json::FORMAT };
        let mut out = Vec::new();
        assert!(half.render(Document::Checklist, &report, &mut out, Style::default()).is_err() && out.is_empty());
        assert!(half.render(Document::Report, &report, &mut out, Style::default()).is_ok() && !out.is_empty());
    }

    /// Each document of each format is known again, and the look-alikes are not.
    #[test]
    fn a_file_of_ours_is_known_again() {
        let report = serde_json::from_str(include_str!("../../../tests/fixtures/report/example.json")).unwrap();
        for f in FORMATS {
            for document in [Document::Report, Document::Checklist].into_iter().filter(|d| f.writes(*d)) {
                let mut out = Vec::new();
                f.render(document, &report, &mut out, Style::default()).unwrap();
                assert!(is_ours(&out), "{} {document:?}", f.name);
                assert!(FORMATS.iter().any(|f| (f.is_ours)(&String::from_utf8_lossy(&out))));
            }
        }
        for other in [
            "",
            "# nothing to see",
            "exposed: my own notes",
            "#!/bin/sh\nrm -rf /tmp/x\n",
            "#!/bin/sh\n# exposed: my own script\n",
            "[1]",
            "{\"id\": 1}",
            "{\"schema\": \"other/1\"}",
            "[{\"id\": \"s-zzzzzzzz\"}]",
        ] {
            assert!(!is_ours(other.as_bytes()), "{other}");
        }
    }
}
