//! Every command of a plan is one that shells take, whatever the files and accounts of the machine are called.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::Value;

use crate::{
    machine::Machine,
    plans::{self, SITUATIONS},
    program,
};

/// Names that a shell would act on, if it saw them bare.
const NAMES: &[&str] = &[
    "plain",
    "two words",
    "it's",
    "\"quoted\"",
    "$(touch PWNED)",
    "`touch PWNED`",
    "; touch PWNED",
    "-rf",
    "a&b|c",
    "star*?[x]",
    "new\nline",
    "back\\slash",
    "~root",
    "#comment",
    "{a,b}",
    "%s%b",
    "!x",
];

/// Credentials of many kinds in a home of this name, beside what makes them due.
fn home(name: &str) -> Machine {
    let home = format!("home/{name}");
    let site = format!("{home}/v/lib/python3.11/site-packages");
    let context = format!(
        "contexts:\n- name: {0:?}\n  context: {{user: {0:?}}}\nusers:\n- name: {0:?}\n  user: {{token: abcdefabcdef1234}}\n",
        name
    );
    plans::litellm(Machine::new(), &site)
        .file(&format!("{home}/.kube/config"), context)
        .file(
            &format!("{home}/.aws/credentials"),
            format!(
                "[{}]\naws_access_key_id = AKIAQQQQQQQQQQQQQQQQ\naws_secret_access_key = abcd1234abcd1234\n",
                name.replace('\n', " ")
            ),
        )
        .file(&format!("{home}/.npmrc"), "//r.example/api/npm/:_authToken=npm_abcdefabcdef1234\n")
        .file(&format!("{home}/.config/systemd/user/sysmon.service"), plans::UNIT)
        .file(&format!("{home}/.config/sysmon/sysmon.py"), "# inert\n")
        .file(&format!("{home}/.vault-token"), "hvs.abcdefabcdef1234\n")
        .file(&format!("{home}/.git-credentials"), "https://al:ghp_abcdefabcdefabcdefabcdefabcdefabcdef@git.example\n")
        .file(
            &format!("{home}/app/.env"),
            "OPENAI_API_KEY=sk-proj-abcdef1234\nDATABASE_URL=postgres://u:pw1234@db.example/x\n",
        )
}

/// The commands of a report's plan, each once.
fn commands(report: &Value) -> BTreeSet<String> {
    let items = report["checklist"].as_array().unwrap().iter();
    let steps = items.flat_map(|i| i["steps"].as_array().unwrap());
    steps.filter_map(|s| s["command"].as_str()).map(str::to_owned).collect()
}

/// The commands that the data give, with a word in each blank.
fn of_the_data() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["credentials", "incidents"] {
        for file in fs::read_dir(format!("iocs/{folder}")).unwrap().map(|f| f.unwrap().path()) {
            if file.extension().is_some_and(|e| e == "json") {
                gather(&serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap(), &mut found);
            }
        }
    }
    assert!(found.len() > 150, "{}", found.len());
    found
}

fn gather(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(all) => all.iter().for_each(|v| gather(v, found)),
        Value::Object(all) => all.iter().for_each(|(key, v)| match v.as_str() {
            Some(text) if key == "command" => {
                let blanks = ["{id}", "{name}", "{context}", "{account}"];
                let text =
                    text.replace("{since}", "2026-03-24T10:52:00Z").replace("{since_utc}", "'2026-03-24 10:52:00 UTC'");
                found.insert(blanks.iter().fold(text, |text, blank| text.replace(blank, "'a b'")));
            }
            _ => gather(v, found),
        }),
        _ => {}
    }
}

fn all() -> BTreeSet<String> {
    let hostile = NAMES.iter().map(|name| home(name)).chain(SITUATIONS.iter().map(|s| (s.machine)()));
    let found: BTreeSet<String> = hostile.flat_map(|machine| commands(&program::report(machine.root()).0)).collect();
    assert!(found.len() > 200, "{}", found.len());
    found.into_iter().chain(of_the_data()).collect()
}

#[test]
fn every_command_is_one_that_shells_take() {
    let folder = tempfile::tempdir().unwrap();
    for (n, command) in all().iter().enumerate() {
        let file = folder.path().join(format!("{n}.sh"));
        fs::write(&file, format!("{command}\n")).unwrap();
        assert!(!command.contains('\n'), "one line: {command}");
        for shell in [&["dash"][..], &["bash"], &["bash", "--posix"], &["busybox", "sh"]] {
            let read = Command::new(shell[0]).args(&shell[1..]).arg("-n").arg(&file).output().unwrap();
            assert!(read.status.success(), "{shell:?} refuses {command}\n{}", String::from_utf8_lossy(&read.stderr));
        }
    }
}

/// `shellcheck` is installed by `tests/run`.
#[test]
fn shellcheck_finds_nothing() {
    let tools =
        std::env::var_os("DOSIMETER_TEST_TOOLS").expect("run the tests with `tests/run`: it installs shellcheck");
    let shellcheck = std::path::Path::new(&tools).join("bin/shellcheck");
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (n, command) in all().iter().enumerate() {
        let file = folder.path().join(format!("{n}.sh"));
        fs::write(&file, format!("#!/bin/sh\n{command}\n")).unwrap();
        files.push(file);
    }
    // Single quotes keep what they hold from the shell on purpose (SC2016), and a quote among it is `'\''`
    // (SC2026); `pgrep` reads a path as an expression (SC2009).
    let said = Command::new(shellcheck)
        .args(["--shell=sh", "--exclude=SC2016,SC2009,SC2026", "--format=gcc"])
        .args(&files)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success(), "{}{text}", String::from_utf8_lossy(&said.stderr));
}

/// What is run on the way to a plan's commands runs none of what is in a name.
#[test]
fn no_name_of_a_file_is_run() {
    let folder = tempfile::tempdir().unwrap();
    for command in all().iter().filter(|c| ["ps ", "loginctl "].iter().any(|p| c.starts_with(p))) {
        let run = Command::new("dash").arg("-c").arg(command).current_dir(folder.path()).output().unwrap();
        assert!(run.status.code().is_some(), "{command}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a name was run as a command");
}
