//! Reports of images among those of machines: an image that several have is one, whatever each calls it.

use std::collections::{HashMap, HashSet};

use super::several::own_id;
use crate::report::{
    sweep::id_of,
    v1::{Credential, Finding, Location, Report},
};

/// The images so far.
#[derive(Default)]
pub struct Known {
    /// By the id of an image, what it is called.
    trees: HashMap<String, String>,
    taken: HashSet<String>,
    /// By what they say, ids of findings and credentials.
    ids: HashMap<String, String>,
}

impl Known {
    /// Gives the images of a report the names that they have in that of all, and its items ids of their own.
    pub fn own(&mut self, report: &mut Report, machine: &str) {
        let mut trees: HashMap<String, String> = HashMap::new();
        for image in report.sweep.iter_mut().flat_map(|sweep| &mut sweep.images) {
            let known = id_of(image).and_then(|id| self.trees.get(id)).cloned();
            let tree = known.unwrap_or_else(|| self.free(&image.tree, machine));
            self.taken.insert(tree.clone());
            if let Some(id) = id_of(image) {
                self.trees.insert(id.clone(), tree.clone());
            }
            image.found_in.iter_mut().for_each(|input| *input = format!("{machine}: {input}"));
            trees.insert(std::mem::replace(&mut image.tree, tree.clone()), tree);
        }
        let renamed = |location: &mut Location| {
            let tree = trees.get(&location.tree).cloned();
            let other = tree.filter(|tree| *tree != location.tree);
            other.iter().for_each(|tree| location.tree.clone_from(tree));
            other
        };
        let mut new_ids: HashMap<String, String> = HashMap::new();
        let mut id = |id: &mut String, tree: Option<String>, says: String| {
            let own = tree.map_or_else(|| id.clone(), |tree| own_id(id, &tree));
            let known = self.ids.entry(says).or_insert(own).clone();
            new_ids.insert(std::mem::replace(id, known.clone()), known);
        };
        for incident in &mut report.incidents {
            for finding in &mut incident.findings {
                let tree = renamed(&mut finding.location);
                let says = said(&incident.id, finding);
                id(&mut finding.id, tree, says);
            }
        }
        for credential in &mut report.credentials {
            let tree = renamed(&mut credential.location);
            let says = held(credential);
            id(&mut credential.id, tree, says);
        }
        let renew = |id: &mut String| new_ids.get(id).into_iter().for_each(|new| id.clone_from(new));
        for moment in &mut report.timeline {
            moment.finding.iter_mut().chain(&mut moment.credential).for_each(renew);
        }
        for item in &mut report.checklist {
            let before = item.id.clone();
            item.id = own_id(&item.id, machine);
            for command in item.steps.iter_mut().filter_map(|s| s.command.as_mut()) {
                *command = command.replace(&before, &item.id);
            }
            item.after.iter_mut().for_each(|id| *id = own_id(id, machine));
            item.edges.iter_mut().for_each(|edge| edge.item = own_id(&edge.item, machine));
            item.credentials.iter_mut().for_each(renew);
        }
        report.work.iter_mut().for_each(|work| work.item = own_id(&work.item, machine));
        for anomaly in &mut report.anomalies {
            let tree = renamed(&mut anomaly.location);
            tree.iter().for_each(|tree| anomaly.id = own_id(&anomaly.id, tree));
        }
        report.coverage.gaps.iter_mut().for_each(|g| drop(renamed(&mut g.location)));
        report.coverage.exclusions.iter_mut().for_each(|x| drop(renamed(&mut x.location)));
        let new = |tree: &mut String| trees.get(tree).into_iter().for_each(|new| tree.clone_from(new));
        report.coverage.images.iter_mut().for_each(|image| new(&mut image.tree));
        report.coverage.logins.iter_mut().for_each(|login| new(&mut login.tree));
        report.coverage.trees.iter_mut().for_each(new);
    }

    /// A name that no other image has.
    fn free(&self, tree: &str, machine: &str) -> String {
        let of_machine = format!("{tree} on {machine}");
        let numbered = (2..).map(|n: usize| format!("{of_machine} #{n}"));
        let mut names = [tree.to_owned(), of_machine.clone()].into_iter().chain(numbered);
        names.find(|name| !self.taken.contains(name)).unwrap_or_else(|| tree.to_owned())
    }
}

fn said(incident: &str, finding: &Finding) -> String {
    format!("{incident} {} {} {:?}", finding.indicator, finding.rule, finding.location)
}

fn held(credential: &Credential) -> String {
    format!("{} {:?} {:?}", credential.kind, credential.identifier, credential.location)
}
