//! How many bits a guess at a value has to search, estimated from below: a secret that is called weak gets no tag, which costs an
//! "unknown"; a password that is called strong could be guessed by whoever finds the case key.

use std::collections::{BTreeMap, BTreeSet};

/// Fewer bits can be guessed.
const ENOUGH: f64 = 80.0;
/// Bits of a word: as in a sentence, where the next one can be guessed.
const WORD: f64 = 7.0;
/// Bits of a number: a year, a day.
const NUMBER: f64 = 8.0;
/// Longer values are judged by their start.
const MOST: usize = 4096;

/// Whether a value has 80 bits or more.
pub fn is_high(value: &[u8]) -> bool {
    bits(value) >= ENOUGH
}

fn bits(value: &[u8]) -> f64 {
    let value = value.get(..MOST).unwrap_or(value);
    by_frequency(value).min(by_parts(value))
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// Shannon's measure of the bytes that are there.
fn by_frequency(value: &[u8]) -> f64 {
    let mut counts = BTreeMap::<u8, usize>::new();
    value.iter().for_each(|b| *counts.entry(*b).or_default() += 1);
    let all = count(value.len());
    counts.values().map(|n| count(*n) * (all / count(*n)).log2()).sum()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Other,
}

fn class(byte: u8) -> Class {
    match byte {
        b'a'..=b'z' => Class::Lower,
        b'A'..=b'Z' => Class::Upper,
        b'0'..=b'9' => Class::Digit,
        _ => Class::Other,
    }
}

/// Words count as words, a part that was there before counts nothing, and so does a sign that follows its neighbour as in `abcd`.
fn by_parts(value: &[u8]) -> f64 {
    let mut met = BTreeSet::new();
    let mut sum = 0.0;
    let is_one = |a: &u8, b: &u8| class(*a) == class(*b) || (class(*a), class(*b)) == (Class::Upper, Class::Lower);
    for part in value.chunk_by(is_one) {
        if part.len() > 2 && !met.insert(part) {
            continue;
        }
        let Some(first) = part.first() else { continue };
        let steps = part.windows(2).filter(|pair| matches!(pair, [a, b] if a.abs_diff(*b) <= 1)).count();
        let signs = count(part.len() - steps);
        sum += match class(*first) {
            Class::Lower | Class::Upper => WORD.min(signs * 4.7),
            Class::Digit => NUMBER.min(signs * 3.3),
            Class::Other => signs * 2.0,
        };
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_values_are_high() {
        for value in [
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzq8Lr2Vx0s",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "AGE-SECRET-KEY-1QL8XF7Z2M9C4V6B0N5K3J7H2G8D4S6A9P0W3E5R7T2Y4U6I8O0L",
            "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=",
            "q8Zr2LxV0sYwTn5KbHd7Jc3MfGp9",
        ] {
            assert!(is_high(value.as_bytes()), "{value} {}", bits(value.as_bytes()));
        }
    }

    #[test]
    fn what_people_choose_is_not() {
        for value in [
            "",
            "hunter2",
            "Password123!",
            "Password123!Password123!Password123!Password123!",
            "correct horse battery staple",
            "correct-horse-battery-staple-again",
            "MyDogIsCalledRexAndHeIsOld2019",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "0123456789012345678901234567890123456789",
            "2026-11-29T10:00:00Z",
            "example-not-a-token",
            "p4ssw0rd-2026!",
            "qwertyuiopasdfghjklzxcvbnm1234567890",
        ] {
            assert!(!is_high(value.as_bytes()), "{value} {}", bits(value.as_bytes()));
        }
        // However long.
        assert!(!is_high(&b"pass".repeat(1 << 20)));
    }
}
