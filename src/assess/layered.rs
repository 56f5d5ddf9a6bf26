//! Where a file of an image stands among its layers and the steps of its build.

use std::sync::Arc;

use crate::{
    fact::{Command, Wanted},
    ioc::Index,
    text::start,
};

/// Numbers of steps of an image's build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// The step that made the layer.
    pub made: usize,
    /// The step that took the file out of it.
    pub gone: Option<usize>,
}

/// Positions of layers in an image, from the lowest up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers {
    /// The layer that holds the file.
    pub made: usize,
    /// The first later one that takes it out.
    pub gone: Option<usize>,
}

/// A step of an image's build, by what was recognised of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildStep {
    /// From 1.
    pub number: usize,
    /// `RUN`, `COPY` …
    pub instruction: Option<&'static str>,
    /// The install commands in it.
    pub commands: Vec<Command>,
}

/// That a later layer takes the file out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The step that made that layer, where the history says it.
    pub step: Option<Arc<BuildStep>>,
}

/// "its layer was made by step 3, RUN `pip install litellm`".
pub(super) fn made_by(index: &Index, step: &BuildStep) -> String {
    format!("its layer was made by {}", step_text(index, step))
}

/// "a later layer took it out: step 4, RUN `pip uninstall litellm`".
pub(super) fn taken_out(index: &Index, gone: &Gone) -> String {
    let by = gone.step.as_ref().map(|step| format!(": {}", step_text(index, step))).unwrap_or_default();
    format!("a later layer took it out{by}")
}

/// Install commands, and packages of one, that are quoted of a step.
const QUOTED: usize = 8;

/// "step 3, RUN `pip uninstall litellm`". Put together from what was recognised: the text of a step may hold secrets.
fn step_text(index: &Index, step: &BuildStep) -> String {
    let known = |w: &&Wanted| index.knows_package(w.ecosystem, &w.name);
    let all = step.commands.len() <= QUOTED;
    let commands: Vec<String> = step
        .commands
        .iter()
        .filter(|c| !c.wanted.is_empty())
        .filter(|c| all || c.wanted.iter().any(|w| known(&w)))
        .take(QUOTED)
        .map(|c| {
            let verb = c.action.as_str();
            let all = c.wanted.len() <= QUOTED;
            let wanted = c.wanted.iter().filter(|w| all || known(w)).take(QUOTED).map(|w| {
                let pin = w.pinned.as_ref().map(|v| format!("=={v}")).unwrap_or_default();
                let text = format!("{}{pin}{}", w.name, w.specifier);
                format!(" {}", start(&text, 80))
            });
            let more = if all { "" } else { " …" };
            format!("`{} {verb}{}{more}`", c.tool, wanted.collect::<String>())
        })
        .collect();
    let instruction = step.instruction.map(|i| format!(", {i}")).unwrap_or_default();
    let space = if commands.is_empty() { "" } else { " " };
    format!("step {}{instruction}{space}{}", step.number, commands.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fact::{CommandAction, Ecosystem},
        ioc::Database,
    };

    #[test]
    fn a_long_step_is_quoted_by_what_matters() {
        let index = Index::new(Database::embedded().unwrap(), &[]);
        let step = |names: &[String]| {
            let wanted = names.iter().map(|n| Wanted {
                ecosystem: Ecosystem::Pypi,
                name: n.as_str().into(),
                pinned: None,
                specifier: "".into(),
            });
            let command = Command::for_packages("pip", CommandAction::Install, wanted.collect());
            step_text(&index, &BuildStep { number: 2, instruction: Some("RUN"), commands: vec![command] })
        };
        assert_eq!(step(&["a".into(), "litellm".into()]), "step 2, RUN `pip install a litellm`");
        let mut names: Vec<String> = (0..50_000).map(|i| format!("a{i}")).collect();
        names.push("litellm".into());
        assert_eq!(step(&names), "step 2, RUN `pip install litellm …`");
        assert!(step(&["x".repeat(100_000)]).len() < 200);
    }
}
