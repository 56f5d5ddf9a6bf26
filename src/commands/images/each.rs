//! A record for each image as it is finished, while the sweep goes on: thousands of images take hours.

use std::{cell::RefCell, collections::BTreeMap, fs::File, io};

use jiff::Timestamp;

use crate::{
    accounts::Accounts,
    assess::{Evidence, Finding, Unread},
    commands::{
        examine::Setup,
        output::{self, Place},
    },
    report::{self, sweep::of_findings, v1::SweptImage},
};

/// Where the records go. They are those of the report, but for who uses an image, and for what is known only once all images are.
pub struct Each {
    run_id: String,
    out: RefCell<File>,
    failed: RefCell<Option<io::Error>>,
}

impl Each {
    /// Empties the file, or makes it.
    ///
    /// # Errors
    /// Where that fails.
    pub fn begin(place: &Place, setup: &Setup, started: Timestamp, id: &str) -> anyhow::Result<Self> {
        let run_id = report::run_id(started, ("images", id), &setup.index.database.digest);
        Ok(Self { run_id, out: RefCell::new(output::open_now(place)?), failed: RefCell::default() })
    }

    /// Adds the record of an image: what is found in it is judged by itself.
    pub fn put(&self, setup: &Setup, image: &SweptImage, evidence: &[Evidence], who: &Accounts) {
        let mut image = image.clone();
        if !evidence.is_empty() {
            let accounts = BTreeMap::from([(image.tree.as_str().into(), who.clone())]);
            let judged = setup.judge_admitted(evidence.to_vec(), accounts, &Unread::default());
            let id = |f: &Finding| setup.index.incident(f.incident).map(|incident| incident.id.as_str());
            let findings = judged.findings.iter().filter_map(|f| Some((id(f)?, f.exposure, f.confidence)));
            image.incidents = of_findings(findings);
            image.exposure = image.incidents.iter().map(|i| i.exposure).max();
        }
        let mut line = Vec::new();
        let put = report::image_record(&self.run_id, &image, &mut line)
            .and_then(|()| io::Write::write_all(&mut *self.out.borrow_mut(), &line));
        if let Err(error) = put {
            self.failed.borrow_mut().get_or_insert(error);
        }
    }

    /// What went wrong with it.
    pub fn failed(&self) -> Option<io::Error> {
        self.failed.take()
    }
}
