//! Bytes that come late, broken, too many, or wrong.

use std::{
    io::Read as _,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::*;

/// Answers each request by its number, from 0.
fn in_turn(answer: impl Fn(usize, &server::Request) -> Reply + Send + Sync + 'static) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |request| answer(count.fetch_add(1, Ordering::SeqCst), request))
}

fn read(blob: Result<Blob<'_>, RegistryError>) -> Result<String, String> {
    let mut text = String::new();
    let mut blob = blob.map_err(|e| e.to_string())?;
    blob.read_to_string(&mut text).map_err(|e| e.to_string()).map(|_| text)
}

#[test]
fn a_limit_is_waited_for_and_given_up() {
    let server = in_turn(|nth, _| match nth {
        0 => Reply::new(429, "").with("Retry-After", "7"),
        1 => Reply::new(429, "").with("Retry-After", "44000000"),
        2 => Reply::ok("{}"),
        _ => Reply::new(429, "").with("Retry-After", "0"),
    });
    let (wire, clock) = wire(None);
    let registry = with(&server, &anonymous(), wire);
    registry.manifest("r", "1").unwrap();
    assert_eq!(clock.waits(), [7, 120], "what is asked for, and at most two minutes");
    let error = registry.manifest("r", "1").unwrap_err();
    assert!(
        matches!(error, RegistryError::Limited { tries: 3, .. }) && error.to_string().contains("--mirror"),
        "{error}"
    );
    assert_eq!(clock.waits()[2..], [1, 1], "never less than a second");
    // The thousand images after it are not waited for as well.
    assert!(registry.manifest("r", "2").is_err() && server.log().len() == 7);
    assert_eq!((clock.waits().len(), registry.wire.spent().again), (4, 4));
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    let server = in_turn(|nth, _| if nth < 2 { Reply::new(502, "") } else { Reply::ok("{}") });
    let (wire, clock) = wire(None);
    let registry = with(&server, &anonymous(), wire);
    registry.manifest("r", "1").unwrap();
    assert_eq!(clock.waits(), [1, 2]);
    let server = Server::start(|_| Reply::new(500, "secret of the server"));
    let error = super::registry(&server, &anonymous()).manifest("r", "1").unwrap_err().to_string();
    assert!(error.ends_with("answered 500 Internal Server Error") && server.log().len() == 3, "{error}");
    // Its head is enough, unless it knows none.
    let server = in_turn(|nth, _| if nth == 0 { Reply::new(405, "") } else { Reply::ok("{}") });
    let registry = super::registry(&server, &anonymous());
    assert_eq!(registry.resolve("r", "1").unwrap().0.as_str(), digest(b"{}"));
    let server = Server::start(|_| Reply::ok("").with("Docker-Content-Digest", digest(b"x")));
    assert_eq!(super::registry(&server, &anonymous()).resolve("r", "1").unwrap().0.as_str(), digest(b"x"));
    assert_eq!(server.log()[0].method, "HEAD");
}

#[test]
fn a_broken_blob_is_taken_up_where_it_ended() {
    let text = "0123456789";
    // It breaks after four bytes, and after three more.
    let server = in_turn(move |nth, request| match (nth, request.header("range")) {
        (0, None) => Reply::ok(&text[..4]).length(Some(10)),
        (1, Some("bytes=4-")) => Reply::new(206, &text[4..7]).length(Some(6)).with("Content-Range", "bytes 4-9/10"),
        (_, Some("bytes=7-")) => Reply::new(206, &text[7..]).with("Content-Range", "bytes 7-9/10"),
        _ => Reply::new(400, ""),
    });
    let registry = registry(&server, &anonymous());
    let whole = Digest::sha256(text.as_bytes());
    assert_eq!(read(registry.blob("r", &whole, 10)), Ok(text.to_owned()));
    assert_eq!((server.log().len(), registry.wire.spent().bytes, registry.wire.spent().again), (3, 10, 2));
    // It knows no ranges.
    let server = in_turn(move |nth, _| match nth {
        0 => Reply::ok(&text[..4]).length(Some(10)),
        _ => Reply::ok(text),
    });
    let registry = super::registry(&server, &anonymous());
    assert_eq!(read(registry.blob("r", &whole, 10)), Ok(text.to_owned()));
    assert_eq!(registry.wire.spent().bytes, 14, "what is read past is counted");
}

#[test]
fn a_blob_that_breaks_for_ever_ends() {
    let short = || Reply::ok("0123").length(None);
    let server = Server::start(move |_| short());
    let error = read(registry(&server, &anonymous()).blob("r", &Digest::sha256(b""), 10)).unwrap_err();
    assert!(error.contains("ended after 4 of 10 bytes") && server.log().len() <= 4, "{error}");
    // One byte more each time.
    let server = Server::start(|request| match request.header("range") {
        None => Reply::ok("x").length(Some(1000)),
        Some(range) => {
            let at = range.trim_start_matches("bytes=").trim_end_matches('-');
            Reply::new(206, "x").length(Some(500)).with("Content-Range", format!("bytes {at}-999/1000"))
        }
    });
    assert!(read(registry(&server, &anonymous()).blob("r", &Digest::sha256(b""), 1000)).is_err());
    assert!(server.log().len() <= 4, "{:?}", server.lines());
    // Another part, another size, nothing more.
    for (answer, wanted) in [
        (("bytes 0-9/10", 206), "another part"),
        (("bytes 4-9/11", 206), "has 11 bytes where 10 were announced"),
        (("bytes */4", 416), "ended after 4 of 10"),
    ] {
        let ((range, status), first) = (answer, "0123");
        let server = in_turn(move |nth, _| match nth {
            0 => Reply::ok(first).length(Some(10)),
            _ => Reply::new(status, "456789").with("Content-Range", range),
        });
        let error = read(registry(&server, &anonymous()).blob("r", &Digest::sha256(b""), 10)).unwrap_err();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn lies_about_size_are_found() {
    let server = giving("0123456789");
    let error = read(registry(&server, &anonymous()).blob("r", &Digest::sha256(b""), 9)).unwrap_err();
    assert!(error.contains("has 10 bytes where 9 were announced"), "{error}");
    // It does not say how much it sends.
    let server = Server::start(|_| Reply::ok("0123456789").length(None));
    let error = read(registry(&server, &anonymous()).blob("r", &Digest::sha256(b""), 9)).unwrap_err();
    assert!(error.contains("sends more than 9 bytes"), "{error}");
    assert_eq!(read(registry(&server, &anonymous()).blob("r", &Digest::sha256(b""), 10)), Ok("0123456789".to_owned()));
    // Nothing has to be asked for.
    assert_eq!(read(registry(&server, &anonymous()).blob("r", &Digest::sha256(b""), 0)), Ok(String::new()));
    assert_eq!(server.log().len(), 2);
}

#[test]
fn what_does_not_match_its_digest_is_refused() {
    let server = giving("{ }");
    let registry = registry(&server, &anonymous());
    let is_digest = |e: RegistryError| matches!(e, RegistryError::Digest { .. });
    assert!(is_digest(registry.manifest("r", &digest(b"{}")).unwrap_err()));
    assert!(is_digest(registry.small_blob("r", &Digest::sha256(b"{}"), 100).unwrap_err()));
    assert_eq!(registry.manifest("r", "1").unwrap().digest, Digest::sha256(b"{ }"));
    let server = Server::start(|_| Reply::ok("{ }").with("Docker-Content-Digest", digest(b"{}")));
    assert!(is_digest(super::registry(&server, &anonymous()).manifest("r", "1").unwrap_err()));
}

#[test]
fn gigantic_answers_are_cut() {
    let huge = usize::try_from(MANIFEST).unwrap() + 1;
    let announced = Server::start(move |_| Reply::ok("{").length(Some(1 << 40)));
    let silent = Server::start(move |_| Reply::ok(vec![b' '; huge]).length(None));
    for server in [announced, silent] {
        let error = registry(&server, &anonymous()).manifest("r", "1").unwrap_err();
        assert!(matches!(error, RegistryError::TooLarge { limit: MANIFEST, .. }), "{error}");
    }
    let server = Server::start(|_| Reply::ok("0123456789"));
    let (wire, _) = wire(Some(15));
    let registry = with(&server, &anonymous(), wire);
    assert!(registry.small_blob("r", &Digest::sha256(b"0123456789"), 100).is_ok());
    let error = registry.small_blob("r", &Digest::sha256(b"0123456789"), 100).unwrap_err();
    assert!(matches!(error, RegistryError::Budget(15)) && error.to_string().contains("--max-bytes"), "{error}");
    assert_eq!(registry.wire.spent().bytes, 10, "what was announced is not fetched");
}

#[test]
fn redirections_end() {
    let circle = Server::start(|request| match request.path.as_str() {
        "/a" => Reply::redirect("/b"),
        _ => Reply::redirect("/a"),
    });
    let endless = Server::start(|request| Reply::redirect(format!("{}x", request.path)));
    let odd = Server::start(|_| Reply::redirect("file:///etc/passwd"));
    let plain = Server::start(|_| Reply::redirect("http://user:s3cret@store.example/x?y=s3cret"));
    for (server, why) in
        [(circle, "in a circle"), (endless, "again and again"), (odd, "no address"), (plain, "--plain-http")]
    {
        let error = registry(&server, &anonymous()).manifest("r", "1").unwrap_err().to_string();
        assert!(error.contains(why) && !error.contains("s3cret"), "{error}");
        assert!(server.log().len() <= 6);
    }
}

#[test]
fn a_server_that_stalls_is_left() {
    let pause = Duration::from_millis(300);
    let server = Server::start(move |_| Reply::ok("01").length(Some(4)).then(pause, [b"23".to_vec()]));
    let short = Duration::from_millis(100);
    let (wire, clock) = bearing(Patience { step: short, window: short, ..patience() }, None);
    let registry = with(&server, &anonymous(), wire.clone());
    let error = registry.small_blob("r", &Digest::sha256(b"0123"), 10).unwrap_err();
    assert!(matches!(error, RegistryError::Stalled { .. }), "{error}");
    assert_eq!((clock.waits(), server.log().len()), (vec![1, 2], 3));
    // It trickles: never silent for long, and never done.
    let drops = || (0..40).map(|_| b"x".to_vec());
    let server = Server::start(move |_| Reply::ok("").length(Some(1000)).then(Duration::from_millis(20), drops()));
    let error = read(with(&server, &anonymous(), wire).blob("r", &Digest::sha256(b""), 1000)).unwrap_err();
    assert!(error.contains("too slowly"), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_said_so() {
    let server = giving("");
    let nobody = Server::start(|_| Reply::ok(""));
    let mut mirrors = Mirrors::default();
    mirrors.add(&format!("{}=http://127.0.0.1:1", server.address)).unwrap();
    drop(nobody);
    let (wire, clock) = wire(None);
    let host = Host::parse(&server.address).unwrap();
    let registry = Registry::open(&host, wire.clone(), &anonymous(), &mirrors).unwrap();
    for _ in 0..3 {
        assert!(registry.manifest("r", "1").is_ok(), "the registry itself is asked");
    }
    assert_eq!(clock.waits(), [1], "a mirror that cannot be reached is asked no more");
    let error = Registry::open(&Host::parse("127.0.0.1:1").unwrap(), wire, &anonymous(), &Mirrors::default()).err();
    assert!(error.unwrap().to_string().starts_with("cannot reach `https://127.0.0.1:1/v2/`"));
}
