//! A package index on loopback, as real pip and uv ask it, and the inert stand-ins that it serves.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Cursor, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};

/// Wheels by file name.
type Wheels = BTreeMap<String, Vec<u8>>;

/// A wheel with nothing in it that does anything.
pub fn wheel(name: &str, version: &str, requires: &[&str], files: &[(&str, &str)]) -> (String, Vec<u8>) {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let stem = name.replace('-', "_");
    let info = format!("{stem}-{version}.dist-info");
    let requires: String = requires.iter().map(|r| format!("Requires-Dist: {r}\n")).collect();
    let mut members: Vec<(String, String)> = files.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect();
    members.push((format!("{stem}/__init__.py"), String::new()));
    members.push((
        format!("{info}/METADATA"),
        format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}\n"),
    ));
    members.push((
        format!("{info}/WHEEL"),
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n".to_owned(),
    ));
    if name == "my-plugin" {
        members
            .push((format!("{info}/entry_points.txt"), "[console_scripts]\nmy-plugin = my_plugin:main\n".to_owned()));
    }
    let rows = members.iter().map(|(p, t)| format!("{p},sha256={},{}\n", engine.encode(Sha256::digest(t)), t.len()));
    let record: String = rows.chain([format!("{info}/RECORD,,\n")]).collect();
    members.push((format!("{info}/RECORD"), record));
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, text) in members {
        zip.start_file(path, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    (format!("{stem}-{version}-py3-none-any.whl"), zip.finish().unwrap().into_inner())
}

/// The stand-ins of both incidents, what drags them in, and good versions.
pub fn stand_ins() -> Wheels {
    let proxy = [("litellm/proxy/__init__.py", ""), ("litellm/proxy/proxy_server.py", "x = 1\n")];
    let hook = [&proxy[..], &[("litellm_init.pth", "import os\n")]].concat();
    let cook = [&proxy[..], &[("cook.pth", "import cook\n"), ("cook.py", "x = 1\n"), ("sitecustomize.py", "x = 1\n")]]
        .concat();
    BTreeMap::from([
        wheel("litellm", "1.82.6", &[], &proxy),
        wheel("litellm", "1.82.7", &[], &proxy),
        wheel("litellm", "1.82.8", &[], &hook),
        wheel("litellm", "1.107.0", &[], &cook),
        wheel("dspy", "2.6.0", &["litellm>=1.60"], &[]),
        wheel("my-plugin", "0.3.0", &["dspy>=2"], &[]),
    ])
}

/// Serves wheels until the tests end; gives the address.
#[allow(clippy::disallowed_methods)] // loopback, for real package managers
pub fn serve(wheels: Wheels) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let wheels = Arc::new(wheels);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let wheels = wheels.clone();
            std::thread::spawn(move || answer(stream, &wheels));
        }
    });
    address
}

fn answer(mut stream: TcpStream, wheels: &Wheels) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).ok()? == 0 {
            return None;
        }
        let mut range = None;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            if header.trim().is_empty() {
                break;
            }
            range = range.or_else(|| header.to_lowercase().starts_with("range:").then_some(()));
        }
        let mut words = request.split(' ');
        let (method, path) = (words.next()?, words.next()?);
        let (status, kind, age, body) = respond(path, wheels);
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: max-age={age}, public\r\n\
             Date: Tue, 24 Mar 2026 11:00:00 GMT\r\nETag: \"{:x}\"\r\n\r\n",
            body.len(),
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        if method != "HEAD" {
            stream.write_all(&body).ok()?;
        }
    }
}

fn respond(path: &str, wheels: &Wheels) -> (&'static str, &'static str, u32, Vec<u8>) {
    if let Some(body) = path.strip_prefix("/files/").and_then(|name| wheels.get(name)) {
        return ("200 OK", "application/octet-stream", 365_000_000, body.clone());
    }
    let project = path.strip_prefix("/simple/").map(|p| p.trim_end_matches('/').replace('-', "_"));
    let own = wheels.iter().filter(|(name, _)| project.as_deref() == name.split('-').next());
    let links: String = own
        .map(|(name, body)| {
            let hash = Sha256::digest(body).iter().map(|b| format!("{b:02x}")).collect::<String>();
            format!("<a href=\"/files/{name}#sha256={hash}\">{name}</a><br>")
        })
        .collect();
    if links.is_empty() {
        return ("404 Not Found", "text/plain", 0, Vec::new());
    }
    ("200 OK", "text/html", 600, format!("<!DOCTYPE html><html><body>{links}</body></html>").into_bytes())
}
