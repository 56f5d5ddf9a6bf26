//! Formats are declared once: the help, the hints and README say what `report::FORMATS` says.

use std::{fs, path::Path};

use dosimeter::report::{Document, FORMATS};

use crate::program::run;

/// Rows of README's table of formats.
fn rows(text: &str) -> Vec<String> {
    let table = text.lines().skip_while(|l| !l.starts_with("| `--format` |")).skip(2);
    table.take_while(|l| l.starts_with('|')).map(str::to_owned).collect()
}

#[test]
fn readme_lists_the_formats_as_they_are_declared() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let declared: Vec<String> = FORMATS
        .iter()
        .map(|f| {
            let endings: Vec<String> = f.endings.iter().map(|e| format!("`{e}`")).collect();
            format!("| `{}` | {} | {} |", f.name, endings.join(", "), f.about)
        })
        .collect();
    assert_eq!(rows(&readme), declared);
    assert_eq!(rows("| x |\n| --- |\n| y |\n"), [""; 0], "another table is none of formats");
}

#[test]
fn each_command_offers_the_formats_that_it_can_write() {
    for (command, document) in
        [("scan", Document::Report), ("images", Document::Report), ("rotate", Document::Checklist)]
    {
        let help = run([command, "--help"]).out;
        for f in FORMATS.iter().filter(|f| f.writes(document)) {
            assert!(help.contains(&format!("- {}:", f.name)) && help.contains(f.about), "{command} {}\n{help}", f.name);
            assert!(help.contains(f.endings[0]), "{command} {}", f.name);
        }
    }
}

#[test]
fn a_format_that_does_not_exist_is_refused_with_the_list() {
    let said = run(["scan", "--format", "no-such"]);
    assert_eq!(said.code, 2);
    for f in FORMATS {
        assert!(said.err.contains(f.name), "{} is not in {}", f.name, said.err);
    }
}

#[test]
fn each_file_that_is_written_may_be_written_again() {
    let (machine, out) =
        (crate::machine::Machine::new().venv("v").dist("litellm", "1.82.8"), tempfile::tempdir().unwrap());
    let root = machine.root().to_str().unwrap().to_owned();
    for f in FORMATS {
        for ending in f.endings {
            let path = out.path().join(format!("case{ending}"));
            let path = path.to_str().unwrap();
            let writes = |command: &&str| f.writes(if *command == "scan" { Document::Report } else { Document::Checklist });
            for command in ["scan", "rotate", "rotate", "scan"].into_iter().filter(writes) {
                let said = run([command, "--root", root.as_str(), "--quiet", "-o", path]);
                assert_eq!((said.code, said.err.as_str()), (1, ""), "{command} {path}");
            }
        }
    }
}
