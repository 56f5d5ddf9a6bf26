//! The steps of an image's build, with the variables that they leave for later ones.
//!
//! ```text
//! ARG V=1.82.8                                                    a build argument with its default
//! ENV W=1.82.8                                                    a variable of every later step, and of containers
//! RUN |1 V=1.82.8 /bin/sh -c pip install litellm==${V} # buildkit the arguments that were in force, with their values
//! /bin/sh -c #(nop)  ENV W=1.82.8                                 the older builder, buildah
//! ```
//!
//! `ENV` wins over an argument of the same name. Documented in the Dockerfile reference.

use super::{
    behind_arguments, in_step,
    variables::{Variables, assignment, is_variable},
    words,
};
use crate::fact::Command;

/// A variable that builders set every time of an image to.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// What earlier steps of a build set.
#[derive(Debug, Clone, Default)]
pub struct Build {
    /// Those of the finished image: used where no step says more.
    last: Variables,
    arguments: Variables,
    environment: Variables,
    epoch: Option<i64>,
}

impl Build {
    /// With the variables that containers of the finished image have, as `NAME=value` lines.
    pub fn with_environment<'l>(lines: impl IntoIterator<Item = &'l str>) -> Self {
        let mut build = Self::default();
        for line in lines {
            if let Some((name, value)) = line.split_once('=').filter(|(name, _)| is_variable(name)) {
                build.set(name, Some(value), |b| &mut b.last);
            }
        }
        build
    }

    /// The install commands of one step of an image's history (`created_by`), and what it sets for those behind it.
    pub fn step(&mut self, created_by: &str) -> Vec<Command> {
        let text = created_by.trim();
        let plain = text.split_once("#(nop)").map_or(text, |(_, behind)| behind.trim_start());
        match plain.split_once(char::is_whitespace) {
            Some((word, rest)) if word.eq_ignore_ascii_case("env") => {
                self.sets(rest, |b| &mut b.environment);
                Vec::new()
            }
            Some((word, rest)) if word.eq_ignore_ascii_case("arg") => {
                self.sets(rest, |b| &mut b.arguments);
                Vec::new()
            }
            _ => {
                let mut own = self.in_force();
                for (name, value) in arguments(text) {
                    if name == EPOCH {
                        self.epoch = value.parse().ok();
                    }
                    own.set(name, Some(&value));
                }
                own.overlay(&self.environment);
                in_step(text, &mut own)
            }
        }
    }

    /// The instant that this build writes in place of times, where it has one.
    pub fn source_date_epoch(&self) -> Option<i64> {
        self.epoch
    }

    fn in_force(&self) -> Variables {
        let mut own = self.last.clone();
        own.overlay(&self.arguments);
        own
    }

    /// `NAME=value NAME=value`, or the older `NAME value`.
    fn sets(&mut self, rest: &str, of: fn(&mut Self) -> &mut Variables) {
        let mut own = self.in_force();
        own.overlay(&self.environment);
        let commands = words::simple_commands(rest, &mut own);
        let words: Vec<String> = commands.into_iter().flat_map(|c| c.words).collect();
        match words.as_slice() {
            [name, value] if is_variable(name) => self.set(name, Some(value), of),
            words => {
                for (name, value) in words.iter().filter_map(|w| assignment(w)) {
                    self.set(name, value, of);
                }
            }
        }
    }

    fn set(&mut self, name: &str, value: Option<&str>, of: fn(&mut Self) -> &mut Variables) {
        if name == EPOCH {
            self.epoch = value.and_then(|v| v.parse().ok());
        }
        of(self).set(name, value);
    }
}

/// `|2 A=b C=d e /bin/sh …`: values are not quoted, so that a word without a name belongs to the one before it.
fn arguments(text: &str) -> Vec<(&str, String)> {
    let text = text.strip_prefix("RUN").unwrap_or(text).trim_start();
    let behind = behind_arguments(text);
    let list = text.strip_suffix(behind).filter(|_| text.starts_with('|')).unwrap_or_default();
    let mut found: Vec<(&str, String)> = Vec::new();
    for word in list.split_whitespace().skip(1) {
        match word.split_once('=').filter(|(name, _)| is_variable(name)) {
            Some((name, value)) => found.push((name, value.to_owned())),
            None => {
                if let Some((_, value)) = found.last_mut() {
                    value.push(' ');
                    value.push_str(word);
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fact::CommandAction::Start,
        shell::{from_image_history, install_commands},
    };

    /// The packages of the last step, `name version`.
    fn last(steps: &[&str]) -> Vec<String> {
        with(Build::default(), steps)
    }

    fn with(mut build: Build, steps: &[&str]) -> Vec<String> {
        let commands = steps.iter().fold(Vec::new(), |_, step| build.step(step));
        let wanted = commands.iter().flat_map(|c| &c.wanted);
        wanted.map(|w| format!("{} {}{}", w.name, w.pinned.as_deref().unwrap_or("-"), w.specifier)).collect()
    }

    const RUN: &str = "/bin/sh -c pip install litellm==$V";

    #[test]
    fn values_stand_in_the_step_or_in_those_before_it() {
        let known = ["litellm 1.82.8"];
        assert_eq!(last(&["RUN |1 V=1.82.8 /bin/sh -c pip install litellm==${V} # buildkit"]), known);
        assert_eq!(last(&["|2 A=b c V=1.82.8 /bin/bash -c pip install \"litellm==$V\""]), known);
        assert_eq!(last(&["ARG V=1.82.8", RUN]), known);
        assert_eq!(last(&["ENV V=1.82.8", RUN]), known);
        assert_eq!(last(&["ENV V 1.82.8", RUN]), known);
        assert_eq!(last(&["/bin/sh -c #(nop)  ENV V=1.82.8", RUN]), known);
        assert_eq!(last(&["ARG A=1.82.8", "ENV V=$A", RUN]), known);
        assert_eq!(last(&["ENV V=1.82.8", "|1 V=1.0 /bin/sh -c pip install litellm==$V"]), known, "ENV wins");
        assert_eq!(last(&["ARG V=1.0", "|1 V=1.82.8 /bin/sh -c pip install litellm==$V"]), known);
        assert_eq!(last(&["RUN |1 SPEC=litellm==1.82.8 /bin/sh -c pip install $SPEC"]), known);
        assert_eq!(last(&["RUN |1 V= /bin/sh -c pip install litellm==${V:-1.82.8}"]), known);
        assert_eq!(with(Build::with_environment(["PATH=/bin", "V=1.82.8"]), &[RUN]), known);
    }

    #[test]
    fn values_that_are_not_there_are_not_made_up() {
        for steps in [
            &[RUN][..],
            &["ARG V", RUN],
            &["ENV W=1.82.8", RUN],
            &["LABEL V=1.82.8", RUN],
            &["RUN V=1.82.8", RUN],
            &["RUN export V=1.82.8", RUN],
            &["CMD V=1.82.8", RUN],
        ] {
            assert_eq!(last(steps), ["litellm -==?"], "{steps:?}");
        }
        assert_eq!(last(&["|1 V=1.83.0 /bin/sh -c pip install litellm==$V"]), ["litellm 1.83.0"]);
    }

    #[test]
    fn no_secret_of_a_build_argument_is_kept() {
        let mut build = Build::default();
        for step in [
            "ARG TOKEN=hunter2",
            "ENV PIP_INDEX_URL=https://u:hunter2@registry.example/simple",
            "RUN |2 TOKEN=hunter2 X=Hunter2hunter2 /bin/sh -c pip install litellm $TOKEN --extra $X \"litellm[$TOKEN]\"",
        ] {
            assert!(!format!("{:?}", build.step(step)).to_lowercase().contains("hunter2"), "{step}");
        }
        assert!(!format!("{build:?}").contains("hunter2"));
    }

    #[test]
    fn an_image_says_which_instant_it_writes() {
        let epoch = |steps: &[&str]| {
            let mut build = Build::default();
            steps.iter().for_each(|s| drop(build.step(s)));
            build.source_date_epoch()
        };
        assert_eq!(epoch(&["ARG SOURCE_DATE_EPOCH=1774350000"]), Some(1_774_350_000));
        assert_eq!(epoch(&["RUN |1 SOURCE_DATE_EPOCH=1774350000 /bin/sh -c make"]), Some(1_774_350_000));
        assert_eq!(epoch(&["ARG SOURCE_DATE_EPOCH", "RUN make"]), None);
        assert_eq!(epoch(&["ENV SOURCE_DATE_EPOCH=soon"]), None);
    }

    #[test]
    fn hostile_steps_end() {
        for piece in ["|9 A=b ", "ENV A=$A$A ", "ARG ", "ENV ", "${A:-", "|1 = "] {
            Build::default().step(&piece.repeat(5000));
        }
        let mut build = Build::default();
        (0..4000).for_each(|n| drop(build.step(&format!("ENV A{n}=$A{n}"))));
    }

    #[test]
    fn starts_of_python_in_the_steps_of_an_image() {
        let starts = |text: &str| {
            let found = from_image_history(text);
            found.iter().filter(|c| c.action == Start).map(|c| c.tool.to_string()).collect::<Vec<_>>().join(" ")
        };
        for (text, expected) in [
            ("RUN /bin/sh -c python manage.py collectstatic # buildkit", "python"),
            ("RUN /bin/sh -c cd /app && ./manage.py migrate && pytest -q # buildkit", "python pytest"),
            ("RUN pip install -r /x", "pip"),
            ("RUN pip uninstall -y x", "pip"),
            ("RUN python3.11 -m pip install x", "python"),
            ("RUN python -Ic 'import x'", "python"),
            ("RUN [\"/opt/v/bin/python\", \"x.py\"]", "python"),
            ("RUN python -S x.py", ""),
            ("RUN python --version && python -V", ""),
            ("RUN uv pip install x", ""),
            ("RUN apt-get install -y python3 && echo python", ""),
            ("COPY python /usr/bin/python", ""),
        ] {
            assert_eq!(starts(text), expected, "{text}");
        }
        assert!(install_commands("python x.py; pip list").is_empty());
    }
}
