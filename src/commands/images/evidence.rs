//! What is worth keeping of an image, and how its layers and steps stand to it.

use std::sync::Arc;

use crate::{
    assess::{Evidence, Layers, Steps},
    commands::examine::Setup,
    credential::ENVIRONMENT,
    fact::{Credential, Fact, Origin, Seen, TreePath, Wanted},
    image::{self, Image, ImageFact, Step},
    ioc::Index,
    matcher,
    text::start,
    walk::{Bounds, Explained, FactBudget, Worth},
};

/// What is worth keeping of an image. In a sweep most images hold nothing, and a hostile one has hundreds of thousands of packages:
/// what explains findings is kept where it may explain one.
pub(super) fn take(setup: &Setup, image: &Image<'_>, put: &mut dyn FnMut(Worth, Evidence)) -> Taken {
    let worth =
        |seen: &Seen| if setup.wants(seen.surface) { matcher::worth(&setup.index, seen) } else { Worth::Nothing };
    let fits = |seen: &Seen| worth(seen) == Worth::Evidence;
    let beside: Vec<Evidence> = beside_layers(image).collect();
    let has_evidence = image.has_evidence() || beside.iter().any(|e| fits(&e.seen));
    let mut budget = FactBudget::new(Bounds::TREE);
    let mut read = image.read(has_evidence, &mut |seen| budget.admit(worth(seen), seen));
    let all = read.iter().flatten().map(|(_, seen)| seen);
    let explained = Explained::new(all.map(|seen| (seen, fits(seen))), &setup.interest);
    let needed = |seen: &Seen| match worth(seen) {
        Worth::Nothing => false,
        Worth::Context => {
            matches!(seen.fact, Fact::Hook { .. } | Fact::Owned { .. } | Fact::Command(_))
                || has_evidence && explained.may_need(seen, &setup.interest)
        }
        Worth::Evidence | Worth::Credential => true,
    };
    read.iter_mut().for_each(|facts| facts.retain(|(_, seen)| needed(seen)));
    // What the image is known by says where it runs: wanted wherever something of it is.
    let is_image = |seen: &Seen| has_evidence && matches!(seen.fact, Fact::Image { .. });
    let beside = beside.into_iter().filter(|e| needed(&e.seen) || is_image(&e.seen));
    let kept = of_layers(&setup.index, image, image.join(read)).chain(beside);
    let mut taken = Taken { kept: false, dropped: budget.dropped() };
    kept.for_each(|e| {
        taken.kept = true;
        match worth(&e.seen) {
            Worth::Nothing => put(Worth::Context, e),
            worth => put(worth, e),
        }
    });
    taken
}

/// What became of the facts of one image.
pub(super) struct Taken {
    /// Some are kept.
    pub kept: bool,
    /// So many more were worth keeping than fit.
    pub dropped: u64,
}

/// Facts of the layers, with what became of their files.
fn of_layers(index: &Index, image: &Image<'_>, facts: Vec<ImageFact>) -> impl Iterator<Item = Evidence> {
    let step_text = |s: &Step| step_text(index, s);
    let by_step = |s: Option<&Step>| s.map(|s| format!(": {}", step_text(s))).unwrap_or_default();
    let steps = || image.layers.iter().map(|l| image.steps.get(l.step?));
    let gone: Vec<Arc<str>> = steps().map(|s| format!("a later layer took it out{}", by_step(s)).into()).collect();
    let made: Vec<Option<Arc<str>>> =
        steps().map(|s| Some(format!("its layer was made by {}", step_text(s?)).into())).collect();
    let numbers: Vec<Option<usize>> = steps().map(|s| Some(s?.number)).collect();
    facts.into_iter().map(move |f| Evidence {
        steps: numbers
            .get(f.layer)
            .copied()
            .flatten()
            .map(|made| Steps { made, gone: f.gone_in.and_then(|layer| numbers.get(layer).copied().flatten()) }),
        layers: Some(Layers { made: f.layer, gone: f.gone_in }),
        gone: f.gone_in.and_then(|layer| gone.get(layer).cloned()),
        made: made.get(f.layer).cloned().flatten(),
        seen: f.seen,
    })
}

/// The steps of the build, the secrets that they left, and the image itself.
fn beside_layers(image: &Image<'_>) -> impl Iterator<Item = Evidence> {
    let history = image.history().map(|(number, seen)| {
        let steps = Some(Steps { made: number, gone: None });
        Evidence { steps, ..Evidence::from(seen) }
    });
    let stated = |what: &'static str, surface: &'static str, (name, credential): &(String, Credential)| {
        let mut origin = Origin::file(&image.label, TreePath::root());
        origin.inner = Some(format!("{what} {}", start(name, 200)).into());
        let fact = Fact::Credential(credential.clone());
        Evidence::from(Seen { surface, origin, at: None, uid: None, gid: None, mode: None, unit: None, fact })
    };
    let secrets = image.secrets.iter().map(move |secret| stated("ENV", ENVIRONMENT, secret));
    let labels = image.labels.iter().filter(|_| !image.is_on_another());
    let labels = labels.map(move |secret| stated("LABEL", image::HISTORY.id, secret));
    let own = image.steps.iter().filter(|_| !image.is_on_another());
    let left = own.flat_map(|step| {
        step.secrets.iter().map(|(name, credential)| {
            let mut origin = Origin::file(&image.label, TreePath::root());
            origin.inner = Some(format!("step {}: {name}", step.number).into());
            let fact = Fact::Credential(credential.clone());
            let at = step.at.clone();
            Evidence::from(Seen {
                surface: image::HISTORY.id,
                origin,
                at,
                uid: None,
                gid: None,
                mode: None,
                unit: None,
                fact,
            })
        })
    });
    let digests = image.id.iter().chain(&image.manifests).cloned().collect();
    let at = image.created.map(|t| crate::fact::At::new(t, "creation time in the image"));
    let fact = Fact::Image { references: image.tags.clone(), digests };
    let origin = Origin::file(&image.label, TreePath::root());
    let config = Seen { surface: image::CONFIG.id, origin, at, uid: None, gid: None, mode: None, unit: None, fact };
    history.chain(secrets).chain(labels).chain(left).chain(std::iter::once(config.into()))
}

/// Install commands, and packages of one, that are quoted of a step.
const QUOTED: usize = 8;

/// "step 3, RUN `pip uninstall litellm`". Put together from what was recognised: the text of a step may hold secrets.
fn step_text(index: &Index, step: &Step) -> String {
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
        fact::{Command, CommandAction, Ecosystem},
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
            step_text(
                &index,
                &Step {
                    number: 2,
                    instruction: Some("RUN"),
                    commands: vec![command],
                    secrets: Vec::new(),
                    at: None,
                    empty: false,
                },
            )
        };
        assert_eq!(step(&["a".into(), "litellm".into()]), "step 2, RUN `pip install a litellm`");
        let mut names: Vec<String> = (0..50_000).map(|i| format!("a{i}")).collect();
        names.push("litellm".into());
        assert_eq!(step(&names), "step 2, RUN `pip install litellm …`");
        assert!(step(&["x".repeat(100_000)]).len() < 200);
    }
}
