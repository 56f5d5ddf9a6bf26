//! One record of JSON, of bounded size: what is made of a text takes thirty times its bytes at worst.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Values of one record. A MISP event or a STIX bundle is one; of 50,000 attributes with everything a server writes it has less.
pub const MOST: usize = 1_000_000;

/// Reads a value of bounded size: how many more values it may hold.
pub struct Within<'r>(pub &'r mut usize);

impl<'de> DeserializeSeed<'de> for Within<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        *self.0 =
            self.0.checked_sub(1).ok_or_else(|| D::Error::custom(format!("a record of more than {MOST} values")))?;
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Within(self.0))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            map.insert(key, fields.next_value_seed(Within(self.0))?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_what_it_would_be_without_a_bound() {
        let text = r#"{"a":[1,-2,0.5,true,null,"x",[]],"b":{"c":{}}}"#;
        let read = |mut budget: usize| {
            let mut json = serde_json::Deserializer::from_str(text);
            Within(&mut budget).deserialize(&mut json)
        };
        let all: Value = serde_json::from_str(text).unwrap();
        // The object, its two fields, the seven items of the list, and `c`.
        assert_eq!(read(11).unwrap(), all);
        assert!(read(10).is_err());
    }
}
