//! Why an item stands where it stands.

use super::Labels;
use crate::{
    report::{v1, words},
    text::printable,
    verdict::Phase,
};

/// Each reason why an item stands where it stands; nothing where there is no such item.
///
/// `kind` says what a kind of credential is called.
pub fn why(report: &v1::Report, named: &str, kind: impl Fn(&str) -> String) -> Option<String> {
    let labels = Labels::new(report);
    let named = named.trim();
    let called = |c: &v1::Credential| c.id == named || c.identifier.as_deref() == Some(named);
    let credentials: Vec<&str> = report.credentials.iter().filter(|c| called(c)).map(|c| c.id.as_str()).collect();
    let is = |i: &&v1::Item| i.id == named || labels.of(&i.id).eq_ignore_ascii_case(named);
    let replaces =
        |i: &&v1::Item| i.phase == Phase::Rotate && i.credentials.iter().any(|c| credentials.contains(&c.as_str()));
    let item = report.checklist.iter().find(is).or_else(|| report.checklist.iter().find(replaces))?;
    let title = |id: &str| {
        let found = report.checklist.iter().find(|i| i.id == id);
        format!("{} {}", labels.of(id), found.map_or_else(String::new, |i| printable(&i.title)))
    };
    let mut lines = vec![format!("{} ({})", title(&item.id), item.id), format!("why: {}", printable(&item.why))];
    if let Some(rank) = item.rank {
        lines.push(format!("rank: {}", rank.as_str()));
    }
    if let Some(phase) = words::still_blocked(report, item) {
        lines.push(format!("blocked: {}", phase.as_str()));
    }
    if item.after.is_empty() {
        lines.push("waits for nothing".to_owned());
    }
    for id in item.after.iter().filter(|id| item.edges.iter().all(|e| e.item != **id)) {
        lines.push(format!("after {}", title(id)));
    }
    for edge in &item.edges {
        lines.push(format!("after {}: {}", title(&edge.item), edge.because.words(&kind)));
    }
    for other in &report.checklist {
        for edge in other.edges.iter().filter(|e| e.item == item.id) {
            lines.push(format!("before {}: {}", title(&other.id), edge.because.words(&kind)));
        }
    }
    Some(lines.join("\n"))
}
