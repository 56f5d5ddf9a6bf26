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
    in_folder(text, account, None)
}

/// The same of a text that runs in a folder, where what says so is a whole path, or one below a home.
pub fn in_folder(text: &str, account: Option<&str>, folder: Option<&str>) -> Vec<Fact> {
    let plain = |folder: &&str| {
        let path = folder.starts_with(['/', '~']) && !folder.chars().any(|c| c.is_control() || c == '%' || c == '$');
        path && folder.len() <= LINE / 2
    };
    let folder = folder.filter(plain);
    let lines: String = text.lines().filter(|line| line.len() <= LINE).flat_map(|line| [line, "\n"]).collect();
    let named = shell::started_in(&lines, folder)
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
