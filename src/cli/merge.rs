//! The options of `dosimeter merge`.

use std::path::PathBuf;

use clap::Args;

use super::{IndicatorOptions, OutputOptions};

/// `dosimeter merge`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct MergeCommand {
    /// Parts of `dosimeter images --shard`, reports (`-o FILE.json`) of machines and of images, inventories and bills of materials;
    /// folders of these. In any order, the same one as often as it comes
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Worker threads; by default one per core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    #[command(flatten)]
    /// Where the indicators come from.
    pub indicators: IndicatorOptions,
    #[command(flatten)]
    /// Where the report goes.
    pub output: OutputOptions,
}

const EXAMPLES: &str = "\
Examples:
  dosimeter merge shards/ -o images.json               the parts of all shards, as one run would have said it
  dosimeter merge hosts/*.json images.json -o all.md   one picture and one checklist of a fleet";
