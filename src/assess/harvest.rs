//! Whether a payload's published list names a file: the harvest rules of `iocs/incidents`, read against one path.

use super::{ran_in::RanIn, variables::names};
use crate::{
    accounts::Accounts,
    fact::TreePath,
    interest::glob,
    ioc::model::{Harvest, HarvestRule},
};

/// What of a line of a harvest list is not known, or keeps it from naming the file; from what leaves least open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// Nothing.
    None,
    /// Whether the payload reads other homes than that of the account that runs it.
    Home,
    /// Whether the payload ran in a folder above the file.
    Folder,
    /// The line names a file of a home, and this home is none of those that the payload reads.
    OtherHome,
    /// The file lies in more folders than the payload searches.
    Deeper,
}

/// A line of a harvest list that fits a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// The line, as the report quotes it.
    pub line: String,
    /// What of it is not known.
    pub doubt: Doubt,
}

impl Fit {
    /// A line of which everything is known.
    pub fn certain(line: &str) -> Self {
        Self { line: line.to_owned(), doubt: Doubt::None }
    }
}

/// A file, and what is known of its place.
pub struct Place<'p> {
    /// Where it is, as the payload met it.
    pub path: &'p TreePath,
    /// Who lives there.
    pub accounts: Option<&'p Accounts>,
    /// The variable that leads to it.
    pub named_by: Option<&'p str>,
    /// The variable in it that the credential was read from.
    pub variable: Option<&'p str>,
    /// Folders that the payload most likely ran in.
    pub ran_in: &'p RanIn,
    /// Whether the home that holds it is that of an account which ran the payload.
    pub own: bool,
}

/// The line of a harvest list that names this file for this kind: of several, the one that leaves the least open.
pub fn listed(harvest: &Harvest, kind: &str, place: &Place<'_>) -> Option<Fit> {
    let fits = |r: &&HarvestRule| {
        (r.kinds.is_empty() || r.kinds.iter().any(|k| k == kind)) && names(&r.variables, place.variable)
    };
    harvest.paths.iter().filter(fits).flat_map(|r| lines_of(r, &harvest.homes, place)).min_by_key(|fit| fit.doubt)
}

/// The lines of a harvest rule that this path fits, one for each of its folders.
fn lines_of<'r>(rule: &'r HarvestRule, homes: &'r [String], place: &'r Place<'r>) -> impl Iterator<Item = Fit> + 'r {
    rule.under.iter().filter_map(move |under| {
        if let Some(variable) = under.strip_prefix('$') {
            return (place.named_by == Some(variable)).then(|| Fit::certain(under));
        }
        let all = below(under, homes, place);
        let tried = all.iter().flat_map(|b| rule.names.iter().map(move |name| (b, name)));
        let fitting = tried.filter_map(|(b, name)| Some((name, name_fits(rule, name, b)?)));
        let (name, doubt) = fitting.min_by_key(|(_, doubt)| *doubt)?;
        let between = if rule.depth.unwrap_or(u32::MAX) > 0 && !name.contains('/') { "**/" } else { "" };
        Some(Fit { line: format!("{}/{between}{name}", under.trim_end_matches('/')), doubt })
    })
}

/// What stands behind a folder of a rule in a path.
struct Below {
    rest: String,
    doubt: Doubt,
    /// How far below is not known: where the folder is the unknown working folder itself.
    anywhere: bool,
}

impl Below {
    fn at(rest: String, doubt: Doubt) -> Self {
        Self { rest, doubt, anywhere: false }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What stands behind the folder in the path. One of the working folder may be met more than once.
fn below(under: &str, homes: &[String], place: &Place<'_>) -> Vec<Below> {
    let whole = place.path;
    if let Some(folder) = under.strip_prefix("cwd") {
        return below_working(folder, place);
    }
    if let Some(folder) = under.strip_prefix('~') {
        let below = |rest: String| match folder.strip_prefix('/') {
            None => Some(rest),
            Some(folder) => Some(rest.strip_prefix(folder)?.strip_prefix('/')?.to_owned()),
        };
        let of_homes = below_homes(homes, place);
        return of_homes.into_iter().filter_map(|(rest, doubt)| Some(Below::at(below(rest)?, doubt))).collect();
    }
    let folder = TreePath::new(under.as_bytes());
    let found = folder.and_then(|folder| once_linked(whole).iter().find_map(|p| p.below(&folder).map(text)));
    found.into_iter().map(|rest| Below::at(rest, Doubt::None)).collect()
}

/// Behind the working folder, or a folder of it: nothing, `/..`, `/target/deploy`. It may be any folder; most likely it is one that the
/// payload is known to run in.
fn below_working(folder: &str, place: &Place<'_>) -> Vec<Below> {
    let (mut up, mut inner) = (0, folder.trim_start_matches('/'));
    while let Some(rest) = inner.strip_prefix("..") {
        (up, inner) = (up + 1, rest.trim_start_matches('/'));
    }
    let parts: Vec<&str> = inner.split('/').filter(|part| !part.is_empty()).collect();
    let mut all = Vec::new();
    let mut above = place.path.clone();
    while !above.as_bytes().is_empty() {
        above = above.parent();
        let mut base = above.clone();
        let fits = parts.iter().rev().all(|part| {
            let same = base.name() == part.as_bytes();
            base = base.parent();
            same
        });
        if fits && place.ran_in.holds(up, &base) {
            all.extend(place.path.below(&above).map(|rest| Below::at(text(rest), Doubt::None)));
        }
    }
    let path = format!("/{}", text(place.path.as_bytes()));
    let inner = if parts.is_empty() { "/".to_owned() } else { format!("/{}/", parts.join("/")) };
    let ends = path.match_indices(&inner).map(|(at, _)| at + inner.len());
    let rests = ends.filter_map(|end| Some(path.get(end..)?.to_owned()));
    all.extend(rests.map(|rest| Below { rest, doubt: Doubt::Folder, anywhere: parts.is_empty() }));
    all
}

/// Behind each home that may be meant: those that the payload names, with everything below them, else whichever holds the file.
fn below_homes(homes: &[String], place: &Place<'_>) -> Vec<(String, Doubt)> {
    let usual = Accounts::default();
    let accounts = place.accounts.unwrap_or(&usual);
    let mut all = Vec::new();
    if !homes.is_empty() {
        let mut above = place.path.parent();
        while !above.as_bytes().is_empty() {
            if is_home(homes, accounts, &above) {
                all.extend(place.path.below(&above).map(|rest| (text(rest), Doubt::None)));
            }
            above = above.parent();
        }
        if !all.is_empty() {
            return all;
        }
    }
    let doubt = match (homes.is_empty(), place.own) {
        (false, _) => Doubt::OtherHome,
        (true, true) => Doubt::None,
        (true, false) => Doubt::Home,
    };
    all.extend(accounts.below_home(place.path).map(|rest| (text(rest), doubt)));
    all
}

/// Whether a folder is a home that a payload reads, by its own name or by that of a link to it.
fn is_home(homes: &[String], accounts: &Accounts, folder: &TreePath) -> bool {
    let named = |folder: &[u8]| {
        std::str::from_utf8(folder).is_ok_and(|f| homes.iter().any(|home| glob(home.trim_start_matches('/'), f)))
    };
    named(folder.as_bytes()) || accounts.link_to(folder).is_some_and(|link| named(link.as_bytes()))
}

/// A path, and what it is by the links that every Linux has for `/run`, every macOS for `/etc`, `/tmp` and `/var`: files are met where
/// they really lie.
fn once_linked(path: &TreePath) -> Vec<TreePath> {
    let raw = path.as_bytes();
    let of_run = raw.starts_with(b"run/").then(|| [b"var/", raw].concat());
    let of_private = raw
        .strip_prefix(b"private/")
        .filter(|rest| [&b"etc/"[..], b"tmp/", b"var/"].iter().any(|folder| rest.starts_with(folder)));
    let more = of_run.into_iter().chain(of_private.map(<[u8]>::to_vec)).filter_map(|p| TreePath::new(&p));
    std::iter::once(path.clone()).chain(more).collect()
}

/// What a name leaves open for a path below its folder; `None` where it is another one.
fn name_fits(rule: &HarvestRule, name: &str, below: &Below) -> Option<Doubt> {
    if name.contains('/') {
        return glob(name, &below.rest).then_some(below.doubt);
    }
    let folders = below.rest.matches('/').count();
    let base = below.rest.rsplit('/').next().unwrap_or(&below.rest);
    let depth = rule.depth.and_then(|d| usize::try_from(d).ok());
    let deep_enough = below.anywhere || rule.unlimited || depth.is_some_and(|d| folders <= d);
    let doubt = if deep_enough { below.doubt } else { below.doubt.max(Doubt::Deeper) };
    glob(name, base).then_some(doubt)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(under: &[&str], names: &[&str], depth: u32) -> HarvestRule {
        let own = |l: &[&str]| l.iter().map(|s| (*s).to_owned()).collect();
        HarvestRule {
            under: own(under),
            names: own(names),
            depth: Some(depth),
            unlimited: false,
            kinds: Vec::new(),
            variables: Vec::new(),
        }
    }

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).unwrap()
    }

    fn line_of(rule: &HarvestRule, named_by: Option<&str>, path: &TreePath) -> Option<String> {
        let place = Place { path, accounts: None, named_by, variable: None, ran_in: &RanIn::default(), own: true };
        lines_of(rule, &[], &place).find(|fit| fit.doubt < Doubt::OtherHome).map(|fit| fit.line)
    }

    #[test]
    fn homes_that_the_payload_does_not_name_are_not_on_its_list() {
        let list = |homes: &[&str]| Harvest {
            paths: vec![rule(&["~"], &[".npmrc"], 0)],
            homes: homes.iter().map(|h| (*h).to_owned()).collect(),
            ..Harvest::default()
        };
        let accounts = Accounts::new(b"ci:x:9:9::/var/lib/ci:/bin/sh\nsvc:x:8:8::/home/al/svc:/bin/sh\n", []);
        let doubt = |homes: &[&str], p: &str, own: bool| {
            let place = Place {
                path: &path(p),
                accounts: Some(&accounts),
                named_by: None,
                variable: None,
                ran_in: &RanIn::default(),
                own,
            };
            listed(&list(homes), "npm.token", &place).map(|fit| fit.doubt)
        };
        let linux = ["/home/*", "/root"];
        for p in ["home/al/.npmrc", "root/.npmrc"] {
            assert_eq!(doubt(&linux, p, false), Some(Doubt::None), "{p}");
        }
        for p in ["Users/al/.npmrc", "var/lib/ci/.npmrc", "var/root/.npmrc"] {
            assert_eq!(doubt(&linux, p, true), Some(Doubt::OtherHome), "{p}");
        }
        // A home in a home is a folder of the outer one.
        assert_eq!(doubt(&linux, "home/al/svc/.npmrc", true), Some(Doubt::Deeper));
        assert_eq!(doubt(&linux, "home/al/src/.npmrc", true), Some(Doubt::Deeper));
        assert_eq!((doubt(&linux, "home/.npmrc", true), doubt(&linux, "srv/.npmrc", true)), (None, None));
        // A list that names no homes means that of whoever runs it, for certain.
        assert_eq!(doubt(&[], "Users/al/.npmrc", true), Some(Doubt::None));
        assert_eq!(doubt(&[], "home/al/svc/.npmrc", true), Some(Doubt::None));
        assert_eq!(doubt(&[], "Users/al/.npmrc", false), Some(Doubt::Home));
    }

    #[test]
    fn a_project_that_holds_the_payload_is_most_likely_its_working_folder() {
        let list = Harvest {
            paths: vec![rule(&["cwd", "cwd/.."], &[".env"], 0), rule(&["cwd/keys"], &["*.json"], 1)],
            ..Harvest::default()
        };
        let mut ran_in = RanIn::default();
        ran_in.add(path("work/app"));
        let doubt = |p: &str| {
            let place =
                Place { path: &path(p), accounts: None, named_by: None, variable: None, ran_in: &ran_in, own: true };
            listed(&list, "dotenv.file", &place).map(|fit| fit.doubt)
        };
        for p in ["work/app/.env", "work/.env", "work/app/keys/a.json", "work/app/keys/b/a.json"] {
            assert_eq!(doubt(p), Some(Doubt::None), "{p}");
        }
        for p in ["work/app/src/.env", "work/other/.env", ".env", "work/other/keys/a.json"] {
            assert_eq!(doubt(p), Some(Doubt::Folder), "{p}");
        }
        assert_eq!(doubt("work/app/keys/b/c/a.json"), Some(Doubt::Deeper));
        assert_eq!(doubt("work/app/a.json"), None);
    }

    #[test]
    fn links_that_every_system_has_lead_to_what_rules_name() {
        let found = |under: &str, p: &str| line_of(&rule(&[under], &["token"], 0), None, &path(p)).is_some();
        assert!(found("/var/run/secrets", "run/secrets/token") && found("/run/secrets", "run/secrets/token"));
        assert!(found("/etc/vault", "private/etc/vault/token") && found("/tmp", "private/tmp/token"));
        assert!(!found("/var/run/secrets", "srv/run/secrets/token") && !found("/home/x", "private/home/x/token"));
        assert!(!found("/run/secrets", "var/run/secrets/token"));
    }

    #[test]
    fn names_with_folders_below_the_working_folder_may_be_anywhere() {
        let line = |p: &str| line_of(&rule(&["cwd"], &[".docker/config.json"], 0), None, &path(p));
        assert!(line("srv/app/.docker/config.json").is_some() && line(".docker/config.json").is_some());
        assert!(line("srv/app/x.docker/config.json").is_none() && line("srv/.docker/x/config.json").is_none());
    }

    #[test]
    fn rules_count_folders_below_their_root() {
        let line = |r: &HarvestRule, p: &str| line_of(r, None, &path(p));
        let ssh = rule(&["~/.ssh"], &["*"], 2);
        assert_eq!(line(&ssh, "home/al/.ssh/id_rsa").as_deref(), Some("~/.ssh/**/*"));
        assert!(line(&ssh, "root/.ssh/a/b/key").is_some() && line(&ssh, "root/.ssh/a/b/c/key").is_none());
        assert!(line(&ssh, "srv/x/.ssh/id_rsa").is_none());
        let exact = rule(&["~"], &[".aws/credentials", ".npmrc"], 0);
        assert_eq!(line(&exact, "home/al/.aws/credentials").as_deref(), Some("~/.aws/credentials"));
        assert!(line(&exact, "home/al/src/.npmrc").is_none());
        let env = rule(&["/opt", "~"], &[".env"], 6);
        assert!(line(&env, "opt/a/b/.env").is_some() && line(&env, "opt/1/2/3/4/5/6/7/.env").is_none());
        assert_eq!(
            line(&rule(&["cwd"], &["ansible.cfg"], 0), "srv/deep/er/ansible.cfg").as_deref(),
            Some("cwd/ansible.cfg")
        );
    }
    #[test]
    fn folders_of_the_working_folder_may_be_anywhere() {
        let line = |p: &str| {
            let rule = rule(&["cwd/target/deploy"], &["*.json"], 1);
            line_of(&rule, None, &path(p))
        };
        assert_eq!(line("srv/a/target/deploy/x.json").as_deref(), Some("cwd/target/deploy/**/*.json"));
        assert!(line("target/deploy/x/y.json").is_some() && line("a/target/deploy/b/target/deploy/x.json").is_some());
        for path in ["srv/target/deploy/1/2/x.json", "srv/xtarget/deploy/x.json", "srv/target/x.json", "target/deploy"]
        {
            assert_eq!(line(path), None, "{path}");
        }
    }

    #[test]
    fn a_variable_leads_to_its_file_only() {
        let rule = rule(&["$GOOGLE_APPLICATION_CREDENTIALS"], &["*"], 0);
        let line = |by: Option<&str>| line_of(&rule, by, &TreePath::new(b"srv/x.json").unwrap());
        assert_eq!(line(Some("GOOGLE_APPLICATION_CREDENTIALS")).as_deref(), Some("$GOOGLE_APPLICATION_CREDENTIALS"));
        assert_eq!((line(Some("KUBECONFIG")), line(None)), (None, None));
    }
}
