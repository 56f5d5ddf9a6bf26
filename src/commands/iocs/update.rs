//! `dosimeter iocs update`: newer indicators, from an address or a file, once they are known to be good.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::super::{Ending, indicators, input, output, sandbox};
use crate::{
    cli::IocsUpdate,
    ioc::{
        Database,
        bundle::{Bundle, with_signature},
        signature::{self, Key, SignatureError},
    },
    stop,
};

#[cfg(feature = "online")]
/// Eight times what a quarter of a million packages take.
const LARGEST: u64 = input::LIST;

/// Takes a bundle into use, or leaves the old one.
///
/// # Errors
/// Where it is not signed by a trusted key, broken, older, or unavailable. What was in use stays in use.
pub fn run(command: &IocsUpdate) -> anyhow::Result<Ending> {
    let stored = indicators::stored()
        .context("there is no place to store them\nhint: set `HOME`, `XDG_DATA_HOME` or `DOSIMETER_DATA`")?;
    let keys = indicators::keys(&command.key)?;
    ensure!(
        !keys.is_empty(),
        "no key is known to check the signature with\nhint: give it with `--key` or `DOSIMETER_KEY`"
    );
    output::prepare(&stored)?;
    let named: Vec<PathBuf> = command.source.iter().filter(|s| !s.contains("://")).map(PathBuf::from).collect();
    let mut reads = sandbox::with_neighbours(&named);
    reads.extend(stored.parent().map(Path::to_owned));
    sandbox::begin("iocs update").enclose(&reads);
    let installed = install(command, &stored, &keys);
    // While a file is written the first signal is a wish, so that nothing is left lying.
    if installed.is_err() && stop::unheeded() {
        return Ok(Ending::Interrupted);
    }
    installed.with_context(|| format!("nothing was changed, {}", in_use(&stored, &keys)))
}

fn install(command: &IocsUpdate, stored: &Path, keys: &[Key]) -> anyhow::Result<Ending> {
    let Some(source) = &command.source else {
        bail!("no address is built in until there is a release\nhint: name a URL, or the file of a bundle");
    };
    let (bytes, signature) = if source.contains("://") {
        download(source, command.timeout)?
    } else {
        let path = PathBuf::from(source);
        (input::bytes(&path, input::LIST)?, indicators::beside(&path)?)
    };
    // A stored bundle that is copied elsewhere carries its signature itself.
    let bytes = match &signature {
        Some(text) => with_signature(bytes, text).context("what came is not a good bundle")?,
        None => bytes,
    };
    let mut said = String::new();
    stop::at_once(false);
    output::store(stored, &bytes, |path| {
        stop::check()?;
        let new = indicators::open(path).context("what came is not a good bundle")?;
        let key = signature::verify(&new, None, keys).map_err(|e| match e {
            SignatureError::Missing => {
                anyhow::anyhow!(
                    "`{source}` is not signed\nhint: its signature is expected beside it, at `{source}.minisig`"
                )
            }
            other => anyhow::Error::msg(other),
        })?;
        new.check().context("what came is not a good bundle")?;
        new.incidents().context("what came is not a good bundle")?;
        stop::check()?;
        if !newer(&new, stored, keys)? {
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
        stop::check()?;
        stop::mark_final();
        Ok(true)
    })?;
    output::print(&said)?;
    Ok(Ending::Nothing)
}

/// Whether it shall take the place of what is stored; an older one is refused. What is stored and not trusted is no measure:
/// else anybody could stop all updates by a made-up number.
fn newer(new: &Bundle, stored: &Path, keys: &[Key]) -> anyhow::Result<bool> {
    let built_in = Database::embedded()?.sequence;
    ensure!(
        new.head.sequence >= built_in,
        "it is number {}, older than number {built_in} of this program itself",
        new.head.sequence
    );
    let Some(old) = trusted(stored, keys) else {
        return Ok(true);
    };
    if old.signed_part == new.signed_part {
        // The same one; a body that was changed since is mended by it.
        return Ok(old.check().is_err());
    }
    match new.head.sequence.cmp(&old.head.sequence) {
        std::cmp::Ordering::Greater => Ok(true),
        std::cmp::Ordering::Equal => {
            bail!("it has the number {} of the stored one, and other content", new.head.sequence)
        }
        std::cmp::Ordering::Less => {
            bail!("it is number {}, older than number {} which is stored", new.head.sequence, old.head.sequence)
        }
    }
}

/// What is stored, where its head is good.
fn trusted(stored: &Path, keys: &[Key]) -> Option<Bundle> {
    indicators::open(stored).ok().filter(|old| signature::verify(old, None, keys).is_ok())
}

fn in_use(stored: &Path, keys: &[Key]) -> String {
    let built_in = Database::embedded().map_or(0, |d| d.sequence);
    match trusted(stored, keys) {
        Some(old) if old.head.sequence >= built_in => format!("number {} is still in use", old.head.sequence),
        None if rustix::fs::lstat(stored).is_ok() => "what is stored cannot be trusted, as before".to_owned(),
        _ => format!("number {built_in} of this program itself is still in use"),
    }
}

#[cfg(feature = "online")]
fn download(url: &str, seconds: u64) -> anyhow::Result<(Vec<u8>, Option<String>)> {
    use crate::online::{Address, FetchError, Session};
    let address = Address::parse(url).context("only addresses of http and https, and files, can be taken")?;
    let session = Session::start(std::time::Duration::from_secs(seconds)).map_err(anyhow::Error::msg)?;
    let beside = address.beside(".minisig");
    let signature = session.fetch(&beside, 4096).map_err(|e| match e {
        FetchError::Missing(_) => {
            anyhow::anyhow!("{e}: it is not signed\nhint: a bundle's signature is expected beside it")
        }
        other => anyhow::Error::new(other),
    })?;
    let signature = String::from_utf8(signature).map_err(|_| anyhow::anyhow!("`{beside}` is no signature"))?;
    Ok((session.fetch(&address, LARGEST)?, Some(signature)))
}

#[cfg(not(feature = "online"))]
fn download(_: &str, _: u64) -> anyhow::Result<(Vec<u8>, Option<String>)> {
    bail!(
        "this program was built without its network part\nhint: fetch the bundle and its `.minisig` elsewhere, and name the file"
    )
}
