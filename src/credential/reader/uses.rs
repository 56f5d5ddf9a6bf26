//! What opens with a credential under names of its own: the contexts of a kubeconfig name the user whose token they use.

use super::{form, pointer::Step};

/// Names that are remembered of one file.
const MOST: usize = 200;

/// Where the names stand, and where the identifier that each uses.
#[derive(Debug)]
pub struct Uses {
    pub(super) name: Vec<Step>,
    pub(super) of: Vec<Step>,
}

/// Those of one file, by what the first star stood for.
#[derive(Debug, Default)]
pub struct Met {
    names: Vec<(String, String)>,
    of: Vec<(String, String)>,
}

impl Met {
    /// A value at one of the two places.
    pub(super) fn add(&mut self, is_name: bool, star: &str, value: &[u8]) {
        let list = if is_name { &mut self.names } else { &mut self.of };
        if let Some(label) = form::label(value).filter(|_| list.len() < MOST) {
            list.push((star.to_owned(), label.to_owned()));
        }
    }

    /// The names of what uses an identifier, in the order of the file.
    pub(super) fn of(&self, identifier: &str) -> Vec<String> {
        let users = self.of.iter().filter(|(_, id)| id == identifier).map(|(star, _)| star);
        users.filter_map(|star| self.names.iter().find(|(s, _)| s == star)).map(|(_, name)| name.clone()).collect()
    }
}
