//! The JSON of images: `manifest.json` of docker save, OCI indexes and manifests, image configurations. Documented in the OCI
//! image specification and in moby's `image/spec`. Fields that nobody here needs are not read.

use std::{collections::HashSet, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::{
    arguments,
    few::Few,
    labels::Labels,
    plan::{Readers, Secrets},
};
use crate::{
    fact::{At, Command, is_normalised},
    shell::Build,
    surface::Flaw,
    text::start,
};

/// Larger than any real one; registries accept 4 MiB.
pub(super) const JSON: u64 = 4 << 20;

/// One image in `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Saved {
    pub(super) config: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) repo_tags: Few<String>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) layers: Few<String>,
}

/// An index or a manifest: the fields that are there show which.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) manifests: Option<Few<Descriptor>>,
    pub(super) config: Option<Descriptor>,
    pub(super) layers: Option<Few<Descriptor>>,
    /// Layers of the schema of 2015.
    #[serde(default, rename = "fsLayers", deserialize_with = "present")]
    pub(super) old: bool,
}

/// A reference to a blob.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Descriptor {
    #[serde(deserialize_with = "or_empty")]
    pub(super) media_type: String,
    pub(super) digest: String,
    pub(super) platform: Option<Platform>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) annotations: Annotations,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Platform {
    #[serde(deserialize_with = "or_empty")]
    pub(super) os: String,
    #[serde(deserialize_with = "or_empty")]
    pub(super) architecture: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Annotations {
    #[serde(rename = "io.containerd.image.name")]
    pub(super) name: Option<String>,
    #[serde(rename = "org.opencontainers.image.ref.name")]
    pub(super) reference: Option<String>,
    #[serde(rename = "vnd.docker.reference.type")]
    pub(super) kind: Option<String>,
}

/// The configuration of an image, without its values of variables.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Config {
    pub(super) created: Option<String>,
    pub(super) architecture: Option<String>,
    pub(super) os: Option<String>,
    config: Option<Run>,
    pub(super) rootfs: Option<RootFs>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) history: Few<History>,
    /// What the build writes in place of times, once the steps were read.
    #[serde(skip)]
    pub(super) epoch: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
struct Run {
    #[serde(rename = "Env", default)]
    env: EnvVariables,
    #[serde(rename = "Labels", default)]
    labels: Labels,
}

/// `NAME=value` lines. The values are seen by the one function that looks for secrets, and go with it.
#[derive(Default, Deserialize)]
#[serde(transparent)]
struct EnvVariables(Option<Few<String>>);

impl fmt::Debug for EnvVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvVariables(..)")
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RootFs {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) diff_ids: Few<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct History {
    pub(super) created: Option<String>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) created_by: String,
    #[serde(deserialize_with = "or_empty")]
    pub(super) empty_layer: bool,
}

/// One step of an image's build. Its text is not kept: build arguments and `ENV` lines hold secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// From 1, as `docker history` counts from the bottom.
    pub number: usize,
    /// `RUN`, `COPY` …; `None` where it is none of the known ones.
    pub instruction: Option<&'static str>,
    /// The install commands in it.
    pub commands: Vec<Command>,
    /// The secrets among the values that it left in the history, by name.
    pub secrets: Secrets,
    /// When it ran, by the builder's clock.
    pub at: Option<At>,
    /// It made no layer.
    pub empty: bool,
}

const INSTRUCTIONS: &[&str] = &[
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

impl Config {
    /// The secrets among the labels, by key.
    pub(super) fn labels(&mut self, secrets: &dyn Fn(&[u8]) -> Secrets) -> Secrets {
        self.config.as_mut().map(|run| std::mem::take(&mut run.labels)).unwrap_or_default().secrets(secrets)
    }

    /// Names of the variables that are set in every container, where they have the form of one, and the secrets among them.
    pub(super) fn variables<S>(&mut self, secrets: &dyn Fn(&[u8]) -> Vec<S>) -> (Vec<String>, Vec<S>) {
        let lines = self.config.take().and_then(|c| c.env.0).unwrap_or_default().0;
        let lines = lines.iter().filter_map(|line| Some((line.split_once('=')?.0, line)));
        let lines: Vec<_> = lines.filter(|(name, _)| is_variable(name)).collect();
        let text: String = lines.iter().map(|(_, line)| format!("{}\n", line.replace(['\r', '\n'], " "))).collect();
        (lines.iter().map(|(name, _)| (*name).to_owned()).collect(), secrets(text.as_bytes()))
    }

    /// The build, from the first step on.
    /// Secrets are reported once per name, and not where every container has the variable: `known`.
    pub(super) fn steps(
        &mut self,
        read: &Readers<'_>,
        known: &[String],
        mut build: Build,
        budget: &mut HistoryBudget,
    ) -> Vec<Step> {
        let history = std::mem::take(&mut self.history).0;
        let mut listed: HashSet<String> = known.iter().cloned().collect();
        let mut steps = Vec::with_capacity(history.len());
        for (i, h) in history.into_iter().enumerate() {
            let mut step = h.step(i + 1, read, &mut build, budget);
            step.secrets.retain(|(name, _)| listed.len() < SECRETS && listed.insert(name.clone()));
            steps.push(step);
        }
        self.epoch = build.source_date_epoch().and_then(|s| Timestamp::from_second(s).ok());
        for step in steps.iter_mut().filter(|s| s.at.as_ref().map(|at| at.time) == self.epoch) {
            step.at = None;
        }
        steps
    }

    /// When the image was made, where that is no instant that its build writes everywhere.
    pub(super) fn made(&self) -> Option<Timestamp> {
        time(self.created.as_deref()).filter(|t| Some(*t) != self.epoch)
    }

    /// A build whose variables are those of the finished image.
    pub(super) fn build(&self) -> Build {
        let lines = self.config.iter().filter_map(|c| c.env.0.as_ref()).flat_map(|few| &few.0);
        Build::with_environment(lines.map(String::as_str))
    }
}

/// What the histories of one input may still cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct HistoryBudget {
    commands: usize,
    names: usize,
    /// Something did not fit.
    pub(super) full: bool,
}

impl Default for HistoryBudget {
    fn default() -> Self {
        Self { commands: 10_000, names: 200_000, full: false }
    }
}

/// Names of variables of one image that are remembered.
const SECRETS: usize = 10_000;

/// Bytes read of one step; its parts in memory cost fifty times as much.
const STEP: usize = 256 << 10;

impl HistoryBudget {
    fn admit(&mut self, commands: &mut Vec<Command>) {
        self.full |= commands.len() > self.commands;
        commands.truncate(self.commands);
        self.commands = self.commands.saturating_sub(commands.len());
        for command in commands {
            self.full |= command.wanted.len() > self.names;
            command.wanted.truncate(self.names);
            self.names = self.names.saturating_sub(command.wanted.len());
        }
    }
}

impl History {
    fn step(&self, number: usize, read: &Readers<'_>, build: &mut Build, budget: &mut HistoryBudget) -> Step {
        let text = start(&self.created_by, STEP);
        budget.full |= text.len() < self.created_by.len();
        let mut commands = if budget.commands > 0 { (read.history)(text, build) } else { Vec::new() };
        budget.full |= budget.commands == 0;
        budget.admit(&mut commands);
        Step {
            number,
            instruction: instruction(&self.created_by),
            commands,
            secrets: match arguments::lines(text) {
                lines if lines.is_empty() => Vec::new(),
                lines => (read.arguments)(lines.as_bytes()),
            },
            at: time(self.created.as_deref()).map(|t| At::new(t, "time in the image's history")),
            empty: self.empty_layer,
        }
    }
}

/// BuildKit writes the instruction; the older builder and buildah write the shell, with `#(nop)` where nothing ran.
pub(super) fn instruction(created_by: &str) -> Option<&'static str> {
    let text = created_by.trim_start();
    let nop = text.find("#(nop)").and_then(|at| text.get(at..)?.strip_prefix("#(nop)"));
    let word = nop.unwrap_or(text).split_whitespace().next()?;
    let known = INSTRUCTIONS.iter().find(|i| **i == word).copied();
    known.or_else(|| (nop.is_none() && (word.starts_with('/') || word.starts_with('|'))).then_some("RUN"))
}

/// An RFC 3339 time.
pub(super) fn time(text: Option<&str>) -> Option<Timestamp> {
    // Builders that make reproducible images, and Go's zero time, say nothing about when it was.
    text?.parse().ok().filter(|t: &Timestamp| !is_normalised(*t))
}

/// Parses JSON of a size that `small` has bounded.
pub(super) fn parse<'j, T: Deserialize<'j>>(bytes: &'j [u8], what: &'static str) -> Result<T, Flaw> {
    serde_json::from_slice(bytes).map_err(|_| Flaw::malformed(what, "not the JSON that it should be"))
}

/// The hex of a `sha256:` digest, if it is one.
pub(super) fn sha256(digest: &str) -> Option<&str> {
    digest.strip_prefix("sha256:").filter(|hex| is_hex(hex))
}

/// 64 digits.
pub(super) fn is_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Whether a text has the form of an image reference, so that it is safe to show.
pub(super) fn is_reference(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"._-/:@+".contains(&b);
    (1..=512).contains(&text.len()) && text.bytes().all(inner)
}

/// Whether a text can be a platform's part.
pub(super) fn is_word(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// `null` is what Go writes for an empty list.
fn or_empty<'d, D: Deserializer<'d>, T: Deserialize<'d> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

fn present<'d, D: Deserializer<'d>>(from: D) -> Result<bool, D::Error> {
    Ok(Option::<serde::de::IgnoredAny>::deserialize(from)?.is_some())
}

fn is_variable(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_variables_and_texts_of_steps_are_not_kept() {
        let json = br#"{"config":{"Env":["PATH=/bin","TOKEN=s3cr3t","evil\u001b[2J=1","no value"]},
            "history":[{"created_by":"RUN |1 TOKEN=s3cr3t /bin/sh -c make # buildkit"},{"created_by":null,"empty_layer":null}]}"#;
        let mut config: Config = parse(json, "config").unwrap();
        assert!(!format!("{:?}", config.config).contains("s3cr3t"));
        let (names, lines) = config.variables(&|lines| vec![lines.to_vec()]);
        assert_eq!(
            (names, lines[0].as_slice()),
            (vec!["PATH".into(), "TOKEN".into()], b"PATH=/bin\nTOKEN=s3cr3t\n".as_slice())
        );
        let read = |lines: &[u8]| {
            assert_eq!(lines, b"TOKEN=s3cr3t\n");
            let kind = "env.process".into();
            vec![(
                "TOKEN".to_owned(),
                crate::fact::Credential { kind, identifier: None, note: None, named_by: None, tag: None },
            )]
        };
        let readers = Readers { history: &|_, _| Vec::new(), environment: &|_| Vec::new(), arguments: &read };
        let mut same: Config = parse(json, "config").unwrap();
        let steps = same.steps(&readers, &["TOKEN".to_owned()], Build::default(), &mut HistoryBudget::default());
        assert!(steps.iter().all(|s| s.secrets.is_empty()), "every container has it");
        let steps = config.steps(&readers, &[], Build::default(), &mut HistoryBudget::default());
        assert_eq!(steps[0].secrets.len(), 1);
        assert_eq!((steps.len(), steps[0].instruction, steps[1].instruction), (2, Some("RUN"), None));
        assert!(!format!("{config:?}{steps:?}").contains("s3cr3t"));
    }

    #[test]
    fn a_history_without_end_is_cut_and_reported() {
        let wanted = |name: &str| crate::fact::Wanted {
            ecosystem: crate::fact::Ecosystem::Pypi,
            name: name.into(),
            pinned: None,
            specifier: "".into(),
        };
        // One command a word.
        let read = |text: &str, _: &mut Build| {
            let words = text.split_whitespace();
            let one = |word| Command::for_packages("pip", crate::fact::CommandAction::Install, vec![wanted(word); 2]);
            words.map(one).collect::<Vec<_>>()
        };
        let steps = |texts: &[String], mut budget: HistoryBudget| {
            let history = texts.iter().map(|t| History { created_by: t.clone(), ..History::default() }).collect();
            let mut config = Config { history: Few(history), ..Config::default() };
            let readers = Readers { history: &read, environment: &|_| Vec::new(), arguments: &|_| Vec::new() };
            let steps = config.steps(&readers, &[], Build::default(), &mut budget);
            (steps.iter().flat_map(|s| &s.commands).map(|c| c.wanted.len()).collect::<Vec<_>>(), budget.full)
        };
        let budget = |commands, names| HistoryBudget { commands, names, full: false };
        let two = ["a b".to_owned(), "c".to_owned()];
        assert_eq!(steps(&two, budget(3, 6)), (vec![2, 2, 2], false));
        assert_eq!(steps(&two, budget(2, 6)), (vec![2, 2], true));
        assert_eq!(steps(&two, budget(3, 5)), (vec![2, 2, 1], true));
        assert_eq!(steps(&[format!("{}b c", "ä".repeat(STEP))], HistoryBudget::default()), (vec![2], true));
    }

    #[test]
    fn instructions_of_each_builder() {
        for (text, word) in [
            ("RUN /bin/sh -c pip install litellm==1.82.8 # buildkit", Some("RUN")),
            ("/bin/sh -c pip install litellm", Some("RUN")),
            ("|1 A=b /bin/sh -c make", Some("RUN")),
            ("/bin/sh -c #(nop) COPY dir:1234 in /app ", Some("COPY")),
            ("/bin/sh -c #(nop)  CMD [\"sh\"]", Some("CMD")),
            ("bazel build", None),
            ("RUNX a", None),
            ("", None),
        ] {
            assert_eq!(instruction(text), word, "{text}");
        }
    }

    #[test]
    fn hostile_json_is_refused() {
        let deep = "[".repeat(100_000);
        assert!(parse::<Document>(deep.as_bytes(), "x").is_err());
        assert!(parse::<Few<Saved>>(br#"[{"Config":7}]"#, "x").is_err());
        assert!(parse::<Document>(b"\xff\xfe{}", "x").is_err());
        let many = format!(r#"{{"layers":[{}{{}}]}}"#, "{},".repeat(1_000_000));
        assert!(parse::<Document>(many.as_bytes(), "x").is_err());
    }

    #[test]
    fn go_writes_null_for_an_empty_list() {
        let saved: Few<Saved> = parse(br#"[{"Config":"c.json","RepoTags":null,"Layers":null}]"#, "x").unwrap();
        assert!(saved.0[0].repo_tags.0.is_empty() && saved.0[0].layers.0.is_empty());
        let config: Config =
            parse(br#"{"config":{"Env":null},"rootfs":{"diff_ids":null},"history":null}"#, "x").unwrap();
        assert!(config.history.0.is_empty());
    }

    #[test]
    fn references_that_would_write_to_a_terminal_are_none() {
        assert!(is_reference("registry.example:5000/demo/app:1.0") && is_reference("a@sha256:00"));
        assert!(!is_reference("a\u{1b}[31m") && !is_reference("") && !is_reference("a b") && !is_reference("ä"));
        assert!(sha256("sha256:../../etc/passwd").is_none());
    }
}
