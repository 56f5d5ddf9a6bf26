//! Every gem that an incident of the database names, in every place where RubyGems and Bundler leave traces: each is found in its class;
//! the same places with versions that no indicator lists say nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
};

use dosimeter::{
    ecosystem::is_range,
    fact::Ecosystem,
    ioc::{Database, model::Moment},
};
use flate2::{Compression, write::GzEncoder};

use crate::{
    machine::Machine,
    program::{findings, report_with},
};

/// Name, version and whether it runs while it is installed, of one version of each gem.
fn known() -> Vec<(String, String, bool)> {
    let mut found = BTreeMap::new();
    for package in Database::embedded().unwrap().incidents.iter().flat_map(|i| &i.packages) {
        let version = package.versions.iter().find(|v| !is_range(v) && *v != "*").map_or("1.2.3", String::as_str);
        if package.ecosystem == Ecosystem::Gem {
            let at_install = package.triggers.iter().any(|t| t.moment() == Moment::AtInstall);
            found.insert(package.name.clone(), (version.to_owned(), at_install));
        }
    }
    assert!(found.len() >= 6, "{} packages", found.len());
    found.into_iter().map(|(name, (version, at_install))| (name, version, at_install)).collect()
}

/// A gem as RubyGems packs it: a tar that starts with its metadata.
fn packed(name: &str, version: &str) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    let head = "--- !ruby/object:Gem::Specification";
    write!(gz, "{head}\nname: {name}\nversion: !ruby/object:Gem::Version\n  version: {version}\nplatform: ruby\n")
        .unwrap();
    let metadata = gz.finish().unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_size(metadata.len().try_into().unwrap());
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(&mut header, "metadata.gz", metadata.as_slice()).unwrap();
    tar.into_inner().unwrap()
}

/// Adds what RubyGems and Bundler leave of a gem.
fn with_gem(machine: Machine, name: &str, version: &str) -> Machine {
    let gems = format!("home/{name}/.local/share/gem/ruby/3.1.0");
    let spec =
        format!("Gem::Specification.new do |s|\n  s.name = \"{name}\".freeze\n  s.version = \"{version}\"\nend\n");
    let lock = format!(
        "GEM\n  remote: https://registry.example/\n  specs:\n    {name} ({version})\n\nDEPENDENCIES\n  {name}\n"
    );
    machine
        .file(&format!("srv/{name}/Gemfile.lock"), lock)
        .file(&format!("srv/{name}/vendor/cache/{name}-{version}.gem"), packed(name, version))
        .file(&format!("home/{name}/Downloads/x.gem"), packed(name, version))
        .file(&format!("{gems}/specifications/{name}-{version}.gemspec"), &spec)
        .file(&format!("srv/{name}/vendor/bundle/ruby/3.1.0/specifications/{name}-{version}.gemspec"), &spec)
        .file(&format!("{gems}/extensions/x86_64-linux/3.1.0/{name}-{version}/gem_make.out"), "creating Makefile\n")
        .file(&format!("home/{name}/.bash_history"), format!("gem install {name} -v {version}\n"))
}

/// `class indicator file` of each finding.
fn said(machine: &Machine) -> BTreeSet<String> {
    let (report, _) = report_with(machine.root(), &[]);
    let gaps = report["coverage"]["gaps"].as_array().unwrap();
    assert!(gaps.is_empty(), "{gaps:?}");
    let of = |line: String| {
        let words: Vec<&str> = line.split(' ').collect();
        let path = words[2].trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(':');
        let place = path.rsplit('/').next().unwrap();
        let project = if path.starts_with("/srv/") { "app " } else { "" };
        format!("{} {} {project}{place}", words[0].split('/').next().unwrap(), words[1])
    };
    findings(&report).into_iter().map(of).collect()
}

#[test]
fn every_gem_is_found_where_ruby_leaves_it() {
    let (mut machine, mut expected) = (Machine::new(), BTreeSet::new());
    for (name, version, at_install) in known() {
        machine = with_gem(machine, &name, &version);
        let (installed, built) = if at_install { ("executed", "executed") } else { ("installed", "cached") };
        let is = |class: &str, file: &str| format!("{class} gem/{name}@{version} {file}");
        expected.extend([
            is("referenced", "app Gemfile.lock"),
            is("cached", &format!("app {name}-{version}.gem")),
            is("cached", "x.gem"),
            is(installed, &format!("{name}-{version}.gemspec")),
            is(installed, &format!("app {name}-{version}.gemspec")),
            is(built, "gem_make.out"),
            is("removed", ".bash_history"),
        ]);
    }
    assert_eq!(said(&machine), expected);
}

#[test]
fn other_versions_and_names_of_gems_are_left_alone() {
    let mut machine = Machine::new();
    for (name, version, _) in known() {
        machine = with_gem(machine, &name, "99.98.97");
        machine = with_gem(machine, &format!("{name}-look-alike"), &version);
    }
    assert_eq!(said(&machine), BTreeSet::new());
}
