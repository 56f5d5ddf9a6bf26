//! What the data and the plan promise of clean-ups: no evidence is destroyed, no watched token ends too early, and an image is no machine.

use super::*;
use crate::{fact::Platform, ioc::model::FileRole};

const IMAGE: &str = "registry.example/acme/app:1.4";

fn planned(machine: Machine, catalog: &Catalog) -> Vec<Item> {
    planned_on(machine, catalog, System::Unix)
}

fn planned_on(machine: Machine, catalog: &Catalog, system: System) -> Vec<Item> {
    let index = Index::new(Database::embedded().unwrap(), &[]);
    let passwd = b"root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nbea:x:1001:1001::/home/bea:/bin/sh\nwww:x:33:33::/var/www:/bin/false\n";
    let accounts = BTreeMap::from([(machine.tree.clone(), Accounts::new(passwd, []))]);
    let scope = machine.scope;
    let case = Case { index: &index, catalog, evidence: machine.evidence, accounts: accounts.clone() };
    let items = checklist(&index, catalog, &assess(case), &accounts, scope, system).items;
    keeps_the_promises(&items);
    items
}

fn installed() -> Machine {
    Machine::new().package(Placement::Loadable, format!("{VENV}/litellm-1.82.8.dist-info/METADATA").as_bytes())
}

fn named(name: &str, version: &str) -> Fact {
    Fact::Package(Package {
        ecosystem: Ecosystem::Npm,
        name: name.into(),
        version: version.into(),
        placement: Placement::Loadable,
        requires: [].into(),
        artifacts: Vec::new(),
    })
}

fn text(items: &[Item]) -> String {
    format!("{items:#?}")
}

/// These phases come before, or beside, the one that keeps the evidence.
#[test]
fn no_incident_destroys_evidence_before_it_is_kept() {
    let database = Database::embedded().unwrap();
    let takes = ["delete", "remove", "removed", "withdraw", "restore", "empty", "anew"];
    let keeps = ["keep", "save", "copy", "download", "evidence", "write down", "undo the commits"];
    let mut looked_at = 0;
    for incident in &database.incidents {
        let early =
            incident.cleanup.iter().filter(|c| matches!(c.phase, Phase::Contain | Phase::Disarm | Phase::Freeze));
        for step in early.flat_map(|c| &c.steps) {
            looked_at += 1;
            let word = |w: &str| step.what.split(|c: char| !c.is_ascii_alphanumeric()).any(|x| x == w);
            let destroys = takes.iter().any(|t| word(t));
            assert!(!destroys || keeps.iter().any(|k| step.what.contains(k)), "{}: {}", incident.id, step.what);
        }
    }
    assert!(looked_at > 80, "{looked_at}");
}

/// Whoever rotates all that a thing holds, or ends what it agreed to, ends tokens of forges and registries among it.
#[test]
fn what_may_end_a_watched_token_is_watched() {
    let catalog = Catalog::embedded().unwrap();
    let wide =
        ["otate each", "otate every", "otate all", "otate what", "ake each variable", "stored password", "consents"];
    // Gateways for models hold keys of models alone.
    let models = ["litellm.", "bifrost."];
    let mut found = 0;
    for kind in catalog.kinds.iter().filter(|k| !models.iter().any(|m| k.id.starts_with(m))) {
        if kind.rotation.iter().any(|r| wide.iter().any(|w| r.what.contains(w))) {
            assert!(kind.watched, "{}", kind.id);
            found += 1;
        }
        assert!(kind.watched || kind.unwatched_hosts.is_empty(), "{}", kind.id);
    }
    assert!(found > 20, "{found}");
    for id in
        ["browser.chromium", "onepassword", "keepass.kdbx", "os.shell_history", "terraform.state_vars", "composer.auth"]
    {
        assert!(catalog.kind(id).unwrap().watched, "{id}");
    }
    for id in ["aws.access_key", "ssh.user_private_key", "db.postgres", "llm.openai", "slack.tokens"] {
        assert!(!catalog.kind(id).unwrap().watched, "{id}");
    }
}

#[test]
fn a_login_elsewhere_waits_for_no_monitor() {
    let catalog = Catalog::embedded().unwrap();
    let hit =
        || Machine::new().with("node/package", b"home/alice/w/node_modules/keyv/package.json", named("keyv", "6.0.0"));
    let blocked = |kind: &str, id: Option<&str>| {
        // Another of the kind that is watched says nothing of this one.
        let machine =
            hit().secret(kind, id, b"home/alice/.login").secret(kind, Some("x@github.com"), b"home/alice/b/.login");
        let items = planned(machine, &catalog);
        assert!(items.iter().any(|i| i.phase == Phase::Disarm), "{}", titles(&items, Phase::Disarm).len());
        let said = |i: &&Item| i.steps.iter().any(|s| s.what.contains("/home/alice/.login"));
        items.iter().find(|i| i.phase == Phase::Rotate && said(i)).unwrap().blocked
    };
    for (kind, id) in [
        ("netrc", Some("al@github.com")),
        ("netrc", Some("al@git.example")),
        ("netrc", None),
        ("container.docker_config", Some("ghcr.io")),
        ("onepassword", None),
        ("browser.chromium", None),
    ] {
        assert_eq!(blocked(kind, id), Some(Phase::Disarm), "{kind} {id:?}");
    }
    for (kind, id) in [
        ("netrc", Some("al@api.heroku.com")),
        ("container.docker_config", Some("https://index.docker.io/v1/")),
        ("git.credential_store", Some("al@gitlab.com")),
        ("slack.tokens", None),
    ] {
        assert_eq!(blocked(kind, id), None, "{kind} {id:?}");
    }
}

/// No monitor was found: whoever looks for one has a command for each account, and each of them once.
#[test]
fn a_monitor_is_looked_for_in_every_account() {
    let catalog = kinds();
    let hit =
        || Machine::new().with("node/package", b"home/alice/w/node_modules/keyv/package.json", named("keyv", "6.0.0"));
    let on = |system| commands(&planned_on(hit(), &catalog, system), Phase::Disarm);
    let linux = on(System::Unix);
    for account in ["root", "alice", "bea"] {
        let stop = format!(
            "systemctl is-active --quiet \"user@$(id -u {account}).service\" && runuser -u {account} -- env XDG_RUNTIME_DIR=\"/run/user/$(id -u {account})\" systemctl --user disable --now gh-token-monitor.service"
        );
        assert_eq!(linux.iter().filter(|c| **c == stop).count(), 1, "{linux:#?}");
    }
    assert!(
        linux.iter().all(|c| !c.contains("ACCOUNT") && !c.contains("www") && !c.contains("launchctl")),
        "{linux:#?}"
    );
    let mac = on(System::Mac);
    assert!(mac.iter().any(|c| c.contains("gui/1000 /Users/alice/Library/LaunchAgents/")), "{mac:#?}");
    assert!(mac.iter().all(|c| !c.contains("systemctl") && !c.contains("UID ")), "{mac:#?}");
    assert!(on(System::Windows).is_empty());
}

#[test]
fn clusters_are_looked_at_where_something_leads_to_one() {
    let catalog = Catalog::embedded().unwrap();
    let looks = |m: Machine| {
        let items = planned(m, &catalog);
        let contain = titles(&items, Phase::Contain).iter().any(|t| t.contains("pods in every cluster"));
        let asks = items
            .iter()
            .filter(|i| i.title.starts_with("Ask those"))
            .any(|i| text(std::slice::from_ref(i)).contains("node-setup-"));
        (contain, asks)
    };
    assert_eq!(looks(installed()), (false, true));
    let config = installed().secret("k8s.kubeconfig_token", Some("al"), b"home/alice/.kube/config");
    assert_eq!(looks(config), (true, false));
    let node = installed().with("host/platform", b"var/lib/kubelet/config.yaml", Fact::Platform(Platform::Kubernetes));
    assert_eq!(looks(node), (true, false));
    let part = Machine { scope: Scope { whole: false, ..Scope::default() }, ..installed() };
    assert_eq!(looks(part), (true, false));
}

#[test]
fn an_image_has_no_network_and_no_memory() {
    let id = format!("sha256:{}", "1".repeat(64));
    let manifest = format!("sha256:{}", "2".repeat(64));
    let mut machine = Machine::image(IMAGE)
        .package(Placement::Loadable, b"app/.venv/lib/python3.12/site-packages/litellm-1.82.8.dist-info/METADATA");
    machine.layer = None;
    let digests = vec![id.clone(), manifest.clone(), "sha256:short".to_owned()];
    let machine = machine.with("image/config", b"", Fact::Image { references: vec![IMAGE.into()], digests });
    let items = planned(machine, &kinds());
    let all = text(&items);
    for word in ["dropping packets", "image of the disk", "memory too", "machine off", "Build the machine"] {
        assert!(!all.contains(word), "{word}: {all}");
    }
    assert!(titles(&items, Phase::Contain)[0].starts_with("Cut off what runs from the images"), "{all}");
    let stop = commands(&items, Phase::Eradicate);
    assert_eq!(stop[0], format!("docker ps --all --no-trunc --filter ancestor={id} --filter ancestor={manifest}"));
    assert!(stop[1].starts_with("docker image ls --all") && stop[1].contains("-e sha256:aaaa"), "{stop:#?}");
    let pods = &stop[2];
    for part in [".spec.initContainers[*].image", ".status.containerStatuses[*].imageID", &manifest, IMAGE] {
        assert!(pods.contains(part), "{part}: {pods}");
    }
    // A tag may have moved: it stands in no filter where a digest is known.
    assert!(!stop[0].contains(IMAGE) && !stop.join(" ").contains("short"), "{stop:#?}");
    let untagged = Machine::image(IMAGE)
        .package(Placement::Loadable, b"app/.venv/lib/python3.12/site-packages/litellm-1.82.8.dist-info/METADATA");
    let stop = commands(&planned(untagged, &kinds()), Phase::Eradicate);
    assert_eq!(stop[0], format!("docker ps --all --no-trunc --filter ancestor={IMAGE}"));
    // A machine stays one.
    assert!(text(&planned(installed(), &kinds())).contains("dropping packets"));
}

#[test]
fn root_s_backdoor_means_a_new_machine() {
    let anew = |path: &[u8]| {
        let items = planned(Machine::new().file(path), &kinds());
        assert!(items.iter().any(|i| i.phase == Phase::Eradicate), "{}", text(&items));
        titles(&items, Phase::Rebuild).contains(&"Build the machine anew")
    };
    assert!(anew(b"root/.config/sysmon/sysmon.py"));
    assert!(!anew(b"home/alice/.config/sysmon/sysmon.py"));
}

#[test]
fn planted_programs_are_moved_and_shared_settings_are_not() {
    let file = |m: Machine, path: &[u8]| m.file(path);
    let machine = [
        b"home/alice/w/.claude/router_runtime.js".as_slice(),
        b"home/alice/w/.claude/setup.mjs",
        b"home/alice/w/.claude/settings.json",
        b"home/alice/w/.vscode/tasks.json",
    ]
    .into_iter()
    .fold(Machine::new(), file);
    let items = planned(machine, &kinds());
    let item = items.iter().find(|i| i.title.starts_with("Take out what was planted")).unwrap();
    let mut gone: Vec<String> = moved(std::slice::from_ref(item)).iter().map(|p| p.text().into_owned()).collect();
    gone.sort();
    assert_eq!(gone, ["/home/alice/w/.claude/router_runtime.js", "/home/alice/w/.claude/setup.mjs"]);
    let said: String = item.steps.iter().map(|s| s.what.as_str()).collect();
    assert!(said.contains("/home/alice/w/.claude/settings.json") && said.contains(".vscode/tasks.json"), "{said}");
    let database = Database::embedded().unwrap();
    let planted = database.incidents.iter().flat_map(|i| &i.files).filter(|f| f.role == FileRole::Planted);
    assert!(planted.count() > 40);
}

#[test]
fn the_keys_of_one_cluster_are_one_item() {
    let catalog = Catalog::embedded().unwrap();
    let keys = |m: Machine| {
        m.secret("k8s.control_plane_files", Some("admin"), b"etc/kubernetes/admin.conf")
            .secret("k8s.control_plane_files", None, b"etc/kubernetes/pki/ca.key")
            .secret("k8s.control_plane_files", None, b"etc/kubernetes/pki/sa.key")
            .secret("k8s.node_identity", Some("n"), b"etc/kubernetes/kubelet.conf")
    };
    let items = planned(keys(Machine { uid: 0, ..installed() }.file(b"root/.config/sysmon/sysmon.py")), &catalog);
    let cluster: Vec<&Item> = items.iter().filter(|i| i.title.starts_with("Kubernetes control-plane keys")).collect();
    assert_eq!(cluster.len(), 1, "{:#?}", titles(&items, Phase::Rotate));
    assert_eq!((cluster[0].mode, cluster[0].credentials.len()), (Some(Mode::Together), 3));
    let node = items.iter().find(|i| i.title.starts_with("Kubernetes node identity")).unwrap();
    let said = text(std::slice::from_ref(node));
    assert!(said.contains("drain NODE") && said.contains("delete node NODE") && !said.contains("etcd CA"), "{said}");
    // Keys of SSH share their group with tokens of forges: each stays an item of its own.
    let ssh = installed().secret("ssh.user_private_key", Some("SHA256:a"), b"home/alice/.ssh/a").secret(
        "ssh.user_private_key",
        Some("SHA256:b"),
        b"home/alice/.ssh/b",
    );
    let items = planned(ssh, &catalog);
    assert_eq!(titles(&items, Phase::Rotate).iter().filter(|t| t.starts_with("SSH")).count(), 2);
}
