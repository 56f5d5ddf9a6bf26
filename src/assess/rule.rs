//! Why something is a finding, as a value: each rule is declared once, with the exposure that it stands for. Reports, filters and
//! `docs/rules.md` are made from these rows.

use std::fmt::Write as _;

use crate::verdict::{Confidence, Exposure};

/// What is known of a rule.
struct Row {
    code: &'static str,
    exposure: Exposure,
    up_to: Confidence,
    meaning: &'static str,
    act: &'static str,
}

macro_rules! rules {
    ($($name:ident $code:literal $exposure:ident $up_to:ident $meaning:literal $act:literal)*) => {
        /// The rule by which something is a finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule {
            $(#[doc = $meaning] $name,)*
        }

        const ALL: &[Rule] = &[$(Rule::$name,)*];

        impl Rule {
            fn row(self) -> &'static Row {
                match self {
                    $(Self::$name => const {
                        &Row {
                            code: $code,
                            exposure: Exposure::$exposure,
                            up_to: Confidence::$up_to,
                            meaning: $meaning,
                            act: $act,
                        }
                    },)*
                }
            }
        }
    };
}

rules! {
    TraceFile "trace-file" Executed Confirmed
        "a file that the payload leaves when it runs"
        "keep it as evidence; replace every secret that the account could read"
    PersistenceFile "persistence-file" Executed Confirmed
        "a file by which the payload starts again, at a boot, a login or by a timer"
        "stop it and move it to the evidence before any token is revoked"
    TraceByName "trace-by-name" Executed Possible
        "a file where the payload leaves one, under a name that others use too"
        "look at the file: nothing but its name speaks for it"
    StartsPayload "starts-payload" Executed Likely
        "something that starts by itself holds the command line of the payload"
        "stop it and move it to the evidence before any token is revoked"
    ProcessRunning "process-running" Executed Confirmed
        "the payload is running now"
        "keep its memory where that can be done, then end it"
    InstallScriptRan "install-script-ran" Executed Confirmed
        "a record of the installer says that the package's script was started, or ended"
        "take the package out; replace every secret that the account could read"
    InstallScriptPresumed "install-script-presumed" Executed Likely
        "the package stands where installers put it once its scripts have run, and nothing says that they were blocked"
        "take the package out; treat its script as run unless a setting or a log shows otherwise"
    PackageRewritten "package-rewritten" Executed Likely
        "an installer recorded the malicious version, and the package's own file says another one now"
        "take the package out; it rewrote itself after it ran"
    BuildRan "package-build-ran" Executed Likely
        "the source of a malicious version was built here, which runs its code"
        "replace every secret that the account could read, and take the built copy out"
    ModuleImported "module-imported" Executed Likely
        "bytecode of a malicious module that no installer made: it was imported"
        "take the package out; replace every secret that the account could read"
    HookRan "hook-ran" Executed Likely
        "a start-up hook stood there, and its interpreter was started while it did"
        "take the hook and its package out; replace every secret that the account could read"
    ProgramStarted "program-started" Executed Likely
        "a program of the malicious package is started by what starts by itself, or was started, while it stood there"
        "stop what starts it; take the package out; replace every secret that the account could read"
    ActionFetched "action-fetched" Executed Likely
        "a runner of CI fetched the malicious action, which it does right before it runs it"
        "take the runner out of use; replace every secret that its jobs could read"
    ActionResolved "action-resolved" Executed Confirmed
        "a log of CI says that the runner resolved the action to the malicious commit and fetched it, which it runs right after that"
        "replace every secret that this job could read; empty the caches that it could write"
    LoggedRun "logged-run" Executed Confirmed
        "a log of CI says that a script of the malicious version, or a container of the malicious image, was started"
        "replace every secret that this job could read; empty the caches that it could write"
    LoggedInstall "logged-install" Executed Likely
        "a log of CI says that the malicious version was installed, whose code runs then, or when what loads it starts"
        "replace every secret that this job could read; empty the caches that it could write"
    FetchedAndRun "fetched-and-run" Executed Likely
        "a command fetched something from an address of the attacker and gave it to a shell or an interpreter"
        "find out what ran; replace every secret that the account could read"
    StartsWithTrace "starts-with-trace" Executed Likely
        "something that starts by itself holds a text of the payload, or fetches from an address of the attacker"
        "stop it and move it to the evidence before any token is revoked"
    PackageLoadable "package-loadable" Installed Confirmed
        "the malicious version stands where code is loaded from"
        "start nothing that loads it; take it out by moving its files away"
    PackageLoadableByName "package-loadable-by-name" Installed Likely
        "the name of a folder or file says the malicious version where code is loaded from, and nothing readable confirms it"
        "look at the files: what describes the package cannot be read, is missing or says something else"
    CommitInstalled "commit-installed" Installed Confirmed
        "an installer wrote down that it took a package from a malicious commit"
        "take the package out, and from its registry again; its code ran while it was installed"
    InstallScriptBlocked "install-script-blocked" Installed Likely
        "the malicious version is installed, and a setting or a record says that its script was not run"
        "take the package out before anything runs its script or loads it"
    PackageStated "package-stated" Installed Likely
        "a bill of materials of another tool says that the malicious version is installed, or does not say where it stood"
        "examine the machine or the image that it describes: nothing in it shows what ran"
    HookLoadable "hook-loadable" Installed Confirmed
        "a start-up hook of the incident stands where it runs"
        "start no interpreter there; move it to the evidence"
    PayloadFile "payload-file" Installed Confirmed
        "a file of the malicious package that carries the payload"
        "take the package out by moving its files away"
    PlantedFile "planted-file" Installed Confirmed
        "a file that the incident puts into repositories; it does not show that anything ran here"
        "open the folder with no editor and no agent; take out what is not yours"
    StartsInProject "starts-in-project" Installed Likely
        "something that starts once its project is opened, trusted or used holds a text or a command line of the payload, or fetches from an address of the attacker; it does not show that it ran"
        "open the folder with no editor and no agent; take out what is not yours"
    ImageByDigest "image-by-digest" Installed Confirmed
        "the malicious image, by digest"
        "stop its containers, remove it, build from a good base"
    ImageByTag "image-by-tag" Installed Likely
        "a tag that named the malicious image; the digest is another one"
        "compare what the image was built from; build it again"
    ImageByMovingTag "image-by-moving-tag" Installed Possible
        "a moving tag, used while it named the malicious image"
        "compare what the image was built from; build it again"
    CommitTyped "commit-typed" Removed Likely
        "a command took a package from a malicious commit"
        "find out when it ran, and what it installed; its code runs while it is installed"
    PackageLeftOver "package-left-over" Removed Likely
        "leftovers of the malicious version: it was there and is removed"
        "find out when it stood there and what ran; move the leftovers to the evidence"
    PackageGone "package-gone" Removed Likely
        "an installer recorded the malicious version, and the package is not there any more"
        "find out when it stood there and what ran"
    HookDisabled "hook-disabled" Removed Likely
        "a start-up hook that somebody emptied or renamed: it ran until then"
        "move it to the evidence; find out what ran before"
    HookMissing "hook-missing" Removed Likely
        "a start-up hook that the list of its package names and that is gone: it ran until then"
        "find out who took it out, and what ran before"
    InLowerLayer "in-lower-layer" Removed Likely
        "it stood in a layer of the image, and a later layer takes it out"
        "the layer still has it: build the image again and remove the old one"
    ImageTaken "image-taken" Removed Likely
        "a command that was typed pulled or ran the malicious image"
        "look for the image in the stores of the engines: `dosimeter images`; take what the container had mounted as read"
    LoggedInstallUnused "logged-install-unused" Removed Likely
        "a log of CI says that the malicious version was installed, whose code runs when it is used, or whose scripts were not run"
        "find out whether the job used it; replace every secret that it could read"
    InstallCommandPinned "install-command-pinned" Removed Likely
        "a command asked for the malicious version"
        "find out where it was installed; replace what that account could read"
    InstallCommandInWindow "install-command-in-window" Removed Possible
        "a command without a version, run while the malicious one was the one to get"
        "find out which version it took: a lock file or an environment of that time says it"
    InstallFromList "install-from-list" Removed Likely
        "a command installed what a list says that names the malicious version, or a package that needs it"
        "find out which version it took: the list as it was then, or an environment of that time says it"
    PackageStored "package-stored" Cached Confirmed
        "the malicious version is stored here; it did not run from here"
        "take the stored copy out before anything is built from it"
    PackageStoredByName "package-stored-by-name" Cached Likely
        "a stored file is called like the malicious version, and nothing readable in it confirms that"
        "take the stored copy out, or compare its digest"
    PackageBuilt "package-built" Cached Confirmed
        "a package of the malicious version, built on this machine"
        "take the built copy out before anything is installed from it"
    PackageUnpacked "package-unpacked" Cached Confirmed
        "the malicious version, unpacked where nothing loads it"
        "keep it out of every environment; move it to the evidence unless somebody studies it"
    ArtifactStored "artifact-stored" Cached Confirmed
        "the bytes of a malicious file, by a hash, under whatever name"
        "take the stored copy out"
    FileStored "file-stored" Cached Confirmed
        "a file of the incident, by its bytes or its name, where nothing loads it"
        "take it out; find out how it came there"
    DownloadCommand "download-command" Cached Likely
        "a command downloaded the malicious version"
        "find the download and take it out"
    LoggedDownload "logged-download" Cached Likely
        "a log of CI says that the malicious version was downloaded, and not that it was installed"
        "empty the caches of that job; find out what was done with it"
    FetchCommand "fetch-command" Cached Likely
        "a command fetched something from an address of the attacker"
        "find what it fetched and take it out; find out whether it ran"
    ActionNamed "action-named" Referenced Confirmed
        "a workflow or an action uses the malicious action, by a commit, or by a tag that named nothing else"
        "write a commit known to be good; replace the secrets of every job that ran with it"
    ActionByMovedTag "action-by-moved-tag" Referenced Likely
        "a workflow or an action uses a tag that was moved to malicious code for a time"
        "read the logs of its runs in that time; replace the secrets of each job that took the malicious commit"
    ImageNamed "image-named" Referenced Confirmed
        "a file names the malicious image, by digest, or by a tag that named nothing else"
        "write a good image instead; find out which machines ran what the file names"
    ImageNamedByMovingTag "image-named-by-moving-tag" Referenced Possible
        "a file names a moving tag, and is so old that it named it while the tag was the malicious image"
        "find out which machines fetched that tag then"
    GitTrace "git-trace" Referenced Confirmed
        "a repository holds a commit, a branch, a remote or a message of the incident, which travels with a clone"
        "find out how it came there, and what ran from it; replace the tokens that could push there"
    CommitTaken "commit-taken" Referenced Confirmed
        "a manifest or a lock file takes a package from a malicious commit"
        "take the package from its registry again, and make the lock files anew; find out which machines installed from the file"
    TraceNamed "trace-named" Referenced Likely
        "a file names an address of the attacker, or holds a text of the payload"
        "find out who wrote it there, and what ran from it"
    TraceStored "trace-stored" Referenced Possible
        "a file holds an address of the attacker or a text of the payload, for whatever use: found by --deep"
        "look at the file: the payload, what it left, or somebody's notes about the incident"
    PackageNamed "package-named" Referenced Confirmed
        "a file names the malicious version: what is installed from it takes it"
        "write a good version instead, and make the lock files anew"
    PackageNamedUnreadable "package-named-unreadable" Referenced Likely
        "text in a file that cannot be read as what it should be names the malicious version"
        "look at the file; write a good version instead"
    PackageConsidered "package-considered" Referenced Confirmed
        "a resolver looked at the malicious version while it chose one; this alone does not show a download"
        "see which version it chose: the lock file or the environment says it"
    PackageInSums "package-in-checksums" Referenced Likely
        "a list of checksums holds the malicious version: somebody who works on the project fetched it, now or earlier"
        "see which version a build takes; write a good version instead, and make the list anew"
    PackageStatedListed "package-stated-listed" Referenced Likely
        "a bill of materials of another tool says that a lock file or a manifest names the malicious version"
        "write a good version instead, and examine the machines that install from it"
    ArtifactNamed "artifact-named" Referenced Confirmed
        "a file names a hash of a malicious file"
        "write a good version instead, and make the lock files anew"
    LoggedResolve "logged-resolve" Referenced Likely
        "a log of CI says that the malicious version was asked for or chosen, and not that it was downloaded"
        "see what the rest of the log says; write a good version instead"
    ResolveCommand "resolve-command" Referenced Likely
        "a command chose the malicious version, which installs nothing"
        "see the lock file that it wrote"
    CommandSetUp "command-set-up" Referenced Likely
        "settings of an editor or an agent start the malicious version"
        "take it out of the settings; look for the package in the caches that hold what was started"
    CommandInCopy "command-in-copy" Referenced Likely
        "a history that is no account's own holds a command for the malicious version"
        "find out on which machine it was typed"
    HostNamed "host-named" Referenced Likely
        "a file names a host of the attacker"
        "a block list is harmless; find out why any other file names it"
}

impl Rule {
    /// All, worst exposure first.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().copied()
    }

    /// Kebab case, stable: `package-loadable`.
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// How far what it finds got.
    pub fn exposure(self) -> Exposure {
        self.row().exposure
    }

    /// The most that it is sure of. Less where the indicator, the bytes or the place leave a doubt.
    pub fn up_to(self) -> Confidence {
        self.row().up_to
    }

    /// What it means, in one line.
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// What to do about it, in one line.
    pub fn act(self) -> &'static str {
        self.row().act
    }

    /// The same evidence where only a name speaks for it.
    pub fn by_name(self) -> Self {
        match self {
            Self::PackageLoadable => Self::PackageLoadableByName,
            Self::PackageStored | Self::PackageBuilt | Self::PackageUnpacked => Self::PackageStoredByName,
            Self::PackageNamed | Self::PackageConsidered | Self::PackageInSums => Self::PackageNamedUnreadable,
            other => other,
        }
    }
}

/// `docs/rules.md`, whole.
pub fn document() -> String {
    let mut text = String::from(
        "# Rules\n\n\
         Every finding has one `rule`: the stable code of why it is a finding. A code is never given another meaning; new ones may come.\n\
         `dosimeter rules --format markdown` writes this file, and a test compares the two.\n\n\
         Confidence is the most that a rule is sure of. A finding has less where the indicator's sources, its bytes or its place leave a doubt.\n\n\
         | rule | exposure | confidence up to | meaning | what to do |\n| --- | --- | --- | --- | --- |\n",
    );
    for rule in Rule::all() {
        let (exposure, sure) = (rule.exposure().as_str(), rule.up_to().as_str());
        let _ = writeln!(text, "| `{}` | {exposure} | {sure} | {} | {} |", rule.code(), rule.meaning(), rule.act());
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_kebab_case_and_given_once() {
        let mut codes = BTreeSet::new();
        for rule in Rule::all() {
            let code = rule.code();
            assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && codes.insert(code), "{code}");
            for words in [rule.meaning(), rule.act()] {
                assert!(!words.is_empty() && !words.ends_with('.') && !words.contains('|'), "{code}: {words}");
            }
        }
    }

    #[test]
    fn the_worst_comes_first_and_a_name_alone_is_never_sure() {
        let exposures: Vec<Exposure> = Rule::all().map(Rule::exposure).collect();
        assert!(exposures.is_sorted_by(|a, b| a >= b), "{exposures:?}");
        for rule in Rule::all().filter(|r| r.by_name() != *r) {
            let named = rule.by_name();
            assert_eq!((named.exposure(), named.up_to()), (rule.exposure(), Confidence::Likely), "{}", rule.code());
        }
    }
}
