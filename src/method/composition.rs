//! What pipe and parallel have in common: methods applied through intermediate traces, and the fusion of what they give.

use super::copy::identifier;
use super::params::{Parameters, cut};
use super::term::path_of;
use super::{Inputs, Method, Plan, Step, find};
use crate::rdf::{as_iri, as_literal};
use crate::store::codec::{ID_BYTES, KEY_BYTES};
use crate::store::{Kind, Reading, Result};
use crate::vocab::ktbs;

/// The parameter that lists the methods.
const METHODS: &str = "methods";

/// The longest path of an intermediate trace, in bytes: it has to fit in a key of the store, and leave some room.
const PATH_BYTES: usize = KEY_BYTES - 31;

/// Returns the steps of a composition: one trace for each method of the parameter `methods`, next to the target and named
/// after it and its rank. Each reads the source of the target or, in a chain, the one before it.
///
/// # Errors
/// What prevents them, in words. `name` is that of the method, `chained` tells a pipe from a parallel.
pub(super) fn steps(inputs: &Inputs<'_>, name: &str, chained: bool) -> Plan<Vec<Step>> {
    let [source] = inputs.sources else {
        return Err(vec![format!("Method {name} expects exactly one source")]);
    };
    let methods: Vec<&str> = match Parameters::new(inputs.parameters).text(METHODS) {
        None => return Err(vec![format!("Method {name} requires parameter {METHODS}")]),
        Some(methods) => methods.split_ascii_whitespace().collect(),
    };
    let mut errors = check(inputs, name, &methods).unwrap_or_else(|error| vec![error.to_string()]);
    if methods.is_empty() {
        errors.push(format!("Method {name} must have at least one method"));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let iri = |rank: usize| intermediate(inputs.target.iri, rank);
    let last = iri(methods.len() - 1);
    if path_of(inputs.reading.root(), &last).len() > PATH_BYTES || identifier(&last).len() > ID_BYTES {
        return Err(vec![format!(
            "The identifier {} leaves no room for those of the intermediate traces",
            identifier(inputs.target.iri)
        )]);
    }
    let step = |(rank, method): (usize, &&str)| Step {
        iri: iri(rank),
        method: (*method).to_owned(),
        source: if chained && rank > 0 {
            iri(rank - 1)
        } else {
            source.iri.clone()
        },
        effective: !chained || rank + 1 == methods.len(),
    };
    Ok(methods.iter().enumerate().map(step).collect())
}

/// Returns the IRI of the intermediate trace of a rank: next to the target, `_RANK_` and its identifier.
fn intermediate(target: &str, rank: usize) -> String {
    let id = identifier(target);
    let container = target.trim_end_matches('/').strip_suffix(id).unwrap_or_default();
    format!("{container}_{rank}_{id}/")
}

/// Returns what is wrong with methods: each must lead to a built-in one. Those that go through others, and so on, are
/// counted with what they go through, so that a short text does not make thousands of traces.
fn check(inputs: &Inputs<'_>, name: &str, methods: &[&str]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut count = 0;
    // Each method comes with those that go through it.
    let mut pending: Vec<(String, Vec<String>)> = (methods.iter().take(inputs.limits.sub_methods + 1).rev())
        .map(|method| ((*method).to_owned(), Vec::new()))
        .collect();
    while let Some((iri, mut through)) = pending.pop() {
        count += 1;
        if count > inputs.limits.sub_methods {
            let most = inputs.limits.sub_methods;
            problems.push(format!(
                "Method {name} goes through more than {most} methods (sub-methods)"
            ));
            break;
        }
        let Some((method, inner)) = lead(inputs.reading, &iri)? else {
            // What a step lacks is told by that step.
            if through.is_empty() {
                problems.push(format!("Sub-method <{}> is not accessible", cut(&iri)));
            }
            continue;
        };
        if method.steps.is_none() {
            continue;
        }
        if through.contains(&iri) {
            problems.push(format!("Sub-method <{}> goes through itself", cut(&iri)));
            continue;
        }
        through.push(iri);
        let inner = inner.unwrap_or_default();
        let inner = inner.split_ascii_whitespace().take(inputs.limits.sub_methods + 1);
        pending.extend(inner.map(|method| (method.to_owned(), through.clone())));
    }
    Ok(problems)
}

/// Follows a method to the built-in one from which it descends; returns it with the list of methods that it is given.
fn lead(reading: &dyn Reading, iri: &str) -> Result<Option<(&'static Method, Option<String>)>> {
    let mut methods = None;
    let mut seen = Vec::new();
    let mut current = iri.to_owned();
    loop {
        if let Some(method) = find(&current) {
            return Ok(Some((method, methods)));
        }
        let Some(path) = current.strip_prefix(reading.root()) else {
            return Ok(None);
        };
        let entry = reading.entry(path)?.filter(|entry| entry.head.kind == Kind::Method);
        let Some(entry) = entry.filter(|_| !seen.contains(&current)) else {
            return Ok(None);
        };
        let parameters = entry
            .graph
            .objects_of(&current, ktbs::HAS_PARAMETER)
            .filter_map(as_literal);
        let mut named = parameters.filter_map(|parameter| parameter.strip_prefix(METHODS)?.strip_prefix('='));
        methods = methods.or_else(|| named.next().map(str::to_owned));
        let parent = entry
            .graph
            .object_of(&current, ktbs::HAS_PARENT_METHOD)
            .and_then(as_iri);
        let Some(parent) = parent.map(str::to_owned) else {
            return Ok(None);
        };
        seen.push(std::mem::replace(&mut current, parent));
    }
}

#[cfg(test)]
mod test {
    use super::intermediate;

    #[test]
    fn intermediate_traces_stand_next_to_the_target() {
        assert_eq!(intermediate("http://x/b/p/", 0), "http://x/b/_0_p/");
        assert_eq!(intermediate("http://x/b/_1_p/", 2), "http://x/b/_2__1_p/");
    }
}
