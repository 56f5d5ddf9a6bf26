//! Places that are found by what points to them: links of editable installs, included files, named keys, habits.

use std::{fs, os::unix::fs::symlink};

use serde_json::Value;

use crate::{
    machine::Machine,
    program::{finding, findings, report, report_with, run},
};

const SITE: &str = "srv/v/lib/python3.11/site-packages";
const INFO: &str = "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n\n";

fn linked(name: &str, text: &str, info: &str) -> Value {
    let machine = Machine::new()
        .file("srv/v/pyvenv.cfg", "home = /usr/bin\n")
        .file(&format!("{SITE}/{name}"), text)
        .file(&format!("{info}/litellm.egg-info/PKG-INFO"), INFO);
    report(machine.root()).0
}

#[test]
fn code_that_is_installed_in_place_is_installed() {
    let direct = r#"{"url": "file:///srv/litellm", "dir_info": {"editable": true}}"#;
    for (name, text, folder) in [
        ("litellm.egg-link", "/srv/litellm\n.", "srv/litellm"),
        ("easy-install.pth", "/srv/other\n/srv/litellm\n", "srv/litellm"),
        ("__editable__.litellm-1.82.8.pth", "/srv/litellm/src\n", "srv/litellm/src"),
        ("litellm.pth", "../../../../litellm\n", "srv/litellm"),
        ("__editable___litellm_1_82_8_finder.py", "MAPPING = {'litellm': '/srv/litellm/litellm'}\n", "srv/litellm"),
        ("litellm-1.82.8.dist-info/direct_url.json", direct, "srv/litellm/src"),
    ] {
        let report = linked(name, text, folder);
        let want = format!("installed/confirmed pypi/litellm@1.82.8 /{folder}/litellm.egg-info/PKG-INFO");
        let mut wanted = vec![want];
        // The folder of a distribution says what it is called, also where it holds no description.
        if name.ends_with("direct_url.json") {
            wanted.push(format!("installed/possible pypi/litellm@1.82.8 /{SITE}/litellm-1.82.8.dist-info/METADATA"));
        }
        assert_eq!(findings(&report), wanted, "{name}");
        let finding = finding(&report, "pypi/litellm@1.82.8", "PKG-INFO");
        assert_eq!(finding["environment"]["path"], "/srv/v", "{name}");
        assert!(finding["reason"].as_str().unwrap().contains(&format!("/{SITE}/{name}")), "{finding}");
    }
}

#[test]
fn sources_that_nothing_links_to_are_stored() {
    for (name, text) in [
        ("easy-install.pth", "# /srv/litellm\n/srv/litellm2\n/srv\n"),
        ("x.pth", "import os; '/srv/litellm'\n"),
        ("x-1.dist-info/direct_url.json", r#"{"url": "file:///srv/litellm", "dir_info": {}}"#),
        ("litellm.egg-link.bak", "/srv/litellm\n"),
        ("../../../easy-install.pth", "/srv/litellm\n"),
    ] {
        let want = ["cached/confirmed pypi/litellm@1.82.8 /srv/litellm/litellm.egg-info/PKG-INFO"];
        assert_eq!(findings(&linked(name, text, "srv/litellm")), want, "{name}");
    }
}

#[test]
fn included_files_stay_in_the_tree_and_are_read_once() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("out.txt"), "litellm==1.82.8\n").unwrap();
    let escape = outside.path().join("out.txt").to_string_lossy().into_owned();
    let machine = Machine::new()
        .file(
            "p/requirements.txt",
            format!("-r a.list\n-r {escape}\n-r link.list\n-r folder\n-r ../../../../../../../p/b.list\n"),
        )
        .file("p/a.list", "-r requirements.txt\n-r a.list\nlitellm==1.82.8\n")
        .file("p/b.list", "litellm==1.82.7\n")
        .file("p/folder/x", "");
    symlink(&escape, machine.root().join("p/link.list")).unwrap();
    let (report, _) = report(machine.root());
    let want = [
        "referenced/confirmed pypi/litellm@1.82.7 /p/b.list:1",
        "referenced/confirmed pypi/litellm@1.82.8 /p/a.list:3",
    ];
    assert_eq!(findings(&report), want);
    assert_eq!(report["coverage"]["gaps"].as_array().unwrap().len(), 0);
}

#[test]
fn a_file_named_by_hand_brings_what_it_includes() {
    let machine = Machine::new()
        .file("p/requirements.txt", "-r base.list\n-r dev-requirements.txt\n-r ../far.list\n")
        .file("p/base.list", "litellm==1.82.8\n")
        .file("p/dev-requirements.txt", "litellm==1.82.7\n")
        .file("far.list", "litellm==1.82.6\n");
    let path = machine.root().join("p/requirements.txt");
    let said = run(["scan", path.to_str().unwrap(), "--format", "json"]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    let found = findings(&report);
    assert_eq!(found.len(), 2, "{found:?}");
    let left_out = report["coverage"]["exclusions"].to_string();
    assert!(left_out.contains("far.list") && left_out.contains("another file names it"), "{left_out}");
}

#[test]
fn a_thousand_includes_of_each_other_end() {
    let mut machine = Machine::new().file("p/requirements.txt", "-r 0.list\n");
    for n in 0..300 {
        let others: String = (0..300).map(|o| format!("-r {o}.list\n")).collect();
        machine = machine.file(&format!("p/{n}.list"), others);
    }
    let machine = machine.file("p/299.list", "litellm==1.82.8\n");
    let (report, code) = report_with(machine.root(), &["--only", "python/requirements"]);
    assert_eq!((findings(&report).len(), code), (1, 1));
    let surfaces = report["coverage"]["surfaces"].as_array().unwrap();
    assert_eq!(surfaces.iter().find(|s| s["id"] == "python/requirements").unwrap()["files"], 301);
}

fn credentials(report: &Value) -> Vec<String> {
    let list = report["credentials"].as_array().unwrap().iter();
    let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
    let mut all: Vec<String> = list
        .map(|c| {
            let sure = &c["reach_by"][0]["confidence"];
            let words = [&c["kind"], &c["location"]["path"], &c["identifier"], &c["reach"], sure].map(text);
            words.join(" ")
        })
        .collect();
    all.sort();
    all
}

fn bad() -> Machine {
    Machine::new().venv("app/.venv").dist("litellm", "1.82.8").site_file("litellm_init.pth", "import os\n")
}

#[test]
fn kubeconfigs_stand_where_people_keep_them() {
    let config = |user: &str| {
        format!("apiVersion: v1\nkind: Config\nusers:\n- name: {user}\n  user:\n    token: abcdefghijklmnop\n")
    };
    let machine = bad()
        .home(".kube/config.d/customer_1", config("cust1"))
        .home(".kube/configs/stage.yaml", config("stage"))
        .home(".kube/config-prod", config("prod"))
        .home("deploy/eu.kubeconfig", config("eu"))
        .home(".kube/config.d/notes.txt", "token: of the stage\n")
        .home(".kube/kubens/x", config("no"))
        .home("deploy/values.yaml", config("no"));
    let (report, _) = report(machine.root());
    let kube = |path: &str, user: &str| format!("k8s.kubeconfig_token /home/alice/{path} {user} exposed possible");
    let want = [
        kube(".kube/config-prod", "prod"),
        kube(".kube/config.d/customer_1", "cust1"),
        kube(".kube/configs/stage.yaml", "stage"),
        kube("deploy/eu.kubeconfig", "eu"),
    ];
    assert_eq!(credentials(&report), want);
    assert_eq!(report["coverage"]["gaps"].as_array().unwrap().len(), 0);
}

#[test]
fn keys_lie_where_settings_say() {
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n";
    let machine = bad()
        .home(".ssh/config", "Include more/*\nHost prod\n  IdentityFile \"~/my keys/prod\"\n  IdentityFile ~/missing\n")
        .home(".ssh/more/a", "IdentityFile /srv/keys/deploy\n")
        .home("my keys/prod", key)
        .home("my keys/other", key)
        .home(".gitconfig", "[core]\n  sshCommand = ssh -i ~/git_key\n")
        .home("git_key", key)
        .file("srv/keys/deploy", key)
        .file("srv/keys/unnamed", key);
    let (report, _) = report(machine.root());
    let mut keys: Vec<String> = report["credentials"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["kind"] == "ssh.user_private_key")
        .map(|c| c["location"]["path"].as_str().unwrap().to_owned())
        .collect();
    keys.sort();
    assert_eq!(keys, ["/home/alice/git_key", "/home/alice/my keys/prod", "/srv/keys/deploy"]);
}

#[test]
fn what_a_payload_greps_for_is_harvested_though_its_folder_is_not_known() {
    let hook = "https://hooks.slack.com/services/T0ABCDEF1/B0ABCDEF2/abcdefghijklmnopqrstuvwx";
    let machine = bad()
        .home(".helm/repository/repositories.yaml", "repositories:\n- name: x\n  username: u\n  password: S3cr3tPw9x\n")
        .home("p/Jenkinsfile", "pipeline { environment { DEPLOY_TOKEN = 'wJalrXUtnFEMIK7MDENGbPxRfi' } }\n")
        .home("p/config.json", format!("{{\"slack\":\"{hook}\"}}"))
        .home("p/alerts.yml", format!("- url: {hook}\n"))
        .home("p/notes.md", hook)
        .home(".cache/x/config.json", hook)
        .home("p/node_modules/x/config.json", hook);
    let (report, _) = report(machine.root());
    let want = [
        "ci.others /home/alice/p/Jenkinsfile - harvested possible",
        "k8s.addons /home/alice/.helm/repository/repositories.yaml x harvested likely",
        "slack.tokens /home/alice/p/alerts.yml T0ABCDEF1/B0ABCDEF2 harvested possible",
        "slack.tokens /home/alice/p/config.json T0ABCDEF1/B0ABCDEF2 harvested possible",
    ];
    assert_eq!(credentials(&report), want);
    assert!(!report.to_string().contains("abcdefghijklmnopqrstuvwx"));
}

#[test]
fn a_layer_in_an_engine_s_store_reaches_the_container_and_not_the_machine() {
    let key = |id: &str| {
        format!(
            "[default]\naws_access_key_id = AKIA{id}\naws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY0\n"
        )
    };
    let reached = |layer: &str| -> Vec<String> {
        let site = format!("{layer}/usr/local/lib/python3.11/site-packages");
        let machine = Machine::new()
            .file(&format!("{site}/litellm-1.82.8.dist-info/METADATA"), "Name: litellm\nVersion: 1.82.8\n")
            .file(&format!("{site}/litellm_init.pth"), "import os\n")
            .file(&format!("{layer}/root/.aws/credentials"), key("I44QH8DHBEXAMPLE"))
            .home(".aws/credentials", key("IOSFODNN7EXAMPLE"));
        let (report, code) = report(machine.root());
        assert_eq!(code, 1);
        let list = report["credentials"].as_array().unwrap().iter();
        let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
        let mut all: Vec<String> =
            list.map(|c| [&c["location"]["path"], &c["reach"], &c["rotate"]].map(text).join(" ")).collect();
        all.sort();
        all
    };
    for layer in [
        "/var/lib/docker/overlay2/0a1b/diff",
        "/home/alice/.local/share/containers/storage/overlay/0a1b/diff",
        "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/7/fs",
    ] {
        let host = "/home/alice/.aws/credentials exposed soon".to_owned();
        let mut expected = vec![host, format!("{layer}/root/.aws/credentials harvested now")];
        expected.sort();
        assert_eq!(reached(layer), expected);
    }
    // A folder that only looks like one is the machine's own.
    let own = reached("/srv/overlay/0a1b/diff");
    assert!(own.contains(&"/home/alice/.aws/credentials harvested now".to_owned()), "{own:?}");
}

#[test]
fn what_root_starts_reaches_what_root_can_read() {
    let key = "[default]\naws_access_key_id = AKIAI44QH8DHBEXAMPLE\naws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY0\n";
    let judged = |path: &str, text: &str| {
        let machine = bad().file(path, text).file("root/.aws/credentials", key);
        let root = machine.root();
        rustix::fs::chmod(root.join("root/.aws/credentials"), rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
        // As an ordinary user all files are that user's: only what the reason says is looked at then.
        let (report, _) = report(root);
        let found = findings(&report);
        let why = report["incidents"][0]["findings"].as_array().unwrap().iter();
        let by = why.filter(|f| f["reason"].as_str().unwrap().contains("by itself, as `root`")).count();
        (found.iter().filter(|f| f.starts_with("executed/likely")).count(), by)
    };
    let python = "/home/alice/app/.venv/bin/python";
    for (path, text) in [
        ("etc/systemd/system/app.service", format!("[Service]\nExecStart={python} /srv/app.py\n")),
        ("etc/cron.d/job", format!("*/5 * * * * root {python} /srv/job.py\n")),
        ("etc/cron.daily/job", format!("#!/bin/sh\n{python} /srv/job.py\n")),
    ] {
        assert_eq!(judged(path, &text), (2, 2), "{path}");
    }
    for (path, text) in [
        ("etc/systemd/system/app.service", "[Service]\nExecStart=/srv/other/bin/python /srv/app.py\n".to_owned()),
        ("etc/cron.d/job", format!("# */5 * * * * root {python} /srv/job.py\n")),
        ("srv/cron.d/job", format!("*/5 * * * * root {python} /srv/job.py\n")),
    ] {
        assert_eq!(judged(path, &text), (0, 0), "{path}");
    }
}
