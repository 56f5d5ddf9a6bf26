//! Environments of conda, with records as rattler and conda write them.

use std::{
    fs::File,
    time::{Duration, SystemTime},
};

use crate::{
    machine::Machine,
    program::{finding, report},
};

const PREFIX: &str = "home/alice/miniforge3/envs/ml";
const PACKAGE: &str = "home/alice/.cache/rattler/cache/pkgs/litellm-1.82.8-pyhd8ed1ab_0";
const METADATA: &str = "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n";

fn record(name: &str, version: &str, more: &str) -> String {
    format!("{{\"build\": \"0\", \"name\": \"{name}\", \"version\": \"{version}\", {more}}}")
}

/// The package as it was built long ago, linked into an environment where `plugin` was asked for.
fn linked(asked: &str) -> Machine {
    let site = format!("{PREFIX}/lib/python3.12/site-packages");
    let machine = Machine::new()
        .file(&format!("{PREFIX}/conda-meta/history"), "")
        .file(
            &format!("{PREFIX}/conda-meta/litellm-1.82.8-pyhd8ed1ab_0.json"),
            record("litellm", "1.82.8", "\"depends\": [\"python >=3.8\"]"),
        )
        .file(
            &format!("{PREFIX}/conda-meta/plugin-1.0-0.json"),
            record("plugin", "1.0", &format!("\"depends\": [\"litellm >=1.60,<2\"], {asked}")),
        )
        .file(&format!("{PACKAGE}/site-packages/litellm_init.pth"), "import os\n")
        .file(&format!("{PACKAGE}/site-packages/litellm-1.82.8.dist-info/METADATA"), METADATA)
        .file(&format!("{site}/litellm_init.pth"), "import os\n")
        .file(&format!("{site}/litellm-1.82.8.dist-info/INSTALLER"), "conda\n")
        .file(&format!("{site}/litellm-1.82.8.dist-info/METADATA"), METADATA)
        // pip ran here before the package came.
        .file(&format!("{site}/six-1.0.dist-info/INSTALLER"), "pip\n")
        .file(&format!("{site}/six-1.0.dist-info/METADATA"), "Name: six\nVersion: 1.0\n");
    let day = |n: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(1_774_000_000 + n * 86_400);
    let age = |path: String, time| File::open(machine.root().join(path)).unwrap().set_modified(time).unwrap();
    for file in ["litellm_init.pth", "litellm-1.82.8.dist-info/INSTALLER", "litellm-1.82.8.dist-info/METADATA"] {
        age(format!("{site}/{file}"), day(1));
    }
    age(format!("{site}/six-1.0.dist-info/INSTALLER"), day(2));
    age(format!("{PREFIX}/conda-meta/litellm-1.82.8-pyhd8ed1ab_0.json"), day(3));
    machine
}

#[test]
fn a_package_is_as_old_as_its_record_and_pip_before_it_started_nothing() {
    let (report, _) = report(linked("\"requested_specs\": [\"plugin ==1.0\"]").root());
    for (indicator, place) in [
        ("path/site:litellm_init.pth", "envs/ml/lib"),
        ("pypi/litellm@1.82.8", "envs/ml/lib"),
        ("pypi/litellm@1.82.8", "envs/ml/conda-meta"),
    ] {
        let found = finding(&report, indicator, place);
        assert_eq!((&found["exposure"], &found["environment"]["kind"]), (&"installed".into(), &"conda".into()));
        assert_eq!(
            (&found["at"], &found["at_source"]),
            (&"2026-03-23T09:46:40Z".into(), &"mtime of the record".into())
        );
    }
}

#[test]
fn what_conda_only_unpacked_is_stored() {
    let (report, _) = report(linked("\"requested_spec\": \"plugin\"").root());
    for indicator in ["path/site:litellm_init.pth", "pypi/litellm@1.82.8"] {
        assert_eq!(finding(&report, indicator, "rattler/cache/pkgs")["exposure"], "cached");
    }
}

#[test]
fn a_chain_starts_at_what_the_records_say_was_asked_for() {
    for (asked, expected) in [
        ("\"requested_spec\": \"conda-forge::plugin=1.0\"", "plugin/true litellm/false"),
        ("\"requested_specs\": [\"plugin ==1.0\", \"litellm >=1.60\"]", "litellm/true"),
        ("\"requested_spec\": \"plugin\", \"requested_specs\": [\"plugin\"]", "plugin/true litellm/false"),
        ("\"requested_spec\": \"None\"", "plugin/false litellm/false"),
        ("\"requested_spec\": 7, \"requested_specs_of_others\": [{}]", "plugin/false litellm/false"),
    ] {
        let (report, _) = report(linked(asked).root());
        let found = finding(&report, "pypi/litellm@1.82.8", "conda-meta");
        let links = found["chain"].as_array().unwrap().iter();
        let links: Vec<_> = links.map(|l| format!("{}/{}", l["name"].as_str().unwrap(), l["requested"])).collect();
        assert_eq!(links.join(" "), expected, "{asked}");
    }
}

#[test]
fn a_history_says_that_conda_took_it_out() {
    let machine = Machine::new().file(
        &format!("{PREFIX}/conda-meta/history"),
        "==> 2026-03-25 10:00:00 <==\n-conda-forge/noarch::litellm-1.82.8-pyhd8ed1ab_0\n-x::litellm-1.82.6-0\n",
    );
    let (report, _) = report(machine.root());
    let found = finding(&report, "pypi/litellm@1.82.8", "history");
    assert_eq!((&found["exposure"], &found["confidence"]), (&"removed".into(), &"likely".into()));
    assert!(found["reason"].as_str().unwrap().starts_with("conda took the malicious version out"));
}
