//! What edited files say is put on a plan. Only what differs from the plan says anything: a file that was written from it and left as
//! it is contradicts no other. Nothing that a person ticked is passed over without a word.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::read::{Field, Line, Said, Sheet, StepBox, Value};
use crate::{
    report::{
        page::Labels,
        v1::{Item, Report, State, Work},
    },
    text::printable,
};

/// What was taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// By item, in the order of the list.
    pub changes: Vec<Change>,
    /// Boxes of steps that were read, and how many of them are ticked.
    pub steps: (usize, usize),
    /// How many boxes of steps changed.
    pub steps_changed: usize,
    /// What was left aside, and why, each with its line.
    pub ignored: Vec<String>,
    /// Where the last word on an item stands.
    pub lines: HashMap<String, Line>,
}

/// What changed of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// "B3".
    pub label: String,
    /// How far it was, and is.
    pub state: (State, State),
    /// What else changed.
    pub fields: Vec<Field>,
    /// Where it stands.
    pub line: Line,
}

/// Puts it on the plan, which stays as it is where it is refused.
///
/// # Errors
/// Files that contradict each other, or name items that are not there: each with its lines.
pub fn put(plan: &mut Report, sheets: &[Sheet]) -> Result<Taken, Vec<String>> {
    let labels: HashMap<String, String> = {
        let labels = Labels::new(plan);
        plan.checklist.iter().map(|i| (i.id.clone(), labels.of(&i.id).to_owned())).collect()
    };
    let label = |id: &str| labels.get(id).map_or("", String::as_str).to_owned();
    let (mut taken, mut faults) = (Taken::default(), Vec::new());
    let mut said: BTreeMap<&str, Vec<&Said>> = BTreeMap::new();
    for s in sheets.iter().flat_map(|s| &s.said) {
        said.entry(&s.item).or_default().push(s);
    }
    let mut works: HashMap<String, Work> = plan.work.drain(..).map(|w| (w.item.clone(), w)).collect();
    let before = works.clone();
    for (id, said) in &said {
        let Some(first) = said.first() else { continue };
        if !labels.contains_key(*id) {
            faults.push(format!("{}: no item of the plan has this id: {id}", first.line));
            continue;
        }
        let stored = before.get(*id).cloned().unwrap_or_else(|| Work { item: (*id).to_owned(), ..Work::default() });
        let mut work = stored.clone();
        let mut changed: Vec<(Field, &Line)> = Vec::new();
        for field in Field::ALL {
            match change(field, said, &stored, &label(id)) {
                Ok(None) => {}
                Ok(Some(s)) => {
                    field.put(&mut work, s.value.clone());
                    changed.push((field, &s.line));
                }
                Err(why) => faults.push(why),
            }
        }
        let last = changed.last().map(|(_, line)| (*line).clone());
        if let Some(line) = last.clone() {
            let fields = changed.iter().map(|(f, _)| *f).filter(|f| *f != Field::State).collect();
            taken.changes.push(Change { label: label(id), state: (stored.state, work.state), fields, line });
        }
        // What a contradiction is about is said by the row, where there is one.
        let row = said.iter().rev().find(|s| !s.by_box).map(|s| s.line.clone());
        taken.lines.insert((*id).to_owned(), last.or(row).unwrap_or_else(|| first.line.clone()));
        works.insert((*id).to_owned(), work);
    }
    let order: HashMap<&str, usize> = plan.checklist.iter().enumerate().map(|(n, i)| (i.id.as_str(), n)).collect();
    let by_label: HashMap<&str, &str> = labels.iter().map(|(id, label)| (label.as_str(), id.as_str())).collect();
    taken.changes.sort_by_key(|c| by_label.get(c.label.as_str()).and_then(|id| order.get(id)));
    for (id, line) in sheets.iter().flat_map(|s| &s.without_state) {
        let state = works.get(id).map_or(State::Open, |w| w.state);
        if state != State::Open {
            let why = format!("an empty state says nothing: {} stays {}", label(id), state.as_str());
            taken.ignored.push(format!("{}: {why}", line.short()));
        }
    }
    steps(plan, sheets, &works, &label, &mut taken, &mut faults);
    for (line, of) in sheets.iter().flat_map(|s| &s.pictures) {
        let first = of.split(['-', '…']).next().unwrap_or_default();
        let is_over = |id: &str| works.get(id).is_some_and(|w| w.state.is_over());
        let mut meant = labels.iter().filter(|(_, l)| *l == first || *first == *"C" && l.starts_with('C')).peekable();
        // What the writer ticked himself is no news.
        if meant.peek().is_none() || !meant.all(|(id, _)| is_over(id)) {
            let why = "a tick on the first page, which is written anew each time: tick the box of the item itself";
            taken.ignored.push(format!("{}: {why}", line.short()));
        }
    }
    for (line, why) in sheets.iter().flat_map(|s| &s.ignored) {
        taken.ignored.push(format!("{}: {why}", line.short()));
    }
    if !faults.is_empty() {
        plan.work = before.into_values().collect();
    } else {
        let touched = |w: &Work| *w != Work { item: w.item.clone(), ..Work::default() };
        plan.work = works.into_values().filter(touched).collect();
    }
    plan.work.sort_by(|a, b| a.item.cmp(&b.item));
    if faults.is_empty() { Ok(taken) } else { Err(faults) }
}

/// The word that changes a field, where one does and no other speaks against it.
fn change<'s>(field: Field, said: &[&'s Said], stored: &Work, label: &str) -> Result<Option<&'s Said>, String> {
    let (known, of) = (field.of(stored), || said.iter().copied().filter(|s| s.field == field));
    let over = stored.state.is_over();
    let differs = |s: &&Said| match (&s.value, s.by_box) {
        // A box says whether it is over, and not how.
        (Value::State(state), true) => state.is_over() != over,
        (value, _) => !value.is_as_written(&known),
    };
    let (boxes, rows): (Vec<&Said>, Vec<&Said>) = of().filter(differs).partition(|s| s.by_box);
    if let Some((first, other)) = rows.first().and_then(|a| Some((*a, *rows.iter().find(|b| b.value != a.value)?))) {
        return Err(disagree(label, field, other, first));
    }
    let (Some(boxed), row) = (boxes.last().copied(), rows.last().copied()) else {
        return Ok(rows.last().copied());
    };
    let is_over = |s: &Said| matches!(s.value, Value::State(state) if state.is_over());
    match row {
        Some(row) if is_over(row) == is_over(boxed) => Ok(Some(row)),
        Some(row) => Err(disagree(label, field, row, boxed)),
        None if is_over(boxed) || came_from_a_tick(stored) => Ok(Some(boxed)),
        None => {
            let record = of().find(|s| !s.by_box).map_or_else(String::new, |s| format!(" ({})", s.line));
            Err(format!(
                "{}: {label} is ticked no more, and its record{record} says {}, with who or when: write there what it is now",
                boxed.line,
                stored.state.as_str()
            ))
        }
    }
}

/// Whether nothing but a tick says that it is over: then a box without a tick opens it again.
fn came_from_a_tick(work: &Work) -> bool {
    work.state == State::Closed
        && work.checked_by.is_empty()
        && work.revoked.is_none()
        && work.issued.is_none()
        && work.checked.is_none()
}

fn disagree(label: &str, field: Field, a: &Said, b: &Said) -> String {
    let words = |s: &Said| match (&s.value, s.by_box) {
        (Value::State(state), true) => (if state.is_over() { "ticked" } else { "ticked no more" }).to_owned(),
        (value, _) => value.words(),
    };
    let what = if field == Field::State { String::new() } else { format!("{} of ", field.as_str()) };
    format!("{}: {what}{label} is {} here, and {} in {}: which one holds?", a.line, words(a), words(b), b.line)
}

/// Boxes of steps, by their words; by their order where somebody changed the words and all are there.
fn steps(
    plan: &mut Report,
    sheets: &[Sheet],
    works: &HashMap<String, Work>,
    label: &impl Fn(&str) -> String,
    taken: &mut Taken,
    faults: &mut Vec<String>,
) {
    let at: HashMap<String, usize> = plan.checklist.iter().enumerate().map(|(n, i)| (i.id.clone(), n)).collect();
    // What each step was before any file: it changes where one of them says otherwise.
    let mut changes: BTreeMap<(usize, usize), bool> = BTreeMap::new();
    let mut changed_at: BTreeMap<usize, &Line> = BTreeMap::new();
    for sheet in sheets {
        let mut items: BTreeMap<&str, Vec<&StepBox>> = BTreeMap::new();
        for step in &sheet.steps {
            items.entry(&step.item).or_default().push(step);
        }
        for (id, boxes) in items {
            let Some((number, item)) = at.get(id).and_then(|n| Some((*n, plan.checklist.get(*n)?))) else {
                faults.extend(boxes.first().map(|b| format!("{}: no item of the plan has this id: {id}", b.line)));
                continue;
            };
            for (step, found) in boxes.iter().zip(matched(item, &boxes)) {
                taken.steps.0 += 1;
                taken.steps.1 += usize::from(step.ticked);
                match found.and_then(|n| Some((n, item.steps.get(n)?))) {
                    Some((n, known)) if known.done != step.ticked => {
                        changes.insert((number, n), step.ticked);
                        changed_at.insert(number, &step.line);
                    }
                    Some(_) => {}
                    None if step.ticked => {
                        let why = format!("no step of {} reads like this: its tick is for the reader only", label(id));
                        taken.ignored.push(format!("{}: {why}", step.line.short()));
                    }
                    None => {}
                }
            }
        }
    }
    taken.steps_changed = changes.len();
    for ((number, n), done) in changes {
        if let Some(step) = plan.checklist.get_mut(number).and_then(|i| i.steps.get_mut(n)) {
            step.done = done;
        }
    }
    for (number, line) in changed_at {
        let Some(item) = plan.checklist.get(number) else { continue };
        let over = works.get(&item.id).is_some_and(|w| w.state.is_over());
        if !over && item.steps.iter().filter(|s| !s.warns()).all(|s| s.done) {
            let why = format!("all steps of {0} are ticked, and {0} itself is not: it stays open", label(&item.id));
            taken.ignored.push(format!("{}: {why}", line.short()));
        }
    }
}

/// The number of the step that each box is of.
fn matched(item: &Item, boxes: &[&StepBox]) -> Vec<Option<usize>> {
    let steps: Vec<(usize, String)> =
        item.steps.iter().enumerate().filter(|(_, s)| !s.warns()).map(|(n, s)| (n, plain(&s.what))).collect();
    let words: Vec<String> = boxes.iter().map(|b| plain(&b.words)).collect();
    // Where all are there, what stands at its own place is meant before another that reads the same.
    let all = boxes.len() == steps.len();
    let own = |at: usize| steps.get(at).filter(|_| all);
    let mut found: Vec<Option<usize>> =
        words.iter().enumerate().map(|(at, w)| own(at).filter(|(_, s)| s == w).map(|(n, _)| *n)).collect();
    let mut free: HashMap<&str, Vec<usize>> = HashMap::new();
    let taken: HashSet<usize> = found.iter().flatten().copied().collect();
    for (n, words) in steps.iter().rev().filter(|(n, _)| !taken.contains(n)) {
        free.entry(words).or_default().push(*n);
    }
    for (place, words) in found.iter_mut().zip(&words).filter(|(place, _)| place.is_none()) {
        *place = free.get_mut(words.as_str()).and_then(Vec::pop);
    }
    let mut unused: HashSet<usize> = free.into_values().flatten().collect();
    for (at, place) in found.iter_mut().enumerate().filter(|(_, place)| place.is_none()) {
        *place = own(at).map(|(n, _)| *n).filter(|n| unused.remove(n));
    }
    found
}

/// Without the blanks and the signs that editors change.
fn plain(words: &str) -> String {
    let word = |c: char| match c {
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        '\u{2013}' | '\u{2014}' => '-',
        c => c,
    };
    let text: String = printable(words).chars().map(word).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
