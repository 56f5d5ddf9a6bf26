//! One record per line, for log stores: `run_start`, `machine` (of several), `finding`, `credential`, `anomaly`, `gap`,
//! `unreadable_without_weight`, `exclusion`, and `run_summary` last. Every record names its `type` and its run, so that lines of many
//! machines can share a file. A file without the last is cut off.

use std::io::{self, Write};

use serde::Serialize;

use super::{Format, v1};
use crate::text;

/// The value of `schema` in `run_start`.
const SCHEMA: &str = "dosimeter.ndjson/1";

/// Declared here alone.
pub static FORMAT: Format = Format {
    name: "ndjson",
    endings: &[".ndjson", ".jsonl"],
    about: "The same records, one per line, for log stores",
    for_people: false,
    report: Some(|report, out, _| records(report, out)),
    checklist: Some(|report, out, _| lines(&report.checklist, out)),
    is_ours: |text| super::starts_with_schema(text, SCHEMA) || super::starts_with_item(text),
};

#[derive(Serialize)]
struct Record<'r> {
    run_id: &'r str,
    #[serde(flatten)]
    body: Body<'r>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body<'r> {
    RunStart { schema: &'static str, tool: &'r v1::Tool, indicators: &'r v1::Indicators, run: &'r v1::Run },
    Machine(&'r v1::Machine),
    Image(&'r v1::SweptImage),
    Base(&'r v1::Base),
    Finding(InIncident<'r>),
    Credential(&'r v1::Credential),
    Anomaly(&'r v1::Anomaly),
    Gap(&'r v1::Gap),
    UnreadableWithoutWeight(&'r v1::Gap),
    Exclusion(&'r v1::Exclusion),
    RunSummary(Summary<'r>),
}

#[derive(Serialize)]
struct InIncident<'r> {
    incident: &'r str,
    #[serde(flatten)]
    finding: &'r v1::Finding,
}

#[derive(Serialize)]
struct Summary<'r> {
    verdict: &'r v1::Verdict,
    findings: usize,
    credentials: usize,
    anomalies: usize,
    gaps: usize,
    unreadable_without_weight: usize,
    exclusions: usize,
    files_seen: u64,
    bytes_read: u64,
    checklist: &'r [v1::Item],
}

/// The record of one image, of a run that goes on.
///
/// # Errors
/// Where `out` fails.
pub fn image_record(run_id: &str, image: &v1::SweptImage, out: &mut dyn Write) -> io::Result<()> {
    line(&Record { run_id, body: Body::Image(image) }, out)
}

/// Whether the start of a file is one of these records.
pub fn is_records(start: &[u8]) -> bool {
    start.starts_with(b"{\"run_id\":\"")
}

/// All records of a report.
fn records(report: &v1::Report, out: &mut dyn Write) -> io::Result<()> {
    let run_id = report.run.id.as_str();
    let mut put = |body: Body<'_>| line(&Record { run_id, body }, out);
    let c = &report.coverage;
    put(Body::RunStart { schema: SCHEMA, tool: &report.tool, indicators: &report.indicators, run: &report.run })?;
    report.machines.iter().try_for_each(|m| put(Body::Machine(m)))?;
    if let Some(sweep) = &report.sweep {
        sweep.images.iter().try_for_each(|i| put(Body::Image(i)))?;
        sweep.bases.iter().try_for_each(|b| put(Body::Base(b)))?;
    }
    let mut findings = 0;
    for incident in &report.incidents {
        for finding in &incident.findings {
            findings += 1;
            put(Body::Finding(InIncident { incident: &incident.id, finding }))?;
        }
    }
    report.credentials.iter().try_for_each(|c| put(Body::Credential(c)))?;
    report.anomalies.iter().try_for_each(|a| put(Body::Anomaly(a)))?;
    c.gaps.iter().try_for_each(|g| put(Body::Gap(g)))?;
    c.unreadable_without_weight.iter().try_for_each(|g| put(Body::UnreadableWithoutWeight(g)))?;
    c.exclusions.iter().try_for_each(|e| put(Body::Exclusion(e)))?;
    put(Body::RunSummary(Summary {
        verdict: &report.verdict,
        findings,
        credentials: report.credentials.len(),
        anomalies: report.anomalies.len(),
        gaps: c.gaps.len(),
        unreadable_without_weight: super::words::weightless(c),
        exclusions: c.exclusions.len(),
        files_seen: c.files_seen,
        bytes_read: c.bytes_read,
        checklist: &report.checklist,
    }))
}

/// Each value on a line.
fn lines(values: &[impl Serialize], out: &mut dyn Write) -> io::Result<()> {
    values.iter().try_for_each(|v| line(v, out))
}

fn line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    text::json::write(value, out)?;
    out.write_all(b"\n")
}
