//! Freeze, rotate, verify, audit: the secrets themselves.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    Item, Plan,
    cleanup::incident_cleanup_items,
    edge::{Because, Edge},
    fill::{dated, fill_all, subjects},
    gate::{self, Guard},
    order::{Group, Weight, order, urgent_first},
    references::references,
    situation::{Situation, Subject, place, short_place, shown, within},
    step::Step,
    unseen::unseen_targets,
};
use crate::{
    assess::{Finding, FindingKind, Judged},
    credential::{
        FORMS, Kind, identity,
        model::{Lane, Mode},
    },
    text::escape,
    verdict::{Confidence, Exposure, Mode as Done, Phase, Place, Rank, Reach, Urgency, WATCH_DAYS, Workstream},
};

/// Publishing, deploying and CI wait, where what was taken can reach others.
pub fn freeze(s: &Situation<'_>, plan: &mut Plan) {
    let spreads = |j: &Judged| s.catalog.kind(&j.credential.kind).is_some_and(|k| k.lane == Lane::Propagation);
    // A machine that can neither publish nor deploy has nothing to stop.
    if !s.assessment.credentials.iter().any(|j| j.rotate != Urgency::No && spreads(j)) {
        return incident_cleanup_items(s, plan, Phase::Freeze);
    }
    let why = "a job that still runs hands the new secret to whoever has the old one, and a stolen publishing token turns one \
               victim into many";
    let item = Item::new(Phase::Freeze, "Stop publishing, deploying and CI that reads secrets", why)
        .at(Place::Clean)
        .say("pause release and deployment pipelines, scheduled jobs and self-hosted runners until the new secrets are in place")
        .say("pin dependencies: no automatic updates until then")
        .say("set a time at which every old secret is dead; nothing new is stored before it in a place that an old one can read");
    plan.add(&[b"freeze"], item);
    incident_cleanup_items(s, plan, Phase::Freeze);
}

/// Every credential to replace, whoever opens another first; wallets wait for nothing.
pub fn rotate(s: &Situation<'_>, plan: &mut Plan) {
    let (samples, real): (Vec<Wanted<'_>>, Vec<Wanted<'_>>) = wanted(s).into_iter().partition(Wanted::is_sample);
    let (wallets, others): (Vec<Wanted<'_>>, Vec<Wanted<'_>>) = real.into_iter().partition(Wanted::is_wallet);
    for w in &wallets {
        plan.add(&w.key(), w.item(s));
    }
    incident_cleanup_items(s, plan, Phase::Rotate);
    let mut kinds: BTreeMap<String, Weight> = BTreeMap::new();
    for w in &others {
        let weight = (w.urgency, w.is_certain());
        let known = kinds.entry(w.kind.to_owned()).or_insert(weight);
        *known = weight.max(*known);
    }
    let groups = order(s.catalog, &kinds);
    let mut ids: Vec<Vec<String>> = Vec::new();
    let (first, mut certain) = (plan.items.len(), BTreeSet::new());
    for group in &groups {
        let members: Vec<&Wanted<'_>> =
            group.kinds.iter().flat_map(|k| others.iter().filter(move |w| w.kind == k)).collect();
        let mut after: Vec<Edge> = Vec::new();
        for (at, because) in &group.after {
            let earlier = ids.get(*at).into_iter().flatten();
            after.extend(earlier.map(|item| Edge { item: item.clone(), because: because.clone() }));
        }
        let guard = guard(group, &members);
        // Each of a kind alone is an item with its own host; a circle is as watched as any of it.
        let alone = |w: &Wanted<'_>| Guard { watched: gate::is_watched(w.known, &w.found), ..guard };
        let mut add = |key: &[&[u8]], item: Item, guard: Guard| {
            let item = Item { rank: Some(group.rank), ..gate::guarded(item, plan, guard) };
            plan.add(key, item.after(after.clone()))
        };
        let own: Vec<String> = match group.kinds.len() {
            1 => members.iter().map(|w| add(&w.key(), w.item(s), alone(w))).collect(),
            _ => vec![add(&[b"together", group.kinds.join("+").as_bytes()], together(s, group, &members), guard)],
        };
        let sure = members.iter().enumerate().filter(|(_, w)| w.is_certain());
        certain.extend(sure.filter_map(|(at, _)| own.get(at).or(own.first())).cloned());
        ids.push(own);
    }
    urgent_first(plan.items.get_mut(first..).unwrap_or_default(), &certain);
    for w in &samples {
        let mut item = w.item(s).urgent(Urgency::Soon);
        item.why = format!("{SAMPLE}; {}", item.why);
        let guard = Guard { watched: gate::is_watched(w.known, &w.found), ..Guard::default() };
        plan.add(&w.key(), gate::guarded(Item { rank: Some(Rank::Data), ..item }, plan, guard));
    }
    let replaced = groups.iter().zip(&ids).flat_map(|(g, ids)| g.kinds.iter().map(|k| (k.as_str(), ids.as_slice())));
    if let Some(item) = references(s, &replaced.collect()) {
        plan.add(&[b"references"], gate::guarded(item, plan, Guard::default()));
    }
    if let Some(item) = unseen_targets(s) {
        let guard = Guard { watched: true, ..Guard::default() };
        plan.add(&[b"beyond"], gate::guarded(item, plan, guard));
    }
}

/// What the gates have to know of the members of a group.
fn guard(group: &Group, members: &[&Wanted<'_>]) -> Guard {
    Guard {
        watched: members.iter().any(|w| gate::is_watched(w.known, &w.found)),
        spreads: group.spreads,
        put_back: members.iter().any(|w| w.is_put_back()),
    }
}

/// Whether there are wallets to move: that waits for none of the phases, though it stands among the last.
pub fn has_wallets(s: &Situation<'_>) -> bool {
    wanted(s).iter().any(Wanted::is_wallet)
}

/// One credential, wherever it stands; or, where there are many of a kind, those of it that are equally urgent.
pub struct Wanted<'s> {
    /// Its id.
    pub kind: &'s str,
    /// What is known of it.
    pub known: Option<&'s Kind>,
    /// By identifier and place; those without an identifier come last.
    pub found: Vec<&'s Judged>,
    urgency: Urgency,
    /// What distinguishes it from others of its kind; `None` for all that are equally urgent.
    own: Option<Vec<u8>>,
}

/// Why such a one comes last.
const SAMPLE: &str = "probably made up: it stands among tests, examples or defaults; look whether it is a real one";
/// Folders of what is made up.
const SAMPLES: &[&[u8]] =
    &[b"test", b"tests", b"testdata", b"__tests__", b"fixtures", b"example", b"examples", b"mocks", b"spec"];

/// A kind, and what distinguishes one of it from another.
type Own<'s> = (&'s str, Vec<u8>);

/// Credentials of a kind that have an item each; more are one item.
const EACH: usize = 8;

/// Sorted: urgent first, then by kind.
pub fn wanted<'s>(s: &Situation<'s>) -> Vec<Wanted<'s>> {
    let due: Vec<&Judged> = s.assessment.credentials.iter().filter(|j| j.rotate != Urgency::No).collect();
    // What has an identifier is the same credential wherever it stands, and as urgent as at the worst of its places.
    let mut urgent: BTreeMap<Own<'s>, (Urgency, Vec<&Judged>)> = BTreeMap::new();
    for j in due {
        let known = urgent.entry((&j.credential.kind, own(s, j))).or_insert_with(|| (j.rotate, Vec::new()));
        known.0 = j.rotate.max(known.0);
        known.1.push(j);
    }
    let mut each: BTreeMap<(&str, Urgency), usize> = BTreeMap::new();
    for ((kind, _), (urgency, _)) in &urgent {
        *each.entry((*kind, *urgency)).or_default() += 1;
    }
    let mut groups: BTreeMap<(Option<Own<'s>>, &str, Urgency), Vec<&Judged>> = BTreeMap::new();
    for ((kind, own), (urgency, found)) in urgent {
        let few = each.get(&(kind, urgency)).is_none_or(|n| *n <= EACH);
        groups.entry((few.then_some((kind, own)), kind, urgency)).or_default().extend(found);
    }
    let mut all: Vec<Wanted<'s>> = Vec::new();
    for ((own, kind, urgency), mut found) in groups {
        found.sort_by_key(|j| (identifier(j).is_none(), identifier(j), &j.origin));
        all.push(Wanted { kind, known: s.catalog.kind(kind), found, urgency, own: own.map(|(_, own)| own) });
    }
    all.sort_by_key(|w| (std::cmp::Reverse(w.urgency), w.kind));
    all
}

fn identifier(j: &Judged) -> Option<&str> {
    j.credential.identifier.as_deref()
}

/// What a title calls a credential: a label with its context and host, since it says little alone; a number that a server made of it by
/// what people call it.
fn called(kind: &str, id: &str, j: &Judged) -> String {
    let (inner, note) = (j.origin.inner.as_deref(), j.credential.note.as_deref());
    match note.filter(|_| identity::is_one(id) || !FORMS.fit(kind, id)) {
        None => escape(id.as_bytes()),
        Some(note) if identity::is_one(id) => escape(note.as_bytes()),
        Some(note) => format!(
            "{} ({})",
            escape(id.as_bytes()),
            [inner.unwrap_or_default(), note].map(|t| escape(t.as_bytes())).join(" ").trim_start()
        ),
    }
}

/// What makes it one credential: its identifier; else the file, where nothing says that two of them are different.
fn own(s: &Situation<'_>, j: &Judged) -> Vec<u8> {
    match identifier(j) {
        _ if s.catalog.kind(&j.credential.kind).is_some_and(|k| gate::is_circle(s.catalog, k)) => {
            [b"t", j.origin.tree.as_bytes()].concat()
        }
        Some(id) => [b"i", id.as_bytes()].concat(),
        None => [b"f", j.origin.tree.as_bytes(), b"\0", j.origin.path.as_bytes()].concat(),
    }
}

impl<'s> Wanted<'s> {
    fn is_wallet(&self) -> bool {
        self.known.is_some_and(|k| k.lane == Lane::Irreversible || k.mode == Mode::MoveAssets)
    }

    /// The same from run to run, however urgent it is by then.
    fn key(&self) -> [&[u8]; 2] {
        [self.kind.as_bytes(), self.own.as_deref().unwrap_or(self.urgency.as_str().as_bytes())]
    }

    /// Whether all of them stand where made-up ones do: among tests and examples, or as a system's default.
    fn is_sample(&self) -> bool {
        let sample = |j: &&Judged| {
            let mut folders = j.origin.path.components();
            let lower = j.origin.path.as_bytes().to_ascii_lowercase();
            folders.any(|c| SAMPLES.contains(&&*c.to_ascii_lowercase())) || lower.windows(8).any(|w| w == b"snakeoil")
        };
        !self.is_wallet() && self.found.iter().all(sample)
    }

    /// Whether the new one is stored on this machine before the old one ends: what a service of it reads, not what a person keeps.
    fn is_put_back(&self) -> bool {
        let persons = |path: &[u8]| ["home/", "Users/", "root/"].iter().any(|home| path.starts_with(home.as_bytes()));
        let of_service = |j: &&Judged| j.origin.layer.is_none() && !persons(j.origin.path.as_bytes());
        self.known.is_none_or(|k| k.mode == Mode::IssueFirst) && self.found.iter().any(of_service)
    }

    /// Whether what took it took it for certain, as far as that is ever known.
    fn is_certain(&self) -> bool {
        let sure = |j: &&&Judged| j.rotate == self.urgency && j.reach == Reach::Harvested;
        self.found.iter().filter(sure).any(|j| j.confidence >= Some(Confidence::Likely))
    }

    fn identifiers(&self) -> BTreeSet<&'s str> {
        self.found.iter().filter_map(|j| identifier(j)).collect()
    }

    /// How many credentials these are: one that has an identifier counts once, however often it stands somewhere.
    fn count(&self) -> usize {
        self.identifiers().len() + self.found.iter().filter(|j| identifier(j).is_none()).count()
    }

    fn title(&self) -> String {
        let name = self.known.map_or(self.kind, Kind::title);
        let files: BTreeSet<_> = self.found.iter().map(|j| (&j.origin.tree, &j.origin.layer, &j.origin.path)).collect();
        match (self.found.first(), self.count(), files.len()) {
            (None, ..) => name.to_owned(),
            (Some(j), 1, _) => match identifier(j) {
                Some(id) => format!("{name}: {}", called(self.kind, id, j)),
                None => format!("{name}: {}", short_place(&j.origin)),
            },
            (Some(j), n, 1) => format!("{name}: {n} in {}{}", shown(&j.origin.path), within(&j.origin)),
            (Some(_), n, files) if n == files && n == self.found.len() => format!("{name} in {n} places"),
            (Some(_), n, files) => format!("{name}: {n} in {files} files"),
        }
    }

    fn why(&self, s: &Situation<'_>) -> String {
        let by: BTreeSet<&str> = self
            .found
            .iter()
            .flat_map(|j| &j.by)
            .filter(|b| b.rotate != Urgency::No)
            .filter_map(|b| Some(s.index.incident(b.incident)?.id.as_str()))
            .collect();
        let by: Vec<&str> = by.into_iter().collect();
        let worst = self.found.iter().max_by_key(|j| (j.rotate, j.reach, j.confidence));
        let possible = |j: &Judged| j.reach == Reach::Harvested && j.confidence == Some(Confidence::Possible);
        let possibly = if worst.is_some_and(|j| possible(j)) { "possibly " } else { "" };
        let (reach, reason) = worst.map_or(("", ""), |j| (j.reach.as_str(), j.reason.as_str()));
        let others: BTreeSet<&str> = self.found.iter().map(|j| j.reason.as_str()).filter(|r| *r != reason).collect();
        let others = match others.len() {
            0 => "",
            _ => " (and others, as the list of credentials says)",
        };
        format!("{possibly}{reach} by {}; {reason}{others}", by.join(", "))
    }

    fn steps(&self, opened: Option<Timestamp>) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let single = self.count() == 1;
        for j in &self.found {
            let note = j.credential.note.as_deref().map(|n| format!(" ({})", escape(n.as_bytes()))).unwrap_or_default();
            let what = match identifier(j) {
                _ if single => "it".to_owned(),
                Some(id) => escape(id.as_bytes()),
                None => "one".to_owned(),
            };
            steps.push(Step::say(format!("{what} stands in {}{note}", place(&j.origin))));
        }
        match self.known {
            None => steps
                .push(Step::say("revoke it at its provider and issue a new one; this program does not know the kind")),
            Some(kind) => {
                steps.extend(kind.traps.iter().map(|t| Step::say(format!("careful: {t}"))));
                steps.extend(fill_all(&dated(&kind.rotation, opened), &subjects(&self.found)));
            }
        }
        steps
    }

    fn credentials(&self) -> impl Iterator<Item = String> {
        self.found.iter().map(|j| j.id.clone())
    }

    fn item(&self, s: &Situation<'_>) -> Item {
        let mut item = Item::new(Phase::Rotate, self.title(), self.why(s)).urgent(self.urgency).at(Place::Clean);
        let together = self.count() > 1 && self.known.is_some_and(|k| gate::is_circle(s.catalog, k));
        item = match together {
            true => item.say(gate::ALL_AT_ONCE[0]).say(gate::ALL_AT_ONCE[1]),
            false => item.say(mode(self.known.map(|k| k.mode))),
        };
        item = item.steps(self.steps(s.opened()));
        item.credentials.extend(self.credentials());
        item.mode = Some(match self.known.map(|k| k.mode) {
            _ if together => Done::Together,
            None | Some(Mode::RevokeFirst) => Done::RevokeFirst,
            Some(Mode::IssueFirst) => Done::IssueFirst,
            Some(Mode::MoveAssets) => Done::MoveAssets,
            Some(Mode::Expire) => Done::Expire,
            Some(Mode::Review) => Done::Review,
        });
        item
    }
}

fn mode(mode: Option<Mode>) -> &'static str {
    match mode {
        Some(Mode::RevokeFirst) => "revoke the old one first, then issue the new one",
        Some(Mode::IssueFirst) => "issue the new one, deploy it, then revoke the old one",
        Some(Mode::MoveAssets) => {
            "now, from a clean device, beside everything else: it cannot be revoked, so move what it guards"
        }
        Some(Mode::Expire) => "it expires by itself; make it end early where you can, and review what it did",
        Some(Mode::Review) => {
            "look through it: it is no secret by itself, and each secret that stands in it is replaced as its own kind"
        }
        None => "revoke the old one, issue a new one",
    }
}

/// A circle: as long as one of them lives, it can read or mint the new ones.
fn together(s: &Situation<'_>, group: &Group, members: &[&Wanted<'_>]) -> Item {
    let names: Vec<&str> = group.kinds.iter().map(|k| s.catalog.kind(k).map_or(k.as_str(), Kind::title)).collect();
    let why = "each of them can read or mint another: one that still lives gives the attacker the new ones";
    let urgency = members.iter().map(|w| w.urgency).max().unwrap_or(Urgency::Soon);
    let title = format!("Together: {}", names.join(", "));
    let mut item = Item::new(Phase::Rotate, title, why)
        .urgent(urgency)
        .at(Place::Clean)
        .say(gate::ALL_AT_ONCE[0])
        .say(gate::ALL_AT_ONCE[1]);
    item.mode = Some(Done::Together);
    for w in members {
        item = item.say(format!("{} ({}: {})", w.title(), w.urgency.as_str(), w.why(s))).steps(w.steps(s.opened()));
        item.credentials.extend(w.credentials());
    }
    item
}

/// Proof: the machine, the providers, the logs.
pub fn verify(s: &Situation<'_>, plan: &mut Plan) {
    let cleaned: Vec<Edge> = [Phase::Disarm, Phase::Eradicate, Phase::Purge]
        .into_iter()
        .flat_map(|phase| plan.edges(phase, &Because::Proves))
        .filter(|e| plan.is_in(&e.item, Workstream::Machine))
        .collect();
    let rotated = plan.edges(Phase::Rotate, &Because::Proves);
    let why = match s.worst >= Exposure::Removed {
        true => "what was missed steals the new secrets too",
        false => {
            "what was found is only stored or named, and nothing shows that it ran: no secret has to be replaced because of it"
        }
    };
    let mut again = Item::new(Phase::Verify, "Examine again: dosimeter exits 0", why);
    let trees: BTreeSet<&str> = s
        .assessment
        .findings
        .iter()
        .filter(|f| f.origin.layer.is_none() && !f.origin.is_of_job())
        .map(|f| &*f.origin.tree)
        .collect();
    // A line of a history that says that it was installed stays, and is one.
    let of_history = |f: &&Finding| f.kind == FindingKind::Command && f.exposure == Exposure::Removed;
    let stays = s.assessment.findings.iter().any(|f| of_history(&f));
    for tree in &trees {
        again = match *tree {
            "host" if stays => again
                .say("the lines of histories that name it stay where they are, as evidence; `removed` does not count here")
                .run("examine this machine, as root", "dosimeter --fail-on installed"),
            "root" if stays => again.say(
                "examine the disk again, as it was examined before (`dosimeter scan --root`), with `--fail-on installed`: the lines of histories that name it stay where they are, as evidence",
            ),
            "host" => again.run("examine this machine, as root", "dosimeter"),
            "root" => again.say("examine the disk again, as it was examined before (`dosimeter scan --root`)"),
            tree if s.scope.subject == Subject::Statement => again
                .at(Place::Clean)
                .say(format!("have the bill of materials of {} made again, and judge that", escape(tree.as_bytes()))),
            tree => again.say(format!("examine {} again", escape(tree.as_bytes()))),
        };
    }
    if !rotated.is_empty() {
        again = again.say("it finds less than this report; what to rotate is what this report lists");
    }
    if !trees.is_empty() {
        plan.add(&[b"again"], again.after(cleaned));
    }
    incident_cleanup_items(s, plan, Phase::Verify);
    if rotated.is_empty() {
        return;
    }
    let why = "a new secret in its place proves nothing about the copy that was taken";
    let provider = Item::new(Phase::Verify, "A second person saw each revoked", why)
        .at(Place::Clean)
        .say("by a second person: the old identifier is revoked, inactive or absent")
        .say("sessions and tokens minted from the old one are dead too");
    plan.add(&[b"providers"], provider.after(rotated.clone()));
    let why = "a use after the revocation means that something still lives, or that another copy exists";
    let silence = Item::new(Phase::Verify, format!("{WATCH_DAYS} days: no old one used"), why)
        .at(Place::Clean)
        .say("no successful use of any old identifier since it was revoked; write down where there is no log");
    plan.add(&[b"silence"], silence.after(rotated));
}
