//! What the real tools leave behind: venv and pip, uv, uv tool, pipx, the shells, and a container engine. `tests/run` installs them.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use crate::{
    index,
    program::{self, exposure, finding, findings, report},
};

static INDEX: LazyLock<String> = LazyLock::new(|| index::serve(index::stand_ins()));

/// A root with one home, and the tools of the tests.
struct Lab {
    root: tempfile::TempDir,
    tools: PathBuf,
}

impl Lab {
    fn new() -> Self {
        let tools =
            std::env::var_os("DOSIMETER_TEST_TOOLS").expect("run the tests with `tests/run`: it installs uv and pipx");
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("home/dev")).unwrap();
        Self { root, tools: tools.into() }
    }

    fn home(&self) -> PathBuf {
        self.root.path().join("home/dev")
    }

    fn tool(&self, name: &str) -> PathBuf {
        self.tools.join("bin").join(name)
    }

    /// Runs a tool with the lab's home, and expects it to succeed.
    #[allow(clippy::disallowed_methods, clippy::disallowed_types)] // the tools make the evidence
    fn run(&self, program: impl AsRef<OsStr>, args: &[&str]) {
        let output = Command::new(&program)
            .args(args)
            .current_dir(self.home())
            .env_clear()
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", self.tools.join("bin").display()))
            .env("HOME", self.home())
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .env("UV_PYTHON_DOWNLOADS", "never")
            .env("PIP_TRUSTED_HOST", INDEX.as_str())
            .env("PIP_INDEX_URL", format!("http://{}/simple", *INDEX))
            .env("UV_DEFAULT_INDEX", format!("http://{}/simple", *INDEX))
            .output()
            .unwrap_or_else(|e| panic!("{}: {e}", program.as_ref().to_string_lossy()));
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn venv(&self, name: &str) -> PathBuf {
        self.run(self.tool("python"), &["-m", "venv", name]);
        self.home().join(name).join("bin/python")
    }
}

fn chain(finding: &serde_json::Value) -> Vec<&str> {
    finding["chain"].as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap()).collect()
}

#[test]
fn pip_leaves_an_environment_and_a_cache() {
    let lab = Lab::new();
    let python = lab.venv("app/.venv");
    lab.run(&python, &["-m", "pip", "install", "-q", "my-plugin", "litellm<1.83"]);
    let (report, code) = report(lab.root.path());
    assert_eq!((exposure(&report), code), ("installed", 1), "{:#?}", findings(&report));
    let found = finding(&report, "pypi/litellm@1.82.8", "site-packages");
    assert_eq!(found["environment"]["kind"], "venv");
    let cached = finding(&report, "pypi/litellm@1.82.8", ".cache/pip/http");
    assert_eq!(cached["exposure"], "cached");
    assert_eq!(cached["artifact"]["name"], "litellm-1.82.8-py3-none-any.whl");
    let (_, body) = index::stand_ins().into_iter().find(|(n, _)| n.starts_with("litellm-1.82.8")).unwrap();
    use sha2::Digest as _;
    let hash: String = sha2::Sha256::digest(&body).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(cached["artifact"]["sha256"], hash);
}

#[test]
fn an_old_pip_and_a_new_one_keep_their_caches_apart() {
    for (pip, layout) in [("pip==23.2.1", "http/"), ("pip>=24", "http-v2/")] {
        let lab = Lab::new();
        let python = lab.venv("v");
        // The package index of the machine, not the lab's: it has pip.
        upgrade(&python, pip);
        lab.run(&python, &["-m", "pip", "download", "-q", "--no-deps", "-d", "wheels", "litellm==1.82.7"]);
        let (report, _) = report(lab.root.path());
        let cached = finding(&report, "pypi/litellm@1.82.7", layout);
        assert_eq!((cached["exposure"].as_str(), cached["confidence"].as_str()), (Some("cached"), Some("confirmed")));
        assert_eq!(finding(&report, "pypi/litellm@1.82.7", "wheels/litellm")["exposure"], "cached");
    }
}

#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // the tools make the evidence
fn upgrade(python: &Path, pip: &str) {
    let status = Command::new(python).args(["-m", "pip", "install", "-q", "--no-cache-dir", pip]).status().unwrap();
    assert!(status.success());
}

#[test]
fn uv_and_its_tools_say_what_was_asked_for() {
    let lab = Lab::new();
    let uv = lab.tool("uv");
    lab.run(&uv, &["venv", "-q", "app/.venv"]);
    lab.run(&uv, &["pip", "install", "-q", "-p", "app/.venv/bin/python", "my-plugin", "litellm==1.82.7"]);
    lab.run(&uv, &["tool", "install", "-q", "my-plugin"]);
    lab.run(lab.tool("pipx"), &["install", "-q", "my-plugin"]);
    let (report, _) = report(lab.root.path());
    assert_eq!(finding(&report, "pypi/litellm@1.82.7", "app/.venv")["exposure"], "installed");
    for (place, kind) in [("uv/tools", "uv-tool"), ("pipx/venvs", "pipx")] {
        let found = finding(&report, "pypi/litellm@1.107.0", place);
        assert_eq!(found["environment"]["kind"], kind);
        assert_eq!(chain(found), ["my-plugin", "dspy", "litellm"], "{place}");
    }
    assert_eq!(finding(&report, "pypi/litellm@1.82.7", ".cache/uv/wheels")["exposure"], "cached");
    assert_eq!(finding(&report, "pypi/litellm@1.82.7", ".cache/uv/archive")["exposure"], "cached");
    // uv compiles nothing: bytecode of the trojaned module means an import.
    lab.run(lab.home().join("app/.venv/bin/python"), &["-c", "import litellm.proxy.proxy_server"]);
    let (report, _) = program::report(lab.root.path());
    let imported = finding(&report, "bytecode/proxy_server", "app/.venv");
    assert_eq!((imported["exposure"].as_str(), imported["confidence"].as_str()), (Some("executed"), Some("likely")));
}

#[test]
fn the_good_twin_is_left_alone() {
    let lab = Lab::new();
    let python = lab.venv("app/.venv");
    lab.run(&python, &["-m", "pip", "install", "-q", "litellm==1.82.6"]);
    let uv = lab.tool("uv");
    lab.run(&uv, &["venv", "-q", "b/.venv"]);
    lab.run(&uv, &["pip", "install", "-q", "-p", "b/.venv/bin/python", "litellm==1.82.6"]);
    let (report, code) = report(lab.root.path());
    assert_eq!((exposure(&report), code), ("none", 0), "{:#?} {:#?}", findings(&report), report["coverage"]["gaps"]);
    assert_eq!(report["anomalies"].as_array().unwrap().len(), 0, "{:#?}", report["anomalies"]);
}
