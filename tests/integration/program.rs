//! The real binary, in a scrubbed environment.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Output},
    sync::LazyLock,
};

use dosimeter::{assess::rule::Rule, verdict::Confidence};
use serde_json::Value;

/// What a run said.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// The binary with nothing of the caller's environment.
#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // the tests run the program itself
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dosimeter"));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("COLUMNS", "100");
    command
}

/// Runs it.
pub fn run(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Said {
    said(command().args(args).output().unwrap())
}

/// What an output says.
pub fn said(output: Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The JSON report of a mounted root, checked against its schema, and the exit code.
pub fn report(root: &Path) -> (Value, i32) {
    report_with(root, &[])
}

/// The same, with more options.
pub fn report_with(root: &Path, more: &[&str]) -> (Value, i32) {
    let root = root.to_str().unwrap();
    let mut args = vec!["scan", "--root", root, "--format", "json"];
    args.extend(more);
    let said = run(args);
    let report: Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}{}", said.out, said.err));
    valid(&report);
    (report, said.code)
}

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = include_str!("../../docs/schema/report-1.schema.json");
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
});

/// Panics with every fault of a report against the published schema.
pub fn valid(report: &Value) {
    let faults: Vec<String> = SCHEMA.iter_errors(report).map(|e| format!("{}: {e}", e.instance_path)).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Each finding as `exposure/confidence indicator path[:inner][:line]`, sorted.
pub fn findings(report: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for f in report["incidents"].as_array().unwrap().iter().flat_map(|i| i["findings"].as_array().unwrap()) {
        under_a_rule(f);
        found.push(described(f));
    }
    found.sort();
    found
}

/// One of them.
pub fn described(f: &Value) -> String {
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    let line = f["location"]["line"].as_u64().map(|l| format!(":{l}")).unwrap_or_default();
    let (exposure, confidence) = (text(&f["exposure"]), text(&f["confidence"]));
    format!("{exposure}/{confidence} {} {}{line}", text(&f["indicator"]), text(&f["location"]["path"]))
}

/// Panics where a finding is not as the rule says that it names.
fn under_a_rule(f: &Value) {
    let rule = Rule::all().find(|r| f["rule"] == r.code()).unwrap_or_else(|| panic!("no rule: {f:#}"));
    assert_eq!(f["exposure"], rule.exposure().as_str(), "{f:#}");
    let sure = [Confidence::Possible, Confidence::Likely, Confidence::Confirmed];
    let sure = sure.into_iter().find(|c| f["confidence"] == c.as_str()).unwrap();
    assert!(sure <= rule.up_to(), "surer than `{}` allows: {f:#}", rule.code());
}

/// The one finding whose description holds `part`.
pub fn finding<'r>(report: &'r Value, indicator: &str, path: &str) -> &'r Value {
    let mut all = report["incidents"].as_array().unwrap().iter().flat_map(|i| i["findings"].as_array().unwrap());
    all.find(|f| f["indicator"] == indicator && f["location"]["path"].as_str().is_some_and(|p| p.contains(path)))
        .unwrap_or_else(|| panic!("no {indicator} at {path} in {:#?}", findings(report)))
}

/// The exposure of the whole report.
pub fn exposure(report: &Value) -> &str {
    report["verdict"]["exposure"].as_str().unwrap()
}
