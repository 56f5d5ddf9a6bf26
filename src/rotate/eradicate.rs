//! What would run again is moved to the evidence: from what starts by itself to what waits to be called. Places that want the same
//! are one item.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Item, Plan,
    before::{is_monitor, moved, on_disk},
    cleanup::look_for,
    running,
    shell::quote,
    situation::{Situation, place, shown, within},
    step::{Action, Step, Unit},
    store::{is_elsewhere, is_only_logged, is_whole},
    writer::System,
};
use crate::{
    assess::{
        Account, Finding, FindingKind,
        contained::{Store, store},
        family_of,
        rule::Rule,
    },
    ecosystem::purl,
    fact::{Ecosystem, TreePath},
    ioc::{index::IncidentId, model::FileRole},
    text::escape,
    verdict::{Exposure, Phase},
};

/// Places that one item names.
const NAMED: usize = 20;

/// The whole phase.
pub fn eradicate(s: &Situation<'_>, plan: &mut Plan) {
    let first = plan.before_changes();
    super::named::eradicate(s, plan, &first);
    let mut add = |what: &[&[u8]], item: Item| plan.add(what, item.after(first.clone()));
    let here = |f: &Finding| on_disk(f) && f.exposure >= Exposure::Removed;
    let role = |role: FileRole| move |f: &Finding| here(f) && f.kind == FindingKind::File && f.role == Some(role);
    let starts = |f: &Finding| role(FileRole::Persistence)(f) && !is_monitor(s, f);
    for group in by_owner(s, s.findings(starts)) {
        let title = format!("Remove {} backdoor{}: {}", group.owner(), tree_of(&group.findings), group.incidents());
        let item = Item::new(Phase::Eradicate, title, "it starts again at each boot or login, and fetches new code");
        add(&group.key(), persistence(s, &group, item));
    }
    for group in by_owner(s, s.findings(|f| here(f) && f.kind == FindingKind::Process)) {
        add(&group.key(), processes(&group));
    }
    let code = |f: &Finding| {
        here(f)
            && f.exposure >= Exposure::Installed
            && f.kind != FindingKind::Process
            && is_code(f)
            && !is_only_logged(f)
    };
    for (name, found) in by_package(s, s.findings(code)) {
        add(&[b"code", name.as_bytes()], take_out(s, &name, &found));
    }
    for group in by_owner(s, s.findings(role(FileRole::Trace))) {
        let title = format!("Move what the payload left{} to the evidence: {}", group.whose(), group.incidents());
        let item = Item::new(Phase::Eradicate, title, "it is evidence, and may hold what was taken");
        add(&group.key(), item.steps(moved(&group.findings)));
    }
    let planted = s.findings(|f| here(f) && f.exposure >= Exposure::Installed && f.role == Some(FileRole::Planted));
    if !planted.is_empty() {
        let why =
            "an editor or an agent runs them when the folder is opened; the file may hold settings of its owner too";
        let item = Item::new(Phase::Eradicate, format!("Take out what was planted in {} files", planted.len()), why)
            .say("open the folders with no editor and no agent before");
        let (whole, shared): (Vec<&Finding>, Vec<&Finding>) = planted.iter().partition(|f| is_all_of_the_payload(s, f));
        let edit = "keep a copy of each among the evidence, then take the entry of the payload out, or take the file from a commit of before";
        let mut item = item.steps(moved(&whole));
        if !shared.is_empty() {
            item = named(item.say(format!("these may hold settings of their owner too: {edit}")), &shared);
        }
        add(&[b"planted"], item);
    }
    for ((kind, folder), found) in by_store(s) {
        add(&[b"store", folder.as_bytes()], in_store(kind, &folder, &found));
    }
    if let Some(item) = look_for(s, Phase::Eradicate) {
        add(&[b"look"], item);
    }
    let gone = s.findings(|f| here(f) && (f.exposure == Exposure::Removed || is_only_logged(f)));
    if !gone.is_empty() {
        add(&[b"removed"], removed(&gone));
    }
    let in_image = |f: &Finding| f.origin.layer.is_some() && f.exposure >= Exposure::Removed;
    for image in super::purge::trees(&s.findings(in_image)) {
        add(&[b"image", image.as_bytes()], super::images::containers(s, image));
    }
}

/// Files that people have too, in which a payload writes a few lines: settings, tasks, instructions and lists.
const SHARED: &[&str] =
    &["json", "jsonc", "yml", "yaml", "toml", "md", "mdc", "txt", "gitignore", "cursorrules", "windsurfrules"];

/// Whether a planted file is the payload's from end to end: by its hash, or a program of a name that nobody else gives. A
/// configuration that is a program (`vite.config.mjs`) is its owner's.
fn is_all_of_the_payload(s: &Situation<'_>, f: &Finding) -> bool {
    let name = f.origin.path.name().to_ascii_lowercase();
    let extension = name.rsplit(|b| *b == b'.').next().unwrap_or_default();
    let is_shared = SHARED.iter().any(|e| e.as_bytes() == extension) || name.windows(8).any(|w| w == b".config.");
    let by_hash = s.index.incident(f.incident).is_some_and(|i| {
        let hash = f.indicator.rsplit('/').next().unwrap_or_default();
        f.indicator.starts_with("sha256/") && i.files.iter().any(|file| file.sha256.as_deref() == Some(hash))
    });
    is_whole(f) && (by_hash || !is_shared)
}

/// What an interpreter loads: packages, their start-up code and modules, and whatever else is installed.
fn is_code(f: &Finding) -> bool {
    match f.role {
        Some(FileRole::Persistence | FileRole::Trace | FileRole::Planted) => false,
        Some(FileRole::Hook | FileRole::Companion | FileRole::Module | FileRole::Payload) => true,
        None => f.kind == FindingKind::Package,
    }
}

/// Findings of one account of one tree that the same incident left, or several that left the same.
pub struct Group<'f> {
    label: &'static str,
    incident: &'f str,
    /// Other incidents that leave the same.
    alike: BTreeSet<&'f str>,
    account: Option<String>,
    /// What was found.
    pub findings: Vec<&'f Finding>,
}

impl Group<'_> {
    /// Tells it from every other.
    pub fn key(&self) -> [&[u8]; 4] {
        let tree = self.findings.first().map_or(b"".as_slice(), |f| f.origin.tree.as_bytes());
        [self.label.as_bytes(), self.incident.as_bytes(), tree, self.account.as_deref().unwrap_or_default().as_bytes()]
    }

    /// "litellm-2026-03", "checkmarx-2026-03 or litellm-2026-03": whoever may have left it.
    pub fn incidents(&self) -> String {
        let mut all: Vec<&str> = self.alike.iter().copied().chain([self.incident]).collect();
        all.sort_unstable();
        all.dedup();
        match all.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => self.incident.to_owned(),
        }
    }

    /// "alice's", "the": the account comes first, where a line may be cut.
    pub fn owner(&self) -> String {
        self.account.as_ref().map_or_else(|| "the".to_owned(), |a| format!("{}'s", escape(a.as_bytes())))
    }

    /// " of alice", " of alice of /mnt/evidence".
    pub fn whose(&self) -> String {
        let account = self.account.as_ref().map(|a| format!(" of {}", escape(a.as_bytes()))).unwrap_or_default();
        format!("{account}{}", tree_of(&self.findings))
    }
}

/// Groups of findings, in the order of the findings.
pub fn by_owner<'f>(s: &Situation<'f>, findings: Vec<&'f Finding>) -> Vec<Group<'f>> {
    // Whose package was found left it; the others only leave the same.
    let is_package = |f: &&Finding| f.kind == FindingKind::Package && f.exposure >= Exposure::Removed;
    let known: BTreeSet<IncidentId> = s.assessment.findings.iter().filter(is_package).map(|f| f.incident).collect();
    let mut groups: Vec<Group<'f>> = Vec::new();
    for f in findings {
        let (incident, account) = (s.incident_of(f), s.account(&f.origin.tree, s.lives_at(f)));
        let label = match (f.kind, f.role) {
            (FindingKind::Process, _) => "process",
            (_, Some(FileRole::Persistence)) => "persistence",
            _ => "trace",
        };
        let same = |g: &&mut Group<'f>| {
            let first = g.findings.first();
            g.incident == incident
                && g.account == account
                && first.is_some_and(|o| o.origin.tree == f.origin.tree && (o.role == f.role || label == "process"))
        };
        let alike: &[IncidentId] = if known.contains(&f.incident) { &[] } else { &f.alike };
        let alike = alike.iter().filter_map(|i| s.index.incident(*i)).map(|i| i.id.as_str());
        match groups.iter_mut().find(same) {
            Some(group) => {
                group.findings.push(f);
                group.alike.extend(alike);
            }
            None => groups.push(Group { label, incident, alike: alike.collect(), account, findings: vec![f] }),
        }
    }
    groups
}

fn tree_of(findings: &[&Finding]) -> String {
    findings.first().map(|f| within(&f.origin).into_owned()).unwrap_or_default()
}

/// Units first, since they start the rest again; then what still runs is looked for; then the files go.
pub fn persistence(s: &Situation<'_>, group: &Group<'_>, item: Item) -> Item {
    let stops: Vec<Step> = group.findings.iter().filter_map(|f| stop(s, f)).collect();
    let units = || {
        stops.iter().filter_map(|step| match &step.action {
            Action::StopUnit(unit) => Some(unit.clone()),
            _ => None,
        })
    };
    let lingers: BTreeSet<String> = units().filter_map(|unit| unit.account).collect();
    let lingers = lingers.into_iter().map(|account| {
        let what = format!("see whether {}'s units start without a login", escape(account.as_bytes()));
        let expect = format!(
            "Linger=no; with yes: `loginctl disable-linger {}`, as long as nobody needs it",
            quote(account.as_bytes())
        );
        Step::new(what, Action::ShowLinger(account)).expect(expect)
    });
    let masks: Vec<Step> = units()
        .map(|unit| {
            let what = "mask the name, so that nothing enables it again (systemd refuses this while the file is there)";
            Step::new(what, Action::MaskUnit(unit))
        })
        .collect();
    let shown = running::from(s, &group.findings);
    item.steps(stops).steps(lingers).steps(shown).steps(moved(&group.findings)).steps(masks)
}

/// How to stop what a unit or a launch agent starts. Steps of another system are left out.
fn stop(s: &Situation<'_>, f: &Finding) -> Option<Step> {
    let path = &f.origin.path;
    let folder = path.parent();
    if path.name().ends_with(b".plist") {
        let uid = match s.lives_at(f) {
            Account::Uid(uid) if uid != 0 => Some(uid),
            _ => None,
        };
        let action = Action::UnloadAgent { uid, plist: path.clone() };
        return (s.system == System::Mac).then(|| Step::new("stop the agent", action));
    }
    let is_unit = [b".service".as_slice(), b".timer", b".path", b".socket"].iter().any(|e| path.name().ends_with(e));
    if s.system != System::Unix || !is_unit || !folder.components().any(|c| c == b"systemd") {
        return None;
    }
    let name = std::str::from_utf8(path.name()).ok()?.to_owned();
    let of_user = folder.name() == b"user";
    // A unit of `/etc/systemd/user` is every account's.
    let account = of_user.then(|| s.account(&f.origin.tree, s.lives_at(f)).unwrap_or_else(|| "root".to_owned()));
    let what = match &account {
        Some(account) => {
            format!("stop {account}'s unit and take it out of what starts by itself, if {account} is logged in")
        }
        None => "stop the unit of the system and take it out of what starts by itself".to_owned(),
    };
    let expect = match &account {
        Some(_) => {
            "nothing, or \"Removed …\"; where the account is not logged in its manager does not run, and asking would start it with all that is enabled: go on, files and links are moved below"
        }
        None => "nothing, or \"Removed …\"; where systemd does not run: go on, files and links are moved below",
    };
    Some(Step::new(what, Action::StopUnit(Unit { name, account })).expect(expect))
}

fn processes(group: &Group<'_>) -> Item {
    let title =
        format!("End {} processes of the payload{}: {}", group.owner(), tree_of(&group.findings), group.incidents());
    let mut item = Item::new(Phase::Eradicate, title, "the payload is running now").say("keep their memory if you can");
    for f in &group.findings {
        let digits = |c: &&[u8]| !c.is_empty() && c.len() <= 10 && c.iter().all(u8::is_ascii_digit);
        let pid = f.origin.path.components().find(digits).and_then(|c| std::str::from_utf8(c).ok()?.parse().ok());
        item = match pid {
            Some(pid) => item
                .step("make sure that the number still is that process", Action::ShowProcess(pid))
                .step(format!("end it: {}", f.reason), Action::EndProcess(pid)),
            None => item.say(format!("end it: {}", f.reason)),
        };
    }
    item
}

/// By package, wherever it stands; a hook of no package by its incident.
fn by_package<'f>(s: &Situation<'f>, findings: Vec<&'f Finding>) -> BTreeMap<String, Vec<&'f Finding>> {
    let mut groups: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    let packages: BTreeMap<_, &str> =
        findings.iter().filter_map(|f| Some((f.incident, f.package.as_deref()?))).rev().collect();
    for f in findings {
        let own = f.package.as_deref().or_else(|| packages.get(&f.incident).copied());
        let name =
            own.map_or_else(|| format!("the code of {}", s.incident_of(f)), |p| escape(purl::words(p).as_bytes()));
        groups.entry(name).or_default().push(f);
    }
    groups
}

/// Moves what a package brought out of every environment. Nobody's environment, project or system goes as a whole.
fn take_out(s: &Situation<'_>, name: &str, found: &[&Finding]) -> Item {
    let places: BTreeSet<String> = found
        .iter()
        .map(|f| {
            let prefix = f.environment.as_ref().map_or_else(|| f.origin.path.parent(), |e| e.prefix.clone());
            format!("{}{}", shown(&prefix), within(&f.origin))
        })
        .collect();
    let hook = found.iter().any(|f| f.by_itself);
    let title = match (places.len(), places.first()) {
        (1, Some(one)) => format!("Take {name} out of {one}"),
        (n, _) => format!("Take {name} out of {n} places"),
    };
    let ecosystem = found.iter().find_map(|f| f.ecosystem).unwrap_or(Ecosystem::Generic);
    let removal = family_of(ecosystem).removal();
    let why = if hook { removal.runs_by_itself } else { removal.runs_on_use };
    let mut item = Item::new(Phase::Eradicate, title, why).say(removal.by_hand);
    if places.len() > 1 {
        item = listed(item, places.into_iter().collect());
    }
    let (archives, found): (Vec<&Finding>, Vec<&Finding>) =
        found.iter().partition(|f| f.origin.inner.is_some() && !is_elsewhere(f));
    let programs: BTreeSet<&TreePath> = archives.iter().map(|f| &f.origin.path).collect();
    if !programs.is_empty() {
        item = item
            .step(
                "move the archives that hold it to the evidence",
                Action::Keep(programs.into_iter().cloned().collect()),
            )
            .steps(removal.unpacked.map(Step::say));
    }
    item.steps(running::from(s, &found)).steps(moved(&found))
}

fn listed(item: Item, mut places: Vec<String>) -> Item {
    let more = places.len().saturating_sub(NAMED);
    places.truncate(NAMED);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    item.say(format!("{}{more}", places.join(", ")))
}

fn named(item: Item, found: &[&Finding]) -> Item {
    listed(item, found.iter().map(|f| place(&f.origin)).collect())
}

fn by_store<'f>(s: &Situation<'f>) -> BTreeMap<(Store, TreePath), Vec<&'f Finding>> {
    let mut groups: BTreeMap<(Store, TreePath), Vec<&Finding>> = BTreeMap::new();
    for f in s.findings(|f| f.origin.layer.is_none() && f.exposure >= Exposure::Cached) {
        if let Some(key) = store(&f.origin.path) {
            groups.entry(key).or_default().push(f);
        }
    }
    groups
}

/// A store breaks where a file is taken out behind its engine's back.
fn in_store(kind: Store, folder: &TreePath, found: &[&Finding]) -> Item {
    let why = "it runs in containers; a file that is taken out of the store by hand breaks the store, and the image brings it back";
    let title = format!("Remove the images and containers that hold it, by their engine: {}", shown(folder));
    let item = Item::new(Phase::Eradicate, title, why).say(format!(
        "with {}, on this host: find the image whose layer has one of these folders, and every container of it",
        kind.engine()
    ));
    named(item, found)
        .say("keep what you need as evidence by exporting the container, then stop and remove the containers and the image; change nothing below the store by hand")
}

/// Evidence that something was there: leftovers are moved away, for a command somebody has to know where it went.
fn removed(found: &[&Finding]) -> Item {
    let why = "it was there and may have run; where it stood, other code of the payload may still stand";
    let mut item = Item::new(Phase::Eradicate, "Find where the removed version stood", why);
    let of =
        |f: &Finding| f.holdings.clone().filter(|_| f.rule == Rule::PackageLeftOver && is_whole(f)).unwrap_or_default();
    let leftover = |f: &&&Finding| !of(f).is_empty();
    let folders: BTreeSet<TreePath> = found.iter().flat_map(|f| of(f)).collect();
    for f in found.iter().filter(|f| !leftover(f)).take(NAMED) {
        let at = f.at.as_ref().map(|at| format!(" at {}", at.time)).unwrap_or_default();
        item = item.say(format!("{}{at}: {}", place(&f.origin), f.reason));
    }
    if !folders.is_empty() {
        item = item.step("move what an uninstall left to the evidence", Action::Keep(folders.into_iter().collect()));
    }
    item
}
