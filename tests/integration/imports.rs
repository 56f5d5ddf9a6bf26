//! Other people's indicators, from a file to a scan.

use std::fs;

use serde_json::Value;

use super::program::run;

const LIST: &str = "# a wave\nevil==1.0\n@evil/a@1.0.0\nc2[.]evil[.]example\nsome words\n";

#[test]
fn a_list_becomes_an_incident_that_passes_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("wave.txt"), LIST).unwrap();
    let said =
        run(["iocs", "import", &at("wave.txt"), "-o", &at("wave-2026-03.json"), "--created", "2026-03-24T00:00:00Z"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.contains("taken: 2 package versions\n") && said.out.contains("taken: 1 network names\n"));
    assert!(said.out.contains("left: 1 × more than one word (`line 5: some words`)\n"), "{}", said.out);
    let checked = run(["iocs", "check", &at("wave-2026-03.json")]);
    assert_eq!(checked.code, 0, "{}", checked.err);
    let search = |text: &str| {
        let said = run(["iocs", "search", "--built-in", "--iocs", &at("wave-2026-03.json"), "--format", "json", text]);
        serde_json::from_str::<Vec<Value>>(&said.out).unwrap().len()
    };
    assert_eq!(
        (search("evil==1.0"), search("evil==1.1"), search("x.c2.evil.example"), search("evil.example")),
        (1, 0, 1, 0)
    );
    let said = run(["iocs", "import", &at("wave.txt"), "-o", &at("wave.json"), "--id", "other"]);
    assert!(said.code == 2 && said.err.contains("-o other.json"), "{}", said.err);
}

#[test]
fn the_same_input_gives_the_same_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let osv = |id: &str, name: &str| {
        format!(
            r#"{{"id":"{id}","modified":"2026-03-24T00:00:00Z","affected":[{{"package":{{"ecosystem":"PyPI","name":"{name}"}},"versions":["1.0"]}},
               {{"package":{{"ecosystem":"PyPI","name":"{name}-two"}},"versions":["1.0"]}}]}}"#
        )
    };
    fs::create_dir(at("feed")).unwrap();
    fs::write(at("feed/one.json"), osv("MAL-2026-1", "evil")).unwrap();
    fs::write(at("feed/two.json"), osv("GHSA-1", "good")).unwrap();
    fs::write(at("feed/README.md"), "How to use\nthis feed, in words\n").unwrap();
    for out in ["a.bundle", "b.bundle"] {
        let said = run(["iocs", "import", &at("feed"), "-o", &at(out)]);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.out.contains("left: 1 × a vulnerability, not marked malicious (`GHSA-1`)"), "{}", said.out);
        assert!(said.out.contains("left: 1 × a file of no known format") && said.out.contains("of 2026-03-24"));
    }
    assert_eq!(fs::read(at("a.bundle")).unwrap(), fs::read(at("b.bundle")).unwrap());
    // Both packages of one record are found at once, from the bundle and from the folder.
    for source in ["a.bundle", "feed"] {
        let said = run([
            "iocs",
            "search",
            "--built-in",
            "--iocs",
            &at(source),
            "--format",
            "json",
            "evil==1.0",
            "evil-two==1.0",
            "good==1.0",
        ]);
        assert_eq!(serde_json::from_str::<Vec<Value>>(&said.out).unwrap().len(), 2, "{source}: {}", said.out);
    }
    let broken = run(["iocs", "import", &at("feed/README.md"), "-o", &at("c.bundle")]);
    assert!(broken.code == 2 && broken.err.contains("README.md: not a format"), "{}", broken.err);
    assert!(!fs::exists(at("c.bundle")).unwrap());
}

#[test]
fn an_export_says_what_it_cannot() {
    let said = run(["iocs", "export", "--built-in", "--format", "osv", "litellm-2026-03"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let record: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(record["id"], "x_litellm-2026-03");
    let affected = record["affected"].as_array().unwrap();
    let versions: Vec<&Value> = affected.iter().flat_map(|a| a["versions"].as_array().unwrap()).collect();
    assert_eq!(versions, ["1.82.7", "1.82.8"]);
    assert!(said.err.contains("processes: OSV has no place for them"), "{}", said.err);
    let said = run(["iocs", "export", "--built-in", "--format", "csv", "nothing-2026-01"]);
    assert!(said.code == 2 && said.err.contains("no incident `nothing-2026-01`"));
}

const WITHDRAWN: &str = r#"{"id":"MAL-2026-2853","modified":"2026-04-20T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"react-hook-form"},"versions":["7.73.0"]}]}
{"id":"MAL-2099-1","modified":"2026-04-20T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"react-hook-form"},"versions":["7.99.0"]}]}
"#;

#[test]
fn a_withdrawn_advisory_is_no_indicator_unless_the_user_names_it() {
    use dosimeter::{
        fact::Ecosystem,
        ioc::{
            bundle::{Content, build},
            feed::FeedRow,
        },
    };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("osv.ndjson"), WITHDRAWN).unwrap();
    fs::write(at("own.txt"), "npm:react-hook-form@7.73.0\n").unwrap();
    let said = run(["iocs", "import", &at("osv.ndjson"), "-o", &at("new.bundle")]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.contains("taken: 1 package versions\nleft: 1 × withdrawn or false (`withdrawn advisory"),
        "{}",
        said.out
    );
    // A bundle that somebody made without knowing.
    let row = |advisory: &str, version: &str| {
        let row = FeedRow { advisory: advisory.to_owned(), versions: vec![version.to_owned()] };
        (Ecosystem::Npm, "react-hook-form".to_owned(), row)
    };
    let rows = vec![row("MAL-2026-2853", "7.73.0"), row("MAL-2099-1", "7.99.0")];
    let created = "2026-04-20T00:00:00Z".parse().unwrap();
    let content = Content { title: "old".to_owned(), sequence: 1, created, incidents: Vec::new(), rows };
    fs::write(at("old.bundle"), build(&content).unwrap()).unwrap();

    let search = |options: &[&str], version: &str| {
        let asked = format!("react-hook-form@{version}");
        let said = run(["iocs", "search", "--built-in"].into_iter().chain(options.iter().copied()).chain([&*asked]));
        (said.code, said.out, said.err)
    };
    let (code, out, err) = search(&[], "7.73.0");
    assert_eq!((code, err.as_str()), (4, ""));
    assert!(out.contains("withdrawn advisory GHSA-w8j3-qvc3-h56f, MAL-2026-2853 (2026-06-02)"), "{out}");
    assert!(out.contains("Not known is not safe"), "{out}");
    let (code, _, err) = search(&["--iocs", &at("old.bundle")], "7.73.0");
    assert_eq!(code, 4);
    assert!(
        err.contains("old.bundle: left out: withdrawn advisory") && err.contains("`--ioc npm:react-hook-form@7.73.0`"),
        "{err}"
    );
    for bundle in ["new.bundle", "old.bundle"] {
        assert_eq!(search(&["--iocs", &at(bundle)], "7.99.0").0, 0);
    }
    // What the user names stays, and the user gets a notice.
    let named = [vec!["--iocs", "own.txt"], vec!["--iocs", "osv.ndjson"], vec!["--ioc", "npm:react-hook-form@7.73.0"]];
    for options in named {
        let file = at(options[1]);
        let options = if options[0] == "--iocs" { ["--iocs", &file] } else { [options[0], options[1]] };
        let (code, out, err) = search(&options, "7.73.0");
        assert_eq!(code, 0, "{options:?}: {out}");
        assert!(err.contains("withdrawn advisory") && err.contains("since you named it"), "{options:?}: {err}");
        assert!(out.contains("withdrawn advisory"), "{options:?}: {out}");
    }
    assert_eq!(search(&["--ioc", "npm:react-hook-form@7.73.1"], "7.73.1").2, "");
}
