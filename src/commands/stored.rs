//! What an inventory or a bill of materials holds, ready to be judged as its machine would be.

use std::{
    collections::{BTreeMap, HashMap},
    io::{Cursor, Read},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    examine::{Judged, Selection, Setup},
    sbom,
    unrecorded::{self, Unrecorded},
};
use crate::{
    accounts::Accounts,
    assess::{Evidence, Link},
    coverage::{Coverage, GapKind},
    credential::tag,
    fact::{Origin, TreePath},
    inventory::{
        self, Flaw, Today,
        sbom::LIMIT,
        v1::{self as stored_v1, Known},
    },
    matcher,
    report::v1::{self, Report},
    rotate::Subject,
    sandbox::Sandbox,
    scan::exclude_unreadable_homes,
    walk::{Inspector, Router, Worth},
};

/// Bytes of a file that show what it is.
const START: u64 = 64 << 10;

/// What is to be judged.
pub struct Examined {
    /// The label of its tree.
    pub tree: Arc<str>,
    /// What was read.
    pub evidence: Vec<Evidence>,
    /// What was examined.
    pub coverage: Coverage,
    /// Who lives there.
    pub accounts: Accounts,
    /// What it was.
    pub target: v1::Target,
    /// When it was examined, where the file says so.
    pub examined: Option<Timestamp>,
    /// Whether every account's files could be read.
    pub privileged: bool,
    /// The public name of the case key of its tags.
    pub case_key: Option<String>,
    /// The surfaces that it had.
    pub chosen: Selection,
    /// Every place of it was walked.
    pub whole: bool,
    /// What a plan is for.
    pub subject: Subject,
    /// What a bill of materials says of why packages are there, by place and package URL.
    pub chains: HashMap<(TreePath, String), Vec<Link>>,
}

/// How a file is read.
pub struct Reading<'r> {
    /// As a message names it.
    pub shown: &'r str,
    /// The last part of its path.
    pub name: &'r [u8],
    /// What its tree is called instead of what it says itself: one of several.
    pub label: Option<&'r str>,
    /// Asked before each line, with its bytes and the facts kept so far.
    pub before_line: &'r dyn Fn(usize, usize),
}

/// Why a file is not judged.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// As an inventory.
    #[error(transparent)]
    Inventory(#[from] Flaw),
    /// As a bill of materials.
    #[error("{0}\nhint: give the file as the tool wrote it: {formats}", formats = inventory::sbom::FORMATS)]
    Sbom(String),
    /// The indicators cannot be used on it: the fault of the call.
    #[error(transparent)]
    Call(#[from] anyhow::Error),
}

impl Unusable {
    /// As a gap.
    pub fn kind(&self) -> GapKind {
        match self {
            Self::Inventory(Flaw::Newer { .. }) => GapKind::Unsupported,
            Self::Inventory(Flaw::Short(_)) => GapKind::Truncated,
            Self::Inventory(Flaw::Io(..)) | Self::Call(_) => GapKind::Unreadable,
            Self::Inventory(Flaw::Other | Flaw::Line { .. }) | Self::Sbom(_) => GapKind::Malformed,
        }
    }
}

/// Reads a file, whatever of the two it is.
///
/// # Errors
/// Where it is neither, or damaged.
pub fn read(setup: &Setup, input: impl Read, reading: &Reading<'_>) -> Result<Examined, Unusable> {
    let mut plain = inventory::unpacked(input).map_err(|e| Flaw::Io(1, e))?;
    let mut start = Vec::new();
    (&mut plain).take(START).read_to_end(&mut start).map_err(Flaw::from_first)?;
    if sbom::may_be(&start) {
        (&mut plain).take(LIMIT).read_to_end(&mut start).map_err(Flaw::from_first)?;
        let file = Origin::file(&"".into(), TreePath::root());
        let wanted = |p: &inventory::sbom::Stated| matcher::worth(&setup.index, &p.seen(&file)) != Worth::Nothing;
        let document = inventory::sbom::read(&start, &wanted).map_err(Unusable::Sbom)?.ok_or(Flaw::Other)?;
        return Ok(sbom::examined(&document, reading));
    }
    of_inventory(setup, Cursor::new(start).chain(plain), reading)
}

fn of_inventory(setup: &Setup, input: impl Read, reading: &Reading<'_>) -> Result<Examined, Unusable> {
    let mut stored = inventory::stored(input)?;
    let head = stored.head.clone();
    let chosen = setup.chosen_of(&head);
    let same = setup.digest()? == head.indicators.digest;
    let tree: Arc<str> = reading.label.unwrap_or(&head.tree).into();
    let (seen, coverage, ended, unrecorded) = {
        let keep = |seen: &crate::fact::Seen| matcher::worth(&setup.index, seen);
        let router = Router::new(setup.surfaces_of(&chosen), &setup.interest);
        let inspector = Inspector::new(&router, &setup.interest, &keep, tree.clone(), None).shelving();
        let is_idle = |p: &stored_v1::Package| {
            let hashes = || p.artifacts.iter().flat_map(stored_v1::Artifact::hashes);
            p.placement()
                .is_some_and(|placement| matcher::is_idle(&setup.index, p.ecosystem, &p.name, placement, hashes()))
        };
        let known = Known::new(&setup.interest);
        let today = Today { known: &known, same, is_idle: &is_idle, names: None };
        let ended = inventory::replay(&mut stored, &tree, &inspector, &today, reading.before_line)?;
        let root = Origin::file(&tree, TreePath::root());
        let unrecorded = match same {
            true => Unrecorded::default(),
            false => unrecorded::ask(setup, &head, &ended.recorded, &inspector, &root)?,
        };
        let (seen, coverage) = inspector.finish();
        (seen, coverage, ended, unrecorded)
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
    coverage.gaps.extend(unrecorded.gaps);
    coverage.exclusions.extend(unrecorded.exclusions);
    coverage.sort_and_dedup();
    Ok(Examined {
        evidence: seen.into_iter().chain(ended.compared).map(Evidence::from).collect(),
        coverage,
        accounts: ended.accounts,
        whole: matches!(head.target.kind.as_str(), "host" | "root"),
        target: v1::Target { os: ended.os, ..head.target },
        examined: Some(head.started),
        privileged: head.privileged,
        case_key: head.case_key.filter(|name| tag::is_key_name(name)),
        chosen,
        chains: HashMap::new(),
        subject: if reading.label.is_some() { Subject::OneOfMany } else { Subject::Single },
        tree,
    })
}

impl Examined {
    /// The report of it, once what the feeds say of its packages is among the incidents.
    pub fn report(self, setup: &Setup, sandbox: &Sandbox, started: Timestamp) -> Report {
        let accounts = BTreeMap::from([(self.tree, self.accounts)]);
        let unread = self.chosen.unread(&self.coverage);
        let mut assessment = setup.judge_admitted(self.evidence, accounts.clone(), &unread);
        for finding in &mut assessment.findings {
            let key = finding.package.clone().map(|package| (finding.origin.path.clone(), package));
            if let Some(chain) = key.and_then(|key| self.chains.get(&key)) {
                finding.chain.clone_from(chain);
            }
        }
        let scope = crate::rotate::Scope { subject: self.subject, ..self.chosen.scope(self.whole) };
        let judged = Judged {
            assessment: &assessment,
            coverage: self.coverage,
            accounts: &accounts,
            target: self.target,
            started,
            privileged: self.privileged,
            scope,
        };
        let mut report = setup.report(judged, sandbox);
        report.run.case_key = self.case_key;
        report
    }
}
