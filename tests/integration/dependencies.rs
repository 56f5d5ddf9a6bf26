//! The rules of `deny.toml` (licences, bans, sources), checked from `cargo metadata`: building `cargo deny` itself would take
//! longer than every other test. `docs/release.md` has the full check, with advisories.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rules() -> toml::Table {
    fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap()
}

fn texts<'r>(rules: &'r toml::Table, section: &str, key: &str) -> Vec<&'r str> {
    rules[section][key].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect()
}

/// What cargo prints of this package.
fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Every package of the lock file that a build on any platform may use, but for this one.
fn packages() -> Vec<Value> {
    let text = cargo(&["metadata", "--locked", "--format-version", "1", "--all-features"]);
    let Value::Object(mut metadata) = serde_json::from_str(&text).unwrap() else { panic!("no object") };
    let Value::Array(packages) = metadata.remove("packages").unwrap() else { panic!("no packages") };
    let others: Vec<Value> = packages.into_iter().filter(|p| p["name"] != env!("CARGO_PKG_NAME")).collect();
    assert!(others.len() > 100, "only {} packages: is this the whole graph?", others.len());
    others
}

fn admits(allowed: &[&str], expression: &str) -> bool {
    let parsed = spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX).unwrap();
    parsed.evaluate(|r| r.license.id().is_some_and(|id| allowed.contains(&id.name)))
}

#[test]
fn licences_are_those_that_deny_toml_allows() {
    let rules = rules();
    let allowed = texts(&rules, "licenses", "allow");
    let refused: Vec<String> = packages()
        .iter()
        .filter(|p| !p["license"].as_str().is_some_and(|l| admits(&allowed, l)))
        .map(|p| format!("{} {}: {}", p["name"], p["version"], p["license"]))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(!admits(&allowed, "GPL-3.0-only"));
    assert!(!admits(&allowed, "MIT AND AGPL-3.0-only"));
}

#[test]
fn every_package_comes_from_the_one_registry() {
    let rules = rules();
    assert_eq!(rules["sources"]["unknown-registry"].as_str(), Some("deny"));
    assert_eq!(rules["sources"]["unknown-git"].as_str(), Some("deny"));
    let is_known = |source: &str| source.starts_with("registry+https://") && source.ends_with("/crates.io-index");
    let strange: Vec<Value> = packages()
        .into_iter()
        .filter(|p| !p["source"].as_str().is_some_and(is_known))
        .map(|p| p["id"].clone())
        .collect();
    assert!(strange.is_empty(), "{strange:#?}");
}

#[test]
fn banned_crates_are_not_in_the_graph() {
    let rules = rules();
    let banned: Vec<&str> =
        rules["bans"]["deny"].as_array().unwrap().iter().map(|b| b["crate"].as_str().unwrap()).collect();
    assert!(!banned.is_empty());
    // `cargo metadata` lists what a weak feature could bring in; the tree is what is built.
    let tree = cargo(&["tree", "--locked", "--all-features", "--target", "all", "--prefix", "none"]);
    let names: Vec<&str> = tree.lines().filter_map(|l| l.split(' ').next()).collect();
    assert!(names.contains(&"ssh-key"), "{tree}");
    let present: Vec<&&str> = names.iter().filter(|n| banned.contains(n)).collect();
    assert!(present.is_empty(), "{present:?}");
}
