//! `dosimeter rotate`: the plan, of reports or of this machine; kept up with what was ticked, and asked why.

use std::{
    collections::HashSet,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::{Ending, finish::finish, input, output, sandbox, scan};
use crate::{
    cli::RotateCommand,
    credential::Catalog,
    plan::{
        self,
        check::contradictions,
        read::{self as ticks, Sheet},
    },
    report::{
        Document, Format,
        format::JSON,
        page,
        v1::{PLAN, Report, SCHEMA},
    },
    sandbox::Sandbox,
    scan::Target,
    stop,
    text::escape,
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
    let outputs =
        output::plan_with(&command.scan.output, evidence, Document::Checklist, inventory.map(output::inventory), &[])?;
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
        let called =
            |kind: &str| catalog.kind(kind).map_or_else(|| escape(kind.as_bytes()), |known| known.title().to_owned());
        output::print(&page::why(&plan, item, called).ok_or_else(|| {
            anyhow!(
                "no item of this plan is called `{}`\nhint: items are called A1, B2 … or `s-` and 8 digits",
                escape(item.as_bytes())
            )
        })?)?;
        return Ok(Ending::Nothing);
    }
    if !command.only_for.is_empty() {
        part(&mut plan, &command.only_for)?;
    }
    finish(plan, &command.scan.output, |plan, interrupted| match interrupted {
        // A list of steps cannot say that it is not whole.
        true => outputs.write_interrupted(plan),
        false => outputs.write_checklist(plan),
    })
}

/// Leaves what is about these words.
fn part(plan: &mut Report, wanted: &[String]) -> anyhow::Result<()> {
    let shown =
        |words: &[&str]| words.iter().map(|w| format!("`{}`", escape(w.as_bytes()))).collect::<Vec<_>>().join(", ");
    let unknown = plan::only_for(plan, wanted);
    anyhow::ensure!(
        unknown.is_empty(),
        "no item is about {}\nhint: this plan has\n  {}",
        shown(&unknown),
        plan::words_for(plan).lines()
    );
    let (left, all) = (plan.shown().count(), plan.checklist.len());
    let words: Vec<&str> = wanted.iter().map(String::as_str).collect();
    output::note(&format!("{left} of {all} items are about {}; the others are left out", shown(&words)));
    Ok(())
}

/// The plan of the files, with what was ticked, where that does not contradict itself.
fn of_files(command: &RotateCommand) -> anyhow::Result<Report> {
    let is_text = |path: &&PathBuf| sheet_reader(path).is_some();
    let (texts, plans): (Vec<&PathBuf>, Vec<&PathBuf>) = command.update.iter().partition(is_text);
    let mut reports = Vec::new();
    for path in plans {
        reports.push((output::shown(path), read(path)?));
    }
    agree(&reports)?;
    let mut sheets = Vec::new();
    for path in texts {
        sheets.push(read_sheet(path)?);
    }
    let quiet = command.scan.output.quiet;
    // The numbers of a plan are those of the plan that was printed.
    let mut known = plan::of_several(reports).map(plan::plan);
    if let Some(plan) = &mut known {
        take_over(plan, &sheets, quiet)?;
    }
    let before = known.as_ref().map(Known::new);
    let mut worked = false;
    let mut reports: Vec<(String, Report)> = known.into_iter().map(|plan| ("the plan".to_owned(), plan)).collect();
    for path in &command.reports {
        let report = read(path)?;
        worked |= !report.work.is_empty();
        reports.push((output::shown(path), report));
    }
    agree(&reports)?;
    if !quiet {
        plan::joined(&reports).iter().for_each(|line| output::note(line));
    }
    let all = plan::of_several(reports).ok_or_else(|| {
        anyhow!("Markdown and CSV hold ticks, not the plan\nhint: name the plan's JSON or its reports too")
    })?;
    let mut all = plan::plan(all);
    match before {
        None => take_over(&mut all, &sheets, quiet)?,
        Some(before) => {
            let ids = before.ids_in(&all);
            plan::overtaken(&mut all, &ids).iter().for_each(|line| output::note(line));
            // A second plan was not looked at yet.
            if worked {
                take_over(&mut all, &[], quiet)?;
            }
        }
    }
    let is_json = |path: &PathBuf| Format::from_path(path) == Some(JSON);
    let options = &command.scan.output;
    if !quiet && !sheets.is_empty() && options.format != JSON && !options.output.iter().any(is_json) {
        output::note("hint: it is kept only where the plan is written: add `-o plan.json`");
    }
    Ok(all)
}

/// Refuses plans that say two things of one item.
fn agree(plans: &[(String, Report)]) -> anyhow::Result<()> {
    let differ = plan::disagreeing(plans);
    anyhow::ensure!(
        differ.is_empty(),
        "the plans disagree, and nothing was written:\n  {}\nhint: hand in the one that holds, and the ticks of the other as Markdown or CSV",
        few(&differ)
    );
    Ok(())
}

/// The items that a plan had before a later report.
struct Known {
    ids: Vec<String>,
    /// What its one machine is called among several.
    single: Option<String>,
}

impl Known {
    fn new(plan: &Report) -> Self {
        let single = plan.machines.is_empty().then(|| plan::called(&plan.run.target).to_owned());
        Self { ids: plan.checklist.iter().map(|i| i.id.clone()).collect(), single }
    }

    /// Their ids in what has become of the plan.
    fn ids_in(self, plan: &Report) -> HashSet<String> {
        let machine = self.single.filter(|_| !plan.machines.is_empty());
        self.ids.into_iter().map(|id| machine.as_ref().map_or(id.clone(), |m| plan::own_id(&id, m))).collect()
    }
}

/// Puts on a plan what files say, says what that was, and refuses what contradicts itself.
fn take_over(plan: &mut Report, sheets: &[Sheet], quiet: bool) -> anyhow::Result<()> {
    let refuse = |faults: Vec<String>, hint: &str| {
        anyhow!(
            "the plan contradicts itself, and nothing was written:\n  {}\nhint: mend these lines{hint}",
            few(&faults)
        )
    };
    let taken = plan::put(plan, sheets).map_err(|faults| refuse(faults, ""))?;
    let faults = contradictions(plan, &taken.lines, Timestamp::now());
    if !faults.is_empty() {
        let hint = "; where it was done in that order all the same, what should have come first is `accepted_risk`, with a note";
        return Err(refuse(faults, hint));
    }
    if !sheets.is_empty() && !quiet {
        output::note(&taken.changes().join("\n"));
    }
    taken.left().iter().for_each(|line| output::note(line));
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
    let work = match text_reader(path) {
        Some(reader) => {
            let mut bytes = Vec::new();
            let read = input.read_to_end(&mut bytes).ok().and_then(|_| ticks::text(&bytes).ok());
            // What cannot be understood may be somebody's work.
            read.is_some_and(|read| reader(&read.text, "").map_or(read.text.contains("s-"), |sheet| sheet.is_worked()))
        }
        None if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) => {
            drop(input);
            read(path).is_ok_and(|plan| {
                !plan.work.is_empty() || plan.checklist.iter().any(|i| i.steps.iter().any(|s| s.done))
            })
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

/// Of a file that is handed in: also what spreadsheets call a text, or their own documents, of which is said what they are.
fn sheet_reader(path: &Path) -> Option<Ticks> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    let others = ["tsv", "tab", "txt", "xlsx", "xls", "ods"].contains(&ending.as_str());
    text_reader(path).or(others.then_some(ticks::csv))
}

type Ticks = fn(&str, &str) -> Result<Sheet, Vec<String>>;

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

/// Faults that are listed.
const FAULTS: usize = 50;

fn few(faults: &[String]) -> String {
    let more = faults.len().saturating_sub(FAULTS);
    let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    let listed: Vec<&str> = faults.iter().take(FAULTS).map(String::as_str).collect();
    format!("{}{more}", listed.join("\n  "))
}

fn read_sheet(path: &Path) -> anyhow::Result<Sheet> {
    let shown = output::shown(path);
    let reader = sheet_reader(path).ok_or_else(|| anyhow!("`{shown}` is neither Markdown nor CSV"))?;
    let read = ticks::text(&input::bytes(path, TEXT)?).map_err(|why| anyhow!("`{shown}` cannot be read: {why}"))?;
    if let Some(remark) = read.remark {
        output::note(&format!("`{shown}` is {remark}"));
    }
    reader(&read.text, &shown).map_err(|faults| anyhow!("`{shown}` cannot be taken over:\n  {}", few(&faults)))
}

/// Values of a report: each of 20,000 findings has some forty.
const VALUES: u64 = 4_000_000;

/// The report or plan in a file. It is never held as a text too.
///
/// # Errors
/// Where it is none.
pub fn read(path: &Path) -> anyhow::Result<Report> {
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
