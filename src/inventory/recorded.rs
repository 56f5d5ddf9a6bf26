//! What indicators of another day can be asked of an inventory that nobody recorded it for.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use super::v1;
use crate::{
    fact::{Ecosystem, TreePath},
    interest::Interest,
    tree,
};

/// What an inventory says of files that nobody opened.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Of whose units packages were recorded.
    pub ecosystems: BTreeSet<Ecosystem>,
    /// What starts by itself was read, for the texts that the indicators of the examination ask for.
    pub starts: bool,
    /// Something was read that is no package of a unit: texts, in which only the values of that day were looked for.
    pub texts: bool,
    /// Files whose names the indicators of today ask for, and that were not read.
    pub unread: Vec<UnreadFile>,
    /// Files that were read, and in which texts may be asked for today that nobody looked for then.
    pub opened: Vec<TreePath>,
    /// There are more of them.
    pub more_unread: bool,
    read: HashSet<TreePath>,
}

/// A file of which the name alone was recorded.
#[derive(Debug, Clone)]
pub struct UnreadFile {
    /// Where.
    pub path: TreePath,
    /// In bytes; `None` for a link.
    pub size: Option<u64>,
    /// Last change, UTC.
    pub changed: Option<Timestamp>,
}

/// Files of which the name alone was recorded, and that are kept.
const UNREAD: usize = 20_000;

impl Recorded {
    /// Takes note of a file that was read.
    pub(super) fn note(&mut self, read: &v1::Inspection, interest: &Interest) {
        self.ecosystems.extend(read.unit.iter().chain(&read.member_unit).map(|u| u.ecosystem));
        self.texts |= read.unit.is_none() && read.member_unit.is_none();
        self.starts |= read.facts.iter().any(|s| matches!(s.fact, v1::Fact::Autostart { .. }));
        if let Some(path) = read.file.path.read().filter(|p| interest.wants_path(p.as_bytes())) {
            if self.read.len() >= UNREAD {
                self.more_unread = true;
            } else if self.read.insert(path.clone()) && interest.wants_texts(path.name()) {
                self.opened.push(path);
            }
        }
    }

    /// Takes note of names; `None` where one is none.
    pub(super) fn names(&mut self, names: v1::Names, interest: &Interest) -> Option<()> {
        let folder = names.folder.read()?;
        for name in names.files {
            let tree::Listed { name, size, changed } = name.read()?;
            if !interest.wants_file(&name) {
                continue;
            }
            let path = folder.join(&name);
            if !interest.wants_path(path.as_bytes()) || size.is_some_and(|s| !interest.wants_size(&name, s)) {
                continue;
            }
            if self.unread.len() >= UNREAD {
                self.more_unread = true;
                break;
            }
            let changed = changed.and_then(|s| Timestamp::from_second(s).ok());
            self.unread.push(UnreadFile { path, size, changed });
        }
        Some(())
    }

    /// Takes note of a file that was recorded by its name, with its size where that is known.
    pub(super) fn name(&mut self, path: &[u8], size: Option<u64>, interest: &Interest) {
        let name = crate::fact::split(path).1;
        let wanted = interest.wants_file(name) && interest.wants_path(path);
        if !wanted || size.is_some_and(|s| !interest.wants_size(name, s)) {
            return;
        }
        if self.unread.len() >= UNREAD {
            self.more_unread = true;
        } else if let Some(path) = TreePath::new(path) {
            self.unread.push(UnreadFile { path, size, changed: None });
        }
    }

    /// Once all is read: which of the names belong to files that were opened after all.
    pub(super) fn remove_read(&mut self) {
        let read = std::mem::take(&mut self.read);
        self.unread.retain(|u| !read.contains(&u.path));
    }
}
