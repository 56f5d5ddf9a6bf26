//! Every package of PHP that an incident of the database names, in every place where Composer leaves traces: each is found in its class; the
//! same places with versions that no indicator lists say nothing.

use std::collections::{BTreeMap, BTreeSet};

use dosimeter::{
    ecosystem::is_range,
    fact::Ecosystem,
    ioc::{Database, model::Moment},
};
use serde_json::json;

use crate::{
    machine::Machine,
    program::{findings, report_with},
};

/// Name, version and whether it runs while it is installed, of one version of each package that is not bad for a time only.
fn known() -> Vec<(String, String, bool)> {
    let mut found = BTreeMap::new();
    for package in Database::embedded().unwrap().incidents.iter().flat_map(|i| &i.packages) {
        let version = package.versions.iter().find(|v| !is_range(v) && *v != "*").map_or("1.2.3", String::as_str);
        if package.ecosystem == Ecosystem::Composer && package.standing.until.is_none() {
            let at_install = package.triggers.iter().any(|t| t.moment() == Moment::AtInstall);
            found.insert(package.name.clone(), (version.to_owned(), at_install));
        }
    }
    assert!(!found.is_empty());
    found.into_iter().map(|(name, (version, at_install))| (name, version, at_install)).collect()
}

/// Adds what Composer leaves of a package.
fn with_package(machine: Machine, name: &str, version: &str) -> Machine {
    let entry = json!({"name": name, "version": version, "type": "composer-plugin"});
    let place = name.replace('/', "-");
    let asks = json!({"name": "acme/asks", "version": "1.0.0", "require": {name: "*"}});
    machine
        .file(&format!("srv/{place}/composer.lock"), json!({"packages": [asks], "packages-dev": [entry]}).to_string())
        .file(&format!("srv/{place}/vendor/composer/installed.json"), json!({"packages": [asks, entry]}).to_string())
        .file(&format!("home/{place}/.config/composer/vendor/composer/installed.json"), json!([entry]).to_string())
        .file(&format!("home/{place}/.bash_history"), format!("composer require {name}:{version}\n"))
}

/// `class indicator file` of each finding.
fn said(machine: &Machine) -> BTreeSet<String> {
    let (report, _) = report_with(machine.root(), &[]);
    let gaps = report["coverage"]["gaps"].as_array().unwrap();
    assert!(gaps.is_empty(), "{gaps:?}");
    let of = |line: String| {
        let words: Vec<&str> = line.split(' ').collect();
        let path = words[2].trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(':');
        let project = if path.starts_with("/srv/") { "project " } else { "" };
        format!("{} {} {project}{}", words[0].split('/').next().unwrap(), words[1], path.rsplit('/').next().unwrap())
    };
    findings(&report).into_iter().map(of).collect()
}

#[test]
fn every_package_is_found_where_composer_leaves_it() {
    let (mut machine, mut expected) = (Machine::new(), BTreeSet::new());
    for (name, version, at_install) in known() {
        machine = with_package(machine, &name, &version);
        let installed = if at_install { "executed" } else { "installed" };
        let is = |class: &str, file: &str| format!("{class} composer/{name}@{version} {file}");
        expected.extend([
            is("referenced", "project composer.lock"),
            is(installed, "project installed.json"),
            is(installed, "installed.json"),
            is("removed", ".bash_history"),
        ]);
    }
    assert_eq!(said(&machine), expected);
}

#[test]
fn other_versions_and_names_of_packages_are_left_alone() {
    let mut machine = Machine::new();
    for (name, version, _) in known() {
        machine = with_package(machine, &name, "99.98.97");
        machine = with_package(machine, &format!("{name}-look-alike"), &version);
    }
    assert_eq!(said(&machine), BTreeSet::new());
}
