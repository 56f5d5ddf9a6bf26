//! Lists and tables of a store's JSON with a bound: a short text can stand for a large value.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// The largest hosts of builds have a tenth of this.
const MOST: usize = 200_000;

/// A list, of which so many elements are kept.
#[derive(Debug, Clone)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    /// There were more.
    pub(super) more: bool,
}

/// A table with names, in its order, of which so many rows are kept.
#[derive(Debug, Clone)]
pub(super) struct Pairs<T> {
    pub(super) items: Vec<(String, T)>,
    /// There were more.
    pub(super) more: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new(), more: false }
    }
}

impl<T> Default for Pairs<T> {
    fn default() -> Self {
        Self { items: Vec::new(), more: false }
    }
}

impl<'d, T: Deserialize<'d>> Deserialize<'d> for List<T> {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        struct Visit<T>(PhantomData<T>);
        impl<'d, T: Deserialize<'d>> Visitor<'d> for Visit<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            // What Go writes for an empty one.
            fn visit_unit<E>(self) -> Result<List<T>, E> {
                Ok(List::default())
            }

            fn visit_seq<A: SeqAccess<'d>>(self, mut from: A) -> Result<List<T>, A::Error> {
                let mut list = List::default();
                while list.items.len() < MOST {
                    match from.next_element()? {
                        Some(item) => list.items.push(item),
                        None => return Ok(list),
                    }
                }
                while from.next_element::<IgnoredAny>()?.is_some() {
                    list.more = true;
                }
                Ok(list)
            }
        }
        from.deserialize_any(Visit(PhantomData))
    }
}

impl<'d, T: Deserialize<'d>> Deserialize<'d> for Pairs<T> {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        struct Visit<T>(PhantomData<T>);
        impl<'d, T: Deserialize<'d>> Visitor<'d> for Visit<T> {
            type Value = Pairs<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_unit<E>(self) -> Result<Pairs<T>, E> {
                Ok(Pairs::default())
            }

            fn visit_map<A: MapAccess<'d>>(self, mut from: A) -> Result<Pairs<T>, A::Error> {
                let mut pairs = Pairs::default();
                while pairs.items.len() < MOST {
                    match from.next_entry()? {
                        Some(pair) => pairs.items.push(pair),
                        None => return Ok(pairs),
                    }
                }
                while from.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    pairs.more = true;
                }
                Ok(pairs)
            }
        }
        from.deserialize_any(Visit(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_list_without_end_the_first_are_kept() {
        let many = format!("[{}0]", "0,".repeat(MOST));
        let list: List<u8> = serde_json::from_str(&many).unwrap();
        assert_eq!((list.items.len(), list.more), (MOST, true));
        let rows = format!("{{{}\"z\":0}}", "\"a\":0,".repeat(MOST));
        let pairs: Pairs<u8> = serde_json::from_str(&rows).unwrap();
        assert_eq!((pairs.items.len(), pairs.more), (MOST, true));
        assert!(serde_json::from_str::<List<u8>>("null").unwrap().items.is_empty());
        assert!(serde_json::from_str::<Pairs<u8>>("null").unwrap().items.is_empty());
        assert!(serde_json::from_str::<List<u8>>("7").is_err() && serde_json::from_str::<Pairs<u8>>("[]").is_err());
    }
}
