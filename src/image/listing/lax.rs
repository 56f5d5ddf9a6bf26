//! Reading JSON whose shape is somebody else's: a value of another type than expected is nothing, not a fault.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

/// Bytes of a text. Names of Kubernetes have at most 253, references of images at most 500.
const TEXT: usize = 1000;
/// Elements of one list of an object, or keys at its top.
const FEW: usize = 2000;

/// A text, or a number or a word as it is written; empty where there is none, or a longer one than any name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

impl Text {
    /// `None` where it is empty.
    pub(crate) fn some(self) -> Option<String> {
        Some(self.0).filter(|t| !t.is_empty())
    }
}

/// A mapping, or nothing.
#[derive(Debug)]
pub(crate) struct Lax<T>(pub(crate) Option<T>);

/// The mappings of a list, no more than so many.
#[derive(Debug)]
pub(crate) struct Few<T, const MOST: usize = FEW> {
    pub(crate) list: Vec<T>,
    /// There are more.
    pub(crate) cut: bool,
}

impl<T> Default for Lax<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T, const MOST: usize> Default for Few<T, MOST> {
    fn default() -> Self {
        Self { list: Vec::new(), cut: false }
    }
}

/// Scalars that are nothing to a reader of something else.
macro_rules! nothing {
    ($value:expr, $($visit:ident($kind:ty)),*) => {
        $(fn $visit<E>(self, _: $kind) -> Result<Self::Value, E> {
            Ok($value)
        })*
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($value)
        }
    };
}

fn pass_list<'d, A: SeqAccess<'d>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn pass_map<'d, A: MapAccess<'d>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'d> Deserialize<'d> for Text {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'d> Visitor<'d> for Visit {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(if text.len() > TEXT { Text::default() } else { Text(text.to_owned()) })
            }

            fn visit_bool<E>(self, word: bool) -> Result<Text, E> {
                Ok(Text(word.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text::default())
            }

            fn visit_seq<A: SeqAccess<'d>>(self, list: A) -> Result<Text, A::Error> {
                pass_list(list).map(|()| Text::default())
            }

            fn visit_map<A: MapAccess<'d>>(self, map: A) -> Result<Text, A::Error> {
                pass_map(map).map(|()| Text::default())
            }
        }
        from.deserialize_any(Visit)
    }
}

impl<'d, T: Deserialize<'d>> Deserialize<'d> for Lax<T> {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        struct Visit<T>(std::marker::PhantomData<T>);
        impl<'d, T: Deserialize<'d>> Visitor<'d> for Visit<T> {
            type Value = Lax<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            nothing!(Lax(None), visit_str(&str), visit_bool(bool), visit_u64(u64), visit_i64(i64), visit_f64(f64));

            fn visit_seq<A: SeqAccess<'d>>(self, list: A) -> Result<Lax<T>, A::Error> {
                pass_list(list).map(|()| Lax(None))
            }

            fn visit_map<A: MapAccess<'d>>(self, map: A) -> Result<Lax<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|value| Lax(Some(value)))
            }
        }
        from.deserialize_any(Visit(std::marker::PhantomData))
    }
}

impl<'d, T: Deserialize<'d>, const MOST: usize> Deserialize<'d> for Few<T, MOST> {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        struct Visit<T, const MOST: usize>(std::marker::PhantomData<T>);
        impl<'d, T: Deserialize<'d>, const MOST: usize> Visitor<'d> for Visit<T, MOST> {
            type Value = Few<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            nothing!(Few::default(), visit_str(&str), visit_bool(bool), visit_u64(u64), visit_i64(i64), visit_f64(f64));

            fn visit_seq<A: SeqAccess<'d>>(self, mut list: A) -> Result<Few<T, MOST>, A::Error> {
                let mut few = Few::default();
                while few.list.len() < MOST {
                    match list.next_element::<Lax<T>>()? {
                        Some(element) => few.list.extend(element.0),
                        None => return Ok(few),
                    }
                }
                few.cut = list.next_element::<IgnoredAny>()?.is_some();
                pass_list(list).map(|()| few)
            }

            fn visit_map<A: MapAccess<'d>>(self, map: A) -> Result<Few<T, MOST>, A::Error> {
                pass_map(map).map(|()| Few::default())
            }
        }
        from.deserialize_any(Visit(std::marker::PhantomData))
    }
}

/// The keys at the top of a document.
#[derive(Debug, Default)]
pub(super) struct Keys {
    names: Vec<String>,
    /// It is a list.
    pub(super) is_list: bool,
}

impl Keys {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|n| n == name)
    }
}

/// Reads the keys of a document; those before a fault are kept.
///
/// # Errors
/// Where it is broken, or a scalar.
pub(super) fn read_keys<'d, D: Deserializer<'d>>(from: D, keys: &mut Keys) -> Result<(), D::Error> {
    struct Seed<'k>(&'k mut Keys);
    impl<'d> Visitor<'d> for Seed<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list or a mapping")
        }

        fn visit_seq<A: SeqAccess<'d>>(self, list: A) -> Result<(), A::Error> {
            self.0.is_list = true;
            pass_list(list)
        }

        fn visit_map<A: MapAccess<'d>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(Text(key)) = map.next_key()? {
                if self.0.names.len() < FEW {
                    self.0.names.push(key);
                }
                map.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }
    impl<'d> DeserializeSeed<'d> for Seed<'_> {
        type Value = ();

        fn deserialize<D: Deserializer<'d>>(self, from: D) -> Result<(), D::Error> {
            from.deserialize_any(self)
        }
    }
    Seed(keys).deserialize(from)
}
