//! As whom and where a payload ran, on trees with links, addresses, copies and scripts of init: what was in its reach.

use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::{machine::Machine, program::report};

const TYPED: &str = "pip install litellm==1.82.8";
const KEY: &str = "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = CaNaRy7f3kQ9xZ\n";

const SSO: &str =
    r#"{"startUrl":"https://s.example","accessToken":"CaNaRy7f3kQ9xZ","expiresAt":"2027-01-01T00:00:00Z"}"#;

/// Alice's machine with a key, and one line that she typed while the version was available.
fn typed(line: &str) -> Machine {
    Machine::new().home(".aws/credentials", KEY).home(".zsh_history", format!(": 1774350000:0;{line}\n"))
}

/// Reach, confidence and urgency of the key in this file.
fn reach(machine: &Machine, path: &str) -> String {
    let (report, _) = report(machine.root());
    let found = report["credentials"].as_array().unwrap().iter().find(|c| c["location"]["path"] == path).unwrap();
    let word = |key: &str| found[key].as_str().unwrap_or("-").to_owned();
    format!("{} {} {}", word("reach"), word("confidence"), word("rotate"))
}

const OF_ALICE: &str = "/home/alice/.aws/credentials";

#[test]
fn a_mount_that_is_a_link_gives_what_it_leads_to() {
    for (target, expected) in [
        ("/home", "harvested likely now"),
        ("../home/alice/.aws", "harvested likely now"),
        ("../home/alice/.aws/credentials", "harvested likely now"),
        ("/", "harvested likely now"),
        ("/opt", "out_of_reach likely no"),
        ("/nowhere", "out_of_reach likely no"),
        ("../../../../etc", "out_of_reach likely no"),
    ] {
        let machine = typed(&format!("docker run -v /srv/link:/x img {TYPED}")).file("srv/x", "").file("opt/x", "");
        symlink(target, machine.root().join("srv/link")).unwrap();
        assert_eq!(reach(&machine, OF_ALICE), expected, "{target}");
    }
}

#[test]
fn an_address_of_its_own_is_this_machine() {
    let netplan = "network:\n  ethernets:\n    eth0:\n      addresses: [10.0.0.5/24]\n";
    for (host, expected) in [
        ("10.0.0.5", "harvested likely now"),
        ("dev1.local", "harvested likely now"),
        ("10.0.0.6", "out_of_reach likely no"),
        ("dev2.local", "out_of_reach likely no"),
    ] {
        let machine = typed(&format!("ssh {host} {TYPED}")).file("etc/netplan/a.yaml", netplan);
        let machine = machine.file("etc/hostname", "dev1\n");
        assert_eq!(reach(&machine, OF_ALICE), expected, "{host}");
    }
}

#[test]
fn options_that_nobody_knows_leave_it_in_reach() {
    for (command, expected) in [
        ("docker run $OPTS img", "harvested possible soon"),
        ("docker compose run app", "harvested possible soon"),
        ("bwrap --ro-bind / / --dev /dev", "harvested likely now"),
        ("bwrap --ro-bind /usr /usr", "out_of_reach likely no"),
        ("docker run --rm img", "out_of_reach likely no"),
    ] {
        assert_eq!(reach(&typed(&format!("{command} {TYPED}")), OF_ALICE), expected, "{command}");
    }
}

/// An environment with the hook below this folder, with alice's own key beside the machine's.
fn copied(root: &str) -> Machine {
    let site = format!("{root}/home/bob/v/lib/python3.11/site-packages");
    Machine::new()
        .home(".aws/credentials", KEY)
        .file(&format!("{root}/home/bob/.aws/credentials"), KEY)
        .file(&format!("{site}/litellm-1.82.8.dist-info/METADATA"), "Name: litellm\nVersion: 1.82.8\n")
        .file(&format!("{site}/litellm-1.82.8.dist-info/INSTALLER"), "pip\n")
        .file(&format!("{site}/litellm_init.pth"), "import os\n")
        .file(&format!("{root}/home/bob/v/pyvenv.cfg"), "home = /usr/bin\n")
}

#[test]
fn the_files_of_another_system_ran_there() {
    let passwd = "root:x:0:0:root:/root:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n";
    let of_bob = "/cases/7/home/bob/.aws/credentials";
    let copy = || copied("cases/7").file("cases/7/etc/passwd", passwd).file("etc/machine-id", "aa\n");
    assert_eq!(reach(&copy(), OF_ALICE), "out_of_reach likely no");
    assert_eq!(reach(&copy(), of_bob), "harvested likely now");
    // A backup of this machine: what stands in it ran here.
    assert_eq!(reach(&copy().file("cases/7/etc/machine-id", "aa\n"), OF_ALICE), "harvested likely now");
    assert_eq!(reach(&copy().file("cases/7/etc/machine-id", "bb\n"), OF_ALICE), "out_of_reach likely no");
    // Something here starts it; it is no system; it has a list that is none.
    let started = copy().file("etc/rc.local", "/cases/7/home/bob/v/bin/python x\n");
    assert_eq!(reach(&started, OF_ALICE), "harvested likely now");
    assert_eq!(reach(&copied("cases/7"), OF_ALICE), "harvested likely now");
    assert_eq!(reach(&copied("cases/7").file("cases/7/etc/passwd", "notes\n"), OF_ALICE), "harvested likely now");
}

/// Exposure of the version in alice's environment, and whether this file is named as what starts it.
fn started(machine: &Machine, file: &str) -> (String, bool) {
    let (report, _) = report(machine.root());
    let findings = report["incidents"][0]["findings"].as_array().unwrap();
    let version = findings.iter().find(|f| f["kind"] == "package").unwrap();
    let reason = version["reason"].as_str().unwrap();
    (version["exposure"].as_str().unwrap().to_owned(), reason.contains(file))
}

#[test]
fn what_is_enabled_starts_by_itself() {
    let machine = || Machine::new().venv("v").dist("litellm", "1.82.8").site_file("litellm_init.pth", "import os\n");
    let unit = "[Service]\nExecStart=/home/alice/v/bin/app\n[Install]\nWantedBy=multi-user.target\n";
    let path = "etc/systemd/system/app.service";
    let off = machine().file(path, unit);
    assert_eq!(started(&off, path), ("installed".to_owned(), true));
    let folder = "etc/systemd/system/multi-user.target.wants";
    let on = machine().file(path, unit).file(&format!("{folder}/other.service"), "");
    symlink("/etc/systemd/system/app.service", on.root().join(folder).join("app.service")).unwrap();
    assert_eq!(started(&on, folder), ("executed".to_owned(), true));
    // One that nothing is to want, as its timer starts it.
    let timed = machine().file(path, "[Service]\nExecStart=/home/alice/v/bin/python x\n");
    assert_eq!(started(&timed, path), ("executed".to_owned(), true));

    let script = "#!/bin/sh\nDAEMON=/home/alice/v/bin/python\n$DAEMON x\n";
    let init = |link: Option<&str>| {
        let machine = machine().file("etc/init.d/app", script).file("etc/rc2.d/README", "");
        if let Some(link) = link {
            symlink("../init.d/app", machine.root().join("etc/rc2.d").join(link)).unwrap();
        }
        started(&machine, "etc/").0
    };
    assert_eq!((init(None), init(Some("S01app")), init(Some("K01app"))), {
        let (off, on) = ("installed".to_owned(), "executed".to_owned());
        (off.clone(), on, off)
    });
}

#[test]
fn what_only_the_working_folder_names_is_possible() {
    let machine = || Machine::new().venv("v").dist("litellm", "1.82.8").site_file("litellm_init.pth", "import os\n");
    let pipeline = "pipeline { environment { AWS_SECRET_ACCESS_KEY = 'wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzKEYa' } }\n";
    let found = machine().home("p/Jenkinsfile", pipeline).home(".aws/credentials", KEY);
    assert_eq!(reach(&found, "/home/alice/p/Jenkinsfile"), "harvested possible soon");
    assert_eq!(reach(&found, OF_ALICE), "harvested likely now");
    // The payload reads the homes of Linux only; that was read in its code, and is no reason to wait.
    let mac = machine().file("Users/al/.aws/credentials", KEY).file("Users/al/.aws/sso/cache/a.json", SSO);
    assert_eq!(reach(&mac, "/Users/al/.aws/credentials"), "exposed possible now");
    assert_eq!(reach(&mac, "/Users/al/.aws/sso/cache/a.json"), "exposed possible soon");
    let (report, _): (Value, i32) = report(found.root());
    let items = report["checklist"].as_array().unwrap();
    let why = |urgency: &str| {
        let mut of = items.iter().filter(|i| i["urgency"] == urgency).map(|i| i["why"].as_str().unwrap().to_owned());
        of.any(|why| why.starts_with("possibly harvested by litellm-2026-03"))
    };
    assert!(why("soon") && !why("now"));
}
