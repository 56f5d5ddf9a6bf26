//! What a host name, a process, a running program or an image is worth that fits an indicator.

use super::{Finding, FindingKind, evidence::Draft, rule::Rule};
use crate::{
    ecosystem::oci,
    fact::TreePath,
    ioc::model::{FileIndicator, FileRole, ImageIndicator, Moment},
    text,
    verdict::Confidence,
};

impl Draft<'_, '_> {
    pub(super) fn host(&self, value: &str, what: &str) -> Finding {
        let reason = format!("points {} somewhere: {what}", text::defang(value));
        let judgement = (Rule::HostNamed, Confidence::Likely, reason);
        self.finding(FindingKind::Network, format!("host/{value}"), judgement)
    }

    /// Whatever its name, it starts the payload.
    pub(super) fn autostart(&self, indicator: &crate::ioc::model::ProcessIndicator) -> Finding {
        let reason = format!("starts by itself: {}", indicator.what);
        let judgement = (Rule::StartsPayload, Confidence::Likely, reason);
        let mut finding = self.finding(FindingKind::File, format!("process/{}", indicator.holds), judgement);
        finding.role = Some(FileRole::Persistence);
        finding.moment = Some(Moment::AtStart);
        finding
    }

    pub(super) fn process(&self, pid: u32, indicator: &crate::ioc::model::ProcessIndicator) -> Finding {
        let reason = format!("process {pid} is running: {}", indicator.what);
        let judgement = (Rule::ProcessRunning, Confidence::Confirmed, reason);
        self.finding(FindingKind::Process, format!("process/{}", indicator.holds), judgement)
    }

    pub(super) fn executable(&self, pid: u32, program: &TreePath, deleted: bool, indicator: &FileIndicator) -> Finding {
        let shown = text::escape(program.text().as_bytes());
        let gone = if deleted { ", whose file is gone" } else { "" };
        let reason = format!("process {pid} is running `{shown}`{gone}: {}", indicator.what);
        let judgement = (Rule::ProcessRunning, Confidence::Confirmed, reason);
        self.finding(FindingKind::Process, format!("process/{shown}"), judgement)
    }

    /// A malicious image: by digest, by a tag that named nothing else, or by a moving tag while it pointed there.
    pub(super) fn image(&self, references: &[String], indicator: &ImageIndicator, digest: bool) -> Option<Finding> {
        let repository = &indicator.repository;
        let moving = |r: &String| indicator.floating_tags.iter().any(|t| oci::same_image(r, repository, t));
        let by_tag = |r: &&String| indicator.tags.iter().any(|t| oci::same_image(r, repository, t));
        let (rule, confidence, reason) = if digest {
            (Rule::ImageByDigest, Confidence::Confirmed, format!("the malicious image of `{repository}`, by digest"))
        } else if references.iter().any(|r| by_tag(&r)) {
            (
                Rule::ImageByTag,
                Confidence::Likely,
                format!("a tag of `{repository}` that named the malicious image; its digest is another one"),
            )
        } else {
            let at = self.seen().at.as_ref()?;
            let mut windows = self.incident.windows.iter();
            let window = windows.find(|w| w.holds(at.time)).filter(|_| references.iter().any(moving))?;
            let span = window.span();
            (
                Rule::ImageByMovingTag,
                Confidence::Possible,
                format!("a moving tag of `{repository}`, made while it named the malicious image ({span})"),
            )
        };
        let name = format!("image/{repository}");
        let mut finding = self.finding(FindingKind::Image, name, (rule, confidence, reason));
        finding.by_itself = confidence > Confidence::Possible;
        Some(finding)
    }
}
