use super::*;

fn read_text(text: &str) -> Sbom {
    read(text.as_bytes(), &|_| true).unwrap().unwrap()
}

fn shown(sbom: &Sbom) -> Vec<String> {
    sbom.packages.iter().map(|p| format!("{} {:?}", p.purl, p.statement)).collect()
}

#[test]
fn cyclonedx_says_where_packages_stood() {
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"file","name":"/home"}},
    "components":[
     {"type":"library","name":"litellm","version":"1.82.8","purl":"pkg:pypi/litellm@1.82.8","properties":[
      {"name":"syft:package:foundBy","value":"python-installed-package-cataloger"},
      {"name":"syft:location:0:path","value":"/v/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA"}]},
     {"type":"library","name":"axios","version":"1.14.1","purl":"pkg:npm/axios@1.14.1","properties":[
      {"name":"syft:package:foundBy","value":"javascript-lock-cataloger"},
      {"name":"syft:location:0:path","value":"/w/package-lock.json"}]},
     {"type":"library","name":"six","purl":"pkg:pypi/six","version":"1.17.0","components":[
      {"type":"library","group":"@s","name":"x","version":"2","purl":"pkg:npm/%40s/x@2?a=b",
       "evidence":{"occurrences":[{"location":"w/node_modules/@s/x/package.json"}]}}]},
     {"type":"file","name":"plain"}, {"type":"library","name":"z","purl":"pkg:hackage/z@1"}]}"#;
    let sbom = read_text(text);
    assert_eq!(sbom.format, "CycloneDX 1.6");
    assert_eq!(sbom.subject.as_deref(), Some("/home"));
    let expected = [
        "pkg:pypi/litellm@1.82.8 Installed",
        "pkg:npm/axios@1.14.1 Listed",
        // What stands in a component is read before the end of that.
        "pkg:npm/%40s/x@2 Installed",
        "pkg:pypi/six@1.17.0 Unclear",
    ];
    assert_eq!(shown(&sbom), expected);
    assert!(sbom.others >= 1);
    let image = text.replace("\"type\":\"file\",\"name\":\"/home\"", "\"type\":\"container\",\"name\":\"i\"");
    let image = read_text(&image);
    assert_eq!(shown(&image)[1], "pkg:npm/axios@1.14.1 Listed", "a lock file in an image is one");
    assert_eq!(shown(&image)[3], "pkg:pypi/six@1.17.0 Installed");
}

#[test]
fn spdx_says_where_packages_stood() {
    let package = |name: &str, info: &str, locator: &str| {
        format!(
            r#"{{"name":"{name}","versionInfo":"1.82.8","sourceInfo":"{info}","externalRefs":[
            {{"referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a"}},{{"referenceType":"purl","referenceLocator":"{locator}"}}]}}"#
        )
    };
    let all = [
        package(
            "litellm",
            "acquired package info from installed python package manifest file: /v/site-packages/litellm-1.82.8.dist-info/METADATA",
            "pkg:pypi/litellm@1.82.8",
        ),
        package("litellm", "acquired package info from the following paths: /w/poetry.lock", "pkg:pypi/litellm@1.82.8"),
        package("litellm", "", "pkg:pypi/LiteLLM"),
    ];
    let text = format!(r#"{{"spdxVersion":"SPDX-2.3","name":"home","packages":[{}]}}"#, all.join(","));
    let sbom = read_text(&text);
    let expected = ["Installed", "Listed", "Unclear"];
    assert!(sbom.packages.iter().map(|p| format!("{:?}", p.statement)).eq(expected), "{:?}", shown(&sbom));
    assert_eq!(sbom.packages[0].place.as_ref().unwrap().text(), "/v/site-packages/litellm-1.82.8.dist-info/METADATA");
    let image =
        text.replacen("{\"name\":\"litellm\"", "{\"primaryPackagePurpose\":\"CONTAINER\",\"name\":\"litellm\"", 1);
    assert_eq!(read_text(&image).packages[2].statement, Statement::Installed);
}

#[test]
fn what_is_none_or_is_broken_is_refused() {
    for none in ["{}", "[]", "x", "", "{\"packages\":[]}", "{\"name\":\"CycloneDX\"}"] {
        assert_eq!(read(none.as_bytes(), &|_| true), Ok(None), "{none}");
    }
    let deep = format!(
        "{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":{}",
        "[{\"components\":".repeat(5000)
    );
    for bad in [
        "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"2.0\"}",
        "{\"bomFormat\":\"CycloneDX\"}",
        "{\"spdxVersion\":\"SPDX-2.1\"}",
        "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":[{",
        "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":7}",
        "{\"spdxVersion\":\"SPDX-2.3\",\"packages\":{}}",
        &deep,
    ] {
        assert!(read(bad.as_bytes(), &|_| true).is_err(), "{}", &bad[..60.min(bad.len())]);
    }
}

#[test]
fn what_would_cost_memory_is_refused() {
    let begin = "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":[";
    let of = |n: usize| format!("{begin}{}{{}}]}}", "{},".repeat(n));
    assert!(read(of(1000).as_bytes(), &|_| true).is_ok());
    assert!(read(of(VALUES).as_bytes(), &|_| true).unwrap_err().contains("more values"));
    let long = format!("{begin}{}]}}", " ".repeat(64 << 20));
    assert!(read(long.as_bytes(), &|_| true).unwrap_err().contains("larger than"));
}

#[test]
fn a_hostile_path_leads_nowhere() {
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.4","components":[{"purl":"pkg:pypi/a@1",
        "properties":[{"name":"syft:location:0:path","value":"/../../etc/passwd"}]}]}"#;
    assert_eq!(read_text(text).packages[0].place, None);
}
