//! Content before name: hooks that run nothing, traces that only their name speaks for, what was only unpacked, whose a history is.

use std::fs;

use crate::{
    machine::Machine,
    program::{findings, report},
};

const SITE: &str = "home/alice/app/.venv/lib/python3.11/site-packages";

fn site() -> Machine {
    Machine::new().home("app/.venv/pyvenv.cfg", "home = /usr/bin\n")
}

fn in_site(machine: Machine, name: &str, text: &str) -> Machine {
    machine.file(&format!("{SITE}/{name}"), text)
}

fn found(machine: &Machine) -> Vec<String> {
    findings(&report(machine.root()).0)
}

#[test]
fn a_hook_that_runs_nothing_is_a_leftover_or_none() {
    let hook = format!("path/site:litellm_init.pth /{SITE}/litellm_init.pth");
    for (text, says) in [
        ("import os\n", "installed/likely"),
        ("# nothing\n/x\nimport os\n", "installed/likely"),
        ("", "removed/likely"),
        ("\n \n", "removed/likely"),
        ("# import os\n", "removed/likely"),
    ] {
        assert_eq!(found(&in_site(site(), "litellm_init.pth", text)), [format!("{says} {hook}")], "{text:?}");
    }
    for (name, text) in [
        ("litellm_init.pth", "/home/alice/src/litellm_init\n"),
        ("cook.pth", "/home/alice/src/cook\n"),
        ("elementary.pth", "# editable\n/home/alice/src/elementary\n"),
        ("cook.pth.bak", "/home/alice/src/cook\n"),
        ("other.pth.bak", "import os\n"),
    ] {
        assert!(found(&in_site(site(), name, text)).is_empty(), "{name} {text:?}");
    }
}

#[test]
fn a_hook_under_another_name_was_there() {
    for name in ["litellm_init.pth.bak", "litellm_init.pth.disabled", "litellm_init.pth~", ".litellm_init.pth"] {
        let got = found(&in_site(site(), name, "import os\n"));
        assert_eq!(got, [format!("removed/likely path/site:litellm_init.pth /{SITE}/{name}")]);
    }
}

#[test]
fn a_hook_that_record_lists_and_that_is_gone_was_there() {
    let info = "litellm-1.82.8.dist-info";
    let record = format!("litellm_init.pth,,\nlitellm/__init__.py,,\n{info}/RECORD,,\n");
    let about = "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n";
    let with = |hook: Option<&str>| {
        let machine = in_site(site(), &format!("{info}/METADATA"), about);
        let machine = in_site(machine, &format!("{info}/INSTALLER"), "pip\n");
        let machine = in_site(machine, &format!("{info}/RECORD"), &record);
        match hook {
            Some(text) => in_site(machine, "litellm_init.pth", text),
            None => machine,
        }
    };
    for gone in [None, Some(""), Some("/a/path\n")] {
        let (report, _) = report(with(gone).root());
        let reasons: Vec<String> = report["incidents"][0]["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| format!("{} {}", f["exposure"].as_str().unwrap(), f["reason"].as_str().unwrap()))
            .collect();
        let package = reasons.iter().find(|r| r.starts_with("installed")).unwrap();
        assert!(package.contains("no start of Python runs it now; it runs when"), "{gone:?}: {package}");
        assert!(reasons.iter().any(|r| r.starts_with("removed")), "{gone:?}: {reasons:?}");
    }
    let whole = found(&with(Some("import os\n")));
    assert!(whole.iter().all(|f| f.starts_with("installed/")), "{whole:?}");
    // The list of another project says nothing of this incident.
    let other = in_site(site(), "cook-1.0.dist-info/RECORD", "cook.pth,,\n");
    let other = in_site(other, "cook-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: cook\nVersion: 1.0\n");
    assert!(found(&other).is_empty());
}

#[test]
fn a_name_alone_is_a_possibility() {
    let alone = |path: &str, bytes: &[u8]| {
        let machine = Machine::new();
        let full = machine.root().join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, bytes).unwrap();
        found(&machine)
    };
    let says = |path: &str, bytes: &[u8], word: &str| {
        let got = alone(path, bytes);
        assert!(!got.is_empty() && got.iter().all(|f| f.starts_with(word)), "{path}: {got:?}");
    };
    says("tmp/pglog", b"2026-03-01 LOG: ready\n", "executed/possible");
    says("tmp/pglog", b"", "executed/possible");
    says("tmp/pglog", b"\x7fELF\x02\x01\x01", "executed/confirmed");
    says("tmp/.pg_state", b"x", "executed/possible");
    says("home/alice/.config/sysmon/sysmon.py", b"import psutil\n", "executed/possible");
    says("tmp/tpcp.tar.gz", b"x", "executed/confirmed");
}

#[test]
fn what_was_only_unpacked_is_stored() {
    let info = "litellm-1.82.8.dist-info";
    let about = "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n";
    let at = |folder: &str, installer: Option<&str>| {
        let machine = Machine::new().file(&format!("{folder}/{info}/METADATA"), about);
        let machine = machine.file(&format!("{folder}/{info}/RECORD"), "litellm/__init__.py,,\n");
        let machine = match installer {
            Some(name) => machine.file(&format!("{folder}/{info}/INSTALLER"), name),
            None => machine,
        };
        found(&machine).iter().map(|f| f.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for folder in [
        "home/alice/analysis/unpacked",
        "home/alice/src/tool/tests/data",
        "usr/lib/python3/dist-packages/foo/tests/data",
        "home/alice/src/app/tests/fixtures/venv/lib/python3.11/site-packages",
    ] {
        assert_eq!(at(folder, None), ["cached/confirmed"], "{folder}");
    }
    for (folder, installer) in [
        ("home/alice/lambda/package", Some("pip\n")),
        ("home/alice/lambda/package", Some("uv\n")),
        ("var/task", None),
        ("opt/python", None),
        ("usr/share/app/vendor", None),
        ("home/alice/v/lib/python3.11/site-packages", None),
        ("home/alice/v/lib/python3.11/site-packages/setuptools/_vendor", None),
        ("home/alice/.cache/pex/installed_wheels/0/1/litellm-1.82.8-py3-none-any.whl", None),
        ("home/alice/src/app/tests/fixtures/venv/lib/python3.11/site-packages", Some("pip\n")),
    ] {
        assert_eq!(at(folder, installer), ["installed/confirmed"], "{folder}");
    }
}

#[test]
fn a_history_counts_where_an_account_keeps_it() {
    let line = "pip install litellm==1.82.8\n";
    for (path, says) in [
        ("home/alice/.bash_history", "removed/likely"),
        ("root/.bash_history", "removed/likely"),
        ("srv/backup/alice/.bash_history", "referenced/likely"),
        ("home/alice/src/app/tests/fixtures/.bash_history", "referenced/likely"),
    ] {
        let machine = Machine::new().file(path, line);
        let got = found(&machine);
        assert!(got.len() == 1 && got[0].starts_with(says), "{path}: {got:?}");
    }
}

#[test]
fn versions_in_variables_beside_the_command() {
    for (line, version) in [
        ("V=1.82.8; pip install litellm==$V\n", "1.82.8"),
        ("export V=1.82.8 && pip install \"litellm==${V}\"\n", "1.82.8"),
        ("V=1.82.8 sh -c 'pip install litellm==$V'\n", "1.82.8"),
        ("env V=1.82.8 bash -c 'pip install litellm==$V'\n", "1.82.8"),
        ("pip install litellm==${V:-1.82.8}\n", "1.82.8"),
        ("set -x V 1.82.8; pip install litellm==$V\n", "1.82.8"),
    ] {
        let got = found(&Machine::new().home(".bash_history", line));
        assert!(got.len() == 1 && got[0].contains(version), "{line}: {got:?}");
    }
    for line in [
        "V=1.83.0; pip install litellm==$V\n",
        "pip install litellm==$V\n",
        "V=$(latest); pip install litellm==$V\n",
        "V=1.82.8; pip install other==$V\n",
    ] {
        assert!(found(&Machine::new().home(".bash_history", line)).is_empty(), "{line}");
    }
}
