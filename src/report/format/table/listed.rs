//! Tables of what was examined: machines, images.

use std::io;

use super::Page;
use crate::{
    report::{v1, words},
    text::escape,
    verdict::Exposure,
};

/// Machines that the page lists.
const MACHINES: usize = 40;

/// The machines of a report of several.
pub(super) fn machines(page: &mut Page<'_>, report: &v1::Report) -> io::Result<()> {
    if report.machines.is_empty() {
        return Ok(());
    }
    page.heading("MACHINES")?;
    page.prose("", &words::machines_counted(report))?;
    let listed = words::machines_by_weight(report);
    if listed.is_empty() {
        return Ok(());
    }
    let mut table = page.table();
    table.set_header(["machine", "exposure", "incidents", "to rotate", "examined"]);
    for m in listed.iter().take(MACHINES) {
        let exposure = m.exposure.map_or("none", Exposure::as_str);
        let (tree, taken) = (escape(m.tree.as_bytes()), words::taken(m));
        table.add_row([tree, exposure.to_owned(), taken, m.to_rotate.to_string(), words::how_complete(m)]);
    }
    page.out_table(&table)?;
    words::more(listed.len(), MACHINES).map_or(Ok(()), |more| page.prose("", &more))
}

/// Images that the page lists.
const IMAGES: usize = 40;

/// The images of a sweep.
pub(super) fn images(page: &mut Page<'_>, report: &v1::Report) -> io::Result<()> {
    let Some(sweep) = report.sweep.as_ref().filter(|sweep| words::lists_images(sweep)) else {
        return Ok(());
    };
    page.heading("IMAGES")?;
    page.prose("", &words::images_counted(sweep))?;
    let listed = words::images_by_weight(sweep);
    if listed.is_empty() {
        return Ok(());
    }
    let columns = words::columns(sweep);
    let mut table = page.table();
    let incidents = if columns.is_empty() { vec!["incidents"] } else { columns.clone() };
    let header = ["image"].into_iter().chain(incidents).chain(["used by", "examined"]);
    table.set_header(header.map(|text| escape(text.as_bytes())));
    for image in listed.iter().take(IMAGES) {
        let examined = if image.complete { "completely" } else { "in part" };
        let cells = [escape(image.tree.as_bytes())].into_iter().chain(words::image_cells(image, &columns));
        table.add_row(cells.chain([words::users(image), examined.to_owned()]));
    }
    page.out_table(&table)?;
    words::more(listed.len(), IMAGES).map_or(Ok(()), |more| page.prose("", &more))?;
    let bases = words::bases(sweep);
    if !bases.is_empty() {
        page.line("")?;
        page.prose("", "To build anew, in the order in which it helps most images:")?;
        bases.iter().enumerate().try_for_each(|(n, base)| page.prose(&format!("  {}. ", n + 1), base))?;
    }
    Ok(())
}
