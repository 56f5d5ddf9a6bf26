//! The tar of a file system: one layer, which nothing describes (`docker export`, a packed root).

use super::{Content, Source};
use crate::{
    fact::TreePath,
    image::{
        input::Section,
        plan::Readers,
        planned::{Plan, Planned, PlannedLayer},
    },
    surface::Flaw,
};

const ALONE: &str = "a file system without layers and history: what was removed before it was saved cannot be seen";

/// The tar.
pub(in crate::image) struct Root(Section);

impl Root {
    pub(in crate::image) fn new(tar: Section) -> Self {
        Self(tar)
    }
}

impl Source for Root {
    fn plan(&self, _: Readers<'_>) -> Plan {
        let layer = PlannedLayer { member: Some((TreePath::root(), self.0.left())), ..PlannedLayer::default() };
        let image = Planned { layers: vec![layer], ..Planned::default() };
        Plan { images: vec![image], left_out: vec![(TreePath::root(), ALONE)], ..Plan::default() }
    }

    fn open(&self, _: &TreePath) -> Result<Content<'_>, Flaw> {
        Ok(Content::Blob(Box::new(self.0.again())))
    }
}
