//! `dosimeter match`: what an inventory holds, judged with the indicators of today.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _},
    path::Path,
    sync::Arc,
};

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;

use super::{
    Ending,
    examine::{Judged, Setup},
    finish::finish,
    input, output, sandbox, sbom,
};
use crate::{
    assess::Evidence,
    cli::{Choice, MatchCommand},
    coverage::{Coverage, Exclusion, Gap, GapKind, WALK},
    fact::{Ecosystem, Origin, TreePath},
    inventory::{self, sbom::LIMIT, v1::Known},
    matcher,
    report::{
        Document,
        v1::{self, Report},
    },
    sandbox::Sandbox,
    scan::{Settings, exclude_unreadable_homes},
    walk::{Inspector, Router},
};

/// Bytes of a file that show what it is.
const START: u64 = 64 << 10;

/// Judges and reports.
///
/// # Errors
/// Where the inventory cannot be read, or the report cannot be written.
pub fn run(command: MatchCommand) -> anyhow::Result<Ending> {
    let outputs = output::plan(&command.output, std::slice::from_ref(&command.inventory), Document::Report)?;
    let sandbox = sandbox::begin("match");
    let report = judged(&command, &sandbox)?;
    finish(report, &command.output, |report, _| outputs.write(report))
}

fn judged(command: &MatchCommand, sandbox: &Sandbox) -> anyhow::Result<Report> {
    let started = Timestamp::now();
    let mut input = input::open(&command.inventory)?;
    let named = |flaw: inventory::Flaw| unusable(&command.inventory, &flaw);
    let cannot_read = || format!("cannot read `{}`", output::shown(&command.inventory));
    let mut start = Vec::new();
    (&mut input).take(START).read_to_end(&mut start).with_context(cannot_read)?;
    if sbom::may_be(&start) {
        (&mut input).take(LIMIT).read_to_end(&mut start).with_context(cannot_read)?;
        let document = sbom::read(&start, &command.inventory)?.ok_or_else(|| named(inventory::Flaw::Other))?;
        return sbom::judged(command, sandbox, &document, started);
    }
    let mut stored = inventory::stored(Cursor::new(start).chain(input)).map_err(named)?;
    let head = stored.head.clone();
    let choice = Choice {
        incident: command.incident.clone(),
        only: head.only.clone(),
        skip: head.skip.clone(),
        indicators: command.indicators.clone(),
        threads: None,
    };
    let mut setup = Setup::new(&choice, head.deep, &Settings::default(), false)?;
    sandbox.enclose(&[]);
    let same = setup.digest()? == head.indicators.digest;
    let tree: Arc<str> = head.tree.as_str().into();
    let (seen, coverage, ended) = {
        let keep = |seen: &crate::fact::Seen| matcher::worth(&setup.index, seen);
        let router = Router::new(setup.surfaces(), &setup.interest);
        let inspector = Inspector::new(&router, &setup.interest, &keep, tree.clone(), None).shelving();
        let known = Known::new(&setup.interest);
        let ended = inventory::replay(&mut stored, &tree, &inspector, &known, same).map_err(named)?;
        let (seen, coverage) = inspector.finish();
        (seen, coverage, ended)
    };
    let mut coverage = Coverage { files_seen: ended.files_seen, atime_changed: ended.atime_changed, ..coverage };
    if let Some(first) = ended.compared.first() {
        coverage.surfaces.insert(first.surface, ended.compared_files);
    }
    if ended.interrupted {
        coverage.interrupted();
    }
    if !head.privileged {
        exclude_unreadable_homes(&mut coverage, &ended.accounts);
    }
    coverage.gaps.extend(ended.gaps);
    if !same {
        let python = seen.iter().filter_map(|s| s.unit.as_deref()).any(|u| u.ecosystem == Ecosystem::Pypi);
        let (possible, others) = setup.unrecorded(&head.indicators.asked, python)?;
        let origin = Origin::file(&tree, TreePath::root());
        coverage.gaps.extend(possible.into_iter().map(|id| Gap {
            origin: origin.clone(),
            surface: WALK,
            kind: GapKind::Unsupported,
            detail: format!(
                "{id} asks for files, hosts or processes that were not looked for: examine the machine again"
            ),
        }));
        if others > 0 {
            let reason = format!("{others} incidents ask for files of environments, and none was recorded");
            coverage.exclusions.push(Exclusion { origin, reason });
        }
    }
    coverage.settle();
    let evidence = seen.into_iter().chain(ended.compared).map(Evidence::from).collect();
    let accounts = BTreeMap::from([(tree, ended.accounts)]);
    setup.note_unread(&coverage);
    let assessment = setup.judge(evidence, accounts.clone())?;
    let whole = matches!(head.target.kind.as_str(), "host" | "root");
    let judged = Judged {
        assessment: &assessment,
        coverage,
        accounts: &accounts,
        target: v1::Target { os: ended.os, ..head.target },
        started,
        privileged: head.privileged,
        scope: setup.scope(whole),
    };
    let report = setup.report(judged, sandbox);
    Ok(report)
}

fn unusable(path: &Path, flaw: &inventory::Flaw) -> anyhow::Error {
    anyhow!("`{}` cannot be used: {flaw}", output::shown(path))
}
