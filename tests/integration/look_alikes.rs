//! What must not be found. Each case stands beside one in `exposure`.

use crate::{
    machine::{Machine, PYC},
    program::{self, exposure, findings, report},
};

/// Nothing found, everything examined, exit code 0.
fn nothing(machine: &Machine) {
    let (report, code) = report(machine.root());
    assert_eq!((exposure(&report), code), ("none", 0), "{:#?} {:#?}", findings(&report), report["coverage"]["gaps"]);
    assert!(report["checklist"].as_array().unwrap().is_empty());
    assert!(!report.to_string().contains("clean\""));
}

#[test]
fn good_versions() {
    for version in ["1.82.6", "1.83.0", "1.82.80", "1.82.8.post1", "1.106.2", "1.108.0", "11.82.8"] {
        nothing(&Machine::new().venv("v").dist("litellm", version));
    }
    nothing(&Machine::new().venv("v").dist("litellm-proxy-extras", "1.82.8").dist("litellm_enterprise", "1.82.8"));
}

#[test]
fn usual_hooks_and_editable_installs() {
    let distutils = "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; \
                     enabled and __import__('_distutils_hack').add_shim(); ";
    let machine = Machine::new()
        .venv("v")
        .dist("setuptools", "84.2.1")
        .owned("setuptools", "84.2.1", "distutils-precedence.pth", distutils)
        .dist("pkg", "1.0")
        .owned("pkg", "1.0", "__editable__.pkg-1.0.pth", "/home/alice/src/pkg\n")
        .owned("pkg", "1.0", "a1_coverage.pth", "import sys; exec('import os')\n")
        .site_file("_virtualenv.pth", "import _virtualenv")
        .site_file(
            "PEX_EXTRA_SYS_PATH.pth",
            "import PEX_EXTRA_SYS_PATH; PEX_EXTRA_SYS_PATH.extend_sys_path(legacy=True)\n",
        )
        .site_file("easy-install.pth", "./six-1.17.0-py3.8.egg\n")
        .file(
            "usr/lib/python3.11/sitecustomize.py",
            "try:\n    import apport_python_hook\nexcept ImportError:\n    pass\n",
        )
        .file("usr/lib/python3/dist-packages/zope.pth", "# a comment\n/usr/share/x\n");
    nothing(&machine);
    let (report, _) = report(machine.root());
    assert_eq!(report["anomalies"].as_array().unwrap().len(), 0, "{:#?}", report["anomalies"]);
}

#[test]
fn other_products_files() {
    nothing(
        &Machine::new()
            .venv("v")
            .dist("sentry-sdk", "2.0.0")
            .owned("sentry-sdk", "2.0.0", "sentry_sdk/integrations/litellm.py", "x = 1\n")
            .site_file("requests/__pycache__/cookies.cpython-311.pyc", PYC)
            .site_file("litellm/proxy/proxy_server.py", "good = 1\n")
            .site_file("litellm/proxy/__pycache__/proxy_server.cpython-311.pyc", PYC)
            .home(".config/systemd/user/sysmon.service", "[Unit]\nDescription=Sysinternals Sysmon\n")
            .file("etc/systemd/system/sysmon.service", "[Service]\nExecStart=/opt/sysmon/sysmon -i\n")
            .file("opt/sysmon/sysmon.py", "x\n")
            .home("src/sysmon/sysmon.py", "x\n"),
    );
}

#[test]
fn talk_about_it() {
    nothing(
        &Machine::new()
            .home("iocs.csv", "litellm,1.82.8\nmodels.litellm.cloud\n71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238\n")
            .home("advisory.md", "Uninstall litellm==1.82.8; look for ~/.config/sysmon/sysmon.py\n")
            .home("dosimeter/iocs/incidents/litellm-2026-03.json", include_str!("../../iocs/incidents/litellm-2026-03.json"))
            .home("rules.yar", "rule x { strings: $a = \"checkmarx.zone\" condition: $a }\n"),
    );
}

#[test]
fn a_sinkhole_is_a_defence() {
    nothing(
        &Machine::new()
            .file("etc/hosts", "127.0.0.1 localhost\n0.0.0.0 checkmarx.zone # blocked\n:: models.litellm.cloud\n"),
    );
    let (report, code) = report(Machine::new().file("etc/hosts", "6.6.6.6 x.checkmarx.zone\n").root());
    assert_eq!((exposure(&report), code), ("referenced", 1));
    nothing(&Machine::new().file("etc/hosts", "6.6.6.6 notcheckmarx.zone checkmarx.zone.example\n"));
}

#[test]
fn this_projects_own_sources_indicators_and_fixtures() {
    let own = ["README.md", "CHANGELOG.md", "docs", "iocs", "src", "tests"];
    let own = own.map(|name| format!("{}/{name}", env!("CARGO_MANIFEST_DIR")));
    let said = program::run(["scan", "--format", "json"].into_iter().chain(own.iter().map(String::as_str)));
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let gaps = report["coverage"]["gaps"].as_array().unwrap();
    assert_eq!(exposure(&report), "none", "{:#?}", findings(&report));
    // What was named and holds nothing that is read is no silent all-clear; nothing else is a gap.
    let named = |gap: &serde_json::Value| {
        let detail = gap["detail"].as_str().unwrap();
        detail.starts_with("no surface understands this file") || detail.starts_with("no file in this folder")
    };
    assert!(said.code == 3 && gaps.iter().all(named), "{gaps:#?}");
}
