//! The report for a terminal: the answer, what to do, then the evidence. Sentences wrap at the width; a path or a command stays in
//! one piece on a line of its own, so that it can be copied.

mod coverage;
mod listed;

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr as _;

use self::{
    coverage::{coverage, gaps},
    listed::{images, machines},
};
use super::{
    super::page::{self as first, Labels},
    Colour, Format, Style, v1, words,
};
use crate::{
    text::{escape, printable},
    verdict::{Exposure, Urgency, Workstream},
};

/// Declared here alone.
pub static FORMAT: Format = Format {
    name: "table",
    endings: &[".txt"],
    about: "For people, as a terminal shows it",
    for_people: true,
    report: Some(report),
    checklist: Some(checklist),
    is_ours: |text| super::starts_with_answer(text) && text.contains("indicators "),
};

/// Sentences longer than this are hard to read on any screen.
const PROSE: usize = 110;
/// Findings of one incident.
const FINDINGS: usize = 40;
/// Sources of one incident.
const REFERENCES: usize = 3;
/// Credentials to rotate.
const DUE: usize = 100;
/// Credentials that need no rotation.
const UNTOUCHED: usize = 10;
/// Moments of the timeline.
const MOMENTS: usize = 60;
/// After more lines than a screen has, the answer is said again.
const SCREEN: usize = 100;

/// The whole report.
fn report(report: &v1::Report, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let mut page = Page { out, style, lines: 0 };
    answer(&mut page, report)?;
    machines(&mut page, report)?;
    images(&mut page, report)?;
    if !report.checklist.is_empty() {
        first_page(&mut page, report)?;
    }
    if !report.incidents.is_empty() {
        page.heading("FINDINGS")?;
        for (at, i) in report.incidents.iter().enumerate() {
            if at > 0 {
                page.line("")?;
            }
            incident(&mut page, i)?;
        }
    }
    credentials(&mut page, report)?;
    timeline(&mut page, report)?;
    anomalies(&mut page, report)?;
    kept_evidence(&mut page, report)?;
    coverage(&mut page, &report.coverage)?;
    if page.lines > SCREEN {
        page.line("")?;
        summary(&mut page, report)?;
    }
    Ok(())
}

/// The checklist, with every step.
fn checklist(report: &v1::Report, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let mut page = Page { out, style, lines: 0 };
    answer(&mut page, report)?;
    if report.checklist.is_empty() {
        page.line("")?;
        page.prose("", words::NO_STEPS)?;
        return gaps(&mut page, &report.coverage);
    }
    first_page(&mut page, report)?;
    let labels = Labels::new(report);
    for stream in Workstream::ALL {
        let items: Vec<&v1::Item> = report.shown().filter(|i| i.workstream() == stream).collect();
        if items.is_empty() {
            continue;
        }
        page.heading(&format!("{}  {}", stream.letter(), first::stream(stream)))?;
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                page.line("")?;
            }
            long_item(&mut page, report, &labels, item)?;
        }
    }
    Ok(())
}

fn summary(page: &mut Page<'_>, report: &v1::Report) -> io::Result<()> {
    let paint = match report.verdict.exposure {
        Some(Exposure::Executed | Exposure::Installed) => Paint::Red,
        Some(_) => Paint::Yellow,
        None => Paint::Bold,
    };
    for line in wrap(&printable(&report.verdict.summary), page.prose_width()) {
        let painted = page.paint(paint, &line);
        page.line(&painted)?;
    }
    Ok(())
}

fn answer(page: &mut Page<'_>, report: &v1::Report) -> io::Result<()> {
    summary(page, report)?;
    page.prose("", &words::run(report))?;
    page.prose("", &words::examined(report))?;
    page.prose("", &words::indicators(report))
}

/// What somebody has to know who reads nothing else.
fn first_page(page: &mut Page<'_>, report: &v1::Report) -> io::Result<()> {
    page.line("")?;
    for line in first::page(report, page.style.width.clamp(40, PROSE)) {
        let heading = line.starts_with(['A', 'B', 'C']) && line.get(1..3) == Some("  ");
        let line = match heading || line.starts_with("STOP") {
            true => page.paint(if heading { Paint::Bold } else { Paint::Red }, &line),
            false => line,
        };
        page.line(&line)?;
    }
    page.line("")?;
    let list = words::whole_list(report);
    page.prose("", &format!("every step with commands and reasons: {list}, as a script `--format sh`"))
}

fn long_item(page: &mut Page<'_>, report: &v1::Report, labels: &Labels<'_>, item: &v1::Item) -> io::Result<()> {
    let lead = format!("{:<4}", labels.of(&item.id));
    for (n, line) in wrap(&words::title(report, item), page.prose_width().saturating_sub(lead.len())).iter().enumerate()
    {
        let lead = if n == 0 { lead.clone() } else { " ".repeat(lead.len()) };
        let painted = page.paint(Paint::Bold, line);
        page.line(&format!("{lead}{painted}"))?;
    }
    page.prose("      why: ", &printable(&item.why))?;
    page.line(&format!("      where: {}", words::on(item)))?;
    let after = words::after(labels, item);
    if !after.is_empty() {
        page.prose("      after: ", &after)?;
    }
    for step in &item.steps {
        page.prose("      - ", &printable(&step.what))?;
        if let Some(command) = &step.command {
            page.command(command)?;
        }
        for remark in words::remarks(step) {
            page.prose("          ", &printable(&remark))?;
        }
    }
    Ok(())
}

fn incident(page: &mut Page<'_>, incident: &v1::IncidentReport) -> io::Result<()> {
    let title = format!("{}: {}", printable(&incident.id), printable(&incident.title));
    let title = page.paint(Paint::Bold, &title);
    page.line(&title)?;
    for w in &incident.windows {
        page.prose("  ", &format!("{}: available {}", printable(&w.artifact), w.span()))?;
    }
    let findings = words::worst_first(incident);
    for f in findings.iter().take(FINDINGS) {
        page.line("")?;
        finding(page, f)?;
    }
    if let Some(more) = words::more(findings.len(), FINDINGS) {
        page.prose("  ", &more)?;
    }
    page.line("")?;
    for r in incident.references.iter().take(REFERENCES) {
        page.line(&format!("  see {}", printable(r)))?;
    }
    match incident.references.len().saturating_sub(REFERENCES) {
        0 => Ok(()),
        n => page.prose("  ", &format!("and {} in the JSON report", words::count(n, "more source"))),
    }
}

fn finding(page: &mut Page<'_>, f: &v1::Finding) -> io::Result<()> {
    let paint = match f.exposure {
        Exposure::Executed | Exposure::Installed => Paint::Red,
        Exposure::Removed | Exposure::Cached | Exposure::Referenced => Paint::Yellow,
    };
    let judged = page.paint(paint, &format!("{}, {}", f.exposure.as_str(), f.confidence.as_str()));
    page.line(&format!("  {judged}: {}", words::indicator(f)))?;
    page.line(&format!("    {}", words::place(&f.location)))?;
    if let Some(when) = words::when(f) {
        page.prose("    when:  ", &when)?;
    }
    page.prose("    why:   ", &printable(&f.reason))?;
    if !f.chain.is_empty() {
        page.prose("    chain: ", &words::chain(&f.chain))?;
    }
    if let Some(artifact) = f.artifact.as_ref().map(words::artifact).filter(|a| !a.is_empty()) {
        page.prose("    file:  ", &artifact)?;
    }
    Ok(())
}

/// With the place in a column where everything fits, else on a line of its own.
fn credentials(page: &mut Page<'_>, report: &v1::Report) -> io::Result<()> {
    if report.credentials.is_empty() {
        return Ok(());
    }
    page.heading("CREDENTIALS")?;
    let (due, rest): (Vec<_>, Vec<_>) = report.credentials.iter().partition(|c| c.rotate != Urgency::No);
    if !report.kept_evidence.is_empty() {
        page.prose("", words::EARLIER)?;
    }
    let counted = match (due.len(), report.kept_evidence.is_empty()) {
        (0, false) => format!("{} found", report.credentials.len()),
        (due, _) => format!("{due} of {} to rotate", report.credentials.len()),
    };
    page.prose("", &format!("{counted}; no value is ever read into this report"))?;
    let untouched = rest.iter().copied().take(UNTOUCHED);
    let shown: Vec<&v1::Credential> = due.iter().copied().take(DUE).chain(untouched).collect();
    let rows: Vec<[String; 6]> = shown.iter().map(|c| row(c)).collect();
    let head = ["rotate", "kind", "reach", "owner", "identifier", "place"];
    let columns = (0..head.len()).map(|n| {
        let cells = rows.iter().filter_map(|r| r.get(n)).map(|c| c.width());
        cells.chain(head.get(n).map(|h| h.width())).max().unwrap_or(0) + 2
    });
    if columns.sum::<usize>() <= page.style.width {
        let mut table = page.table();
        table.set_header(head);
        rows.iter().for_each(|r| _ = table.add_row(r));
        page.out_table(&table)?;
    } else {
        for [rotate, kind, reach, owner, identifier, place] in &rows {
            let paint = if rotate == "no" { Paint::Plain } else { Paint::Bold };
            let rotate = page.paint(paint, &format!("{rotate:<5}"));
            let words: Vec<&str> =
                [kind, reach, owner, identifier].into_iter().map(String::as_str).filter(|w| !w.is_empty()).collect();
            let line = words.join("  ");
            let fits = line.width() + 6 <= page.style.width;
            match line.rsplit_once("  ").filter(|_| !fits) {
                Some((first, identifier)) => {
                    page.line(&format!("{rotate} {first}"))?;
                    page.line(&format!("      {identifier}"))?;
                }
                None => page.line(&format!("{rotate} {line}"))?,
            }
            page.line(&format!("      {place}"))?;
        }
    }
    if due.len() > DUE {
        let more = format!("and {} more to rotate: {}", due.len() - DUE, words::whole_list(report));
        page.prose("", &more)?;
    }
    match rest.len().saturating_sub(UNTOUCHED) {
        0 => Ok(()),
        n => page.prose("", &format!("and {n} more that need no rotation, see the JSON report (`-o report.json`)")),
    }
}

fn row(c: &v1::Credential) -> [String; 6] {
    let owned = |t: &Option<String>| t.as_deref().map(|t| escape(t.as_bytes())).unwrap_or_default();
    let note = c.note.as_deref().map(|n| format!(" ({})", printable(n))).unwrap_or_default();
    [
        c.rotate.as_str().to_owned(),
        escape(c.kind.as_bytes()),
        words::reach(c),
        owned(&c.owner),
        owned(&c.identifier),
        format!("{}{note}", words::place(&c.location)),
    ]
}

fn timeline(page: &mut Page<'_>, report: &v1::Report) -> io::Result<()> {
    let rows = words::timeline(report);
    if rows.is_empty() {
        return Ok(());
    }
    page.heading("TIMELINE")?;
    page.prose("", words::TIMES)?;
    for row in rows.iter().take(MOMENTS) {
        page.prose(&format!("  {:.0}  ", row.at), &format!("{} ({})", row.what, row.source))?;
    }
    words::more(rows.len(), MOMENTS).map_or(Ok(()), |more| page.prose("  ", &more))
}

fn anomalies(page: &mut Page<'_>, report: &v1::Report) -> io::Result<()> {
    if report.anomalies.is_empty() {
        return Ok(());
    }
    page.heading("ODD, AND NO INDICATOR FITS")?;
    for a in report.anomalies.iter().take(words::LISTED) {
        page.line(&format!("  {}", words::place(&a.location)))?;
        page.prose("    ", &printable(&a.what))?;
    }
    words::more(report.anomalies.len(), words::LISTED).map_or(Ok(()), |more| page.prose("  ", &more))
}

fn kept_evidence(page: &mut Page<'_>, report: &v1::Report) -> io::Result<()> {
    if report.kept_evidence.is_empty() {
        return Ok(());
    }
    page.heading("KEPT EVIDENCE")?;
    for k in report.kept_evidence.iter().take(words::LISTED) {
        page.line(&format!("  {}", words::place(&k.location)))?;
        page.prose("    ", &words::kept(k))?;
    }
    words::more(report.kept_evidence.len(), words::LISTED).map_or(Ok(()), |more| page.prose("  ", &more))
}

#[derive(Clone, Copy)]
enum Paint {
    Plain,
    Bold,
    Red,
    Yellow,
    Dim,
}

struct Page<'w> {
    out: &'w mut dyn Write,
    style: Style,
    /// Written so far.
    lines: usize,
}

impl Page<'_> {
    fn line(&mut self, text: &str) -> io::Result<()> {
        self.lines += 1;
        writeln!(self.out, "{}", text.trim_end())
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(Paint::Bold, text);
        writeln!(self.out, "\n{text}")
    }

    fn prose_width(&self) -> usize {
        self.style.width.clamp(40, PROSE)
    }

    /// Wrapped; lines after the first stand under the text.
    fn prose(&mut self, lead: &str, text: &str) -> io::Result<()> {
        let hang = " ".repeat(lead.width());
        for (n, line) in wrap(text, self.prose_width().saturating_sub(lead.width())).iter().enumerate() {
            let lead = if n == 0 { lead } else { &hang };
            self.line(&format!("{lead}{line}"))?;
        }
        Ok(())
    }

    fn command(&mut self, command: &str) -> io::Result<()> {
        let command = self.paint(Paint::Dim, &format!("$ {}", printable(command)));
        self.line(&format!("        {command}"))
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        let code = match (self.style.colour, paint) {
            (Colour::Never, _) | (_, Paint::Plain) => return text.to_owned(),
            (Colour::Always, Paint::Bold) => "1",
            (Colour::Always, Paint::Red) => "1;31",
            (Colour::Always, Paint::Yellow) => "1;33",
            (Colour::Always, Paint::Dim) => "36",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Without borders, so that a pipe reads it as well as a person.
    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
        table
    }

    fn out_table(&mut self, table: &Table) -> io::Result<()> {
        table.lines().try_for_each(|l| self.line(&l))
    }
}

/// Lines of at most `width` columns, broken at spaces. A word that is wider has a line of its own and stays whole.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else {
            break;
        };
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_wrap_by_columns_and_long_ones_stay_whole() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("文文 文文", 5), ["文文", "文文"]);
        assert_eq!(wrap("see /a/very/long/path here", 6), ["see", "/a/very/long/path", "here"]);
        assert_eq!(wrap("", 5), [""]);
    }
}
