//! Lists that come in pages, or never end.

use super::*;

#[test]
fn pages_are_followed_in_either_way() {
    // By links, with a scheme and a port that a proxy got wrong.
    let server = Server::start(|request| match request.path.as_str() {
        "/v2/team/app/tags/list?n=1000" => Reply::ok(r#"{"name":"team/app","tags":["b","1.0"]}"#)
            .with("Link", r#"<https://127.0.0.1/v2/team/app/tags/list?last=b&n=2>; rel="next""#),
        "/v2/team/app/tags/list?last=b&n=2" => Reply::ok(r#"{"tags":["c","a"]}"#),
        _ => Reply::new(404, ""),
    });
    let listed = registry(&server, &anonymous()).tags("team/app");
    assert_eq!(listed.names, ["1.0", "a", "b", "c"]);
    assert!(listed.trouble.is_none(), "{:?}", listed.trouble);
    // All at once, whatever is asked for; more than a page, so that it is asked once more.
    let all: Vec<String> = (0..1200).map(|n| format!("r{n}")).collect();
    let body = format!(r#"{{"repositories":{:?}}}"#, all);
    let server = Server::start(move |_| Reply::ok(body.clone()));
    let listed = registry(&server, &anonymous()).catalog();
    assert_eq!((listed.names.len(), listed.trouble.is_none(), server.log().len()), (1200, true, 2));
    // A page's length is refused; a repository without tags.
    let server = Server::start(|request| match request.path.as_str() {
        "/v2/r/tags/list" => Reply::ok(r#"{"tags":null}"#),
        _ => Reply::new(400, ""),
    });
    let listed = registry(&server, &anonymous()).tags("r");
    assert!(listed.names.is_empty() && listed.trouble.is_none());
}

fn trouble(server: &Server) -> (usize, String) {
    let listed = registry(server, &anonymous()).catalog();
    (listed.names.len(), listed.trouble.map_or_else(String::new, |t| t.to_string()))
}

#[test]
fn lists_end_and_what_was_listed_is_kept() {
    let link = |n: usize| format!("</v2/_catalog?last={n}>; rel=\"next\"");
    let nth = |path: &str| path.split("last=").nth(1).map_or(0, |n| n.parse::<usize>().unwrap());
    let page = |name: String| format!(r#"{{"repositories":["{name}"]}}"#);
    let endless = Server::start(move |r| {
        let n = nth(&r.path);
        Reply::ok(page(format!("r{n}"))).with("Link", link(n + 1))
    });
    let (names, why) = trouble(&endless);
    assert!(names == 40 && why.contains("more pages than are read"), "{names} {why}");
    let same = Server::start(move |r| Reply::ok(page("r".into())).with("Link", link(nth(&r.path) + 1)));
    let (names, why) = trouble(&same);
    assert!(names == 1 && why.contains("repeats its pages") && same.log().len() <= 3, "{why}");
    let circle = Server::start(move |r| Reply::ok(page(format!("r{}", nth(&r.path)))).with("Link", link(0)));
    assert!(trouble(&circle).1.contains("repeats its pages"));
    let elsewhere = Server::start(move |_| {
        Reply::ok(page("r".into())).with("Link", "<https://evil.example/v2/_catalog?last=r>; rel=\"next\"")
    });
    let (names, why) = trouble(&elsewhere);
    assert!(names == 1 && why.contains("another host"), "{why}");
    let breaks = Server::start(move |r| match nth(&r.path) {
        0 => Reply::ok(page("r".into())).with("Link", link(1)),
        _ => Reply::new(500, ""),
    });
    let (names, why) = trouble(&breaks);
    assert!(names == 1 && why.contains("answered 500"), "{why}");
}

#[test]
fn lists_hold_names_only() {
    let (names, why) = trouble(&giving(r#"{"repositories":["a/b","../x","a b","\u001b[2J",""]}"#));
    assert!(names == 1 && why.contains("cannot be names"), "{why}");
    for odd in ["", "[]", r#"{"repositories":7}"#, r#"{"repositories":[7]}"#, "\u{0}"] {
        let (names, why) = trouble(&giving(odd));
        assert!(names == 0 && why.contains("not the list"), "{odd:?}: {why}");
    }
    let deep = Server::start(|_| Reply::ok(format!(r#"{{"repositories":{}"#, "[".repeat(200_000))));
    assert!(trouble(&deep).1.contains("not the list"));
    let many = Server::start(|_| Reply::ok(format!(r#"{{"repositories":[{}""]}}"#, r#""","#.repeat(600_000))));
    assert!(trouble(&many).1.contains("not the list"));
    let (_, why) = trouble(&Server::start(|_| Reply::ok("{").length(Some(1 << 40))));
    assert!(why.contains("sends more than"), "{why}");
}

#[test]
fn what_refers_to_an_image_is_noted() {
    let image = Digest::sha256(b"image");
    let one = digest(b"one");
    let index =
        format!(r#"{{"manifests":[{{"digest":"{one}","artifactType":"application/x\u001b"}},{{"digest":"x"}}]}}"#);
    let expected = Referrer { digest: Digest::sha256(b"one"), kind: "application/x\\u{1b}".to_owned() };
    let body = index.clone();
    let server = Server::start(move |_| Reply::ok(body.clone()));
    let found = registry(&server, &anonymous()).referrers("r", &image).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].digest, expected.digest);
    assert!(!found[0].kind.contains('\u{1b}'), "{}", found[0].kind);
    // An older registry has a tag instead, or nothing.
    let tag = image.as_str().replace(':', "-");
    let server = Server::start(move |r| match r.path.contains(&tag) {
        true => Reply::ok(index.clone()),
        false => Reply::new(404, ""),
    });
    assert_eq!(registry(&server, &anonymous()).referrers("r", &image).unwrap(), found);
    let server = Server::start(|_| Reply::new(404, ""));
    assert!(registry(&server, &anonymous()).referrers("r", &image).unwrap().is_empty());
    let server = Server::start(|_| Reply::ok("<html>"));
    assert!(registry(&server, &anonymous()).referrers("r", &image).is_err());
}
