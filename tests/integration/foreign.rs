//! Disks of other systems below `--root`: what a Mac and Windows keep at places of their own.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    inventory::{Kept, compared, exposures, matched},
    machine::Machine,
    program::{findings, report_with},
};

const KEY: &str = concat!("AK", "IAQWERTYUIOPASDFGH");

fn metadata(version: &str) -> String {
    format!("Metadata-Version: 2.1\nName: litellm\nVersion: {version}\n")
}

fn aws() -> String {
    format!("[default]\naws_access_key_id={KEY}\naws_secret_access_key={}\n", "abcd".repeat(10))
}

fn credentials(report: &Value) -> Vec<String> {
    let all = report["credentials"].as_array().unwrap().iter();
    let mut all: Vec<String> =
        all.map(|c| format!("{} {}", c["kind"].as_str().unwrap(), c["location"]["path"].as_str().unwrap())).collect();
    all.sort();
    all
}

fn mac(version: &str) -> Machine {
    let home = |path: &str| format!("Users/ann/{path}");
    let gh = format!("github.com:\n    oauth_token: gho_{}\n    user: ann\n", "a".repeat(36));
    let machine = Machine::new()
        .file("System/Library/CoreServices/SystemVersion.plist", "<plist/>")
        .file(
            &home(&format!("Library/Python/3.11/lib/python/site-packages/litellm-{version}.dist-info/METADATA")),
            metadata(version),
        )
        .file(&home(".zsh_history"), format!(": 1774350000:0;pip install litellm=={version}\n"))
        .file(&home("Library/Application Support/nushell/history.txt"), format!("pip install litellm=={version}\n"))
        .file(&home("Library/Application Support/gh/hosts.yml"), gh)
        .file(&home(".aws/credentials"), aws());
    if version == "1.82.8" {
        machine.file("private/tmp/pglog", "x")
    } else {
        machine.file("private/home/tmp/pglog", "x")
    }
}

#[test]
fn a_disk_of_a_mac() {
    let (report, _) = report_with(mac("1.82.8").root(), &[]);
    assert_eq!(report["run"]["target"]["os"], "macos");
    assert_eq!(
        findings(&report),
        [
            "executed/confirmed path/tmp/pglog /private/tmp/pglog",
            "installed/confirmed pypi/litellm@1.82.8 /Users/ann/Library/Python/3.11/lib/python/site-packages/litellm-1.82.8.dist-info/METADATA",
            "removed/likely pypi/litellm@1.82.8 /Users/ann/.zsh_history:1",
            "removed/likely pypi/litellm@1.82.8 /Users/ann/Library/Application Support/nushell/history.txt:1",
        ]
    );
    assert_eq!(
        credentials(&report),
        [
            "aws.access_key /Users/ann/.aws/credentials",
            "github.oauth_cli /Users/ann/Library/Application Support/gh/hosts.yml",
            "os.shell_history /Users/ann/.zsh_history",
            "os.shell_history /Users/ann/Library/Application Support/nushell/history.txt",
        ]
    );
    let (good, code) = report_with(mac("1.82.6").root(), &[]);
    assert_eq!((findings(&good), code), (vec![], 0));
}

fn windows(version: &str, host: &str) -> Machine {
    let home = |path: &str| format!("Users/bo/{path}");
    let gh = format!("github.com:\n    oauth_token: gho_{}\n    user: bo\n", "a".repeat(36));
    let site = "AppData/Local/Programs/Python/Python311/Lib/site-packages";
    Machine::new()
        .file("Windows/System32/drivers/etc/hosts", format!("10.0.0.1 {host}\r\n"))
        .file("Windows/System32/config/SOFTWARE", "regf")
        .file(&home(&format!("{site}/litellm-{version}.dist-info/METADATA")), metadata(version))
        .file(
            &home("AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt"),
            format!("cd C:\\src\r\npip install `\r\n  litellm=={version}\r\n"),
        )
        .file(&home("AppData/Roaming/GitHub CLI/hosts.yml"), gh)
        .file(&home("_netrc"), "machine x.example login u password hunter2hunter2\r\n")
        .file(
            &home("AppData/Roaming/pip/pip.ini"),
            "[global]\r\nindex-url = https://u:hunter2hunter2@registry.example/simple\r\n",
        )
        .file(&home(".aws/credentials"), aws())
}

#[test]
fn a_disk_of_windows() {
    let (report, _) = report_with(windows("1.82.8", "models.litellm.cloud").root(), &[]);
    assert_eq!(report["run"]["target"]["os"], "windows");
    assert_eq!(
        findings(&report),
        [
            "installed/confirmed pypi/litellm@1.82.8 /Users/bo/AppData/Local/Programs/Python/Python311/Lib/site-packages/litellm-1.82.8.dist-info/METADATA",
            "referenced/likely host/models.litellm.cloud /Windows/System32/drivers/etc/hosts:1",
            "removed/likely pypi/litellm@1.82.8 /Users/bo/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt:2",
        ]
    );
    assert_eq!(
        credentials(&report),
        [
            "artifact_manager.tokens /Users/bo/AppData/Roaming/pip/pip.ini",
            "aws.access_key /Users/bo/.aws/credentials",
            "github.oauth_cli /Users/bo/AppData/Roaming/GitHub CLI/hosts.yml",
            "netrc /Users/bo/_netrc",
            "os.shell_history /Users/bo/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt",
        ]
    );
    let (good, code) = report_with(windows("1.82.6", "example.com").root(), &[]);
    assert_eq!((findings(&good), code), (vec![], 0));
}

/// A copy in which each name stands in capitals.
fn in_capitals(machine: &Machine) -> Machine {
    fn add(copy: Machine, root: &Path, folder: &Path) -> Machine {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        names.fold(copy, |copy, path| {
            if path.is_dir() {
                return add(copy, root, &path);
            }
            let below = path.strip_prefix(root).unwrap().to_str().unwrap();
            if below == "etc/passwd" { copy } else { copy.file(&below.to_uppercase(), fs::read(&path).unwrap()) }
        })
    }
    add(Machine::new(), machine.root(), machine.root())
}

#[test]
fn names_have_no_case_where_their_file_system_gives_them_none() {
    for machine in [windows("1.82.8", "models.litellm.cloud"), mac("1.82.8")] {
        let [(usual, _), (capitals, code)] =
            [machine.root(), in_capitals(&machine).root()].map(|root| report_with(root, &[]));
        let folded = |mut all: Vec<String>| {
            all.iter_mut().for_each(|line| *line = line.to_lowercase());
            all.sort();
            all
        };
        assert_eq!(folded(findings(&capitals)), folded(findings(&usual)));
        assert_eq!(folded(credentials(&capitals)), folded(credentials(&usual)));
        assert_eq!(code, 1);
        // As it stands there.
        assert!(findings(&capitals).iter().any(|f| f.contains("SITE-PACKAGES/LITELLM-1.82.8.DIST-INFO/METADATA")));
    }
    let (good, code) = report_with(in_capitals(&windows("1.82.6", "example.com")).root(), &[]);
    assert_eq!((findings(&good), code), (vec![], 0));
}

#[test]
fn a_drive_in_collected_evidence_is_a_disk() {
    let site = "USERS/BO/VENV/LIB/SITE-PACKAGES/LITELLM-1.82.8.DIST-INFO/METADATA";
    for drive in ["C", "D%3A"] {
        let machine = Machine::new().file(&format!("{drive}/{site}"), metadata("1.82.8"));
        let (report, _) = report_with(machine.root(), &[]);
        assert_eq!(findings(&report), [format!("installed/confirmed pypi/litellm@1.82.8 /{drive}/{site}")]);
    }
}

#[test]
fn linux_tells_case_apart() {
    let site = "home/alice/venv/LIB/SITE-PACKAGES/LITELLM-1.82.8.DIST-INFO/METADATA";
    let (report, code) = report_with(Machine::new().file(site, metadata("1.82.8")).root(), &[]);
    assert_eq!((findings(&report), code), (vec![], 0));
}

#[test]
fn an_inventory_knows_both_spellings() {
    let machine = in_capitals(&windows("1.82.8", "models.litellm.cloud"));
    let kept = Kept::of(&machine, "i.ndjson", &[]);
    assert_eq!(compared(&matched(&kept.path("i.ndjson"), &[])), kept.scan);
    assert!(!exposures(&kept.scan).is_empty());
}
