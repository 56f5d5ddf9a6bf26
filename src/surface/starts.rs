//! What starts a program of an environment without anybody typing it: lines of units, of tables and of scripts.

use crate::{
    fact::{CommandAction, Fact},
    shell,
};

/// A longer line starts nothing that is looked at.
const LINE: usize = 8 << 10;
/// Of one file.
const MOST: usize = 200;

/// The starts that a text for a shell makes of programs in environments that it names by a whole path, or below a home; as whom, where
/// the text does not say it.
pub fn in_text(text: &str, account: Option<&str>) -> Vec<Fact> {
    let lines: String = text.lines().filter(|line| line.len() <= LINE).flat_map(|line| [line, "\n"]).collect();
    let named = shell::started_programs(&lines)
        .into_iter()
        .filter(|c| c.whereabouts.environment.as_deref().is_some_and(|e| e.starts_with(['/', '~'])));
    let known = named.map(|mut command| {
        if command.whereabouts.account.is_none() {
            command.whereabouts.account = account.map(Into::into);
        }
        Fact::Starts(command)
    });
    known.take(MOST).collect()
}

/// Marks a start that only a link or a setting elsewhere would make.
pub fn only_where_enabled(fact: &mut Fact) {
    if let Fact::Starts(command) = fact {
        command.action = CommandAction::Run;
    }
}

/// Says in which folder a start is made, where the start does not say it itself.
pub fn in_folder(fact: &mut Fact, folder: &str) {
    let plain = folder.len() <= LINE / 2 && !folder.chars().any(|c| c.is_control() || c == '%' || c == '$');
    if let Fact::Starts(command) = fact
        && command.whereabouts.folder.is_none()
        && plain
        && folder.starts_with(['/', '~'])
    {
        command.whereabouts.folder = Some(folder.into());
    }
}
