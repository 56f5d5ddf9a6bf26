//! What a plan takes away, what it leaves, and what it asks for.

use super::*;

/// Eleven environments with one hook want one thing.
#[test]
fn places_that_want_the_same_are_one_item() {
    let many = (0..11).fold(Machine::new(), |m, n| {
        let site = format!("home/alice/p{n}/.venv/lib/python3.11/site-packages");
        m.package(Placement::Loadable, format!("{site}/litellm-1.82.8.dist-info/METADATA").as_bytes())
            .hook(format!("{site}/litellm_init.pth").as_bytes())
    });
    let items = many.checklist();
    let code: Vec<&str> = titles(&items, Phase::Eradicate).into_iter().filter(|t| t.starts_with("Take")).collect();
    assert_eq!(code, ["Take pypi/litellm@1.82.8 out of 11 places"]);
    assert_eq!(titles(&items, Phase::Rebuild), ["Put new secrets on this machine", "Make 11 environments anew"]);
    assert!(items.len() <= 15, "{:?}", items.iter().map(|i| &i.title).collect::<Vec<_>>());
}

/// What the package's own list names is moved: a module of one file too. What it names elsewhere is not.
#[test]
fn what_the_own_list_names_is_moved() {
    let paths = ["x/litellm_core.py", "x/requests"].map(|p| TreePath::new(p.replace('x', VENV).as_bytes()).unwrap());
    let other = Fact::Package(Package {
        ecosystem: Ecosystem::Pypi,
        name: "requests".into(),
        version: "2.0".into(),
        placement: Placement::Loadable,
        requires: [].into(),
        artifacts: Vec::new(),
    });
    let items = Machine::new()
        .package(Placement::Loadable, format!("{VENV}/litellm-1.82.8.dist-info/METADATA").as_bytes())
        .with("python/dist-info", format!("{VENV}/requests-2.0.dist-info/METADATA").as_bytes(), other)
        .with(
            "python/dist-info",
            format!("{VENV}/litellm-1.82.8.dist-info/RECORD").as_bytes(),
            Fact::Listed { paths: paths.to_vec() },
        )
        .checklist();
    let moved = moved(&items);
    assert!(moved.contains(&paths[0]), "{moved:?}");
    assert!(!moved.contains(&paths[1]), "another distribution's folder stays: {moved:?}");
}

#[test]
fn nothing_below_a_container_store_is_touched() {
    let layer = "var/lib/docker/overlay2/abc/diff";
    let items = Machine::new()
        .package(Placement::Loadable, format!("{layer}/{VENV}/litellm-1.82.8.dist-info/METADATA").as_bytes())
        .hook(format!("{layer}/{VENV}/litellm_init.pth").as_bytes())
        .file(format!("{layer}/tmp/.pg_state").as_bytes())
        .checklist();
    assert_eq!(moved(&items), []);
    let store = items.iter().find(|i| i.title.ends_with("by their engine: /var/lib/docker")).unwrap();
    assert!(store.steps.iter().any(|s| s.what.contains("change nothing below the store by hand")), "{store:?}");
    assert!(titles(&items, Phase::Rebuild).is_empty());
}

/// Kinds that live in files, and no file of which was found where everything was looked at, were not there.
#[test]
fn what_was_not_there_is_not_asked_for() {
    let asked = |whole: bool| {
        let mut machine = worst();
        machine.scope = Scope { whole, ..Scope::default() };
        let items = machine.checklist();
        let all: Vec<String> = items.iter().filter(|i| i.phase == Phase::Rotate).map(|i| format!("{i:?}")).collect();
        all.iter().filter(|i| i.contains("no file shows")).cloned().collect::<Vec<_>>()
    };
    assert_eq!(asked(true).len(), 1);
    assert!(!asked(true)[0].contains("not every place"));
}

/// Of a part of a machine nobody can say that it holds no monitor.
#[test]
fn monitors_that_were_not_looked_for_are_named() {
    let stop = |monitors: bool, secret: bool| {
        let mut machine = Machine::new().hook(format!("{VENV}/litellm_init.pth").as_bytes());
        if secret {
            machine = machine.secret("db", None, b"home/alice/.pgpass");
        }
        machine.scope = Scope { monitors, ..Scope::default() };
        let items = machine.checklist();
        titles(&items, Phase::Disarm).iter().any(|t| t.contains("not looked for everywhere"))
    };
    assert!(stop(false, true) && !stop(true, true) && !stop(false, false));
}

/// After a clean-up the earlier list holds, whatever is still found.
#[test]
fn kept_evidence_leads_to_the_earlier_list() {
    let kept = || Fact::KeptEvidence { case: "0123456789abcdef".into(), archives: 2 };
    let marker = b"root/dosimeter-evidence.aB3/DOSIMETER-EVIDENCE";
    let clean = Machine::new().with("host/kept-evidence", marker, kept()).checklist();
    assert_eq!(
        titles(&clean, Phase::Rotate),
        ["Rotate what the list of the earlier examination 0123456789abcdef names"]
    );
    let items = worst().with("host/kept-evidence", marker, kept()).checklist();
    assert!(titles(&items, Phase::Rotate)[0].contains("earlier examination"));
    assert!(!worst().checklist().iter().any(|i| i.title.contains("earlier examination")));
}

#[test]
fn what_is_only_stored_or_named_costs_no_secret() {
    let items = Machine::new()
        .package(Placement::Cached, b"home/alice/.cache/uv/archive-v0/x/litellm-1.82.8.dist-info/METADATA")
        .package(Placement::Listed, b"home/alice/app/uv.lock")
        .secret("db", None, b"home/alice/.pgpass")
        .checklist();
    // What a lock file names, a CI job of the window installed.
    assert_eq!(phases(&items), ["preserve", "purge", "audit", "verify"]);
    assert!(items.iter().any(|i| i.why.contains("no secret has to be replaced")));
    assert_eq!(commands(&items, Phase::Purge), ["keep ID /home/alice/.cache/uv/archive-v0/x"]);
    assert!(Machine::new().secret("db", None, b"home/alice/.pgpass").checklist().is_empty());
}

#[test]
fn an_image_is_rebuilt_and_nothing_is_removed_from_it() {
    let items = Machine::image("demo/app:1.0")
        .package(Placement::Loadable, format!("{VENV}/litellm-1.82.8.dist-info/METADATA").as_bytes())
        .checklist();
    assert_eq!(titles(&items, Phase::Eradicate), ["Stop every container of image demo/app:1.0"]);
    assert!(titles(&items, Phase::Rebuild).contains(&"Rebuild image demo/app:1.0 and remove the old one everywhere"));
    assert_eq!(moved(&items), []);
}

/// The one disk that was examined is named at the top, not at every path of it.
#[test]
fn the_only_disk_is_not_named_again() {
    let root = Machine { tree: "root".into(), ..Machine::new() };
    let items = root.hook(format!("{VENV}/litellm_init.pth").as_bytes()).checklist();
    assert!(items.len() > 3 && items.iter().all(|i| !format!("{i:?}").contains("of root")), "{items:?}");
}
