//! The gates that a secret passes before it is replaced: each by what it protects.

use super::{
    Item, Plan,
    edge::{Because, Edge},
};
use crate::{
    assess::Judged,
    credential::{Catalog, Kind},
    verdict::{Phase, Workstream},
};

/// How members of a circle are replaced.
pub const ALL_AT_ONCE: [&str; 2] = [
    "with an account that is none of these: revoke every one of them, and write down the time",
    "only when all are dead, issue the new ones",
];

/// What is known of the secrets of an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guard {
    /// One of them is a token that a monitor may watch.
    pub watched: bool,
    /// One of them publishes or deploys, or opens one that does.
    pub spreads: bool,
    /// The new one is stored on the examined machine before the old one ends.
    pub put_back: bool,
}

/// The item behind its gates. Cutting the network and switching the monitors off opens them for whatever is not put back on the machine.
pub fn guarded(mut item: Item, plan: &Plan, guard: Guard) -> Item {
    let on_machine = |e: &Edge| plan.is_in(&e.item, Workstream::Machine);
    let mut after: Vec<Edge> =
        plan.edges(Phase::Contain, &Because::CutsNetwork).into_iter().filter(on_machine).collect();
    item.watched = guard.watched;
    if guard.watched {
        let monitors = plan.edges(Phase::Disarm, &Because::SwitchesOffMonitors);
        item.blocked = (!monitors.is_empty()).then_some(Phase::Disarm);
        after.extend(monitors);
    }
    if guard.spreads {
        after.extend(plan.edges(Phase::Freeze, &Because::StopsJobs));
    }
    if guard.put_back {
        after.extend(plan.edges(Phase::Eradicate, &Because::RemovesCode));
        after.extend(plan.edges(Phase::Purge, &Because::RemovesCode).into_iter().filter(on_machine));
    }
    item.after(after)
}

/// Whether a monitor may act when one of these ends. Where nobody knows whose login it is, it may.
pub fn is_watched(kind: Option<&Kind>, found: &[&Judged]) -> bool {
    let Some(kind) = kind else {
        return true;
    };
    let elsewhere = |j: &&Judged| j.credential.identifier.as_deref().is_some_and(|id| is_unwatched(kind, id));
    kind.watched && (found.is_empty() || !found.iter().all(elsewhere))
}

/// `al@quay.io`, `https://quay.io:443/v1/`: the host decides, and a name that only looks like one is another host.
fn is_unwatched(kind: &Kind, identifier: &str) -> bool {
    let address = identifier.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let bare = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://")).unwrap_or(&address);
    let host = bare.split(['/', ':']).next().unwrap_or_default();
    kind.unwatched_hosts.iter().any(|known| match known.strip_prefix("*.") {
        Some(above) => host.strip_suffix(above).is_some_and(|below| below.len() > 1 && below.ends_with('.')),
        None => host == known,
    })
}

/// Whether all that are of a kind go together, since any one of them makes the others anew: its atomic group has no other kind.
pub fn is_circle(catalog: &Catalog, kind: &Kind) -> bool {
    let alike = |group: &String| catalog.kinds.iter().filter(|k| k.atomic_group.as_ref() == Some(group)).count();
    kind.atomic_group.as_ref().is_some_and(|group| alike(group) == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_free_only_where_its_host_is_known_to_be_another() {
        let mut kind = crate::rotate::tests::kind("login", "standard", 1, &[]);
        kind.watched = true;
        kind.unwatched_hosts = ["quay.io", "*.azurecr.io"].map(str::to_owned).to_vec();
        for free in
            ["quay.io", "al@quay.io", "https://quay.io/v1/", "QUAY.IO:443", "x.azurecr.io", "a@b@x.y.azurecr.io"]
        {
            assert!(is_unwatched(&kind, free), "{free}");
        }
        for watched in [
            "ghcr.io",
            "quay.io@ghcr.io",
            "https://ghcr.io/quay.io",
            "quay.io.example",
            "notquay.io",
            "azurecr.io",
            ".azurecr.io",
            "default",
            "",
            "quay.io/x@ghcr.io",
        ] {
            assert!(!is_unwatched(&kind, watched), "{watched}");
        }
        assert!(is_watched(None, &[]));
        assert!(is_watched(Some(&kind), &[]));
        kind.watched = false;
        assert!(!is_watched(Some(&kind), &[]));
    }
}
