//! Plans of many situations, each as the one script that `--format sh` writes, run by dash, by bash and by BusyBox in a throw-away root,
//! and the root examined again: nothing is loaded any more, nothing is gone that is not among the evidence, nothing else was touched.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    io::Read as _,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{machine::Machine, program};

/// A machine, and what of it goes: folders and files, each of which must lose something.
pub struct Situation {
    pub name: &'static str,
    pub machine: fn() -> Machine,
    gone: &'static [&'static str],
    /// What the second examination may still say: a name in a file, a line in a history.
    left: &'static str,
}

const SITE: &str = "lib/python3.11/site-packages";
pub const UNIT: &str =
    "[Unit]\nDescription=System Telemetry Service\n[Service]\nExecStart=/usr/bin/python3 %h/.config/sysmon/sysmon.py\n";
const MONITOR: &str = "[Service]\nExecStart=%h/.local/bin/gh-token-monitor.sh\n";

/// litellm 1.82.8 below a folder, with its hook, as pip leaves it.
pub fn litellm(machine: Machine, site: &str) -> Machine {
    let info = format!("{site}/litellm-1.82.8.dist-info");
    machine
        .file(&format!("{info}/METADATA"), "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n\n")
        .file(&format!("{info}/INSTALLER"), "pip\n")
        .file(&format!("{site}/litellm/__init__.py"), "")
        .file(&format!("{site}/litellm/proxy/proxy_server.py"), "# inert\n")
        .file(&format!("{site}/litellm_init.pth"), "import os # inert\n")
        .file(
            &format!("{info}/RECORD"),
            "litellm/__init__.py,,\nlitellm/proxy/proxy_server.py,,\nlitellm_init.pth,,\nlitellm-1.82.8.dist-info/METADATA,,\n",
        )
}

fn cfg(machine: Machine, prefix: &str) -> Machine {
    machine.file(&format!("{prefix}/pyvenv.cfg"), "home = /usr/bin\nversion = 3.11.2\n")
}

fn venv(prefix: &str) -> Machine {
    litellm(cfg(Machine::new(), prefix), &format!("{prefix}/{SITE}"))
}

/// A file with a name that is no text.
fn raw(machine: Machine, path: &[u8], bytes: &[u8]) -> Machine {
    let full = machine.root().join(OsStr::from_bytes(path));
    fs::create_dir_all(full.parent().unwrap()).unwrap();
    fs::write(full, bytes).unwrap();
    machine
}

fn raw_venv(name: &[u8]) -> Machine {
    let prefix = [b"home/alice/", name].concat();
    let machine = raw(Machine::new(), &[&prefix, &b"/pyvenv.cfg"[..]].concat(), b"home = /usr/bin\nversion = 3.11.2\n");
    let site = [&prefix, &b"/"[..], SITE.as_bytes()].concat();
    let about = b"Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n\n";
    let machine = raw(machine, &[&site, &b"/litellm-1.82.8.dist-info/METADATA"[..]].concat(), about);
    let machine = raw(machine, &[&site, &b"/litellm/__init__.py"[..]].concat(), b"");
    raw(machine, &[&site, &b"/litellm_init.pth"[..]].concat(), b"import os # inert\n")
}

fn ctx(site: &str) -> Machine {
    let info = format!("{site}/ctx-0.2.6.dist-info");
    Machine::new()
        .file(&format!("{info}/METADATA"), "Metadata-Version: 2.1\nName: ctx\nVersion: 0.2.6\n\n")
        .file(&format!("{site}/ctx.py"), "x = 1 # inert\n")
        .file(&format!("{site}/__pycache__/ctx.cpython-311.pyc"), "inert")
        .file(&format!("{site}/other.py"), "y = 1\n")
        .file(
            &format!("{info}/RECORD"),
            "ctx.py,,\n__pycache__/ctx.cpython-311.pyc,,\nctx-0.2.6.dist-info/METADATA,,\n",
        )
}

fn sysmon(machine: Machine, home: &str) -> Machine {
    machine
        .file(&format!("{home}/.config/sysmon/sysmon.py"), "# inert\n")
        .file(&format!("{home}/.config/systemd/user/sysmon.service"), UNIT)
}

fn monitor(machine: Machine) -> Machine {
    machine
        .home(".local/bin/gh-token-monitor.sh", "#!/bin/sh\n# inert\n")
        .home(".config/systemd/user/gh-token-monitor.service", MONITOR)
        .home(".config/gh-token-monitor/token", "inert\n")
}

pub const SITUATIONS: &[Situation] = &[
    Situation {
        name: "a venv",
        machine: || venv("home/alice/app/.venv"),
        gone: &["home/alice/app/.venv/lib/python3.11/site-packages/litellm"],
        left: "none",
    },
    Situation {
        name: "a project that is the venv",
        machine: || {
            venv("home/alice/denver-app")
                .home("denver-app/src/main.py", "precious")
                .home("denver-app/.git/config", "[core]\n")
        },
        gone: &["home/alice/denver-app/lib/python3.11/site-packages/litellm"],
        left: "none",
    },
    Situation {
        name: "eleven venvs",
        machine: || {
            (0..11).fold(Machine::new(), |m, n| {
                let prefix = format!("home/alice/p{n}/.venv");
                litellm(cfg(m, &prefix), &format!("{prefix}/{SITE}"))
            })
        },
        gone: &["home/alice/p0/.venv", "home/alice/p10/.venv"],
        left: "none",
    },
    Situation {
        name: "user site",
        machine: || {
            litellm(Machine::new(), "home/alice/.local/lib/python3.11/site-packages").home(".local/bin/mine", "x")
        },
        gone: &["home/alice/.local/lib/python3.11/site-packages/litellm"],
        left: "none",
    },
    Situation {
        name: "root's user site",
        machine: || litellm(Machine::new(), "root/.local/lib/python3.11/site-packages"),
        gone: &["root/.local/lib"],
        left: "none",
    },
    Situation {
        name: "system site",
        machine: || {
            litellm(Machine::new(), "usr/local/lib/python3.11/dist-packages")
                .file("usr/local/lib/python3.11/dist-packages/apt.py", "")
        },
        gone: &["usr/local/lib/python3.11/dist-packages/litellm"],
        left: "none",
    },
    Situation {
        name: "pip --target",
        machine: || litellm(Machine::new(), "srv/app/vendor"),
        gone: &["srv/app/vendor/litellm"],
        left: "none",
    },
    Situation {
        name: "a module of one file",
        machine: || ctx("home/alice/v/lib/python3.11/site-packages"),
        gone: &[
            "home/alice/v/lib/python3.11/site-packages/ctx.py",
            "home/alice/v/lib/python3.11/site-packages/__pycache__",
        ],
        left: "none",
    },
    Situation {
        name: "a module of one file without a list",
        machine: || {
            let m = ctx("home/alice/v/lib/python3.11/site-packages");
            fs::remove_file(m.root().join("home/alice/v/lib/python3.11/site-packages/ctx-0.2.6.dist-info/RECORD"))
                .unwrap();
            m
        },
        gone: &["home/alice/v/lib/python3.11/site-packages/ctx.py"],
        left: "none",
    },
    Situation {
        name: "a list that names what is not its own",
        machine: || {
            venv("home/alice/v")
                .file("home/alice/v/lib/python3.11/site-packages/requests/__init__.py", "")
                .file("home/alice/v/lib/python3.11/site-packages/requests-2.0.dist-info/METADATA", "Name: requests\nVersion: 2.0\n\n")
                .home("v/bin/python3", "elf")
                .home(".ssh/id_rsa", "inert")
                .file(
                    "home/alice/v/lib/python3.11/site-packages/litellm-1.82.8.dist-info/RECORD",
                    "litellm/__init__.py,,\nrequests/__init__.py,,\n../../../bin/python3,,\n../../../../.ssh/id_rsa,,\n/etc/passwd,,\n",
                )
        },
        gone: &["home/alice/v/lib/python3.11/site-packages/litellm"],
        left: "none",
    },
    Situation {
        name: "an egg-info with its list",
        machine: || {
            let site = "home/alice/v/lib/python3.8/site-packages";
            Machine::new()
                .file(
                    &format!("{site}/ctx-0.2.6-py3.8.egg-info/PKG-INFO"),
                    "Metadata-Version: 1.1\nName: ctx\nVersion: 0.2.6\n\n",
                )
                .file(&format!("{site}/ctx-0.2.6-py3.8.egg-info/installed-files.txt"), "../ctx.py\nPKG-INFO\n")
                .file(&format!("{site}/ctx.py"), "# inert\n")
        },
        gone: &["home/alice/v/lib/python3.8/site-packages/ctx.py"],
        left: "none",
    },
    Situation {
        name: "an egg folder",
        machine: || {
            let egg = "home/alice/v/lib/python3.8/site-packages/litellm-1.82.8-py3.8.egg";
            Machine::new()
                .file(&format!("{egg}/EGG-INFO/PKG-INFO"), "Metadata-Version: 1.1\nName: litellm\nVersion: 1.82.8\n\n")
                .file(&format!("{egg}/litellm/__init__.py"), "")
        },
        gone: &["home/alice/v/lib/python3.8/site-packages/litellm-1.82.8-py3.8.egg"],
        left: "none",
    },
    Situation {
        name: "conda",
        machine: || {
            Machine::new()
                .file("opt/conda/envs/e/conda-meta/history", "")
                .file(
                    "opt/conda/envs/e/conda-meta/litellm-1.82.8-py_0.json",
                    r#"{"name":"litellm","version":"1.82.8","build":"py_0","files":["lib/python3.11/site-packages/litellm/__init__.py","lib/python3.11/site-packages/litellm_init.pth"],"depends":[]}"#,
                )
                .file("opt/conda/envs/e/lib/python3.11/site-packages/litellm/__init__.py", "")
                .file("opt/conda/envs/e/lib/python3.11/site-packages/litellm_init.pth", "import os # inert\n")
                .file("opt/conda/envs/e/bin/python", "elf")
        },
        gone: &["opt/conda/envs/e/conda-meta", "opt/conda/envs/e/lib"],
        left: "none",
    },
    Situation {
        name: "uv tool",
        machine: || {
            venv("home/alice/.local/share/uv/tools/litellm").home(
                ".local/share/uv/tools/litellm/uv-receipt.toml",
                "[tool]\nrequirements = [{ name = \"litellm\" }]\n",
            )
        },
        gone: &["home/alice/.local/share/uv/tools/litellm/lib"],
        left: "none",
    },
    Situation {
        name: "pipx",
        machine: || venv("home/alice/.local/share/pipx/venvs/litellm"),
        gone: &["home/alice/.local/share/pipx/venvs/litellm/lib"],
        left: "none",
    },
    Situation {
        name: "pyenv",
        machine: || litellm(Machine::new(), "home/alice/.pyenv/versions/3.11.2/lib/python3.11/site-packages"),
        gone: &["home/alice/.pyenv/versions/3.11.2/lib"],
        left: "none",
    },
    Situation {
        name: "a hook alone",
        machine: || {
            cfg(Machine::new(), "home/alice/v").home(&format!("v/{SITE}/litellm_init.pth"), "import os # inert\n")
        },
        gone: &["home/alice/v/lib/python3.11/site-packages/litellm_init.pth"],
        left: "none",
    },
    Situation {
        name: "a backdoor of an account",
        machine: || sysmon(Machine::new(), "home/alice"),
        gone: &["home/alice/.config/sysmon", "home/alice/.config/systemd"],
        left: "none",
    },
    Situation {
        name: "a backdoor of root",
        machine: || sysmon(Machine::new(), "root"),
        gone: &["root/.config/sysmon", "root/.config/systemd"],
        left: "none",
    },
    Situation {
        name: "a unit of the system",
        machine: || Machine::new().file("etc/systemd/system/sysmon.service", UNIT),
        gone: &["etc/systemd/system/sysmon.service"],
        left: "none",
    },
    Situation {
        name: "a monitor of tokens",
        machine: || monitor(Machine::new()),
        gone: &["home/alice/.local/bin", "home/alice/.config/systemd", "home/alice/.config/gh-token-monitor"],
        left: "none",
    },
    Situation {
        name: "a monitor beside a package",
        machine: || monitor(venv("home/alice/v")).home(".git-credentials", "https://u:ghp_x@github.com\n"),
        gone: &["home/alice/.local/bin", "home/alice/v/lib"],
        left: "none",
    },
    Situation {
        name: "traces in /tmp",
        machine: || {
            sysmon(Machine::new(), "home/alice")
                .file("tmp/pglog", "inert")
                .file("tmp/.pg_state", "inert")
                .file("tmp/mine", "x")
        },
        gone: &["home/alice/.config"],
        left: "any",
    },
    Situation {
        name: "everything",
        machine: || {
            sysmon(venv("home/alice/v"), "home/alice")
                .file("tmp/.pg_state", "x")
                .home("v/requirements.txt", "litellm==1.82.8\n")
                .home(".bash_history", "pip install litellm==1.82.8\n")
        },
        gone: &["home/alice/v/lib", "home/alice/.config"],
        left: "any",
    },
    Situation {
        name: "a history alone",
        machine: || Machine::new().home(".bash_history", "pip install litellm==1.82.8\n"),
        gone: &[],
        left: "any",
    },
    Situation {
        name: "a pin alone",
        machine: || Machine::new().home("app/requirements.txt", "litellm==1.82.8\n"),
        gone: &[],
        left: "any",
    },
    Situation {
        name: "uv's cache",
        machine: || {
            Machine::new()
                .home(
                    ".cache/uv/archive-v0/Abc/litellm-1.82.8.dist-info/METADATA",
                    "Name: litellm\nVersion: 1.82.8\n\n",
                )
                .home(".cache/uv/archive-v0/Abc/litellm_init.pth", "import os # inert\n")
                .home(".cache/uv/archive-v0/Def/idna-3.dist-info/METADATA", "Name: idna\nVersion: 3\n\n")
        },
        gone: &["home/alice/.cache/uv/archive-v0/Abc"],
        left: "none",
    },
    Situation {
        name: "what an uninstall left",
        machine: || {
            Machine::new()
                .home(&format!("v/{SITE}/~itellm-1.82.8.dist-info/METADATA"), "Name: litellm\nVersion: 1.82.8\n\n")
        },
        gone: &["home/alice/v/lib/python3.11/site-packages/~itellm-1.82.8.dist-info"],
        left: "none",
    },
    Situation {
        name: "a Docker store",
        machine: || litellm(Machine::new(), "var/lib/docker/overlay2/abc/diff/usr/local/lib/python3.11/site-packages"),
        gone: &[],
        left: "any",
    },
    Situation {
        name: "a rootless Podman store",
        machine: || {
            litellm(
                Machine::new(),
                "home/alice/.local/share/containers/storage/overlay/abc/diff/usr/lib/python3.11/site-packages",
            )
        },
        gone: &[],
        left: "any",
    },
    Situation {
        name: "a containerd store",
        machine: || {
            litellm(
                Machine::new(),
                "var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/3/fs/usr/lib/python3.11/site-packages",
            )
        },
        gone: &[],
        left: "any",
    },
    Situation {
        name: "a store beside a venv",
        machine: || {
            litellm(venv("home/alice/v"), "var/lib/docker/overlay2/abc/diff/usr/local/lib/python3.11/site-packages")
        },
        gone: &["home/alice/v/lib"],
        left: "any",
    },
    Situation {
        name: "macOS",
        machine: || {
            litellm(
                cfg(Machine::new().file("System/Library/CoreServices/SystemVersion.plist", ""), "Users/al/v"),
                "Users/al/v/lib/python3.12/site-packages",
            )
        },
        gone: &["Users/al/v/lib"],
        left: "none",
    },
    Situation {
        name: "Windows",
        machine: || litellm(Machine::new().file("Windows/System32/x", ""), "Users/al/v/Lib/site-packages"),
        gone: &[],
        left: "any",
    },
    Situation { name: "spaces", machine: || raw_venv(b"my app/.venv"), gone: &["home/alice/my app"], left: "none" },
    Situation {
        name: "quotes and commands",
        machine: || raw_venv(b"it's \"$(touch PWNED)\" `touch PWNED` ; touch PWNED & \\x"),
        gone: &["home/alice"],
        left: "none",
    },
    Situation { name: "a newline", machine: || raw_venv(b"a\nb\n/v"), gone: &["home/alice"], left: "none" },
    Situation { name: "a leading dash", machine: || raw_venv(b"-rf"), gone: &["home/alice/-rf"], left: "none" },
    Situation { name: "no text", machine: || raw_venv(b"\xff\xfe\x01\x1b[2J"), gone: &["home/alice"], left: "none" },
    Situation {
        name: "stars and brackets",
        machine: || raw_venv(b"[a-z]*?{b,c}~"),
        gone: &["home/alice"],
        left: "none",
    },
    Situation {
        name: "percent and octal",
        machine: || raw_venv(b"%s%b\\0101\\c\\n"),
        gone: &["home/alice"],
        left: "none",
    },
    Situation {
        name: "Unicode",
        machine: || raw_venv("stra\u{df}e \u{202e}x\u{200b}".as_bytes()),
        gone: &["home/alice"],
        left: "none",
    },
];

/// Every file below a folder but the evidence, by its path's bytes.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let all = walkdir::WalkDir::new(root).into_iter().map(Result::unwrap).filter(|e| e.file_type().is_file());
    let all = all.map(|e| e.into_path()).filter(|p| !p.to_string_lossy().contains("/dosimeter-evidence."));
    all.map(|p| (p.strip_prefix(root).unwrap().to_owned(), fs::read(&p).unwrap())).collect()
}

/// What the archives of the evidence hold, each checked against its digest in the marker.
fn evidence(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    use sha2::Digest as _;
    let folders = fs::read_dir(root.join("root")).unwrap().map(|e| e.unwrap().path());
    let Some(folder) = folders.into_iter().find(|p| p.to_string_lossy().contains("/dosimeter-evidence.")) else {
        return BTreeMap::new();
    };
    let marker = fs::read_to_string(folder.join("DOSIMETER-EVIDENCE")).unwrap();
    let mut kept = BTreeMap::new();
    let archives = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path());
    for archive in archives.filter(|p| p.extension().is_some_and(|e| e == "tar")) {
        let bytes = fs::read(&archive).unwrap();
        let digest: String = sha2::Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        let name = archive.file_name().unwrap().to_string_lossy().into_owned();
        assert!(marker.contains(&format!("{digest}  {name}\n")), "{marker}");
        for member in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
            let mut member = member.unwrap();
            let path = PathBuf::from(OsStr::from_bytes(&member.path_bytes()));
            let mut body = Vec::new();
            member.read_to_end(&mut body).unwrap();
            if member.header().entry_type().is_file() {
                kept.insert(path.strip_prefix(".").unwrap_or(&path).to_owned(), body);
            }
        }
    }
    kept
}

fn script(root: &Path) -> String {
    let said =
        program::run(["rotate".as_ref(), "--root".as_ref(), root.as_os_str(), "--format".as_ref(), "sh".as_ref()]);
    assert!(said.out.starts_with("#!/bin/sh\n"), "{}{}", said.out, said.err);
    said.out
}

fn worst(report: &Value) -> String {
    report["verdict"]["exposure"].as_str().unwrap_or("none").to_owned()
}

/// Programs of the system.
const SYSTEM: &str = "/usr/bin:/bin";

fn tried(s: &Situation, shell: &str, path: &str) {
    let machine = (s.machine)();
    let root = machine.root();
    fs::create_dir_all(root.join("root")).unwrap();
    let (before, _) = program::report(root);
    assert_ne!(worst(&before), "none", "{}: nothing was found", s.name);
    let at_first = files(root);
    let text = script(root);
    let file = root.join("root/plan.sh");
    fs::write(&file, &text).unwrap();
    let run = Command::new(shell)
        .arg(&file)
        .current_dir(root)
        .env_clear()
        .envs([("PATH", path), ("HOME", root.join("root").to_str().unwrap()), ("ROOT", root.to_str().unwrap())])
        .output()
        .unwrap_or_else(|e| panic!("{shell}: {e}"));
    let errors = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success() && errors.is_empty(), "{} in {shell}: {errors}\n{text}", s.name);
    fs::remove_file(&file).unwrap();

    let (left, kept) = (files(root), evidence(root));
    assert!(!left.keys().any(|p| p.to_string_lossy().contains("PWNED") && p.ends_with("PWNED")), "{}", s.name);
    for (path, bytes) in &left {
        assert_eq!(at_first.get(path), Some(bytes), "{}: {} was changed", s.name, path.display());
    }
    let gone: Vec<&PathBuf> = at_first.keys().filter(|p| !left.contains_key(*p)).collect();
    for path in &gone {
        assert_eq!(kept.get(*path), at_first.get(*path), "{}: {} is not among the evidence", s.name, path.display());
        let name = path.to_string_lossy();
        let known = ["litellm", "ctx", "sysmon", "gh-token-monitor", "itellm", "pg_state", "pglog", "archive-v0/Abc"];
        assert!(known.iter().any(|k| name.contains(k)), "{}: {name} is nobody's but the owner's", s.name);
    }
    for wanted in s.gone {
        assert!(gone.iter().any(|p| p.to_string_lossy().starts_with(wanted)), "{}: {wanted} stays: {gone:?}", s.name);
    }
    assert!(!s.gone.is_empty() || gone.is_empty(), "{}: {gone:?}", s.name);

    let (after, _) = program::report(root);
    if s.left == "none" {
        assert_eq!(worst(&after), "none", "{} in {shell}: {:#?}", s.name, program::findings(&after));
    }
    let mut again = after["incidents"].as_array().unwrap().iter().flat_map(|i| i["findings"].as_array().unwrap());
    let stored = ["var/lib/", "containers/storage", "/Users/"];
    let loaded = again.find(|f| {
        let path = f["location"]["path"].as_str().unwrap_or_default();
        f["exposure"] == "installed" && !stored.iter().any(|s| path.contains(s))
    });
    assert_eq!(loaded, None, "{}", s.name);
    if !s.gone.is_empty() {
        let summary = after["verdict"]["summary"].as_str().unwrap();
        assert!(summary.contains("still has to be rotated"), "{}: {summary}", s.name);
        assert_eq!(after["kept_evidence"].as_array().unwrap().len(), 1, "{}", s.name);
        assert!(
            text.contains(after["kept_evidence"][0]["case"].as_str().unwrap()),
            "the report that the evidence names"
        );
        let titles: Vec<&str> =
            after["checklist"].as_array().unwrap().iter().filter_map(|i| i["title"].as_str()).collect();
        assert!(titles.iter().any(|t| t.contains("earlier examination")), "{}: {titles:?}", s.name);
    }
}

#[test]
fn every_plan_is_harmless_and_complete_in_dash() {
    assert!(SITUATIONS.len() >= 40, "{}", SITUATIONS.len());
    SITUATIONS.iter().for_each(|s| tried(s, "dash", SYSTEM));
}

#[test]
fn every_plan_is_harmless_and_complete_in_bash() {
    SITUATIONS.iter().for_each(|s| tried(s, "bash", SYSTEM));
}

/// Alpine and rescue systems have nothing else: its shell, and its `tar`, `find`, `sha256sum`.
#[test]
fn every_plan_is_harmless_and_complete_in_busybox() {
    let applets = tempfile::tempdir().unwrap();
    let path = applets.path().to_str().unwrap();
    let made = Command::new("busybox").args(["--install", "-s", path]).output();
    assert!(made.expect("the tests need `busybox`: install busybox-static").status.success());
    let shell = applets.path().join("sh");
    SITUATIONS.iter().for_each(|s| tried(s, shell.to_str().unwrap(), path));
}

/// Nothing goes that could not be kept.
#[test]
fn what_cannot_be_kept_stays() {
    let machine = venv("home/alice/v");
    let root = machine.root();
    fs::create_dir_all(root.join("root/bin")).unwrap();
    let text = script(root);
    // A `tar` that fails, as on a full disk.
    let tar = root.join("root/bin/tar");
    fs::write(&tar, "#!/bin/sh\nexit 2\n").unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(&tar, fs::Permissions::from_mode(0o755)).unwrap();
    let file = root.join("root/plan.sh");
    fs::write(&file, text).unwrap();
    let path = format!("{}:/usr/bin:/bin", root.join("root/bin").display());
    let run = Command::new("dash")
        .arg(&file)
        .env_clear()
        .envs([
            ("PATH", path.as_str()),
            ("HOME", root.join("root").to_str().unwrap()),
            ("ROOT", root.to_str().unwrap()),
        ])
        .output()
        .unwrap();
    assert!(!run.status.success());
    assert!(root.join("home/alice/v/lib/python3.11/site-packages/litellm_init.pth").exists());
}

/// Where a disk is only mounted, the paths of its list are somebody else's files.
#[test]
fn the_script_of_a_disk_stops_on_another_machine() {
    let machine = venv("home/alice/v").file("etc/hostname", "no-machine-of-this-name.example\n");
    let file = machine.root().join("plan.sh");
    let text = script(machine.root());
    fs::write(&file, &text).unwrap();
    let before = files(machine.root());
    let run =
        Command::new("sh").arg(&file).env_clear().env("PATH", SYSTEM).env("HOME", machine.root()).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(said.contains("the disk of no-machine-of-this-name.example: set ROOT"), "{said}");
    assert_eq!(files(machine.root()), before);
    // A disk that does not say its name is moved by hand, as before.
    assert!(!script(venv("home/alice/v").root()).contains("this list is of the disk"));
}

/// A marker that an attacker plants hides nothing: what lies beside it is examined as anywhere.
#[test]
fn a_planted_marker_hides_nothing() {
    let folder = "home/alice/dosimeter-evidence.aB3dE6";
    let marker = "dosimeter evidence 1\ncase 0123456789abcdef\n";
    let machine = venv(&format!("{folder}/v")).file(&format!("{folder}/DOSIMETER-EVIDENCE"), marker);
    let (report, code) = program::report(machine.root());
    assert_eq!((worst(&report).as_str(), code), ("installed", 1));
    assert_eq!(report["kept_evidence"].as_array().unwrap().len(), 1);
    // Somebody else's file of that name is no marker.
    let (report, code) = program::report(Machine::new().home("x/DOSIMETER-EVIDENCE", "notes\n").root());
    assert_eq!((worst(&report).as_str(), code, report.get("kept_evidence")), ("none", 0, None));
}

/// Whoever looks for one incident is warned of the monitor of another, and of what was not looked at.
#[test]
fn a_filter_hides_no_monitor() {
    let machine = || {
        monitor(venv("home/alice/v"))
            .home(".git-credentials", "https://u:ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@github.com\n")
    };
    let disarm = |more: &[&str]| {
        let (report, _) = program::report_with(machine().root(), more);
        let items = report["checklist"].as_array().unwrap().clone();
        let at = |phase: &str| items.iter().position(|i| i["phase"] == phase);
        assert!(at("disarm") < at("rotate"), "{items:#?}");
        items.iter().filter(|i| i["phase"] == "disarm").map(|i| i.to_string()).collect::<String>()
    };
    let filtered = disarm(&["--incident", "litellm-2026-03"]);
    assert!(filtered.contains("systemctl --user disable --now -- gh-token-monitor.service"), "{filtered}");
    assert!(disarm(&["--only", "python", "--only", "credential"]).contains("not looked for everywhere"));
    let home = machine();
    let said = program::run(["scan", "--format", "json", "--home", home.root().join("home/alice").to_str().unwrap()]);
    assert!(said.out.contains("not looked for everywhere"), "{}", said.err);
}
