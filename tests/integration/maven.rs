//! Every artifact of Java that an incident of the database names, in every place where Maven and Gradle leave traces: each is found in its
//! class; the same places with artifacts of another group say nothing.

use std::collections::{BTreeMap, BTreeSet};

use dosimeter::{ecosystem::is_range, fact::Ecosystem, ioc::Database};

use crate::{
    machine::Machine,
    program::{findings, report_with},
};

/// Group, artifact and one version of each.
fn known() -> Vec<(String, String, String)> {
    let mut found = BTreeMap::new();
    for package in Database::embedded().unwrap().incidents.iter().flat_map(|i| &i.packages) {
        if let (Ecosystem::Maven, Some((group, artifact))) = (package.ecosystem, package.name.split_once(':')) {
            let version = package.versions.iter().find(|v| !is_range(v) && *v != "*").map_or("1.2.3", String::as_str);
            found.insert((group.to_owned(), artifact.to_owned()), version.to_owned());
        }
    }
    assert!(!found.is_empty());
    found.into_iter().map(|((group, artifact), version)| (group, artifact, version)).collect()
}

/// Adds what Maven and Gradle leave of an artifact.
fn with_artifact(machine: Machine, group: &str, artifact: &str, version: &str) -> Machine {
    let (project, home) = (format!("srv/{artifact}"), format!("home/{artifact}"));
    let pom = format!(
        "<project><dependencies><dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
         <version>{version}</version></dependency></dependencies></project>"
    );
    let folder = group.replace('.', "/");
    machine
        .file(&format!("{project}/pom.xml"), pom)
        .file(&format!("{project}/gradle.lockfile"), format!("{group}:{artifact}:{version}=runtimeClasspath\n"))
        .file(&format!("{home}/.m2/repository/{folder}/{artifact}/{version}/{artifact}-{version}.jar"), "PK\x03\x04")
        .file(
            &format!(
                "{home}/.gradle/caches/modules-2/files-2.1/{group}/{artifact}/{version}/0a1b/{artifact}-{version}.aar"
            ),
            "PK\x03\x04",
        )
        .file(&format!("{home}/.bash_history"), format!("mvn dependency:get -Dartifact={group}:{artifact}:{version}\n"))
}

/// `class indicator file` of each finding.
fn said(machine: &Machine) -> BTreeSet<String> {
    let (report, _) = report_with(machine.root(), &[]);
    let gaps = report["coverage"]["gaps"].as_array().unwrap();
    assert!(gaps.is_empty(), "{gaps:?}");
    let of = |line: String| {
        let words: Vec<&str> = line.split(' ').collect();
        let path = words[2].trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(':');
        format!("{} {} {}", words[0].split('/').next().unwrap(), words[1], path.rsplit('/').next().unwrap())
    };
    findings(&report).into_iter().map(of).collect()
}

#[test]
fn every_artifact_is_found_where_maven_and_gradle_leave_it() {
    let (mut machine, mut others, mut expected) = (Machine::new(), Machine::new(), BTreeSet::new());
    for (group, artifact, version) in known() {
        machine = with_artifact(machine, &group, &artifact, &version);
        others = with_artifact(others, &format!("com.example.{group}"), &artifact, &version);
        let is = |class: &str, file: &str| format!("{class} maven/{group}:{artifact}@{version} {file}");
        expected.extend([
            is("referenced", "pom.xml"),
            is("referenced", "gradle.lockfile"),
            is("cached", &format!("{artifact}-{version}.jar")),
            is("cached", &format!("{artifact}-{version}.aar")),
            is("cached", ".bash_history"),
        ]);
    }
    assert_eq!(said(&machine), expected);
    assert_eq!(said(&others), BTreeSet::new());
}
