//! Many inventories of one run: each its own machine, one report.

use std::{collections::BTreeSet, fs, io::Write as _, path::Path, process::Stdio};

use serde_json::{Value, json};

use crate::{
    inventory::{Kept, clean, compared, matched, node, python},
    program::{Said, command, findings, run, said, valid},
};

/// An inventory as a machine of that name would have written it.
fn of_host(kept: &Kept, host: &str) -> String {
    let text = fs::read_to_string(kept.path("i.ndjson")).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let mut head: Value = serde_json::from_str(first).unwrap();
    head["target"] = json!({"kind": "host", "id": host, "os": null});
    head["tree"] = "host".into();
    format!("{head}\n{rest}")
}

fn packed(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 3).unwrap()
}

fn judged(places: &[&str], more: &[&str]) -> Said {
    let mut args = vec!["match", "--built-in", "--format", "json"];
    args.extend(places);
    args.extend(more);
    run(args)
}

fn json_of(said: &Said) -> Value {
    let report: Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}", said.err));
    valid(&report);
    report
}

/// Each machine as `tree exposure complete incident,incident`.
fn machines(report: &Value) -> Vec<String> {
    let all = report["machines"].as_array().unwrap().iter();
    all.map(|m| {
        let incidents: Vec<&str> =
            m["incidents"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap()).collect();
        let (tree, exposure) = (m["tree"].as_str().unwrap(), m["exposure"].as_str().unwrap());
        format!("{tree} {exposure} {} {}", m["complete"], incidents.join(",")).trim_end().to_owned()
    })
    .collect()
}

/// The findings of one machine.
fn of_machine(report: &Value, tree: &str) -> Vec<String> {
    let mut own = report.clone();
    for incident in own["incidents"].as_array_mut().unwrap() {
        incident["findings"].as_array_mut().unwrap().retain(|f| f["location"]["tree"] == tree);
    }
    findings(&own)
}

struct Fleet(tempfile::TempDir);

impl Fleet {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }
}

#[test]
fn each_machine_is_judged_as_if_it_were_alone() {
    let (bad, other, good) =
        (Kept::of(&python(), "i.ndjson", &[]), Kept::of(&node(), "i.ndjson", &[]), Kept::of(&clean(), "i.ndjson", &[]));
    let fleet = Fleet::new()
        .with("a/web1.ndjson", of_host(&bad, "web1"))
        .with("b/deep/web2.ndjson.zst", packed(&of_host(&other, "web2")))
        .with("b/web3.ndjson", of_host(&good, "web3"))
        .with("disk.ndjson", fs::read(bad.path("i.ndjson")).unwrap());
    let said = judged(&[fleet.path()], &[]);
    let report = json_of(&said);
    assert_eq!(said.code, 1);
    let expected = [
        "disk executed false litellm-2026-03",
        "web1 executed false litellm-2026-03",
        "web2 executed true axios-2026-03",
        "web3 none true",
    ];
    assert_eq!(machines(&report), expected);
    for (tree, kept) in [("disk", &bad), ("web1", &bad), ("web2", &other), ("web3", &good)] {
        assert_eq!(of_machine(&report, tree), findings(&kept.scan), "{tree}");
        let count = |r: &Value, own: &dyn Fn(&Value) -> bool| {
            r["credentials"].as_array().unwrap().iter().filter(|c| own(c)).count()
        };
        assert_eq!(count(&report, &|c| c["location"]["tree"] == tree), count(&kept.scan, &|_| true), "{tree}");
    }
    assert_eq!(
        report["verdict"]["summary"],
        "exposed: axios-2026-03 executed, litellm-2026-03 executed on 3 machines; examination incomplete"
    );
    assert_eq!(report["coverage"]["trees"], json!(["disk", "web1", "web2", "web3"]));
    let ids: Vec<&Value> = report["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|i| i["findings"].as_array().unwrap())
        .map(|f| &f["id"])
        .collect();
    assert_eq!(
        ids.iter().map(|i| i.as_str().unwrap()).collect::<BTreeSet<_>>().len(),
        ids.len(),
        "an id is of one machine"
    );
}

#[test]
fn the_checklist_goes_by_phase_and_says_for_whom() {
    let (bad, other) = (Kept::of(&python(), "i.ndjson", &[]), Kept::of(&node(), "i.ndjson", &[]));
    let fleet = Fleet::new()
        .with("1.ndjson", of_host(&bad, "web1"))
        .with("2.ndjson", of_host(&bad, "web2"))
        .with("3.ndjson", of_host(&other, "web3"));
    let report = json_of(&judged(&[fleet.path()], &[]));
    let items = report["checklist"].as_array().unwrap();
    let streams = ["machine", "clean", "logs", "close"];
    let at = |i: &Value| streams.iter().position(|s| i["workstream"] == *s).unwrap();
    assert!(items.windows(2).all(|pair| at(&pair[0]) <= at(&pair[1])), "by workstream, whatever the machine");
    let mut earlier = BTreeSet::new();
    for item in items {
        for after in item["after"].as_array().unwrap() {
            assert!(earlier.contains(after.as_str().unwrap()), "{item:#}");
        }
        assert!(earlier.insert(item["id"].as_str().unwrap()), "an id twice");
        let machines = item["machines"].as_array().unwrap();
        // What is done on a machine is done on one; commands name its own folder of evidence.
        assert!(!machines.is_empty() && (item["where"] == "clean" || machines.len() == 1), "{item:#}");
    }
    let evidence = items.iter().filter(|i| i["title"].as_str().unwrap().starts_with("Keep the evidence"));
    assert_eq!(evidence.map(|i| i["machines"][0].as_str().unwrap()).collect::<Vec<_>>(), ["web1", "web2", "web3"]);
    let logs: Vec<&Value> =
        items.iter().filter(|i| i["title"] == "Export the logs that expire").map(|i| &i["machines"]).collect();
    assert_eq!(logs, [&json!(["web1", "web2", "web3"])], "what is the same elsewhere is done once");
    assert!(items.iter().all(|i| !i["title"].as_str().unwrap().contains("`host`")));
}

#[test]
fn the_script_holds_a_part_for_each_machine() {
    let bad = Kept::of(&python(), "i.ndjson", &[]);
    let fleet = Fleet::new().with("1.ndjson", of_host(&bad, "web1")).with("2.ndjson", of_host(&bad, "it's; rm -rf x"));
    let said = run(["match", "--built-in", "--format", "sh", fleet.path()]);
    let start = said.out.find("case \"$MACHINE\" in").unwrap();
    let (head, body) = said.out.split_at(start);
    assert!(!head.contains("keep ") && !head.contains("mkdir"), "nothing runs before the machine is known: {head}");
    let first = body.find(r"'it'\''s; rm -rf x')").unwrap();
    let second = body.find("\nweb1)").or_else(|| body.find("\n'web1')")).unwrap();
    assert!(first < second);
    for part in [&body[first..second], &body[second..]] {
        assert!(part.contains("litellm_init.pth"), "{part}");
    }
    assert!(body.contains("*) printf 'no steps for %s"));
    let file = fleet.0.path().join("plan.sh");
    fs::write(&file, &said.out).unwrap();
    let checked = shell(&["-n", file.to_str().unwrap()], "web1");
    assert_eq!((checked.code, checked.err.as_str()), (0, ""));
    // For a machine that it has nothing for, it does nothing.
    let other = shell(&[file.to_str().unwrap()], "web9");
    assert_eq!((other.code, other.out.as_str(), other.err.as_str()), (2, "", "no steps for web9\n"));
}

#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // the script is what is tested
fn shell(args: &[&str], machine: &str) -> Said {
    let mut sh = std::process::Command::new("/bin/sh");
    said(sh.args(args).env_clear().env("PATH", "/usr/bin:/bin").env("MACHINE", machine).output().unwrap())
}

#[test]
fn one_that_cannot_be_read_is_a_gap_and_not_the_end() {
    let (bad, good) = (Kept::of(&python(), "i.ndjson", &[]), Kept::of(&clean(), "i.ndjson", &[]));
    let text = of_host(&good, "web1");
    let report_of_ours = run(["match", "--built-in", "--format", "json", &good.path("i.ndjson")]).out;
    let fleet = Fleet::new()
        .with("ok.ndjson", &text)
        .with("cut.ndjson", &text[..text.len() - 40])
        .with("cut.ndjson.zst", &packed(&text)[..300])
        .with("empty.ndjson.zst", "")
        .with("newer.ndjson", of_host(&good, "web2").replacen("\"version\":1", "\"version\":9", 1))
        .with("bom.cdx.json", "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"0.9\"}")
        .with("README.md", "what lies here")
        .with("web1.json", report_of_ours);
    let said = judged(&[fleet.path()], &[]);
    let report = json_of(&said);
    assert_eq!(said.code, 3, "nothing found, and not everything was judged");
    let gaps: Vec<String> = report["coverage"]["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| {
            let (tree, kind) = (g["location"]["tree"].as_str().unwrap(), g["kind"].as_str().unwrap());
            format!("{tree} {kind} {}", g["detail"].as_str().unwrap())
        })
        .collect();
    let starts = [
        "bom.cdx malformed a version of CycloneDX other than",
        "cut truncated it ends too early",
        "empty malformed it is not an inventory",
        "newer unsupported it is an inventory of version 9, and this program reads up to version 1",
        "web1 (cut) truncated it ends too early",
    ];
    assert_eq!(gaps.len(), starts.len(), "{gaps:#?}");
    for start in starts {
        assert!(
            gaps.iter().any(|g| g.contains(start)) || gaps.iter().any(|g| g.starts_with(start)),
            "{start}: {gaps:#?}"
        );
    }
    let left: Vec<&str> = report["coverage"]["exclusions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|e| e["location"]["path"].as_str())
        .collect();
    assert!(
        left.iter().any(|l| l.ends_with("/README.md")) && left.iter().any(|l| l.ends_with("/web1.json")),
        "{left:?}"
    );
    // What is found elsewhere counts all the same.
    let fleet = fleet.with("bad.ndjson", of_host(&bad, "web7"));
    let said = judged(&[fleet.path()], &[]);
    assert_eq!((said.code, &json_of(&said)["verdict"]["complete"]), (1, &json!(false)));
    // A fleet of which nothing can be read is an error of the call, and so is a folder without any.
    for fleet in [Fleet::new().with("x.ndjson", "{}"), Fleet::new().with("x.txt", "no"), Fleet::new()] {
        let said = judged(&[fleet.path()], &[]);
        assert!(said.code == 2 && said.out.is_empty() && said.err.contains("hint:"), "{}", said.err);
    }
}

#[test]
fn nothing_found_on_machines_that_were_examined_whole_is_0() {
    let good = Kept::of(&clean(), "i.ndjson", &[]);
    let fleet = Fleet::new().with("1.ndjson", of_host(&good, "web1")).with("2.ndjson", of_host(&good, "web2"));
    let said = judged(&[fleet.path()], &[]);
    let report = json_of(&said);
    assert_eq!((said.code, report["checklist"].as_array().unwrap().len()), (0, 0));
    assert_eq!(report["verdict"]["summary"], "nothing found in what was examined");
    let table = run(["match", "--built-in", fleet.path()]).out;
    assert!(table.contains("2 machines: 0 exposed, 0 not examined completely, 2 with nothing found"), "{table}");
}

#[test]
fn a_new_indicator_names_the_machines_that_have_it() {
    let good = Kept::of(&clean(), "i.ndjson", &[]);
    let other = Kept::of(&node(), "i.ndjson", &["--incident", "litellm-2026-03"]);
    let fleet = Fleet::new().with("1.ndjson", of_host(&good, "web1")).with("2.ndjson", of_host(&other, "web2"));
    let said = judged(&[fleet.path()], &["--ioc", "npm:quiet-js@3.0.0", "--incident", "command-line"]);
    let report = json_of(&said);
    assert_eq!(machines(&report)[0], "web1 executed true command-line");
    assert_eq!(machines(&report)[1], "web2 none true");
    for format in ["table", "markdown"] {
        let text = run([
            "match",
            "--built-in",
            "--format",
            format,
            "--ioc",
            "npm:quiet-js@3.0.0",
            "--incident",
            "command-line",
            fleet.path(),
        ])
        .out;
        assert!(text.contains("web1") && text.contains("2 machines: 1 exposed"), "{text}");
    }
    let lines = run(["match", "--built-in", "--format", "ndjson", fleet.path()]).out;
    assert_eq!(lines.lines().filter(|l| l.contains("\"type\":\"machine\"")).count(), 2);
}

#[test]
fn lists_of_packages_are_asked_for_each_machine() {
    let (good, other) = (Kept::of(&clean(), "i.ndjson", &[]), Kept::of(&node(), "i.ndjson", &[]));
    let list = "ecosystem,package,version\npypi,quiet-lib,1.0.1\nnpm,quiet-7,1.0.0\n";
    let fleet = Fleet::new().with("a/1.ndjson", of_host(&good, "web1")).with("a/2.ndjson", of_host(&other, "web2"));
    let fleet = fleet.with("list.csv", list);
    let (folder, list) = (format!("{}/a", fleet.path()), format!("{}/list.csv", fleet.path()));
    let report = json_of(&judged(&[&folder], &["--iocs", &list]));
    let single = |n: &str| findings(&compared(&matched(&format!("{folder}/{n}.ndjson"), &["--iocs", &list])));
    for (tree, n) in [("web1", "1"), ("web2", "2")] {
        let own = of_machine(&report, tree);
        assert_eq!(own, single(n), "{tree}");
        assert!(own.iter().any(|f| f.contains("quiet")), "{own:?}");
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (bad, other) = (Kept::of(&python(), "i.ndjson", &[]), Kept::of(&node(), "i.ndjson", &[]));
    let mut fleet = Fleet::new();
    for n in 0..40 {
        let text = of_host(if n % 3 == 0 { &bad } else { &other }, &format!("web{n:02}"));
        fleet = fleet.with(&format!("{n}.ndjson"), text);
    }
    let of = |threads: &str| compared(&judged(&[fleet.path()], &["--threads", threads]));
    let one = of("1");
    assert_eq!(machines(&one).len(), 40);
    assert_eq!(one, of("4"));
}

#[test]
fn standard_input_holds_an_inventory_or_a_list() {
    let (bad, good) = (Kept::of(&python(), "i.ndjson", &[]), Kept::of(&clean(), "i.ndjson", &[]));
    let fleet = Fleet::new().with("1.ndjson", of_host(&bad, "web1")).with("more/2.ndjson", of_host(&good, "web2"));
    let (first, second) = (format!("{}/1.ndjson", fleet.path()), format!("{}/more", fleet.path()));
    for list in
        [format!("{first}\n\n{second}\r\n"), format!("{first}\0{second}\0"), format!("{first}\n{second}\n{first}")]
    {
        let report = json_of(&fed(list.as_bytes()));
        assert_eq!(machines(&report), ["web1 executed false litellm-2026-03", "web2 none true"]);
    }
    let text = fs::read(bad.path("i.ndjson")).unwrap();
    for bytes in [text.clone(), zstd::encode_all(text.as_slice(), 3).unwrap(), gzipped(&text)] {
        let report = compared(&fed(&bytes));
        assert_eq!(report, bad.scan);
        assert!(report.get("machines").is_none(), "one machine is reported as ever");
    }
    for nothing in ["", "\n\n"] {
        let said = fed(nothing.as_bytes());
        assert!(said.code == 2 && said.err.contains("standard input is empty"), "{}", said.err);
    }
    let both = run(["match", "-", &first]);
    assert!(both.code == 2 && both.err.contains("exclude each other"), "{}", both.err);
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn fed(bytes: &[u8]) -> Said {
    let mut command = command();
    command.args(["match", "--built-in", "--format", "json", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes));
    let said = said(child.wait_with_output().unwrap());
    let _ = writer.join().unwrap();
    said
}

#[test]
fn a_name_that_a_file_gives_itself_steers_nothing() {
    let bad = Kept::of(&python(), "i.ndjson", &[]);
    let fleet = Fleet::new()
        .with("1.ndjson", of_host(&bad, "\u{1b}[31m<b>|`x`\n# web"))
        .with("2.ndjson", of_host(&bad, &"w".repeat(5000)))
        .with("3.ndjson", of_host(&bad, ""));
    for format in ["table", "markdown", "sh"] {
        let out = run(["match", "--built-in", "--format", format, fleet.path()]).out;
        assert!(!out.contains('\u{1b}') && !out.contains("\n# web"), "{format}: {out}");
        assert!(!out.contains(&"w".repeat(200)), "{format}");
    }
    let report = json_of(&judged(&[fleet.path()], &[]));
    assert_eq!(report["machines"].as_array().unwrap().len(), 3);
    assert!(Path::new(fleet.path()).is_dir());
}
