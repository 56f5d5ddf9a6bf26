//! The steps of a kind of credential, with the identifiers that were found.

use std::collections::BTreeSet;

use super::{
    shell::{is_plain, own_tools, quote},
    step::{Action, Step},
};
use crate::{credential::model::Rotation, text::escape};

/// Identifiers that one step is repeated for.
const IDENTIFIERS: usize = 20;

/// `{id}` becomes the public identifier. A command that quotes `{id}` itself is dropped where the identifier would break out.
pub fn fill(rotation: &Rotation, identifier: Option<&str>) -> Step {
    let shown = identifier.map_or_else(|| "ID".to_owned(), |id| escape(id.as_bytes()));
    let plain = identifier.is_none_or(is_plain);
    let quotes = |c: &str| c.contains(['\'', '"', '`']);
    let command = rotation.command.as_ref().filter(|c| plain || !c.contains("{id}") || !quotes(c));
    let word = identifier.map_or_else(|| "ID".to_owned(), |id| quote(id.as_bytes()));
    let action = command.map_or(Action::Say, |c| Action::Given(c.replace("{id}", &word)));
    let expect = rotation.expect.as_ref().map(|e| e.replace("{id}", &shown));
    let unchecked = rotation.checked.is_none() && command.is_some_and(|c| !own_tools(c));
    Step { what: rotation.what.replace("{id}", &shown), action, expect, unchecked, place: rotation.place }
}

/// Steps that ask for an identifier once for each, the others once.
pub fn fill_all(rotations: &[Rotation], identifiers: &BTreeSet<&str>) -> Vec<Step> {
    let mut steps = Vec::new();
    for rotation in rotations {
        if !asks(rotation) || identifiers.is_empty() {
            steps.push(fill(rotation, None));
            continue;
        }
        steps.extend(identifiers.iter().take(IDENTIFIERS).map(|id| fill(rotation, Some(id))));
        if identifiers.len() > IDENTIFIERS {
            steps.push(Step::say(format!("the same for the {} others", identifiers.len() - IDENTIFIERS)));
        }
    }
    steps
}

/// Whether a step is about one credential rather than the kind.
pub fn asks(rotation: &Rotation) -> bool {
    let asks = |text: &str| text.contains("{id}");
    asks(&rotation.what) || rotation.command.as_deref().is_some_and(asks)
}
