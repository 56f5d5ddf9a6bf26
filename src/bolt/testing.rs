//! Databases made here.

use std::collections::BTreeMap;

use super::{meta, page::u32_at};

/// A database of pages of 512 bytes: two headers, then these.
pub fn database(pages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let count = u64::try_from(pages.iter().map(|page| page.len() / 512).sum::<usize>()).unwrap() + 2;
    for transaction in 0..2_u64 {
        let mut page = vec![0; 512];
        for (at, number) in [(16, u64::from(u32_at(b"\xed\xda\x0c\xed", 0).unwrap()) | 2 << 32), (24, 512)] {
            page[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        for (at, number) in [(32, 2), (56, count), (64, transaction)] {
            page[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        let sum = meta::fnv(&page[16..72]).to_le_bytes();
        page[72..80].copy_from_slice(&sum);
        bytes.extend(page);
    }
    bytes.extend(pages.iter().flatten());
    bytes
}

/// A page of these elements: flags, key, value.
pub fn leaf(number: u64, elements: &[(u32, &[u8], Vec<u8>)]) -> Vec<u8> {
    let mut page = number.to_le_bytes().to_vec();
    page.extend(2_u16.to_le_bytes());
    page.extend(u16::try_from(elements.len()).unwrap().to_le_bytes());
    page.extend([0; 4]);
    let (mut data, places) = (Vec::new(), elements.len() * 16);
    for (n, (flags, key, value)) in elements.iter().enumerate() {
        let at = u32::try_from(places - n * 16 + data.len()).unwrap();
        let [key_len, value_len] = [key.len(), value.len()].map(|len| u32::try_from(len).unwrap());
        [*flags, at, key_len, value_len].iter().for_each(|word| page.extend(word.to_le_bytes()));
        data.extend_from_slice(key);
        data.extend(value);
    }
    page.extend(data);
    page
}

/// Whole pages; the first counts those that it runs on into.
pub fn padded(mut page: Vec<u8>) -> Vec<u8> {
    page.resize(page.len().next_multiple_of(512), 0);
    let more = u32::try_from(page.len() / 512 - 1).unwrap();
    page[12..16].copy_from_slice(&more.to_le_bytes());
    page
}

pub fn bucket(root: u64) -> Vec<u8> {
    [root.to_le_bytes(), [0; 8]].concat()
}

pub fn branch(number: u64, below: &[u64]) -> Vec<u8> {
    let mut page = number.to_le_bytes().to_vec();
    page.extend(1_u16.to_le_bytes());
    page.extend(u16::try_from(below.len()).unwrap().to_le_bytes());
    page.extend([0; 4]);
    for number in below {
        page.extend([0; 8]);
        page.extend(number.to_le_bytes());
    }
    page
}

/// A value, or a bucket.
pub enum Tree {
    Value(Vec<u8>),
    Bucket(BTreeMap<Vec<u8>, Tree>),
}

impl Tree {
    /// Sets the value at a path, making the buckets that lead to it.
    pub fn set(&mut self, path: &[&str], value: &[u8]) {
        let (Self::Bucket(below), [first, rest @ ..]) = (self, path) else {
            panic!("a value in the way");
        };
        let name = first.as_bytes().to_vec();
        if rest.is_empty() {
            below.insert(name, Self::Value(value.to_vec()));
        } else {
            below.entry(name).or_insert_with(|| Self::Bucket(BTreeMap::new())).set(rest, value);
        }
    }

    /// The whole database.
    pub fn write(&self) -> Vec<u8> {
        let mut pages = BTreeMap::new();
        self.pages(2, &mut 3, &mut pages);
        database(&pages.into_values().collect::<Vec<_>>())
    }

    /// The pages of a bucket whose own is this one; each runs on into so many that every bucket has a number of its own.
    fn pages(&self, number: u64, next: &mut u64, pages: &mut BTreeMap<u64, Vec<u8>>) {
        let Self::Bucket(below) = self else {
            panic!("no bucket");
        };
        let size: usize = 16 + below.iter().map(|(k, t)| 16 + k.len() + t.len()).sum::<usize>();
        *next = number + u64::try_from(size.div_ceil(512)).unwrap();
        let mut elements = Vec::new();
        for (name, tree) in below {
            match tree {
                Self::Value(value) => elements.push((0, name.as_slice(), value.clone())),
                bucket_tree @ Self::Bucket(_) => {
                    let root = *next;
                    bucket_tree.pages(root, next, pages);
                    elements.push((1, name, bucket(root)));
                }
            }
        }
        pages.insert(number, padded(leaf(number, &elements)));
    }

    fn len(&self) -> usize {
        match self {
            Self::Value(value) => value.len(),
            Self::Bucket(_) => 16,
        }
    }
}
