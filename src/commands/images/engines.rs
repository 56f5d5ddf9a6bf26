//! Engines that the user named, and those that were not asked.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use rustix::{
    fs::{self as sys, Mode, OFlags},
    io::Errno,
};

use crate::{
    cli::ImagesCommand,
    commands::input,
    coverage::{Coverage, Exclusion, Gap, GapKind, IMAGE},
    fact::{Origin, TreePath},
    image::engine::{Endpoint, Engine, EngineContainer, EngineError, EngineImage, Listed, NotAsked, Tls, not_asked},
    image::{self, Disk, Inputs, Limits, listing::ImageUse},
    stop::STOP,
    surface::Flaw,
    text::{escape_short, without_user},
};

/// For each answer. Older engines write a whole image to their disk before they send its first byte.
const PATIENCE: Duration = Duration::from_secs(120);
/// Images that are taken of one engine.
const IMAGES: usize = 10_000;
/// Contexts of Docker that are looked at, and bytes of each.
const CONTEXTS: usize = 100;
const META: u64 = 1 << 20;
/// Certificates and keys.
const PEM: u64 = 1 << 20;
/// Where Docker's programs find the certificates for an engine.
const CERTIFICATES: &str = "DOCKER_CERT_PATH";

/// Engines, and what they said.
pub struct Engines {
    asked: Vec<Asked>,
    gaps: Vec<Gap>,
    exclusions: Vec<Exclusion>,
    /// Images that no store holds are asked for.
    export: bool,
    /// Images that no store holds are at least gaps: nothing else was named.
    all: bool,
}

struct Asked {
    engine: Engine,
    images: Vec<EngineImage>,
    words: String,
}

impl Engines {
    /// Finds out who listens, and sends nothing yet. To be called before landlock takes other processes away. An engine that is not
    /// connected to is a gap.
    ///
    /// # Errors
    /// Where an address names no engine, or cannot be used.
    pub fn connect(command: &ImagesCommand, all: bool) -> anyhow::Result<Self> {
        let mut engines =
            Self { asked: Vec::new(), gaps: Vec::new(), exclusions: Vec::new(), export: command.engine_export, all };
        let mut named = Vec::new();
        for text in &command.engine {
            // What is typed may hold a password.
            let shown = escape_short(without_user(text).as_bytes(), 200);
            let endpoint = Endpoint::parse(text).with_context(|| {
                format!(
                    "`{shown}` names no engine\nhint: the path of a Unix socket, or `tcp://HOST:PORT` without a user"
                )
            })?;
            if named.contains(&endpoint) {
                continue;
            }
            let connected = match &endpoint {
                Endpoint::Unix(socket) => Engine::connect(socket, PATIENCE),
                Endpoint::Tcp { host, port, tls } => {
                    let tls = tls.then(|| certificates(command.registry.ca.as_deref())).transpose()?;
                    Engine::dial(host, *port, tls, command.registry.plain_http, PATIENCE)
                }
                Endpoint::Other(scheme) => bail!("engines are not asked over `{scheme}`: `{shown}`"),
            };
            match connected {
                Ok(engine) => engines.asked.push(Asked { engine, images: Vec::new(), words: String::new() }),
                Err(error @ EngineError::Refused(_)) => engines.gaps.push(gap(&shown, &error)),
                Err(error) => return Err(anyhow!(error).context(format!("the engine `{shown}`"))),
            }
            named.push(endpoint);
        }
        if all && command.root == Path::new("/") {
            engines.exclusions.extend(others(&named, &mut engines.gaps).iter().map(exclusion));
        }
        Ok(engines)
    }

    /// Asks each for its images and containers. What does not come is a gap; the containers are what it gives.
    pub fn ask(&mut self, coverage: &mut Coverage) -> Vec<ImageUse> {
        let mut uses = Vec::new();
        for asked in &mut self.asked {
            let engine = &asked.engine;
            let images = match engine.images() {
                Ok(images) => images,
                Err(error) => {
                    self.gaps.push(gap(engine.at(), &error));
                    continue;
                }
            };
            let mut failed = |error: &EngineError| self.gaps.push(gap(engine.at(), error));
            let containers = engine.containers().map_err(|error| failed(&error)).ok();
            let containers = containers.unwrap_or(Listed { list: Vec::new(), cut: false });
            let version = engine.version().map_err(|error| failed(&error)).unwrap_or_default();
            let Listed { list, cut } = images;
            let more = list.len().saturating_sub(IMAGES);
            if cut || containers.cut || more > 0 {
                let detail =
                    format!("it has more than {IMAGES} images, or too many containers: the rest was not looked at");
                self.gaps.push(Gap { kind: GapKind::TooLarge, detail, ..at(engine.at()) });
            }
            let who = engine.listener().map(|l| {
                let seen = if l.seen { "" } else { ", by its command line" };
                format!(" ({}, process {}{seen})", l.engine, l.pid)
            });
            asked.words = format!(
                "engine at {}{}: version {}, {} images, {} containers",
                engine.at(),
                who.unwrap_or_default(),
                escape_short(version.version.as_bytes(), 40),
                list.len(),
                containers.list.len()
            );
            uses.extend(containers.list.iter().map(EngineContainer::as_use));
            asked.images = list.into_iter().take(IMAGES).collect();
        }
        coverage.gaps.append(&mut self.gaps);
        coverage.exclusions.append(&mut self.exclusions);
        uses
    }

    /// Adds what they have behind what others have.
    pub fn open<'e>(&'e self, inputs: &mut Inputs<'e>, limits: Limits) {
        for asked in self.asked.iter().filter(|_| self.export || self.all) {
            inputs.absorb(image::open_engine(&asked.engine, &asked.images, self.export, limits, &STOP));
        }
    }

    /// What they call images, by the id of each: the stores may not know it.
    pub fn names(&self) -> Vec<(String, Vec<String>)> {
        let images = self.asked.iter().flat_map(|asked| &asked.images);
        images.filter(|image| !image.tags.is_empty()).map(|image| (image.id.clone(), image.tags.clone())).collect()
    }

    /// Who was asked, for people.
    pub fn words(&self) -> Vec<String> {
        self.asked.iter().map(|asked| asked.words.clone()).filter(|words| !words.is_empty()).collect()
    }
}

fn at(engine: &str) -> Gap {
    let origin = Origin::file(&format!("engine {engine}").into(), TreePath::root());
    Gap { origin, surface: IMAGE, kind: GapKind::Unreadable, detail: String::new() }
}

fn gap(engine: &str, error: &EngineError) -> Gap {
    let detail = error.to_string();
    // A gap is one line.
    Gap { detail: detail.lines().collect::<Vec<_>>().join("; "), ..at(engine) }
}

/// For an engine that speaks TLS: who signs its certificate, and the client's own.
fn certificates(ca: Option<&Path>) -> anyhow::Result<Tls> {
    let read = |path: &Path| input::bytes(path, PEM);
    let folder = std::env::var_os(CERTIFICATES).map(std::path::PathBuf::from);
    let below = |name: &str| folder.as_ref().map(|folder| folder.join(name)).filter(|path| path.exists());
    let ca = ca.map(Path::to_owned).or_else(|| below("ca.pem")).map(|path| read(&path)).transpose()?;
    let identity = match below("cert.pem").zip(below("key.pem")) {
        Some((certificate, key)) => Some([read(&certificate)?, b"\n".to_vec(), read(&key)?].concat()),
        None => None,
    };
    Ok(Tls { ca, identity })
}

/// Engines of this machine that were not named.
fn others(named: &[Endpoint], gaps: &mut Vec<Gap>) -> Vec<NotAsked> {
    let folder = |name: &str| std::env::var_os(name).map(std::path::PathBuf::from).filter(|path| path.is_absolute());
    let (home, runtime) = (folder("HOME"), folder("XDG_RUNTIME_DIR"));
    let contexts = home.as_ref().map(|home| contexts(home, gaps)).unwrap_or_default();
    let variable = |name: &str| std::env::var(name).ok();
    let all = not_asked(&variable, &contexts, home.as_deref(), runtime.as_deref(), &|path| path.exists());
    all.into_iter()
        .filter(|other| !other.endpoint.as_ref().is_some_and(|e| named.iter().any(|n| is_same(n, e))))
        .collect()
}

/// The `meta.json` of each context of Docker's. No link is followed, and what is no regular file is not opened.
fn contexts(home: &Path, gaps: &mut Vec<Gap>) -> Vec<Vec<u8>> {
    const FOLDER: &str = ".docker/contexts/meta";
    let mut note = |path: &[u8], flaw: &Flaw| {
        let origin = Origin::file(&"engines".into(), TreePath::new(path).unwrap_or_else(TreePath::root));
        gaps.push(Gap { origin, surface: IMAGE, kind: flaw.kind(), detail: flaw.to_string() });
    };
    let home = match sys::open(home, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(home) => Disk::new(home),
        Err(Errno::NOENT | Errno::NOTDIR) => return Vec::new(),
        Err(error) => {
            note(FOLDER.as_bytes(), &Flaw::Io(error.into()));
            return Vec::new();
        }
    };
    let (names, more) = home.folders(FOLDER.as_bytes()).unwrap_or_else(|flaw| {
        note(FOLDER.as_bytes(), &flaw);
        Default::default()
    });
    if more || names.len() > CONTEXTS {
        note(FOLDER.as_bytes(), &Flaw::Unsupported("a user with more than 100 contexts of Docker"));
    }
    let mut found = Vec::new();
    for name in names.into_iter().take(CONTEXTS) {
        let path = [FOLDER.as_bytes(), b"/", &name, b"/meta.json"].concat();
        match home.small(&path, META) {
            Ok(meta) => found.extend(meta),
            Err(flaw) => note(&path, &flaw),
        }
    }
    found
}

/// Whether two name one engine: `/var/run` is a link to `/run`.
fn is_same(one: &Endpoint, other: &Endpoint) -> bool {
    match (one, other) {
        (Endpoint::Unix(one), Endpoint::Unix(other)) => {
            one == other || one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
        }
        _ => one == other,
    }
}

fn exclusion(other: &NotAsked) -> Exclusion {
    let name = &other.named_by;
    let by = |place: &str| if place == name { String::new() } else { format!(" ({name})") };
    let reason = match &other.endpoint {
        Some(at @ (Endpoint::Unix(_) | Endpoint::Tcp { .. })) => {
            let at = at.to_string();
            format!("the engine at `{at}`{} was not asked: name it with `--engine`", by(&at))
        }
        Some(Endpoint::Other(scheme)) => format!("the engine of {name} was not asked: it is reached over {scheme}"),
        None => format!("the engine of {name} was not asked: its address is none"),
    };
    Exclusion { origin: Origin::file(&"engines".into(), TreePath::root()), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_that_were_not_asked_are_named() {
        let reason = |by: &str, endpoint| exclusion(&NotAsked { named_by: by.to_owned(), endpoint }).reason;
        let socket = Endpoint::Unix("/run/docker.sock".into());
        let is = "the engine at `/run/docker.sock` was not asked: name it with `--engine`";
        assert_eq!(reason("/run/docker.sock", Some(socket.clone())), is);
        let is = "the engine at `/run/docker.sock` (DOCKER_HOST) was not asked: name it with `--engine`";
        assert_eq!(reason("DOCKER_HOST", Some(socket)), is);
        let is = "the engine at `tcp://build.example:2376` (context build) was not asked: name it with `--engine`";
        assert_eq!(
            reason("context build", Some(Endpoint::Tcp { host: "build.example".to_owned(), port: 2376, tls: true })),
            is
        );
        let is = "the engine of context b was not asked: it is reached over ssh";
        assert_eq!(reason("context b", Some(Endpoint::Other("ssh".to_owned()))), is);
        assert_eq!(reason("DOCKER_HOST", None), "the engine of DOCKER_HOST was not asked: its address is none");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test makes its own files")]
    fn one_socket_has_several_paths() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("docker.sock");
        std::fs::write(&socket, "").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        let [one, other, gone] = [socket, link.join("docker.sock"), folder.path().join("gone")].map(Endpoint::Unix);
        assert!(is_same(&one, &other) && is_same(&gone, &gone) && !is_same(&one, &gone));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test makes its own files")]
    fn contexts_are_read_without_waiting() {
        let home = tempfile::tempdir().unwrap();
        let mut gaps = Vec::new();
        assert!(contexts(home.path(), &mut gaps).is_empty() && contexts(&home.path().join("no"), &mut gaps).is_empty());
        let at = |name: &str| home.path().join(".docker/contexts/meta").join(name);
        ["a", "b", "c", "d"].iter().for_each(|name| std::fs::create_dir_all(at(name)).unwrap());
        std::fs::write(at("a/meta.json"), "{}").unwrap();
        sys::mknodat(sys::CWD, at("b/meta.json"), sys::FileType::Fifo, Mode::RUSR, 0).unwrap();
        std::os::unix::fs::symlink(at("a/meta.json"), at("c/meta.json")).unwrap();
        assert_eq!(contexts(home.path(), &mut gaps), [b"{}"]);
        let paths: Vec<String> = gaps.iter().map(|gap| gap.origin.path.text().into_owned()).collect();
        assert_eq!(paths, ["/.docker/contexts/meta/b/meta.json", "/.docker/contexts/meta/c/meta.json"]);
    }

    /// An engine on this machine that answers some questions only.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test has a server of its own")]
    fn what_one_answer_lacks_takes_nothing_from_the_others() {
        use std::io::{Read as _, Write as _};
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in server.incoming() {
                let (mut stream, mut head) = (stream.unwrap(), Vec::new());
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                    head.push(byte[0]);
                }
                let is_images = head.starts_with(b"GET /images/json ");
                let (status, body) =
                    if is_images { ("200 OK", r#"[{"Id":"x","RepoTags":["a:1"]}]"#) } else { ("500 Oh", "{}") };
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}");
                let _ = stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes());
            }
        });
        let engine = Engine::dial("127.0.0.1", port, None, false, PATIENCE).unwrap();
        let asked = vec![Asked { engine, images: Vec::new(), words: String::new() }];
        let mut engines = Engines { asked, gaps: Vec::new(), exclusions: Vec::new(), export: false, all: true };
        let mut coverage = Coverage::default();
        assert!(engines.ask(&mut coverage).is_empty());
        assert_eq!((engines.asked[0].images.len(), coverage.gaps.len()), (1, 2), "{:?}", coverage.gaps);
    }
}
