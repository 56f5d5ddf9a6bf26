//! What a command without a version took: the version that its own environment, or its layer of an image, shows.
//!
//! An environment that the command names answers with what it holds, unless that was put there later. Of a command that names
//! none, the environment answers in which its installer put the package within minutes, with no other such command in between.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::{Case, Finding, FindingKind, Moment, typed::is_typed, whereabouts::folder};
use crate::{
    accounts::Accounts,
    ecosystem::purl::Purl,
    fact::{At, Command, CommandAction, Ecosystem, Fact, Origin, Placement, Seen, TreePath},
    ioc::index::IncidentId,
    text::escape,
};

/// How long an install may take until the package stands there.
const INSTALL: SignedDuration = SignedDuration::from_mins(10);
/// How far the history's clock may be behind: it counts whole seconds.
const BEFORE: SignedDuration = SignedDuration::from_secs(2);

/// Environments with one package that are looked at for each command.
const MOST: usize = 1000;

/// Who installed the distribution that a folder describes, and when.
type Installers<'c> = HashMap<(&'c Arc<str>, TreePath), (&'c str, Option<&'c At>)>;
type Name<'c> = (&'c str, Ecosystem, &'c str);

/// A version of a package that stands in an environment.
struct Stands<'c> {
    prefix: TreePath,
    version: &'c str,
    installed: Option<&'c At>,
    installer: Option<&'c str>,
    layer: Option<&'c str>,
}

/// Drops the findings of such commands; each becomes a line of the timeline.
pub fn drop_what_took_a_good_version(case: &Case<'_>, findings: &mut Vec<Finding>) -> Vec<Moment> {
    let open = |f: &Finding| f.kind == FindingKind::Command && f.package.is_some();
    if !findings.iter().any(open) {
        return Vec::new();
    }
    let stands = stands(case);
    let mut at_origin: HashMap<&Origin, Vec<&Seen>> = HashMap::new();
    let mut typed: BTreeMap<Name<'_>, Vec<Timestamp>> = BTreeMap::new();
    for e in &case.evidence {
        if let Fact::Command(c) = &e.seen.fact {
            at_origin.entry(&e.seen.origin).or_default().push(&e.seen);
            let installs = c.action == CommandAction::Install && c.whereabouts.is_here();
            for w in c.wanted.iter().filter(|_| installs && is_typed(e.seen.surface)) {
                let times = typed.entry((&*e.seen.origin.tree, w.ecosystem, &*w.name)).or_default();
                times.extend(e.seen.at.as_ref().map(|at| at.time));
            }
        }
    }
    typed.values_mut().for_each(|times| times.sort_unstable());
    let mut moments = Vec::new();
    findings.retain(|f| {
        let Some(seen) = at_origin.get(&f.origin).filter(|_| open(f)) else {
            return true;
        };
        let took = took_good(case, f.incident, f, seen, &stands, &typed);
        let Some(how) = took else {
            return true;
        };
        moments.extend(f.at.as_ref().map(|at| Moment {
            at: at.time,
            what: how,
            source: at.source.to_string(),
            finding: None,
        }));
        false
    });
    moments
}

/// Versions of packages that indicators name, in environments, by name.
fn stands<'c>(case: &'c Case<'_>) -> BTreeMap<Name<'c>, Vec<Stands<'c>>> {
    let mut installers = Installers::new();
    for e in &case.evidence {
        if let Fact::Installer { name } = &e.seen.fact {
            installers.insert((&e.seen.origin.tree, e.seen.origin.path.parent()), (&**name, e.seen.at.as_ref()));
        }
    }
    let mut stands: BTreeMap<Name<'c>, Vec<Stands<'c>>> = BTreeMap::new();
    for e in &case.evidence {
        let Fact::Package(p) = &e.seen.fact else {
            continue;
        };
        if p.placement != Placement::Loadable || !case.index.knows_package(p.ecosystem, &p.name) {
            continue;
        }
        let origin = &e.seen.origin;
        let installer = installers.get(&(&origin.tree, origin.path.parent()));
        stands.entry((&*origin.tree, p.ecosystem, &*p.name)).or_default().push(Stands {
            prefix: e.seen.unit.as_ref().map_or_else(|| origin.path.parent(), |unit| unit.root.clone()),
            version: &p.version,
            installed: installer.and_then(|(_, at)| *at),
            installer: installer.map(|(name, _)| *name),
            layer: origin.layer.as_deref(),
        });
    }
    stands
}

/// What shows that every command of this place which the finding is about took a good version, in words.
fn took_good(
    case: &Case<'_>,
    incident: IncidentId,
    finding: &Finding,
    seen: &[&Seen],
    stands: &BTreeMap<Name<'_>, Vec<Stands<'_>>>,
    typed: &BTreeMap<Name<'_>, Vec<Timestamp>>,
) -> Option<String> {
    let mut how = None;
    let mut looked = HashSet::new();
    for one in seen {
        let Fact::Command(c) = &one.fact else {
            continue;
        };
        for w in c.wanted.iter().filter(|w| w.pinned.is_none()) {
            let purl = Purl::new(w.ecosystem, &w.name, None).to_string();
            if finding.package.as_deref() != Some(&purl) || !looked.insert((&w.name, w.ecosystem, &c.tool)) {
                continue;
            }
            if !matches!(c.action, CommandAction::Install) || !c.whereabouts.is_here() {
                return None;
            }
            let name = (&*one.origin.tree, w.ecosystem, &*w.name);
            let known = stands.get(&name).filter(|known| known.len() <= MOST)?;
            let good = |s: &&Stands<'_>| {
                let bad = case.index.version(w.ecosystem, &w.name, s.version);
                !bad.iter().any(|((other, _), _)| *other == incident)
            };
            let times = typed.get(&name).map_or(&[][..], Vec::as_slice);
            let accounts = case.accounts.get(&one.origin.tree);
            let own: Vec<&Stands<'_>> = known.iter().filter(|s| is_own(s, c, one, accounts, times)).collect();
            // Where one of several holds the bad version, or none is its own, it stays.
            let first = own.first().filter(|_| own.iter().all(good))?;
            let place = escape(&[b"/", first.prefix.as_bytes()].concat());
            how = Some(match first.layer {
                Some(_) => format!("`{}` took `{}` {}, as its layer shows", c.tool, w.name, first.version),
                None => format!("`{}` took `{}` {}, as {place} shows", c.tool, w.name, first.version),
            });
        }
    }
    how
}

/// Whether what stands there is what this command put or found there.
fn is_own(s: &Stands<'_>, c: &Command, seen: &Seen, accounts: Option<&Accounts>, times: &[Timestamp]) -> bool {
    if !is_typed(seen.surface) {
        return s.layer.is_some() && s.layer == seen.origin.layer.as_deref();
    }
    let (Some(typed), Some(installed)) = (seen.at.as_ref().map(|at| at.time), s.installed.map(|at| at.time)) else {
        return false;
    };
    let soon = installed <= typed.saturating_add(INSTALL).unwrap_or(typed);
    let here = match c.whereabouts.environment.as_deref() {
        Some(named) if named.starts_with(['/', '~']) => {
            return soon && folder(named, accounts, &seen.origin.path).as_ref() == Some(&s.prefix);
        }
        // Below a folder that is not known.
        Some(named) => {
            let end = [b"/", named.as_bytes()].concat();
            [b"/", s.prefix.as_bytes()].concat().ends_with(&end)
        }
        None => true,
    };
    let by_tool = s.installer.is_some_and(|i| i.to_ascii_lowercase().starts_with(&*c.tool));
    let before = times.partition_point(|t| t.checked_sub(BEFORE).is_ok_and(|t| t <= installed));
    let last = before.checked_sub(1).and_then(|at| times.get(at));
    // Two that were typed in the same second cannot be distinguished.
    let alone = times.partition_point(|t| *t <= typed) == times.partition_point(|t| *t < typed) + 1;
    let began = typed.checked_sub(BEFORE).unwrap_or(typed) <= installed;
    here && by_tool && soon && began && alone && last == Some(&typed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        assess::{Evidence, assess},
        credential::Catalog,
        ecosystem::pypi::unit_around,
        fact::Package,
        ioc::{Database, Index},
        shell::install_commands,
    };

    const TYPED: i64 = 1_774_350_000;

    fn seen(path: &str, layer: Option<&str>, surface: &'static str, at: i64, fact: Fact) -> Evidence {
        let path = TreePath::new(path.as_bytes()).unwrap();
        let unit = Some(Arc::new(unit_around(&path, false)));
        let mut origin = Origin::file(&"host".into(), path);
        origin.layer = layer.map(Into::into);
        Seen { surface, origin, at: At::unix(at, "time"), uid: Some(1000), gid: None, mode: None, unit, fact }.into()
    }

    /// A version in an environment that pip put there so many seconds after the command.
    fn stands(prefix: &str, version: &str, after: i64, layer: Option<&str>) -> Vec<Evidence> {
        let folder = format!("{prefix}/lib/python3.11/site-packages/litellm-{version}.dist-info");
        let package = Package {
            ecosystem: Ecosystem::Pypi,
            name: "litellm".into(),
            version: version.into(),
            placement: Placement::Loadable,
            requires: [].into(),
            artifacts: Vec::new(),
        };
        let installer = Fact::Installer { name: "pip".into() };
        vec![
            seen(&format!("{folder}/METADATA"), layer, "python/dist-info", TYPED, Fact::Package(package)),
            seen(&format!("{folder}/INSTALLER"), layer, "python/record", TYPED + after, installer),
        ]
    }

    fn typed(text: &str, after: i64) -> Vec<Evidence> {
        let line = |c| seen("home/al/.zsh_history", None, "history/zsh", TYPED + after, Fact::Command(c));
        install_commands(text).into_iter().map(line).collect()
    }

    /// How many findings of commands are left, and what the timeline says of those that are not.
    fn left(evidence: Vec<Vec<Evidence>>) -> (usize, Vec<String>) {
        let index = Index::new(Database::embedded().unwrap(), &[]);
        let evidence = evidence.into_iter().flatten().collect();
        let catalog = Catalog { kinds: Vec::new() };
        let judged = assess(Case { index: &index, catalog: &catalog, evidence, accounts: BTreeMap::new() });
        let commands = judged.findings.iter().filter(|f| f.kind == FindingKind::Command).count();
        (commands, judged.timeline.into_iter().filter(|m| m.finding.is_none()).map(|m| m.what).collect())
    }

    #[test]
    fn the_environment_that_a_command_names_answers() {
        for text in ["~/v/bin/pip install litellm", ". ~/v/bin/activate && pip install litellm"] {
            let (commands, said) = left(vec![typed(text, 0), stands("home/al/v", "1.82.6", 5, None)]);
            assert_eq!((commands, said), (0, vec!["`pip` took `litellm` 1.82.6, as /home/al/v shows".to_owned()]));
            // It was there before, and stayed.
            assert_eq!(left(vec![typed(text, 0), stands("home/al/v", "1.82.6", -9000, None)]).0, 0);
            // Somebody may have put it there afterwards, or somewhere else.
            assert_eq!(left(vec![typed(text, 0), stands("home/al/v", "1.82.6", 9000, None)]).0, 1);
            assert_eq!(left(vec![typed(text, 0), stands("home/al/w", "1.82.6", 5, None)]).0, 1);
            assert_eq!(left(vec![typed(text, 0), stands("home/al/v", "1.82.8", 5, None)]).0, 1);
            assert_eq!(left(vec![typed(text, 0)]).0, 1);
        }
    }

    #[test]
    fn of_a_command_that_names_none_the_one_that_was_changed_then_answers() {
        let open = |after| typed("pip install litellm", after);
        assert_eq!(left(vec![open(0), stands("srv/v", "1.82.6", 5, None)]).0, 0);
        assert_eq!(left(vec![open(0), stands("srv/v", "1.82.6", -60, None)]).0, 1);
        assert_eq!(left(vec![open(0), stands("srv/v", "1.82.6", 3600, None)]).0, 1);
        // The second of two answers for what stands there; of the first nothing is known.
        assert_eq!(left(vec![open(0), open(60), stands("srv/v", "1.82.6", 65, None)]).0, 1);
        // A folder of that name somewhere below the working folder.
        let below = typed("venv/bin/pip install litellm", 0);
        assert_eq!(left(vec![below.clone(), stands("srv/app/venv", "1.82.6", 5, None)]).0, 0);
        assert_eq!(left(vec![below, stands("srv/app/xvenv", "1.82.6", 5, None)]).0, 1);
        // It happened elsewhere, or another tool put it there.
        for text in ["ssh build1 pip install litellm", "docker exec c pip install litellm", "uv pip install litellm"] {
            assert_eq!(left(vec![typed(text, 0), stands("srv/v", "1.82.6", 5, None)]).0, 1, "{text}");
        }
        // A pin says what it took.
        assert_eq!(left(vec![typed("pip install litellm==1.82.8", 0), stands("srv/v", "1.82.6", 5, None)]).0, 1);
    }

    #[test]
    fn the_layer_of_a_step_answers() {
        let step = |layer| {
            let command = install_commands("pip install litellm").remove(0);
            vec![seen("", layer, "image/history", TYPED, Fact::Command(command))]
        };
        assert_eq!(left(vec![step(Some("l1")), stands("usr/local", "1.82.6", 0, Some("l1"))]).0, 0);
        assert_eq!(left(vec![step(Some("l1")), stands("usr/local", "1.82.6", 0, Some("l2"))]).0, 1);
        // The malicious one in its layer speaks for itself, and in another one not for the step.
        assert_eq!(left(vec![step(Some("l1")), stands("usr/local", "1.82.8", 0, Some("l1"))]).0, 0);
        assert_eq!(left(vec![step(Some("l1")), stands("usr/local", "1.82.8", 0, Some("l2"))]).0, 1);
        assert_eq!(left(vec![step(None), stands("usr/local", "1.82.6", 0, None)]).0, 1);
    }

    #[test]
    fn pins_before_the_first_upload_and_after_the_withdrawal() {
        let at = |seconds| left(vec![typed("pip install litellm==1.82.8", seconds)]);
        // 2026-03-24T10:52Z is 480 s before; a clock may be wrong by a day.
        assert_eq!(at(-80_000).0, 1);
        let (commands, said) = at(-90_000);
        assert_eq!((commands, said.len()), (0, 1));
        assert!(said[0].contains("pypi/litellm@1.82.8") && said[0].contains("cannot have succeeded"), "{said:?}");
        let confidence = |seconds| {
            let index = Index::new(Database::embedded().unwrap(), &[]);
            let catalog = Catalog { kinds: Vec::new() };
            let evidence = typed("pip install litellm==1.82.8", seconds);
            assess(Case { index: &index, catalog: &catalog, evidence, accounts: BTreeMap::new() }).findings[0]
                .confidence
        };
        use crate::verdict::Confidence::{Likely, Possible};
        // The widest end is 16:00Z, five hours after.
        assert_eq!((confidence(0), confidence(5 * 3600), confidence(5 * 3600 + 1)), (Likely, Likely, Possible));
    }

    #[test]
    fn what_installs_nothing() {
        for text in ["uv lock -P litellm", "pip install --dry-run litellm", "uv pip compile -P litellm x.in"] {
            let (commands, said) = left(vec![typed(text, 0)]);
            assert_eq!((commands, said.len()), (0, 1), "{text}: {said:?}");
        }
        assert_eq!(left(vec![typed("uv lock -P litellm==1.82.8", 0)]).0, 1);
    }
}
