//! `iocs update` against a web server on loopback that does everything wrong, and from files: only what is whole, signed and
//! newer is ever in use.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::Stdio,
    time::{Duration, Instant},
};

use dosimeter::ioc::bundle::{Bundle, head_of, with_signature};

use crate::{
    program::{Said, said},
    publisher::{Answer, Publisher, Server, announced, bundle, content, status},
};

/// A publisher whose number 7 is stored, and their server.
fn seventh() -> (Publisher, Server) {
    let publisher = Publisher::new();
    publisher.store(7);
    (publisher, Server::start())
}

/// It says why, that number 7 is still in use, and so it is.
fn refused(publisher: &Publisher, said: &Said, why: &str) {
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
    assert!(said.err.contains(why), "{why}: {}", said.err);
    assert!(said.err.starts_with("error: nothing was changed, number 7 is still in use: "), "{}", said.err);
    let stored = Bundle::open(fs::File::open(publisher.stored()).unwrap(), "stored").unwrap();
    assert!(stored.head.sequence == 7 && stored.check().is_ok(), "{why}");
    assert_eq!(publisher.stored_names(), ["indicators.bundle", "indicators.bundle.lock"], "{why}");
}

/// The answers for a bundle and its signature.
fn offered(server: &Server, bundle: Answer, signature: &str) -> String {
    server.put("/b", bundle);
    server.put("/b.minisig", Answer::Good(signature.as_bytes().to_vec()));
    server.url("/b")
}

#[test]
fn a_good_one_is_taken_into_use() {
    let (publisher, server) = seventh();
    let new = bundle(8);
    let url = offered(&server, Answer::Good(new.clone()), &publisher.sign(&new));
    let taken = publisher.update(&url);
    assert_eq!(taken.code, 0, "{}", taken.err);
    assert!(taken.out.starts_with("number 8 of 2026-11-24 is in use now: 1 incidents, 3000 packages, signed by RW"));
    assert_eq!(publisher.number(), 8);
    let hits = |text: &str| publisher.run(&["iocs", "search", text, "--format", "json"]).out.contains("MAL-2026-17");
    assert!(hits("npm:evil-17@8.0.0") && !hits("npm:evil-17@7.0.0") && !hits("npm:evil-170000@8.0.0"));
    let again = publisher.update(&url);
    assert_eq!((again.code, again.out.as_str()), (0, "number 8 is in use already\n"));
    // By way of another address, which may be the one of a mirror.
    let new = bundle(9);
    offered(&server, Answer::Good(new.clone()), &publisher.sign(&new));
    server.put("/latest", status("302 Found", "Location: /b\r\n"));
    server.put("/latest.minisig", status("307 Temporary Redirect", "Location: /b.minisig\r\n"));
    assert_eq!(publisher.update(&server.url("/latest")).code, 0);
    assert_eq!(publisher.number(), 9);
    let mode = fs::metadata(publisher.stored()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_change_of_any_part_is_refused() {
    let (publisher, server) = seventh();
    let new = bundle(8);
    let signature = publisher.sign(&new);
    let head = head_of(&new).unwrap().len();
    let opened = |bytes: &[u8]| {
        fs::write(publisher.path("x"), bytes).unwrap();
        Bundle::open(fs::File::open(publisher.path("x")).unwrap(), "x").unwrap().head
    };
    let length = usize::try_from(opened(&new).incidents_length).unwrap();
    let records = head + length + usize::try_from(opened(&new).slots * 4).unwrap();
    let block = |at: usize| format!("changed after it was made: block {}", (at - head) / (64 << 10));
    let text = |bytes: &[u8]| new.windows(bytes.len()).position(|w| w == bytes).unwrap();
    let signed = "it is not what was signed";
    let places = [
        (0, "not a dosimeter bundle".to_owned()),
        (8, "its head cannot be read".to_owned()),
        (11, "its head is too large".to_owned()),
        (12, "its head cannot be read".to_owned()),
        (text(b"made up"), signed.to_owned()),
        (text(b"\"sequence\":8") + 11, signed.to_owned()),
        (head - 1, signed.to_owned()),
        (head, block(head)),
        (head + length / 2, block(head + length / 2)),
        (head + length + 3, block(head + length + 3)),
        (records + 9, block(records + 9)),
        (new.len() - 1, block(new.len() - 1)),
    ];
    for (at, why) in places {
        let mut changed = new.clone();
        changed[at] ^= 1;
        let url = offered(&server, Answer::Good(changed), &signature);
        refused(&publisher, &publisher.update(&url), &why);
    }
    let longer = [new.as_slice(), b"more"].concat();
    let url = offered(&server, Answer::Good(longer), &signature);
    refused(&publisher, &publisher.update(&url), "something behind its body");
    let lines: Vec<&str> = signature.lines().collect();
    let flipped = |n: usize, at: usize| {
        let mut lines: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
        let other = if &lines[n][at..=at] == "A" { "B" } else { "A" };
        lines[n].replace_range(at..=at, other);
        lines.join("\n")
    };
    for (signature, why) in [
        // Its key's number, the signature, the comment that it covers, the signature of both.
        (flipped(1, 6), "not by any key that is trusted"),
        (flipped(1, 40), signed),
        (signature.replace("number of a release", "number of a Release"), signed),
        (flipped(3, 40), signed),
        (lines[..2].join("\n"), "its signature cannot be read"),
        (String::new(), "its signature cannot be read"),
        ("<html>not here</html>".to_owned(), "its signature cannot be read"),
        ("x".repeat(5000), "sends more than 4096 bytes"),
    ] {
        let url = offered(&server, Answer::Good(new.clone()), &signature);
        refused(&publisher, &publisher.update(&url), why);
    }
    assert_eq!(publisher.number(), 7);
    let url = offered(&server, Answer::Good(new.clone()), &signature);
    assert_eq!(publisher.update(&url).code, 0);
}

#[test]
fn half_of_one_is_refused() {
    let (publisher, server) = seventh();
    let new = bundle(8);
    let signature = publisher.sign(&new);
    let head = head_of(&new).unwrap().len();
    let chunked = |body: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n", new.len());
        [head.as_bytes(), body].concat()
    };
    for (answer, why) in [
        (Answer::Good(new[..5].to_vec()), "not a dosimeter bundle"),
        (Answer::Good(new[..40].to_vec()), "it ends too early"),
        (Answer::Good(new[..head - 1].to_vec()), "it ends too early"),
        (Answer::Good(new[..new.len() - 1].to_vec()), "it ends too early"),
        (Answer::Raw(announced(new.len(), &new[..new.len() / 2])), "end of file before message length reached"),
        (Answer::Raw(chunked(&new[..new.len() / 2])), "end of file before message length reached"),
        (Answer::Raw(announced(new.len(), b"")[..20].to_vec()), "cannot fetch"),
        (Answer::Raw(Vec::new()), "cannot fetch"),
    ] {
        let url = offered(&server, answer, &signature);
        refused(&publisher, &publisher.update(&url), why);
    }
    let url = offered(&server, Answer::Raw([&chunked(&new), b"\r\n0\r\n\r\n".as_slice()].concat()), &signature);
    assert_eq!(publisher.update(&url).code, 0);
}

#[test]
fn an_old_one_or_a_stranger_s_is_refused() {
    let (publisher, server) = seventh();
    let other = Publisher::new();
    let try_with = |bytes: Vec<u8>, signature: &str| {
        let url = offered(&server, Answer::Good(bytes), signature);
        publisher.update(&url)
    };
    let old = bundle(6);
    refused(&publisher, &try_with(old.clone(), &publisher.sign(&old)), "it is number 6, older than number 7");
    let mut same = content(7);
    same.title = "another one".to_owned();
    let same = dosimeter::ioc::bundle::build(&same).unwrap();
    refused(&publisher, &try_with(same.clone(), &publisher.sign(&same)), "other content");
    let new = bundle(8);
    refused(&publisher, &try_with(new.clone(), &other.sign(&new)), "not by any key that is trusted here");
    let before = bundle(0);
    refused(&publisher, &try_with(before.clone(), &publisher.sign(&before)), "of this program itself");
    server.put("/unsigned", Answer::Good(new.clone()));
    refused(&publisher, &publisher.update(&server.url("/unsigned")), "it is not signed\nhint: ");
    let nobody = publisher.run(&["iocs", "update", &server.url("/b")]);
    assert_eq!(nobody.code, 2);
    assert!(nobody.err.contains("no key is known") && nobody.err.contains("hint: "), "{}", nobody.err);
    let nonsense = publisher.run(&["iocs", "update", &server.url("/b"), "--key", "RWnonsense"]);
    assert!(nonsense.code == 2 && nonsense.err.contains("is no minisign public key"), "{}", nonsense.err);
    assert_eq!(publisher.number(), 7);
}

/// Else whoever may write there stops all updates with a made-up number.
#[test]
fn a_stored_one_that_nobody_signed_is_no_measure() {
    let (publisher, _) = seventh();
    let other = Publisher::new();
    let huge = bundle(u64::MAX);
    fs::write(publisher.stored(), with_signature(huge.clone(), &other.sign(&huge)).unwrap()).unwrap();
    let failed = publisher.update("/nowhere");
    assert!(failed.err.contains("what is stored cannot be trusted, as before"), "{}", failed.err);
    publisher.store(7);
    assert_eq!(publisher.number(), 7);
}

#[test]
fn what_a_server_says_is_reported() {
    let (publisher, server) = seventh();
    let new = bundle(8);
    let url = offered(&server, Answer::Good(new.clone()), &publisher.sign(&new));
    for (line, more, why) in [
        ("404 Not Found", "", "/b` answered 404 Not Found"),
        ("500 Internal Server Error", "", "/b` answered 500 Internal Server Error"),
        ("204 No Content", "", "not a dosimeter bundle"),
        ("302 Found", "Location: /b\r\n", "redirected again and again"),
        ("302 Found", "Location: file:///etc/passwd\r\n", "/b` answered 302 Found"),
        ("200 OK", "Content-Length: 300000000\r\n", "cannot fetch"),
    ] {
        server.put("/b", status(line, more));
        refused(&publisher, &publisher.update(&url), why);
    }
    server.put("/b", Answer::Raw(announced(300_000_000, b"")));
    refused(&publisher, &publisher.update(&url), "sends more than 134217728 bytes");
    refused(&publisher, &publisher.update(&url.replace("http:", "https:")), "cannot fetch `https://127.0.0.1");
    refused(&publisher, &publisher.update("ftp://updates.example/b"), "only addresses of http and https");
    let secret = publisher.update(&server.url("/c?token=s3cr3t").replace("http://", "http://me:pa55@"));
    refused(&publisher, &secret, "/c.minisig` answered 404");
    assert!(!secret.err.contains("s3cr3t") && !secret.err.contains("pa55"), "{}", secret.err);
    assert!(server.asked.lock().unwrap().contains(&"/c.minisig?token=s3cr3t".to_owned()));
}

#[test]
fn a_server_that_stalls_is_left() {
    let (publisher, server) = seventh();
    let new = bundle(8);
    let signature = publisher.sign(&new);
    let patient = |seconds: &str| {
        let url = server.url("/b");
        publisher.run(&["iocs", "update", &url, "--key", &publisher.key, "--timeout", seconds])
    };
    let answers: [fn(&[u8]) -> Answer; 3] = [
        |_| Answer::Stall(Vec::new()),
        |body| Answer::Stall(announced(body.len(), &body[..body.len() / 2])),
        |body| Answer::Drip(body.to_vec()),
    ];
    for answer in answers {
        offered(&server, answer(&new), &signature);
        let start = Instant::now();
        refused(&publisher, &patient("1"), "/b`: not done within 1 s\nhint: `--timeout`");
        assert!(start.elapsed() < Duration::from_secs(20));
        server.put("/b.minisig", answer(signature.as_bytes()));
        refused(&publisher, &patient("1"), "/b.minisig`: not done within 1 s");
    }
}

#[test]
fn the_proxy_of_the_environment_is_asked() {
    let (publisher, server) = seventh();
    let new = bundle(8);
    server.put("http://updates.example/b", Answer::Good(new.clone()));
    server.put("http://updates.example/b.minisig", Answer::Good(publisher.sign(&new).into_bytes()));
    let mut command = publisher.command();
    command.args(["iocs", "update", "http://updates.example/b", "--key", &publisher.key]);
    let taken = said(command.env("http_proxy", server.url("")).output().unwrap());
    assert_eq!(taken.code, 0, "{}", taken.err);
    assert_eq!(publisher.number(), 8);
}

#[test]
fn a_stick_does_as_well() {
    let (publisher, _) = seventh();
    let new = bundle(8);
    let file = publisher.file("new", &new);
    fs::remove_file(publisher.path("new.minisig")).unwrap();
    refused(&publisher, &publisher.update(&file), "is not signed\nhint: its signature is expected beside it");
    let file = publisher.file("new", &new);
    let mut changed = new.clone();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(&file, changed).unwrap();
    refused(&publisher, &publisher.update(&file), "changed after it was made");
    refused(&publisher, &publisher.update(publisher.path("none").to_str().unwrap()), "cannot open");
    refused(&publisher, &publisher.update(publisher.data().to_str().unwrap()), "is a folder");
    let old = publisher.file("old", &bundle(6));
    refused(&publisher, &publisher.update(&old), "it is number 6, older than number 7");
    assert_eq!(publisher.update(&publisher.file("new", &new)).code, 0);
    assert_eq!(publisher.number(), 8);
    // What is stored carries its signature, and can be passed on as one file.
    let other = Publisher { key: publisher.key.clone(), ..Publisher::new() };
    fs::copy(publisher.stored(), other.path("copy")).unwrap();
    assert_eq!(other.update(other.path("copy").to_str().unwrap()).code, 0);
    assert_eq!(other.number(), 8);
}

/// Whatever the moment, the old one or the new one is there, whole; what the dead left lying is removed.
#[test]
fn a_kill_leaves_a_working_database() {
    let (publisher, _) = seventh();
    fs::write(publisher.data().join("indicators.bundle.4194304.part"), "of a dead process").unwrap();
    fs::write(publisher.data().join("notes.part"), "somebody else's").unwrap();
    let key = dosimeter::ioc::signature::Key::parse(&publisher.key).unwrap();
    let mut last = 7;
    for step in 0..25 {
        let next = last + 1;
        let file = publisher.file("next", &bundle(next));
        let mut child = publisher.command();
        child.args(["iocs", "update", &file, "--key", &publisher.key]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = child.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(step * 6));
        child.kill().unwrap();
        child.wait().unwrap();
        let stored = Bundle::open(fs::File::open(publisher.stored()).unwrap(), "stored").unwrap();
        dosimeter::ioc::signature::verify(&stored, None, std::slice::from_ref(&key)).unwrap();
        stored.check().unwrap();
        assert!(stored.head.sequence == last || stored.head.sequence == next, "{}", stored.head.sequence);
        last = stored.head.sequence;
    }
    publisher.store(last + 1);
    assert_eq!(publisher.number(), last + 1);
    assert_eq!(publisher.stored_names(), ["indicators.bundle", "indicators.bundle.lock", "notes.part"]);
}

#[test]
fn the_newest_of_several_at_a_time_wins() {
    let (publisher, _) = seventh();
    let start = |n: u64| {
        let file = publisher.file(&format!("b{n}"), &bundle(n));
        let mut command = publisher.command();
        command.args(["iocs", "update", &file, "--key", &publisher.key]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = [12, 9, 11, 8, 10, 12].map(start).into();
    for child in children {
        let said = said(child.wait_with_output().unwrap());
        let older = said.code == 2 && said.err.contains("older than number");
        assert!(said.code == 0 || older, "{}", said.err);
    }
    assert_eq!(publisher.number(), 12);
    assert_eq!(publisher.stored_names(), ["indicators.bundle", "indicators.bundle.lock"]);
}

/// A program started by another, with the arguments of an update behind it.
#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // the tests run the program itself
fn by_way_of(publisher: &Publisher, starter: &[&str], file: &str) -> Said {
    let mut command = std::process::Command::new(starter[0]);
    command.args(&starter[1..]).arg(env!("CARGO_BIN_EXE_dosimeter"));
    command.args(["iocs", "update", file, "--key", &publisher.key]);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("DOSIMETER_DATA", publisher.data());
    said(command.output().unwrap())
}

#[test]
fn a_full_disk_or_a_folder_that_is_read_only_changes_nothing() {
    let (publisher, _) = seventh();
    let file = publisher.file("new", &bundle(8));
    // As a full disk does, the limit fails a write half-way.
    let full = ["sh", "-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\""];
    refused(&publisher, &by_way_of(&publisher, &full, &file), "cannot write in");
    fs::set_permissions(publisher.data(), fs::Permissions::from_mode(0o500)).unwrap();
    // Root may write everywhere, unless this right is taken away.
    let weak = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"];
    let weak = if rustix::process::geteuid().is_root() { weak.as_slice() } else { &["env"] };
    refused(&publisher, &by_way_of(&publisher, weak, &file), "cannot write in");
    fs::set_permissions(publisher.data(), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(publisher.update(&file).code, 0);
    assert_eq!(publisher.number(), 8);
}

#[test]
fn the_first_ctrl_c_ends_it() {
    let (publisher, server) = seventh();
    let new = bundle(8);
    let url = offered(&server, Answer::Stall(announced(new.len(), &new[..9])), &publisher.sign(&new));
    let mut command = publisher.command();
    let child = command.args(["iocs", "update", &url, "--key", &publisher.key]).stderr(Stdio::null()).spawn().unwrap();
    let asked = |path: &str| server.asked.lock().unwrap().iter().any(|p| p == path);
    let start = Instant::now();
    while !asked("/b") && start.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(10));
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(publisher.number(), 7);
}
