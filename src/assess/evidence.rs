//! What one fact that fits an indicator is worth: the rows of the table that need no second fact.

use jiff::Timestamp;

use super::{
    Account, Case, Evidence, Finding, FindingKind,
    around::Neighbours,
    chain::Link,
    named,
    site::{Distribution, Environment, site_of},
};
use crate::{
    ecosystem::{oci, pypi},
    fact::{Artifact, Command, CommandAction, Cutoff, EnvironmentKind, Fact, Package, Placement, Seen, TreePath},
    ioc::model::{FileIndicator, FileRole, ImageIndicator, Incident, PackageIndicator, Trigger, Window},
    matcher::{self, By, Hit},
    text,
    verdict::{Confidence, Exposure},
};

/// Exposure, confidence and the reason.
type Judgement = (Exposure, Confidence, String);

/// The finding that a hit makes, if it makes one.
pub fn judge(case: &Case<'_>, sites: &Neighbours<'_>, evidence: &Evidence, hit: Hit) -> Option<Finding> {
    let incident = case.index.incident(hit.incident)?;
    let seen = &evidence.seen;
    let draft = Draft { case, sites, evidence, incident, hit };
    let mut finding = match (&seen.fact, hit.by) {
        (Fact::Package(p), By::Version(at)) => draft.version(p, incident.packages.get(at)?),
        (Fact::Named(p), By::Version(at)) => named::doubt(draft.version(p, incident.packages.get(at)?)),
        (Fact::Package(p) | Fact::Named(p), By::Artifact(at)) => draft.artifact(p, &incident.artifacts.get(at)?.name),
        (_, By::Artifact(at)) => draft.bytes(&incident.artifacts.get(at)?.name),
        (Fact::Executable { pid, program, deleted }, By::File { at, .. }) => {
            draft.executable(*pid, program, *deleted, incident.files.get(at)?)
        }
        (_, By::File { at, hash, placed }) => draft.file(incident.files.get(at)?, hash, placed),
        (Fact::Command(c), By::Pinned(at, w)) => draft.pinned(c, incident.packages.get(at)?, w)?,
        (Fact::Command(c), By::Admits(at, w)) => draft.admits(c, at, w)?,
        (_, By::Host(at)) => draft.host(&incident.network.get(at)?.value, &incident.network.get(at)?.what),
        (Fact::Process { pid, .. }, By::Process(at)) => draft.process(*pid, incident.processes.get(at)?),
        (Fact::Autostart { .. }, By::Process(at)) => draft.autostart(incident.processes.get(at)?),
        (Fact::Image { references, .. }, By::Image { at, digest }) => {
            draft.image(references, incident.images.get(at)?, digest)?
        }
        _ => return None,
    };
    if let Some((standing, sources)) = matcher::standing(case.index, &hit) {
        finding.confidence = finding.confidence.min(incident.ceiling(standing, sources));
    }
    if let Some(made) = &evidence.made {
        finding.reason = format!("{}; {made}", finding.reason);
    }
    if let Some(gone) = evidence.gone.as_ref().filter(|_| finding.exposure == Exposure::Installed) {
        finding.exposure = Exposure::Removed;
        finding.confidence = finding.confidence.min(Confidence::Likely);
        finding.reason = format!("{}; {gone}", finding.reason);
    }
    Some(finding)
}

struct Draft<'d, 's> {
    case: &'d Case<'d>,
    sites: &'d Neighbours<'s>,
    evidence: &'d Evidence,
    incident: &'d Incident,
    hit: Hit,
}

impl Draft<'_, '_> {
    fn seen(&self) -> &Seen {
        &self.evidence.seen
    }

    fn finding(&self, kind: FindingKind, indicator: String, (exposure, confidence, reason): Judgement) -> Finding {
        let seen = self.seen();
        Finding {
            id: String::new(),
            incident: self.hit.incident,
            indicator,
            kind,
            exposure,
            confidence,
            surface: seen.surface,
            package: None,
            origin: seen.origin.clone(),
            environment: None,
            artifact: None,
            at: seen.at.clone(),
            reason,
            chain: Vec::new(),
            by_itself: false,
            account: seen.uid.map_or(Account::All, Account::Uid),
            role: None,
            alike: Vec::new(),
        }
    }

    /// A malicious version, wherever it stood.
    fn version(&self, p: &Package, indicator: &PackageIndicator) -> Finding {
        let runs = runs(indicator);
        let by_itself = indicator.triggers.iter().any(|t| t.by_itself());
        let judgement = match p.placement {
            Placement::Loadable => {
                (Exposure::Installed, Confidence::Confirmed, format!("malicious version, {}; {runs}", self.loads()))
            }
            Placement::Leftover => (
                Exposure::Removed,
                Confidence::Likely,
                match self.seen().surface {
                    "python/conda-meta" => format!("conda took the malicious version out; {runs}"),
                    _ => format!("left behind when pip removed the malicious version; {runs}"),
                },
            ),
            Placement::Built if indicator.triggers.contains(&Trigger::Build) => {
                (Exposure::Executed, Confidence::Likely, "a malicious source distribution was built here".to_owned())
            }
            Placement::Built => (
                Exposure::Cached,
                Confidence::Confirmed,
                "a wheel of the malicious version, built on this machine".to_owned(),
            ),
            Placement::Cached => (
                Exposure::Cached,
                Confidence::Confirmed,
                "the malicious version is stored here; it did not run from here".to_owned(),
            ),
            Placement::Listed if self.seen().surface == "python/uv-cache" => (
                Exposure::Referenced,
                Confidence::Confirmed,
                "uv looked at the malicious version while it chose one; this alone does not show a download".to_owned(),
            ),
            Placement::Listed => (
                Exposure::Referenced,
                Confidence::Confirmed,
                "names the malicious version: what is installed from it takes it".to_owned(),
            ),
        };
        let indicator = format!("{}/{}@{}", p.ecosystem.purl_type(), p.name, p.version);
        let mut finding = self.finding(FindingKind::Package, indicator, judgement);
        finding.package = Some(purl(p));
        finding.artifact = p.artifacts.first().cloned();
        finding.by_itself = by_itself;
        if p.placement == Placement::Loadable {
            self.settle_in(&mut finding, Some(&p.name));
        }
        finding
    }

    fn loads(&self) -> String {
        let seen = self.seen();
        let folders = [site_of(seen), seen.origin.path.clone()];
        let link = folders.iter().find_map(|folder| self.sites.link_to(&seen.origin.tree, folder));
        match (&seen.origin.inner, link) {
            (_, Some(link)) => {
                format!("where Python loads it: `{}` puts it on the path", text::escape(link.text().as_bytes()))
            }
            (Some(_), None) => "in an archive that Python runs as a program".to_owned(),
            (None, None) => "where Python loads it".to_owned(),
        }
    }

    /// Known bytes under another version.
    fn artifact(&self, p: &Package, name: &str) -> Finding {
        let hash =
            p.artifacts.iter().find(|a| a.sha256.as_deref().is_some_and(|h| !self.case.index.artifacts(h).is_empty()));
        let exposure = if p.placement == Placement::Listed { Exposure::Referenced } else { Exposure::Cached };
        let sha256 = hash.and_then(|a| a.sha256.clone()).unwrap_or_default();
        let reason = format!("the bytes of `{name}`, by SHA-256");
        let mut finding =
            self.finding(FindingKind::Package, format!("sha256/{sha256}"), (exposure, Confidence::Confirmed, reason));
        finding.package = Some(purl(p));
        finding.artifact = hash.cloned();
        finding
    }

    /// A wheel or sdist under whatever name, by its hash (`--deep`).
    fn bytes(&self, name: &str) -> Finding {
        let artifact = bytes_of(&self.seen().fact).map(|a| Artifact { name: Some(name.to_owned()), ..a });
        let sha256 = artifact.as_ref().and_then(|a| a.sha256.clone()).unwrap_or_default();
        let reason = format!("the bytes of `{name}`, by SHA-256");
        let judgement = (Exposure::Cached, Confidence::Confirmed, reason);
        let mut finding = self.finding(FindingKind::File, format!("sha256/{sha256}"), judgement);
        finding.artifact = artifact;
        finding
    }

    /// A file, by its place or its bytes.
    fn file(&self, indicator: &FileIndicator, hash: bool, placed: bool) -> Finding {
        let what = &indicator.what;
        let sure = if hash { Confidence::Confirmed } else { Confidence::Likely };
        let bytes = match (hash, &indicator.sha256) {
            (true, _) => ", by SHA-256",
            (false, Some(_)) => ", by name; its bytes are not the known ones",
            (false, None) => ", by name",
        };
        let seen = self.seen();
        let beside = || self.sites.site(&seen.origin.tree, &seen.origin.path.parent());
        let in_target =
            indicator.role == FileRole::Hook && !placed && beside().is_some_and(|site| !site.distributions.is_empty());
        let judgement = match (indicator.role, placed) {
            _ if in_target => {
                let when = "it runs at every Python start that has this folder as a site folder or on its path";
                (Exposure::Installed, sure, format!("{what}{bytes}, beside what was installed here; {when}"))
            }
            (FileRole::Hook | FileRole::Companion, true) => {
                let reason = format!("{what}{bytes}; it runs at every Python start");
                (Exposure::Installed, sure, reason)
            }
            (FileRole::Module | FileRole::Payload, true) => (Exposure::Installed, sure, format!("{what}{bytes}")),
            (FileRole::Planted, true) => {
                let reason = format!("{what}{bytes}; it comes with a clone, and does not show that it ran here");
                (Exposure::Installed, sure, reason)
            }
            (FileRole::Persistence | FileRole::Trace, true) => {
                (Exposure::Executed, Confidence::Confirmed, format!("{what}, left by the payload when it ran{bytes}"))
            }
            (_, false) => (Exposure::Cached, sure, format!("{what}{bytes}, where nothing loads it")),
        };
        let path = indicator.paths.first().map_or("", String::as_str);
        let name = match (hash, placed, &indicator.sha256) {
            (true, false, Some(hash)) => format!("sha256/{hash}"),
            _ => format!("path/{}", path.trim_start_matches('/')),
        };
        let mut finding = self.finding(FindingKind::File, name, judgement);
        finding.role = Some(indicator.role);
        finding.by_itself = in_target || (placed && matches!(indicator.role, FileRole::Hook | FileRole::Companion));
        finding.artifact = bytes_of(&self.seen().fact);
        if in_target || (placed && pypi::site_of(&seen.origin.path).is_some()) {
            self.settle_in(&mut finding, indicator.package.as_deref());
        }
        finding
    }

    /// A command that pins the malicious version, or names a package that is malicious in every one.
    fn pinned(&self, c: &Command, indicator: &PackageIndicator, wanted: usize) -> Option<Finding> {
        let wanted = c.wanted.get(wanted)?;
        let version = wanted.pinned.as_deref().unwrap_or("*");
        let which = if version == "*" { "this package, malicious in every version" } else { "the malicious version" };
        let typed = typed(self.seen().surface);
        let reason = match c.action {
            CommandAction::Download => format!("`{}` was told to download {which} ({typed})", c.tool),
            _ => format!("`{}` was told to install {which} ({typed}); {}", c.tool, runs(indicator)),
        };
        let exposure = if c.action == CommandAction::Download { Exposure::Cached } else { Exposure::Removed };
        let name = format!("{}/{}@{version}", wanted.ecosystem.purl_type(), wanted.name);
        let mut finding = self.finding(FindingKind::Command, name, (exposure, Confidence::Likely, reason));
        let version = wanted.pinned.as_ref().map(|v| format!("@{v}")).unwrap_or_default();
        finding.package = Some(format!("pkg:{}/{}{version}", wanted.ecosystem.purl_type(), wanted.name));
        finding.by_itself = indicator.triggers.iter().any(|t| t.by_itself());
        Some(finding)
    }

    /// A command without a version, typed while a malicious one could be had. One finding, whatever the number of versions.
    fn admits(&self, c: &Command, at: usize, wanted: usize) -> Option<Finding> {
        let hits = matcher::hits(self.case.index, self.seen()).into_iter().filter(|h| h.incident == self.hit.incident);
        let open = |h: Hit| match h.by {
            By::Admits(i, w) if w == wanted => Some(i),
            _ => None,
        };
        let time = self.seen().at.as_ref()?.time;
        let all: Vec<usize> = hits.filter_map(open).collect();
        let in_time = all.iter().filter_map(|i| {
            let indicator = self.incident.packages.get(*i)?;
            let window = window_of(self.incident, indicator, time)?;
            let published = c.cutoff.is_none_or(|cutoff| window.start < before(cutoff, time));
            published.then_some((*i, indicator, window))
        });
        let in_time: Vec<_> = in_time.collect();
        if in_time.first().is_none_or(|(first, ..)| *first != at) {
            return None;
        }
        let wanted = c.wanted.get(wanted)?;
        let spans: Vec<String> =
            in_time.iter().map(|(_, _, w)| format!("{} could be had ({})", w.artifact, w.span())).collect();
        let reason = format!(
            "`{}` was told to take the newest `{}` at a time when {}",
            c.tool,
            wanted.name,
            spans.join(" and ")
        );
        let exposure = if c.action == CommandAction::Download { Exposure::Cached } else { Exposure::Removed };
        let versions: Vec<&str> = in_time.iter().flat_map(|(_, i, _)| i.versions.iter().map(String::as_str)).collect();
        let name = format!("{}/{}@{}", wanted.ecosystem.purl_type(), wanted.name, versions.join("|"));
        let mut finding = self.finding(FindingKind::Command, name, (exposure, Confidence::Possible, reason));
        finding.package = Some(format!("pkg:{}/{}", wanted.ecosystem.purl_type(), wanted.name));
        Some(finding)
    }

    fn host(&self, value: &str, what: &str) -> Finding {
        let reason = format!("points {} somewhere: {what}", text::defang(value));
        let judgement = (Exposure::Referenced, Confidence::Likely, reason);
        self.finding(FindingKind::Network, format!("host/{value}"), judgement)
    }

    /// Whatever its name, it starts the payload.
    fn autostart(&self, indicator: &crate::ioc::model::ProcessIndicator) -> Finding {
        let reason = format!("starts by itself: {}", indicator.what);
        let judgement = (Exposure::Executed, Confidence::Likely, reason);
        let mut finding = self.finding(FindingKind::File, format!("process/{}", indicator.holds), judgement);
        finding.role = Some(FileRole::Persistence);
        finding
    }

    fn process(&self, pid: u32, indicator: &crate::ioc::model::ProcessIndicator) -> Finding {
        let reason = format!("process {pid} is running: {}", indicator.what);
        let judgement = (Exposure::Executed, Confidence::Confirmed, reason);
        self.finding(FindingKind::Process, format!("process/{}", indicator.holds), judgement)
    }

    fn executable(&self, pid: u32, program: &TreePath, deleted: bool, indicator: &FileIndicator) -> Finding {
        let shown = text::escape(program.text().as_bytes());
        let gone = if deleted { ", whose file is gone" } else { "" };
        let reason = format!("process {pid} is running `{shown}`{gone}: {}", indicator.what);
        let judgement = (Exposure::Executed, Confidence::Confirmed, reason);
        self.finding(FindingKind::Process, format!("process/{shown}"), judgement)
    }

    /// A malicious image: by digest, by a tag that named nothing else, or by a moving tag while it pointed there.
    fn image(&self, references: &[String], indicator: &ImageIndicator, digest: bool) -> Option<Finding> {
        let repository = &indicator.repository;
        let moving = |r: &String| indicator.floating_tags.iter().any(|t| oci::same_image(r, repository, t));
        let by_tag = |r: &&String| indicator.tags.iter().any(|t| oci::same_image(r, repository, t));
        let (confidence, reason) = if digest {
            (Confidence::Confirmed, format!("the malicious image of `{repository}`, by digest"))
        } else if references.iter().any(|r| by_tag(&r)) {
            (
                Confidence::Likely,
                format!("a tag of `{repository}` that named the malicious image; its digest is another one"),
            )
        } else {
            let at = self.seen().at.as_ref()?;
            let mut windows = self.incident.windows.iter();
            let window = windows.find(|w| w.holds(at.time)).filter(|_| references.iter().any(moving))?;
            let span = window.span();
            (
                Confidence::Possible,
                format!("a moving tag of `{repository}`, made while it named the malicious image ({span})"),
            )
        };
        let name = format!("image/{repository}");
        let mut finding = self.finding(FindingKind::Image, name, (Exposure::Installed, confidence, reason));
        finding.by_itself = confidence > Confidence::Possible;
        Some(finding)
    }

    /// The environment, the time of the install, the chain, and the account of a finding in a site folder.
    fn settle_in(&self, finding: &mut Finding, package: Option<&str>) {
        let seen = self.seen();
        let tree = &seen.origin.tree;
        let site = site_of(seen);
        let environment = self.sites.environment_of(tree, &site);
        let around = self.sites.of(tree, &site);
        if finding.kind == FindingKind::Package {
            let own = around.of_folder(&seen.origin.path.parent());
            // Records of conda share a folder, and each has its time.
            let own = own.filter(|d| d.folder.name().ends_with(b"-info"));
            finding.at = own.and_then(|d| d.installed.clone()).or_else(|| finding.at.take());
        } else {
            // uv and conda link files that are older than the install.
            let bad = |d: &&&Distribution| {
                Some(&*d.package.name) == package
                    && !self.case.index.version(d.package.ecosystem, &d.package.name, &d.package.version).is_empty()
            };
            let installed = around.distributions.iter().filter(bad).filter_map(|d| d.installed.clone());
            finding.at = installed.chain(finding.at.take()).max_by_key(|at| at.time);
        }
        finding.chain = package.map(|p| around.chain(p)).unwrap_or_default();
        // The row of the package that holds the finding itself comes from another version where the package was replaced.
        if finding.chain.last().is_some_and(|l: &Link| Some(l.name.as_str()) != package) {
            finding.chain.clear();
        }
        finding.account = account(&environment, seen.uid);
        finding.environment = Some(environment);
    }
}

/// The file itself as a downloadable file without a name.
fn bytes_of(fact: &Fact) -> Option<Artifact> {
    match fact {
        Fact::File { size, sha256: Some(sha256), .. } | Fact::Hook { size, sha256: Some(sha256), .. } => {
            Some(Artifact { name: None, size: Some(*size), sha256: Some(sha256.clone()) })
        }
        _ => None,
    }
}

/// The owner of the site folder; of a system folder, every account.
fn account(environment: &Environment, uid: Option<u32>) -> Account {
    match (environment.kind, uid) {
        (EnvironmentKind::System, _) | (_, None | Some(0)) => Account::All,
        (_, Some(uid)) => Account::Uid(uid),
    }
}

fn runs(indicator: &PackageIndicator) -> String {
    let when: Vec<&str> = indicator.triggers.iter().map(|t| t.words()).collect();
    format!("it runs {}", when.join(" and "))
}

fn typed(surface: &str) -> &'static str {
    if surface.starts_with("history/") {
        "it was typed; whether it succeeded is not recorded"
    } else if surface == "python/notebook" {
        "a notebook says so; it may have run on another machine"
    } else {
        "it built the image"
    }
}

/// The time before which a version must have been published, for a command typed at `time`.
fn before(cutoff: Cutoff, time: Timestamp) -> Timestamp {
    match cutoff {
        Cutoff::At(at) => at,
        Cutoff::Age(age) => time.checked_sub(age).unwrap_or(Timestamp::MIN),
    }
}

/// The window of one of the indicator's versions that holds this time; where an incident has none of its own for the package,
/// one that covers everything.
fn window_of<'i>(incident: &'i Incident, indicator: &PackageIndicator, time: Timestamp) -> Option<&'i Window> {
    let name = format!("{}/{}", indicator.ecosystem.purl_type(), indicator.name);
    let covers = |covered: &String| match covered.strip_prefix(&name) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('@').is_some_and(|v| indicator.versions.iter().any(|known| known == v)),
        None => false,
    };
    let (own, open): (Vec<&Window>, Vec<&Window>) = incident.windows.iter().partition(|w| w.covers.iter().any(covers));
    let open: Vec<&Window> = open.into_iter().filter(|w| w.covers.is_empty()).collect();
    let windows = if own.is_empty() { open } else { own };
    windows.into_iter().find(|w| w.holds(time))
}

fn purl(p: &Package) -> String {
    format!("pkg:{}/{}@{}", p.ecosystem.purl_type(), p.name, p.version)
}
