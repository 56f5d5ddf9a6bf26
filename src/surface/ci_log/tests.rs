//! Lines as the tools and systems write them, and everything that only looks like one.

use super::{github::GitHub, gitlab::GitLab, jenkins::Jenkins, plain::Plain, runner::Runner};
use crate::{
    fact::{Fact, Placement, Usage},
    interest::Interest,
    surface::{
        Surface,
        python::{archive::made::zip, trial::tried},
    },
};

/// `name version Stage[ time] tree[ inner] :line` of each fact, then what is wrong.
fn of(surface: &dyn Surface, path: &str, bytes: &[u8]) -> Vec<String> {
    let tried = tried(surface, path, bytes, &Interest::default());
    let words = tried.seen.iter().filter_map(|seen| {
        let what = match &seen.fact {
            Fact::Package(p) => match p.placement {
                Placement::Logged(logged) => format!("{} {} {logged:?}", p.name, p.version),
                other => format!("{} {} {other:?}", p.name, p.version),
            },
            Fact::Use(u) => {
                let digest = u.digest.as_deref().map(|d| format!(" {}", &d[..d.len().min(14)])).unwrap_or_default();
                let Usage::Logged(logged) = u.usage else {
                    return Some(format!("{u:?}"));
                };
                format!("{} {}:{}{digest} {logged:?}", u.kind.as_str(), u.name, u.reference)
            }
            Fact::Platform(_) => return None,
            other => format!("{other:?}"),
        };
        let at = seen.at.as_ref().filter(|at| !at.source.starts_with("mtime"));
        let at = at.map(|at| format!(" {}", at.time)).unwrap_or_default();
        let inner = seen.origin.inner.as_deref().map(|i| format!(" [{i}]")).unwrap_or_default();
        let line = seen.origin.line.map(|l| format!(" :{l}")).unwrap_or_default();
        Some(format!("{what}{at} {}{inner}{line}", seen.origin.tree))
    });
    words.chain(tried.flaw.map(|flaw| format!("flaw: {flaw}"))).collect()
}

/// What lines of plain output say, without place.
fn says(text: &str) -> Vec<String> {
    let all = of(&Plain, "ci/x.log", text.as_bytes());
    all.into_iter().map(|line| line.split(" ci:log").next().unwrap().to_owned()).collect()
}

/// The text with a time before each line, as GitHub has it.
fn github(text: &str) -> String {
    text.lines().map(|line| format!("2026-03-24T11:00:00.1234567Z {line}\n")).collect()
}

#[test]
fn pip_and_its_kin() {
    // By pip 23, pipx 1.7, poetry 1.8.
    let text = "Collecting six==1.16.0\n  Downloading six-1.16.0-py2.py3-none-any.whl.metadata (1.7 kB)\n\
        Collecting idna<3.5\n  Downloading idna-3.4-py3-none-any.whl (61 kB)\n  Using cached docopt-0.6.2.tar.gz (25 kB)\n\
        Requirement already satisfied: litellm!=1.82.7 in /opt/v/lib/python3.11/site-packages (1.82.8)\n\
        Requirement already satisfied: certifi>=2017 in /v (from requests) (2024.2.2)\n\
        Installing collected packages: six, idna\nSuccessfully installed idna-3.4 zope.interface-5.0 my-pkg-1.0rc1\n\
        \x20 installed package black 24.1.0, installed using Python 3.11.2\n  - Installing attrs (23.1.0)\n\
        \x20 \u{2022} Installing rich (13.0.0): Downloading... 0%\n";
    let want = [
        "six 1.16.0 Resolved",
        "six 1.16.0 Resolved",
        "idna 3.4 Downloaded",
        "docopt 0.6.2 Downloaded",
        "litellm 1.82.8 Installed",
        "certifi 2024.2.2 Installed",
        "idna 3.4 Installed",
        "zope-interface 5.0 Installed",
        "my-pkg 1.0rc1 Installed",
        "black 24.1.0 Installed",
        "attrs 23.1.0 Installed",
        "rich 13.0.0 Installed",
    ];
    assert_eq!(says(text), want);
    assert_eq!(says("Downloading https://x.example/a/six-1.16.0-py2.py3-none-any.whl\n"), ["six 1.16.0 Downloaded"]);
    for line in [
        "Would install litellm-1.82.8",
        "  Successfully installed litellm-1.82.8",
        "ERROR: Successfully installed litellm-1.82.8",
        "pip.log:123:Successfully installed litellm-1.82.8",
        "+ echo 'Successfully installed litellm-1.82.8'",
        "echo \"Successfully installed litellm-1.82.8\"",
        "E   AssertionError: Successfully installed litellm-1.82.8",
        "      Successfully uninstalled litellm-1.82.8",
        "Collecting litellm!=1.82.7",
        "Collecting litellm>=1.82.8",
        "Collecting litellm",
        "-litellm==1.82.8",
        "+litellm==1.82.8",
        "Downloading litellm-1.82.8",
        "Downloading data set 1.82.8",
        "Successfully installed",
        "Successfully installed litellm",
        "Installing collected packages: litellm",
        "Saved ./litellm-1.82.8-py3-none-any.whl",
    ] {
        assert_eq!(says(&format!("{line}\n")), [""; 0], "{line}");
    }
}

#[test]
fn uv_says_it_below_its_count() {
    // By uv 0.13.
    let text = "Resolved 2 packages in 181ms\nDownloading numpy (16.1MiB)\n Downloaded numpy\nUninstalled 1 package in 3ms\n\
        Installed 2 packages in 47ms\n + numpy==2.4.6\n - six==1.16.0\n + six==1.17.0\n ~ uvp==0.1.0 (from file:///srv/p)\n\
        Installed 1 executable: x\n + late==1.0\n";
    assert_eq!(says(text), ["numpy 2.4.6 Installed", "six 1.17.0 Installed", "uvp 0.1.0 Installed"]);
    assert_eq!(says("Would install 1 package\n + six==1.17.0\n"), [""; 0]);
    assert_eq!(says(" + six==1.17.0\n"), [""; 0]);
}

#[test]
fn npm_pnpm_yarn_and_bun() {
    for (text, want) in [
        (
            "npm http fetch GET 200 https://r.example/@s%2fx/-/x-1.0.0.tgz 9ms (cache miss)",
            vec!["@s/x 1.0.0 Downloaded"],
        ),
        (
            "npm http fetch GET 200 https://r.example/left-pad/-/left-pad-1.3.0.tgz 9ms (cache miss)",
            vec!["left-pad 1.3.0 Downloaded"],
        ),
        ("npm http fetch GET 200 https://r.example/left-pad 9ms (cache miss)", vec![]),
        (
            "npm info run esbuild@0.19.0 postinstall node_modules/esbuild node install.js\n\
             npm info run esbuild@0.19.0 postinstall { code: 0, signal: null }",
            vec!["esbuild 0.19.0 Ran"],
        ),
        ("npm info run app@1.0.0 test node_modules/x", vec![]),
        ("npm WARN deprecated request@2.88.2: see x", vec!["request 2.88.2 Resolved"]),
        ("npm warn install-scripts   esbuild@0.19.0 (postinstall: node install.js)", vec!["esbuild 0.19.0 Installed"]),
        ("npm warn install-scripts Run `npm install-scripts ls` to review", vec![]),
        ("> esbuild@0.19.0 postinstall\n> node install.js", vec!["esbuild 0.19.0 Ran"]),
        ("> esbuild@0.19.0 postinstall /srv/a/node_modules/esbuild\n> node install.js", vec!["esbuild 0.19.0 Ran"]),
        ("> app@1.0.0 build\n> tsc", vec![]),
        (
            ".../@s+x@1.0.0_react@18.0.0/node_modules/@s/x postinstall$ node install.js\n\
             .../@s+x@1.0.0_react@18.0.0/node_modules/@s/x postinstall: Done",
            vec!["@s/x 1.0.0 Ran"],
        ),
        (
            "\u{2570}\u{2500}\u{25b6} Ignored build scripts: esbuild@0.19.0, @s/x@1.0.0.",
            vec!["esbuild 0.19.0 Blocked", "@s/x 1.0.0 Blocked"],
        ),
        (
            "dependencies:\n+ esbuild 0.19.1 (0.28.2 is available)\n- gone 1.0.0\n+ @s/x 1.0.0\n\n+ late 1.0.0",
            vec!["esbuild 0.19.1 Installed", "@s/x 1.0.0 Installed"],
        ),
        (
            "info Direct dependencies\n\u{251c}\u{2500} esbuild@0.19.0\n\u{2514}\u{2500} request@2.88.2\ninfo All dependencies\n\
             \u{2514}\u{2500} aws4@1.13.2\nDone in 1s.\n\u{2514}\u{2500} late@1.0.0",
            vec!["esbuild 0.19.0 Installed", "request 2.88.2 Installed", "aws4 1.13.2 Installed"],
        ),
        (
            "\u{27a4} YN0013: \u{2502} @s/x@npm:0.19.0 can't be found in the cache and will be fetched from the remote registry",
            vec!["@s/x 0.19.0 Downloaded"],
        ),
        (
            "\u{27a4} YN0007: \u{2502} esbuild@npm:0.19.0 must be built because it never has been before or the last one failed",
            vec!["esbuild 0.19.0 Ran"],
        ),
        (
            "\u{27a4} YN0004: \u{2502} esbuild@npm:0.19.0 lists build scripts, but all build scripts have been disabled.",
            vec!["esbuild 0.19.0 Blocked"],
        ),
        (
            "\u{27a4} YN0085: \u{2502} + esbuild@npm:0.19.0, @s/x@npm:1.3.0, and 19 more.",
            vec!["esbuild 0.19.0 Resolved", "@s/x 1.3.0 Resolved"],
        ),
        (
            "bun add v1.4.5 (a7733435c)\nSaved lockfile\n\ninstalled left-pad@1.3.0\ninstalled esbuild@0.19.0 with binaries:\n - esbuild\n\n\
             3 packages installed [166.00ms]\ninstalled late@1.0.0",
            vec!["left-pad 1.3.0 Installed", "esbuild 0.19.0 Installed"],
        ),
        ("bun install v1.4.5\n\n+ esbuild@0.19.0\n\n1 package installed [3.00ms]", vec!["esbuild 0.19.0 Installed"]),
        (
            "+ left-pad@1.3.0\n+ esbuild@0.19.0\nadded 3 packages from 1 contributor in 4.651s",
            vec!["left-pad 1.3.0 Installed", "esbuild 0.19.0 Installed"],
        ),
        ("+ left-pad@1.3.0\nnothing", vec![]),
        (
            "n1@1.0.0 /srv/n1\n\u{251c}\u{2500}\u{2500} left-pad@1.3.0\n\u{2514}\u{2500}\u{252c} request@2.88.2\n  \
             \u{251c}\u{2500}\u{2500} aws4@1.13.2 deduped\n  \u{2514}\u{2500}\u{2500} UNMET DEPENDENCY x@1.0.0",
            vec!["left-pad 1.3.0 Installed", "request 2.88.2 Installed", "aws4 1.13.2 Installed"],
        ),
        ("a plan\n\u{251c}\u{2500}\u{2500} left-pad@1.3.0", vec![]),
    ] {
        assert_eq!(says(&format!("{text}\n")), want, "{text}");
    }
}

#[test]
fn cargo_and_container_engines() {
    let hash = "a".repeat(64);
    for (text, want) in [
        ("  Downloaded itoa v1.0.10", vec!["itoa 1.0.10 Downloaded"]),
        ("   Compiling itoa v1.0.10", vec!["itoa 1.0.10 Installed"]),
        ("    Checking itoa v1.0.10", vec!["itoa 1.0.10 Installed"]),
        ("   Installed package `ripgrep v14.1.0` (executable `rg`)", vec!["ripgrep 14.1.0 Installed"]),
        ("   Compiling c1 v0.1.0 (/srv/c1)", vec![]),
        ("   Compiling c1 v0.1.0 (https://x.example/c1?rev=1#abc)", vec![]),
        ("Compiling the manual v2", vec![]),
        ("Checking itoa 1.0.10", vec![]),
        (
            &format!("Digest: sha256:{hash}\nStatus: Downloaded newer image for aquasec/trivy:0.69.4"),
            vec!["image aquasec/trivy:0.69.4 sha256:aaaaaaa Downloaded"],
        ),
        ("Unable to find image 'aquasec/trivy:0.69.4' locally", vec!["image aquasec/trivy:0.69.4 Ran"]),
        ("Trying to pull r.example/aquasec/trivy:0.69.4...", vec!["image r.example/aquasec/trivy:0.69.4 Downloaded"]),
        ("Step 1/5 : FROM aquasec/trivy:0.69.4 AS x", vec!["image aquasec/trivy:0.69.4 Downloaded"]),
        ("#5 [1/4] FROM r.example/aquasec/trivy:0.69.4", vec!["image r.example/aquasec/trivy:0.69.4 Downloaded"]),
        (
            &format!(
                "Using docker image sha256:1 for aquasec/trivy:0.69.4 with digest aquasec/trivy@sha256:{hash} ..."
            ),
            vec!["image aquasec/trivy:0.69.4 sha256:aaaaaaa Ran"],
        ),
        ("SELECT x] FROM aquasec/trivy:0.69.4", vec![]),
        ("Status: aquasec/trivy:0.69.4", vec![]),
        ("#9 4.123 Successfully installed six-1.16.0", vec!["six 1.16.0 Installed"]),
        ("#9 [3/4] RUN echo Successfully installed six-1.16.0", vec![]),
    ] {
        assert_eq!(says(&format!("{text}\n")), want, "{text}");
    }
}

#[test]
fn the_runner_says_which_commit_it_took() {
    let sha = "0e58ed8671d6b60d0890c21b07f8835ace038e67";
    let text = github(&format!(
        "Download action repository 'tj-actions/changed-files@v35' (SHA:{sha})\n\
         ##[group]Download immutable action package 'actions/checkout@v4'\nVersion: 4.2.2\nDigest: sha256:{}\n\
         Source commit SHA: {sha}\n##[endgroup]\nDownload action repository 'a/b@v1'\nx 'Download action repository 'a/c@v1'",
        "c".repeat(64)
    ));
    let time = "2026-03-24T11:00:00.1234567Z ci:github/42";
    let want = [
        format!("action tj-actions/changed-files:v35 0e58ed8671d6b6 Ran {time} :1"),
        format!("action actions/checkout:v4 0e58ed8671d6b6 Ran {time} :5"),
        format!("action a/b:v1 Ran {time} :7"),
    ];
    assert_eq!(of(&GitHub, "x/logs_42/build/1_Set up job.txt", text.as_bytes()), want);
    let worker = format!(
        "[2026-03-24 10:00:00Z INFO Worker] Version: 2.337.0\n[2026-03-24 10:00:03Z INFO ActionManager] Save archive \
         'https://codeload.example/tj-actions/changed-files/tar.gz/{sha}' into /r/x.tar.gz.\n"
    );
    let own = of(&Runner, "r/_diag/Worker_20260324-100001-utc.log", worker.as_bytes());
    assert_eq!(own, [format!("action tj-actions/changed-files:{sha} 0e58ed8671d6b6 Ran 2026-03-24T10:00:03Z test :2")]);
}

#[test]
fn each_system_writes_lines_in_its_own_way() {
    let line = "Successfully installed six-1.16.0";
    let plain = github(line);
    let time = "2026-03-24T11:00:00.1234567Z";
    assert_eq!(of(&GitHub, "x/r.log", plain.as_bytes()), [format!("six 1.16.0 Installed {time} ci:github/r :1")]);
    let marked = format!("\u{feff}{}", plain.replace('\n', "\r\n"));
    assert_eq!(of(&GitHub, "x/r.log", marked.as_bytes()).len(), 1);
    let view = format!("build (3.11)\tInstall\t\u{feff}{plain}");
    assert_eq!(
        of(&GitHub, "x/view", view.as_bytes()),
        [format!("six 1.16.0 Installed {time} ci:github/view [build (3.11) / Install] :1")]
    );
    let azure = format!("2026-03-24T10:59:59.1234567Z ##[section]Starting: x\n{plain}");
    assert!(of(&GitHub, "x/r.log", azure.as_bytes())[0].contains("ci:azure/r"));

    let old = format!(
        "\u{1b}[0KRunning with gitlab-runner 16.5.0 (853330f9)\u{1b}[0;m\nsection_start:1:x\r\u{1b}[0K\u{1b}[32;1m$ pip install six\u{1b}[0;m\n{line}\n"
    );
    assert_eq!(of(&GitLab, "x/7.log", old.as_bytes()), ["six 1.16.0 Installed ci:gitlab/7 :3"]);
    let new = format!(
        "2024-05-22T12:43:46.962646Z 00O Running with gitlab-runner 17.0.0\n2024-05-22T12:43:47.962646Z 01O {line}\n\
         2024-05-22T12:43:47.962646Z 01E+{line}\n"
    );
    assert_eq!(
        of(&GitLab, "x/trace", new.as_bytes()),
        [
            "six 1.16.0 Installed 2024-05-22T12:43:47.962646Z ci:gitlab/x-trace :2",
            "six 1.16.0 Installed 2024-05-22T12:43:47.962646Z ci:gitlab/x-trace :3",
        ]
    );

    let console = format!(
        "Started by user \u{1b}[8mha:////4A+x=\u{1b}[0madmin\n[Pipeline] sh\n+ pip install six\n{line}\n[2026-03-24T10:00:00.000Z] {line}\n\
         [2026-03-24T10:00:00] {line}\n[unit] {line}\n\u{1b}[8mha:////x=\u{1b}[0m{line}\n"
    );
    let place = "ci:jenkins/app/42";
    assert_eq!(
        of(&Jenkins, "var/lib/jenkins/jobs/app/builds/42/log", console.as_bytes()),
        [
            format!("six 1.16.0 Installed {place} :4"),
            format!("six 1.16.0 Installed 2026-03-24T10:00:00Z {place} :5"),
            format!("six 1.16.0 Installed 2026-03-24T10:00:00Z {place} :6"),
            format!("six 1.16.0 Installed {place} :7"),
            format!("six 1.16.0 Installed {place} :8"),
        ]
    );
    let tried = tried(&Jenkins, "x/c.log", console.as_bytes(), &Interest::default());
    let local = tried.seen.iter().find(|s| s.origin.line == Some(6)).unwrap();
    assert!(local.at.as_ref().unwrap().source.contains("no zone"));
    // None takes what another one writes.
    for (own, text) in [("github", &plain), ("gitlab", &old), ("jenkins", &console)] {
        let surfaces: [(&str, &dyn Surface); 4] =
            [("github", &GitHub), ("gitlab", &GitLab), ("jenkins", &Jenkins), ("plain", &Plain)];
        for (name, surface) in surfaces {
            assert_eq!(surface.recognises(text.as_bytes()).is_some(), own == name, "{own} by {name}");
            assert_eq!(of(surface, "x/r.log", text.as_bytes()).is_empty(), own != name, "{own} by {name}");
        }
    }
}

#[test]
fn a_script_that_is_shown_is_no_output() {
    let shown = "##[group]Run cat <<E\n\u{1b}[36;1mSuccessfully installed six-1.16.0\u{1b}[0m\nSuccessfully installed six-1.16.1\n\
        shell: /usr/bin/bash -e {0}\nenv:\n  X: 1\n##[endgroup]\nSuccessfully installed idna-3.4";
    let all = of(&GitHub, "x/r.log", github(shown).as_bytes());
    assert_eq!(all, ["idna 3.4 Installed 2026-03-24T11:00:00.1234567Z ci:github/r :8"]);
    // A group of the script's own, which only begins alike.
    let own = "##[group]Run the tests\nSuccessfully installed six-1.16.0\n##[endgroup]\nx";
    assert_eq!(of(&GitHub, "x/r.log", github(own).as_bytes()).len(), 1);
    let cut = "##[group]Run the tests\nSuccessfully installed six-1.16.0";
    assert_eq!(of(&GitHub, "x/r.log", github(cut).as_bytes()).len(), 1);
    // What a test printed.
    let tests = "----------- Captured stdout call -----------\nSuccessfully installed six-1.16.0\n----- Captured stderr call -----\n\
        Successfully installed six-1.16.0\n=========== short test summary info ====\nSuccessfully installed idna-3.4\n";
    assert_eq!(says(tests), ["idna 3.4 Installed"]);
}

#[test]
fn an_archive_says_each_thing_once() {
    let text = github("Successfully installed six-1.16.0");
    let other = github("Successfully installed idna-3.4");
    let both = format!("{text}{other}");
    let bytes = zip(&[
        ("0_build.txt", &both),
        ("build/1_Set up job.txt", "x"),
        ("build/3_Install.txt", &text),
        ("build/system.txt", "x"),
        ("notes.txt", &github("Successfully installed late-1.0")),
    ]);
    let time = "2026-03-24T11:00:00.1234567Z";
    let want = [
        format!("six 1.16.0 Installed {time} ci:github/99 [build/3_Install.txt] :1"),
        format!("idna 3.4 Installed {time} ci:github/99 [0_build.txt] :2"),
    ];
    assert_eq!(of(&GitHub, "h/Downloads/logs_99.zip", &bytes), want);
    assert!(GitHub.recognises(&bytes).is_some());
    let photos = zip(&[("a.txt", &text), ("b.png", "x")]);
    assert!(GitHub.recognises(&photos).is_none() && of(&GitHub, "h/photos.zip", &photos).is_empty());
    // Cut, and damaged inside.
    let cut = of(&GitHub, "h/logs_99.zip", &bytes[..bytes.len() / 2]);
    assert_eq!(cut, ["flaw: zip ends too early"]);
    assert_eq!(of(&GitHub, "h/logs_99.zip", b"PK\x03\x04"), ["flaw: zip ends too early"]);
}

#[test]
fn odd_bytes_take_nothing_with_them() {
    let line = github("Successfully installed six-1.16.0");
    let mut bytes = line.clone().into_bytes();
    bytes.extend_from_slice(b"\xff\xfe\0Compiling \xff\n");
    bytes.extend(vec![b'['; 1 << 20]);
    bytes.push(b'\n');
    bytes.extend_from_slice(b"2026-03-24T11:00:00.1234567Z \x1b[31mSuccessfully installed a\x1b[0m-1.0\n");
    bytes.extend_from_slice(line.as_bytes());
    let all = of(&GitHub, "x/r.log", &bytes);
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all[1].starts_with("a 1.0 Installed") && all[2].ends_with(":5"), "{all:?}");
    for odd in ["\u{1b}", "\u{1b}[", "\u{1b}[8m", "\u{1b}]", "\u{1b}[8mha:", "", "#1 2.0 ", "[", "[]", "[x] "] {
        let text = format!("Started by x\n{odd}Compiling \n{odd}Downloading \nCompiling {odd}");
        assert_eq!(of(&Jenkins, "x/r.log", text.as_bytes()), [""; 0], "{odd:?}");
    }
    // Many names of one line, and a line that says too much.
    let many: String = (0..20_000).map(|n| format!(" p{n}-1.0")).collect();
    assert!(says(&format!("Successfully installed{many}\n")).is_empty());
    let some: String = (0..2_000).map(|n| format!(" p{n}-1.0")).collect();
    assert_eq!(says(&format!("Successfully installed{some}\n")).len(), 2_000);
}

#[test]
fn a_list_that_never_ends_is_left() {
    let rows: String = (0..20_000).map(|n| format!(" + p{n}==1.0\n")).collect();
    let all = says(&format!("Installed 20000 packages in 1s\n{rows}Successfully installed six-1.16.0\n"));
    assert!(all.len() > 4_000 && all.len() < 6_000, "{}", all.len());
    assert_eq!(all.last().unwrap(), "six 1.16.0 Installed");
}

#[test]
fn a_run_is_called_by_what_says_most() {
    let named = |path: &str| super::run_of(&crate::fact::TreePath::new(path.as_bytes()).unwrap());
    for (path, run) in [
        ("h/logs_123.zip", "123"),
        ("h/logs_123/build/3_Install.txt", "123"),
        ("h/run 5/0_build.txt", "run_5"),
        ("h/app/trace", "app-trace"),
        ("h/run-7.log", "run-7"),
        ("trace", "trace"),
        ("h/\u{1b}[2J.log", "__2J"),
    ] {
        assert_eq!(named(path), run, "{path}");
    }
}

#[test]
fn every_marker_is_needed_and_every_line_has_one() {
    let finder = aho_corasick::AhoCorasick::new(super::blocks::MARKERS).unwrap();
    for line in [
        "Successfully installed a-1",
        "\n+ a@1.0.0",
        "bun install v1",
        "devDependencies:",
        "n1@1.0.0 /srv\n\u{251c}\u{2500}\u{2500} a@1",
        "> a@1.0.0 postinstall",
    ] {
        assert!(finder.is_match(line), "{line}");
    }
}
