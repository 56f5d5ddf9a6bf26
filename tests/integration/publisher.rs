//! Somebody who publishes bundles: their key, and a web server on loopback that can misbehave.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Cursor, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use dosimeter::{
    fact::Ecosystem,
    ioc::{
        Database,
        bundle::{Content, build, head_of},
        feed::FeedRow,
        model::Incident,
    },
};

use crate::program::{self, Said};

/// How a path is answered.
#[derive(Clone)]
pub enum Answer {
    /// 200, with its length.
    Good(Vec<u8>),
    /// These very bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// These very bytes, then nothing more.
    Stall(Vec<u8>),
    /// 200, then a byte at a time.
    Drip(Vec<u8>),
}

/// An answer without a body.
pub fn status(line: &str, more: &str) -> Answer {
    Answer::Raw(format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n{more}\r\n").into_bytes())
}

/// The head of an answer of so many bytes, and some of them.
pub fn announced(length: usize, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes(), body].concat()
}

/// A web server; the paths that were asked for are remembered.
#[derive(Clone, Default)]
pub struct Server {
    pub address: String,
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    #[allow(clippy::disallowed_methods)] // loopback
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap().to_string(), ..Self::default() };
        let own = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = own.clone();
                std::thread::spawn(move || own.answer(stream));
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn put(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    fn answer(&self, mut stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut request = String::new();
        reader.read_line(&mut request).ok()?;
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut header = String::new();
        while reader.read_line(&mut header).ok()? > 2 {
            header.clear();
        }
        self.asked.lock().unwrap().push(path.clone());
        let answer = self.answers.lock().unwrap().get(&path).cloned();
        match answer.unwrap_or_else(|| status("404 Not Found", "")) {
            Answer::Good(body) => stream.write_all(&announced(body.len(), &body)).ok()?,
            Answer::Raw(bytes) => stream.write_all(&bytes).ok()?,
            Answer::Stall(bytes) => {
                stream.write_all(&bytes).ok()?;
                // Until the other side gives up.
                let _ = reader.read(&mut [0]);
            }
            Answer::Drip(body) => {
                stream.write_all(&announced(body.len(), b"")).ok()?;
                for byte in body {
                    stream.write_all(&[byte]).ok()?;
                    std::thread::sleep(Duration::from_millis(300));
                }
            }
        }
        Some(())
    }
}

/// A key pair, and the data folder of a program that trusts it.
pub struct Publisher {
    pub pair: minisign::KeyPair,
    pub key: String,
    pub folder: tempfile::TempDir,
}

impl Publisher {
    pub fn new() -> Self {
        let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
        let key = pair.pk.to_base64();
        Self { pair, key, folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub fn stored(&self) -> PathBuf {
        self.data().join("indicators.bundle")
    }

    /// The text of `.minisig`.
    pub fn sign(&self, bundle: &[u8]) -> String {
        let head = Cursor::new(head_of(bundle).unwrap());
        minisign::sign(None, &self.pair.sk, head, Some("number of a release"), None).unwrap().to_string()
    }

    /// A file of it, with its signature beside it.
    pub fn file(&self, name: &str, bundle: &[u8]) -> String {
        fs::write(self.path(name), bundle).unwrap();
        fs::write(self.path(&format!("{name}.minisig")), self.sign(bundle)).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    /// The program with this data folder.
    pub fn command(&self) -> std::process::Command {
        let mut command = program::command();
        command.env("DOSIMETER_DATA", self.data());
        command
    }

    pub fn run(&self, args: &[&str]) -> Said {
        program::said(self.command().args(args).output().unwrap())
    }

    pub fn update(&self, source: &str) -> Said {
        self.run(&["iocs", "update", source, "--key", &self.key])
    }

    /// Stores number `n`.
    pub fn store(&self, n: u64) {
        self.store_bytes(&bundle(n));
    }

    pub fn store_bytes(&self, bundle: &[u8]) {
        let said = self.update(&self.file("stored", bundle));
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    }

    /// The number that an examination uses.
    pub fn number(&self) -> u64 {
        let root = tempfile::tempdir().unwrap();
        let said = self.run(&["scan", root.path().to_str().unwrap(), "--format", "json", "--key", &self.key]);
        let report: serde_json::Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.err));
        program::valid(&report);
        report["indicators"]["sequence"].as_u64().unwrap()
    }

    /// Files of the data folder.
    pub fn stored_names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.data()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.collect();
        names.sort();
        names
    }
}

/// What a bundle holds: one incident of the program's own, and packages `npm:evil-0` … of which number `n` has `n.0.0`.
pub fn content(n: u64) -> Content {
    let incident = Database::embedded().unwrap().incidents.into_iter().find(|i| i.id == "litellm-2026-03").unwrap();
    with(n, vec![incident])
}

pub fn with(n: u64, incidents: Vec<Incident>) -> Content {
    let row = |i: usize| FeedRow { advisory: format!("MAL-2026-{i}"), versions: vec![format!("{n}.0.0")] };
    Content {
        title: "made up".to_owned(),
        sequence: n,
        created: "2026-11-24T00:00:00Z".parse().unwrap(),
        incidents,
        rows: (0..3000).map(|i| (Ecosystem::Npm, format!("evil-{i}"), row(i))).collect(),
    }
}

pub fn bundle(n: u64) -> Vec<u8> {
    build(&content(n)).unwrap()
}
