//! The checklist.

use serde::{Deserialize, Serialize};

use crate::{
    rotate::{edge::Edge, writer::Written},
    verdict::{Mode, Phase, Place, Rank, Urgency, Workstream},
};

/// One item of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// `s-` and 8 hex digits.
    pub id: String,
    /// Its phase.
    pub phase: Phase,
    /// Where its steps are done; absent in reports of early versions.
    #[serde(rename = "where", default)]
    pub place: Option<Place>,
    /// One line.
    pub title: String,
    /// The reason.
    pub why: String,
    /// How urgent it is, where it is about secrets.
    #[serde(default)]
    pub urgency: Option<Urgency>,
    /// Ids of items that come first.
    pub after: Vec<String>,
    /// Why each of them comes first; empty in reports of early versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<Edge>,
    /// Who does it; absent in reports of early versions.
    #[serde(default)]
    pub workstream: Option<Workstream>,
    /// Why a secret has its place among those that are replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<Rank>,
    /// What comes first where it replaces a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Whether it ends a token that a monitor of stolen tokens may watch.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub watched: bool,
    /// The phase whose every item has to be done before this one may be touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Phase>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// Ids of the credentials it is about.
    pub credentials: Vec<String>,
    /// Not shown to people, since they asked for others; never in a file.
    #[serde(skip)]
    pub left_out: bool,
    /// In a report of several machines: for which of them, by `tree`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<String>,
}

impl Item {
    /// Where its steps are done. What has no place is done on the machine while it is cleaned, and elsewhere after that.
    pub fn done_at(&self) -> Place {
        let cleaning = matches!(self.phase, Phase::Preserve | Phase::Disarm | Phase::Eradicate | Phase::Purge);
        self.place.unwrap_or(if cleaning { Place::Host } else { Place::Clean })
    }

    /// Takes over what another item has to do beside it: the stricter gate wins.
    pub fn absorb(&mut self, other: Self) {
        fn add<T: PartialEq>(known: &mut Vec<T>, new: Vec<T>) {
            for value in new {
                if !known.contains(&value) {
                    known.push(value);
                }
            }
        }
        for step in other.steps {
            // What is done once is done.
            match self.steps.iter_mut().find(|known| known.is_same(&step)) {
                Some(known) => known.done |= step.done,
                None => self.steps.push(step),
            }
        }
        add(&mut self.credentials, other.credentials);
        add(&mut self.edges, other.edges);
        add(&mut self.after, other.after);
        add(&mut self.machines, other.machines);
        self.urgency = self.urgency.max(other.urgency);
        self.blocked = self.blocked.or(other.blocked);
        self.watched |= other.watched;
    }

    /// Who does it.
    pub fn workstream(&self) -> Workstream {
        self.workstream.unwrap_or_else(|| Workstream::usual(self.phase, self.done_at()))
    }
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// In words.
    #[serde(rename = "do")]
    pub what: String,
    /// A command that starts no interpreter of an affected environment.
    pub command: Option<String>,
    /// A person has to look before the command is run: it is left out of the script.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
    /// What it shows where all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// Nobody could try the command, or read what its options mean: read its manual before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unchecked: bool,
    /// Where it is done, if not where its item is.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Somebody ticked it on a plan.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub done: bool,
}

impl Step {
    /// Whether it is the same to do, done or not.
    fn is_same(&self, other: &Self) -> bool {
        let Self { what, command, by_hand, expect, unchecked, place, done: _ } = self;
        (what, command, by_hand) == (&other.what, &other.command, &other.by_hand)
            && (expect, unchecked, place) == (&other.expect, &other.unchecked, &other.place)
    }

    /// Whether there is nothing to do: it says what to beware of.
    pub fn warns(&self) -> bool {
        self.command.is_none() && self.what.starts_with("careful: ")
    }
}

impl From<Written> for Step {
    fn from(s: Written) -> Self {
        let Written { what, command, by_hand, expect, unchecked, place } = s;
        Self { what, command, by_hand, expect, unchecked, place, done: false }
    }
}
