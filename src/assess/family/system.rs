//! Packages of a system: what pacman, dpkg, rpm and apk install for the whole machine. Their scriptlets run as root while they are installed
//! and while they are removed; a recipe of the Arch User Repository runs while it is built, as whoever builds it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    super::{Account, Case, Finding, FindingKind, evidence::Draft, rule::Rule, unit_view::UnitCache},
    Family, Removal, Standing, Words,
};
use crate::{
    ecosystem::purl::Purl,
    fact::{Ecosystem, Fact, Package, Placement, ScriptOutcome, Seen, TreePath},
    ioc::{
        index::IncidentId,
        model::{Incident, Moment, PackageIndicator, Trigger},
    },
    text::escape,
    verdict::{Confidence, Exposure},
};

/// What is said where no other evidence shows whether code ran while it was built.
const BUILT: &str = "a recipe runs while the package is built, and no signature says that somebody else built it";
/// The same of what runs while it is installed.
const PRESUMED: &str = "its scriptlets run as root while it is installed, and it is installed";

/// The packages of one kind of system.
pub struct System(Ecosystem);

/// What pacman installs; of it, what was built from the Arch User Repository.
pub static PACMAN: System = System(Ecosystem::Aur);
/// What dpkg installs.
pub static DPKG: System = System(Ecosystem::Deb);
/// What rpm installs.
pub static RPM: System = System(Ecosystem::Rpm);
/// What apk installs.
pub static APK: System = System(Ecosystem::Apk);

impl System {
    fn program(&self) -> &'static str {
        match self.0 {
            Ecosystem::Aur => "pacman",
            Ecosystem::Deb => "dpkg",
            Ecosystem::Apk => "apk",
            _ => "rpm",
        }
    }
}

impl Family for System {
    fn ecosystem(&self) -> Ecosystem {
        self.0
    }

    fn loadable(&self, draft: &Draft<'_, '_>, _: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        let reason = format!("malicious version, which {} installed for the whole system; {runs}", self.program());
        let here = Standing { in_place: false, ..Standing::loadable(reason, by_itself) };
        let (rule, sign) = match () {
            () if indicator.triggers.contains(&Trigger::Build) => (Rule::BuildRan, BUILT),
            () if runs_at_install(indicator) => (Rule::InstallScriptPresumed, PRESUMED),
            () => return here,
        };
        Standing { rule, confidence: Confidence::Likely, sign: Some(sign.to_owned()), ..here }
    }

    fn left_over(&self, seen: &Seen, when: &str) -> String {
        match seen.origin.line {
            Some(_) => format!("a log of {} says that the malicious version was installed; {when}", self.program()),
            None => format!("the malicious version was removed, its settings are still there; {when}"),
        }
    }

    fn look_for_signs(&self, case: &Case<'_>, _: &UnitCache<'_>, findings: &mut Vec<Finding>) {
        let own = |f: &Finding| f.kind == FindingKind::Package && f.ecosystem == Some(self.0);
        if !findings.iter().any(own) {
            return;
        }
        let records = Records::new(case);
        let mut installed: HashSet<Key> = HashSet::new();
        let mut logged: HashMap<Key, (String, Finding)> = HashMap::new();
        for finding in findings.iter_mut().filter(|f| own(f) && f.exposure >= Exposure::Removed) {
            // Root owns the database; whoever uses the machine runs what is in it.
            if finding.account == Account::Uid(0) {
                finding.account = Account::All;
            }
            let Some(key) = key(finding) else {
                continue;
            };
            if is_logged(finding) {
                records.weigh_log(case, finding, &key);
                let said = format!("`{}`", escape(finding.origin.path.text().as_bytes()));
                let known = logged.entry(key).or_insert_with(|| (said.clone(), finding.clone()));
                if known.1.at <= finding.at {
                    *known = (said, finding.clone());
                }
            } else if finding.exposure >= Exposure::Installed {
                records.weigh(case, finding, &key);
                installed.insert(key);
            }
        }
        // One finding speaks for what stands there and for how it came there.
        findings.retain(|f| !own(f) || !is_logged(f) || key(f).is_none_or(|key| !installed.contains(&key)));
        for finding in findings.iter_mut().filter(|f| own(f) && f.exposure >= Exposure::Installed && !is_logged(f)) {
            let Some((log, entry)) = key(finding).and_then(|key| logged.get(&key)) else {
                continue;
            };
            finding.at = finding.at.take().or_else(|| entry.at.clone());
            let at = entry.at.as_ref().map(|at| format!(" at {}", at.time)).unwrap_or_default();
            finding.reason = format!("{}; {log} says that it was installed{at}", finding.reason);
        }
    }

    fn removal(&self) -> &'static Removal {
        match self.0 {
            Ecosystem::Aur => &Removal {
                start_nothing: Some(
                    "build and install nothing on this machine: no makepkg, no helper of the AUR, no pacman",
                ),
                programs: Some("makepkg, a helper of the AUR or pacman"),
                uninstaller: Some("pacman -R"),
                runs_by_itself: "its code has run, and runs again whenever the recipe is built",
                runs_on_use: "its code ran while it was built or installed, or runs as soon as somebody starts it",
                by_hand: "use no pacman for this: it runs the scriptlets of the package as root; keep the disk, start from other \
                          media, read what it brought in `files` beside its `desc`, and move that away or install the machine anew",
                unpacked: None,
            },
            Ecosystem::Deb => &Removal {
                start_nothing: None,
                programs: Some("dpkg or apt"),
                uninstaller: Some("apt-get remove or dpkg -r"),
                runs_by_itself: "it runs without anybody using it",
                runs_on_use: "it runs as soon as somebody starts it, or a program loads it",
                by_hand: "use no apt and no dpkg for this at first: they run the scriptlets of the package as root; start from other \
                          media, read in `/var/lib/dpkg/info` what it brought, and unpack a good version over it with \
                          `dpkg-deb --extract`, from a mirror that no longer has the bad one",
                unpacked: None,
            },
            Ecosystem::Apk => &Removal {
                start_nothing: None,
                programs: Some("apk"),
                uninstaller: Some("apk del"),
                runs_by_itself: "it runs without anybody using it",
                runs_on_use: "it runs as soon as somebody starts it, or a program loads it",
                by_hand: "use no apk for this at first: it runs the scripts of the package as root; of a container, build the image anew from a \
                          good base; else start from other media, and read in `apk/db/installed` what it brought",
                unpacked: None,
            },
            _ => &Removal {
                start_nothing: None,
                programs: Some("rpm, dnf or zypper"),
                uninstaller: Some("rpm -e or dnf remove"),
                runs_by_itself: "it runs without anybody using it",
                runs_on_use: "it runs as soon as somebody starts it, or a program loads it",
                by_hand: "use no rpm, dnf or zypper for this at first: they run the scriptlets of the package as root; start from \
                          other media, list what it brought with `rpm --root … -ql`, and unpack a good version over it with \
                          `rpm2cpio`, from a mirror that no longer has the bad one",
                unpacked: None,
            },
        }
    }

    fn words(&self) -> &'static Words {
        &Words {
            interpreter: "the system",
            at_start: "it runs whenever the system starts it",
            at_start_beside: "it runs whenever the system starts it",
            list: "its own list of files",
        }
    }

    /// No file of a database goes: it speaks of all packages. What is stored is the file itself.
    fn holdings(&self, seen: &Seen) -> Option<Vec<TreePath>> {
        let placement = match &seen.fact {
            Fact::Package(p) | Fact::Named(p) => p.placement,
            _ => return None,
        };
        matches!(placement, Placement::Loadable | Placement::Leftover).then(Vec::new)
    }

    /// The program of a package is mostly called like it.
    fn named_by_starts(&self, _: &Incident, finding: &Finding) -> Vec<String> {
        finding.package.as_deref().and_then(Purl::parse).map(|p| p.name.to_string()).into_iter().collect()
    }
}

/// The incident, the tree and the package with its version.
type Key = (IncidentId, Arc<str>, Box<str>, Box<str>);

fn key(finding: &Finding) -> Option<Key> {
    let package = finding.package.as_deref().and_then(Purl::parse)?;
    let version = package.version.as_deref()?.into();
    Some((finding.incident, finding.origin.tree.clone(), (*package.name).into(), version))
}

/// Whether a line of a log is all that speaks of it.
fn is_logged(finding: &Finding) -> bool {
    let was = matches!(finding.rule, Rule::PackageLeftOver | Rule::BuildRan | Rule::InstallScriptRan);
    finding.origin.line.is_some() && was
}

fn runs_at_install(indicator: &PackageIndicator) -> bool {
    indicator.triggers.iter().any(|t| t.moment() == Moment::AtInstall)
}

/// What is written down of the scripts of packages, by tree, name and version.
struct Records<'e>(HashMap<Named<'e>, Vec<(&'e Seen, ScriptOutcome)>>);

/// Tree, name and version.
type Named<'e> = (&'e Arc<str>, &'e str, &'e str);

impl<'e> Records<'e> {
    fn new(case: &'e Case<'_>) -> Self {
        let mut records: HashMap<_, Vec<_>> = HashMap::new();
        for seen in case.evidence.iter().map(|e| &e.seen) {
            if let Fact::InstallScript { name, version, outcome, .. } = &seen.fact {
                records.entry((&seen.origin.tree, &**name, &**version)).or_default().push((seen, *outcome));
            }
        }
        Self(records)
    }

    fn find(&self, key: &Key, outcome: ScriptOutcome, is: impl Fn(&Seen) -> bool) -> Option<&'e Seen> {
        let known = self.0.get(&(&key.1, &*key.2, &*key.3))?;
        known.iter().find(|(seen, o)| *o == outcome && is(seen)).map(|(seen, _)| *seen)
    }

    /// What stands there: a signature of a repository lifts the presumption of a build, output of a scriptlet confirms that it ran.
    fn weigh(&self, case: &Case<'_>, finding: &mut Finding, key: &Key) {
        let here = |seen: &Seen| seen.origin.path == finding.origin.path;
        if finding.rule == Rule::BuildRan && self.find(key, ScriptOutcome::Skipped, here).is_some() {
            let why =
                "a repository signed it: it was built elsewhere, from this recipe or from another one of that name";
            return finding.ran(
                Rule::InstallScriptBlocked,
                finding.confidence.min(Confidence::Possible),
                why.to_owned(),
            );
        }
        if finding.rule == Rule::InstallScriptPresumed
            && let Some(seen) = self.find(key, ScriptOutcome::Succeeded, |_| true)
        {
            let sure = ceiling(case, finding, key, Confidence::Confirmed, |_| true).unwrap_or(finding.confidence);
            finding.ran(Rule::InstallScriptRan, sure, wrote(seen));
        }
    }

    /// What only a log knows any more.
    fn weigh_log(&self, case: &Case<'_>, finding: &mut Finding, key: &Key) {
        let here = |seen: &Seen| seen.origin.path == finding.origin.path;
        let built = |t: &[Trigger]| t.contains(&Trigger::Build);
        if let Some(sure) = ceiling(case, finding, key, Confidence::Likely, built)
            && self.find(key, ScriptOutcome::Started, here).is_some()
        {
            let why = "it was installed from a file, as what was built on the machine is";
            return finding.ran(Rule::BuildRan, sure, why.to_owned());
        }
        let scripts = |t: &[Trigger]| t.iter().any(|t| t.moment() == Moment::AtInstall && *t != Trigger::Build);
        if let Some(sure) = ceiling(case, finding, key, Confidence::Confirmed, scripts)
            && let Some(seen) = self.find(key, ScriptOutcome::Succeeded, here)
        {
            finding.ran(Rule::InstallScriptRan, sure, wrote(seen));
        }
    }
}

fn wrote(seen: &Seen) -> String {
    format!("`{}` holds what its scriptlet wrote", escape(seen.origin.path.text().as_bytes()))
}

/// How sure a finding may be of what runs by these triggers; `None` where its indicator has none of them.
fn ceiling(
    case: &Case<'_>,
    finding: &Finding,
    key: &Key,
    up_to: Confidence,
    is: impl Fn(&[Trigger]) -> bool,
) -> Option<Confidence> {
    let incident = case.index.incident(finding.incident)?;
    let known = case.index.version(finding.ecosystem?, &key.2, &key.3);
    let own = known.into_iter().filter(|((of, _), p)| *of == finding.incident && is(&p.triggers));
    own.map(|(_, p)| incident.ceiling(&p.standing, &p.sources).min(up_to)).max()
}
