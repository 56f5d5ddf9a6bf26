//! Incidents for other programs. What a format has no place for goes into its own extension point, where this program reads it
//! back, and is counted; what was withdrawn, and what is context only, is never offered as an indicator.

mod csv;
mod osv;
mod stix;

use std::collections::BTreeMap;

use super::model::{Incident, Standing};

pub use self::{
    csv::{COLUMNS, csv},
    osv::osv,
    stix::stix,
};

/// What is written.
#[derive(Debug, Default)]
pub struct Exported {
    /// A file name and its text, one per record.
    pub records: Vec<(String, String)>,
    /// What the format cannot say: in words, and how often.
    pub dropped: BTreeMap<String, usize>,
}

impl Exported {
    fn cannot(&mut self, what: &str, count: usize) {
        if count > 0 {
            *self.dropped.entry(what.to_owned()).or_default() += count;
        }
    }
}

/// All records in one text: one as it is, several as an array.
pub fn joined(records: &[(String, String)]) -> String {
    match records {
        [(_, one)] => one.clone(),
        all => {
            let texts: Vec<&str> = all.iter().map(|(_, text)| text.trim_end()).collect();
            format!("[{}]\n", texts.join(",\n"))
        }
    }
}

fn live(standing: &Standing) -> bool {
    standing.withdrawn.is_none()
}

/// The day of an incident as a moment.
fn moment(incident: &Incident) -> String {
    match incident.date.parse::<jiff::civil::Date>() {
        Ok(day) => format!("{day}T00:00:00Z"),
        Err(_) => "1970-01-01T00:00:00Z".to_owned(),
    }
}

/// The incident as it is, for this program to read back. Its list is in `packages`.
fn whole(incident: &Incident) -> Result<serde_json::Value, serde_json::Error> {
    let mut own = incident.clone();
    own.package_list = None;
    serde_json::to_value(own)
}

#[cfg(test)]
mod tests;
