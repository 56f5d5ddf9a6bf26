//! Variables of running processes: children inherit them, so that one secret stands in hundreds of processes.

use std::collections::HashMap;

use super::reach::Judged;
use crate::credential::is_environ;

/// A variable that many processes of an account inherited is one credential, reported for the first of them.
pub fn once_per_account(judged: Vec<Judged>) -> Vec<Judged> {
    let mut kept: Vec<Judged> = Vec::with_capacity(judged.len());
    let mut known: HashMap<_, (usize, usize)> = HashMap::new();
    for j in judged {
        if !is_environ(&j.origin.path) {
            kept.push(j);
            continue;
        }
        let (origin, c) = (&j.origin, &j.credential);
        let key = (origin.tree.clone(), j.uid, c.kind.clone(), c.identifier.clone(), origin.inner.clone());
        match known.get_mut(&key) {
            Some((_, more)) => *more += 1,
            None => {
                known.insert(key, (kept.len(), 0));
                kept.push(j);
            }
        }
    }
    for (at, more) in known.into_values().filter(|(_, more)| *more > 0) {
        if let Some(j) = kept.get_mut(at) {
            let processes = if more == 1 { "process has" } else { "processes have" };
            j.credential.note = Some(format!("{more} more {processes} a variable of that name"));
        }
    }
    kept
}
