//! The phases before anything is rotated: keep the evidence, contain, disarm, and remove what would run again.

use std::collections::BTreeMap;

use super::{
    Item, Plan,
    shell::quote,
    situation::{Situation, absolute, place, shown, step, within},
};
use crate::{
    assess::{Account, Finding, FindingKind},
    fact::{EnvironmentKind, TreePath},
    ioc::model::{CleanupStep, FileRole, NetworkKind},
    text::defang,
    verdict::{Exposure, Phase},
};

/// Preserve, contain, disarm.
pub fn before(s: &Situation<'_>, plan: &mut Plan) {
    if s.worst >= Exposure::Removed {
        plan.add(&[b"evidence"], preserve(s));
    }
    if s.worst >= Exposure::Installed {
        plan.add(&[b"network"], contain(s));
    }
    for phase in [Phase::Contain, Phase::Disarm] {
        if phase == Phase::Disarm {
            disarm(s, plan);
        }
        given(s, plan, phase);
    }
}

/// Items that the incidents' own files give for a phase.
pub fn given(s: &Situation<'_>, plan: &mut Plan, phase: Phase) {
    let items = s.cleanup(phase);
    let titles: Vec<String> = items.iter().map(|(_, item)| item.title.clone()).collect();
    for ((incident, mut item), title) in items.into_iter().zip(&titles) {
        if titles.iter().filter(|t| *t == title).count() > 1 {
            item.title = format!("{title} ({})", incident.id);
        }
        let after = if phase == Phase::Purge { plan.ids_of(&[Phase::Eradicate]) } else { Vec::new() };
        plan.add(&[incident.id.as_bytes(), title.as_bytes()], item.after(after));
    }
}

fn preserve(s: &Situation<'_>) -> Item {
    let why = "what follows destroys traces, and only they can tell what was taken and when";
    let item = Item::new(Phase::Preserve, "Keep the evidence before anything is changed", why)
        .say("start no Python and no tool written in it on this machine: no pip, aws, az, gcloud, ansible, certbot; each start can run the payload again")
        .say("take an image of the disk, or a snapshot of the volume or virtual machine; of a running machine its memory too")
        .say("copy this report to another machine");
    let here = s.findings(|f| f.exposure >= Exposure::Removed && f.origin.layer.is_none());
    let item = if here.is_empty() {
        item
    } else {
        item.run(
            "make a folder for what is taken out below; the commands there use it",
            r#"EVIDENCE="$(mktemp -d /root/evidence.XXXXXX)""#,
        )
    };
    let item = if super::secrets::has_wallets(s) {
        item.say("at the same time, from a clean device: move the wallets; their items stand under `rotate` and wait for nothing")
    } else {
        item
    };
    item.say("export the logs that expire: cloud audit trails (90 days in CloudTrail's event history), CI, DNS and proxy logs")
}

fn contain(s: &Situation<'_>) -> Item {
    let why = "the payload sends what it takes and fetches more; a proxy that answers 401, 403 or 407 can look like a \
               revoked token, and some payloads delete files when a token is revoked";
    let mut item = Item::new(Phase::Contain, "Cut the network by dropping packets", why).say(
        "deny all traffic at the switch, security group or firewall with a rule that drops and never rejects; not with a \
         proxy or captive portal that answers",
    );
    let far = s.incidents.iter().filter(|(_, e)| *e >= Exposure::Installed);
    let mut hosts: Vec<String> = far
        .flat_map(|(i, _)| &i.network)
        .filter(|n| !n.context_only && n.kind != NetworkKind::Url)
        .map(|n| defang(&n.value))
        .collect();
    hosts.sort();
    hosts.dedup();
    if !hosts.is_empty() {
        item = item.say(format!("where the machine has to stay online, drop at least {}", hosts.join(", ")));
    }
    item
}

/// Monitors that act when a token is revoked come first of all, on every machine that may hold the token.
fn disarm(s: &Situation<'_>, plan: &mut Plan) {
    for (incident, _) in s.ran() {
        if incident.dead_man_switches.is_empty() {
            continue;
        }
        let title = format!("STOP: switch off what {} left to act when a token is revoked", incident.id);
        let why = "its monitor watches a stolen token and destroys files, or runs new code, when the token stops working; \
                   revoke nothing on any machine before this is done on all of them";
        let switches = incident.dead_man_switches.iter().map(|d| step(format!("look for {}: {}", d.value, d.what)));
        let item = Item::new(Phase::Disarm, title, why)
            .steps(switches)
            .say("stop and disable what you find with the service manager, so that it cannot start again; then make sure that no process of it is left")
            .say("do the same on every machine and for every user that may hold one of the tokens")
            .say("report no token to its provider and make no repository that holds one public until then: providers revoke what they see");
        let after = plan.ids_of(&[Phase::Preserve, Phase::Contain]);
        plan.add(&[incident.id.as_bytes()], item.after(after));
    }
}

/// Everything that would run again, from what starts by itself to what waits to be called.
pub fn eradicate(s: &Situation<'_>, plan: &mut Plan) {
    let first = plan.ids_of(&[Phase::Preserve, Phase::Contain, Phase::Disarm]);
    let mut add = |what: &[&[u8]], item: Item| plan.add(what, item.after(first.clone()));
    let on_disk = |f: &Finding| f.origin.layer.is_none() && f.exposure >= Exposure::Removed;
    let role = |role: FileRole| move |f: &Finding| on_disk(f) && f.kind == FindingKind::File && f.role == Some(role);
    // What an incident's own file says comes first: it switches off what would be half deleted below.
    for (incident, item) in s.cleanup(Phase::Eradicate) {
        let title = item.title.clone();
        add(&[incident.id.as_bytes(), title.as_bytes()], item);
    }
    for group in by_owner(s, s.findings(role(FileRole::Persistence))) {
        add(&group.key(), persistence(s, &group));
    }
    for group in by_owner(s, s.findings(|f| on_disk(f) && f.kind == FindingKind::Process)) {
        add(&group.key(), processes(&group));
    }
    let hook = |f: &Finding| role(FileRole::Hook)(f) || role(FileRole::Companion)(f);
    for (prefix, found) in by_environment(s.findings(hook)) {
        let title = format!("Take the start-up hook out of {}{}", shown(&prefix), tree_of(&found));
        let why = "it runs at every start of any Python there, and so does everything that is Python";
        let steps = found.iter().flat_map(|f| take_out(f));
        add(&[b"hook", &key(&found), prefix.as_bytes()], Item::new(Phase::Eradicate, title, why).steps(steps));
    }
    for group in by_owner(s, s.findings(role(FileRole::Trace))) {
        let title = format!("Move what the payload left to the evidence{}", group.whose());
        let item = Item::new(Phase::Eradicate, title, "it is evidence, and may hold what was taken");
        add(&group.key(), item.steps(group.findings.iter().flat_map(|f| take_out(f))));
    }
    let loaded = |f: &Finding| on_disk(f) && f.exposure >= Exposure::Installed && f.environment.is_some();
    for (prefix, found) in by_environment(s.findings(loaded)) {
        add(&[b"environment", &key(&found), prefix.as_bytes()], environment(s, &prefix, &found));
    }
    let gone = s.findings(|f| on_disk(f) && f.exposure == Exposure::Removed);
    if !gone.is_empty() {
        add(&[b"removed"], removed(&gone));
    }
    let in_image = |f: &Finding| f.origin.layer.is_some() && f.exposure >= Exposure::Removed;
    for image in super::purge::trees(&s.findings(in_image)) {
        add(&[b"image", image.as_bytes()], containers(image));
    }
}

/// Findings of one incident that belong to one account of one tree.
struct Group<'f> {
    label: &'static str,
    incident: &'f str,
    account: Option<String>,
    findings: Vec<&'f Finding>,
}

impl Group<'_> {
    fn key(&self) -> [&[u8]; 4] {
        let tree = self.findings.first().map_or(b"".as_slice(), |f| f.origin.tree.as_bytes());
        [self.label.as_bytes(), self.incident.as_bytes(), tree, self.account.as_deref().unwrap_or_default().as_bytes()]
    }

    /// " of alice", " of alice of /mnt/evidence".
    fn whose(&self) -> String {
        let account = self.account.as_ref().map(|a| format!(" of {a}")).unwrap_or_default();
        format!("{account}{}", tree_of(&self.findings))
    }
}

fn by_owner<'f>(s: &Situation<'f>, findings: Vec<&'f Finding>) -> Vec<Group<'f>> {
    let mut groups: Vec<Group<'f>> = Vec::new();
    for f in findings {
        let (incident, account) = (s.incident_of(f), s.account(&f.origin.tree, f.account));
        let label = match (f.kind, f.role) {
            (FindingKind::Process, _) => "process",
            (_, Some(FileRole::Persistence)) => "persistence",
            _ => "trace",
        };
        let same = |g: &&mut Group<'f>| {
            g.incident == incident
                && g.account == account
                && g.findings.first().is_some_and(|o| o.origin.tree == f.origin.tree)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.findings.push(f),
            None => groups.push(Group { label, incident, account, findings: vec![f] }),
        }
    }
    groups
}

fn by_environment(findings: Vec<&Finding>) -> Vec<(TreePath, Vec<&Finding>)> {
    let mut groups: BTreeMap<(&str, TreePath), Vec<&Finding>> = BTreeMap::new();
    for f in findings {
        // A hook outside every environment is its own group: its folder.
        let prefix = f.environment.as_ref().map_or_else(|| f.origin.path.parent(), |e| e.prefix.clone());
        groups.entry((&f.origin.tree, prefix)).or_default().push(f);
    }
    groups.into_iter().map(|((_, prefix), found)| (prefix, found)).collect()
}

fn tree_of(findings: &[&Finding]) -> String {
    findings.first().map(|f| within(&f.origin).into_owned()).unwrap_or_default()
}

fn key(findings: &[&Finding]) -> Vec<u8> {
    findings.first().map(|f| f.origin.tree.as_bytes().to_vec()).unwrap_or_default()
}

/// Copies a file to the evidence with its path, then removes it. A line or a member of a larger file is left to a person.
fn take_out(f: &Finding) -> Vec<CleanupStep> {
    if f.origin.line.is_some() || f.origin.inner.is_some() {
        return vec![step(format!("keep a copy of the file and take out what is not yours: {}", place(&f.origin)))];
    }
    move_out(f)
}

fn move_out(f: &Finding) -> Vec<CleanupStep> {
    let (path, below) = (quote(&absolute(&f.origin.path)), quote(f.origin.path.as_bytes()));
    vec![CleanupStep {
        what: format!("move {} to the evidence", shown(&f.origin.path)),
        // cp of coreutils 9.1 (Debian 12) fails at `-a --parents` with an absolute path, and the file would stay.
        command: Some(format!(r#"(cd / && cp -a --parents -- {below} "${{EVIDENCE:?}}/") && rm -- {path}"#)),
    }]
}

/// Units first, since they start the rest again.
fn persistence(s: &Situation<'_>, group: &Group<'_>) -> Item {
    let title = format!("Remove the backdoor of {}{}", group.incident, group.whose());
    let why = "it starts again at each boot or login, and fetches new code";
    let units: Vec<Unit> = group.findings.iter().filter_map(|f| unit(s, f)).collect();
    let stop = units.iter().map(|u| CleanupStep { what: u.what.to_owned(), command: Some(u.stop.clone()) });
    let mask = units.iter().filter_map(|u| {
        let what = "mask the name, so that nothing enables it again (systemd refuses this while the file is there)";
        Some(CleanupStep { what: what.to_owned(), command: Some(u.mask.clone()?) })
    });
    Item::new(Phase::Eradicate, title, why)
        .steps(stop)
        .steps(group.findings.iter().flat_map(|f| take_out(f)))
        .steps(mask)
}

struct Unit {
    what: &'static str,
    stop: String,
    mask: Option<String>,
}

/// How to stop what a unit or a launch agent starts.
fn unit(s: &Situation<'_>, f: &Finding) -> Option<Unit> {
    let path = &f.origin.path;
    let folder = path.parent();
    let name = quote(path.name());
    if path.name().ends_with(b".plist") {
        let domain = match f.account {
            Account::Uid(uid) if uid != 0 => format!("gui/{uid}"),
            _ => "system".to_owned(),
        };
        let stop = format!("launchctl bootout {domain} {}", quote(&absolute(path)));
        return Some(Unit { what: "stop the agent", stop, mask: None });
    }
    let is_unit = [b".service".as_slice(), b".timer"].iter().any(|e| path.name().ends_with(e));
    if !is_unit || !folder.components().any(|c| c == b"systemd") {
        return None;
    }
    let of_user = folder.name() == b"user";
    let owner = s.account(&f.origin.tree, f.account).unwrap_or_else(|| "root".to_owned());
    let manager = match of_user {
        true => format!("systemctl --user --machine={}@", quote(owner.as_bytes())),
        false => "systemctl".to_owned(),
    };
    Some(Unit {
        what: "stop the unit and take it out of what starts by itself (or run it as that user)",
        stop: format!("{manager} disable --now -- {name}"),
        mask: Some(format!("{manager} mask -- {name}")),
    })
}

fn processes(group: &Group<'_>) -> Item {
    let title = format!("End the processes of {}{}", group.incident, group.whose());
    let mut item = Item::new(Phase::Eradicate, title, "the payload is running now").say("keep their memory if you can");
    for f in &group.findings {
        let digits = |c: &&[u8]| !c.is_empty() && c.len() <= 10 && c.iter().all(u8::is_ascii_digit);
        let pid = f.origin.path.components().find(digits).and_then(|c| std::str::from_utf8(c).ok());
        item = match pid {
            Some(pid) => item
                .run("make sure that the number still is that process", format!("tr '\\0' ' ' < /proc/{pid}/cmdline"))
                .run(format!("end it: {}", f.reason), format!("kill -KILL {pid}")),
            None => item.say(format!("end it: {}", f.reason)),
        };
    }
    item
}

/// Deletes an environment, or from one that is more than an environment, what the package brought.
fn environment(s: &Situation<'_>, prefix: &TreePath, found: &[&Finding]) -> Item {
    let names: Vec<&str> = found.iter().filter_map(|f| f.package.as_deref()).collect();
    let name = names.first().map_or("the malicious package", |p| p.strip_prefix("pkg:").unwrap_or(p));
    let kind = found.iter().find_map(|f| f.environment.as_ref().map(|e| e.kind));
    let why = "code of the payload may have been written into any file of it; uninstalling starts the very Python that runs the payload";
    if kind.is_some_and(|kind| is_disposable(kind, prefix)) {
        let title = format!("Delete the environment {}{} ({name})", shown(prefix), tree_of(found));
        return Item::new(Phase::Eradicate, title, why)
            .say("stop the services and jobs that use it; make sure that nothing but the environment is in the folder")
            .run("delete it; it is made anew further down", format!("rm -rf -- {}", quote(&absolute(prefix))));
    }
    if found.iter().all(|f| f.origin.inner.is_some() && f.origin.path == *prefix) {
        let title = format!("Delete the program {}{} ({name})", shown(prefix), tree_of(found));
        return Item::new(Phase::Eradicate, title, why)
            .say("end its processes, and stop the services and jobs that start it")
            .steps(found.first().into_iter().flat_map(|f| move_out(f)))
            .say("a program of pex or shiv unpacks itself: look into .pex, .cache/pex and .shiv of whoever ran it");
    }
    let title = format!("Take {name} out of {}{}", shown(prefix), tree_of(found));
    let mut item = Item::new(Phase::Eradicate, title, why)
        .say("stop the services and jobs that use it; never use pip for this")
        .say("this folder is more than one environment, so only what the package brought is deleted; rebuild the machine where you can");
    for folder in package_folders(s, found) {
        item = item.run(format!("delete {}", shown(&folder)), format!("rm -rf -- {}", quote(&absolute(&folder))));
    }
    item
}

/// Whether the whole folder is an environment that can be made anew: made by a tool, or named as such.
fn is_disposable(kind: EnvironmentKind, prefix: &TreePath) -> bool {
    let deep = prefix.components().count() >= 2;
    let name = prefix.name();
    let above = prefix.parent();
    let holds_envs = |b: &[u8]| b.ends_with(b"envs");
    deep && match kind {
        EnvironmentKind::UvTool | EnvironmentKind::Pipx | EnvironmentKind::Pyenv => true,
        EnvironmentKind::Venv => {
            name.windows(3).any(|w| w == b"env") || holds_envs(above.name()) || holds_envs(above.parent().name())
        }
        EnvironmentKind::Conda => holds_envs(above.name()),
        EnvironmentKind::User | EnvironmentKind::System | EnvironmentKind::Target => false,
    }
}

/// The metadata and the import folder of each malicious distribution.
fn package_folders(s: &Situation<'_>, found: &[&Finding]) -> Vec<TreePath> {
    let mut folders = Vec::new();
    for f in found.iter().filter(|f| f.kind == FindingKind::Package) {
        let is_archive = [b".whl".as_slice(), b".egg"].iter().any(|end| f.origin.path.name().ends_with(end));
        if is_archive && f.origin.inner.is_none() {
            folders.push(f.origin.path.clone());
            continue;
        }
        let metadata = f.origin.path.parent();
        if !metadata.name().ends_with(b".dist-info") && !metadata.name().ends_with(b".egg-info") {
            continue;
        }
        let site = metadata.parent();
        folders.push(metadata);
        let name = f.package.as_deref().and_then(|p| p.rsplit_once('/')).map_or("", |(_, tail)| tail);
        let name = name.split_once('@').map_or(name, |(name, _)| name);
        let incident = s.index.incident(f.incident);
        let modules = incident.into_iter().flat_map(|i| &i.files).filter(|f| f.package.as_deref() == Some(name));
        let tops = modules.flat_map(|f| &f.paths).filter_map(|p| p.strip_prefix("site:")?.split_once('/'));
        let guessed = name.replace(['-', '.'], "_");
        let mut tops: Vec<&str> = tops.map(|(top, _)| top).chain((!guessed.is_empty()).then_some(&*guessed)).collect();
        tops.sort_unstable();
        tops.dedup();
        folders.extend(tops.into_iter().map(|top| site.join(top.as_bytes())));
    }
    folders.sort();
    folders.dedup();
    folders
}

/// Evidence that something was there: leftovers can be deleted, for a command somebody has to know where it went.
fn removed(found: &[&Finding]) -> Item {
    let why = "it was there and may have run; where it stood, other code of the payload may still stand";
    let mut item = Item::new(Phase::Eradicate, "Find where the removed version stood, and rebuild it", why);
    for f in found {
        let folder = f.origin.path.parent();
        let is_leftover = f.kind == FindingKind::Package
            && folder.components().count() >= 2
            && (folder.name().starts_with(b"~") || folder.name().ends_with(b".dist-info"));
        item = if is_leftover {
            let command = format!("rm -rf -- {}", quote(&absolute(&folder)));
            item.run(format!("delete what was left behind in {}", shown(&folder)), command)
        } else {
            let at = f.at.as_ref().map(|at| format!(" at {}", at.time)).unwrap_or_default();
            item.say(format!("{}{at}: {}", place(&f.origin), f.reason))
        };
    }
    item
}

fn containers(image: &str) -> Item {
    let named = crate::text::escape(image.as_bytes());
    let word = quote(image.as_bytes());
    Item::new(Phase::Eradicate, format!("Stop every container of image {named}"), "what runs from it runs the payload")
        .run("find them on each machine; for Kubernetes look for the image in all workloads", format!("docker ps --all --filter ancestor={word}"))
        .say("keep what you need as evidence (docker commit, docker export), then stop and delete them; scale workloads to zero")
}
