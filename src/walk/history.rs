//! Histories that the kinds of credential list and no surface reads: what somebody typed there is not known, which is a gap unless the
//! text names no package that an indicator knows in an install command, and nothing else that could match.

use super::{Inspector, Worth, weigh::Weighed};
use crate::{
    coverage::{Gap, GapKind, WALK, Weight},
    fact::{Fact, Origin, Seen},
    shell::install_commands,
    surface::{Subject, Surface},
    tree::{Body, Entry},
};

/// The kind of credential that lists histories.
const KIND: &str = "os.shell_history";

/// A longer line is no command.
const LINE: usize = 64 << 10;

/// Whether a fact says that its file is a history.
pub(super) fn is_listed(seen: &Seen) -> bool {
    matches!(&seen.fact, Fact::Credential(c) if &*c.kind == KIND)
}

/// Whether a surface reads histories.
pub(super) fn reads(surface: &dyn Surface) -> bool {
    surface.subject() == Subject::ShellHistory
}

impl Inspector<'_> {
    /// Reports a history that no surface reads.
    pub(super) fn unread_history(&self, entry: &Entry, body: &mut Body<'_>, weighed: &mut Weighed) {
        let detail = "listed as a history among the credentials, not read as one".to_owned();
        let origin = self.origin(&entry.path);
        let weight = match self.weight(entry, body, weighed) {
            Weight::Nothing if self.installs_known(&origin, body) => Weight::Names,
            weight => weight,
        };
        let gap = Gap { origin, surface: WALK, kind: GapKind::Unsupported, detail };
        self.weighed(gap, weight, false);
    }

    /// Whether a line installs a package that an indicator knows, in whatever version: in a history that is enough.
    fn installs_known(&self, origin: &Origin, body: &mut Body<'_>) -> bool {
        let Some(text) = self.text_of(body) else {
            return true;
        };
        let text = String::from_utf8_lossy(&text);
        text.lines().filter(|line| line.len() <= LINE).flat_map(install_commands).any(|command| {
            let fact = Fact::Command(command);
            let seen = Seen {
                surface: WALK,
                origin: origin.clone(),
                at: None,
                uid: None,
                gid: None,
                mode: None,
                unit: None,
                fact,
            };
            (self.keep)(&seen) != Worth::Nothing
        })
    }
}
