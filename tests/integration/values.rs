//! Every value of the database in its ordinary place, and its neighbour there: actions, images, extensions, addresses, texts and traces in
//! git. One tree holds them all, another one the neighbours, and the notes of somebody who looks for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use dosimeter::{
    fact::Ecosystem,
    ioc::{
        Database,
        model::{GitKind, Incident, NetworkKind, Standing},
    },
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    machine::Machine,
    program::{findings, report, run},
};

/// Kinds of trace in git that no file of a machine shows: a forge's alone.
const OF_FORGES: [GitKind; 2] = [GitKind::Description, GitKind::Event];

/// A tree that is being written, and what must be found in it.
#[derive(Default)]
struct Plan {
    files: BTreeMap<String, String>,
    times: BTreeMap<String, Timestamp>,
    /// Incident, path, line, exposure.
    wanted: BTreeSet<(String, String, u64, &'static str)>,
    /// Kinds of which nothing was planted.
    unseen: BTreeSet<String>,
}

impl Plan {
    /// Adds a line to a file; its number.
    fn line(&mut self, path: &str, start: &str, line: &str) -> u64 {
        let text = self.files.entry(path.to_owned()).or_insert_with(|| start.to_owned());
        text.push_str(line);
        text.push('\n');
        text.lines().count().try_into().unwrap()
    }

    fn want(&mut self, incident: &Incident, path: &str, line: u64, exposure: &'static str) {
        self.wanted.insert((incident.id.clone(), format!("/{path}"), line, exposure));
    }

    fn machine(&self) -> Machine {
        let machine = self.files.iter().fold(Machine::new(), |m, (path, text)| m.file(path, text));
        for (path, time) in &self.times {
            let file = fs::File::options().write(true).open(machine.root().join(path)).unwrap();
            file.set_modified((*time).into()).unwrap();
        }
        machine
    }
}

fn live(standing: &Standing) -> bool {
    standing.withdrawn.is_none()
}

const WORKFLOW: &str = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n";

/// The values of one incident, or their neighbours.
fn plant(plan: &mut Plan, i: &Incident, near: bool) {
    actions(plan, i, near);
    images(plan, i, near);
    extensions(plan, i, near);
    network(plan, i, near);
    strings(plan, i, near);
    git(plan, i, near);
}

fn actions(plan: &mut Plan, i: &Incident, near: bool) {
    for (n, action) in i.actions.iter().enumerate().filter(|(_, a)| live(&a.standing)) {
        let path = format!("work/{}/{n}/.github/workflows/ci.yml", i.id);
        let moved = action.moved_tags.iter().map(|t| if t == "*" { "v7.7.7" } else { t });
        for reference in action.commits.iter().chain(&action.tags).map(String::as_str).chain(moved) {
            let repository = if near { format!("{}-x", action.repository) } else { action.repository.clone() };
            let line = plan.line(&path, WORKFLOW, &format!("      - uses: {repository}@{reference}"));
            plan.want(i, &path, line, "referenced");
        }
        // Tags that were never moved, and moved ones in a file of afterwards.
        for safe in action.safe.iter().filter(|_| near) {
            plan.line(&path, WORKFLOW, &format!("      - uses: {}@{safe}", action.repository));
        }
        plan.times.extend(action.from.map(|from| (path.clone(), from)));
        // A later incident may have moved the same tags.
        let once = i.id != "actions-cool-2026-05";
        if let (true, Some(until)) = (near && once, action.until) {
            let after = format!("work/{}/{n}/after/.github/workflows/ci.yml", i.id);
            plan.line(&after, WORKFLOW, &format!("      - uses: {}@v7.7.7", action.repository));
            plan.times.insert(after, until.checked_add(jiff::SignedDuration::from_hours(1)).unwrap());
        }
    }
}

fn images(plan: &mut Plan, i: &Incident, near: bool) {
    for (n, image) in i.images.iter().enumerate().filter(|(_, m)| live(&m.standing)) {
        let path = format!("work/{}/{n}/compose.yaml", i.id);
        let tags =
            image.tags.iter().chain(&image.floating_tags).map(|t| format!(":{t}{}", if near { "-x" } else { "" }));
        let flipped = |d: &String| if near { d.replace("sha256:", "sha256:f0f0f0") } else { d.clone() };
        let digests =
            image.digests.iter().map(|d| format!("@{:0<71}", flipped(d)).chars().take(72).collect::<String>());
        for behind in tags.chain(digests) {
            let line = format!("  s{}:\n    image: {}{behind}", plan.wanted.len(), image.repository);
            let line = plan.line(&path, "services:\n", &line);
            plan.want(i, &path, line, "referenced");
        }
        plan.times.extend(i.windows.first().map(|w| (path.clone(), w.start)));
    }
}

fn extensions(plan: &mut Plan, i: &Incident, near: bool) {
    let editors = [(Ecosystem::Vscode, ".vscode"), (Ecosystem::Openvsx, ".cursor")];
    for package in i.packages.iter().filter(|p| live(&p.standing)) {
        let Some((_, editor)) = editors.iter().find(|(e, _)| *e == package.ecosystem) else {
            continue;
        };
        for version in package.versions.iter().filter(|v| v.starts_with(|c: char| c.is_ascii_digit())) {
            let version = if near { format!("9{version}") } else { version.clone() };
            let (publisher, name) = package.name.split_once('.').unwrap();
            let path = format!("home/alice/{editor}/extensions/{}-{version}/package.json", package.name.to_lowercase());
            let manifest = format!("{{\"publisher\":\"{publisher}\",\"name\":\"{name}\",\"version\":\"{version}\"}}");
            plan.line(&path, "", &manifest);
            plan.want(i, &path, 0, "installed");
        }
    }
}

fn network(plan: &mut Plan, i: &Incident, near: bool) {
    let history = "home/alice/.bash_history";
    for n in i.network.iter().filter(|n| live(&n.standing) && !n.context_only) {
        let value = match (near, n.kind) {
            (false, _) => n.value.clone(),
            (true, NetworkKind::Url) => n.value.replacen("://", "://good.example/", 1),
            (true, _) => format!("{}.example", n.value),
        };
        let address = if n.kind == NetworkKind::Url { value.clone() } else { format!("https://{value}/x") };
        let line = plan.line(history, "", &format!("curl -O '{address}'"));
        plan.want(i, history, line, "cached");
        if n.kind == NetworkKind::Domain {
            let line = plan.line("etc/hosts", "127.0.0.1 localhost\n", &format!("203.0.113.200 {value}"));
            plan.want(i, "etc/hosts", line, "referenced");
        }
    }
}

fn strings(plan: &mut Plan, i: &Incident, near: bool) {
    for (n, s) in i.strings.iter().enumerate().filter(|(_, s)| live(&s.standing) && !s.context_only) {
        let path = format!("work/{}/s{n}/.github/workflows/check.yml", i.id);
        // A neighbour is a text that only looks for it.
        let line =
            if near { format!("          grep -rF '{}' .", s.value) } else { format!("          x {}", s.value) };
        let line = plan.line(&path, &format!("{WORKFLOW}      - run: |\n"), &line);
        plan.want(i, &path, line, "referenced");
    }
}

fn git(plan: &mut Plan, i: &Incident, near: bool) {
    for (n, g) in i.git.iter().enumerate().filter(|(_, g)| live(&g.standing) && !g.context_only) {
        let repository = format!("work/{}/g{n}", i.id);
        let x = if near { "-x" } else { "" };
        let id: String = match near {
            false => format!("{:0<40}", g.value),
            true => format!("{:0<40}", g.value.chars().rev().collect::<String>()),
        };
        let zero = "0".repeat(40);
        let (path, start, line) = match g.kind {
            GitKind::Repository | GitKind::Account => {
                let name = match (g.kind, g.value.split_once('/')) {
                    (GitKind::Account, _) => format!("{}{x}/name", g.value),
                    (_, Some((owner, name))) => format!("{owner}{x}/{name}{x}"),
                    (_, None) => format!("victim/{}{x}", g.value),
                };
                ("config", "[remote \"origin\"]\n", format!("\turl = git@github.com:{name}.git"))
            }
            GitKind::Commit => ("packed-refs", "", format!("{id} refs/heads/main")),
            GitKind::Branch if near => ("packed-refs", "", format!("{zero} refs/remotes/origin/x-{}", g.value)),
            GitKind::Branch => (
                "packed-refs",
                "",
                format!("{zero} refs/remotes/origin/{}{}", g.value, if g.value.ends_with('/') { "x" } else { "" }),
            ),
            GitKind::Message => {
                let about = if near { "about " } else { "" };
                ("logs/HEAD", "", format!("{zero} {zero} A <a@x.example> 1780000000 +0000\tcommit: {about}{}", g.value))
            }
            GitKind::Author => {
                ("logs/HEAD", "", format!("{zero} {zero} A <{}{x}> 1780000000 +0000\tcommit: x", g.value))
            }
            GitKind::Workflow => {
                let path = format!("{repository}/{}", g.value.replace(".y", &format!("{x}.y")));
                plan.line(&path, WORKFLOW, "");
                plan.want(i, &path, 0, "");
                continue;
            }
            GitKind::Description | GitKind::Event => {
                plan.unseen.insert(format!("{:?}", g.kind));
                continue;
            }
        };
        let path = format!("{repository}/.git/{path}");
        let line = plan.line(&path, start, &line);
        plan.want(i, &path, line, "referenced");
    }
}

fn incidents() -> Vec<Incident> {
    Database::embedded().unwrap().incidents
}

/// Incident, path, line and exposure of each finding; of what several incidents left alike, of each of them.
fn found(report: &Value, all: &[Incident]) -> BTreeSet<(String, String, u64, String)> {
    let mut found = BTreeSet::new();
    for incident in report["incidents"].as_array().unwrap() {
        for f in incident["findings"].as_array().unwrap() {
            let reason = f["reason"].as_str().unwrap();
            let alike =
                reason.rsplit_once("; ").filter(|(_, end)| end.ends_with(" left the same")).map_or("", |(_, ids)| ids);
            let own = incident["id"].as_str().unwrap();
            let ids =
                all.iter().map(|i| i.id.as_str()).filter(|id| *id == own || alike.split([',', ' ']).any(|w| w == *id));
            for id in ids {
                let (path, line) =
                    (f["location"]["path"].as_str().unwrap(), f["location"]["line"].as_u64().unwrap_or(0));
                found.insert((id.to_owned(), path.to_owned(), line, f["exposure"].as_str().unwrap().to_owned()));
            }
        }
    }
    found
}

#[test]
fn every_value_is_found_in_its_place() {
    let all = incidents();
    let mut plan = Plan::default();
    all.iter().for_each(|i| plant(&mut plan, i, false));
    let (report, code) = report(plan.machine().root());
    let found = found(&report, &all);
    let is = |(id, path, line, exposure): &&(String, String, u64, &str)| {
        let mut same = found.iter().filter(|(i, p, l, _)| i == id && p == path && l == line);
        // A workflow of the worm is a planted file as well.
        if exposure.is_empty() { same.next().is_some() } else { same.any(|(.., e)| e == exposure) }
    };
    let missing: Vec<_> = plan.wanted.iter().filter(|w| !is(w)).collect();
    assert!(missing.is_empty(), "{} of {}: {missing:#?}", missing.len(), plan.wanted.len());
    assert_eq!((code, plan.wanted.len() > 700), (1, true), "{}", plan.wanted.len());
    let of_forges: BTreeSet<String> = OF_FORGES.iter().map(|kind| format!("{kind:?}")).collect();
    assert_eq!(plan.unseen, of_forges);
    let gaps = &report["coverage"]["gaps"];
    assert!(gaps.as_array().unwrap().is_empty(), "{gaps:#}");
}

#[test]
fn neighbours_and_notes_are_left_alone() {
    let all = incidents();
    let mut plan = Plan::default();
    all.iter().for_each(|i| plant(&mut plan, i, true));
    let mut notes = String::from("# What to look for\n");
    for i in &all {
        let network = i.network.iter().map(|n| n.value.clone());
        let strings = i.strings.iter().map(|s| s.value.clone());
        let git = i.git.iter().map(|g| g.value.clone());
        let actions = i.actions.iter().flat_map(|a| a.commits.iter().map(|c| format!("uses: {}@{c}", a.repository)));
        let images = i.images.iter().flat_map(|m| m.tags.iter().map(|t| format!("image: {}:{t}", m.repository)));
        for value in network.chain(strings).chain(git).chain(actions).chain(images) {
            writeln!(notes, "* curl {value} | sh").unwrap();
        }
    }
    for name in ["iocs.md", "iocs.txt", "report.html", "case/notes", "rules.yar", "iocs.csv"] {
        plan.files.insert(format!("home/alice/incident/{name}"), notes.clone());
    }
    let (report, code) = report(plan.machine().root());
    assert_eq!(findings(&report), [""; 0]);
    assert_eq!(code, 0, "{:#}", report["coverage"]["gaps"]);
}

/// The program's own lists name everything.
#[test]
fn exports_of_the_indicators_are_mentions() {
    let mut machine = Machine::new();
    for format in ["csv", "stix", "osv"] {
        let export = run(["iocs", "export", "--format", format]);
        machine = machine.home(&format!("iocs/all.{format}.json"), export.out);
    }
    let (report, code) = report(machine.root());
    assert_eq!((findings(&report), code), (Vec::<String>::new(), 0));
}
