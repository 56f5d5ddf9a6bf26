//! Lists of JSON with a bound.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};

/// A list of at most `FEW` elements: a short text can stand for a large value.
#[derive(Debug, Clone)]
pub(super) struct Few<T>(pub(super) Vec<T>);

/// An image has at most 127 layers in Docker's store.
const FEW: usize = 4096;

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'d, T: Deserialize<'d>> Deserialize<'d> for Few<T> {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        struct Visit<T>(PhantomData<T>);
        impl<'d, T: Deserialize<'d>> Visitor<'d> for Visit<T> {
            type Value = Few<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {FEW} elements")
            }

            fn visit_seq<A: SeqAccess<'d>>(self, mut list: A) -> Result<Few<T>, A::Error> {
                let mut few = Vec::new();
                while let Some(one) = list.next_element()? {
                    if few.len() == FEW {
                        return Err(A::Error::invalid_length(FEW, &self));
                    }
                    few.push(one);
                }
                Ok(Few(few))
            }
        }
        from.deserialize_seq(Visit(PhantomData))
    }
}
