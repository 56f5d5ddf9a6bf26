//! Ruby: a gem is loaded from a gem home, when something requires it; the native code of a gem is built while it is installed, by code
//! of its own.

use std::{collections::HashMap, sync::Arc};

use super::{
    super::{Case, Finding, FindingKind, evidence::Draft, rule::Rule, unit_view::UnitCache},
    Family, Removal, Standing, Words, at_install,
};
use crate::{
    ecosystem::{gem::package_of, purl::Purl},
    fact::{Ecosystem, Fact, Package, Placement, ScriptOutcome, Seen, TreePath},
    ioc::model::{Moment, PackageIndicator},
    text::escape,
    verdict::{Confidence, Exposure},
};

/// What is said where no other evidence shows whether code ran while it was installed.
const PRESUMED: &str = "code of a gem runs while it is installed, and it is installed";

/// A tree, a gem home in it, and name and version of a gem there.
type Gem<'s> = (&'s Arc<str>, &'s TreePath, &'s str, &'s str);

/// RubyGems, whatever installs them.
pub struct Ruby;

impl Family for Ruby {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Gem
    }

    fn loadable(&self, draft: &Draft<'_, '_>, _: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        let home = draft.seen().unit.as_ref().map(|u| format!(" in `/{}`", escape(u.root.as_bytes())));
        let reason = format!("malicious version, where Ruby loads it{}; {runs}", home.unwrap_or_default());
        Standing::loadable(reason, by_itself).or_at_install(indicator, at_install, PRESUMED)
    }

    fn look_for_signs(&self, case: &Case<'_>, _: &UnitCache<'_>, findings: &mut Vec<Finding>) {
        let mut built: HashMap<Gem<'_>, (&ScriptOutcome, &Seen)> = HashMap::new();
        for seen in case.evidence.iter().map(|e| &e.seen) {
            if let (Fact::InstallScript { name, version, outcome, .. }, Some(unit)) = (&seen.fact, &seen.unit)
                && matches!(outcome, ScriptOutcome::Started | ScriptOutcome::Succeeded | ScriptOutcome::Failed)
            {
                let known = built.entry((&seen.origin.tree, &unit.folder, name, version)).or_insert((outcome, seen));
                // What ended says more than what was started.
                if *outcome == ScriptOutcome::Succeeded && *known.0 != ScriptOutcome::Succeeded {
                    *known = (outcome, seen);
                }
            }
        }
        let here = |f: &&mut Finding| {
            let there = matches!(f.exposure, Exposure::Executed | Exposure::Cached);
            f.kind == FindingKind::Package && f.moment == Some(Moment::AtInstall) && there
        };
        for finding in findings.iter_mut().filter(|f| f.ecosystem == Some(Ecosystem::Gem)).filter(here) {
            let (Some(unit), Some(package)) = (&finding.unit, finding.package.as_deref().and_then(Purl::parse)) else {
                continue;
            };
            let version = package.version.as_deref().unwrap_or_default();
            if let Some((outcome, seen)) = built.get(&(&finding.origin.tree, &unit.folder, &*package.name, version)) {
                let said = match outcome {
                    ScriptOutcome::Succeeded => "its code was built",
                    ScriptOutcome::Failed => "what builds its code was run, and failed",
                    _ => "what builds its code was run",
                };
                let why = format!("`{}` says that {said}", escape(seen.origin.path.text().as_bytes()));
                finding.ran(Rule::InstallScriptRan, Confidence::Confirmed, why);
            }
        }
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: Some("start no Ruby and no tool written in it on this machine: no gem, no bundle, no rails"),
            programs: Some("Ruby, gem or bundle"),
            uninstaller: Some("gem uninstall"),
            runs_by_itself: "its code has run, and runs again with each install; whatever requires it runs its code",
            runs_on_use: "it runs as soon as something requires it",
            by_hand: "stop the services and jobs that use it; use no gem and no bundle for this (both load plug-ins from gems)",
            unpacked: None,
        }
    }

    fn words(&self) -> &'static Words {
        &Words {
            interpreter: "Ruby",
            at_start: "it runs whenever RubyGems loads its plug-ins",
            at_start_beside: "it runs whenever RubyGems loads its plug-ins",
            list: "its own list of files",
        }
    }

    fn publishes_with(&self) -> &'static [&'static str] {
        &["gem"]
    }

    /// The gemspec makes it loadable; its code lies beside it. What was built stands in a folder of its own.
    fn holdings(&self, seen: &Seen) -> Option<Vec<TreePath>> {
        let path = &seen.origin.path;
        let placement = match &seen.fact {
            Fact::Package(p) | Fact::Named(p) => p.placement,
            _ => Placement::Loadable,
        };
        match placement {
            Placement::Listed => return None,
            Placement::Cached => return Some(vec![path.clone()]),
            _ => {}
        }
        let home = &seen.unit.as_ref()?.folder;
        let path = if placement == Placement::Built { &path.parent() } else { path };
        let code = package_of(path).map(|(name, version)| home.join(format!("gems/{name}-{version}").as_bytes()));
        Some(code.into_iter().chain([path.clone()]).collect())
    }
}
