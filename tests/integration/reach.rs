//! What each payload could take, path by path: a machine with a file in every kind of place, inside and outside of the payload's list,
//! of several accounts, compared with lists that were worked out by hand from what is published of the payload.
//!
//! The owners of files are those that a test gives: a scan records what it read, the record gets the owners, and is judged.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use crate::{machine::Machine, program::run};

/// Made up, and of no form that a provider gives out.
pub const SECRET: &str = "Kq7f3kQ9xZ2mN5bV";

pub const ALICE: u32 = 1000;
pub const BOB: u32 = 1001;

/// A file of a machine.
#[derive(Clone)]
pub struct Planted {
    pub path: &'static str,
    text: String,
    uid: u32,
    mode: u32,
}

/// A file of whoever lives there, of root elsewhere, that only its owner reads.
pub fn own(path: &'static str, text: impl Into<String>) -> Planted {
    let uid = match path {
        p if p.starts_with("/home/alice/") => ALICE,
        p if p.starts_with("/home/bob/") => BOB,
        _ => 0,
    };
    Planted { path, text: text.into(), uid, mode: 0o600 }
}

/// The same, that everybody reads.
pub fn open(path: &'static str, text: impl Into<String>) -> Planted {
    Planted { mode: 0o644, ..own(path, text) }
}

impl Planted {
    /// Path, text, owner, permission bits.
    pub fn entry(&self) -> (&str, &str, u64, u32) {
        (self.path, &self.text, self.uid.into(), self.mode)
    }

    pub fn of(self, uid: u32) -> Self {
        Self { uid, ..self }
    }
}

pub fn key() -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", SECRET.repeat(3))
}

pub fn aws() -> String {
    format!("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {SECRET}{SECRET}\n")
}

pub fn kube() -> String {
    format!("users:\n- name: admin\n  user:\n    token: {SECRET}\n")
}

pub fn numbers() -> String {
    format!("[{}]", vec!["7"; 64].join(","))
}

pub fn service_account() -> String {
    format!(
        r#"{{"type":"service_account","project_id":"p","private_key_id":"0a1b2c","private_key":"{SECRET}","client_email":"a@p.example"}}"#
    )
}

pub fn npmrc() -> String {
    format!("//registry.example/:_authToken={SECRET}\n")
}

/// The report on a machine with these files beside what is on it, with the owners that they say. `of_payload` owns what is in no list.
pub fn judged(machine: Machine, planted: &[Planted], of_payload: u32) -> Value {
    let machine = planted.iter().fold(machine, |m, p| m.file(p.path, &p.text));
    let machine = machine.file(
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\nbob:x:1001:1001::/home/bob:/bin/bash\n\
         ci:x:990:990::/var/lib/ci:/bin/sh\n",
    );
    // Before anybody had the payload, and after it was gone: neither says that a file was not taken.
    for (n, p) in planted.iter().enumerate() {
        let file = fs::File::options().write(true).open(machine.root().join(&p.path[1..])).unwrap();
        let time = [SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000), SystemTime::now()][n % 2];
        file.set_modified(time).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("i.ndjson");
    let (root, to) = (machine.root().to_str().unwrap(), record.to_str().unwrap());
    run(["scan", "--built-in", "--root", root, "--inventory", to]);
    let owners: BTreeMap<&str, &Planted> = planted.iter().map(|p| (p.path, p)).collect();
    let text = fs::read_to_string(&record).unwrap();
    let lines = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if let Some(file) = line.pointer_mut("/read/file") {
            // As it stands there, where it is usually spelled otherwise.
            let path = file["path"].get("written").unwrap_or(&file["path"]).as_str().unwrap();
            let (uid, mode) = owners.get(path).map_or((of_payload, 0o644), |p| (p.uid, p.mode));
            file["uid"] = uid.into();
            file["gid"] = uid.into();
            file["mode"] = mode.into();
        }
        line.to_string() + "\n"
    });
    let owned: String = lines.collect();
    fs::write(&record, owned).unwrap();
    let said = run(["match", "--built-in", "--format", "json", to]);
    serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}{}", said.out, said.err))
}

/// Compares what the report says of each planted file with what is expected of it, as `reach confidence urgency`, with ` | ` between where
/// the credentials of a file differ; none is without an expectation.
pub fn compare(report: &Value, expected: &[(&str, &str)]) {
    differ(report, expected, |words| words);
}

/// The same, whenever it is to be rotated.
pub fn compare_reach(report: &Value, expected: &[(&str, &str)]) {
    differ(report, expected, |words| words.rsplit_once(' ').unwrap().0);
}

fn differ(report: &Value, expected: &[(&str, &str)], part: impl Fn(&str) -> &str) {
    let mut said: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for c in report["credentials"].as_array().unwrap() {
        let word = |key: &str| c[key].as_str().unwrap_or("-").to_owned();
        let sure = c["reach_by"][0]["confidence"].as_str().unwrap_or("-");
        let line = format!("{} {sure} {}", word("reach"), word("rotate"));
        said.entry(c["location"]["path"].as_str().unwrap()).or_default().insert(part(&line).to_owned());
    }
    let each = |words: &str| words.split(" | ").map(|words| part(words).to_owned()).collect();
    let wanted: BTreeMap<&str, BTreeSet<String>> = expected.iter().map(|(path, words)| (*path, each(words))).collect();
    assert_eq!(expected.len(), wanted.len(), "a path stands twice");
    let differ: Vec<String> = said
        .keys()
        .chain(wanted.keys())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter(|path| said.get(**path) != wanted.get(**path))
        .map(|path| format!("{path}: by hand {:?}, by the program {:?}", wanted.get(*path), said.get(*path)))
        .collect();
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// On the payload's list, and readable.
pub const ON_LIST: &str = "harvested likely now";
/// On the list of the working folder, which may have been another one.
pub const IF_THERE: &str = "harvested possible soon";
/// Readable, and not on the list.
pub const OFF_LIST: &str = "exposed possible soon";
/// What the list names, of a home that it does not name.
pub const OTHER_HOME: &str = "exposed possible now";
/// Not readable by the account that ran it.
pub const UNREADABLE: &str = "out_of_reach likely no";
/// Readable, and the list is not published whole.
pub const UNPUBLISHED: &str = "harvested possible now";
