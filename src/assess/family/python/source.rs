//! Where a distribution came from: what was built from a repository has the version's number and not the registry's bytes.

use std::collections::HashMap;

use crate::{
    assess::{Case, Finding, FindingKind},
    fact::Fact,
    verdict::Confidence,
};

/// Lowers what `direct_url.json` says is no file of the registry. What the malicious file brings along, its hook, its modules by
/// their bytes, is found for itself.
pub(super) fn weigh(case: &Case<'_>, findings: &mut [Finding]) {
    let mut built = HashMap::new();
    for seen in case.evidence.iter().map(|e| &e.seen) {
        if let Fact::FromRepository { vcs } = &seen.fact {
            built.insert((seen.origin.tree.clone(), seen.origin.path.parent()), vcs);
        }
    }
    if built.is_empty() {
        return;
    }
    for finding in findings.iter_mut().filter(|f| f.kind == FindingKind::Package) {
        let place = (finding.origin.tree.clone(), finding.origin.path.parent());
        if let Some(vcs) = built.get(&place) {
            finding.confidence = Confidence::Possible;
            finding.reason = format!(
                "{}; but `direct_url.json` says that it was built from a {vcs} repository: it is not the file of the registry unless \
                 somebody pushed the same code there",
                finding.reason
            );
        }
    }
}
