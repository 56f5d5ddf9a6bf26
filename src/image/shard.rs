//! How the layers of a sweep are divided over machines: by size, the same on each of them.

use std::{cmp::Reverse, collections::BTreeMap, num::NonZeroUsize};

/// What a layer costs beside its bytes: it is asked for, opened and joined.
const EACH: u64 = 4096;
/// Shards of one sweep.
pub(super) const MOST: usize = 100_000;

/// One of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub number: usize,
    /// How many there are.
    pub of: NonZeroUsize,
}

/// Why something names no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// It is written otherwise.
    #[error("`{0}` is no shard: write `3/8`, `auto`, or `auto/8`")]
    Form(String),
    /// There is no such one.
    #[error("there is no shard {0} of {1}: they are counted from 1, and there are at most 100000")]
    Number(usize, usize),
    /// No variable says it.
    #[error(
        "`auto` finds nothing that says which shard this is\nhint: read are {}; else write `3/8`",
        ENGINES.iter().map(|e| e.index).collect::<Vec<_>>().join(", ")
    )]
    Unknown,
    /// The engine does not say how many there are.
    #[error("{0} does not say how many shards there are: write `auto/8`")]
    Many(&'static str),
    /// A variable holds something else.
    #[error("{0} is no number")]
    Variable(&'static str),
    /// A part of an array was started.
    #[error(
        "the array begins at {0} and may be a part of another one: write `3/8`, with the number that this task had there"
    )]
    Part(usize),
}

/// What an engine of jobs sets for each of them.
struct Engine {
    /// Which one it is.
    index: &'static str,
    /// Of the first one; `None` where the engine lets people choose.
    first: Option<usize>,
    /// How many there are.
    count: Option<&'static str>,
    /// Where people choose: the least number.
    least: Option<&'static str>,
}

/// Documented by each of them; the first two are ours, for engines that set none.
const ENGINES: &[Engine] = &[
    Engine { index: "DOSIMETER_SHARD_INDEX", first: Some(0), count: Some("DOSIMETER_SHARD_COUNT"), least: None },
    Engine { index: "JOB_COMPLETION_INDEX", first: Some(0), count: Some("DOSIMETER_SHARD_COUNT"), least: None },
    Engine { index: "AWS_BATCH_JOB_ARRAY_INDEX", first: Some(0), count: Some("AWS_BATCH_JOB_ARRAY_SIZE"), least: None },
    Engine { index: "CLOUD_RUN_TASK_INDEX", first: Some(0), count: Some("CLOUD_RUN_TASK_COUNT"), least: None },
    Engine {
        index: "SLURM_ARRAY_TASK_ID",
        first: None,
        count: Some("SLURM_ARRAY_TASK_COUNT"),
        least: Some("SLURM_ARRAY_TASK_MIN"),
    },
    Engine {
        index: "BUILDKITE_PARALLEL_JOB",
        first: Some(0),
        count: Some("BUILDKITE_PARALLEL_JOB_COUNT"),
        least: None,
    },
    Engine { index: "CI_NODE_INDEX", first: Some(1), count: Some("CI_NODE_TOTAL"), least: None },
];

impl Shard {
    /// `3/8`; `auto`, by the variables of the engine that runs this; `auto/8` where it does not say how many there are.
    ///
    /// # Errors
    /// Where that names none.
    pub fn parse(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ShardError> {
        let form = || ShardError::Form(text.chars().take(80).collect());
        let number = |text: &str| text.parse::<usize>().map_err(|_| form());
        match text.split_once('/') {
            None if text == "auto" => Self::found(variable, None),
            Some(("auto", of)) => Self::found(variable, Some(number(of)?)),
            Some((at, of)) => Self::new(number(at)?, number(of)?),
            None => Err(form()),
        }
    }

    fn new(number: usize, of: usize) -> Result<Self, ShardError> {
        let wrong = ShardError::Number(number, of);
        match NonZeroUsize::new(of).filter(|of| of.get() <= MOST && (1..=of.get()).contains(&number)) {
            Some(of) => Ok(Self { number, of }),
            None => Err(wrong),
        }
    }

    fn found(variable: &dyn Fn(&str) -> Option<String>, of: Option<usize>) -> Result<Self, ShardError> {
        let number = |name: &'static str| {
            let text = variable(name).filter(|text| !text.is_empty());
            text.map(|text| text.parse::<usize>().map_err(|_| ShardError::Variable(name))).transpose()
        };
        for engine in ENGINES {
            let Some(index) = number(engine.index)? else { continue };
            let counted = engine.count.map(number).transpose()?.flatten();
            let least = engine.least.map(number).transpose()?.flatten();
            let first = engine.first.or(least).unwrap_or(0);
            // Of an array of which a part is started again nobody says where it began.
            if engine.first.is_none() && (first > 1 || of.is_some_and(|of| counted != Some(of))) {
                return Err(ShardError::Part(first));
            }
            let of = of.or(counted).ok_or(ShardError::Many(engine.index))?;
            return Self::new(index.saturating_sub(first) + 1, of);
        }
        Err(ShardError::Unknown)
    }

    /// The positions of the layers that are its own. `weights` are the bytes of each, and which belong together: these stay together.
    /// The largest are given out first, each to the shard that has the least.
    pub fn share(&self, weights: &[(u64, Option<usize>)]) -> Vec<usize> {
        let mut together: BTreeMap<usize, (u64, Vec<usize>)> = BTreeMap::new();
        let mut items: Vec<(u64, Vec<usize>)> = Vec::new();
        for (at, (bytes, with)) in weights.iter().enumerate() {
            let weight = bytes.saturating_add(EACH);
            match with {
                None => items.push((weight, vec![at])),
                Some(with) => {
                    let whole = together.entry(*with).or_default();
                    whole.0 = whole.0.saturating_add(weight);
                    whole.1.push(at);
                }
            }
        }
        items.extend(together.into_values());
        items.sort_by(|a, b| Reverse(a.0).cmp(&Reverse(b.0)).then_with(|| a.1.cmp(&b.1)));
        let mut loads: std::collections::BinaryHeap<Reverse<(u64, usize)>> =
            (1..=self.of.get()).map(|number| Reverse((0, number))).collect();
        let mut own = Vec::new();
        for (weight, positions) in items {
            let Some(Reverse((load, number))) = loads.pop() else { break };
            if number == self.number {
                own.extend(positions);
            }
            loads.push(Reverse((load.saturating_add(weight), number)));
        }
        own.sort_unstable();
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, variables: &[(&str, &str)]) -> Result<(usize, usize), String> {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        Shard::parse(text, &variable).map(|s| (s.number, s.of.get())).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_written_and_what_engines_say() {
        assert_eq!(parse("3/8", &[]), Ok((3, 8)));
        for wrong in ["0/8", "9/8", "1/0", "x", "3", "auto/x", "-1/2", "1/200000", "3/8/9"] {
            assert!(parse(wrong, &[("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "2")]).is_err(), "{wrong}");
        }
        for (variables, is) in [
            (&[("JOB_COMPLETION_INDEX", "0"), ("DOSIMETER_SHARD_COUNT", "4")][..], (1, 4)),
            (&[("AWS_BATCH_JOB_ARRAY_INDEX", "3"), ("AWS_BATCH_JOB_ARRAY_SIZE", "4")], (4, 4)),
            (&[("CLOUD_RUN_TASK_INDEX", "1"), ("CLOUD_RUN_TASK_COUNT", "4")], (2, 4)),
            (&[("SLURM_ARRAY_TASK_ID", "3"), ("SLURM_ARRAY_TASK_COUNT", "8"), ("SLURM_ARRAY_TASK_MIN", "1")], (3, 8)),
            (&[("SLURM_ARRAY_TASK_ID", "3"), ("SLURM_ARRAY_TASK_COUNT", "8"), ("SLURM_ARRAY_TASK_MIN", "0")], (4, 8)),
            (&[("BUILDKITE_PARALLEL_JOB", "0"), ("BUILDKITE_PARALLEL_JOB_COUNT", "2")], (1, 2)),
            (&[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "2")], (2, 2)),
            (&[("DOSIMETER_SHARD_INDEX", "1"), ("DOSIMETER_SHARD_COUNT", "2"), ("CI_NODE_INDEX", "9")], (2, 2)),
        ] {
            assert_eq!(parse("auto", variables), Ok(is), "{variables:?}");
        }
        assert_eq!(parse("auto/4", &[("JOB_COMPLETION_INDEX", "3")]), Ok((4, 4)));
        assert!(parse("auto", &[("JOB_COMPLETION_INDEX", "3")]).unwrap_err().contains("auto/8"));
        // One task of an array, started again alone.
        let again = [("SLURM_ARRAY_TASK_ID", "3"), ("SLURM_ARRAY_TASK_COUNT", "1"), ("SLURM_ARRAY_TASK_MIN", "3")];
        assert!(parse("auto", &again).unwrap_err().contains("part of another"));
        assert!(parse("auto/8", &again).unwrap_err().contains("`3/8`"));
        assert!(parse("auto", &[]).unwrap_err().contains("SLURM_ARRAY_TASK_ID"));
        assert!(parse("auto", &[("CI_NODE_INDEX", "x")]).unwrap_err().contains("CI_NODE_INDEX is no number"));
        assert!(parse("auto", &[("CI_NODE_INDEX", "3"), ("CI_NODE_TOTAL", "2")]).is_err());
    }

    #[test]
    fn every_layer_is_read_once_and_no_shard_has_much_more_than_the_others() {
        // Sizes as registries have them: many small ones, few large ones.
        let size = |i: u64| 1 + i.wrapping_mul(6_364_136_223_846_793_005).rotate_left(17) % (1 << (10 + i % 17));
        let weights: Vec<(u64, Option<usize>)> =
            (0..20_000).map(|i| (size(i), (i % 100 == 7).then_some(usize::try_from(i % 3).unwrap()))).collect();
        let weight = |at: &usize| weights[*at].0 + EACH;
        let largest = (0..3).map(|s| (0..weights.len()).filter(|i| weights[*i].1 == Some(s)).map(|i| weight(&i)).sum());
        let largest: u64 = largest.chain((0..weights.len()).map(|i| weight(&i))).max().unwrap();
        for of in [1, 2, 8, 100] {
            let shards: Vec<Vec<usize>> =
                (1..=of).map(|number| Shard::new(number, of).unwrap().share(&weights)).collect();
            let mut all = shards.concat();
            all.sort_unstable();
            assert_eq!(all, (0..weights.len()).collect::<Vec<_>>());
            let loads: Vec<u64> = shards.iter().map(|shard| shard.iter().map(weight).sum()).collect();
            let mean = loads.iter().sum::<u64>() / u64::try_from(of).unwrap();
            let worst = *loads.iter().max().unwrap();
            assert!(worst * 100 <= 105 * mean.max(largest), "{of}: {worst} of {mean}, {largest}");
            let of_stream = |s: usize| shards.iter().filter(|own| own.iter().any(|i| weights[*i].1 == Some(s))).count();
            assert!((0..3).all(|s| of_stream(s) == 1));
        }
        // More shards than layers.
        assert_eq!(Shard::new(9, 9).unwrap().share(&[(1, None)]), Vec::<usize>::new());
    }
}
