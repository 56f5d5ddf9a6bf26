//! What each examined machine is part of, and whether what a payload takes without a file can be there.

use std::{collections::BTreeMap, sync::Arc};

use super::{Assessment, Evidence};
use crate::{
    fact::{Fact, Origin, Platform},
    ioc::model::Beyond,
};

/// That a machine is part of something, and the file that says so: of several the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartOf {
    /// What.
    pub platform: Platform,
    /// Where that was read.
    pub origin: Origin,
}

/// By tree, then platform.
pub fn platforms(evidence: &[Evidence]) -> Vec<PartOf> {
    let mut all: BTreeMap<(Arc<str>, Platform), &Origin> = BTreeMap::new();
    for e in evidence {
        if let Fact::Platform(platform) = e.seen.fact {
            let origin = &e.seen.origin;
            let known = all.entry((origin.tree.clone(), platform)).or_insert(origin);
            *known = origin.min(known);
        }
    }
    all.into_iter().map(|((_, platform), origin)| PartOf { platform, origin: origin.clone() }).collect()
}

/// What registries and engines know each image by: by tree.
pub fn images(evidence: &[Evidence]) -> BTreeMap<Arc<str>, Vec<String>> {
    let image = |e: &Evidence| match &e.seen.fact {
        Fact::Image { digests, .. } => Some((e.seen.origin.tree.clone(), digests.clone())),
        _ => None,
    };
    evidence.iter().filter_map(image).collect()
}

/// What shows that something can be taken without a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown<'a> {
    /// Nothing has to: no file shows that a machine lacks it.
    Always,
    /// A credential of this kind stands here.
    Kind(&'a str),
    /// The machine is part of this.
    Platform(&'a PartOf),
    /// Nothing that was examined.
    Nothing,
}

impl Assessment {
    /// What shows, in the trees that `counts` admits, that the payload had what it needs for this way. `Nothing` is as good as the
    /// examination: not of an image, which runs anywhere, nor where places were left out.
    pub fn shows<'a>(&'a self, beyond: &'a Beyond, counts: impl Fn(&str) -> bool) -> Shown<'a> {
        if beyond.is_unconditional() {
            return Shown::Always;
        }
        let stands =
            |kind: &&String| self.credentials.iter().any(|j| *j.credential.kind == ***kind && counts(&j.origin.tree));
        if let Some(kind) = beyond.with.iter().find(stands) {
            return Shown::Kind(kind);
        }
        let part = self.platforms.iter().find(|p| beyond.on.contains(&p.platform) && counts(&p.origin.tree));
        part.map_or(Shown::Nothing, Shown::Platform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Seen, TreePath};

    fn on(tree: &str, path: &str, platform: Platform) -> Evidence {
        let origin = Origin::file(&tree.into(), TreePath::new(path.as_bytes()).unwrap());
        let fact = Fact::Platform(platform);
        Seen { surface: "x", origin, at: None, uid: None, gid: None, mode: None, unit: None, fact }.into()
    }

    #[test]
    fn a_platform_counts_for_its_own_machine() {
        let evidence = [
            on("b", "etc/ecs/ecs.config", Platform::Aws),
            on("a", "var/lib/amazon/ssm/registration", Platform::Aws),
            on("a", "etc/ecs/ecs.config", Platform::Aws),
        ];
        let assessment = Assessment { platforms: platforms(&evidence), ..Assessment::default() };
        let places: Vec<_> =
            assessment.platforms.iter().map(|p| format!("{} {}", p.origin.tree, p.origin.path.text())).collect();
        assert_eq!(places, ["a /etc/ecs/ecs.config", "b /etc/ecs/ecs.config"]);
        let beyond = |text: &str| -> Beyond { serde_json::from_str(text).unwrap() };
        let role = beyond(r#"{"way":"metadata","what":"x","asks":["EC2"],"on":["aws"]}"#);
        assert_eq!(assessment.shows(&role, |_| true), Shown::Platform(&assessment.platforms[0]));
        assert_eq!(assessment.shows(&role, |tree| tree == "b"), Shown::Platform(&assessment.platforms[1]));
        assert_eq!(assessment.shows(&role, |tree| tree == "c"), Shown::Nothing);
        let azure = beyond(
            r#"{"way":"metadata","what":"x","asks":["Azure"],"on":["azure"],"with":["azure.managed_identity"]}"#,
        );
        assert_eq!(assessment.shows(&azure, |_| true), Shown::Nothing);
        assert_eq!(assessment.shows(&beyond(r#"{"way":"operator","what":"x"}"#), |_| false), Shown::Always);
    }
}
