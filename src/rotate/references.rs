//! References into a store of secrets: no secrets themselves. Whoever had the login of the store could read what they name, so that it is
//! replaced after that login.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Item,
    edge::{Because, Edge},
    situation::{Situation, place},
};
use crate::{
    fact::Store,
    verdict::{Exposure, Phase, Place, Rank, Urgency},
};

/// Places that one store's step names.
const PLACES: usize = 10;

/// The kinds of credential that open a store.
fn logins(store: Store) -> &'static [&'static str] {
    match store {
        Store::Vault => &["vault.token"],
        Store::Aws => &["aws.access_key", "aws.session_cache", "aws.sso_cache", "aws.instance_role"],
        Store::Gcp => &["gcp.service_account_key", "gcp.adc_user", "gcp.user_credentials", "gcp.metadata_identity"],
        Store::Azure => &["azure.cli_user_tokens", "azure.service_principal", "azure.managed_identity"],
        Store::Onepassword => &["onepassword"],
        Store::Sops => &["age_sops.key", "gpg.private_key"],
    }
}

/// One item for all of them, where something ran beside them. `replaced` are the items that replace credentials of a kind.
pub fn references(s: &Situation<'_>, replaced: &BTreeMap<&str, &[String]>) -> Option<Item> {
    let ran: BTreeSet<&str> =
        s.assessment.findings.iter().filter(|f| f.exposure >= Exposure::Removed).map(|f| &*f.origin.tree).collect();
    let mut stores: BTreeMap<Store, Vec<String>> = BTreeMap::new();
    for r in s.assessment.references.iter().filter(|r| ran.contains(&*r.origin.tree)) {
        stores.entry(r.store).or_default().push(place(&r.origin));
    }
    if stores.is_empty() {
        return None;
    }
    let why = "a reference is no secret, and whoever had the login of its store could read what it names";
    let title = "Replace what references open, after the logins of their stores";
    let mut item = Item::new(Phase::Rotate, title, why).urgent(Urgency::Soon).at(Place::Clean);
    item.rank = Some(Rank::Data);
    let mut after: Vec<Edge> = Vec::new();
    for (store, mut places) in stores {
        places.sort();
        places.dedup();
        let more = places.len().saturating_sub(PLACES);
        places.truncate(PLACES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        item = item.say(format!("in {}: what stands behind {}{more}", store.label(), places.join("; ")));
        let found: Vec<&str> = logins(store).iter().copied().filter(|kind| replaced.contains_key(kind)).collect();
        if found.is_empty() {
            item = item.say(format!(
                "no login of {} was found here: ask with what this machine reads it, and whether the payload could",
                store.label()
            ));
            continue;
        }
        let names: Vec<&str> =
            found.iter().map(|kind| s.catalog.kind(kind).map_or(*kind, |k| k.name.as_str())).collect();
        item = item.say(format!(
            "a login that may open it was in reach here ({}): replace in the store whatever that could read, once the login is replaced",
            names.join(", ")
        ));
        for kind in found {
            let because = Because::Opens { kind: kind.to_owned(), opened: format!("secrets in {}", store.label()) };
            let items = replaced.get(kind).into_iter().flat_map(|ids| ids.iter());
            after.extend(items.map(|item| Edge { item: item.clone(), because: because.clone() }));
        }
    }
    Some(item.after(after))
}
