//! Ruby: a gem is loaded from a gem home, when something requires it; the native code of a gem is built while it is installed, by code
//! of its own.

use std::{collections::HashMap, sync::Arc};

use super::{
    super::{Case, Finding, FindingKind, evidence::Draft, rule::Rule, unit_view::UnitCache},
    Family, Removal, Standing, Words,
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
        let here = Standing::loadable(reason, by_itself);
        match indicator.triggers.iter().any(|t| t.moment() == Moment::AtInstall) {
            true => Standing {
                rule: Rule::InstallScriptPresumed,
                confidence: Confidence::Likely,
                sign: Some(PRESUMED.to_owned()),
                ..here
            },
            false => here,
        }
    }

    fn look_for_signs(&self, case: &Case<'_>, _: &UnitCache<'_>, findings: &mut Vec<Finding>) {
        let mut built: HashMap<(&Arc<str>, &TreePath, &str, &str), &Seen> = HashMap::new();
        for seen in case.evidence.iter().map(|e| &e.seen) {
            if let (Fact::InstallScript { name, version, outcome: ScriptOutcome::Succeeded, .. }, Some(unit)) =
                (&seen.fact, &seen.unit)
            {
                built.entry((&seen.origin.tree, &unit.folder, name, version)).or_insert(seen);
            }
        }
        let here = |f: &&mut Finding| f.kind == FindingKind::Package && f.exposure == Exposure::Executed;
        for finding in findings.iter_mut().filter(|f| f.ecosystem == Some(Ecosystem::Gem)).filter(here) {
            let (Some(unit), Some(package)) = (&finding.unit, finding.package.as_deref().and_then(Purl::parse)) else {
                continue;
            };
            let version = package.version.as_deref().unwrap_or_default();
            if let Some(seen) = built.get(&(&finding.origin.tree, &unit.folder, &*package.name, version)) {
                let why = format!("`{}` says that its code was built", escape(seen.origin.path.text().as_bytes()));
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

    /// The gemspec makes it loadable; its code lies beside it.
    fn holdings(&self, seen: &Seen) -> Option<Vec<TreePath>> {
        let path = &seen.origin.path;
        let home = &seen.unit.as_ref()?.folder;
        let code = package_of(path).map(|(name, version)| home.join(format!("gems/{name}-{version}").as_bytes()));
        Some(code.into_iter().chain([path.clone()]).collect())
    }
}
