mod cleanup;
mod properties;
mod removal;
mod secrets;

use std::sync::Arc;

use super::*;
use crate::{
    assess::{Case, Evidence, assess},
    credential::Kind,
    fact::{At, Credential, Ecosystem, Fact, HookContent, HookKind, Origin, Package, Placement, Seen, TreePath},
    ioc::Database,
    verdict::Urgency,
};

pub fn kind(id: &str, lane: &str, tier: u8, edges: &[&str]) -> Kind {
    let text = serde_json::json!({
        "schema": "dosimeter.credential/1", "id": id, "name": format!("the {id}"), "provider": id, "lane": lane,
        "tier": tier, "order": 1, "places": [], "mode": "revoke_first", "edges": edges, "sources": [],
        "rotation": [{"do": "replace {id}", "command": format!("{id} replace {{id}}")}],
        "audit": [{"do": "look for {id} in the log"}],
    });
    serde_json::from_value(text).unwrap()
}

pub fn catalog(kinds: Vec<Kind>) -> Catalog {
    Catalog { kinds: kinds.into_iter().map(Arc::new).collect() }
}

fn kinds() -> Catalog {
    let mut wallet = kind("wallet", "irreversible", 1, &[]);
    wallet.mode = crate::credential::model::Mode::MoveAssets;
    catalog(vec![
        wallet,
        kind("npm.token", "propagation", 1, &[]),
        kind("aws.access_key", "standard", 2, &["db"]),
        kind("aws.instance_role", "standard", 2, &["db"]),
        kind("db", "standard", 4, &[]),
    ])
}

/// Facts of a made-up machine, or of an image.
struct Machine {
    tree: Arc<str>,
    layer: Option<Arc<str>>,
    uid: u32,
    scope: Scope,
    evidence: Vec<Evidence>,
}

impl Machine {
    fn new() -> Self {
        Self { tree: "host".into(), layer: None, uid: 1000, scope: Scope::default(), evidence: Vec::new() }
    }

    fn image(name: &str) -> Self {
        Self { tree: name.into(), layer: Some("sha256:aaaa".into()), ..Self::new() }
    }

    fn with(mut self, surface: &'static str, path: &[u8], fact: Fact) -> Self {
        let mut origin = Origin::file(&self.tree, TreePath::new(path).unwrap());
        origin.layer = self.layer.clone();
        let at = Some(At::new("2026-03-24T11:05:00Z".parse().unwrap(), "mtime"));
        let unit = Some(Arc::new(crate::ecosystem::pypi::unit_around(&origin.path, false)));
        let seen =
            Seen { surface, origin, at, uid: Some(self.uid), gid: Some(self.uid), mode: Some(0o600), unit, fact };
        self.evidence.push(Evidence::from(seen));
        self
    }

    fn package(self, placement: Placement, path: &[u8]) -> Self {
        let fact = Fact::Package(Package {
            ecosystem: Ecosystem::Pypi,
            name: "litellm".into(),
            version: "1.82.8".into(),
            placement,
            requires: [].into(),
            artifacts: Vec::new(),
        });
        self.with("python/dist-info", path, fact)
    }

    fn hook(self, path: &[u8]) -> Self {
        let sha256 = Some("0".repeat(64));
        self.with(
            "python/hook",
            path,
            Fact::Hook { kind: HookKind::Pth, content: HookContent::Runs, sha256, size: 9, odd: Vec::new() },
        )
    }

    fn file(self, path: &[u8]) -> Self {
        // Whatever the texts of the unit are: this file holds every text there is.
        self.with(
            "host/file",
            path,
            Fact::File { sha256: None, digest: None, size: 9, texts: (0..10_000).collect(), program: false },
        )
    }

    fn secret(self, kind: &str, identifier: Option<&str>, path: &[u8]) -> Self {
        let identifier = identifier.map(str::to_owned);
        let secret = Credential { kind: kind.into(), identifier, note: None, named_by: None, tag: None };
        self.with("credential", path, Fact::Credential(secret))
    }

    fn checklist_with(self, database: Database) -> Vec<Item> {
        let (index, catalog) = (Index::new(database, &[]), kinds());
        let passwd = b"root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n";
        let accounts = BTreeMap::from([(self.tree.clone(), Accounts::new(passwd, []))]);
        let case = Case { index: &index, catalog: &catalog, evidence: self.evidence, accounts: accounts.clone() };
        let assessment = assess(case);
        let items = checklist(&index, &catalog, &assessment, &accounts, self.scope, System::Unix).items;
        keeps_the_promises(&items);
        items
    }

    fn checklist(self) -> Vec<Item> {
        self.checklist_with(Database::embedded().unwrap())
    }
}

const VENV: &str = "home/alice/app/.venv/lib/python3.11/site-packages";

/// A machine where everything was found.
fn worst() -> Machine {
    Machine::new()
        .package(Placement::Loadable, format!("{VENV}/litellm-1.82.8.dist-info/METADATA").as_bytes())
        .hook(format!("{VENV}/litellm_init.pth").as_bytes())
        .file(b"home/alice/.config/sysmon/sysmon.py")
        .file(b"home/alice/.config/systemd/user/sysmon.service")
        .file(b"tmp/.pg_state")
        .package(Placement::Cached, b"home/alice/.cache/pip/http-v2/a/b/abc.body")
        .package(Placement::Listed, b"home/alice/app/requirements.txt")
        .secret("aws.access_key", Some("AKIAIOSFODNN7EXAMPLE"), b"home/alice/.aws/credentials")
        .secret("aws.access_key", Some("AKIAIOSFODNN7EXAMPLE"), b"home/alice/app/.env")
        .secret("db", None, b"home/alice/.pgpass")
        .secret("npm.token", None, b"home/alice/.npmrc")
        .secret("wallet", None, b"home/alice/.bitcoin/wallet.dat")
}

/// The payload takes the whole environment: what a start-up file exports is taken, a file that only names it is not.
#[test]
fn what_a_start_up_file_exports_is_harvested() {
    let hook = || Machine::new().hook(format!("{VENV}/litellm_init.pth").as_bytes());
    let why = |path: &[u8]| {
        let items = hook().secret("github.pat", None, path).checklist();
        items.iter().find(|i| !i.credentials.is_empty() && i.phase == Phase::Rotate).map(|i| i.why.clone()).unwrap()
    };
    assert!(why(b"home/alice/.bashrc").starts_with("harvested"), "{}", why(b"home/alice/.bashrc"));
    assert!(why(b"home/alice/src/notes.bashrc").starts_with("exposed"));
}

/// A theft from a wallet cannot be undone: who reads from the top must not come to it last.
#[test]
fn wallets_are_named_at_the_top() {
    let first = |items: &[Item]| items.first().map(|i| format!("{:?}", i.steps)).unwrap_or_default();
    assert!(first(&worst().checklist()).contains("move the wallets"));
    let without = Machine::new().hook(format!("{VENV}/litellm_init.pth").as_bytes()).checklist();
    assert!(!first(&without).contains("wallet"));
}

/// The same paths are other files where the disk is examined.
#[test]
fn commands_for_a_mounted_disk_say_where_they_belong() {
    let mounted = Machine { tree: "/mnt/evidence".into(), ..worst() };
    let evidence = worst().evidence.into_iter().map(|mut e| {
        e.seen.origin.tree = "/mnt/evidence".into();
        e
    });
    let items = Machine { evidence: evidence.collect(), ..mounted }.checklist();
    let says = |i: &Item| i.title.contains("run nothing of it here");
    assert!(items.first().is_some_and(says), "{:?}", items.first());
    assert_eq!(items.iter().filter(|i| format!("{i:?}").contains("run nothing of it here")).count(), 1);
    keeps_the_promises(&items);
    assert!(!worst().checklist().iter().any(says));
}

/// What must hold for every checklist.
fn keeps_the_promises(items: &[Item]) {
    assert!(items.is_sorted_by_key(|i| i.workstream.place(i.phase)), "workstreams, and phases in each");
    for (at, item) in items.iter().enumerate() {
        for edge in &item.after {
            let before = items.iter().position(|i| i.id == edge.item);
            assert!(before.is_some_and(|b| b < at), "{} comes after {edge:?}", item.title);
        }
        let from_clean_machine = matches!(item.phase, Phase::Rotate | Phase::Audit);
        for command in item.steps.iter().filter_map(|s| command(item, s)) {
            assert!(crate::ioc::lint::prints_a_secret(&command).is_none(), "{command}");
            for program in programs(&command).filter(|_| !from_clean_machine) {
                let name = program.rsplit('/').next().unwrap_or(program);
                for banned in ["python", "pip", "pipx", "poetry", "conda", "aws", "az", "gcloud", "ansible", "certbot"]
                {
                    assert!(!name.starts_with(banned) && !program.contains("/bin/"), "{command}");
                }
            }
        }
    }
    let removals: Vec<&Item> =
        items.iter().filter(|i| i.steps.iter().any(|s| matches!(s.action, Action::Keep(_)))).collect();
    let evidence = items.iter().position(|i| i.steps.iter().any(|s| s.action == Action::MakeEvidence));
    let first = removals.first().and_then(|r| items.iter().position(|i| i.id == r.id));
    assert!(
        first.is_none() || evidence < first && evidence.is_some(),
        "nothing is moved before there is a place for it"
    );
    assert!(removals.iter().all(|r| r.phase < Phase::Freeze && r.place == Place::Host));
    let of = |phase: Phase| items.iter().filter(move |i| i.phase == phase);
    let place = of(Phase::Preserve).find(|i| i.steps.iter().any(|s| s.action == Action::MakeEvidence));
    for removal in &removals {
        assert!(place.is_none_or(|p| waits(removal, p)), "{} waits for the evidence", removal.title);
    }
    let not_mine = |i: &&Item| i.title.contains("wallet") || i.title.contains("earlier");
    for item in of(Phase::Rotate).filter(|i| !not_mine(i)) {
        assert_eq!((item.place, item.workstream), (Place::Clean, Workstream::Clean));
        let network = of(Phase::Contain).filter(|i| i.workstream == Workstream::Machine);
        assert!(network.into_iter().all(|n| waits(item, n)), "{} waits until the network is cut", item.title);
        let disarm = of(Phase::Disarm).count();
        assert_eq!(item.blocked, (item.watched && disarm > 0).then_some(Phase::Disarm), "{}", item.title);
        assert!(!item.watched || of(Phase::Disarm).all(|d| waits(item, d)), "{} waits for the monitors", item.title);
        let opens = matches!(item.rank, Some(Rank::Spreads));
        assert!(!opens || of(Phase::Freeze).all(|f| waits(item, f)), "{} waits for the freeze", item.title);
    }
    let lanes = [Workstream::Machine, Workstream::Logs];
    for item in items.iter().filter(|i| lanes.contains(&i.workstream)) {
        let others = item.after.iter().filter_map(|e| items.iter().find(|i| i.id == e.item));
        for other in others.filter(|o| o.workstream != Workstream::Machine) {
            assert_eq!(other.workstream, item.workstream, "{} waits for {}", item.title, other.title);
        }
    }
}

/// Whether an item comes after another.
fn waits(item: &Item, other: &Item) -> bool {
    item.after.iter().any(|e| e.item == other.id)
}

/// The first word of every command in a line.
fn programs(command: &str) -> impl Iterator<Item = &str> {
    command.split(['|', ';', '&', '(']).filter_map(|part| {
        let mut words = part.split_whitespace().filter(|w| !w.starts_with("sudo"));
        words.next().filter(|w| !w.contains('='))
    })
}

fn phases(items: &[Item]) -> Vec<&str> {
    let mut phases: Vec<&str> = items.iter().map(|i| i.phase.as_str()).collect();
    phases.dedup();
    phases
}

/// A step as a shell reads it; the item's id is its place in the list.
fn command(item: &Item, step: &Step) -> Option<String> {
    writer::Writer { system: System::Unix, case: "0123456789abcdef" }.write(&item.id, step).command
}

fn commands(items: &[Item], phase: Phase) -> Vec<String> {
    let of =
        |i: &Item| i.steps.iter().filter_map(|s| command(i, s)).map(|c| c.replace(&i.id, "ID")).collect::<Vec<_>>();
    items.iter().filter(|i| i.phase == phase).flat_map(of).collect()
}

fn moved(items: &[Item]) -> Vec<TreePath> {
    let actions = items.iter().flat_map(|i| &i.steps).map(|s| &s.action);
    actions
        .filter_map(|a| match a {
            Action::Keep(paths) => Some(paths.clone()),
            _ => None,
        })
        .flatten()
        .collect()
}

fn titles(items: &[Item], phase: Phase) -> Vec<&str> {
    items.iter().filter(|i| i.phase == phase).map(|i| i.title.as_str()).collect()
}

#[test]
fn every_phase_in_its_order() {
    let items = worst().checklist();
    assert_eq!(
        phases(&items),
        [
            "preserve",
            "contain",
            "eradicate",
            "purge", // at the machine
            "freeze",
            "rotate",
            "purge", // from a clean one
            "preserve",
            "audit", // the logs
            "verify",
            "rebuild",
        ]
    );
    // Asking the manager of an account that is not logged in would start it.
    let manager = "systemctl is-active --quiet \"user@$(id -u -- alice).service\" && runuser -u alice -- env XDG_RUNTIME_DIR=\"/run/user/$(id -u -- alice)\" systemctl --user"
        .to_owned();
    // The payload's own processes are looked for too, though their files may be gone.
    let look = |files: &str| {
        format!(
            "ps -eo pid,user,args | grep -F -e {files} -e .config/sysmon/sysmon.py -e '--data-binary @tpcp.tar.gz' -e sysmon.service \
             -e pglog -e .pg_state | grep -vF -e 'grep -F'; grep -lsF -e {files} /proc/[0-9]*/maps /proc/[0-9]*/environ; \
             for p in /proc/[0-9]*/exe /proc/[0-9]*/cwd; do t=$(readlink \"$p\") && echo \"$p $t\"; done 2>/dev/null | grep -F -e {files}; \
             [ \"$(id -u)\" = 0 ] || echo 'not as root: processes of other accounts do not show'"
        )
    };
    assert_eq!(
        commands(&items, Phase::Eradicate),
        [
            format!("{manager} disable --now -- sysmon.service").as_str(),
            "loginctl show-user --property=Linger -- alice",
            look("/home/alice/.config/sysmon/sysmon.py -e /home/alice/.config/systemd/user/sysmon.service").as_str(),
            "keep ID /home/alice/.config/sysmon/sysmon.py /home/alice/.config/systemd/user/sysmon.service",
            format!("{manager} mask -- sysmon.service").as_str(),
            look("/home/alice/app/.venv").as_str(),
            // The hook and what the package brought go together; nothing else of the folder does.
            "keep ID /home/alice/app/.venv/lib/python3.11/site-packages/litellm \
             /home/alice/app/.venv/lib/python3.11/site-packages/litellm-1.82.8.dist-info \
             /home/alice/app/.venv/lib/python3.11/site-packages/litellm.py \
             /home/alice/app/.venv/lib/python3.11/site-packages/litellm_init.pth",
            "keep ID /tmp/.pg_state",
        ]
    );
    assert_eq!(
        commands(&items, Phase::Purge),
        ["keep ID /home/alice/.cache/pip/http-v2/a/b/abc /home/alice/.cache/pip/http-v2/a/b/abc.body"]
    );
}

/// Whatever its name and whoever made it: an environment may hold somebody's work, and is made anew only after the secrets.
#[test]
fn no_environment_goes_as_a_whole() {
    let environment = |prefix: &str| Fact::Environment {
        prefix: TreePath::new(prefix.as_bytes()).unwrap(),
        kind: crate::fact::EnvironmentKind::VENV,
        asked: Vec::new(),
    };
    for prefix in ["home/alice/app/.venv", "home/alice/denver-app", "home/alice/envs/x"] {
        let items = Machine::new()
            .with("python/environment", format!("{prefix}/pyvenv.cfg").as_bytes(), environment(prefix))
            .package(
                Placement::Loadable,
                format!("{prefix}/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA").as_bytes(),
            )
            .checklist();
        let moved: Vec<TreePath> = moved(&items);
        assert!(!moved.is_empty() && moved.iter().all(|p| p.as_bytes().len() > prefix.len() + 30), "{moved:?}");
        assert_eq!(
            titles(&items, Phase::Rebuild),
            ["Put new secrets on this machine".to_owned(), format!("Make /{prefix} anew")]
        );
    }
}

#[test]
fn hostile_names_become_one_harmless_word() {
    let items = Machine::new()
        .hook(b"home/al ice/$(id)\x1b[2J\n'/lib/python3.11/site-packages/litellm_init.pth")
        .package(Placement::Listed, "home/x\u{202e}y/requirements.txt".as_bytes())
        .secret("aws.access_key", Some("x'; rm -rf ~ #"), b"home/alice/.aws/credentials")
        .checklist();
    let texts = items.iter().flat_map(|i| {
        let steps = i.steps.iter().flat_map(|s| std::iter::once(s.what.clone()).chain(command(i, s)));
        [i.title.clone(), i.why.clone()].into_iter().chain(steps)
    });
    for text in texts {
        assert!(!text.chars().any(crate::text::hidden), "{text:?}");
    }
    let removal = commands(&items, Phase::Eradicate).join("\n");
    assert!(
        removal.contains(r"'/home/al ice/$(id)\0033[2J\0012\0047/lib/python3.11/site-packages/litellm_init.pth'"),
        "{removal}"
    );
    let rotate = commands(&items, Phase::Rotate).join("\n");
    assert!(rotate.contains(r"aws.access_key replace 'x'\''; rm -rf ~ #'"), "{rotate}");
}

/// An incident whose payload acts when a token is revoked.
fn with_switch() -> Database {
    let header = r#"{"sequence": 1, "created": "2026-06-01T00:00:00Z"}"#;
    let incident = serde_json::json!({
        "schema": "dosimeter.incident/1", "id": "made-up-2026-06", "title": "t", "date": "2026-06-01", "summary": "s",
        "sources": {}, "examples": [], "near_misses": [],
        "packages": [{"ecosystem": "pypi", "name": "litellm", "versions": ["1.82.8"], "triggers": ["interpreter_start"],
            "runs": "r", "safe": ["1.83.0"], "sources": []}],
        "dead_man_switches": [{"value": "~/.local/bin/token-monitor.sh", "what": "wipes the home", "sources": []}],
    });
    Database::parse(("database.json", header), &[("made-up-2026-06.json", &incident.to_string())]).unwrap()
}

#[test]
fn a_dead_man_switch_stands_before_every_secret() {
    let items = Machine::new()
        .package(Placement::Loadable, format!("{VENV}/litellm-1.82.8.dist-info/METADATA").as_bytes())
        .secret("db", None, b"home/alice/.pgpass")
        .checklist_with(with_switch());
    let disarm = items.iter().find(|i| i.phase == Phase::Disarm).unwrap();
    assert!(disarm.steps[0].what.contains("token-monitor.sh"));
    let rotations: Vec<_> = items.iter().filter(|i| i.phase == Phase::Rotate).collect();
    assert!(!rotations.is_empty() && rotations.iter().all(|i| !i.watched || waits(i, disarm)));

    let stored = Machine::new().package(Placement::Cached, b"home/alice/Downloads/litellm-1.82.8.whl");
    assert!(stored.checklist_with(with_switch()).iter().all(|i| i.phase != Phase::Disarm));
}

#[test]
fn an_atomic_group_is_one_item() {
    let mut kinds: Vec<Kind> = ["pat", "store"].iter().map(|id| kind(id, "propagation", 1, &[])).collect();
    kinds.iter_mut().for_each(|k| k.atomic_group = Some("A1".to_owned()));
    let (catalog, index) = (catalog(kinds), Index::new(Database::embedded().unwrap(), &[]));
    let machine = worst().secret("pat", Some("octo"), b"home/alice/.config/x").secret(
        "store",
        None,
        b"home/alice/.git-credentials",
    );
    let accounts = BTreeMap::new();
    let case = Case { index: &index, catalog: &catalog, evidence: machine.evidence, accounts: BTreeMap::new() };
    let items = checklist(&index, &catalog, &assess(case), &accounts, Scope::default(), System::Unix).items;
    let together = items.iter().find(|i| i.title == "Together: the pat, the store").unwrap();
    assert_eq!(together.credentials.len(), 2);
    assert!(together.steps[0].what.contains("revoke every one"));
}

#[test]
fn the_same_findings_give_the_same_list() {
    let mut turned = worst();
    turned.evidence.reverse();
    assert_eq!(worst().checklist(), turned.checklist());
    let urgent = |i: &&Item| i.phase == Phase::Rotate && i.urgency == Some(Urgency::Now);
    assert!(worst().checklist().iter().any(|i| urgent(&i)));
}

#[test]
fn what_stands_in_a_larger_file_is_left_to_a_person() {
    let mut machine = Machine::new().file(b"tmp/tpcp.tar.gz");
    machine.evidence[0].seen.origin.line = Some(3);
    let items = machine.checklist();
    assert!(commands(&items, Phase::Eradicate).is_empty(), "{items:?}");
}

#[test]
fn a_process_is_looked_at_before_it_is_ended() {
    let process = Fact::Process { pid: 4711, program: None, name: "python3".into(), texts: (0..10_000).collect() };
    let items = Machine::new().with("host/process", b"proc/4711/cmdline", process).checklist();
    assert_eq!(commands(&items, Phase::Eradicate)[..2], ["ps -o user=,args= -p 4711", "kill -KILL 4711"], "{items:?}");
}
