//! Things by number, so that what is said a hundred thousand times is kept once.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

/// The number of a thing.
pub(super) type Id = u32;

/// Things by number, each once, with the number of rows that use it.
pub(super) struct Numbered<T> {
    ids: HashMap<T, Id>,
    things: Vec<(Option<T>, u32)>,
    free: Vec<Id>,
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    /// None.
    pub(super) fn new() -> Self {
        Self { ids: HashMap::new(), things: Vec::new(), free: Vec::new() }
    }

    /// The number of a known thing, for one more user.
    pub(super) fn user<Q: Eq + Hash + ?Sized>(&mut self, thing: &Q) -> Option<Id>
    where
        T: Borrow<Q>,
    {
        let id = self.ids.get(thing).copied()?;
        self.entry(id)?.1 += 1;
        Some(id)
    }

    /// The number of a thing, for one more user, and whether it is new.
    pub(super) fn id(&mut self, thing: T) -> (Id, bool) {
        if let Some(id) = self.user(&thing) {
            return (id, false);
        }
        let id = self.free.pop().unwrap_or_else(|| {
            self.things.push((None, 0));
            // There are fewer than bytes of the bound.
            Id::try_from(self.things.len() - 1).unwrap_or(Id::MAX)
        });
        self.ids.insert(thing.clone(), id);
        if let Some(entry) = self.entry(id) {
            *entry = (Some(thing), 1);
        }
        (id, true)
    }

    /// One user less; the thing where that was the last.
    pub(super) fn release(&mut self, id: Id) -> Option<T> {
        let (thing, users) = self.entry(id)?;
        *users = users.saturating_sub(1);
        let gone = if *users == 0 { thing.take() } else { None }?;
        self.ids.remove(&gone);
        self.free.push(id);
        Some(gone)
    }

    fn entry(&mut self, id: Id) -> Option<&mut (Option<T>, u32)> {
        usize::try_from(id).ok().and_then(|at| self.things.get_mut(at))
    }

    /// The thing.
    pub(super) fn get(&self, id: Id) -> Option<&T> {
        usize::try_from(id).ok().and_then(|at| self.things.get(at)).and_then(|(thing, _)| thing.as_ref())
    }
}

impl<T> Numbered<T> {
    /// The number of a thing that somebody uses already.
    pub(super) fn known<Q: Eq + Hash + ?Sized>(&self, thing: &Q) -> Option<Id>
    where
        T: Borrow<Q> + Eq + Hash,
    {
        self.ids.get(thing).copied()
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_given_again_once_nobody_uses_it() {
        let mut texts: Numbered<Box<str>> = Numbered::new();
        assert_eq!(
            (texts.id("a".into()), texts.id("b".into()), texts.id("a".into())),
            ((0, true), (1, true), (0, false))
        );
        assert_eq!((texts.user("b"), texts.user("c"), texts.known("a")), (Some(1), None, Some(0)));
        assert_eq!((texts.release(0), texts.release(0)), (None, Some("a".into())));
        assert_eq!((texts.release(7), texts.get(0), texts.len()), (None, None, 1));
        assert_eq!((texts.id("c".into()), texts.get(0).map(|t| &**t)), ((0, true), Some("c")));
    }
}
