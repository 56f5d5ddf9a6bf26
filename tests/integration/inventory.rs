//! What `scan --inventory` writes, `dosimeter match` judges as the scan did, and with the indicators of another day.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use crate::{
    machine::{Machine, PYC},
    program::{Said, findings, run},
};

/// A home with an environment that took the bad release, and what its owner typed.
pub fn python() -> Machine {
    let history = "#1774350600\npip install litellm\n#1774350700\npython app.py\n";
    Machine::new()
        .venv("app")
        .dist_requiring("agent", "0.3.0", &["litellm>=1.60"])
        .requested("agent", "0.3.0")
        .dist("litellm", "1.82.8")
        .owned("litellm", "1.82.8", "litellm/proxy/proxy_server.py", "inert\n")
        .owned("litellm", "1.82.8", "litellm_init.pth", "import base64, subprocess\n")
        .site_file("litellm/proxy/__pycache__/proxy_server.cpython-311.pyc", PYC)
        .dist("six", "1.17.0")
        .home(".bash_history", history)
        .home(".pypirc", "[pypi]\nusername = __token__\npassword = pypi-abc\n")
        .home("src/requirements.txt", "litellm==1.82.8\nrequests==2.32.0\n")
        .home("src/broken/poetry.lock", "[[package]\nname = \"litellm\"\nversion = \"1.82.8\"\n")
        .home("src/other/poetry.lock", "[[package]\nname = \"quiet\"\n")
}

/// A project with the package whose install script is the malware, and much that is harmless.
pub fn node() -> Machine {
    let package = |name: &str, version: &str, more: Value| {
        let mut all = json!({"name": name, "version": version});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all.to_string()
    };
    let at = |name: &str| format!("src/web/node_modules/{name}/package.json");
    let lock = json!({"name": "web", "lockfileVersion": 3, "packages": {
        "": {"dependencies": {"plugin": "^1.0.0"}},
        "node_modules/axios": {"version": "1.14.1", "resolved": "https://registry.example/axios/-/axios-1.14.1.tgz"},
        "node_modules/plugin": {"version": "1.0.0", "dependencies": {"axios": "^1.14.0"}},
        "node_modules/plain-crypto-js": {"version": "4.2.1", "hasInstallScript": true},
    }});
    let mut machine = Machine::new()
        .home("src/web/package.json", package("web", "0.0.1", json!({"dependencies": {"plugin": "^1.0.0"}})))
        .home("src/web/package-lock.json", lock.to_string())
        .home(&at("plugin"), package("plugin", "1.0.0", json!({"dependencies": {"axios": "^1.14.0"}})))
        .home(&at("axios"), package("axios", "1.14.1", json!({"dependencies": {"plain-crypto-js": "^4.2.1"}})))
        .home(
            &at("plain-crypto-js"),
            package("plain-crypto-js", "4.2.1", json!({"scripts": {"postinstall": "node setup.js"}})),
        )
        .home(".npmrc", "//registry.example/:_authToken=npm_x\n");
    for n in 0..30 {
        machine = machine.home(&at(&format!("quiet-{n}")), package(&format!("quiet-{n}"), "1.0.0", json!({})));
    }
    machine
}

/// Nothing bad, and everything that is there is harmless.
pub fn clean() -> Machine {
    Machine::new()
        .venv("app")
        .dist_requiring("quiet-app", "2.0.0", &["quiet-lib>=1"])
        .dist("quiet-lib", "1.0.1")
        .owned("quiet-lib", "1.0.1", "quiet_lib/__init__.py", "")
        .home("src/web/node_modules/quiet-js/package.json", "{\"name\":\"quiet-js\",\"version\":\"3.0.0\"}")
        .home(".zsh_history", ": 1774350600:0;pip install quiet-lib==1.0.1\n")
        .home("src/poetry.lock", "[[package]]\nname = \"quiet-lib\"\nversion = \"1.0.1\"\n")
}

pub struct Kept {
    folder: tempfile::TempDir,
    pub scan: Value,
    pub code: i32,
}

impl Kept {
    /// Scans with an inventory beside the report.
    pub fn of(machine: &Machine, name: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        let mut args = vec!["scan", "--built-in", "--root", machine.root().to_str().unwrap(), "--format", "json"];
        args.extend(["--inventory", file.to_str().unwrap()]);
        args.extend(more);
        let said = run(args);
        Self { folder, code: said.code, scan: compared(&said) }
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}

/// A report without what two runs may differ in.
pub fn compared(said: &Said) -> Value {
    let mut report: Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}{}", said.out, said.err));
    report.as_object_mut().unwrap().remove("run");
    report["coverage"].as_object_mut().unwrap().remove("bytes_read");
    report
}

pub fn matched(file: &str, more: &[&str]) -> Said {
    let mut args = vec!["match", "--built-in", "--format", "json", file];
    args.extend(more);
    run(args)
}

pub fn exposures(report: &Value) -> BTreeSet<String> {
    let findings = report["incidents"].as_array().unwrap().iter().flat_map(|i| i["findings"].as_array().unwrap());
    findings
        .map(|f| format!("{} {}", f["exposure"].as_str().unwrap(), f["location"]["path"].as_str().unwrap()))
        .collect()
}

#[test]
fn an_inventory_is_judged_as_the_machine_was() {
    for (machine, exposed) in [(python(), true), (node(), true), (clean(), false)] {
        let root = machine.root().to_str().unwrap();
        let plain = run(["scan", "--built-in", "--root", root, "--format", "json"]);
        for name in ["i.ndjson", "i.ndjson.zst"] {
            let kept = Kept::of(&machine, name, &[]);
            assert_eq!(kept.scan, compared(&plain), "recording changes nothing");
            let again = matched(&kept.path(name), &[]);
            assert_eq!(compared(&again), kept.scan);
            assert_eq!((again.code, kept.code), (plain.code, plain.code));
            assert_eq!(!exposures(&kept.scan).is_empty(), exposed);
        }
    }
}

#[test]
fn indicators_of_another_day_find_what_nobody_asked_for() {
    let machine = clean();
    let kept = Kept::of(&machine, "i.ndjson.zst", &[]);
    assert_eq!(exposures(&kept.scan).len(), 0);
    let file = kept.path("i.ndjson.zst");
    let root = machine.root().to_str().unwrap();
    for ioc in ["pypi:quiet-lib@1.0.1", "npm:quiet-js@3.0.0"] {
        let scan = run(["scan", "--built-in", "--root", root, "--format", "json", "--ioc", ioc]);
        let found = matched(&file, &["--ioc", ioc]);
        assert_eq!(compared(&found), compared(&scan), "{ioc}");
        assert_eq!(found.code, 1);
    }
    // The twin: another version, another name.
    for ioc in ["pypi:quiet-lib@1.0.2", "npm:quiet-jsx@3.0.0"] {
        let found = matched(&file, &["--ioc", ioc]);
        assert_eq!((exposures(&compared(&found)).len(), found.code), (0, 0), "{ioc}");
    }
}

#[test]
fn an_inventory_of_one_incident_knows_the_packages_of_all() {
    let kept = Kept::of(&node(), "i.ndjson", &["--incident", "litellm-2026-03"]);
    assert_eq!(exposures(&kept.scan).len(), 0);
    let found = compared(&matched(&kept.path("i.ndjson"), &[]));
    assert!(
        exposures(&found).iter().any(|f| f.ends_with("node_modules/axios/package.json")),
        "{:?}",
        exposures(&found)
    );
    // What the others ask of files was not looked for, which is said once for each.
    let gaps: Vec<&str> =
        found["coverage"]["gaps"].as_array().unwrap().iter().filter_map(|g| g["detail"].as_str()).collect();
    let asks = gaps.iter().filter(|d| d.contains("was not looked for"));
    let ids: BTreeSet<&str> = asks.clone().filter_map(|d| d.split(' ').next()).collect();
    assert!(ids.len() > 10 && ids.len() == asks.count() && !ids.contains("litellm-2026-03"), "{gaps:?}");
}

/// How many gaps say that more was there than was recorded.
fn unrecorded(report: &Value) -> usize {
    let gaps = report["coverage"]["gaps"].as_array().unwrap();
    gaps.iter().filter(|g| g["detail"].as_str().unwrap().contains("not all of them were recorded")).count()
}

#[test]
fn names_beyond_those_that_a_broken_file_is_searched_for_are_a_gap_for_others() {
    let lock = |n: usize| {
        let packages = (0..n).map(|i| format!("[[package]]\nname = \"p{i}\"\nversion = \"1.0\"\n"));
        packages.collect::<String>() + "[[package]\nname = \"litellm\"\nversion = \"1.82.8\"\n"
    };
    for (n, gaps) in [(300, 1), (100, 0)] {
        let machine = Machine::new().home("src/poetry.lock", lock(n));
        let kept = Kept::of(&machine, "i.ndjson", &[]);
        let file = kept.path("i.ndjson");
        // What the scan's own indicators name is recorded wherever it stands.
        assert!(!exposures(&kept.scan).is_empty());
        assert_eq!(compared(&matched(&file, &[])), kept.scan);
        assert_eq!(unrecorded(&compared(&matched(&file, &["--ioc", "pypi:other-lib@1.0"]))), gaps);
    }
}

#[test]
fn facts_that_were_left_out_are_a_gap_for_those_who_ask_for_their_package() {
    let kept = Kept::of(&python(), "i.ndjson", &[]);
    let text = fs::read_to_string(kept.path("i.ndjson")).unwrap();
    let cut = kept.path("cut.ndjson");
    let (asked, marked) = ("\"asked\":[\"pypi/six\"", "\"cut\":true,\"asked\":[\"pypi/six\"");
    assert!(text.contains(asked));
    fs::write(&cut, text.replace(asked, marked)).unwrap();
    let gaps = |more: &[&str]| unrecorded(&compared(&matched(&cut, more)));
    assert!(gaps(&["--ioc", "pypi:six@1.17.0"]) > 0);
    assert_eq!(gaps(&["--ioc", "pypi:other-lib@1.0"]), 0, "nobody asks for it");
    assert_eq!(gaps(&[]), 0, "the scan looked for what its indicators ask");
}

#[test]
fn an_inventory_fits_its_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../docs/schema/inventory-1.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for machine in [python(), node(), clean()] {
        let kept = Kept::of(&machine, "i.ndjson", &["--deep"]);
        let text = fs::read_to_string(kept.path("i.ndjson")).unwrap();
        assert!(text.lines().count() > 5);
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let faults: Vec<String> = schema.iter_errors(&line).map(|e| e.to_string()).collect();
            assert!(faults.is_empty(), "{line}: {faults:?}");
        }
    }
    assert!(!schema.is_valid(
        &json!({"read": {"surface": "x", "file": {"path": "/a", "size": 1}, "facts": [{"fact": {"secret": 1}}]}})
    ));
}

#[test]
fn nothing_secret_is_in_an_inventory() {
    let machine = python()
        .home(".bash_history", "pip install --index-url https://al:CANARY1@h.example/simple?CANARY2 litellm==1.82.8 # CANARY3\nexport TOKEN=CANARY4\nmysql -pCANARY5\nssh -i k CANARY6@web1 'PASS=CANARY7 pip install six --password CANARY8'\n")
        .home(".zsh_history", ": 1774350600:0;docker run -e SECRET=CANARY9 x pip install 'six @ git+https://CANARY10@h.example/x?CANARY11'\n")
        .home("src/.env", "AWS_SECRET_ACCESS_KEY=CANARY12CANARY12CANARY12\nDATABASE_URL=postgres://u:CANARY13@db/x\n")
        .home(".config/pip/pip.conf", "[global]\nindex-url = https://u:CANARY14@h.example/simple\n")
        .home(".npmrc", "//registry.example/:_authToken=CANARY15\n")
        .home(".netrc", "machine h.example login u password CANARY16\n")
        .home("src/requirements.txt", "--index-url https://u:CANARY17@h.example/\nlitellm @ https://u:CANARY18@h.example/l.whl?sig=CANARY19\nsix==1.17.0\n")
        .home("src/web/package-lock.json", json!({"lockfileVersion": 3, "packages": {
            "node_modules/a": {"version": "git+https://u:CANARY20@h.example/a.git?x=CANARY21", "resolved": "https://u:CANARY22@h.example/a.tgz"}
        }}).to_string())
        .home("src/web/package.json", json!({"dependencies": {"a": "https://u:CANARY23@h.example/a.tgz?t=CANARY24"}}).to_string());
    for more in [&[][..], &["--ioc", "npm:a@*"]] {
        let kept = Kept::of(&machine, "i.ndjson.zst", more);
        let packed = fs::read(kept.path("i.ndjson.zst")).unwrap();
        let text = String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
        let found: Vec<&str> = text.lines().filter(|line| line.contains("CANARY")).collect();
        // The login of another machine is no secret of this one.
        assert!(found.iter().all(|line| !line.replace("CANARY6", "").contains("CANARY")), "{found:#?}");
        assert!(text.contains("\"tool\":\"pip\"") && text.contains("h.example"));
    }
}

#[test]
fn what_is_no_whole_inventory_is_refused() {
    let kept = Kept::of(&clean(), "i.ndjson", &[]);
    let text = fs::read_to_string(kept.path("i.ndjson")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().join("\n") + "\n";
    let newer = text.replacen("\"version\":1", "\"version\":7", 1);
    let cases: [(String, &str); 10] = [
        (newer, "an inventory of version 7"),
        (without(lines.len() - 1), "it ends too early, after line"),
        (text.trim_end().to_owned(), "it ends too early, after line"),
        (text[..text.len() / 2].to_owned(), "it ends too early, after line"),
        (without(2), "lines are missing before it"),
        (format!("{text}{{\"folder\":\"/x\"}}\n"), "it stands behind the last one"),
        (text.replacen("{\"read\"", "{\"raed\"", 1), "not of an inventory's form"),
        (text.replacen("\"path\":\"/", "\"path\":\"/../", 1), "names a path or a word that is none"),
        ("{}\n".to_owned(), "it is not an inventory"),
        (format!("{}\n{{\"read\":\n", lines[0]), "line 2: it ends too early"),
    ];
    for (text, why) in cases {
        fs::write(kept.path("bad.ndjson"), text).unwrap();
        let said = matched(&kept.path("bad.ndjson"), &[]);
        assert!(said.code == 2 && said.out.is_empty() && said.err.contains(why), "{why}: {}", said.err);
        assert!(said.err.contains("hint:"), "{}", said.err);
    }
}

#[test]
fn a_hostile_inventory_costs_no_memory() {
    let kept = Kept::of(&clean(), "i.ndjson", &[]);
    let head = fs::read_to_string(kept.path("i.ndjson")).unwrap().lines().next().unwrap().to_owned();
    // A line of a gigabyte, in some hundred kilobytes.
    let mut packed = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    std::io::Write::write_all(&mut packed, format!("{head}\n{{\"folder\":\"/").as_bytes()).unwrap();
    let block = vec![b'a'; 1 << 20];
    (0..1024).for_each(|_| std::io::Write::write_all(&mut packed, &block).unwrap());
    fs::write(kept.path("bomb.zst"), packed.finish().unwrap()).unwrap();
    let said = matched(&kept.path("bomb.zst"), &[]);
    assert!(said.code == 2 && said.err.contains("longer than any line"), "{}", said.err);
}

#[test]
fn an_inventory_that_lies_in_a_tree_is_no_finding() {
    let kept = Kept::of(&python(), "i.ndjson", &[]);
    let text = fs::read(kept.path("i.ndjson")).unwrap();
    let machine = clean().home("case/i.ndjson", &text).home("i.json", &text).home("src/inventory.ndjson.zst", &text);
    let report = run(["scan", "--built-in", "--root", machine.root().to_str().unwrap(), "--format", "json"]);
    assert_eq!((exposures(&compared(&report)).len(), report.code), (0, 0), "{}", report.err);
}

#[test]
fn an_inventory_is_no_evidence_and_takes_no_other_files_place() {
    let machine = clean();
    let root = machine.root().to_str().unwrap();
    let inside = machine.root().join("home/alice/i.ndjson");
    let said = run(["scan", "--root", root, "--inventory", inside.to_str().unwrap()]);
    assert!(said.code == 2 && said.err.contains("is part of") && !inside.exists(), "{}", said.err);
    let kept = Kept::of(&machine, "i.ndjson.zst", &[]);
    let other = kept.path("notes.txt");
    fs::write(&other, "mine\n").unwrap();
    let said = run(["scan", "--root", root, "--inventory", &other]);
    assert!(said.code == 2 && said.err.contains("was not written by this program"), "{}", said.err);
    // One of its own is replaced, whole.
    let own = kept.path("i.ndjson.zst");
    let said = run(["scan", "--built-in", "--root", root, "--inventory", &own]);
    assert_eq!((said.code, matched(&own, &[]).code), (0, 0), "{}", said.err);
    let left: Vec<_> =
        fs::read_dir(Path::new(&own).parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

/// Makes a document of a package URL and a place.
type Write<'w> = &'w dyn Fn(&str, &str) -> String;

/// A document of one component, in a file of its own.
fn sbom(folder: &Path, text: &str) -> Said {
    let file = folder.join("bom.json");
    fs::write(&file, text).unwrap();
    matched(file.to_str().unwrap(), &[])
}

#[test]
fn a_bill_of_materials_is_judged_as_somebodys_statement() {
    let folder = tempfile::tempdir().unwrap();
    let cyclonedx = |purl: &str, place: &str| {
        json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
            {"type": "library", "name": "six", "version": "1.17.0", "purl": "pkg:pypi/six@1.17.0"},
            {"type": "library", "name": "x", "purl": purl, "properties": [{"name": "syft:location:0:path", "value": place}]},
        ]})
        .to_string()
    };
    let spdx = |purl: &str, place: &str| {
        json!({"spdxVersion": "SPDX-2.3", "name": "home", "packages": [{"name": "x", "sourceInfo": format!("found: {place}"),
            "externalRefs": [{"referenceType": "purl", "referenceLocator": purl}]}]})
        .to_string()
    };
    let site = "/v/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA";
    let writers: [Write<'_>; 2] = [&cyclonedx, &spdx];
    for write in writers {
        for (bad, good, place, exposure, confidence) in [
            ("pkg:pypi/litellm@1.82.8", "pkg:pypi/litellm@1.82.6", site, "installed", "likely"),
            ("pkg:pypi/LiteLLM@1.82.8?x=y", "pkg:pypi/litellm-x@1.82.8", "/v/other", "installed", "possible"),
            ("pkg:pypi/litellm@1.82.8", "pkg:npm/litellm@1.82.8", "/w/poetry.lock", "referenced", "likely"),
            (
                "pkg:npm/axios@1.14.1",
                "pkg:npm/axios@1.14.0",
                "/w/node_modules/axios/package.json",
                "installed",
                "likely",
            ),
            ("pkg:npm/axios@1.14.1", "pkg:npm/%40x/axios@1.14.1", "/w/package-lock.json", "referenced", "likely"),
        ] {
            let said = sbom(folder.path(), &write(bad, place));
            let report = compared(&said);
            let findings: Vec<&Value> = report["incidents"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|i| i["findings"].as_array().unwrap())
                .collect();
            assert!(!findings.is_empty(), "{bad} {place}");
            for finding in findings {
                assert_eq!(
                    (finding["exposure"].as_str(), finding["confidence"].as_str()),
                    (Some(exposure), Some(confidence))
                );
                assert!(finding["reason"].as_str().unwrap().contains("somebody's statement"), "{finding}");
                assert_eq!(finding["location"]["path"], place, "{finding}");
            }
            let twin = sbom(folder.path(), &write(good, place));
            assert_eq!((exposures(&compared(&twin)).len(), twin.code), (0, 0), "{good} {}", twin.err);
        }
    }
    for (text, why) in [
        ("{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.3\"}", "other than 1.4 to 1.7"),
        ("{\"spdxVersion\":\"SPDX-2.3\",\"packages\":[{", "it ends too early"),
        ("{\"components\":[]}", "it is not an inventory"),
    ] {
        let said = sbom(folder.path(), text);
        assert!(said.code == 2 && said.err.contains(why) && said.err.contains("hint:"), "{}", said.err);
    }
}

#[test]
fn what_was_found_is_not_lost_with_the_inventory() {
    let machine = Machine::new().venv("v").dist("litellm", "1.82.8");
    let root = machine.root().to_str().unwrap();
    let said = run(["scan", "--root", root, "-q", "--format", "json", "--inventory", "/dev/full"]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((findings(&report).len(), said.code), (1, 2));
    assert!(said.err.contains("cannot write the inventory"), "{}", said.err);
}

#[test]
fn a_bill_of_materials_steers_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let bom = folder.path().join("e.cdx.json");
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"file","name":"a\u001b[2Jb\nc"}},
        "components":[{"type":"library","name":"x\u001b[2J","version":"1.82.8","purl":"pkg:pypi/litellm@1.82.8"}]}"#;
    fs::write(&bom, text).unwrap();
    for format in ["table", "markdown", "sh", "json", "ndjson"] {
        let said = run(["match", bom.to_str().unwrap(), "--format", format]);
        assert_eq!(said.code, 1, "{format}: {}", said.err);
        assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'), "{format}");
    }
}
