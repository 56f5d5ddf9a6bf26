//! The indicators of one run: the copy in the binary, the bundle that `iocs update` stored, and what the call names.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;

use super::{input, output};
use crate::{
    cli::{IndicatorOptions, KeyOptions},
    fact::{Ecosystem, Seen},
    ioc::{
        Database, Index,
        bundle::{Bundle, BundleError},
        import::{self, ImportError, Imported, Reading},
        rows::Rows,
        signature::{self, Key, SignatureError},
        typed,
        withdrawn::{Respecting, Withdrawals},
    },
    report::v1::Layer,
    stop,
    text::printable,
};

/// The environment variable that holds a public key.
const KEY_VARIABLE: &str = "DOSIMETER_KEY";

/// The indicators of one run.
pub struct Indicators {
    /// The incidents, and the date and number of the newest signed data.
    pub database: Database,
    /// Longer lists, in the order they were named.
    pub bundles: Vec<Arc<Bundle>>,
    /// Packages of other formats.
    rows: Vec<Arc<Rows>>,
    /// What was laid over the copy in the binary.
    pub layers: Vec<Layer>,
    /// Advisories that do not hold.
    pub withdrawn: Withdrawals,
}

impl Indicators {
    /// Loads them all.
    ///
    /// # Errors
    /// Where one of them cannot be used, or all are older than `--max-age`.
    pub fn load(options: &IndicatorOptions) -> anyhow::Result<Self> {
        let database = Database::embedded().context("the indicators in this program cannot be used")?;
        let withdrawn = Withdrawals::embedded().context("the withdrawn advisories in this program cannot be used")?;
        let mut indicators = Self { database, bundles: Vec::new(), rows: Vec::new(), layers: Vec::new(), withdrawn };
        let keys = keys(&options.key)?;
        if !options.built_in
            && let Some(path) = stored().filter(|p| rustix::fs::lstat(p).is_ok())
        {
            indicators.add_stored(&path, &keys)?;
        }
        for path in &options.iocs {
            match indicators.add_named(path, &keys) {
                // The report says that nothing was examined: then it does not matter with which indicators.
                Err(_) if stop::requested() => break,
                other => other?,
            }
        }
        if !options.ioc.is_empty() {
            indicators.add_typed(&options.ioc)?;
        }
        if let Some(days) = options.max_age {
            let age = Timestamp::now().duration_since(indicators.database.created).as_hours().div_euclid(24);
            ensure!(
                age >= -1,
                "the indicators are of {}, which is still to come\nhint: `--max-age` needs a clock that is right",
                indicators.database.created.strftime("%Y-%m-%d")
            );
            ensure!(
                age <= i64::from(days),
                "the indicators are {age} days old, more than `--max-age {days}`\nhint: `dosimeter iocs update` brings newer ones"
            );
        }
        Ok(indicators)
    }

    /// What was stored by `iocs update`. It is signed, so it may replace incidents.
    fn add_stored(&mut self, path: &Path, keys: &[Key]) -> anyhow::Result<()> {
        let shown = output::shown(path);
        let hint = "hint: `dosimeter iocs update` stores it anew; `--built-in` does without it";
        let bundle = open(path).with_context(|| format!("the stored indicators cannot be used\n{hint}"))?;
        let signed_by = match signature::verify(&bundle, None, keys) {
            Ok(key) => Some(key.as_str().to_owned()),
            // Nobody to ask: then it must at least be out of reach of everybody else.
            Err(SignatureError::NoKey) => match open_to_others(path) {
                None => None,
                Some(place) => bail!(
                    "others may write to `{}`, and no key is known to check `{shown}` with\nhint: give the key with `--key` or `{KEY_VARIABLE}`; `--built-in` does without it",
                    output::shown(&place)
                ),
            },
            Err(error) => bail!("the stored indicators `{shown}` are not trusted: {error}\n{hint}"),
        };
        if bundle.head.sequence < self.database.sequence {
            output::note(&format!(
                "the stored indicators are number {}, those of this program number {}: the stored ones are not used",
                bundle.head.sequence, self.database.sequence
            ));
            return Ok(());
        }
        let incidents =
            bundle.incidents().with_context(|| format!("the stored indicators `{shown}` cannot be used\n{hint}"))?;
        self.database.replace(incidents);
        self.take_date_of(&bundle);
        self.add_bundle(bundle, signed_by);
        Ok(())
    }

    fn take_date_of(&mut self, bundle: &Bundle) {
        use sha2::Digest as _;
        self.database.sequence = bundle.head.sequence;
        self.database.created = bundle.head.created;
        self.database.digest = format!("sha256:{}", crate::text::hex(&sha2::Sha256::digest(&bundle.signed_part)));
    }

    fn add_bundle(&mut self, bundle: Bundle, signed_by: Option<String>) {
        use crate::ioc::feed::Feed as _;
        self.layers.push(Layer {
            origin: bundle.label().to_owned(),
            title: bundle.head.title.clone(),
            sequence: Some(bundle.head.sequence),
            created: Some(bundle.head.created),
            incidents: bundle.head.incidents,
            packages: bundle.head.packages,
            signed_by,
        });
        self.bundles.push(Arc::new(bundle));
    }

    /// What `--iocs` names: a bundle, a file of any format that can be taken over, or a folder of them.
    fn add_named(&mut self, path: &Path, keys: &[Key]) -> anyhow::Result<()> {
        match open(path) {
            Ok(bundle) => {
                let beside = beside(path)?;
                let signed = signature::verify(&bundle, beside.as_deref(), keys);
                let signed_by = signed.ok().map(|k| k.as_str().to_owned());
                let incidents = bundle.incidents().with_context(|| format!("`{}`", output::shown(path)))?;
                match &signed_by {
                    Some(_) if bundle.head.sequence >= self.database.sequence => {
                        self.database.replace(incidents);
                        self.take_date_of(&bundle);
                    }
                    _ => self.database.add(incidents),
                }
                self.add_bundle(bundle, signed_by);
                self.note_left_out(path);
                Ok(())
            }
            Err(BundleError::Foreign) => self.add_foreign(path),
            Err(error) => Err(error).with_context(|| format!("`{}`", output::shown(path))),
        }
    }

    /// Says what of the bundle just added is left out: a bundle is a copy of public lists, and copies go stale.
    fn note_left_out(&self, path: &Path) {
        let Some(bundle) = self.bundles.last() else { return };
        for left in Respecting::new(bundle.clone(), self.withdrawn.clone()).left_out() {
            let (place, hint) = (path.display(), left.hint());
            output::note(&format!("{place}: left out: {}\nhint: {hint} looks for it all the same", left.line()));
        }
    }

    fn add_foreign(&mut self, path: &Path) -> anyhow::Result<()> {
        let mut imported = imported(path, Reading::default())?;
        imported.beware(&self.database.incidents);
        self.doubt(&imported, &path.display().to_string());
        for (why, left) in &imported.left {
            output::note(&format!(
                "{}: left out {} times: {why} (`{}`)",
                output::shown(path),
                left.count,
                printable(&left.example)
            ));
        }
        let label = path.to_string_lossy().into_owned();
        self.add_imported(imported, &label, "a file of the user's");
        Ok(())
    }

    /// Says what is known against packages that the user named. They stay: the user answers for them.
    fn doubt(&self, imported: &Imported, origin: &str) {
        for doubt in imported.doubts(&self.withdrawn) {
            output::note(&format!("{origin}: {doubt}\nhint: it is looked for all the same, since you named it"));
        }
    }

    fn add_imported(&mut self, imported: Imported, origin: &str, title: &str) {
        let mut incidents = imported.incidents;
        incidents.iter_mut().filter(|i| i.origin.is_empty()).for_each(|i| i.origin = origin.into());
        let rows = Rows::new(origin, imported.rows);
        self.layers.push(Layer {
            origin: origin.to_owned(),
            title: title.to_owned(),
            sequence: None,
            created: None,
            incidents: incidents.len(),
            packages: rows.packages(),
            signed_by: None,
        });
        self.database.add(incidents);
        if rows.packages() > 0 {
            self.rows.push(Arc::new(rows));
        }
    }

    fn add_typed(&mut self, texts: &[String]) -> anyhow::Result<()> {
        let incident = typed::incident(texts).map_err(anyhow::Error::msg)?;
        let imported = Imported { incidents: vec![incident], ..Imported::default() };
        self.doubt(&imported, "--ioc");
        self.add_imported(imported, "--ioc", "given on the command line");
        Ok(())
    }

    /// Compiled, or only the incidents `wanted` names. They move into the index: there are megabytes of them.
    ///
    /// # Errors
    /// Where it names one that does not exist.
    pub fn index(&mut self, wanted: &[String]) -> anyhow::Result<Index> {
        let known = |id: &str| self.database.incidents.iter().any(|i| i.id == id);
        if let Some(id) = wanted.iter().find(|id| !known(id)) {
            bail!(
                "no incident `{id}`\nhint: `dosimeter iocs list` names them; `dosimeter iocs search` finds one by a package"
            );
        }
        let incidents = std::mem::take(&mut self.database.incidents);
        let mut index = Index::new(Database { incidents, ..self.database.clone() }, wanted);
        if wanted.is_empty() {
            for bundle in &self.bundles {
                index = index.with_feed(Arc::new(Respecting::new(bundle.clone(), self.withdrawn.clone())));
            }
            for rows in &self.rows {
                index = index.with_feed(rows.clone());
            }
        }
        Ok(index)
    }

    /// Whether every bundle is still what its head says.
    ///
    /// # Errors
    /// Where one was changed while it was in use: its answers are worth nothing.
    pub fn still_good(&self) -> anyhow::Result<()> {
        for bundle in &self.bundles {
            if let Some(fault) = bundle.fault() {
                use crate::ioc::feed::Feed as _;
                bail!("`{}`: {fault}\nhint: `--built-in` examines without it", bundle.label());
            }
        }
        Ok(())
    }
}

/// The packages among these facts that a feed has to be asked for.
pub fn packages<'s>(facts: impl Iterator<Item = &'s Seen>) -> std::collections::BTreeSet<(Ecosystem, Box<str>)> {
    use crate::{ecosystem::normal_name, fact::Fact};
    let mut packages = std::collections::BTreeSet::new();
    for seen in facts {
        match &seen.fact {
            Fact::Package(p) => {
                packages.insert((p.ecosystem, normal_name(p.ecosystem, &p.name)));
            }
            Fact::Command(c) => packages.extend(c.wanted.iter().map(|w| (w.ecosystem, w.name.clone()))),
            _ => {}
        }
    }
    packages
}

/// The keys that are trusted: those pinned in this program, `--key`, and the environment's.
///
/// # Errors
/// Where one is no key.
pub fn keys(options: &KeyOptions) -> anyhow::Result<Vec<Key>> {
    let named = options.key.iter().cloned().chain(std::env::var(KEY_VARIABLE).ok().filter(|k| !k.is_empty()));
    let mut keys = Key::pinned();
    for text in named {
        let read = if Path::new(&text).is_file() { input::text(Path::new(&text), input::KEY)? } else { text.clone() };
        keys.push(Key::parse(&read).with_context(|| {
            format!("`{text}` is no minisign public key\nhint: it is a line that starts with `RW`, or the file that holds it")
        })?);
    }
    Ok(keys)
}

/// Where `iocs update` stores its bundle; `None` where there is no home.
pub fn stored() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let folder = set("DOSIMETER_DATA")
        .or_else(|| Some(set("XDG_DATA_HOME")?.join("dosimeter")))
        .or_else(|| Some(set("HOME")?.join(".local/share/dosimeter")))?;
    Some(folder.join("indicators.bundle"))
}

/// Opens a bundle.
///
/// # Errors
/// Where it cannot be read, or is none.
#[allow(clippy::disallowed_methods)] // the user's own input
pub fn open(path: &Path) -> Result<Bundle, BundleError> {
    // A folder opens like a file and then cannot be read, and a pipe is waited for.
    if !std::fs::metadata(path)?.is_file() {
        return Err(BundleError::Foreign);
    }
    Bundle::open(File::open(path)?, &path.to_string_lossy())
}

/// The signature that lies beside a bundle, if one does.
///
/// # Errors
/// Where it is there and cannot be read.
pub fn beside(path: &Path) -> anyhow::Result<Option<String>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".minisig");
    let path = PathBuf::from(name);
    if path.is_file() { input::text(&path, input::KEY).map(Some) } else { Ok(None) }
}

/// Everything that a file, or the files of a folder, can give. In a folder, what has no known format is left and reported.
///
/// # Errors
/// Where a file cannot be read or is broken, or nothing has a known format.
pub fn imported(path: &Path, reading: Reading) -> anyhow::Result<Imported> {
    let mut imported = Imported::default();
    let (mut known, mut files) = (0_usize, 0_usize);
    for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot read `{}`", output::shown(path)))?;
        let alone = entry.depth() == 0;
        let kind = entry.file_type();
        // A link or pipe is read where it was named itself.
        if kind.is_dir() || (!alone && !kind.is_file()) {
            continue;
        }
        files += 1;
        if !alone && is_list_of_another(entry.path())? {
            continue;
        }
        let name = entry.path().to_string_lossy().into_owned();
        let mut open = input::open(entry.path())?;
        let result = match zip_of(&mut open, &name, reading) {
            Some(result) => result,
            None => {
                let bytes = input::read_whole(open, entry.path(), input::LIST)?;
                let list = import::list_of(&name, &bytes).filter(|l| Path::new(l).is_file());
                let mut together = vec![(name.clone(), bytes)];
                if let Some(list) = list {
                    together.push((list.clone(), input::bytes(Path::new(&list), input::LIST)?));
                }
                import::read(&together, reading)
            }
        };
        match result {
            Ok(some) => {
                known += 1;
                imported.add(some, &name)?;
            }
            Err(ImportError::Unknown { .. }) if !alone => imported.leave("a file of no known format", &name),
            Err(error) => return Err(error.into()),
        }
    }
    ensure!(files > 0, "no file in `{}`", output::shown(path));
    ensure!(known > 0, "no file of a format that can be taken over in `{}`", output::shown(path));
    Ok(imported)
}

/// What an archive gives, read where it lies; `None` where it is none, or has to be read front to back.
fn zip_of(open: &mut input::Input, name: &str, reading: Reading) -> Option<Result<Imported, ImportError>> {
    use std::os::unix::fs::FileExt as _;
    let (mut file, len) = open.regular()?;
    let mut start = [0; 4];
    file.read_exact_at(&mut start, 0).ok()?;
    let small = len <= input::ARCHIVE;
    (import::is_zip(&start) && small).then(|| import::read_zip(name, &mut file, reading))
}

/// Whether a file is the list of the incident file beside it.
fn is_list_of_another(path: &Path) -> anyhow::Result<bool> {
    let incident = path.with_extension("json");
    if path.extension().is_none_or(|e| e != "csv") || !incident.is_file() {
        return Ok(false);
    }
    let list = import::list_of(&incident.to_string_lossy(), &input::bytes(&incident, input::LIST)?);
    Ok(list.is_some_and(|l| Path::new(&l) == path))
}

/// The first of a file and the folders above it that somebody other than this account and root may change; `None` where there
/// is none. In a folder like `/tmp` nobody may replace what belongs to another.
#[allow(clippy::disallowed_methods)] // the user's own data folder
fn open_to_others(path: &Path) -> Option<PathBuf> {
    let own = rustix::process::geteuid().as_raw();
    let Ok(real) = std::fs::canonicalize(path) else {
        return Some(path.to_owned());
    };
    let safe = |path: &Path| {
        let sticky = 0o1000;
        rustix::fs::stat(path).is_ok_and(|s| {
            (s.st_uid == own || s.st_uid == 0) && (s.st_mode & 0o022 == 0 || path != real && s.st_mode & sticky != 0)
        })
    };
    real.ancestors().find(|p| !safe(p)).map(Path::to_owned)
}
