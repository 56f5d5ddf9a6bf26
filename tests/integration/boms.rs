//! Bills of materials in every form that is read, and what is made of them.

use std::{fs, io::Write as _};

use serde_json::{Value, json};

use crate::program::{Said, findings, run, valid};

const HASH: &str = "8395c3268d5c5dbae1c7c6d4bb3c318c752ba4608cfcd90eb97ffb94a910eac2";

/// A shop that asks for a plugin, which asks for what is malicious, which brings in more of it.
fn cyclonedx(version: &str) -> Value {
    json!({"bomFormat": "CycloneDX", "specVersion": version,
        "metadata": {"component": {"type": "application", "name": "shop", "bom-ref": "root"}},
        "components": [
            {"type": "library", "bom-ref": "p", "name": "plugin", "version": "1.0.0", "purl": "pkg:npm/plugin@1.0.0"},
            {"type": "library", "bom-ref": "a", "name": "axios", "version": "1.14.1", "purl": "pkg:npm/axios@1.14.1", "components": [
                {"type": "library", "bom-ref": "c", "name": "plain-crypto-js", "version": "4.2.1", "purl": "pkg:npm/plain-crypto-js@4.2.1"}]}],
        "dependencies": [
            {"ref": "root", "dependsOn": ["p"]}, {"ref": "p", "dependsOn": ["a", "nowhere"]}, {"ref": "a", "dependsOn": ["c", "a"]}]})
}

/// The same as SPDX 2.3.
fn spdx() -> Value {
    let package = |id: &str, name: &str, version: &str| {
        json!({"SPDXID": id, "name": name, "versionInfo": version,
            "externalRefs": [{"referenceType": "purl", "referenceLocator": format!("pkg:npm/{name}@{version}")}]})
    };
    let relation = |from: &str, kind: &str, to: &str| json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to});
    json!({"spdxVersion": "SPDX-2.3", "name": "shop",
        "packages": [{"SPDXID": "root", "name": "shop"}, package("p", "plugin", "1.0.0"), package("a", "axios", "1.14.1"),
            package("c", "plain-crypto-js", "4.2.1")],
        "relationships": [relation("SPDXRef-DOCUMENT", "DESCRIBES", "root"), relation("root", "DEPENDS_ON", "p"),
            relation("a", "DEPENDENCY_OF", "p"), relation("a", "DEPENDS_ON", "c")]})
}

/// The same as SPDX 3.0.
fn spdx3(version: &str) -> Value {
    let package = |id: &str, name: &str, version: &str, more: Value| {
        let mut all =
            json!({"type": "software_Package", "spdxId": id, "name": name, "software_packageVersion": version});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let relation = |from: &str, kind: &str, to: &str| json!({"type": "Relationship", "spdxId": format!("urn:r{from}{to}"), "from": from, "relationshipType": kind, "to": [to]});
    json!({"@context": format!("https://spdx.org/rdf/{version}/spdx-context.jsonld"), "@graph": [
        {"type": "CreationInfo", "@id": "_:i", "specVersion": "3.0.1", "created": "2026-11-01T00:00:00Z", "createdBy": ["urn:x"]},
        {"type": "SpdxDocument", "spdxId": "urn:d", "creationInfo": "_:i", "name": "shop", "rootElement": ["urn:s"]},
        {"type": "software_Sbom", "spdxId": "urn:s", "creationInfo": "_:i", "rootElement": ["urn:root"]},
        package("urn:root", "shop", "1", json!({"software_primaryPurpose": "application"})),
        package("urn:p", "plugin", "1.0.0", json!({"software_packageUrl": "pkg:npm/plugin@1.0.0"})),
        package("urn:a", "axios", "1.14.1", json!({"externalIdentifier": [
            {"type": "ExternalIdentifier", "externalIdentifierType": "cpe23", "identifier": "cpe:2.3:a:x"},
            {"type": "ExternalIdentifier", "externalIdentifierType": "packageUrl", "identifier": "pkg:npm/axios@1.14.1"}]})),
        package("urn:c", "plain-crypto-js", "4.2.1", json!({"software_packageUrl": "pkg:npm/plain-crypto-js@4.2.1"})),
        relation("urn:root", "dependsOn", "urn:p"), relation("urn:p", "dependsOn", "urn:a"), relation("urn:a", "dependsOn", "urn:c")]})
}

fn judged(bytes: impl AsRef<[u8]>, format: &str) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bom");
    fs::write(&path, bytes).unwrap();
    run(["match", "--built-in", "--format", format, path.to_str().unwrap()])
}

fn report(document: &Value) -> Value {
    let said = judged(document.to_string(), "json");
    let report: Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}", said.err));
    valid(&report);
    report
}

/// Each finding with its chain.
fn chains(report: &Value) -> Vec<String> {
    let all = report["incidents"].as_array().unwrap().iter().flat_map(|i| i["findings"].as_array().unwrap());
    let mut all: Vec<String> = all
        .map(|f| {
            let links: Vec<String> = f["chain"]
                .as_array()
                .unwrap()
                .iter()
                .map(|l| format!("{}{}", l["name"].as_str().unwrap(), if l["requested"] == true { "!" } else { "" }))
                .collect();
            format!("{}: {}", f["indicator"].as_str().unwrap(), links.join(" > "))
        })
        .collect();
    all.sort();
    all
}

#[test]
fn every_form_says_the_same_with_the_same_chains() {
    let expected =
        ["npm/axios@1.14.1: plugin! > axios", "npm/plain-crypto-js@4.2.1: plugin! > axios > plain-crypto-js"];
    for version in ["1.4", "1.5", "1.6", "1.7"] {
        assert_eq!(chains(&report(&cyclonedx(version))), expected, "CycloneDX {version}");
    }
    assert_eq!(chains(&report(&spdx())), expected);
    for version in ["3.0.0", "3.0.1", "3.0"] {
        assert_eq!(chains(&report(&spdx3(version))), expected, "SPDX {version}");
    }
    // The twin with good versions.
    let good = |v: &Value| v.to_string().replace("1.14.1", "1.14.0").replace("plain-crypto-js", "quiet-js");
    for document in [cyclonedx("1.6"), spdx(), spdx3("3.0.1")] {
        assert_eq!(judged(good(&document), "json").code, 0);
    }
    for version in ["3.1.0", "2.9", "30.0"] {
        let said = judged(spdx3(version).to_string(), "json");
        assert!(
            said.code == 2 && said.err.contains("a version of SPDX other than 2.3 and 3.0"),
            "{version}: {}",
            said.err
        );
    }
}

#[test]
fn an_image_of_a_container_had_installed_what_it_lists() {
    let mut image = spdx3("3.0.1");
    image["@graph"][3]["software_primaryPurpose"] = "container".into();
    for (document, exposure) in [(image, "installed/likely"), (spdx3("3.0.1"), "installed/possible")] {
        assert!(findings(&report(&document)).iter().all(|f| f.starts_with(exposure)), "{exposure}");
    }
    // The kind of what is described may stand behind the components.
    let text = cyclonedx("1.6").to_string();
    let metadata = r#""metadata":{"component":{"bom-ref":"root","name":"shop","type":"application"}},"#;
    assert!(text.contains(metadata), "{text}");
    let last = format!(
        "{},{}}}",
        text.replacen(metadata, "", 1).trim_end_matches('}'),
        metadata.replace("application", "container").trim_end_matches(',')
    );
    let said = judged(last, "json");
    let found = findings(&serde_json::from_str(&said.out).unwrap());
    assert!(found.len() == 2 && found.iter().all(|f| f.starts_with("installed/likely")), "{found:?}");
}

#[test]
fn packed_documents_are_read_as_they_are() {
    let text = cyclonedx("1.6").to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let plain = chains(&report(&cyclonedx("1.6")));
    let packed = [gzip.finish().unwrap(), zstd::encode_all(text.as_bytes(), 3).unwrap()];
    for bytes in &packed {
        let said = judged(bytes, "json");
        assert_eq!(chains(&serde_json::from_str(&said.out).unwrap()), plain, "{}", said.err);
        let cut = judged(&bytes[..bytes.len() / 2], "json");
        assert!(cut.code == 2 && cut.out.is_empty() && cut.err.contains("hint:"), "{}", cut.err);
    }
    // Two gigabytes of one text, in some kilobytes.
    let mut bomb = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    bomb.write_all(b"{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"x\":\"").unwrap();
    let block = vec![b'a'; 1 << 20];
    (0..256).for_each(|_| bomb.write_all(&block).unwrap());
    let said = judged(bomb.finish().unwrap(), "json");
    assert!(said.code == 2 && said.err.contains("larger than 64 MB"), "{}", said.err);
}

#[test]
fn a_hash_identifies_a_file_whatever_it_is_called() {
    let with = |component: Value| json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component]});
    let hash = |value: &str| json!([{"alg": "MD5", "content": "x"}, {"alg": "SHA-256", "content": value}]);
    for component in [
        json!({"type": "library", "name": "vendored", "version": "9", "purl": "pkg:pypi/vendored@9", "hashes": hash(HASH)}),
        json!({"type": "library", "name": "vendored", "hashes": hash(&HASH.to_uppercase())}),
    ] {
        let found = findings(&report(&with(component)));
        assert!(found.len() == 1 && found[0].contains("installed/"), "{found:?}");
    }
    for value in [&HASH.replace('8', "9"), "", "zz"] {
        let said = judged(
            with(json!({"type": "library", "name": "vendored", "version": "9", "hashes": hash(value)})).to_string(),
            "json",
        );
        assert_eq!(said.code, 0, "{value}");
    }
    let spdx = json!({"spdxVersion": "SPDX-2.3", "name": "x", "packages": [
        {"name": "w", "versionInfo": "1", "checksums": [{"algorithm": "SHA256", "checksumValue": HASH}]}]});
    assert_eq!(findings(&report(&spdx)).len(), 1);
}

#[test]
fn the_plan_speaks_of_a_statement_and_moves_nothing() {
    let found = report(&cyclonedx("1.6"));
    let items = found["checklist"].as_array().unwrap();
    let titles: Vec<&str> = items.iter().filter_map(|i| i["title"].as_str()).collect();
    assert!(titles[0].starts_with("Find every place where shop runs"), "{titles:#?}");
    for wanted in ["Change what shop is made from", "Make shop anew, and take every old copy out of use"] {
        assert!(titles.contains(&wanted), "{titles:#?}");
    }
    for item in items {
        assert_eq!(item["where"], "clean", "{item:#}");
        for step in item["steps"].as_array().unwrap() {
            let command = step["command"].as_str().unwrap_or_default();
            assert!(!command.contains("keep ") && !command.contains("EVIDENCE"), "{step:#}");
        }
    }
    assert!(judged(cyclonedx("1.6").to_string(), "sh").out.contains("there is nothing for a script to do"));
    // Of what a lock file names nobody knows that it was installed: nothing is rotated.
    let mut listed = cyclonedx("1.6");
    for at in [0, 1] {
        listed["components"][at]["properties"] = json!([{"name": "SrcFile", "value": "web/package-lock.json"}]);
    }
    listed["components"][1]["components"] = json!([]);
    let listed = report(&listed);
    assert_eq!(listed["verdict"]["exposure"], "referenced");
    let phases: Vec<&str> =
        listed["checklist"].as_array().unwrap().iter().filter_map(|i| i["phase"].as_str()).collect();
    assert!(!phases.contains(&"rotate") && phases.contains(&"purge"), "{phases:?}");
}

#[test]
fn bills_of_materials_stand_beside_inventories_of_a_fleet() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("shop.cdx.json"), cyclonedx("1.6").to_string()).unwrap();
    fs::write(
        folder.path().join("till.spdx.json"),
        spdx3("3.0.1").to_string().replace("1.14.1", "1.14.0").replace("plain-crypto-js", "quiet-js"),
    )
    .unwrap();
    let said = run(["match", "--built-in", "--format", "json", folder.path().to_str().unwrap()]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    valid(&report);
    let trees: Vec<&str> = report["machines"].as_array().unwrap().iter().filter_map(|m| m["tree"].as_str()).collect();
    assert_eq!((trees, said.code), (vec!["shop.cdx", "till.spdx"], 1));
    assert!(report["checklist"].as_array().unwrap().iter().all(|i| i["machines"] == json!(["shop.cdx"])));
}
