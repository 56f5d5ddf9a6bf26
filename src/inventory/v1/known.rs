//! Texts of indicators: an inventory writes them out, the program counts them.

use std::collections::HashMap;

use crate::{fact::TextId, interest::Interest};

/// The texts that the indicators ask for, by their words.
#[derive(Debug, Default)]
pub struct Known(HashMap<String, TextId>);

impl Known {
    /// Of these indicators.
    pub fn new(interest: &Interest) -> Self {
        Self(interest.all_texts().map(|(id, text)| (text.to_owned(), id)).collect())
    }

    pub(super) fn ids(&self, texts: &[String]) -> Vec<TextId> {
        let mut ids: Vec<TextId> = texts.iter().filter_map(|text| self.0.get(text).copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
