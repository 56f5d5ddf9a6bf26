//! The report for a ticket or a chat: boxes to tick, then the evidence. What comes from the target stands in code spans, or is
//! escaped sign by sign: it can neither end its cell nor become a link, a mention, HTML or a heading.

use std::io::{self, Write};

use super::{
    super::page::{self as first, Labels},
    Format, v1, words,
};
use crate::{
    text::{escape, printable},
    verdict::Workstream,
};

/// Columns of the first page.
const WIDTH: usize = 100;

/// Declared here alone.
pub static FORMAT: Format = Format {
    name: "markdown",
    endings: &[".md", ".markdown"],
    about: "For a ticket: the checklist with boxes, and the findings",
    for_people: true,
    report: Some(|report, out, _| whole(report, out)),
    checklist: Some(|report, out, _| checklist(report, out)),
    is_ours: |text| text.strip_prefix("# ").is_some_and(super::starts_with_answer) && text.contains("indicators "),
};

/// The whole report.
fn whole(report: &v1::Report, out: &mut dyn Write) -> io::Result<()> {
    head(report, out)?;
    machines(report, out)?;
    images(report, out)?;
    if !report.checklist.is_empty() {
        first_page(report, out)?;
    }
    if !report.incidents.is_empty() {
        writeln!(out, "\n## Findings")?;
        report.incidents.iter().try_for_each(|i| incident(i, out))?;
    }
    credentials(report, out)?;
    timeline(report, out)?;
    if !report.checklist.is_empty() {
        writeln!(out, "\n## Every step")?;
        items(report, out)?;
    }
    if !report.kept_evidence.is_empty() {
        writeln!(out, "\n## Kept evidence\n\n{}\n", words::EARLIER)?;
        for k in &report.kept_evidence {
            writeln!(out, "- {}: {}", place(&k.location), escaped(&words::kept(k)))?;
        }
    }
    if !report.anomalies.is_empty() {
        writeln!(out, "\n## Odd, and no indicator fits\n")?;
        for a in &report.anomalies {
            writeln!(out, "- {}: {}", place(&a.location), sentence(&a.what))?;
        }
    }
    coverage(&report.coverage, out)
}

fn timeline(report: &v1::Report, out: &mut dyn Write) -> io::Result<()> {
    let rows = words::timeline(report);
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Timeline\n\n{}\n\n| when (UTC) | what | read from |\n| --- | --- | --- |", words::TIMES)?;
    for row in rows {
        writeln!(out, "| {:.0} | {} | {} |", row.at, cell(&row.what), cell(&row.source))?;
    }
    Ok(())
}

/// The checklist alone.
fn checklist(report: &v1::Report, out: &mut dyn Write) -> io::Result<()> {
    head(report, out)?;
    if report.checklist.is_empty() {
        writeln!(out, "\n{}", words::NO_STEPS)?;
        return gaps(&report.coverage, out);
    }
    first_page(report, out)?;
    writeln!(out, "\n## Every step")?;
    items(report, out)?;
    record(report, out)
}

/// Who did what, and when: to fill in. `dosimeter rotate --update` reads it back.
fn record(report: &v1::Report, out: &mut dyn Write) -> io::Result<()> {
    let states: Vec<&str> = v1::State::ALL.iter().map(|s| s.as_str()).collect();
    writeln!(out, "\n## Record\n\n{}\n", escaped(&format!("states: {}; times are UTC", states.join(", "))))?;
    writeln!(out, "| item | id | state | owner | done by | checked by | revoked | issued | checked | note |")?;
    writeln!(out, "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")?;
    let labels = Labels::new(report);
    for item in report.shown() {
        let state = report.work.iter().find(|w| w.item == item.id).map(|w| w.state).unwrap_or_default();
        let rest: Vec<String> = words::work(report, item).iter().map(|c| escaped(c)).collect();
        let (label, state) = (labels.of(&item.id), state.as_str());
        writeln!(out, "| {label} | `{}` | {state} | {} |", item.id, rest.join(" | "))?;
    }
    Ok(())
}

fn first_page(report: &v1::Report, out: &mut dyn Write) -> io::Result<()> {
    let lines = first::page(report, WIDTH);
    let fence = "`".repeat(lines.iter().map(|l| longest_run(l)).max().unwrap_or(0).max(2) + 1);
    writeln!(out, "\n## What to do now\n\n{fence}text")?;
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    writeln!(out, "{fence}")
}

fn head(report: &v1::Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# {}\n", sentence(&report.verdict.summary))?;
    writeln!(out, "- {}", escaped(&words::run(report)))?;
    writeln!(out, "- {}", escaped(&words::examined(report)))?;
    writeln!(out, "- {}", escaped(&words::indicators(report)))
}

fn machines(report: &v1::Report, out: &mut dyn Write) -> io::Result<()> {
    if report.machines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Machines\n\n{}", escaped(&words::machines_counted(report)))?;
    let listed = words::machines_by_weight(report);
    if listed.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| machine | exposure | incidents | to rotate | examined |\n| --- | --- | --- | --- | --- |")?;
    for m in listed {
        let exposure = m.exposure.map_or("none", crate::verdict::Exposure::as_str);
        let (tree, taken) = (cell(&escape(m.tree.as_bytes())), cell(&words::taken(m)));
        writeln!(out, "| {tree} | {exposure} | {taken} | {} | {} |", m.to_rotate, words::how_complete(m))?;
    }
    Ok(())
}

fn images(report: &v1::Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(sweep) = report.sweep.as_ref().filter(|sweep| words::lists_images(sweep)) else {
        return Ok(());
    };
    writeln!(out, "\n## Images\n\n{}", escaped(&words::images_counted(sweep)))?;
    let listed = words::images_by_weight(sweep);
    if listed.is_empty() {
        return Ok(());
    }
    let columns = words::columns(sweep);
    let incidents = if columns.is_empty() { vec!["incidents"] } else { columns.clone() };
    let header: Vec<String> = incidents.iter().map(|id| cell(&escape(id.as_bytes()))).collect();
    let lines = " --- |".repeat(header.len());
    writeln!(out, "\n| image | {} | used by | examined |\n| --- |{lines} --- | --- |", header.join(" | "))?;
    for image in listed {
        let cells: Vec<String> = words::image_cells(image, &columns).iter().map(|text| cell(text)).collect();
        let (tree, users) = (cell(&escape(image.tree.as_bytes())), cell(&words::users(image)));
        let examined = if image.complete { "completely" } else { "in part" };
        writeln!(out, "| {tree} | {} | {users} | {examined} |", cells.join(" | "))?;
    }
    let bases = words::bases(sweep);
    if !bases.is_empty() {
        writeln!(out, "\nTo build anew, in the order in which it helps most images:\n")?;
        bases.iter().enumerate().try_for_each(|(n, base)| writeln!(out, "{}. {}", n + 1, escaped(base)))?;
    }
    Ok(())
}

fn items(report: &v1::Report, out: &mut dyn Write) -> io::Result<()> {
    let labels = Labels::new(report);
    for stream in Workstream::ALL {
        let mut items = report.shown().filter(|i| i.workstream() == stream).peekable();
        if items.peek().is_none() {
            continue;
        }
        writeln!(out, "\n### {}: {}\n", stream.letter(), first::stream(stream).to_lowercase())?;
        for item in items {
            let done = report.work.iter().any(|w| w.item == item.id && w.state.is_over());
            let tick = if done { 'x' } else { ' ' };
            writeln!(
                out,
                "- [{tick}] **{}. {}** `{}`",
                labels.of(&item.id),
                escaped(&words::title(report, item)),
                item.id
            )?;
            writeln!(out, "  - why: {}", sentence(&item.why))?;
            writeln!(out, "  - where: {}", escaped(&words::on(item)))?;
            let after = words::after(&labels, item);
            if !after.is_empty() {
                writeln!(out, "  - after: {}", escaped(&after))?;
            }
            for step in &item.steps {
                let tick = match (step.warns(), step.done) {
                    (true, _) => "",
                    (false, false) => "[ ] ",
                    (false, true) => "[x] ",
                };
                writeln!(out, "  - {tick}{}", sentence(&step.what))?;
                if let Some(command) = &step.command {
                    let command = printable(command);
                    let fence = "`".repeat(longest_run(&command).max(2) + 1);
                    writeln!(out, "\n    {fence}sh\n    {command}\n    {fence}\n")?;
                }
                for remark in words::remarks(step) {
                    writeln!(out, "    - {}", sentence(&remark))?;
                }
            }
        }
    }
    Ok(())
}

fn incident(incident: &v1::IncidentReport, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n### {}: {}\n", sentence(&incident.id), sentence(&incident.title))?;
    for w in &incident.windows {
        writeln!(out, "- {}: available {}", sentence(&w.artifact), w.span())?;
    }
    for r in &incident.references {
        writeln!(out, "- {}", link(r))?;
    }
    writeln!(out)?;
    for f in words::worst_first(incident) {
        let judged = format!("{}, {}", f.exposure.as_str(), f.confidence.as_str());
        writeln!(out, "- **{judged}**: {}", code(&words::indicator(f)))?;
        writeln!(out, "  - {}", place(&f.location))?;
        if let Some(when) = words::when(f) {
            writeln!(out, "  - when: {}", escaped(&when))?;
        }
        writeln!(out, "  - why: {}", sentence(&f.reason))?;
        if !f.chain.is_empty() {
            writeln!(out, "  - chain: {}", code(&words::chain(&f.chain)))?;
        }
        if let Some(artifact) = f.artifact.as_ref().map(words::artifact).filter(|a| !a.is_empty()) {
            writeln!(out, "  - file: {}", code(&artifact))?;
        }
    }
    Ok(())
}

fn credentials(report: &v1::Report, out: &mut dyn Write) -> io::Result<()> {
    if report.credentials.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Credentials\n\nNo value is ever read into this report.\n")?;
    writeln!(out, "| rotate | kind | reach | owner | identifier | place |\n| --- | --- | --- | --- | --- | --- |")?;
    for c in &report.credentials {
        let cell = |t: &Option<String>| t.as_deref().map(|t| cell(&escape(t.as_bytes()))).unwrap_or_default();
        let (kind, place) = (escape(c.kind.as_bytes()), words::place(&c.location));
        let (owner, identifier) = (cell(&c.owner), cell(&c.identifier));
        let (rotate, reach) = (c.rotate.as_str(), words::reach(c));
        writeln!(
            out,
            "| {rotate} | {} | {reach} | {owner} | {identifier} | {} |",
            self::cell(&kind),
            self::cell(&place)
        )?;
    }
    Ok(())
}

fn gaps(c: &v1::Coverage, out: &mut dyn Write) -> io::Result<()> {
    if c.gaps.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Not examined\n")?;
    for g in c.gaps.iter().take(words::LISTED) {
        writeln!(out, "- {}: {}", place(&g.location), sentence(&g.detail))?;
    }
    words::more(c.gaps.len(), words::LISTED).map_or(Ok(()), |more| writeln!(out, "- {}", escaped(&more)))
}

fn coverage(c: &v1::Coverage, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## What was examined\n")?;
    if c.surfaces.is_empty() {
        writeln!(out, "- {}", words::NOTHING_TO_EXAMINE)?;
    }
    for s in c.surfaces.iter().take(words::LISTED) {
        writeln!(out, "- {}: {} files, {} facts", code(&escape(s.id.as_bytes())), s.files, s.facts)?;
    }
    let mut more = |all: usize| match words::more(all, words::LISTED) {
        Some(more) => writeln!(out, "- {}", escaped(&more)),
        None => Ok(()),
    };
    more(c.surfaces.len())?;
    if c.undated_commands > 0 {
        writeln!(
            out,
            "- {} install commands in histories have no time and no version: they say nothing",
            c.undated_commands
        )?;
    }
    gaps(c, out)?;
    if words::weightless(c) > 0 {
        writeln!(out, "\n## Unreadable, without weight\n\n{}\n", escaped(words::WEIGHTLESS))?;
        for g in c.unreadable_without_weight.iter().take(words::LISTED) {
            writeln!(out, "- {}: {}", place(&g.location), sentence(&g.detail))?;
        }
        if let Some(more) = words::more(words::weightless(c), words::LISTED) {
            writeln!(out, "- {}", escaped(&more))?;
        }
    }
    if !c.exclusions.is_empty() {
        writeln!(out, "\n## Left out on purpose\n")?;
        for e in c.exclusions.iter().take(words::LISTED) {
            writeln!(out, "- {}: {}", place(&e.location), sentence(&e.reason))?;
        }
        if let Some(more) = words::more(c.exclusions.len(), words::LISTED) {
            writeln!(out, "- {}", escaped(&more))?;
        }
    }
    Ok(())
}

/// A source. What does not look like one is text.
fn link(address: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "/.:-_~#?=&%+,@".contains(c);
    match address.starts_with("https://") && address.chars().all(fits) {
        true => format!("<{address}>"),
        false => code(&escape(address.as_bytes())),
    }
}

fn place(location: &v1::Location) -> String {
    code(&words::place(location))
}

/// A sentence.
fn sentence(text: &str) -> String {
    escaped(&printable(text))
}

/// Every sign that means something in Markdown loses its meaning, at every place: also `:` and `.` and `@`, of which links and
/// mentions are made.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (n, c) in text.chars().enumerate() {
        let starts = n == 0 && matches!(c, '#' | '+' | '-' | '=' | '.' | ')');
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '!' | '{' | '}' | '$' => {
                out.push('\\');
                out.push(c);
            }
            // No backslash stops a mention or a bare link: an empty comment and a character reference do.
            '@' => out.push_str("@<!-- -->"),
            ':' if ["http", "https", "ftp"].iter().any(|scheme| ends_in(&out, scheme)) => out.push_str("&#58;"),
            '.' if ends_in(&out, "www") => out.push_str("&#46;"),
            c if starts => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn ends_in(text: &str, word: &str) -> bool {
    let tail = text.len().checked_sub(word.len()).and_then(|at| text.get(at..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(word))
}

/// A code span around text that is harmless to print already.
fn code(text: &str) -> String {
    let ticks = "`".repeat(longest_run(text) + 1);
    let edge = |c: Option<char>| c.is_none_or(|c| c == '`' || c == ' ');
    let pad = if edge(text.chars().next()) || edge(text.chars().next_back()) { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// A code span in a table.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_cannot_be_left() {
        assert_eq!(code("/a"), "`/a`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`x"), "`` `x ``");
        assert_eq!(cell("a|b"), "`a\\|b`");
    }

    #[test]
    fn sentences_carry_no_markup() {
        assert_eq!(escaped("<b>[x](y)*_|`"), "\\<b\\>\\[x\\](y)\\*\\_\\|\\`");
        assert_eq!(
            escaped("# - see https://evil.example, www.x @all"),
            "\\# - see https&#58;//evil.example, www&#46;x @<!-- -->all"
        );
        assert_eq!(link("javascript:alert(1)"), "`javascript:alert(1)`");
        assert_eq!(escaped("HTTPS://x WwW.y ätp://"), "HTTPS&#58;//x WwW&#46;y ätp://");
        assert_eq!(escaped("- x"), "\\- x");
        assert_eq!(escaped("1.82.7 and 1.82.8"), "1.82.7 and 1.82.8");
    }
}
