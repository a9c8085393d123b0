//! What pipe and parallel have in common: methods applied through intermediate traces, and the fusion of what they give.

use super::params::Parameters;
use super::{Inputs, Plan, Step};

/// How deep compositions may be nested: a pipe may go through a pipe, but not through itself for ever.
const DEEPEST: usize = 4;

/// The longest IRI of an intermediate trace, in bytes: it has to fit in a key of the store.
const LONGEST: usize = 480;

/// Returns the steps of a composition: one trace for each method of the parameter `methods`, next to the target and named
/// after it and its rank. Each reads the source of the target or, in a chain, the one before it.
///
/// # Errors
/// What prevents them, in words. `name` is that of the method, `chained` tells a pipe from a parallel.
pub(super) fn steps(inputs: &Inputs<'_>, name: &str, chained: bool) -> Plan<Vec<Step>> {
    let mut errors = Vec::new();
    let [source] = inputs.sources else {
        return Err(vec![format!("Method {name} expects exactly one source")]);
    };
    let mut parameters = Parameters::new(inputs.parameters);
    let methods: Vec<&str> = match parameters.text("methods") {
        None => return Err(vec![format!("Method {name} requires parameter methods")]),
        Some(methods) => methods.split_ascii_whitespace().collect(),
    };
    if methods.is_empty() {
        errors.push(format!("Method {name} must have at least one method"));
    }
    if methods.len() > inputs.limits.sub_methods {
        errors.push(format!(
            "Method {name} has more than {} methods",
            inputs.limits.sub_methods
        ));
    }
    let target = inputs.target.iri.strip_suffix('/').unwrap_or(inputs.target.iri);
    let (base, id) = target.rsplit_once('/').unwrap_or(("", target));
    if depth(id) >= DEEPEST {
        errors.push(format!(
            "Method {name} goes through itself, or is nested more than {DEEPEST} times"
        ));
    }
    if target.len() + 8 > LONGEST {
        errors.push(format!(
            "The identifier {id} leaves no room for those of the intermediate traces"
        ));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let iri = |rank: usize| format!("{base}/_{rank}_{id}/");
    let last = methods.len() - 1;
    let step = |(rank, method): (usize, &str)| Step {
        iri: iri(rank),
        method: method.to_owned(),
        source: if chained && rank > 0 {
            iri(rank - 1)
        } else {
            source.iri.clone()
        },
        effective: !chained || rank == last,
    };
    Ok(methods.into_iter().enumerate().map(step).collect())
}

/// Returns in how many compositions an identifier says that its trace is a step: `_0_p` is one of `p`, `_1__0_p` of `_0_p`.
fn depth(id: &str) -> usize {
    let mut rest = id;
    let mut depth = 0;
    while let Some((rank, inner)) = rest.strip_prefix('_').and_then(|rest| rest.split_once('_')) {
        if rank.is_empty() || !rank.bytes().all(|byte| byte.is_ascii_digit()) {
            break;
        }
        depth += 1;
        rest = inner;
    }
    depth
}

#[cfg(test)]
mod test {
    use super::depth;

    #[test]
    fn the_name_of_a_step_tells_how_deep_it_is() {
        for (id, expected) in [
            ("p", 0),
            ("_0_p", 1),
            ("_12__0_p", 2),
            ("__p", 0),
            ("_a_p", 0),
            ("_0", 0),
        ] {
            assert_eq!(depth(id), expected, "{id}");
        }
    }
}
