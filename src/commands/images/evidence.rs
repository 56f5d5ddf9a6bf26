//! What is worth keeping of an image, and how its layers and steps stand to it.

use std::sync::Arc;

use crate::{
    assess::{BuildStep, Evidence, Gone, Layers, Steps},
    commands::examine::Setup,
    credential::ENVIRONMENT,
    fact::{Credential, Fact, Origin, Seen, TreePath},
    image::{self, Image, ImageFact, Step},
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
    let kept = of_layers(image, image.join(read)).chain(beside);
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
fn of_layers(image: &Image<'_>, facts: Vec<ImageFact>) -> impl Iterator<Item = Evidence> {
    let built = |step: &Step| {
        let (number, instruction, commands) = (step.number, step.instruction, step.commands.clone());
        Arc::new(BuildStep { number, instruction, commands })
    };
    let steps: Vec<Option<Arc<BuildStep>>> =
        image.layers.iter().map(|layer| image.steps.get(layer.step?).map(built)).collect();
    let step = move |layer: usize| steps.get(layer).cloned().flatten();
    facts.into_iter().map(move |f| {
        let (made, gone) = (step(f.layer), f.gone_in.map(|layer| Gone { step: step(layer) }));
        let number = |step: &Arc<BuildStep>| step.number;
        let taken_out = gone.as_ref().and_then(|gone| gone.step.as_ref()).map(number);
        Evidence {
            steps: made.as_ref().map(number).map(|made| Steps { made, gone: taken_out }),
            layers: Some(Layers { made: f.layer, gone: f.gone_in }),
            gone,
            made,
            seen: f.seen,
        }
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
