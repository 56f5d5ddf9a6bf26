//! What is found, at which exposure, and why.

use crate::{
    machine::{Machine, PYC},
    program::{exposure, finding, findings, report},
};

const SITE: &str = "/home/alice/app/.venv/lib/python3.11/site-packages";

fn dragged_in() -> Machine {
    Machine::new()
        .venv("app/.venv")
        .dist_requiring("my-plugin", "0.3.0", &["dspy>=2"])
        .requested("my-plugin", "0.3.0")
        .dist_requiring("dspy", "2.6.0", &["litellm>=1.60 ; python_version >= '3.8'"])
        .dist("litellm", "1.82.8")
}

#[test]
fn an_installed_version_says_why_it_is_there() {
    let (report, code) = report(dragged_in().root());
    assert_eq!((exposure(&report), code), ("installed", 1));
    let found = finding(&report, "pypi/litellm@1.82.8", "METADATA");
    assert_eq!(found["confidence"], "confirmed");
    assert_eq!(found["environment"]["path"], "/home/alice/app/.venv");
    assert_eq!(found["environment"]["kind"], "venv");
    assert_eq!(found["at_source"], "mtime of INSTALLER");
    let chain: Vec<String> = found["chain"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| format!("{}/{}/{}", l["name"], l["requirement"], l["requested"]))
        .collect();
    assert_eq!(chain, ["\"my-plugin\"/null/true", "\"dspy\"/\"dspy>=2\"/false", "\"litellm\"/\"litellm>=1.60\"/false"]);
}

#[test]
fn a_hook_in_a_target_folder_belongs_to_it() {
    let info = |folder: &str| format!("{folder}/litellm-1.82.8.dist-info/METADATA");
    let metadata = "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n";
    let machine = Machine::new()
        .home(&info("layer"), metadata)
        .home("layer/litellm-1.82.8.dist-info/INSTALLER", "pip\n")
        .home("layer/litellm_init.pth", "import os\n")
        .home(&info(".cache/uv/archive-v0/SwJqFGqkJxEEAgSd"), metadata)
        .home(".cache/uv/archive-v0/SwJqFGqkJxEEAgSd/litellm_init.pth", "import os\n")
        .home("loose/litellm_init.pth", "import os\n");
    let (report, _) = report(machine.root());
    let hook = |folder: &str| {
        let found = finding(&report, "path/site:litellm_init.pth", folder);
        format!("{}/{} in {}", found["exposure"], found["confidence"], found["environment"]["path"]).replace('"', "")
    };
    assert_eq!(hook("/layer/"), "installed/likely in /home/alice/layer");
    assert_eq!(hook("archive-v0"), "cached/likely in null");
    assert_eq!(hook("/loose/"), "cached/likely in null");
}

#[test]
fn an_environment_of_windows_is_known_by_its_mark() {
    let machine =
        Machine::new().file("Users/al/app/.venv/pyvenv.cfg", "home = C:\\Python312\r\nversion = 3.12.1\r\n").file(
            "Users/al/app/.venv/Lib/site-packages/litellm-1.82.8.dist-info/METADATA",
            "Metadata-Version: 2.1\r\nName: litellm\r\nVersion: 1.82.8\r\n",
        );
    let (report, _) = report(machine.root());
    let found = finding(&report, "pypi/litellm@1.82.8", "Lib/site-packages");
    assert_eq!(found["environment"]["path"], "/Users/al/app/.venv");
    assert_eq!(found["environment"]["kind"], "venv");
}

#[test]
fn an_unpacked_egg_is_its_own_environment_and_a_build_folder_none() {
    let metadata = "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n";
    let machine = Machine::new()
        .home("app/litellm-1.82.8-py3.8.egg/EGG-INFO/PKG-INFO", metadata)
        .home("src/build/bdist.linux-x86_64/egg/EGG-INFO/PKG-INFO", metadata);
    let (report, _) = report(machine.root());
    let egg = finding(&report, "pypi/litellm@1.82.8", "/app/");
    assert_eq!(
        (&egg["exposure"], &egg["environment"]["path"]),
        (&"installed".into(), &"/home/alice/app/litellm-1.82.8-py3.8.egg".into())
    );
    assert_eq!(finding(&report, "pypi/litellm@1.82.8", "/build/")["exposure"], "cached");
}

#[test]
fn a_chain_starts_at_what_the_project_asks_for() {
    let chain = |manifest: &str| {
        let machine = Machine::new()
            .home(manifest, "[project]\nname = 'app'\ndependencies = ['dspy>=2']\n")
            .venv("app/.venv")
            .dist_requiring("my-plugin", "0.3.0", &["dspy"])
            .dist_requiring("dspy", "2.6.0", &["litellm"])
            .dist("litellm", "1.82.8");
        let (report, _) = report(machine.root());
        let links = finding(&report, "pypi/litellm@1.82.8", "METADATA")["chain"].as_array().unwrap().clone();
        links.iter().map(|l| format!("{}{}", l["name"], l["requested"])).collect::<Vec<_>>()
    };
    assert_eq!(chain("app/pyproject.toml"), ["\"dspy\"true", "\"litellm\"false"]);
    // A manifest elsewhere says nothing of this environment.
    assert_eq!(chain("other/pyproject.toml"), ["\"my-plugin\"false", "\"dspy\"false", "\"litellm\"false"]);
}

#[test]
fn two_environments_of_one_machine_are_judged_apart() {
    let machine = dragged_in().venv("other").dist("litellm", "1.82.6").venv("third").dist("litellm", "1.82.7");
    let (report, _) = report(machine.root());
    assert_eq!(
        findings(&report),
        [
            format!(
                "installed/confirmed pypi/litellm@1.82.7 {}/litellm-1.82.7.dist-info/METADATA",
                SITE.replace("app/.venv", "third")
            ),
            format!("installed/confirmed pypi/litellm@1.82.8 {SITE}/litellm-1.82.8.dist-info/METADATA"),
        ]
    );
}

#[test]
fn a_hook_left_behind_is_installed_and_the_reason_says_when_it_runs() {
    let machine =
        Machine::new().venv("app/.venv").dist("requests", "2.32.0").site_file("litellm_init.pth", "import os\n");
    let (report, _) = report(machine.root());
    assert_eq!(findings(&report), [format!("installed/likely path/site:litellm_init.pth {SITE}/litellm_init.pth")]);
    let reason = finding(&report, "path/site:litellm_init.pth", "litellm_init.pth")["reason"].as_str().unwrap();
    assert!(reason.contains("at every Python start"), "{reason}");
}

#[test]
fn companions_count_beside_their_hook_only() {
    let beside = Machine::new()
        .venv("app/.venv")
        .site_file("cook.pth", "import cook\n")
        .site_file("cook.py", "x = 1\n")
        .site_file("sitecustomize.py", "x = 1\n");
    let (report_beside, _) = report(beside.root());
    assert_eq!(findings(&report_beside).len(), 3);
    let alone =
        Machine::new().venv("app/.venv").site_file("cook.py", "x = 1\n").site_file("sitecustomize.py", "x = 1\n");
    let (report_alone, _) = report(alone.root());
    assert_eq!(exposure(&report_alone), "none");
}

#[test]
fn the_payloads_own_traces_mean_that_it_ran() {
    let machine = Machine::new()
        .home(".config/sysmon/sysmon.py", "# inert\n")
        .home(
            ".config/systemd/user/sysmon.service",
            "[Service]\nExecStart=/usr/bin/python3 %h/.config/sysmon/sysmon.py\n",
        )
        .file("tmp/.pg_state", "x")
        .file("tmp/remote_code_loader.lock", "");
    let (report, code) = report(machine.root());
    assert_eq!(code, 1);
    assert_eq!(
        findings(&report),
        [
            "executed/confirmed path/tmp/.pg_state /tmp/.pg_state",
            "executed/confirmed path/tmp/remote_code_loader.lock /tmp/remote_code_loader.lock",
            "executed/confirmed path/~/.config/sysmon/sysmon.py /home/alice/.config/sysmon/sysmon.py",
            "executed/confirmed path/~/.config/systemd/user/sysmon.service /home/alice/.config/systemd/user/sysmon.service",
        ]
    );
}

#[test]
fn a_hook_where_nothing_loads_it_is_only_stored() {
    let machine = Machine::new().home("notes/litellm_init.pth", "import os\n");
    let (report, _) = report(machine.root());
    assert_eq!(findings(&report), ["cached/likely path/site:litellm_init.pth /home/alice/notes/litellm_init.pth"]);
}

#[test]
fn bytecode_that_the_installer_did_not_make_means_that_it_was_imported() {
    let pyc = "litellm/proxy/__pycache__/proxy_server.cpython-311.pyc";
    let installed = || Machine::new().venv("app/.venv").dist("litellm", "1.82.7");
    let imported = installed().site_file(pyc, PYC);
    let (report_imported, _) = report(imported.root());
    assert_eq!(
        findings(&report_imported),
        [
            format!("executed/likely bytecode/proxy_server {SITE}/{pyc}"),
            format!("installed/confirmed pypi/litellm@1.82.7 {SITE}/litellm-1.82.7.dist-info/METADATA"),
        ]
    );
    let compiled = installed().site_file(pyc, PYC);
    let record = compiled.root().join(format!("{}/litellm-1.82.7.dist-info/RECORD", &SITE[1..]));
    std::fs::write(record, format!("{pyc},,\n")).unwrap();
    let (report_compiled, _) = report(compiled.root());
    assert_eq!(exposure(&report_compiled), "installed");
}

#[test]
fn a_second_run_of_pip_means_that_the_hook_ran() {
    let machine = Machine::new()
        .venv("app/.venv")
        .dist("litellm", "1.82.8")
        .owned("litellm", "1.82.8", "litellm_init.pth", "import os\n")
        .dist("requests", "2.32.0");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    for file in ["litellm-1.82.8.dist-info/INSTALLER", "litellm-1.82.8.dist-info/METADATA", "litellm_init.pth"] {
        let file = std::fs::File::options().append(true).open(machine.root().join(&SITE[1..]).join(file)).unwrap();
        file.set_modified(old).unwrap();
    }
    let (report, _) = report(machine.root());
    let hook = finding(&report, "path/site:litellm_init.pth", "litellm_init.pth");
    assert_eq!((hook["exposure"].as_str(), hook["confidence"].as_str()), (Some("executed"), Some("likely")));
    assert!(hook["reason"].as_str().unwrap().contains("pip, which is Python, ran there again"));
}

#[test]
fn anomalies_never_change_the_verdict() {
    let machine = Machine::new()
        .venv("app/.venv")
        .dist("requests", "2.32.0")
        .site_file("evil.pth", "import base64, subprocess\n")
        .owned("requests", "2.32.0", "owned.pth", "import os\n");
    let (report, code) = report(machine.root());
    assert_eq!((exposure(&report), code), ("none", 0));
    let anomalies = report["anomalies"].as_array().unwrap();
    assert_eq!(anomalies.len(), 1);
    assert_eq!(anomalies[0]["what"], "start-up code that no distribution owns; it uses base64, subprocess");
    let machine = machine.site_file("owned.pth", "import evil\n");
    let (report, _) = crate::program::report(machine.root());
    assert_eq!(report["anomalies"][1]["what"], "its bytes differ from what RECORD says");
}

#[test]
fn deep_compares_every_file_with_its_record() {
    let machine = Machine::new()
        .venv("app/.venv")
        .dist("requests", "2.32.0")
        .owned("requests", "2.32.0", "requests/api.py", "good\n")
        .owned("requests", "2.32.0", "requests/same.py", "same\n")
        .owned("requests", "2.32.0", "../../../bin/tool", "#!/bin/sh\n")
        .site_file("requests/api.py", "changed\n");
    assert!(report(machine.root()).0["anomalies"].as_array().unwrap().is_empty());
    let (report, code) = crate::program::report_with(machine.root(), &["--deep"]);
    let anomalies = report["anomalies"].as_array().unwrap();
    assert_eq!((code, anomalies.len()), (0, 1), "{anomalies:#?}");
    assert_eq!(anomalies[0]["what"], "its bytes differ from what RECORD says");
    assert_eq!(anomalies[0]["location"]["path"], format!("{SITE}/requests/api.py"));
}

#[test]
fn whatever_starts_the_backdoor_is_found_under_any_name() {
    let machine = Machine::new()
        .file("var/spool/cron/crontabs/alice", "# nightly\n@reboot python3 /home/alice/.config/sysmon/sysmon.py\n")
        .home(
            ".config/systemd/user/updates.service",
            "[Service]\nExecStart=/usr/bin/python3 %h/.config/sysmon/sysmon.py\n",
        );
    let (bad, _) = report(machine.root());
    assert_eq!(findings(&bad).len(), 2, "{:#?}", findings(&bad));
    assert!(findings(&bad).iter().all(|f| f.starts_with("executed/likely process/.config/sysmon/sysmon.py")));
    let good = Machine::new()
        .file("etc/cron.d/backup", "0 3 * * * root /usr/bin/backup\n# look for /root/.config/sysmon/sysmon.py\n")
        .home(".config/systemd/user/updates.service", "[Service]\nExecStart=/usr/bin/updates\n");
    assert_eq!(exposure(&report(good.root()).0), "none");
}

#[test]
fn deep_reports_a_record_that_it_cannot_follow() {
    // A name longer than the system allows: the file, if it is there, cannot be opened.
    let machine =
        Machine::new().venv("app/.venv").dist("requests", "2.32.0").owned("requests", "2.32.0", "a.py", "x\n");
    let site = machine.root().join(&SITE[1..]);
    let long = "d/".repeat(200) + "x.py";
    let record = format!("{}{long},sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n", "n".repeat(300));
    std::fs::write(site.join("requests-2.32.0.dist-info/RECORD"), record).unwrap();
    let (report, code) = crate::program::report_with(machine.root(), &["--deep"]);
    let gaps = report["coverage"]["gaps"].as_array().unwrap();
    assert_eq!((code, gaps.len()), (3, 1), "{gaps:#?}");
    assert_eq!((gaps[0]["surface"].as_str(), gaps[0]["kind"].as_str()), (Some("python/record"), Some("unreadable")));
}
