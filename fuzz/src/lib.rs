//! The ways into the program that take bytes which an attacker wrote, one function per fuzz target.
//!
//! A panic that the program catches is a fault all the same: it would cost the file it was reading. So each function looks for the
//! gap that such a panic leaves, and panics itself.

use std::{
    collections::BTreeSet,
    io::Write as _,
    path::Path,
    sync::{Once, OnceLock, atomic::AtomicBool},
};

use dosimeter::{
    coverage::{Coverage, GapKind},
    credential::{Catalog, CredentialSurface},
    fact::{Ecosystem, Seen, TreePath},
    image::{self, Limits, Options, Readers},
    interest::Interest,
    ioc::{self, Index, bundle::Bundle, import, weigh::Weigher},
    matcher, shell,
    surface::{SURFACES, Surface},
    tree::{Body, Entry, Kind, Visit as _},
    walk::{Inspector, Router},
};

/// What every run shares: reading the embedded indicators for each input would be all that is fuzzed.
struct Knowledge {
    index: Index,
    interest: Interest,
    credentials: [&'static dyn Surface; 1],
}

fn knowledge() -> &'static Knowledge {
    static KNOWLEDGE: OnceLock<Knowledge> = OnceLock::new();
    KNOWLEDGE.get_or_init(|| {
        let index = Index::new(ioc::Database::embedded().expect("embedded indicators"), &[]);
        let catalog = Catalog::embedded().expect("embedded kinds");
        let credentials = CredentialSurface::new(&catalog, &[]).expect("embedded kinds");
        Knowledge { interest: index.interest(), index, credentials: [Box::leak(Box::new(credentials))] }
    })
}

/// The fuzzer's own hook ends the process at any panic. Ours waits for the gap, so that a guarded call of a crate that may panic
/// does not count.
fn catch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = std::panic::take_hook();
        std::panic::set_hook(Box::new(|info| {
            let _ = writeln!(std::io::stderr(), "panic at {:?}", info.location());
        }));
    });
}

fn refuse_panics(coverage: &Coverage) {
    // Of a file that holds nothing known, a panic is no gap; it is a fault all the same.
    if let Some(gap) = coverage.gaps.iter().chain(&coverage.weightless).find(|g| g.kind == GapKind::Panicked) {
        let _ = writeln!(std::io::stderr(), "a parser panicked: {gap:?}");
        std::process::abort();
    }
}

/// First line: the path in the tree; the rest: the file's bytes.
fn path_and_bytes(data: &[u8]) -> Option<(TreePath, &[u8])> {
    let at = data.iter().position(|b| *b == b'\n')?;
    let (path, bytes) = data.split_at_checked(at)?;
    Some((TreePath::new(path)?, bytes.get(1..)?))
}

fn inspect(surfaces: Vec<&dyn Surface>, data: &[u8]) {
    catch();
    let Some((path, mut bytes)) = path_and_bytes(data) else { return };
    let known = knowledge();
    let router = Router::new(surfaces, &known.interest);
    let keep = |seen: &Seen| matcher::worth(&known.index, seen);
    let weigher = Weigher::new(&known.index);
    let weigh = |path: &TreePath, bytes: &[u8]| weigher.weigh(path, bytes);
    let inspector = Inspector::new(&router, &known.interest, &keep, "fuzz".into(), None).weighing(&weigh);
    let folder = inspector.folder(&path.parent());
    if !inspector.wants(&folder, path.name(), Kind::File) {
        return;
    }
    let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let entry = Entry { path, len, mtime: None, btime: None, uid: None, gid: None, mode: None };
    inspector.file(&entry, &mut Body::stream(&mut bytes, len));
    refuse_panics(&inspector.finish().1);
}

/// Every surface, by path and bytes.
pub fn surface(data: &[u8]) {
    inspect(SURFACES.to_vec(), data);
}

/// Every reader of credentials, by path and bytes.
pub fn credential(data: &[u8]) {
    inspect(knowledge().credentials.to_vec(), data);
}

/// A saved image: the bytes are an archive.
pub fn image(data: &[u8]) {
    static STOP: AtomicBool = AtomicBool::new(false);
    catch();
    let known = knowledge();
    let router = Router::new(SURFACES.to_vec(), &known.interest);
    let keep = |seen: &Seen| matcher::worth(&known.index, seen);
    let weigher = Weigher::new(&known.index);
    let weigh = |path: &TreePath, bytes: &[u8]| weigher.weigh(path, bytes);
    let options = Options {
        router: &router,
        interest: &known.interest,
        keep: &keep,
        weigh: &weigh,
        readers: Readers {
            history: &|step, build| build.step(step),
            environment: &|_| Vec::new(),
            arguments: &|_| Vec::new(),
        },
        threads: 1,
        // An input that grows a thousandfold is known to be bounded; here it would only be slow.
        limits: Limits { layer_bytes: 16 << 20, ..Limits::default() },
        verify: true,
        stop: &STOP,
    };
    on_disk(data, |path| {
        if let Ok(found) = image::examine(path, &options, &BTreeSet::new()) {
            refuse_panics(&found.coverage);
        }
    });
}

/// A bundle of indicators, looked into and read whole.
pub fn bundle(data: &[u8]) {
    catch();
    let opened = abort_on_panic(|| {
        let mut found = None;
        on_disk(data, |path| found = Some(std::fs::File::open(path).expect("own file")));
        Bundle::open(found?, "fuzz").ok()
    });
    abort_on_panic(|| {
        if let Some(bundle) = opened {
            let _ = bundle.check();
            let _ = bundle.incidents();
            let _ = bundle.all();
        }
    });
}

/// Somebody else's indicators. First line: the file's name; the rest: its bytes.
pub fn import(data: &[u8]) {
    catch();
    let Some(at) = data.iter().position(|b| *b == b'\n') else { return };
    let name = String::from_utf8_lossy(&data[..at]).into_owned();
    let files = [(name, data[at + 1..].to_vec())];
    for ecosystem in [None, Some(Ecosystem::Npm)] {
        abort_on_panic(|| drop(import::read(&files, import::Reading { ecosystem })));
    }
}

/// What somebody typed, or what built an image.
pub fn shell(data: &[u8]) {
    catch();
    let Ok(text) = std::str::from_utf8(data) else { return };
    abort_on_panic(|| {
        let _ = shell::install_commands(text);
        let _ = shell::from_image_history(text);
        let _ = shell::open_documents(text);
    });
}

fn abort_on_panic<T>(run: impl FnOnce() -> T) -> T {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_or_else(|_| std::process::abort())
}

fn on_disk(data: &[u8], run: impl FnOnce(&Path)) {
    let mut file = tempfile::NamedTempFile::new().expect("a folder for temporary files");
    file.write_all(data).expect("room for a temporary file");
    run(file.path());
}
