//! What is gathered of images as they are joined, and the report of all.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::{each::Each, evidence, picture::Picture};
use crate::{
    accounts::Accounts,
    assess::Evidence,
    commands::examine::{Judged, Setup},
    coverage::{Coverage, Gap, GapKind, IMAGE},
    fact::{Origin, TreePath},
    image::{Image, listing::ImageUse},
    report::v1::{self, Report},
    sandbox::Sandbox,
    scan::{Disk, is_root},
    stop,
    walk::{Bounds, FactBudget},
};

/// What is kept of the images so far.
pub struct Swept {
    budget: FactBudget,
    evidence: Vec<Evidence>,
    dropped: u64,
    accounts: BTreeMap<Arc<str>, Accounts>,
    picture: Picture,
}

/// What is known of the run beside its images.
pub struct Run<'r> {
    /// What the command line names.
    pub id: String,
    /// What the machine calls itself whose stores were examined.
    pub machine: Disk,
    /// UTC.
    pub started: Timestamp,
    /// Different layers, and their bytes.
    pub size: (usize, u64),
    /// Who uses images.
    pub uses: &'r [ImageUse],
    /// What engines call images, by id.
    pub names: &'r [(String, Vec<String>)],
}

impl Swept {
    /// Of no image yet.
    pub fn new() -> Self {
        Self {
            budget: FactBudget::new(Bounds::TREE),
            evidence: Vec::new(),
            dropped: 0,
            accounts: BTreeMap::new(),
            picture: Picture::default(),
        }
    }

    /// Takes an image; what is known of it goes to `each` at once.
    pub fn take(&mut self, setup: &Setup, image: &Image<'_>, each: Option<&Each>) {
        let mut own = Vec::new();
        let budget = &mut self.budget;
        let taken = evidence::take(setup, image, &mut |worth, mut e: Evidence| {
            if budget.admit(worth, &mut e.seen) {
                own.push(e);
            }
        });
        self.dropped += taken.dropped;
        // Who lives in an image of which nothing is kept nobody asks.
        let who = if taken.kept { image.accounts() } else { Accounts::default() };
        self.picture.add(image);
        if let Some((each, image)) = each.zip(self.picture.last()) {
            each.put(setup, image, &own, &who);
        }
        self.evidence.append(&mut own);
        self.accounts.insert(image.label.clone(), who);
    }

    /// Judges all of them.
    ///
    /// # Errors
    /// Where the indicators changed while they were in use.
    pub fn report(
        mut self,
        setup: &mut Setup,
        mut coverage: Coverage,
        run: Run<'_>,
        sandbox: &Sandbox,
    ) -> anyhow::Result<Report> {
        run.names.iter().for_each(|(id, names)| self.picture.name(id, names));
        let dropped = self.dropped.saturating_add(self.budget.dropped());
        if dropped > 0 {
            let detail = format!("{dropped} more facts than are kept of all images of one run");
            coverage.gaps.push(of_all(GapKind::TooLarge, detail));
        }
        if stop::requested() {
            coverage.interrupted();
        }
        self.picture.note(&coverage);
        setup.note_unread(&coverage);
        let assessment = setup.judge(self.evidence, self.accounts.clone())?;
        let judged = Judged {
            assessment: &assessment,
            coverage,
            accounts: &self.accounts,
            target: v1::Target {
                kind: "images".to_owned(),
                id: run.id,
                name: run.machine.name,
                installation: run.machine.installation,
                os: None,
            },
            started: run.started,
            privileged: is_root(),
            scope: crate::rotate::Scope::default(),
        };
        let mut report = setup.report(judged, sandbox);
        self.picture.put(&mut report, run.size, run.uses);
        Ok(report)
    }
}

/// A problem with all of them.
pub fn of_all(kind: GapKind, detail: String) -> Gap {
    Gap { origin: Origin::file(&"images".into(), TreePath::root()), surface: IMAGE, kind, detail }
}
