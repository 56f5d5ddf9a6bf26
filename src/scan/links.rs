//! Where places really lie that commands and units name: `docker run -v /srv/data:/x`, where `/srv/data` is a link to `/home`. Links are
//! resolved inside the tree; nothing is read.

use std::collections::BTreeSet;

use crate::{
    accounts::{Accounts, MOST},
    fact::{Command, Fact, Seen, TreePath},
    tree::host::Host,
};

/// The places of these facts that are links, or lie behind one, each with what it leads to.
pub fn of_commands(hosts: &[Host], seen: &[Seen], accounts: &Accounts) -> Vec<(TreePath, TreePath)> {
    let commands = seen.iter().filter_map(|s| match &s.fact {
        Fact::Command(command) | Fact::Starts(command) => Some((command, &s.origin.path)),
        _ => None,
    });
    let named = commands.flat_map(|(command, file)| places(command).filter_map(|place| accounts.named(place, file)));
    let places: BTreeSet<TreePath> = named.take(MOST).collect();
    let real = |place: TreePath| {
        let real = hosts.iter().find_map(|host| host.real_of_any(&place))?;
        (real != place).then_some((place, real))
    };
    places.into_iter().filter_map(real).collect()
}

/// What a command has of the machine, and where it runs.
fn places(command: &Command) -> impl Iterator<Item = &str> {
    let at = &command.whereabouts;
    let mounts = at.container.iter().flat_map(|c| &c.mounts);
    mounts.chain(&at.environment).chain(&at.folder).map(|place| &**place)
}
