//! `dosimeter rotate`: the plan, of reports or of this machine; kept up with what was ticked, and asked why.

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::{Ending, finish::finish, input, output, sandbox, scan};
use crate::{
    cli::RotateCommand,
    credential::Catalog,
    plan::{
        self,
        check::contradictions,
        read::{self as ticks, Ticked},
    },
    report::{
        Document, page,
        v1::{PLAN, Report, SCHEMA, Work},
    },
    sandbox::Sandbox,
    scan::Target,
    stop,
};

/// Prints it.
///
/// # Errors
/// Where a file cannot be read or contradicts itself, or the machine cannot be examined.
pub fn run(command: RotateCommand) -> anyhow::Result<Ending> {
    let target = scan::target(&command.scan, Vec::new())?;
    let examines = command.reports.is_empty() && command.update.is_empty();
    let evidence = if examines { scan::evidence(&target) } else { command.reports.as_slice() };
    let inventory = command.scan.record.inventory.as_deref();
    anyhow::ensure!(
        inventory.is_none() || examines,
        "a report and `--inventory` exclude each other\nhint: without a report the machine is examined first"
    );
    anyhow::ensure!(
        command.scan.case_key.is_none() || examines,
        "a report and `--case-key` exclude each other\nhint: its tags are compared by `dosimeter verify`"
    );
    if !command.scan.output.force_output {
        command.scan.output.output.iter().filter(|p| !command.update.contains(p)).try_for_each(|path| keeps(path))?;
    }
    let outputs = output::plan_with(&command.scan.output, evidence, Document::Checklist, inventory)?;
    let mut plan = if examines {
        plan::plan(scan::examine("rotate", &command.scan, &target, &outputs)?)
    } else {
        let sandbox = sandbox::begin("rotate");
        let files: Vec<PathBuf> = command.update.iter().chain(&command.reports).cloned().collect();
        sandbox.enclose(&files);
        anyhow::ensure!(
            command.scan.root.is_none() && command.scan.home.is_empty(),
            "a report and `--root` or `--home` exclude each other\nhint: without a report they are examined first"
        );
        match of_files(&command) {
            Err(_) if stop::requested() => interrupted(&sandbox, &command, &files, &outputs)?,
            other => other?,
        }
    };
    if let Some(item) = &command.why {
        let catalog = Catalog::embedded().map_err(anyhow::Error::msg)?;
        let called = |kind: &str| {
            catalog.kind(kind).map_or_else(|| crate::text::escape(kind.as_bytes()), |known| known.title().to_owned())
        };
        output::print(&page::why(&plan, item, called).ok_or_else(|| {
            anyhow!(
                "no item of this plan is called `{}`\nhint: items are called A1, B2 … or `s-` and 8 digits",
                crate::text::escape(item.as_bytes())
            )
        })?)?;
        return Ok(Ending::Nothing);
    }
    if let Some(wanted) = &command.only_for {
        let left_out = plan::only_for(&mut plan, wanted);
        let all = plan.checklist.len();
        anyhow::ensure!(
            left_out < all || all == 0,
            "no item is about `{}`\nhint: this plan has {}",
            crate::text::escape(wanted.as_bytes()),
            plan::words_for(&plan).join(", ")
        );
        output::note(&format!("{} of {all} items are about `{wanted}`; the others are left out", all - left_out));
    }
    finish(plan, &command.scan.output, |plan, interrupted| match interrupted {
        // A list of steps cannot say that it is not whole.
        true => outputs.write_interrupted(plan),
        false => outputs.write_checklist(plan),
    })
}

/// The plan of the files, with what was ticked, where that does not contradict itself.
fn of_files(command: &RotateCommand) -> anyhow::Result<Report> {
    let is_text = |path: &&PathBuf| text_reader(path).is_some();
    let (texts, plans): (Vec<&PathBuf>, Vec<&PathBuf>) = command.update.iter().partition(is_text);
    let mut reports = Vec::new();
    for path in plans {
        reports.push((output::shown(path), read(path)?));
    }
    let mut ticked = Vec::new();
    for path in texts {
        ticked.extend(read_ticks(path)?);
    }
    // The numbers of a plan are those of the plan that was printed.
    let before = !reports.is_empty();
    if before {
        let mut known = plan::of_several(reports).map(plan::plan).into_iter().collect::<Vec<_>>();
        known.iter_mut().for_each(|plan| plan::put(plan, ticked.iter().map(|t: &Ticked| t.work.clone()).collect()));
        refuse(&known, &ticked)?;
        reports = known.into_iter().map(|plan| ("the plan".to_owned(), plan)).collect();
    }
    for path in &command.reports {
        reports.push((output::shown(path), read(path)?));
    }
    let all = plan::of_several(reports).ok_or_else(|| {
        anyhow!("Markdown and CSV hold ticks, not the plan\nhint: name the plan's JSON or its reports too")
    })?;
    let mut all = plan::plan(all);
    if !before {
        plan::put(&mut all, ticked.iter().map(|t| t.work.clone()).collect());
        refuse(std::slice::from_ref(&all), &ticked)?;
    }
    Ok(all)
}

fn refuse(plans: &[Report], ticked: &[Ticked]) -> anyhow::Result<()> {
    let faults: Vec<String> = plans.iter().flat_map(|plan| contradictions(plan, ticked)).collect();
    anyhow::ensure!(
        faults.is_empty(),
        "the plan contradicts itself, and nothing was written:\n  {}",
        faults.join("\n  ")
    );
    Ok(())
}

/// The user ended the run while a file was read.
fn interrupted(
    sandbox: &Sandbox,
    command: &RotateCommand,
    files: &[PathBuf],
    outputs: &output::Outputs,
) -> anyhow::Result<Report> {
    let nothing = Target::Paths(Vec::new(), false);
    let mut report = scan::examine_in(sandbox, &command.scan, &nothing, outputs)?;
    if let Some(first) = files.first() {
        report.run.target.id = first.to_string_lossy().into_owned();
    }
    Ok(report)
}

/// Refuses to write over a plan that somebody works on and this run does not read.
fn keeps(path: &Path) -> anyhow::Result<()> {
    let regular = input::open(path).ok().filter(|i| i.regular().is_some_and(|(_, len)| len <= TEXT));
    let (Some(mut input), true) = (regular, path.extension().is_some()) else {
        return Ok(());
    };
    let mut text = String::new();
    let work = match text_reader(path) {
        Some(reader) if input.read_to_string(&mut text).is_ok() => {
            let ticked = reader(&text, "").unwrap_or_default();
            ticked.iter().any(|t| t.work != Work { item: t.work.item.clone(), ..Work::default() })
        }
        None if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) => {
            drop(input);
            read(path).is_ok_and(|plan| !plan.work.is_empty())
        }
        _ => false,
    };
    anyhow::ensure!(
        !work,
        "`{0}` holds ticks that this run does not read\nhint: `--update {0}` takes them over; `--force-output` writes there all the same",
        output::shown(path)
    );
    Ok(())
}

type Ticks = fn(&str, &str) -> Result<Vec<Ticked>, Vec<String>>;

fn text_reader(path: &Path) -> Option<Ticks> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    match ending.as_str() {
        "md" | "markdown" => Some(ticks::markdown),
        "csv" => Some(ticks::csv),
        _ => None,
    }
}

/// Bytes of an edited plan.
const TEXT: u64 = 64 << 20;

fn read_ticks(path: &Path) -> anyhow::Result<Vec<Ticked>> {
    let shown = output::shown(path);
    let reader = text_reader(path).ok_or_else(|| anyhow!("`{shown}` is neither Markdown nor CSV"))?;
    let mut text = String::new();
    let read = input::open(path)?.take(TEXT + 1).read_to_string(&mut text);
    read.map_err(|e| anyhow!("`{shown}` cannot be read: {e}"))?;
    anyhow::ensure!(u64::try_from(text.len()).is_ok_and(|n| n <= TEXT), "`{shown}` is larger than {} MB", TEXT >> 20);
    reader(&text, &shown).map_err(|faults| anyhow!("`{shown}` cannot be taken over:\n  {}", faults.join("\n  ")))
}

/// Values of a report: each of 20,000 findings has some forty.
const VALUES: u64 = 4_000_000;

/// The report or plan in a file. It is never held as a text too.
fn read(path: &Path) -> anyhow::Result<Report> {
    let report: Report = json(path, "report")?;
    anyhow::ensure!(
        [SCHEMA, PLAN].contains(&report.schema.as_str()),
        "`{}` is not a `{SCHEMA}` or `{PLAN}`",
        output::shown(path)
    );
    Ok(report)
}

/// A document in a file, called `what` in messages. It is never held as a text too.
pub fn json<T: DeserializeOwned>(path: &Path, what: &str) -> anyhow::Result<T> {
    let shown = output::shown(path);
    let input = input::open(path)?;
    anyhow::ensure!(
        input.regular().is_none_or(|(_, len)| len <= input::REPORT),
        "`{shown}` is larger than {} MB: no report is",
        input::REPORT >> 20
    );
    let bounded = input::Bounded::new(input, input::REPORT, VALUES);
    serde_json::from_reader(io::BufReader::with_capacity(1 << 16, bounded)).map_err(|e| {
        // The parser's own words may quote the file, and it may be the wrong one.
        let at = format!("line {} column {}", e.line(), e.column());
        let why = match e.classify() {
            Category::Data => format!("not of its form, {at}"),
            Category::Eof => format!("the file ends too early, {at}"),
            Category::Syntax => format!("not JSON, {at}"),
            Category::Io => io::Error::from(e).to_string(),
        };
        anyhow!("`{shown}` is not a {what}: {why}\nhint: `dosimeter -o case.json` writes a report")
    })
}
