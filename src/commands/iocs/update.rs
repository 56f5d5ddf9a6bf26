//! `dosimeter iocs update`: newer indicators, from an address or a file, once they are known to be good.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::super::{Ending, indicators, input, output};
use crate::{
    cli::IocsUpdate,
    ioc::{
        Database,
        bundle::{Bundle, with_signature},
        signature::{self, Key, SignatureError},
    },
};

/// Takes a bundle into use, or leaves the old one.
///
/// # Errors
/// Where it is not signed by a trusted key, broken, older, or cannot be had. What was in use stays in use.
pub fn run(command: &IocsUpdate) -> anyhow::Result<Ending> {
    let stored = indicators::stored()
        .context("there is no place to store them\nhint: set `HOME`, `XDG_DATA_HOME` or `DOSIMETER_DATA`")?;
    let keys = indicators::keys(&command.key)?;
    ensure!(
        !keys.is_empty(),
        "no key is known to check the signature with\nhint: give it with `--key` or `DOSIMETER_KEY`"
    );
    let taken = take(command, &stored, &keys);
    taken.with_context(|| format!("nothing was changed: {} in use", in_use(&stored)))
}

fn take(command: &IocsUpdate, stored: &Path, keys: &[Key]) -> anyhow::Result<Ending> {
    let Some(source) = &command.source else {
        bail!("no address is built in until there is a release\nhint: name a URL, or the file of a bundle");
    };
    let (bytes, signature) = if source.starts_with("https://") || source.starts_with("http://") {
        download(source, command.timeout)?
    } else {
        let path = PathBuf::from(source);
        (input::bytes(&path)?, indicators::beside(&path)?)
    };
    // A stored bundle that is copied elsewhere carries its signature itself.
    let bytes = match &signature {
        Some(text) => with_signature(&bytes, text),
        None => bytes,
    };
    let mut said = String::new();
    output::store(stored, &bytes, |path| {
        let new = indicators::open(path).context("what came is not a good bundle")?;
        let key = signature::verify(&new, None, keys).map_err(|e| match e {
            SignatureError::Missing => {
                anyhow::anyhow!("it is not signed\nhint: its signature is expected beside it, at `{source}.minisig`")
            }
            other => anyhow::Error::msg(other),
        })?;
        new.check().context("what came is not a good bundle")?;
        new.incidents().context("what came is not a good bundle")?;
        if !newer(&new, stored)? {
            said = format!("number {} is in use already", new.head.sequence);
            return Ok(false);
        }
        said = format!(
            "number {} of {} is in use now: {} incidents, {} packages, signed by {}",
            new.head.sequence,
            new.head.created.strftime("%Y-%m-%d"),
            new.head.incidents,
            new.head.packages,
            key.as_str()
        );
        Ok(true)
    })?;
    output::print(&said)?;
    Ok(Ending::Nothing)
}

/// Whether it shall take the place of what is stored; an older one is refused.
fn newer(new: &Bundle, stored: &Path) -> anyhow::Result<bool> {
    let built_in = Database::embedded()?.sequence;
    ensure!(
        new.head.sequence >= built_in,
        "it is number {}, and this program itself has number {built_in}",
        new.head.sequence
    );
    let Ok(old) = indicators::open(stored) else {
        return Ok(true);
    };
    if old.signed_part == new.signed_part {
        // The same one; a body that was changed since is mended by it.
        return Ok(old.check().is_err());
    }
    ensure!(
        new.head.sequence > old.head.sequence,
        "it is number {}, and number {} is stored already",
        new.head.sequence,
        old.head.sequence
    );
    Ok(true)
}

fn in_use(stored: &Path) -> String {
    match indicators::open(stored) {
        Ok(old) => format!("number {} is still", old.head.sequence),
        Err(_) => "the indicators of this program are".to_owned(),
    }
}

#[cfg(feature = "online")]
fn download(url: &str, seconds: u64) -> anyhow::Result<(Vec<u8>, Option<String>)> {
    use std::time::Duration;

    use crate::online::fetch;
    /// Ten times what a quarter of a million packages take.
    const LARGEST: u64 = 256 << 20;
    let patience = Duration::from_secs(seconds);
    let signature = fetch(&format!("{url}.minisig"), 4096, patience)?;
    let signature = String::from_utf8(signature).map_err(|_| anyhow::anyhow!("`{url}.minisig` is no signature"))?;
    Ok((fetch(url, LARGEST, patience)?, Some(signature)))
}

#[cfg(not(feature = "online"))]
fn download(_: &str, _: u64) -> anyhow::Result<(Vec<u8>, Option<String>)> {
    bail!(
        "this program was built without its network part\nhint: fetch the bundle and its `.minisig` elsewhere, and name the file"
    )
}
