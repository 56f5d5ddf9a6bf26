//! Who gets which credentials.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Asks for a token of its own, and gives `text` to who has the one that is good now.
fn with_tokens(text: &'static str, expires: u64) -> Server {
    let given = AtomicUsize::new(0);
    Server::start(move |request| {
        let host = request.header("host").unwrap();
        if request.path.starts_with("/token") {
            let nth = given.fetch_add(1, Ordering::SeqCst) + 1;
            return Reply::ok(format!(r#"{{"token":"t{nth}","expires_in":{expires}}}"#));
        }
        let good = format!("Bearer t{}", given.load(Ordering::SeqCst));
        if request.authorization() == good {
            return Reply::ok(text);
        }
        let way = format!(r#"Bearer realm="http://{host}/token?a=b",service="s x",scope="repository:r:pull""#);
        Reply::new(401, "{}").with("WWW-Authenticate", way)
    })
}

#[test]
fn a_token_is_asked_for_once_and_used_for_its_repository() {
    let server = with_tokens("{}", 300);
    let registry = registry(&server, &anonymous());
    for _ in 0..2 {
        assert_eq!(registry.manifest("r", "1.0").unwrap().bytes, b"{}");
    }
    let expected = [
        "GET /v2/r/manifests/1.0 -",
        "GET /token?a=b&service=s+x&scope=repository%3Ar%3Apull -",
        "GET /v2/r/manifests/1.0 Bearer t1",
        "GET /v2/r/manifests/1.0 Bearer t1",
    ];
    assert_eq!(server.lines(), expected);
    let accept = server.log()[0].header("accept").unwrap().to_owned();
    assert!(
        ["image.index.v1", "image.manifest.v1", "manifest.list.v2", "manifest.v2"].iter().all(|t| accept.contains(t))
    );
    // Another repository has a token of its own; the first one's ran out of favour meanwhile, and is renewed.
    registry.manifest("other", "1").unwrap();
    registry.manifest("r", "1.0").unwrap();
    let lines = server.lines()[4..].join("\n");
    assert!(
        lines.contains("/v2/other/manifests/1 Bearer t2") && lines.ends_with("/v2/r/manifests/1.0 Bearer t3"),
        "{lines}"
    );
    assert_eq!(registry.wire.spent().again, 0);
}

#[test]
fn a_token_is_renewed_when_its_time_is_over() {
    let server = with_tokens("{}", 300);
    let (wire, clock) = wire(None);
    let registry = with(&server, &anonymous(), wire);
    registry.manifest("r", "1.0").unwrap();
    clock.wait(Duration::from_secs(280));
    registry.manifest("r", "1.0").unwrap();
    let lines = server.lines();
    assert!(lines[3].ends_with("/manifests/1.0 -") && lines[5].ends_with("Bearer t2"), "{lines:?}");
}

#[test]
fn the_password_goes_to_who_gives_tokens() {
    let server = with_tokens("{}", 300);
    let credentials = given(&format!("{} alice:pw", server.address));
    registry(&server, &credentials).manifest("r", "1.0").unwrap();
    let lines = server.lines();
    // How to be known is asked for first, so that nothing is asked for anonymously.
    assert_eq!(lines[0], "GET /v2/ -");
    assert!(lines[1].starts_with("GET /token") && lines[1].ends_with("Basic YWxpY2U6cHc="), "{lines:?}");
    assert_eq!((lines.len(), lines[2].as_str()), (3, "GET /v2/r/manifests/1.0 Bearer t1"));
}

#[test]
fn an_identity_is_exchanged_and_a_token_is_sent_as_it_is() {
    let server = with_tokens("{}", 300);
    let credentials = written(&server, r#"{"identitytoken":"i d"}"#, "");
    registry(&server, &credentials).manifest("r", "1.0").unwrap();
    let posted = &server.log()[1];
    assert_eq!((posted.method.as_str(), posted.authorization()), ("POST", "-"));
    assert_eq!(
        posted.body,
        "grant_type=refresh_token&client_id=dosimeter&refresh_token=i+d&service=s+x&scope=repository%3Ar%3Apull"
    );
    let server = giving("{}");
    registry(&server, &given(&format!("{} t0ken", server.address))).manifest("r", "1").unwrap();
    assert_eq!(server.lines(), ["GET /v2/r/manifests/1 Bearer t0ken"]);
}

/// Wants a password.
fn with_password(password: &'static str) -> Server {
    Server::start(move |request| match request.authorization() {
        auth if auth == password => Reply::ok("{}"),
        _ => Reply::new(401, "").with("WWW-Authenticate", "Basic realm=\"x\""),
    })
}

#[test]
fn a_password_is_sent_where_it_is_asked_for() {
    let server = with_password("Basic YWxpY2U6cHc=");
    registry(&server, &given(&format!("{} alice:pw", server.address))).manifest("r", "1").unwrap();
    assert_eq!(server.lines(), ["GET /v2/ -", "GET /v2/r/manifests/1 Basic YWxpY2U6cHc="]);
    // Another port is another server: nothing is sent there.
    let other = given("127.0.0.1 alice:pw\nregistry.example bob:pw");
    let error = registry(&server, &other).manifest("r", "1").unwrap_err();
    assert!(matches!(error, RegistryError::Denied { known: false, .. }), "{error}");
    let wrong = given(&format!("{} alice:s3cret", server.address));
    let error = registry(&server, &wrong).manifest("r", "1").unwrap_err();
    assert!(matches!(error, RegistryError::Denied { known: true, .. }), "{error}");
    for shown in [error.to_string(), format!("{error:?} {wrong:?}"), error.line()] {
        assert!(!shown.contains("s3cret") && !shown.contains("YWxp"), "{shown}");
    }
    assert!(error.line().contains("; hint: log in") && !error.line().contains('\n'));
}

#[test]
fn a_helper_is_named_and_never_started() {
    let known = |server: &Server| written(server, "{}", r#","credsStore":"desktop""#);
    let server = with_password("none fits");
    let error = registry(&server, &known(&server)).manifest("r", "1").unwrap_err().to_string();
    assert!(error.starts_with("cannot ask the helper `desktop` for the password of `127.0.0.1:"), "{error}");
    assert!(error.contains("--registry-token-file") && error.contains(TOKEN_VARIABLE), "{error}");
    // What anybody gets is got.
    let server = with_tokens("{}", 300);
    assert!(registry(&server, &known(&server)).manifest("r", "1.0").is_ok());
}

#[test]
fn a_redirection_to_another_host_carries_no_credentials() {
    let store = Server::start(|request| match request.path.as_str() {
        "/closed" => Reply::new(401, "").with("WWW-Authenticate", "Basic realm=x"),
        "/back" => Reply::redirect(request.header("x-back").unwrap_or("/blob")),
        _ => Reply::ok("layer"),
    });
    let away = store.url("/blob?signature=s3cret");
    let (to, closed) = (away.clone(), store.url("/closed"));
    let server = Server::start(move |request| match request.authorization() {
        "-" => Reply::new(401, "").with("WWW-Authenticate", "Basic realm=x"),
        _ if request.path.contains("/closed/") => Reply::redirect(&closed),
        _ if request.path == "/inner" => Reply::ok("layer"),
        _ if request.path.contains("/own/") => Reply::redirect("/inner"),
        _ => Reply::redirect(&to),
    });
    let credentials = given(&format!("{} alice:pw\n{} bob:pw", server.address, store.address));
    let registry = registry(&server, &credentials);
    let digest = Digest::sha256(b"layer");
    assert_eq!(registry.small_blob("r", &digest, 10).unwrap(), b"layer");
    assert_eq!(std::io::read_to_string(registry.blob("r", &digest, 5).unwrap()).unwrap(), "layer");
    assert_eq!(store.lines(), ["GET /blob?signature=s3cret -"; 2]);
    // Within the server they are sent on.
    assert_eq!(registry.small_blob("own", &digest, 10).unwrap(), b"layer");
    // What another host asks for it does not get.
    let error = registry.small_blob("closed", &digest, 10).unwrap_err();
    assert!(matches!(error, RegistryError::Status { .. }), "{error}");
    assert!(store.log().iter().all(|r| r.header("authorization").is_none() && r.header("cookie").is_none()));
    assert!(!error.to_string().contains("s3cret"));
}

#[test]
fn who_gives_tokens_is_reached_as_safely_as_the_registry() {
    for (realm, wanted) in [
        ("http://tokens.example/x", "--plain-http"),
        ("ftp://tokens.example/x", "nobody who gives tokens"),
        ("", "nobody who gives tokens"),
    ] {
        let way = format!("Bearer realm=\"{realm}\"");
        let server = Server::start(move |_| Reply::new(401, "").with("WWW-Authenticate", &way));
        let credentials = given(&format!("{} alice:pw", server.address));
        let error = registry(&server, &credentials).manifest("r", "1").unwrap_err().to_string();
        assert!(error.contains(wanted), "{realm}: {error}");
    }
    let server = Server::start(|_| Reply::new(401, "").with("WWW-Authenticate", "Negotiate"));
    let error = registry(&server, &anonymous()).manifest("r", "1").unwrap_err();
    assert!(matches!(error, RegistryError::Challenge { .. }), "{error}");
    // The token itself may send on, but the password stays.
    let other = giving(r#"{"access_token":"t"}"#);
    let there = other.url("/t");
    let server = Server::start(move |request| match request.authorization() {
        _ if request.path.starts_with("/token") => Reply::redirect(&there),
        "Bearer t" => Reply::ok("{}"),
        _ => {
            let realm = format!("Bearer realm=\"http://{}/token\"", request.header("host").unwrap());
            Reply::new(401, "").with("WWW-Authenticate", realm)
        }
    });
    registry(&server, &given(&format!("{} alice:pw", server.address))).manifest("r", "1").unwrap();
    assert_eq!(other.lines(), ["GET /t -"]);
}

#[test]
fn a_mirror_gets_its_own_credentials_and_the_registry_what_it_does_not_have() {
    let mirror = Server::start(|request| match request.authorization() {
        "-" => Reply::new(401, "").with("WWW-Authenticate", "Basic realm=x"),
        _ if request.path.contains("sha256") => Reply::ok("{}"),
        _ => Reply::new(404, ""),
    });
    let server = with_password("Basic YWxpY2U6cHc=");
    let credentials = given(&format!("{} alice:pw\n{} bob:pw", server.address, mirror.address));
    let mut mirrors = Mirrors::default();
    mirrors.add(&format!("{}={}", server.address, mirror.url("/"))).unwrap();
    let host = Host::parse(&server.address).unwrap();
    let registry = Registry::open(&host, wire(None).0, &credentials, &mirrors).unwrap();
    registry.manifest("r", "1").unwrap();
    registry.manifest("r", &digest(b"{}")).unwrap();
    let bob = "Basic Ym9iOnB3";
    let of = server.address.replace(':', "%3A");
    let expected = [
        "GET /v2/ -".to_owned(),
        format!("GET /v2/r/manifests/1?ns={of} {bob}"),
        format!("GET /v2/r/manifests/{}?ns={of} {bob}", digest(b"{}")),
    ];
    assert_eq!(mirror.lines(), expected);
    assert!(server.log().iter().all(|r| r.authorization() != bob), "{:?}", server.lines());
    assert_eq!(server.log().len(), 2);
}
