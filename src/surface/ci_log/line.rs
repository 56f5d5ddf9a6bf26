//! A line of a log without what its system writes around it.

use std::borrow::Cow;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::fact::At;

/// How a system writes lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `2026-03-24T10:00:00.1234567Z text`, with `job⇥step⇥` before it or without; Azure's too.
    GitHub,
    /// Plain, or `2024-05-22T12:43:46.962646Z 00O text`.
    GitLab,
    /// Plain, or `[2026-03-24T10:00:00.000Z] text`.
    Jenkins,
    /// `[2026-03-24 10:00:00Z INFO ActionManager] text`: what the runner of GitHub writes for itself.
    Runner,
    /// As the tools wrote them.
    Plain,
}

/// When a line was written, as its log says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp<'l> {
    /// UTC.
    Utc(&'l str),
    /// Without a zone.
    Local(&'l str),
}

impl Stamp<'_> {
    /// As a time.
    pub fn at(self) -> Option<At> {
        match self {
            Self::Utc(text) => Some(At::new(text.parse::<Timestamp>().ok()?, "time in the log")),
            Self::Local(text) => {
                let local: DateTime = text.parse().ok()?;
                let time = local.to_zoned(TimeZone::UTC).ok()?.timestamp();
                Some(At::new(time, At::NO_ZONE))
            }
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'l> {
    /// When.
    pub stamp: Option<Stamp<'l>>,
    /// `job` and `step`, where each line says it.
    pub part: Option<(&'l str, &'l str)>,
    /// What GitHub prints in colour before it runs a script: the script's own lines.
    pub is_script: bool,
    /// The rest, without colours.
    pub text: Cow<'l, str>,
}

impl<'l> Line<'l> {
    /// Takes a line apart.
    pub fn new(form: Form, raw: &'l str) -> Self {
        let mut text = raw.strip_prefix('\u{feff}').unwrap_or(raw);
        let (mut stamp, mut part) = (None, None);
        match form {
            Form::GitHub => {
                if let Some((job, step, rest)) = columns(text) {
                    part = Some((job, step));
                    text = rest;
                }
                if let Some((time, rest)) = utc(text) {
                    stamp = Some(Stamp::Utc(time));
                    text = rest;
                }
            }
            Form::GitLab => {
                if let Some((time, rest)) = utc(text).and_then(|(time, rest)| Some((time, stream(rest)?))) {
                    stamp = Some(Stamp::Utc(time));
                    text = rest;
                }
            }
            Form::Jenkins => {
                if let Some((time, rest)) = bracketed(text) {
                    stamp = Some(time);
                    text = rest;
                }
            }
            Form::Runner => {
                let inside = text.strip_prefix('[').and_then(|t| t.split_once("] "));
                if let Some((head, rest)) = inside
                    && let Some((time, _)) = head.split_once("Z ").filter(|(time, _)| is_date(time))
                {
                    stamp = head.get(..=time.len()).map(Stamp::Utc);
                    text = rest;
                } else if let Some((time, rest)) = utc(text) {
                    stamp = Some(Stamp::Utc(time));
                    text = rest;
                }
            }
            Form::Plain => {}
        }
        let is_script = text.starts_with("\u{1b}[36;1m");
        let mut text = without_escapes(text);
        let buildkit = |text: &str| {
            let rest = text.strip_prefix('#')?;
            let (step, rest) = rest.split_once(' ')?;
            let (seconds, rest) = rest.split_once(' ')?;
            let number = |t: &str, dot: bool| {
                !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit() || dot && b == b'.') && t.contains('.') == dot
            };
            (number(step, false) && number(seconds, true)).then_some(rest.len())
        };
        if let Some(rest) = buildkit(&text) {
            text = cut_to_end(text, rest);
        }
        if form == Form::Jenkins {
            // What runs beside others has its name before each line.
            let named = text.strip_prefix('[').and_then(|t| t.split_once("] ")).filter(|(name, _)| *name != "Pipeline");
            if let Some(rest) = named.map(|(_, rest)| rest.len()) {
                text = cut_to_end(text, rest);
            }
        }
        Self { stamp, part, is_script, text }
    }
}

/// The last `len` bytes of a text.
fn cut_to_end(text: Cow<'_, str>, len: usize) -> Cow<'_, str> {
    let at = text.len().saturating_sub(len);
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(at..).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(at..).unwrap_or_default().to_owned()),
    }
}

/// `job⇥step⇥2026-03-…Z text`
pub fn columns(text: &str) -> Option<(&str, &str, &str)> {
    let (job, rest) = text.split_once('\t')?;
    let (step, rest) = rest.split_once('\t')?;
    let rest = rest.strip_prefix('\u{feff}').unwrap_or(rest);
    utc(rest).is_some().then_some((job, step, rest))
}

/// `2026-03-24T10:00:00.1234567Z text`: the time, and the text. A line may be empty behind its time.
pub fn utc(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    if bytes.get(4) != Some(&b'-') || bytes.get(10) != Some(&b'T') || bytes.get(13) != Some(&b':') {
        return None;
    }
    let end = bytes.iter().take(40).position(|b| *b == b'Z')?;
    let time = text.get(..=end).filter(|time| time.len() >= 20 && is_date(time))?;
    let rest = text.get(end + 1..)?;
    Some((time, rest.strip_prefix(' ').or_else(|| rest.is_empty().then_some(rest))?))
}

/// Whether a text consists of what dates have.
fn is_date(text: &str) -> bool {
    text.len() >= 10 && text.bytes().all(|b| b.is_ascii_digit() || b"-:.TZ+ ".contains(&b))
}

/// What stands behind `00O ` of GitLab; `+` instead of the space goes on with the line before.
fn stream(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let hex = bytes.get(..2)?.iter().all(u8::is_ascii_hexdigit);
    let stream = matches!(bytes.get(2), Some(b'O' | b'E')) && matches!(bytes.get(3), Some(b' ' | b'+'));
    (hex && stream).then(|| text.get(4..)).flatten()
}

/// `[2026-03-24T10:00:00.000Z] text`, or without the zone.
fn bracketed(text: &str) -> Option<(Stamp<'_>, &str)> {
    let (time, rest) = text.strip_prefix('[')?.split_once(']')?;
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    if utc(time).is_some_and(|(_, rest)| rest.is_empty()) {
        return Some((Stamp::Utc(time), rest));
    }
    let day = time.as_bytes().get(4) == Some(&b'-') && (19..=29).contains(&time.len());
    (day && is_date(time)).then_some((Stamp::Local(time), rest))
}

/// Without colours, links and what Jenkins hides in them.
fn without_escapes(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return Cow::Borrowed(text);
    }
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('\u{1b}') {
        plain.push_str(rest.get(..at).unwrap_or_default());
        let after = rest.get(at + 1..).unwrap_or_default();
        let hidden = after.strip_prefix("[8m").and_then(|hidden| hidden.find("\u{1b}[0m").map(|end| (hidden, end)));
        rest = match (hidden, after.as_bytes().first()) {
            (Some((hidden, end)), _) => hidden.get(end + 4..).unwrap_or_default(),
            (None, Some(b'[')) => {
                let end = after.bytes().skip(1).position(|b| (0x40..=0x7e).contains(&b)).map_or(after.len(), |n| n + 2);
                after.get(end..).unwrap_or_default()
            }
            (None, Some(b']')) => {
                let end = after.find(['\u{7}', '\u{1b}']).map_or(after.len(), |n| n + 1);
                after.get(end..).unwrap_or_default().trim_start_matches('\\')
            }
            (None, _) => after,
        };
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}
