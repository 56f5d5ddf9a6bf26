//! A report holds whatever its checklist was made from: made again from the report alone, it is the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dosimeter::{
    accounts::Accounts,
    assess::{Account, Assessment, Finding, FindingKind, Judged, Kept, PartOf, ReachBy, UnitEnvironment, rule::Rule},
    credential::Catalog,
    fact::{At, Credential, Origin, TreePath},
    ioc::{Database, Index},
    report::v1,
    rotate::{
        self, Scope,
        writer::{System, Writer},
    },
    verdict::Urgency,
};
use serde_json::Value;

use super::{machine::Machine, program::report};

/// Stands for the case in commands.
const CASE: &str = "0000000000000000";

fn path(text: &v1::PathText) -> TreePath {
    TreePath::new(text.0.strip_prefix(b"/").unwrap()).unwrap()
}

fn origin(l: &v1::Location) -> Origin {
    let text = |t: &Option<String>| t.as_deref().map(Arc::from);
    Origin {
        tree: l.tree.as_str().into(),
        path: path(&l.path),
        inner: text(&l.inner),
        line: l.line,
        layer: text(&l.layer),
    }
}

fn kind(word: &str) -> FindingKind {
    use FindingKind::{Action, Command, File, Git, Image, Network, Package, Process, Text};
    [Package, File, Command, Network, Process, Image, Action, Git, Text]
        .into_iter()
        .find(|k| k.as_str() == word)
        .unwrap()
}

fn finding(index: &Index, incident: &str, f: &v1::Finding) -> Finding {
    let position = |id: &str| index.database.incidents.iter().position(|i| i.id == id).unwrap();
    Finding {
        id: f.id.clone(),
        incident: position(incident),
        indicator: f.indicator.clone(),
        kind: kind(&f.kind),
        rule: Rule::all().find(|r| r.code() == f.rule).unwrap(),
        exposure: f.exposure,
        confidence: f.confidence,
        surface: "a report",
        package: f.package.clone(),
        origin: origin(&f.location),
        ecosystem: f.ecosystem,
        holdings: f.files.as_ref().map(|all| all.iter().map(path).collect()),
        unit: None,
        environment: f.environment.as_ref().map(|e| UnitEnvironment { prefix: path(&e.path), kind: e.kind.clone() }),
        artifact: None,
        at: f.at.map(|time| At::new(time, "a report")),
        reason: f.reason.clone(),
        sign: None,
        chain: Vec::new(),
        moment: f.moment,
        by_itself: f.runs_by_itself,
        corroborated: None,
        // The checklist asks only whose session starts it.
        account: match f.lives_at.as_ref().unwrap() {
            v1::Account::One { uid, .. } => Account::Uid(*uid),
            v1::Account::All => Account::All,
            v1::Account::Elsewhere => Account::Elsewhere,
        },
        bounds: None,
        role: f.role,
        alike: f.alike.iter().map(|id| position(id)).collect(),
    }
}

fn judged(index: &Index, c: &v1::Credential) -> Judged {
    let by = c.reach_by.iter().map(|b| ReachBy {
        incident: index.database.incidents.iter().position(|i| i.id == b.incident).unwrap(),
        reach: b.reach,
        confidence: b.confidence,
        rule: b.rule.clone(),
        rotate: b.rotate.unwrap(),
    });
    Judged {
        id: c.id.clone(),
        credential: Credential {
            kind: c.kind.as_str().into(),
            identifier: c.identifier.clone(),
            note: c.note.clone(),
            named_by: None,
            tag: c.tag.clone(),
        },
        origin: origin(&c.location),
        uid: c.uid,
        modified: c.modified.map(|time| At::new(time, "a report")),
        by: by.collect(),
        reach: c.reach,
        confidence: c.confidence,
        rotate: c.rotate,
        reason: c.reason.clone(),
    }
}

/// The accounts that the report names, without their homes but for those that somebody logs in with.
fn accounts(report: &v1::Report) -> BTreeMap<Arc<str>, Accounts> {
    let mut lines: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for f in report.incidents.iter().flat_map(|i| &i.findings) {
        for account in [&f.account, &f.lives_at] {
            if let Some(v1::Account::One { uid, name }) = account {
                lines
                    .entry(&f.location.tree)
                    .or_default()
                    .insert(format!("{name}:x:{uid}:{uid}::/nowhere/{uid}:/bin/sh\n"));
            }
        }
    }
    for login in &report.coverage.logins {
        let name = &login.name;
        lines
            .entry(&login.tree)
            .or_default()
            .insert(format!("{name}:x:{}:{}::/home/{name}:/bin/sh\n", login.uid, login.uid));
    }
    let of = |lines: BTreeSet<String>| Accounts::new(lines.into_iter().collect::<String>().as_bytes(), []);
    lines.into_iter().map(|(tree, lines)| (Arc::from(tree), of(lines))).collect()
}

/// Panics where the checklist of a report is not the one that the rest of the report gives.
pub fn agrees(report: &Value, index: &Index) {
    let report: v1::Report = serde_json::from_value(report.clone()).unwrap();
    let of = |i: &v1::IncidentReport| i.findings.iter().map(|f| finding(index, &i.id, f)).collect::<Vec<_>>();
    let mut assessment = Assessment {
        findings: report.incidents.iter().flat_map(of).collect(),
        credentials: report.credentials.iter().map(|c| judged(index, c)).collect(),
        ..Assessment::default()
    };
    assessment.findings.sort_by_key(|f| f.incident);
    let kept =
        |k: &v1::KeptEvidence| Kept { origin: origin(&k.location), case: k.case.as_str().into(), archives: k.archives };
    assessment.kept = report.kept_evidence.iter().map(kept).collect();
    let part = |p: &v1::PartOf| PartOf { platform: p.platform, origin: origin(&p.location) };
    assessment.platforms = report.platforms.iter().map(part).collect();
    let image = |i: &v1::ImageDigests| (Arc::from(i.tree.as_str()), i.digests.clone());
    assessment.images = report.coverage.images.iter().map(image).collect();
    let scope = report.coverage.scope.unwrap();
    let scope = Scope { whole: scope.whole, monitors: scope.monitors, ..Scope::default() };
    let system = System::named(report.run.target.os.as_deref());
    let catalog = Catalog::embedded().unwrap();
    let made = rotate::checklist(index, &catalog, &assessment, &accounts(&report), scope, system);
    let writer = Writer { system, case: CASE };
    assert_eq!(Some(&made.page), report.page.as_ref());
    assert_eq!(made.items.len(), report.checklist.len());
    for (made, kept) in made.items.iter().zip(&report.checklist) {
        let shown = |urgency: Option<Urgency>| urgency.map(Urgency::as_str);
        assert_eq!((&made.id, &made.title, &made.why), (&kept.id, &kept.title, &kept.why));
        assert_eq!((made.phase, Some(made.place), shown(made.urgency)), (kept.phase, kept.place, shown(kept.urgency)));
        assert_eq!((&made.after, &made.credentials), (&kept.edges, &kept.credentials));
        assert_eq!((made.workstream, made.rank, made.blocked), (kept.workstream(), kept.rank, kept.blocked));
        let steps: Vec<_> = made.steps.iter().map(|s| writer.write(&made.id, s)).collect();
        assert_eq!(steps.len(), kept.steps.len(), "{}", kept.title);
        for (made, kept) in steps.iter().zip(&kept.steps) {
            let command = kept.command.as_deref().map(without_case);
            assert_eq!((&made.what, &made.command, made.by_hand), (&kept.what, &command, kept.by_hand));
        }
    }
}

/// The id of the case stands in the one command that makes the folder for evidence.
fn without_case(command: &str) -> String {
    match command.split_once("\\ncase ") {
        Some((before, after)) => format!("{before}\\ncase {CASE}{}", &after[CASE.len()..]),
        None => command.to_owned(),
    }
}

#[test]
fn a_checklist_can_be_made_from_a_report_alone() {
    let index = Index::new(Database::embedded().unwrap(), &[]);
    let machine = Machine::new()
        .venv("app")
        .dist("litellm", "1.82.8")
        .site_file("litellm_init.pth", "import os\n")
        .home(".config/sysmon/sysmon.py", "x\n")
        .home(".config/systemd/user/sysmon.service", "[Service]\nExecStart=/home/alice/.config/sysmon/sysmon.py\n")
        .home(".cache/uv/wheels-v5/pypi/litellm/1.82.7-py3-none-any.msgpack", "x")
        .home("p/requirements.txt", "litellm==1.82.7\n")
        .home("p/node_modules/plain-crypto-js/package.json", r#"{"name": "plain-crypto-js", "version": "4.2.1"}"#)
        .home(".aws/credentials", "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n")
        .home(".netrc", "machine registry.example login a password b\n")
        .file("root/.bash_history", "pip install litellm==1.82.8\n")
        .file("tmp/tpcp.tar.gz", "x")
        .file("root/dosimeter-evidence.a1/DOSIMETER-EVIDENCE", "dosimeter evidence 1\ncase 0123456789abcdef\n");
    let (report, code) = report(machine.root());
    assert_eq!(code, 1);
    let incidents = report["incidents"].as_array().unwrap();
    assert!(incidents.len() >= 2 && report["credentials"].as_array().unwrap().len() >= 2, "{incidents:#?}");
    assert!(report["checklist"].as_array().unwrap().len() > 12);
    agrees(&report, &index);
}
