//! MISP events in the core format: attributes of the event and of its objects. What is not for detection (`to_ids: false`) is
//! context at most.

use serde_json::Value;

use super::{
    Context, Imported,
    draft::{Draft, line, row, slug},
    json::{field, items},
    osv::words,
    version,
};
use crate::ioc::model::Source;

/// One event, or the answer of a search: `{"response": [{"Event": …}]}`.
pub fn document(value: &Value, context: Context<'_>, out: &mut Imported) -> Result<(), String> {
    let answers = match value.get("response") {
        Some(Value::Array(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => std::slice::from_ref(value),
    };
    for (n, answer) in answers.iter().enumerate() {
        let event = answer.get("Event").filter(|e| e.is_object()).ok_or("`Event` is not an object")?;
        add_event(event, context, out).map_err(|what| format!("event {}: {what}", n + 1))?;
    }
    Ok(())
}

fn add_event(event: &Value, context: Context<'_>, out: &mut Imported) -> Result<(), String> {
    let info = field(event, "info")?.unwrap_or(context.name);
    let id = field(event, "uuid")?.or(field(event, "id")?).unwrap_or(info);
    let source = Source {
        title: format!("MISP event: {}", line(info, 150)),
        url: None,
        relayed: Some(format!("MISP event {}", line(id, 60))),
    };
    let mut draft = Draft::new(&slug(&format!("misp-{id}")), info, source);
    out.dated(seconds(event, "timestamp"));
    for attribute in items(event, "Attribute")? {
        value(attribute, &mut draft, out)?;
    }
    for object in items(event, "Object")? {
        if object.get("deleted") == Some(&Value::Bool(true)) {
            continue;
        }
        if field(object, "name")? == Some("malicious-package-report") {
            report(object, &mut draft, out)?;
            continue;
        }
        let attributes = items(object, "Attribute")?;
        let name = attributes.iter().find(|a| is(a, "type", "filename")).and_then(|a| a.get("value")?.as_str());
        let hashes: Vec<&str> = attributes
            .iter()
            .filter(|a| to_ids(a) && ["sha256", "sha512", "sha1", "md5"].iter().any(|t| is(a, "type", t)))
            .filter_map(|a| a.get("value")?.as_str())
            .collect();
        // The hashes and the name of a file object are of one file.
        let file = field(object, "name")? == Some("file") && !hashes.is_empty();
        if file {
            draft.hashes(out, &hashes, name);
        }
        for attribute in attributes {
            let is_of_file =
                file && ["sha256", "sha512", "sha1", "md5", "filename"].iter().any(|t| is(attribute, "type", t));
            if !is_of_file || !to_ids(attribute) && !is(attribute, "type", "filename") {
                value(attribute, &mut draft, out)?;
            }
        }
    }
    draft.finish(out);
    Ok(())
}

fn is(value: &Value, key: &str, text: &str) -> bool {
    value.get(key).and_then(Value::as_str) == Some(text)
}

fn to_ids(attribute: &Value) -> bool {
    match attribute.get("to_ids") {
        Some(Value::Bool(b)) => *b,
        Some(Value::String(s)) => s == "1" || s == "true",
        Some(Value::Number(n)) => n.as_u64() == Some(1),
        _ => false,
    }
}

fn seconds(value: &Value, key: &str) -> Option<jiff::Timestamp> {
    let value = value.get(key)?;
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    jiff::Timestamp::from_second(number).ok()
}

fn value(attribute: &Value, draft: &mut Draft, out: &mut Imported) -> Result<(), String> {
    let kind = field(attribute, "type")?.ok_or("an attribute without `type`")?;
    let value = field(attribute, "value")?.ok_or("an attribute without `value`")?;
    if attribute.get("deleted") == Some(&Value::Bool(true)) {
        return Ok(());
    }
    let context_only = !to_ids(attribute);
    let comment = line(field(attribute, "comment")?.unwrap_or_default(), 200);
    draft.what = if comment.is_empty() { "an attribute of the event".to_owned() } else { comment };
    match kind {
        "domain" | "hostname" | "ip-dst" | "ip-src" | "ip-dst|port" | "hostname|port" => {
            let host = value.split('|').next().unwrap_or(value);
            draft.host(out, host, context_only || kind == "ip-src");
        }
        "domain|ip" => value.split('|').for_each(|host| draft.host(out, host, context_only)),
        "url" => draft.url(out, value, context_only),
        "sha256" | "sha512" | "sha1" | "md5" | "filename" | "filename|sha256" | "filename|sha512" | "filename|sha1"
        | "filename|md5"
            if context_only =>
        {
            out.leave("not for detection (`to_ids` is false)", value);
        }
        "sha256" | "sha512" | "sha1" | "md5" => draft.hashes(out, &[value], None),
        "filename|sha256" | "filename|sha512" | "filename|sha1" | "filename|md5" => match value.rsplit_once('|') {
            Some((name, hash)) => draft.hashes(out, &[hash], Some(name)),
            None => out.leave("not a file name and a hash", value),
        },
        "filename" => draft.file_name(out, value),
        "link" | "comment" | "text" | "other" | "datetime" | "size-in-bytes" => {}
        _ => out.leave(format!("attributes of type `{}`", kind.chars().take(40).collect::<String>()), value),
    }
    Ok(())
}

/// A record of the malicious packages: its `origin-sha256` is the hash of a report.
fn report(object: &Value, draft: &mut Draft, out: &mut Imported) -> Result<(), String> {
    let attributes = items(object, "Attribute")?;
    let all = |relation: &str| {
        let mine = attributes.iter().filter(|a| is(a, "object_relation", relation));
        mine.filter_map(|a| a.get("value")?.as_str()).collect::<Vec<_>>()
    };
    let first = |relation: &str| all(relation).first().copied();
    let Some(name) = first("package-name") else {
        out.leave("a report without its package", first("report-id").unwrap_or_default());
        return Ok(());
    };
    if first("state") == Some("withdrawn") {
        out.leave("withdrawn by its publisher", name);
        return Ok(());
    }
    let ecosystem = first("ecosystem").unwrap_or_default();
    let Some(ecosystems) = words(ecosystem) else {
        out.leave(format!("the ecosystem `{}` is not examined", ecosystem.chars().take(40).collect::<String>()), name);
        return Ok(());
    };
    let mut versions = Vec::new();
    for text in all("affected-version").into_iter().chain(all("affected-range")) {
        match version::cell(text) {
            Some(some) => versions.extend(some),
            None => out.leave("words where a version belongs", &format!("{name} {text}")),
        }
    }
    let id = first("report-id").unwrap_or(&draft.incident.id).to_owned();
    if versions.is_empty() {
        out.leave("a package without a version", name);
    }
    ecosystems.iter().for_each(|e| row(out, *e, name, versions.clone(), &id));
    "named by the report".clone_into(&mut draft.what);
    all("ioc-domain").into_iter().chain(all("ioc-ip")).for_each(|host| draft.host(out, host, false));
    all("ioc-url").into_iter().for_each(|url| draft.url(out, url, false));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Reading, read};

    #[test]
    fn attributes_and_objects_are_taken_by_their_kind() {
        let (one, two, report) = ("ab".repeat(32), "cd".repeat(32), "ef".repeat(32));
        let text = format!(
            r#"{{"Event":{{"uuid":"u","info":"Evil package","timestamp":"1774310400","Attribute":[
            {{"type":"domain","value":"evil.example","to_ids":true}},
            {{"type":"hostname","value":"shared.example","to_ids":false}},
            {{"type":"ip-dst","value":"203.0.113.9","to_ids":"1"}},
            {{"type":"url","value":"https://evil.example/x","to_ids":true}},
            {{"type":"filename|sha256","value":"evil.js|{one}","to_ids":true}},
            {{"type":"sha256","value":"{report}","to_ids":false}},
            {{"type":"btc","value":"x","to_ids":true}}],
            "Object":[{{"name":"file","Attribute":[{{"type":"filename","value":"a.exe","to_ids":false}},
              {{"type":"sha256","value":"{two}","to_ids":true}},{{"type":"md5","value":"{}","to_ids":true}}]}},
             {{"name":"malicious-package-report","Attribute":[
              {{"type":"text","object_relation":"package-name","value":"evil"}},
              {{"type":"text","object_relation":"ecosystem","value":"npm"}},
              {{"type":"text","object_relation":"affected-version","value":"1.0.0"}},
              {{"type":"text","object_relation":"report-id","value":"MAL-2026-1"}},
              {{"type":"sha256","object_relation":"origin-sha256","value":"{report}","to_ids":true}}]}}]}}}}"#,
            "12".repeat(16)
        );
        let i = read(&[("event.json".to_owned(), text.into_bytes())], Reading::default()).unwrap();
        let incident = &i.incidents[0];
        let network: Vec<(&str, bool)> = incident.network.iter().map(|n| (n.value.as_str(), n.context_only)).collect();
        assert_eq!(
            network,
            [
                ("evil.example", false),
                ("shared.example", true),
                ("203.0.113.9", false),
                ("https://evil.example/x", false)
            ]
        );
        assert_eq!(incident.artifacts.len(), 2);
        assert_eq!(incident.artifacts[1].name, "a.exe");
        assert!(incident.artifacts[1].md5.is_some());
        assert!(!incident.artifacts.iter().any(|a| a.sha256.as_ref() == Some(&report)));
        assert_eq!((i.rows[0].1.as_str(), i.rows[0].2.advisory.as_str()), ("evil", "MAL-2026-1"));
        assert_eq!(i.newest.unwrap().to_string(), "2026-03-24T00:00:00Z");
        assert_eq!(i.left.len(), 2, "{:?}", i.left);
    }
}
