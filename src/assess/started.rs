//! Start-up hooks whose environment was certainly or nearly certainly started while they stood there: an environment that a tool makes
//! only to run a program at once, later steps of an image's build that start the interpreter (another step is another process), and
//! what somebody started later by a path into the environment (an uninstall too: the installer is Python).

use std::collections::HashMap;

use super::{
    Case, Evidence, Finding, FindingKind, Steps,
    family::{self, Family},
    rule::Rule,
    typed::is_typed,
    used_by_name,
    whereabouts::folder,
};
use crate::{
    accounts::HistoryOf,
    ecosystem::purl::Purl,
    fact::{At, Command, CommandAction, Ecosystem, Fact, Origin, Seen, TreePath, Wanted},
    ioc::model::Incident,
    verdict::{Confidence, Exposure},
};

/// Commands of one image by step, in the order of its build.
type ByStep<'c> = Vec<(usize, &'c Command)>;

/// A tree and the folder of an environment in it.
type Prefix<'c> = (&'c str, TreePath);

/// Lifts such hooks, and versions whose hook is one.
pub fn look_for_starts(case: &Case<'_>, findings: &mut [Finding]) {
    look_for_removals(case, findings);
    let stands = |f: &Finding| {
        let here = matches!(f.kind, FindingKind::Package | FindingKind::File) && f.environment.is_some();
        let where_it_runs = matches!(f.exposure, Exposure::Installed | Exposure::Removed) && f.origin.inner.is_none();
        here && where_it_runs && (f.by_itself || !used_by_name::names(case, f).is_empty())
    };
    if !findings.iter().any(stands) {
        return;
    }
    let (mut commands, mut steps): (HashMap<&str, ByStep<'_>>, HashMap<&Origin, Steps>) = Default::default();
    // The last one, whatever it loads, and by what it names.
    let mut typed: HashMap<(Prefix<'_>, Option<String>), (&At, &Command)> = HashMap::new();
    for Evidence { seen, steps: of, .. } in &case.evidence {
        match (&seen.fact, of) {
            (Fact::Command(command), None) if command.action == CommandAction::Start => {
                if let Some((prefix, at)) = typed_start(case, seen, command) {
                    for loaded in command.loads.iter().map(|l| Some(l.to_string())).chain([None]) {
                        let place = (&*seen.origin.tree, prefix.clone());
                        let last = typed.entry((place, loaded)).or_insert((at, command));
                        *last = if last.0.time < at.time { (at, command) } else { *last };
                    }
                }
            }
            (Fact::Command(command), Some(of)) => {
                commands.entry(&seen.origin.tree).or_default().push((of.made, command));
            }
            (_, Some(of)) => {
                steps.insert(&seen.origin, *of);
            }
            _ => {}
        }
    }
    // The evidence is in the order of its place, where step 10 comes before step 2.
    commands.values_mut().for_each(|of| of.sort_by_key(|(step, _)| *step));
    for finding in findings.iter_mut().filter(|f| stands(f)) {
        let family = family::for_ecosystem(finding.ecosystem.unwrap_or(Ecosystem::Generic));
        let interpreter = family.words().interpreter;
        // Start-up code runs at any start; other code where what is started loads it.
        let used = if finding.by_itself { Vec::new() } else { used_by_name::names(case, finding) };
        let is_run_by =
            |c: &Command| finding.by_itself || c.loads.iter().any(|name| used.iter().any(|u| **u == **name));
        let what = if finding.by_itself { format!("which is {interpreter}") } else { "which loads it".to_owned() };
        let later = || {
            let commands = commands.get(&*finding.origin.tree)?;
            let incident = case.index.incident(finding.incident)?;
            let prefix = &finding.environment.as_ref()?.prefix;
            let (step, tool) = started_later(commands, *steps.get(&finding.origin)?, incident, prefix, &is_run_by)?;
            Some(format!("step {step} of the build started `{tool}`, {what}, with it in place"))
        };
        let by_hand = || {
            let prefix = finding.environment.as_ref()?.prefix.clone();
            let place = (&*finding.origin.tree, prefix);
            let last = |loaded: Option<String>| typed.get(&(place.clone(), loaded));
            let own = || used.iter().find_map(|name| last(Some(name.clone())));
            let found = if finding.by_itself { last(None) } else { own() };
            let (at, command) = found?;
            let there =
                finding.at.as_ref().filter(|there| there.time < at.time && finding.exposure == Exposure::Installed);
            there.map(|_| format!("somebody started its `{}`, {what}, at {}", command.tool, at.time))
        };
        let made = || made_to_run(finding, family).filter(|_| finding.by_itself);
        if let Some(sign) = made().or_else(later).or_else(by_hand) {
            let rule = if finding.by_itself { Rule::HookRan } else { Rule::ProgramStarted };
            finding.ran(rule, Confidence::Likely, sign);
        }
    }
}

/// Lifts commands that installed a version whose hook runs by itself, where the same installer took it out again later: it is a program
/// of the interpreter that reads the hook.
fn look_for_removals(case: &Case<'_>, findings: &mut [Finding]) {
    let typed = |f: &Finding| {
        let installed = f.kind == FindingKind::Command && f.exposure == Exposure::Removed && f.by_itself;
        installed && f.confidence >= Confidence::Likely && is_typed(f.surface)
    };
    if !findings.iter().any(typed) {
        return;
    }
    let commands = || {
        case.evidence.iter().map(|e| &e.seen).filter(|s| is_typed(s.surface)).filter_map(|s| match &s.fact {
            Fact::Command(c) => Some((s, c)),
            _ => None,
        })
    };
    let mut installs: HashMap<&Origin, Vec<&Command>> = HashMap::new();
    for (seen, c) in commands().filter(|(_, c)| c.action == CommandAction::Install) {
        installs.entry(&seen.origin).or_default().push(c);
    }
    let removals: Vec<(&Seen, &Command)> = commands().filter(|(_, c)| c.action == CommandAction::Uninstall).collect();
    for finding in findings.iter_mut().filter(|f| typed(f)) {
        let (Some(own), Some(at)) = (installs.get(&finding.origin), finding.at.as_ref().map(|at| at.time)) else {
            continue;
        };
        let name = finding.package.as_deref().and_then(Purl::parse).map(|p| p.name);
        let removal = removals.iter().find(|(seen, c)| {
            let later = seen.at.as_ref().is_some_and(|removed| removed.time > at);
            let here = seen.origin.tree == finding.origin.tree && seen.origin.path == finding.origin.path && later;
            let same = own.iter().any(|i| i.tool == c.tool && place_of(i) == place_of(c));
            let same = same && c.whereabouts.is_here();
            // A command's finding has no ecosystem of its own; the package that it names has.
            let inside = |w: &Wanted| family::for_ecosystem(w.ecosystem).runs_inside(&c.tool);
            here && same && c.wanted.iter().any(|w| Some(&*w.name) == name.as_deref() && inside(w))
        });
        if let Some((seen, c)) = removal {
            let when = seen.at.as_ref().map(|at| format!(" at {}", at.time)).unwrap_or_default();
            let sign = format!(
                "`{}` was asked to take it out again{when}, and is a program of the interpreter that it runs in",
                c.tool
            );
            finding.ran(Rule::HookRan, Confidence::Likely, sign);
        }
    }
}

/// As whom and in which environment a command ran.
fn place_of(c: &Command) -> (Option<&str>, Option<&str>) {
    (c.whereabouts.account.as_deref(), c.whereabouts.environment.as_deref())
}

/// The environment that somebody started by a path of its own, and when.
fn typed_start<'c>(case: &Case<'_>, seen: &'c Seen, command: &Command) -> Option<(TreePath, &'c At)> {
    let accounts = case.accounts.get(&seen.origin.tree);
    let own = accounts.is_none_or(|a| a.history_of(&seen.origin.path) == HistoryOf::Account);
    let here = own && is_typed(seen.surface) && command.whereabouts.is_here();
    let named = command.whereabouts.environment.as_deref().filter(|_| here)?;
    Some((folder(named, accounts, &seen.origin.path)?, seen.at.as_ref()?))
}

/// Of an environment that is made to be run at once.
fn made_to_run(finding: &Finding, family: &dyn Family) -> Option<String> {
    let kind = &finding.environment.as_ref().filter(|_| finding.exposure == Exposure::Installed)?.kind;
    family.made_to_run(kind).map(str::to_owned)
}

/// The step and the program of a start in a step after the one that brought the hook, or in that one behind the command that brought it,
/// and not after the one that took it out.
fn started_later<'c>(
    commands: &ByStep<'c>,
    steps: Steps,
    incident: &Incident,
    prefix: &TreePath,
    is_run_by: &dyn Fn(&Command) -> bool,
) -> Option<(usize, &'c str)> {
    let names = |c: &Command| {
        c.wanted.iter().any(|w| incident.packages.iter().any(|p| p.ecosystem == w.ecosystem && p.name == *w.name))
    };
    let of_step = |step: usize| {
        let from = commands.partition_point(|(s, _)| *s < step);
        let to = commands.partition_point(|(s, _)| *s <= step);
        commands.get(from..to).unwrap_or_default()
    };
    let brought = of_step(steps.made).iter().rposition(|(_, c)| c.action == CommandAction::Install && names(c));
    let same = brought.and_then(|at| of_step(steps.made).get(at + 1..)).unwrap_or_default();
    let last = steps.gone.unwrap_or(usize::MAX);
    let from = commands.partition_point(|(s, _)| *s <= steps.made);
    let to = commands.partition_point(|(s, _)| *s < last);
    let between = commands.get(from..to).unwrap_or_default();
    let taken_out = if steps.gone.is_some() { of_step(last) } else { &[] };
    // What took it out by the installer started with it in place; what deleted the files may have started nothing before.
    let by = taken_out.iter().position(|(_, c)| c.action == CommandAction::Uninstall && names(c));
    let removing = by.and_then(|at| taken_out.get(..at)).unwrap_or_default();
    let starts = |c: &Command| {
        c.action == CommandAction::Start
            && is_run_by(c)
            && c.whereabouts.is_here()
            && is_of(c.whereabouts.environment.as_deref(), prefix)
    };
    let (step, command) = [same, between, removing].into_iter().flatten().find(|(_, c)| starts(c))?;
    Some((*step, &*command.tool))
}

/// Whether a start may be of this environment: only another absolute path says that it is not.
fn is_of(environment: Option<&str>, prefix: &TreePath) -> bool {
    environment.filter(|e| e.starts_with('/')).is_none_or(|e| TreePath::new(e.as_bytes()).as_ref() == Some(prefix))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::{
        assess::assess,
        credential::Catalog,
        ecosystem::pypi::unit_around,
        ecosystem::pypi::{EPHEMERAL, PIPX, UV_TOOL},
        fact::{EnvironmentKind, HookContent, HookKind},
        ioc::{Database, Index},
        shell::{from_image_history, typed_commands},
    };

    const HOOK: &str = "home/al/v/lib/python3.11/site-packages/litellm_init.pth";
    const CAME: i64 = 1_774_350_000;

    fn seen(path: &str, surface: &'static str, at: i64, fact: Fact) -> Seen {
        let tree: Arc<str> = "host".into();
        let path = TreePath::new(path.as_bytes()).unwrap();
        let unit = Some(Arc::new(unit_around(&path, false)));
        let (origin, at) = (Origin::file(&tree, path), At::unix(at, "time"));
        Seen { surface, origin, at, uid: Some(1000), gid: None, mode: None, unit, fact }
    }

    fn hook() -> Seen {
        let sha256 = Some("0".repeat(64));
        let fact = Fact::Hook { kind: HookKind::Pth, content: HookContent::Runs, sha256, size: 9, odd: Vec::new() };
        seen(HOOK, "python/hook", CAME, fact)
    }

    /// What becomes of the hook.
    fn judged(evidence: Vec<Evidence>) -> (Exposure, String) {
        let index = Index::new(Database::embedded().unwrap(), &[]);
        let catalog = Catalog { kinds: Vec::new() };
        let found = assess(Case { index: &index, catalog: &catalog, evidence, accounts: BTreeMap::new() }).findings;
        let hook = found.into_iter().find(|f| f.origin.path.text() == format!("/{HOOK}")).unwrap();
        (hook.exposure, hook.reason)
    }

    /// With what somebody typed so many seconds after the hook came.
    fn typed(text: &str, seconds: i64) -> Exposure {
        let commands = typed_commands(text).into_iter();
        let line = |c| seen("home/al/.zsh_history", "history/zsh", CAME + seconds, Fact::Command(c)).into();
        judged(std::iter::once(hook().into()).chain(commands.map(line)).collect()).0
    }

    #[test]
    fn a_later_start_that_somebody_typed() {
        for text in [
            "~/v/bin/python app.py",
            "/home/al/v/bin/pip uninstall -y litellm",
            ". ~/v/bin/activate; pytest",
            "cd x && $HOME/v/bin/python3 -m app",
        ] {
            assert_eq!(typed(text, 60), Exposure::Executed, "{text}");
            assert_eq!(typed(text, -60), Exposure::Installed, "{text}");
        }
        for text in [
            "python app.py",
            "~/w/bin/python app.py",
            "v/bin/python app.py",
            "~/v/bin/python -S app.py",
            "~/v/bin/python --version",
            "ssh build1 /home/al/v/bin/python app.py",
            "docker run img /home/al/v/bin/python app.py",
            "cat ~/v/bin/python",
            "uv pip uninstall --python ~/v litellm",
        ] {
            assert_eq!(typed(text, 60), Exposure::Installed, "{text}");
        }
    }

    /// With the steps of a build; the first made the hook's layer, and the step `gone` took it out.
    fn built(steps: &[&str], gone: Option<usize>) -> Exposure {
        let of = |made, gone| Some(Steps { made, gone });
        let taken = gone.map(|_| crate::assess::Gone { step: None });
        let mut evidence = vec![Evidence { steps: of(1, gone), gone: taken, ..hook().into() }];
        for (n, step) in steps.iter().enumerate() {
            for command in from_image_history(step) {
                let line = seen("", "image/history", CAME, Fact::Command(command));
                evidence.push(Evidence { steps: of(n + 1, None), ..line.into() });
            }
        }
        judged(evidence).0
    }

    #[test]
    fn a_later_step_of_a_build() {
        let install = "RUN pip install litellm==1.82.8";
        assert_eq!(built(&[install, "RUN python x.py"], None), Exposure::Executed);
        assert_eq!(built(&[install, "RUN pip install -r y"], None), Exposure::Executed);
        assert_eq!(built(&["RUN pip install litellm==1.82.8 && python x.py"], None), Exposure::Executed);
        assert_eq!(built(&[install, "RUN pip uninstall -y litellm"], Some(2)), Exposure::Executed);
        // Step 10 comes behind step 2.
        let mut ten = vec![install; 1];
        ten.extend(["RUN true"; 8]);
        ten.push("RUN python x.py");
        assert_eq!(built(&ten, None), Exposure::Executed);
        for steps in [&[install][..], &[install, "RUN apt-get update"], &[install, "RUN /srv/w/bin/python x.py"]] {
            assert_eq!(built(steps, None), Exposure::Installed, "{steps:?}");
        }
        // What came before it, and after it was taken out.
        assert_eq!(built(&["RUN python x.py && pip install litellm==1.82.8"], None), Exposure::Installed);
        assert_eq!(built(&[install, "RUN rm -rf /v", "RUN python x.py"], Some(2)), Exposure::Removed);
        assert_eq!(built(&[install, "RUN uv pip uninstall litellm"], Some(2)), Exposure::Removed);
    }

    #[test]
    fn a_start_of_what_runs_when_it_is_used() {
        let site = "home/al/v/lib/python3.11/site-packages/litellm-1.82.7.dist-info";
        let package = || {
            seen(
                &format!("{site}/METADATA"),
                "python/dist-info",
                CAME,
                Fact::Package(crate::fact::Package {
                    ecosystem: Ecosystem::Pypi,
                    name: "litellm".into(),
                    version: "1.82.7".into(),
                    placement: crate::fact::Placement::Loadable,
                    artifacts: Vec::new(),
                    requires: [].into(),
                }),
            )
        };
        let installer = || {
            let fact = Fact::Installer { name: "pip".into() };
            seen(&format!("{site}/INSTALLER"), "python/dist-info", CAME, fact)
        };
        let judged = |evidence: Vec<Evidence>| {
            let (index, catalog) = (Index::new(Database::embedded().unwrap(), &[]), Catalog { kinds: Vec::new() });
            let found = assess(Case { index: &index, catalog: &catalog, evidence, accounts: BTreeMap::new() }).findings;
            let package = found.into_iter().find(|f| f.kind == FindingKind::Package).unwrap();
            (package.exposure, package.rule.code())
        };
        let typed = |text: &str, seconds: i64| {
            let line =
                |c| Evidence::from(seen("home/al/.zsh_history", "history/zsh", CAME + seconds, Fact::Command(c)));
            let lines = typed_commands(text).into_iter().map(line);
            judged([package().into(), installer().into()].into_iter().chain(lines).collect())
        };
        for text in
            ["~/v/bin/litellm --config x", ". ~/v/bin/activate; python -m litellm", "~/v/bin/python ~/v/bin/litellm"]
        {
            assert_eq!(typed(text, 60), (Exposure::Executed, "program-started"), "{text}");
            assert_eq!(typed(text, -60).0, Exposure::Installed, "{text}");
        }
        for text in
            ["~/v/bin/python app.py", "~/w/bin/litellm", "litellm --config x", "ssh build1 /home/al/v/bin/litellm"]
        {
            assert_eq!(typed(text, 60).0, Exposure::Installed, "{text}");
        }
        let built = |step: &str| {
            let of = |made| Some(Steps { made, gone: None });
            let mut evidence =
                vec![Evidence { steps: of(1), ..package().into() }, Evidence { steps: of(1), ..installer().into() }];
            let line = |c| Evidence { steps: of(2), ..seen("", "image/history", CAME, Fact::Command(c)).into() };
            evidence.extend(from_image_history(step).into_iter().map(line));
            judged(evidence)
        };
        assert_eq!(built("RUN litellm --config x --test"), (Exposure::Executed, "program-started"));
        assert_eq!(built("RUN python app.py").0, Exposure::Installed);
    }

    #[test]
    fn what_was_installed_and_taken_out_again() {
        let exposure = |lines: &[(&str, i64)]| {
            let index = Index::new(Database::embedded().unwrap(), &[]);
            let catalog = Catalog { kinds: Vec::new() };
            let line = |(n, (text, seconds)): (usize, &(&str, i64))| {
                let command = typed_commands(text).remove(0);
                let mut seen = seen("home/al/.zsh_history", "history/zsh", CAME + seconds, Fact::Command(command));
                seen.origin.line = u32::try_from(n).ok();
                Evidence::from(seen)
            };
            let evidence = lines.iter().enumerate().map(line).collect();
            assess(Case { index: &index, catalog: &catalog, evidence, accounts: BTreeMap::new() }).exposure().unwrap()
        };
        let install = ("pip install litellm==1.82.8", 0);
        for removal in ["pip uninstall -y litellm", "python -m pip uninstall litellm"] {
            assert_eq!(exposure(&[install, (removal, 60)]), Exposure::Executed, "{removal}");
            assert_eq!(exposure(&[install, (removal, -60)]), Exposure::Removed, "{removal}");
        }
        for other in [
            "uv pip uninstall litellm",
            "pip uninstall requests",
            "~/v/bin/pip uninstall litellm",
            "ssh build1 pip uninstall litellm",
            "docker exec c pip uninstall litellm",
        ] {
            assert_eq!(exposure(&[install, (other, 60)]), Exposure::Removed, "{other}");
        }
        // Its code runs when it is imported only.
        let on_import = ("pip install litellm==1.82.7", 0);
        assert_eq!(exposure(&[on_import, ("pip uninstall litellm", 60)]), Exposure::Removed);
    }

    #[test]
    fn environments_that_are_made_to_be_run_at_once() {
        let made = |kind| {
            let prefix = TreePath::new(b"home/al/v").unwrap();
            let fact = Fact::Environment { prefix, kind, asked: Vec::new() };
            judged(vec![hook().into(), seen("home/al/v/pyvenv.cfg", "python/environment", CAME, fact).into()]).0
        };
        assert_eq!(made(EPHEMERAL), Exposure::Executed);
        assert_eq!(made(PIPX), Exposure::Executed);
        assert_eq!(made(EnvironmentKind::VENV), Exposure::Installed);
        assert_eq!(made(UV_TOOL), Exposure::Installed);
    }
}
