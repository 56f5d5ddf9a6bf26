//! Formats, exit codes, files, and what the commands say.

use std::fs;

use serde_json::Value;

use crate::{
    machine::Machine,
    program::{command, report_with, run, said, valid},
};

fn exposed() -> Machine {
    Machine::new().venv("v").dist("litellm", "1.82.8")
}

fn scan(machine: &Machine, more: &[&str]) -> crate::program::Said {
    let mut args = vec!["scan", "--root", machine.root().to_str().unwrap()];
    args.extend(more);
    run(args)
}

#[test]
fn exit_codes() {
    let (bad, good) = (exposed(), Machine::new());
    assert_eq!(scan(&bad, &[]).code, 1);
    assert_eq!(scan(&bad, &["--exit-zero"]).code, 0);
    assert_eq!(scan(&bad, &["--fail-on", "executed"]).code, 0);
    assert_eq!(scan(&good, &[]).code, 0);
    assert_eq!(scan(&good, &["--incident", "no-such"]).code, 2);
    assert_eq!(scan(&good, &["--only", "no-such"]).code, 2);
    assert_eq!(run(["scan", "/no/such/folder"]).code, 2);
    assert_eq!(run(["scan", "--root", "/no/such/folder"]).code, 2);
    assert_eq!(run(["no-such-command"]).code, 2);
    assert_eq!(run(["--help"]).code, 0);
}

#[test]
fn errors_are_one_line_with_a_hint_and_nothing_on_standard_output() {
    let said = scan(&Machine::new(), &["-o", "report.xyz"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert_eq!(said.err, "error: no format ends like `report.xyz`\nhint: use .txt, .json, .ndjson, .md or .sh\n");
    let said = run(["/no/such"]);
    assert!(said.code == 2 && said.err.ends_with("hint: to examine a folder or a file write `dosimeter scan PATH`\n"));
    let said = scan(&Machine::new(), &["-o", "/no/such/folder/report.json"]);
    assert!(said.code == 2 && said.err.contains("hint:"), "{}", said.err);
}

#[test]
fn a_full_disk_costs_no_other_report() {
    let (machine, out) = (exposed(), tempfile::tempdir().unwrap());
    let (full, good) = (out.path().join("full.json"), out.path().join("good.md"));
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    let said = scan(&machine, &["-o", full.to_str().unwrap(), "-o", good.to_str().unwrap(), "--force-output"]);
    assert_eq!(said.code, 2);
    assert!(said.err.starts_with("error: cannot write `") && said.err.contains("No space left"), "{}", said.err);
    assert!(said.out.starts_with("exposed: ") && fs::read_to_string(good).unwrap().starts_with("# exposed: "));
    let folder = out.path().join("folder.json");
    fs::create_dir(&folder).unwrap();
    let said = scan(&machine, &["-o", folder.to_str().unwrap()]);
    assert!(
        said.code == 2 && said.out.is_empty() && said.err.ends_with("is a folder\nhint: name a file\n"),
        "{}",
        said.err
    );
}

#[test]
fn the_whole_list_is_that_of_the_disk_and_not_of_this_machine() {
    let out = tempfile::tempdir().unwrap();
    let case = out.path().join("case.json");
    let said = scan(&exposed(), &["-o", case.to_str().unwrap()]);
    assert!(said.out.contains("every step with commands and reasons: add `-o case.json`"), "{}", said.out);
    let listed = run(["rotate", case.to_str().unwrap()]);
    assert_eq!(run(["rotate", case.to_str().unwrap(), "--root", "/"]).code, 2);
    assert!(listed.out.contains("A is for the machine that this disk is of; run nothing of it here"), "{}", listed.out);
}

#[test]
fn a_checklist_without_steps_says_what_was_not_examined() {
    let machine = Machine::new().file("srv/v/lib/python3.11/site-packages/litellm-9.dist-info/METADATA", "\0");
    let root = machine.root().to_str().unwrap();
    for format in ["table", "markdown"] {
        let said = run(["rotate", "--root", root, "--format", format]);
        assert_eq!(said.code, 3);
        assert!(
            said.out.contains("nothing was found that asks for a step") && said.out.contains("litellm"),
            "{}",
            said.out
        );
    }
    let said = run(["rotate", "--root", Machine::new().root().to_str().unwrap()]);
    assert!(said.code == 0 && !said.out.to_lowercase().contains("not examined"), "{}", said.out);
}

#[test]
fn each_file_has_the_format_of_its_ending() {
    let (machine, out) = (exposed(), tempfile::tempdir().unwrap());
    let name = |n: &str| out.path().join(n).to_str().unwrap().to_owned();
    let files: Vec<String> = ["a.json", "a.ndjson", "a.md", "a.txt"].iter().map(|n| name(n)).collect();
    let options: Vec<&str> = files.iter().flat_map(|f| ["-o", f]).collect();
    let (report, code) = report_with(machine.root(), &options);
    assert_eq!(code, 1);
    let read = |n: &str| fs::read_to_string(name(n)).unwrap();
    let written: Value = serde_json::from_str(&read("a.json")).unwrap();
    valid(&written);
    assert_eq!(written["incidents"], report["incidents"]);
    let first: Value = serde_json::from_str(read("a.ndjson").lines().next().unwrap()).unwrap();
    let last: Value = serde_json::from_str(read("a.ndjson").lines().last().unwrap()).unwrap();
    assert_eq!((first["type"].as_str(), last["type"].as_str()), (Some("run_start"), Some("run_summary")));
    assert!(read("a.md").contains("- [ ]") && read("a.txt").contains("\nNEVER "));
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 4);
}

#[test]
fn two_runs_say_the_same() {
    let machine = exposed().home(".config/sysmon/sysmon.py", "x").venv("w").dist("litellm", "1.107.0");
    let strip = |mut r: Value| {
        for key in ["run", "indicators"] {
            r[key] = Value::Null;
        }
        r["coverage"]["bytes_read"] = Value::Null;
        r
    };
    let once = strip(report_with(machine.root(), &["--threads", "1"]).0);
    for _ in 0..3 {
        assert_eq!(strip(report_with(machine.root(), &["--threads", "8"]).0), once);
    }
}

#[test]
fn the_checklist_of_a_report_is_that_of_the_machine() {
    let (machine, out) = (exposed(), tempfile::tempdir().unwrap());
    let file = out.path().join("case.json");
    scan(&machine, &["-o", file.to_str().unwrap()]);
    let said = run(["rotate", file.to_str().unwrap(), "--format", "markdown"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("- [ ]"), "{}", said.out);
    fs::write(&file, "{}").unwrap();
    let said = run(["rotate", file.to_str().unwrap()]);
    assert!(said.code == 2 && said.err.contains("is not a report"), "{}", said.err);
}

#[test]
fn choices_narrow_what_is_looked_at() {
    let machine = exposed().home(".config/sysmon/sysmon.py", "x");
    let exposure =
        |more: &[&str]| report_with(machine.root(), more).0["verdict"]["exposure"].as_str().unwrap().to_owned();
    assert_eq!(exposure(&[]), "executed");
    assert_eq!(exposure(&["--only", "python"]), "installed");
    assert_eq!(exposure(&["--skip", "host/file"]), "installed");
    assert_eq!(exposure(&["--incident", "litellm-2026-10"]), "none");
}

#[test]
fn a_folder_a_file_and_a_home_can_be_named() {
    let machine = exposed().home("app/requirements.txt", "litellm==1.82.7\n");
    let home = machine.root().join("home/alice");
    let named = |args: &[&std::ffi::OsStr]| {
        let said = said(command().args(args).args(["--format", "json"]).output().unwrap());
        let report: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.err));
        report["incidents"][0]["findings"][0]["location"]["path"].as_str().unwrap_or("nothing").to_owned()
    };
    let (scan, option) = (std::ffi::OsStr::new("scan"), std::ffi::OsStr::new("--home"));
    let site = home.join("v/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA");
    assert_eq!(named(&[scan, home.as_os_str()]), site.to_str().unwrap());
    assert_eq!(named(&[option, home.as_os_str()]), site.to_str().unwrap());
    assert_eq!(named(&[scan, site.as_os_str()]), site.to_str().unwrap());
}

#[test]
fn surfaces_and_indicators_can_be_listed() {
    let said = run(["surfaces", "--format", "json"]);
    let surfaces: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    assert!(surfaces.iter().any(|s| s["id"] == "python/dist-info"));
    assert!(surfaces.iter().all(|s| s["proves"].as_str().is_some_and(|p| !p.is_empty())));
    let said = run(["iocs", "check"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("litellm-2026-10.json");
    let text = include_str!("../../iocs/incidents/litellm-2026-10.json").replace("1.107.0\"", "1.107.00000\"");
    fs::write(&broken, text.replacen("installed/confirmed", "cached/confirmed", 1)).unwrap();
    let said = run(["iocs", "check", folder.path().to_str().unwrap()]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("examples[0]") && said.err.contains("hint:"), "{}", said.err);
}

/// `-o FILE`, after which the file must be as it was.
fn refused(file: &std::path::Path, args: &[&str], why: &str) {
    let before = fs::read(file).ok();
    let mut args = args.to_vec();
    args.extend(["-o", file.to_str().unwrap()]);
    let said = run(&args);
    assert!(said.code == 2 && said.out.is_empty() && said.err.contains(why), "{args:?}: {} {}", said.code, said.err);
    assert!(said.err.contains("--force-output"), "{}", said.err);
    assert_eq!(fs::read(file).ok(), before, "{args:?}");
}

#[test]
fn no_report_is_written_into_the_evidence() {
    let machine = exposed().file("home/alice/.docker/config.json", "{\"auths\":{}}").file("etc/empty.json", "");
    let (root, out) = (machine.root(), tempfile::tempdir().unwrap());
    let scan = ["scan", "--root", root.to_str().unwrap()];
    let home = root.join("home/alice");
    for file in ["home/alice/.docker/config.json", "new.json", "home/alice/new.md", "etc/empty.json"] {
        refused(&root.join(file), &scan, "is part of");
        refused(&root.join(file), &["rotate", "--root", root.to_str().unwrap()], "is part of");
    }
    refused(&home.join("new.json"), &["scan", "--home", home.to_str().unwrap()], "is part of");
    refused(&home.join("new.json"), &["scan", home.to_str().unwrap()], "is part of");
    // Other ways to the same place.
    let link = out.path().join("link");
    std::os::unix::fs::symlink(root.join("etc"), &link).unwrap();
    refused(&link.join("new.json"), &scan, "is part of");
    refused(&home.join("../../etc/../new.json"), &scan, "is part of");
    std::os::unix::fs::symlink(root, out.path().join("root")).unwrap();
    refused(&root.join("new.json"), &["scan", "--root", out.path().join("root").to_str().unwrap()], "is part of");
    // A file that was named by hand is itself the evidence; its folder is not.
    let hook = out.path().join("evil.md");
    fs::write(&hook, "x").unwrap();
    refused(&hook, &["scan", hook.to_str().unwrap()], "is part of");
    let beside = out.path().join("beside.md");
    assert_ne!(run(["scan", hook.to_str().unwrap(), "-o", beside.to_str().unwrap()]).code, 2);
    // Beside the root is no evidence, whatever its name starts with.
    let sibling = std::path::PathBuf::from(format!("{}-x", root.display()));
    fs::create_dir(&sibling).unwrap();
    let file = sibling.join("case.json");
    assert_eq!(run([&scan[..], &["-o", file.to_str().unwrap()]].concat()).code, 1);
    fs::remove_dir_all(sibling).unwrap();
    let new = root.join("new.json");
    assert_eq!(run([&scan[..], &["--force-output", "-o", new.to_str().unwrap()]].concat()).code, 1);
    assert!(new.exists());
}

#[test]
fn no_report_takes_the_place_of_something_else() {
    let (machine, out) = (exposed(), tempfile::tempdir().unwrap());
    let scan = ["scan", "--root", machine.root().to_str().unwrap()];
    let at = |name: &str| out.path().join(name);
    let texts = [
        ("a.json", "{\"auths\":{}}"),
        ("b.json", "[1]"),
        ("c.ndjson", "{\"type\":\"run_start\"}\n"),
        ("d.md", "# Notes\n"),
        ("e.txt", "exposed: by me\n"),
        ("f.json", "\0"),
        ("g.json", "{\"schema\": \"dosimeter.incident/1\"}"),
    ];
    for (name, text) in texts {
        fs::write(at(name), text).unwrap();
        refused(&at(name), &scan, "was not written by this program");
    }
    for (name, target) in [("l.json", "a.json"), ("m.json", "nothing.json"), ("n.json", "l.json")] {
        std::os::unix::fs::symlink(at(target), at(name)).unwrap();
        refused(&at(name), &scan, "is a link");
    }
    assert!(!at("nothing.json").exists());
    // A file of ours may be replaced, and an empty one; whatever the format, the checklist alone too.
    for name in ["h.json", "h.ndjson", "h.md", "h.txt"] {
        fs::write(at(name), "").unwrap();
        let file = at(name);
        let again = |command: &str| {
            let args = [command, "--root", machine.root().to_str().unwrap(), "-o", file.to_str().unwrap()];
            assert_eq!(run(args).code, 1, "{command} {name}");
        };
        ["scan", "scan", "rotate", "rotate", "scan"].into_iter().for_each(again);
    }
    let case = at("h.json");
    refused(&case, &["rotate", case.to_str().unwrap()], "is part of");
    assert_eq!(run([&scan[..], &["--force-output", "-o", at("a.json").to_str().unwrap()]].concat()).code, 1);
    assert!(fs::read_to_string(at("a.json")).unwrap().contains("dosimeter.report/1"));
    assert_eq!(run([&scan[..], &["--force-output", "-o", at("l.json").to_str().unwrap()]].concat()).code, 1);
    assert!(at("l.json").is_symlink() && fs::read_to_string(at("a.json")).unwrap().ends_with("}\n"));
}

#[test]
fn bundles_and_imports_destroy_nothing_either() {
    let out = tempfile::tempdir().unwrap();
    let at = |name: &str| out.path().join(name);
    let path = |name: &str| at(name).to_str().unwrap().to_owned();
    fs::write(at("list.txt"), "pypi:made-up-one@1.0\n").unwrap();
    fs::write(at("note.txt"), "mine\n").unwrap();
    std::os::unix::fs::symlink(at("note.txt"), at("link.bundle")).unwrap();
    let import = ["iocs", "import", &path("list.txt")];
    refused(&at("list.txt"), &import, "is part of");
    refused(&at("note.txt"), &import, "was not written by this program");
    refused(&at("link.bundle"), &import, "is a link");
    for _ in 0..2 {
        for name in ["wave-2026-03.json", "x.bundle"] {
            let said = run([&import[..], &["-o", &path(name)]].concat());
            assert_eq!(said.code, 0, "{}", said.err);
        }
        for format in ["csv", "osv", "stix"] {
            let file = path(&format!("out.{format}"));
            let said = run(["iocs", "export", "litellm-2026-03", "--built-in", "--format", format, "-o", &file]);
            assert_eq!(said.code, 0, "{format}: {}", said.err);
        }
    }
    refused(
        &at("note.txt"),
        &["iocs", "export", "litellm-2026-03", "--built-in", "--format", "csv"],
        "was not written",
    );
    fs::write(at("y.bundle.head"), "mine").unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/iocs");
    let said = run(["iocs", "build", folder, "-o", &path("y.bundle")]);
    assert!(said.code == 2 && !at("y.bundle").exists(), "{}", said.err);
    assert_eq!(fs::read_to_string(at("y.bundle.head")).unwrap(), "mine");
}

#[test]
fn streams_and_pipes_are_written_through() {
    let (machine, out) = (exposed(), tempfile::tempdir().unwrap());
    let said = scan(&machine, &["-o", "/dev/stdout", "--format", "json"]);
    assert_eq!(said.code, 1);
    valid(&serde_json::from_str(&said.out).unwrap());
    let said = scan(&machine, &["-q", "-o", "/dev/stderr", "--format", "ndjson"]);
    assert!(said.code == 1 && said.err == said.out && said.out.contains("run_summary"), "{}", said.err);
    let link = out.path().join("log.md");
    std::os::unix::fs::symlink("/dev/stderr", &link).unwrap();
    assert!(scan(&machine, &["-o", link.to_str().unwrap()]).err.starts_with("# exposed: "));
    let pipe = out.path().join("pipe.json");
    crate::hostile::fifo(&pipe);
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    assert_eq!(scan(&machine, &["-o", pipe.to_str().unwrap()]).code, 1);
    valid(&serde_json::from_str(&reader.join().unwrap()).unwrap());
}

/// What steers a terminal, turns text round, or cannot be seen.
const HOSTILE: &str = "\u{1b}[31m\u{9b}31m\u{7f}\u{202e}\u{200b}\u{2028}\u{e0041}\u{ad}\n";

fn harmless(said: &crate::program::Said, what: &str) {
    for text in [&said.out, &said.err] {
        let bad: Vec<char> = text.chars().filter(|c| *c != '\n' && dosimeter::text::hidden(*c)).collect();
        assert!(bad.is_empty(), "{what}: {bad:?} in {text:?}");
        assert!(!text.lines().any(|l| l.starts_with("FORGED")), "{what}: {text}");
    }
}

#[test]
fn nothing_that_is_quoted_steers_the_terminal() {
    let name = format!("{HOSTILE}FORGED");
    let machine = Machine::new().home(&format!("{name}/requirements.txt"), "litellm==1.82.8\n");
    for format in ["table", "json", "ndjson", "markdown"] {
        for command in ["scan", "rotate"] {
            let said = run([command, "--root", machine.root().to_str().unwrap(), "--format", format]);
            assert_eq!(said.code, 1);
            harmless(&said, format);
        }
    }
    let (report, _) = crate::program::report(machine.root());
    let path = report["incidents"][0]["findings"][0]["location"]["path"].as_str().unwrap();
    assert!(path.contains(&name), "{path:?}");
    let out = tempfile::tempdir().unwrap();
    let file = |ending: &str| out.path().join(format!("{name}{ending}")).to_str().unwrap().to_owned();
    fs::write(file(".txt"), "\0\u{9b}").unwrap();
    fs::write(file(".json"), format!("{{\"schema\":\"dosimeter.incident/1\",\"{}\":1}}", HOSTILE.trim_end())).unwrap();
    let (text, json) = (file(".txt"), file(".json"));
    for args in [
        vec!["scan", "--root", &name],
        vec!["scan", &name],
        vec!["scan", "--only", &name],
        vec!["scan", "--incident", &name],
        vec!["scan", "--iocs", &text],
        vec!["scan", "--iocs", &json],
        vec!["scan", "--ioc", &name],
        vec!["scan", "--format", &name],
        vec!["scan", "--threads", &name],
        vec!["scan", "-o", &name],
        vec!["scan", "-o", &text],
        vec![&name],
        vec!["iocs", &name],
        vec!["images", &text],
        vec!["rotate", &text],
        vec!["rotate", &json],
        vec!["iocs", "check", &text],
        vec!["iocs", "check", &json],
        vec!["iocs", "list", "--iocs", &json],
        vec!["iocs", "list", "--ecosystem", &name],
        vec!["iocs", "show", &name],
        vec!["iocs", "search", &name],
        vec!["iocs", "search", &name, "--format", "json"],
        vec!["iocs", "import", &text, "-o", "/dev/null"],
        vec!["iocs", "import", &json, "-o", &text],
        vec!["iocs", "build", &text, "-o", "/dev/null"],
        vec!["iocs", "export", &name, "--format", "csv"],
        vec!["iocs", "update", &text, "--key", &name],
    ] {
        let option = format!("--no-such={name}");
        for more in [None, Some(option.as_str())] {
            let said = said(
                command().env("DOSIMETER_DATA", out.path()).args(args.iter().copied().chain(more)).output().unwrap(),
            );
            harmless(&said, &format!("{args:?}"));
        }
    }
}
