//! What a host name, a process or a running program is worth that fits an indicator.

use super::{Finding, FindingKind, evidence::Draft, rule::Rule};
use crate::{
    fact::TreePath,
    ioc::model::{FileIndicator, FileRole, Moment},
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
    pub(super) fn autostart(&self, indicator: &crate::ioc::model::ProcessIndicator, in_project: bool) -> Finding {
        let what = &indicator.what;
        let (rule, reason) = if in_project {
            (Rule::StartsInProject, format!("starts once the project is opened, trusted or used: {what}"))
        } else {
            (Rule::StartsPayload, format!("starts by itself: {what}"))
        };
        let name = format!("process/{}", indicator.holds);
        let mut finding = self.finding(FindingKind::File, name, (rule, Confidence::Likely, reason));
        finding.role = Some(if in_project { FileRole::Planted } else { FileRole::Persistence });
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
}
