//! `dosimeter iocs show`: one incident as a page.

use std::fmt::Write as _;

use anyhow::bail;

use super::super::{Ending, indicators::Indicators, output, sandbox};
use crate::{
    cli::{IocsShow, ListFormat},
    ioc::model::{Incident, NetworkKind, Standing},
    text::{defang, json, printable},
};

/// Long lists are cut on the page; JSON has them whole.
const MOST: usize = 25;

/// Prints it.
///
/// # Errors
/// Where there is none of that id.
pub fn run(command: &IocsShow) -> anyhow::Result<Ending> {
    let sandbox = sandbox::begin("iocs show");
    let indicators = Indicators::load(&command.indicators)?;
    sandbox.enclose(&[]);
    let found: Vec<&Incident> = indicators
        .database
        .incidents
        .iter()
        .filter(|i| std::iter::once(&i.id).chain(&i.aliases).any(|name| name.eq_ignore_ascii_case(command.id.trim())))
        .collect();
    if found.is_empty() && command.format == ListFormat::Table {
        let fallen = indicators.withdrawn.of_number(&command.id);
        let reasons: String = fallen.iter().map(|f| format!("\n{f}")).collect();
        bail!("no incident `{}`{reasons}\nhint: `dosimeter iocs list` names them", printable(&command.id));
    }
    let text = match command.format {
        ListFormat::Json => json::pretty(&found)?,
        ListFormat::Table => found.iter().map(|i| page(i)).collect::<Vec<_>>().join("\n"),
    };
    output::print(text.trim_end())?;
    Ok(Ending::Nothing)
}

fn page(i: &Incident) -> String {
    let mut page = Page(String::new());
    page.line(&format!("{}  {}", i.id, i.date));
    page.line(&i.title);
    page.line("");
    page.prose(&i.summary);
    if !i.aliases.is_empty() {
        page.line(&format!("also known as {}", i.aliases.join(", ")));
    }
    if let Some(a) = &i.attribution {
        page.line(&format!("attributed to {} (confidence {})", a.actor, a.confidence));
    }
    when(&mut page, i);
    what(&mut page, i);
    page.list("it takes", harvest(i));
    let switches = i.dead_man_switches.iter().map(|d| format!("{}: {}", d.value, d.what));
    page.list("disarm before revoking anything", switches.collect());
    let steps = i.cleanup.iter().flat_map(|c| {
        let head = format!("{}: {} ({})", c.phase.as_str(), c.title, c.why);
        std::iter::once(head).chain(c.steps.iter().map(|s| match &s.command {
            Some(command) => format!("  {}: {command}", s.what),
            None => format!("  {}", s.what),
        }))
    });
    page.list("cleaning up", steps.collect());
    let claims = i.disagreements.iter().flat_map(|d| d.claims.iter().map(move |c| format!("{}: {}", d.topic, c.says)));
    page.list("sources disagree", claims.collect());
    page.list(
        "published, and no indicator",
        i.not_indicators.iter().map(|n| format!("{}: {}", n.value, n.what)).collect(),
    );
    let sources = i.sources.values().map(|s| match (&s.url, &s.relayed) {
        (Some(url), _) => format!("{}: {url}", s.title),
        (None, Some(relayed)) => format!("{} ({relayed})", s.title),
        (None, None) => s.title.clone(),
    });
    page.list("sources", sources.collect());
    page.line(&format!("indicators: {}", i.origin));
    page.0
}

fn when(page: &mut Page, i: &Incident) {
    page.list("available", i.windows.iter().map(|w| format!("{}: {}", w.artifact, w.span())).collect());
}

fn what(page: &mut Page, i: &Incident) {
    let packages = i.packages.iter().map(|p| {
        let when: Vec<&str> = p.triggers.iter().map(|t| t.words()).collect();
        let safe = if p.safe.is_empty() { String::new() } else { format!("; good: {}", p.safe.join(", ")) };
        let (name, versions) = (&p.name, some(&p.versions));
        format!(
            "{}/{name} {versions}: runs {}{safe}{}",
            p.ecosystem.purl_type(),
            when.join(" and "),
            standing(&p.standing)
        )
    });
    page.list("malicious versions", packages.collect());
    let actions = i.actions.iter().map(|a| {
        let part = |word: &str, items: &[String]| {
            if items.is_empty() { String::new() } else { format!(" {word} {};", some(items)) }
        };
        let (tags, moved, commits) =
            (part("tags", &a.tags), part("moved tags", &a.moved_tags), part("commits", &a.commits));
        format!("{}:{tags}{moved}{commits} {}", a.repository, a.runs)
    });
    page.list("actions", actions.collect());
    let images = i.images.iter().map(|m| {
        let all: Vec<String> = m.tags.iter().chain(&m.floating_tags).chain(&m.digests).cloned().collect();
        format!("{} {}", m.repository, some(&all))
    });
    page.list("images", images.collect());
    let artifacts = i
        .artifacts
        .iter()
        .map(|a| format!("{}  {}", a.name, a.sha256.as_deref().or(a.sha1.as_deref()).unwrap_or_default()));
    page.list("downloadable files", artifacts.collect());
    let files = i.files.iter().map(|f| {
        let hash = f.sha256.as_ref().map(|h| format!("  {h}")).unwrap_or_default();
        format!("{}: {}{hash}{}", f.paths.join(" "), f.what, standing(&f.standing))
    });
    page.list("files", files.collect());
    let network = i.network.iter().map(|n| {
        let value = if n.kind == NetworkKind::Url { defang(&n.value) } else { n.value.replace('.', "[.]") };
        let alone = if n.context_only { " (others use it too: no finding alone)" } else { "" };
        format!("{value}: {}{alone}{}", n.what, standing(&n.standing))
    });
    page.list("network", network.collect());
    page.list("processes", i.processes.iter().map(|p| format!("{}: {}", p.holds, p.what)).collect());
    page.list("git", i.git.iter().map(|g| format!("{}: {}", g.value, g.what)).collect());
    page.list("texts", i.strings.iter().map(|s| format!("{}: {}", s.value, s.what)).collect());
    page.list("Kubernetes", i.kubernetes.iter().map(|k| format!("{}: {}", k.value, k.what)).collect());
}

fn harvest(i: &Incident) -> Vec<String> {
    let h = &i.harvest;
    let mut all: Vec<String> = Vec::new();
    if !h.note.is_empty() {
        all.push(h.note.clone());
    }
    for rule in &h.paths {
        let below = if rule.unlimited { ", and all below" } else { "" };
        all.extend(rule.names.iter().map(|n| format!("{n} in {}{below}", rule.under.join(", "))));
    }
    if h.environment {
        all.push(match h.variables.join(", ") {
            names if names.is_empty() => "environment variables of the process".to_owned(),
            names => format!("environment variables of the process: {names}"),
        });
    }
    all.extend(h.beyond_in_words().map(str::to_owned));
    all
}

/// The first of a list, and how many more there are.
fn some(items: &[String]) -> String {
    const FIRST: usize = 8;
    let shown: Vec<&str> = items.iter().take(FIRST).map(String::as_str).collect();
    match items.len().saturating_sub(FIRST) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn standing(s: &Standing) -> String {
    let mut words = Vec::new();
    words.extend(s.confidence.map(|c| format!("{} at most", c.as_str())));
    words.extend(s.valid_from.map(|t| format!("from {t}")));
    words.extend(s.until.map(|t| format!("until {t}")));
    words.extend(s.withdrawn.as_ref().map(|w| format!("withdrawn {}: {}", w.on, w.why)));
    if words.is_empty() { String::new() } else { format!(" [{}]", words.join(", ")) }
}

struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.0, "{}", printable(text));
    }

    fn prose(&mut self, text: &str) {
        let width = usize::from(output::width()).min(100);
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && line.len() + 1 + word.len() > width {
                self.line(&line);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(&line);
    }

    fn list(&mut self, title: &str, items: Vec<String>) {
        if items.is_empty() {
            return;
        }
        self.line("");
        self.line(title);
        let more = items.len().saturating_sub(MOST);
        for item in items.iter().take(MOST) {
            self.line(&format!("  {item}"));
        }
        if more > 0 {
            self.line(&format!("  and {more} more: `--format json` has them all"));
        }
    }
}
