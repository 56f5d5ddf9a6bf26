//! Formats of reports on the command line, as `report::FORMATS` declares them.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::report::{FORMATS, Format};

/// The values of `--format`, with their help.
pub fn report_format() -> impl TypedValueParser<Value = &'static Format> {
    let values = FORMATS.iter().map(|f| PossibleValue::new(f.name).help(f.about));
    PossibleValuesParser::new(values).try_map(|name| Format::named(&name).ok_or("no format is called so"))
}

/// The one that is taken without `--format`.
pub fn default_format() -> &'static str {
    FORMATS.first().map_or("", |f| f.name)
}

/// The help of `-o`.
pub fn output_help() -> String {
    let endings: Vec<&str> = FORMATS.iter().filter_map(|f| f.endings.first().copied()).collect();
    format!("Also write the report to FILE; its ending picks the format: {} (repeatable)", endings.join(" "))
}
