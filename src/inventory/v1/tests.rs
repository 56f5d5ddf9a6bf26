use std::sync::Arc;

use super::*;
use crate::{
    coverage::GapKind,
    ecosystem::pypi::UV_TOOL,
    fact::{self, Ecosystem, HookContent, HookKind, Placement, ScriptOutcome, TreePath},
    interest::Interest,
};

fn path(text: &str) -> TreePath {
    TreePath::new(text.as_bytes()).unwrap()
}

fn package() -> fact::Package {
    let mut requirement = fact::Requirement::new("b", "b>=1");
    requirement.extras = ["x".into()].into();
    requirement.marker = Some("python_version<'4'".into());
    requirement.extra = true;
    let artifact = fact::Artifact {
        name: Some("a.whl".into()),
        size: Some(7),
        sha256: Some("0".repeat(64)),
        digest: Some("sha1:0a".into()),
    };
    fact::Package {
        ecosystem: Ecosystem::Pypi,
        name: "a".into(),
        version: "1.0".into(),
        placement: Placement::Leftover,
        requires: [requirement].into(),
        artifacts: vec![artifact],
    }
}

fn command() -> fact::Command {
    let wanted = |pinned: Option<&str>| fact::Wanted {
        ecosystem: Ecosystem::Npm,
        name: "@s/x".into(),
        pinned: pinned.map(Into::into),
        specifier: "^1".into(),
    };
    let container = fact::Container {
        name: "web".into(),
        mounts: vec!["/srv".into()],
        more_mounts: true,
        environment: true,
        whole_host: true,
    };
    fact::Command {
        tool: "npm".into(),
        action: fact::CommandAction::Run,
        wanted: vec![wanted(Some("1.2.3")), wanted(None)],
        cutoff: Some(fact::Cutoff::Age(jiff::SignedDuration::from_secs(86_400))),
        whereabouts: fact::Whereabouts {
            account: Some("bob".into()),
            machine: Some("m".into()),
            agent: true,
            container: Some(container),
            environment: Some("~/v".into()),
            folder: Some("/srv/app".into()),
        },
        lists: vec!["deps/base.txt".into()],
        scripts: Some(false),
        loads: vec!["litellm".into()],
    }
}

/// One of each variant, with every field set.
fn facts() -> Vec<fact::Fact> {
    use fact::Fact as F;
    let texts = vec![0, 1];
    let time = "2026-03-24T10:00:00Z".parse().ok();
    let cutoff = fact::Cutoff::At("2026-03-01T00:00:00Z".parse().unwrap());
    let actions = [fact::CommandAction::Install, fact::CommandAction::Download, fact::CommandAction::Resolve];
    let actions = actions.into_iter().chain([fact::CommandAction::Uninstall, fact::CommandAction::Start]);
    let plain = actions.map(|a| F::Command(fact::Command::for_packages("pip", a, Vec::new())));
    let platforms = fact::Platform::ALL.map(F::Platform);
    let mut all = vec![
        F::Package(package()),
        F::Named(package()),
        F::Disagreement { names: ["a".into(), "b".into()], what: "two".into() },
        F::CodeFolder,
        F::Requires(package().requires),
        F::File { sha256: Some("1".repeat(64)), digest: None, size: 3, texts: texts.clone(), program: true },
        F::File { sha256: None, digest: Some("sha1:0a".into()), size: 3, texts: Vec::new(), program: false },
        F::Owned { file: TreePath::new(b"a/\xff").unwrap(), sha256: None },
        F::Listed { paths: vec![path("a/b"), path("c")] },
        F::KeptEvidence { case: "ab12".into(), archives: 2 },
        F::Installer { name: "uv".into() },
        F::Requested,
        F::FromRepository { vcs: "git".into() },
        F::Bytecode { module: "m".into(), source_mtime: time, source_size: Some(9) },
        F::Environment { prefix: path("v"), kind: UV_TOOL, asked: package().requires.to_vec() },
        F::Project { ecosystem: Ecosystem::Npm, asked: package().requires.to_vec() },
        F::Command(command()),
        F::Starts(command()),
        F::Command(fact::Command { cutoff: Some(cutoff), ..command() }),
        F::Host { name: "h.example".into(), sinkholed: true },
        F::Autostart { texts: texts.clone(), sha256: "2".repeat(64), in_project: true },
        F::Process { pid: 4, program: Some(path("usr/bin/x")), name: "x".into(), texts },
        F::Process { pid: 5, program: None, name: "".into(), texts: Vec::new() },
        F::Executable { pid: 4, program: path("usr/bin/x"), deleted: true },
        F::Loaded { pid: 4, site: path("v/lib") },
        F::SearchPath { pid: 4, prefixes: vec![path("v"), path("home/al/.local")] },
        F::Image { references: vec!["a:1".into()], digests: vec!["sha256:0".into()] },
        F::Recorded { package: package(), folder: path("p") },
        F::ScriptsBlocked { by: "pnpm", root: path("home/a"), allowed: ["x".into(), "!y".into()].into() },
        F::Includes { file: path("r.txt"), surface: "python/requirements" },
        F::OnPath { site: path("v/s"), entry: path("w") },
        F::Use(fact::Use {
            kind: fact::UseKind::Image,
            name: "ghcr.io/x/y".into(),
            reference: "v1".into(),
            digest: Some("sha256:0".into()),
            usage: fact::Usage::Fetched,
        }),
        F::Credential(fact::Credential {
            kind: "aws".into(),
            identifier: Some("AKIA".into()),
            note: Some("n".into()),
            named_by: Some("VAR".into()),
            tag: Some("xeeisvnxslrs6xxpn32mpok6di".into()),
        }),
    ];
    all.extend(plain);
    all.extend(platforms);
    all.extend(fact::Store::ALL.map(F::Reference));
    let used = |kind| {
        F::Use(fact::Use { kind, name: "a/b".into(), reference: "".into(), digest: None, usage: fact::Usage::Named })
    };
    all.extend(fact::UseKind::ALL.map(used));
    let recorded = fact::Usage::Recorded;
    all.push(F::Use(fact::Use {
        kind: fact::UseKind::Extension,
        name: "a.b".into(),
        reference: "1".into(),
        digest: None,
        usage: recorded,
    }));
    let trace = |kind| F::Trace(fact::Trace { kind, value: "v".into(), held: fact::Held::Named });
    all.extend(fact::TraceKind::ALL.map(trace));
    let held = [fact::Held::Fetched, fact::Held::Run, fact::Held::Starts, fact::Held::InProject];
    all.extend(held.map(|held| F::Trace(fact::Trace { kind: fact::TraceKind::Text, value: "v".into(), held })));
    let hooks = [
        (HookKind::Pth, HookContent::Runs),
        (HookKind::Start, HookContent::Paths),
        (HookKind::Sitecustomize, HookContent::Empty),
        (HookKind::Usercustomize, HookContent::Renamed),
    ];
    let hook = |(kind, content)| F::Hook { kind, content, sha256: None, size: 1, odd: vec!["base64"] };
    all.extend(hooks.map(hook));
    let placements = [Placement::Listed, Placement::Cached, Placement::Built, Placement::Loadable];
    all.extend(placements.map(|placement| F::Package(fact::Package { placement, ..package() })));
    use ScriptOutcome::{Declared, Failed, Skipped, Started, Succeeded};
    let script = |outcome| F::InstallScript {
        name: "x".into(),
        version: "1".into(),
        folder: (outcome == Failed).then(|| path("n/x")),
        outcome,
    };
    all.extend([Declared, Started, Succeeded, Failed, Skipped].map(script));
    all
}

#[test]
fn every_fact_comes_back_as_it_was() {
    let interest = Interest::with_texts(vec!["one".into(), "two".into()]);
    let known = Known::new(&interest);
    for fact in facts() {
        let origin = fact::Origin::file(&Arc::from("host"), path("f"));
        let (at, unit) = (fact::At::unix(1_774_350_600, "a clock"), None);
        let seen = fact::Seen { surface: "s", origin, at, uid: None, gid: None, mode: None, unit, fact };
        let stored = serde_json::to_string(&Stood::new(&seen, &interest)).unwrap();
        let back: Stood = serde_json::from_str(&stored).unwrap();
        assert_eq!(back.at.unwrap().time, seen.at.as_ref().unwrap().time);
        assert_eq!(back.fact.read(&known), Some(seen.fact), "{stored}");
    }
}

#[test]
fn texts_are_those_of_the_indicators_of_today() {
    let then = Interest::with_texts(vec!["one".into(), "two".into()]);
    let today = Interest::with_texts(vec!["new".into(), "two".into()]);
    let fact = fact::Fact::Autostart { texts: vec![0, 1], sha256: String::new(), in_project: false };
    let origin = fact::Origin::file(&Arc::from("host"), path("f"));
    let seen = fact::Seen { surface: "s", origin, at: None, uid: None, gid: None, mode: None, unit: None, fact };
    let back = Stood::new(&seen, &then).fact.read(&Known::new(&today)).unwrap();
    assert_eq!(back, fact::Fact::Autostart { texts: vec![1], sha256: String::new(), in_project: false });
}

#[test]
fn words_and_paths_that_are_none_are_refused() {
    for text in [
        r#"{"package":{"ecosystem":"pypi","name":"a","version":"1","placement":"nowhere"}}"#,
        r#"{"listed":{"paths":["/a/../b"]}}"#,
        r#"{"listed":{"paths":["/a\u0000b"]}}"#,
        r#"{"listed":{"paths":[{"bytes":"!"}]}}"#,
        r#"{"command":{"tool":"pip","verb":"burn"}}"#,
        r#"{"includes":{"file":"/a","surface":"a\nb"}}"#,
    ] {
        let fact: Fact = serde_json::from_str(text).unwrap();
        assert_eq!(fact.read(&Known::default()), None, "{text}");
    }
}

#[test]
fn accounts_and_places_come_back() {
    let accounts = crate::accounts::Accounts::new(b"al:x:1000:1000::/home/al:/bin/sh\n", [path("home/bo")])
        .with_groups(b"staff:x:50:al\n")
        .with_machine_names(b"web1\n", b"127.0.1.1 web1.example\n")
        .with_histories([path("data/h")])
        .with_files_by_hand([path("x")])
        .with_folders([(path("home/al"), crate::accounts::Access { uid: 1000, gid: 1000, mode: 0o700 })]);
    let stored = serde_json::to_string(&Accounts::from(&accounts)).unwrap();
    let back: Accounts = serde_json::from_str(&stored).unwrap();
    assert_eq!(format!("{:?}", back.read().unwrap()), format!("{accounts:?}"));
    let tree: Arc<str> = "host".into();
    let origin = fact::Origin { inner: Some("m".into()), line: Some(3), ..fact::Origin::file(&tree, path("a")) };
    let gap = crate::coverage::Gap { origin, surface: "s", kind: GapKind::TooLarge, detail: "d".into() };
    assert_eq!(Gap::from(&gap).place.read(&tree), Some(gap.origin));
}
