//! What was examined, what was not, and what was left out.

use std::io;

use super::{Page, escape, printable, v1, words};

pub(super) fn coverage(page: &mut Page<'_>, c: &v1::Coverage) -> io::Result<()> {
    page.heading("WHAT WAS EXAMINED")?;
    if c.surfaces.is_empty() {
        page.prose("", words::NOTHING_TO_EXAMINE)?;
    }
    let mut table = page.table();
    table.set_header(["surface", "files", "facts"]);
    for s in c.surfaces.iter().take(words::LISTED) {
        table.add_row([escape(s.id.as_bytes()), s.files.to_string(), s.facts.to_string()]);
    }
    if !c.surfaces.is_empty() {
        page.out_table(&table)?;
    }
    if let Some(more) = words::more(c.surfaces.len(), words::LISTED) {
        page.prose("", &more)?;
    }
    if c.undated_commands > 0 {
        page.prose(
            "",
            &format!(
                "{} install commands in histories have no time and no version: they say nothing",
                c.undated_commands
            ),
        )?;
    }
    if c.atime_changed > 0 {
        page.prose(
            "",
            &format!("the access time of {} files may have changed: they could not be opened without", c.atime_changed),
        )?;
    }
    gaps(page, c)?;
    if words::weightless(c) > 0 {
        page.heading("UNREADABLE, WITHOUT WEIGHT")?;
        page.prose("  ", words::WEIGHTLESS)?;
        for g in c.unreadable_without_weight.iter().take(words::LISTED) {
            page.line(&format!("  {}: {}", words::shortened(&words::place(&g.location)), printable(&g.detail)))?;
        }
        if let Some(more) = words::more(words::weightless(c), words::LISTED) {
            page.prose("  ", &more)?;
        }
    }
    if !c.exclusions.is_empty() {
        page.heading("LEFT OUT ON PURPOSE")?;
        for e in c.exclusions.iter().take(words::LISTED) {
            page.line(&format!("  {}: {}", words::place(&e.location), printable(&e.reason)))?;
        }
        if let Some(more) = words::more(c.exclusions.len(), words::LISTED) {
            page.prose("  ", &more)?;
        }
    }
    Ok(())
}

pub(super) fn gaps(page: &mut Page<'_>, c: &v1::Coverage) -> io::Result<()> {
    if c.gaps.is_empty() {
        return Ok(());
    }
    page.heading("NOT EXAMINED")?;
    for g in c.gaps.iter().take(words::LISTED) {
        page.line(&format!("  {}", words::shortened(&words::place(&g.location))))?;
        page.prose("    ", &format!("{}: {}", escape(g.surface.as_bytes()), printable(&g.detail)))?;
    }
    words::more(c.gaps.len(), words::LISTED).map_or(Ok(()), |more| page.prose("  ", &more))
}
