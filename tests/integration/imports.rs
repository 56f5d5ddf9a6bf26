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
