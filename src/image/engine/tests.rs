//! The client against a server made by hand, which answers whatever it is given.

use std::{
    io::Write as _,
    os::unix::net::{UnixListener, UnixStream},
    thread,
    time::Instant,
};

use super::*;
use crate::image::listing::{ImageId, ImageUse, User};

/// Answers one request after the other, each on a connection of its own; the engine, and the first lines of the requests.
struct Served {
    engine: Engine,
    _folder: tempfile::TempDir,
    asked: std::sync::mpsc::Receiver<String>,
}

fn serve(patience: Duration, answer: impl Fn(&str, &mut UnixStream) + Send + 'static) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let (tell, asked) = std::sync::mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let first = head.lines().next().unwrap_or_default().to_owned();
            let _ = tell.send(first.clone());
            answer(&first, &mut stream);
        }
    });
    Served { engine: Engine::at_socket(&socket, patience, None).unwrap(), _folder: folder, asked }
}

fn json(body: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body.as_bytes()].concat()
}

/// An engine that answers every request so.
fn fixed(bytes: Vec<u8>) -> Served {
    serve(Duration::from_secs(20), move |_, stream| _ = stream.write_all(&bytes))
}

fn why<T>(outcome: Result<T, EngineError>) -> String {
    match outcome {
        Ok(_) => "answered".to_owned(),
        Err(error) => {
            let text = error.to_string();
            let (before, behind) = text.split_once("engine at `").or(text.split_once("what `")).unwrap_or((&text, ""));
            format!("{before}{}", behind.split_once('`').map_or(behind, |(_, rest)| rest))
        }
    }
}

const ID: &str = "sha256:3f5a0c1b2d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";

#[test]
fn images_and_containers_are_read() {
    let served = serve(Duration::from_secs(20), |first, stream| {
        let body = match first {
            "GET /version HTTP/1.1" => r#"{"Platform":{"Name":""},"Components":[{"Name":"Engine","Version":"26.1.5","Details":{}}],"Version":"26.1.5","ApiVersion":"1.45","Os":"linux","Arch":"amd64"}"#.to_owned(),
            "GET /images/json HTTP/1.1" => format!(r#"[{{"Containers":-1,"Created":1774350000,"Id":"{ID}","Labels":{{"b":"s3cret","a":null}},"ParentId":"","RepoDigests":null,"RepoTags":["registry.example/app:1","<none>:<none>"],"SharedSize":-1,"Size":7}},{{"Id":"x","Labels":null,"RepoTags":null}},3,null]"#),
            "GET /containers/json?all=1 HTTP/1.1" => format!(r#"[{{"Id":"c1","Names":["/shop-web-1"],"Image":"registry.example/app:1","ImageID":"{ID}","Command":"x","Created":1,"Labels":{{"com.docker.compose.project":"shop","com.docker.compose.service":"web"}},"State":"running","Status":"Up"}},{{"Id":"c2","Names":["/k8s"],"Image":"i","ImageID":"{}","Labels":{{"io.kubernetes.pod.namespace":"n","io.kubernetes.pod.name":"p","io.kubernetes.container.name":"c"}},"State":"exited"}}]"#, &ID[7..]),
            _ => "[]".to_owned(),
        };
        let _ = stream.write_all(&json(&body));
    });
    let engine = &served.engine;
    let version = engine.version().unwrap();
    assert_eq!(version.version, "26.1.5");
    let images = engine.images().unwrap();
    assert_eq!((images.list.len(), images.cut), (2, false));
    let first = EngineImage { id: ID.to_owned(), tags: vec!["registry.example/app:1".to_owned()] };
    assert_eq!(images.list[0], first);
    let containers = engine.containers().unwrap().list;
    assert_eq!(containers[0].compose, Some(("shop".to_owned(), "web".to_owned())));
    assert_eq!((containers[0].name.as_str(), containers[0].image_id.as_str()), ("shop-web-1", ID));
    assert!(containers[0].is_running() && !containers[1].is_running());
    assert_eq!(containers[1].pod, Some(("n".to_owned(), "p".to_owned(), "c".to_owned())));
    assert_eq!(containers[1].image_id, ID);
    let uses: Vec<ImageUse> = containers.iter().map(EngineContainer::as_use).collect();
    assert_eq!(uses[0].image_id, Some(ImageId::Config(ID.to_owned())));
    assert!(matches!(&uses[0].user, User::Container(c) if c.running && c.name == "shop-web-1"), "{uses:?}");
    assert!(matches!(&uses[1].user, User::Pod(p) if p.running == Some(false) && p.container == "c"), "{uses:?}");
    let asked: Vec<String> = served.asked.try_iter().collect();
    assert!(asked.len() == 3 && asked.iter().all(|a| a.starts_with("GET /")), "{asked:?}");
    let shown = format!("{images:?}{containers:?}");
    assert!(!shown.contains("s3cret"));
}

#[test]
fn names_lead_nowhere_else() {
    let served = fixed(json("{}"));
    for bad in ["../containers/x", "a//b", "", ".", "a/./b"] {
        let path = format!("images/{bad}/json");
        assert!(matches!(served.engine.url(&path, &[]), Err(EngineError::Unusable { .. })), "{bad}");
    }
    let url = served.engine.url("images/registry.example/a?b#c d:1/json", &[]).unwrap();
    assert_eq!(url.path(), "/images/registry.example/a%3Fb%23c%20d:1/json");
    served.engine.export(&["a&b=c".to_owned(), "d".to_owned()], 1).map(|_| ()).unwrap_err();
    let asked: Vec<String> = served.asked.iter().take(1).collect();
    assert_eq!(asked, ["GET /images/get?names=a%26b%3Dc&names=d HTTP/1.1"]);
}

#[test]
fn other_answers_are_faults() {
    let head = |status: &str, kind: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            .into_bytes()
    };
    let secret = r#"{"message":"s3cret"}"#;
    for (bytes, is) in [
        (head("404 Not Found", "application/json", secret), "the  knows nothing at `/images/json` (404)"),
        (
            head("500 Internal Server Error", "application/json", secret),
            "the  answered `/images/json` with 500 Internal Server Error",
        ),
        (head("403 Forbidden", "text/plain", ""), "the  answered `/images/json` with 403 Forbidden"),
        (head("200 OK", "text/html", "<html>[]</html>"), " answered to `/images/json` is not JSON: no engine's answer"),
        (
            head("200 OK", "application/json", "<html>"),
            " answered to `/images/json` is broken JSON: no engine's answer",
        ),
        (
            head("200 OK", "application/json", "[{\"Id\":"),
            " answered to `/images/json` is broken JSON: no engine's answer",
        ),
        (
            head("200 OK", "application/json", &"[".repeat(100_000)),
            " answered to `/images/json` is broken JSON: no engine's answer",
        ),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://localhost/x\r\nContent-Length: 0\r\n\r\n".to_vec(),
            "the  answered `/images/json` with 302 Found",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n[".to_vec(),
            "the  answered `/images/json` with more than 33554432 bytes",
        ),
    ] {
        assert_eq!(why(fixed(bytes).engine.images()), is);
    }
    for bytes in [
        b"SSH-2.0-x\r\n".to_vec(),
        Vec::new(),
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[".to_vec(),
    ] {
        assert!(why(fixed(bytes).engine.images()).starts_with("the  does not answer `/images/json`: "));
    }
    assert_eq!(fixed(json("{}")).engine.images().unwrap().list.len(), 0);
    // Other types than expected are nothing.
    let odd = r#"[{"Id":[1],"RepoTags":[{}, 7],"Labels":{"a":{}},"Size":"x","Created":{},"RootFS":[]}]"#;
    let odd = fixed(json(odd)).engine.images().unwrap().list;
    assert_eq!(odd[0], EngineImage { tags: vec!["7".to_owned()], ..EngineImage::default() });
}

#[test]
fn endless_answers_end() {
    // In pieces, whose sum nobody said before.
    let served = serve(Duration::from_secs(60), |_, stream| {
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
        let piece = format!("100000\r\n{}\r\n", " ".repeat(1 << 20));
        while stream.write_all(piece.as_bytes()).is_ok() {}
    });
    assert!(why(served.engine.images()).ends_with("with more than 33554432 bytes"));
    // Many small elements within the bound.
    let many = format!("[{}]", vec!["{}"; MOST + 7].join(","));
    let listed = fixed(json(&many)).engine.images().unwrap();
    assert_eq!((listed.list.len(), listed.cut), (MOST, true));
}

#[test]
fn a_stall_ends_within_the_time() {
    let start = Instant::now();
    let silent = serve(Duration::from_secs(1), |_, _| thread::sleep(Duration::from_secs(30)));
    assert_eq!(why(silent.engine.version()), "the  did not answer `/version` within 1 s");
    // A byte now and then does not make it longer.
    let drip = serve(Duration::from_secs(1), |_, stream| {
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
        while stream.write_all(b"1\r\n \r\n").is_ok() {
            thread::sleep(Duration::from_millis(200));
        }
    });
    assert_eq!(why(drip.engine.version()), "the  did not answer `/version` within 1 s");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn an_export_is_a_stream_with_an_end() {
    let tar = |_: &str, stream: &mut UnixStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
    };
    let names = ["registry.example/app:1".to_owned()];
    let mut text = String::new();
    serve(Duration::from_secs(20), tar).engine.export(&names, 6).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "abcdef");
    let mut bytes = Vec::new();
    let longer =
        serve(Duration::from_secs(20), tar).engine.export(&names, 5).unwrap().read_to_end(&mut bytes).unwrap_err();
    assert_eq!(longer.kind(), io::ErrorKind::FileTooLarge);
    let broken = serve(Duration::from_secs(1), |_, stream| {
        let _ = stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
        );
        thread::sleep(Duration::from_secs(30));
    });
    assert!(broken.engine.export(&names, 100).unwrap().read_to_end(&mut bytes).is_err());
    let outcome = fixed(json("{\"message\":\"x\"}")).engine.export(&names, 100);
    assert_eq!(why(outcome), " answered to `/images/get` is JSON instead of a tar: no engine's answer");
}

#[test]
fn tcp_without_certificates_is_for_this_machine() {
    let patience = Duration::from_secs(1);
    assert!(matches!(Engine::dial("build.example", 2375, None, false, patience), Err(EngineError::Unusable { .. })));
    assert!(Engine::dial("127.0.0.1", 2375, None, false, patience).is_ok());
    assert!(Engine::dial("build.example", 2375, None, true, patience).is_ok());
    let tls = Tls {
        ca: Some(b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n".to_vec()),
        identity: Some(b"x".to_vec()),
    };
    assert!(matches!(
        Engine::dial("build.example", 2376, Some(tls), false, patience),
        Err(EngineError::Unusable { .. })
    ));
}

#[test]
fn what_is_not_known_to_be_an_engine_is_not_connected_to() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    assert!(matches!(Engine::connect(&socket, Duration::from_secs(1)), Err(EngineError::Refused(_))));
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "nobody came");
}
