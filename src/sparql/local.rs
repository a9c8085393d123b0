//! Whether the rows of a query about a node follow from the triples of that node alone.
//!
//! A pattern is *anchored* at a variable if each of its rows binds it to a node, and follows from triples whose subject is
//! that node, and from nothing else. The rows of such a pattern over many nodes are those over some of the nodes and those
//! over the others; so what is new can be asked about what is new.

use std::collections::BTreeSet;

use spargebra::algebra::{Expression, Function, GraphPattern};
use spargebra::term::{TermPattern, Variable};

/// Tells whether a query looks only at the triples whose subjects are the values of given variables, which a `VALUES` gives.
pub(super) fn looks_at(pattern: &GraphPattern, names: &[&str]) -> bool {
    sight(pattern, names).is_some_and(|sight| sight.looked.is_subset(&sight.bound))
}

/// What a pattern looks at: each of its rows follows from the triples of the nodes to which it binds given variables.
#[derive(Default)]
struct Sight<'a> {
    /// The variables that each row binds.
    bound: BTreeSet<&'a str>,
    /// The variables at whose triples rows look; a row binds those at which it looks.
    looked: BTreeSet<&'a str>,
}

/// Returns what a pattern looks at, or `None` if that may be anything.
fn sight<'a>(pattern: &'a GraphPattern, names: &[&str]) -> Option<Sight<'a>> {
    let given = |variable: &'a Variable| Some(variable.as_str()).filter(|name| names.contains(name));
    Some(match pattern {
        GraphPattern::Bgp { patterns } => {
            let mut subjects = BTreeSet::new();
            for triple in patterns {
                match &triple.subject {
                    TermPattern::Variable(variable) => subjects.insert(given(variable)?),
                    _ => return None,
                };
            }
            Sight {
                bound: subjects.clone(),
                looked: subjects,
            }
        }
        GraphPattern::Values { variables, bindings } => {
            let is_bound = |index: usize| bindings.iter().all(|row| row.get(index).is_some_and(Option::is_some));
            let bound = variables.iter().enumerate().filter(|(index, _)| is_bound(*index));
            Sight {
                bound: bound.filter_map(|(_, variable)| given(variable)).collect(),
                looked: BTreeSet::new(),
            }
        }
        GraphPattern::Join { left, right } => {
            let (left, right) = (sight(left, names)?, sight(right, names)?);
            Sight {
                bound: &left.bound | &right.bound,
                looked: &left.looked | &right.looked,
            }
        }
        GraphPattern::Union { left, right } => {
            let (left, right) = (sight(left, names)?, sight(right, names)?);
            Sight {
                bound: &left.bound & &right.bound,
                looked: &left.looked | &right.looked,
            }
        }
        GraphPattern::LeftJoin {
            left,
            right,
            expression,
        } => {
            let left = beside(sight(left, names)?, right, names)?;
            match expression {
                Some(expression) => tested(left, expression, names)?,
                None => left,
            }
        }
        GraphPattern::Minus { left, right } => beside(sight(left, names)?, right, names)?,
        GraphPattern::Filter { expr, inner } => tested(sight(inner, names)?, expr, names)?,
        GraphPattern::Extend {
            inner,
            variable,
            expression,
        } => {
            if given(variable).is_some() {
                return None;
            }
            tested(sight(inner, names)?, expression, names)?
        }
        GraphPattern::Project { inner, variables } => {
            let inner = sight(inner, names)?;
            let kept: BTreeSet<&str> = variables.iter().map(Variable::as_str).collect();
            if !inner.looked.is_subset(&kept) {
                return None;
            }
            Sight {
                bound: &inner.bound & &kept,
                looked: inner.looked,
            }
        }
        GraphPattern::OrderBy { inner, .. } | GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } => {
            sight(inner, names)?
        }
        GraphPattern::Path { .. }
        | GraphPattern::Lateral { .. }
        | GraphPattern::Graph { .. }
        | GraphPattern::Slice { .. }
        | GraphPattern::Group { .. }
        | GraphPattern::Service { .. } => return None,
    })
}

/// Returns what rows look at when each is compared with those of another pattern, which must look only at nodes that the
/// rows bind.
fn beside<'a>(left: Sight<'a>, right: &'a GraphPattern, names: &[&str]) -> Option<Sight<'a>> {
    let right = sight(right, names)?;
    right.looked.is_subset(&left.bound).then(|| Sight {
        looked: &left.looked | &right.looked,
        bound: left.bound,
    })
}

/// Returns what rows look at when an expression of each is evaluated.
fn tested<'a>(rows: Sight<'a>, expression: &'a Expression, names: &[&str]) -> Option<Sight<'a>> {
    let mut patterns = Vec::new();
    if !is_local(expression, &mut |pattern| {
        patterns.push(pattern);
        true
    }) {
        return None;
    }
    patterns
        .into_iter()
        .try_fold(rows, |rows, pattern| beside(rows, pattern, names))
}

/// Variables at which a pattern is anchored.
type Anchors<'a> = BTreeSet<&'a Variable>;

/// Tells whether the pattern of a SELECT is anchored at the variable of a name.
pub(super) fn is_anchored(pattern: &GraphPattern, name: &str) -> bool {
    anchors(pattern).iter().any(|variable| variable.as_str() == name)
}

/// Tells whether a SELECT sorts its rows.
pub(super) fn is_ordered(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::OrderBy { .. } => true,
        GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } | GraphPattern::Slice { inner, .. } => {
            is_ordered(inner)
        }
        GraphPattern::Project { inner, .. } => matches!(**inner, GraphPattern::OrderBy { .. }),
        _ => false,
    }
}

/// Takes out what sorts rows, on all levels; for patterns where nothing depends on an order.
pub(super) fn unsort(pattern: &mut GraphPattern) {
    while let GraphPattern::OrderBy { inner, .. } = pattern {
        *pattern = std::mem::take(&mut **inner);
    }
    match pattern {
        GraphPattern::Join { left, right }
        | GraphPattern::Lateral { left, right }
        | GraphPattern::LeftJoin { left, right, .. }
        | GraphPattern::Union { left, right }
        | GraphPattern::Minus { left, right } => {
            unsort(left);
            unsort(right);
        }
        GraphPattern::Filter { inner, .. }
        | GraphPattern::Graph { inner, .. }
        | GraphPattern::Extend { inner, .. }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. }
        | GraphPattern::Group { inner, .. }
        | GraphPattern::Service { inner, .. } => unsort(inner),
        GraphPattern::OrderBy { .. }
        | GraphPattern::Bgp { .. }
        | GraphPattern::Path { .. }
        | GraphPattern::Values { .. } => {}
    }
}

/// Returns the variables at which a pattern is anchored; maybe not all.
fn anchors(pattern: &GraphPattern) -> Anchors<'_> {
    match pattern {
        GraphPattern::Bgp { patterns } => {
            let mut subjects = patterns.iter().map(|triple| match &triple.subject {
                TermPattern::Variable(variable) => Some(variable),
                _ => None,
            });
            let first = subjects.next().flatten();
            let same = first.filter(|first| subjects.all(|subject| subject == Some(first)));
            same.into_iter().collect()
        }
        GraphPattern::Join { left, right } => {
            let (mut of_left, mut of_right) = (anchors(left), anchors(right));
            if is_free(right) {
                of_left
            } else if is_free(left) {
                of_right
            } else if of_left.is_disjoint(&of_right) {
                Anchors::new()
            } else {
                of_left.append(&mut of_right);
                of_left
            }
        }
        GraphPattern::LeftJoin {
            left,
            right,
            expression,
        } => {
            let left = anchors(left);
            let sees_it = is_free(right) || !left.is_disjoint(&anchors(right));
            only_if(
                sees_it && expression.as_ref().is_none_or(|test| is_local_to(test, &left)),
                left,
            )
        }
        GraphPattern::Minus { left, right } => {
            let left = anchors(left);
            only_if(is_free(right) || !left.is_disjoint(&anchors(right)), left)
        }
        GraphPattern::Union { left, right } => &anchors(left) & &anchors(right),
        GraphPattern::Filter { expr, inner } => {
            let inner = anchors(inner);
            only_if(is_local_to(expr, &inner), inner)
        }
        GraphPattern::Extend {
            inner,
            variable,
            expression,
        } => {
            let mut inner = anchors(inner);
            if matches!(expression, Expression::Variable(other) if inner.contains(other)) {
                inner.insert(variable);
            }
            only_if(is_local_to(expression, &inner), inner)
        }
        GraphPattern::Project { inner, variables } => {
            let inner = anchors(inner);
            variables.iter().filter(|variable| inner.contains(variable)).collect()
        }
        GraphPattern::OrderBy { inner, .. } | GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } => {
            anchors(inner)
        }
        // Aggregates of texts and samples depend on the order of the data, slices on all the rows.
        GraphPattern::Path { .. }
        | GraphPattern::Values { .. }
        | GraphPattern::Lateral { .. }
        | GraphPattern::Graph { .. }
        | GraphPattern::Slice { .. }
        | GraphPattern::Group { .. }
        | GraphPattern::Service { .. } => Anchors::new(),
    }
}

fn only_if(condition: bool, anchors: Anchors<'_>) -> Anchors<'_> {
    if condition { anchors } else { Anchors::new() }
}

/// Tells whether a pattern does not look at the data.
fn is_free(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::Bgp { patterns } => patterns.is_empty(),
        GraphPattern::Values { .. } => true,
        GraphPattern::Extend { inner, expression, .. } => is_free(inner) && is_local_to(expression, &Anchors::new()),
        _ => false,
    }
}

/// Tells whether an expression has the same value each time that its variables have the same, if a function says so of the
/// patterns of its EXISTS.
fn is_local<'a>(expression: &'a Expression, exists: &mut dyn FnMut(&'a GraphPattern) -> bool) -> bool {
    let mut all = |parts: &[&'a Expression]| parts.iter().all(|part| is_local(part, exists));
    match expression {
        Expression::NamedNode(_) | Expression::Literal(_) | Expression::Variable(_) | Expression::Bound(_) => true,
        Expression::Or(a, b)
        | Expression::And(a, b)
        | Expression::Equal(a, b)
        | Expression::SameTerm(a, b)
        | Expression::Greater(a, b)
        | Expression::GreaterOrEqual(a, b)
        | Expression::Less(a, b)
        | Expression::LessOrEqual(a, b)
        | Expression::Add(a, b)
        | Expression::Subtract(a, b)
        | Expression::Multiply(a, b)
        | Expression::Divide(a, b) => all(&[a, b]),
        Expression::UnaryPlus(a) | Expression::UnaryMinus(a) | Expression::Not(a) => all(&[a]),
        Expression::In(a, list) => all(&[a]) && list.iter().all(|part| all(&[part])),
        Expression::If(a, b, c) => all(&[a, b, c]),
        Expression::Coalesce(list) => list.iter().all(|part| all(&[part])),
        Expression::Exists(pattern) => exists(pattern),
        Expression::FunctionCall(function, arguments) => {
            let varies = matches!(
                function,
                Function::Rand | Function::Now | Function::Uuid | Function::StrUuid | Function::BNode
            );
            !varies && arguments.iter().all(|part| all(&[part]))
        }
    }
}

/// Tells whether an expression looks at the triples of anchors only.
fn is_local_to(expression: &Expression, of: &Anchors<'_>) -> bool {
    is_local(expression, &mut |pattern| !of.is_disjoint(&anchors(pattern)))
}

#[cfg(test)]
mod test {
    use spargebra::{Query, SparqlParser};

    use super::*;

    fn pattern(group: &str) -> GraphPattern {
        let text = format!("PREFIX : <http://h/> SELECT * {{ {group} }}");
        match SparqlParser::new().parse_query(&text).expect("a query") {
            Query::Select { pattern, .. } => pattern,
            other => panic!("{other} is no SELECT"),
        }
    }

    #[test]
    fn what_is_said_of_one_node_is_local_to_it() {
        let all = "{ SELECT (?obs as ?o) (?b as ?begin) { ?obs :trace :t ; :begin ?b } ORDER BY ?b }";
        for group in [
            "?o :p ?x",
            "?o :p ?x ; ?q ?y . FILTER(?x > 3)",
            "?o :p ?x OPTIONAL { ?o :q ?y FILTER(?y > ?x) }",
            "{ ?o :p ?x } UNION { ?o :q ?x }",
            "?o :p ?x MINUS { ?o :q ?y }",
            "?o :p ?x FILTER NOT EXISTS { ?o :q ?x }",
            "?o :p ?x BIND(?x + 1 AS ?y)",
            "?o :p ?x VALUES ?y { 1 2 }",
            "VALUES ?o { :a } ?o :p ?x",
            "?p :p ?x BIND(?p AS ?o)",
            all,
            &format!("{all} OPTIONAL {{ ?o :p ?x }}"),
            &format!("{all} ?o :p ?x FILTER(?x = ?begin)"),
            &format!("{{ SELECT DISTINCT ?o ?x {{ {all} ?o :p ?x }} }}"),
        ] {
            assert!(is_anchored(&pattern(group), "o"), "{group}");
        }
    }

    #[test]
    fn what_looks_elsewhere_is_not() {
        for group in [
            "",
            "?x :p ?o",
            "?o :p ?x . ?x :q ?y",
            "?o :p [ :q 3 ]",
            "?o :p ?x OPTIONAL { ?x :q ?y }",
            "?o :p ?x OPTIONAL { ?o :q ?y FILTER EXISTS { ?y :p ?z } }",
            "{ ?o :p ?x } UNION { ?x :p ?o }",
            "?o :p ?x MINUS { ?y :q ?x }",
            "?o :p ?x FILTER NOT EXISTS { ?y :q ?o }",
            "?o :p ?x FILTER(RAND() > 0.5)",
            "?o :p ?x BIND(NOW() AS ?now)",
            "?o :p ?x . ?y :p ?x",
            "?o :p/:q ?x",
            "?o :p* ?x",
            "GRAPH ?g { ?o :p ?x }",
            "{ SELECT ?o (COUNT(*) AS ?n) { ?o :p ?x } GROUP BY ?o }",
            "{ SELECT ?o { ?o :p ?x } LIMIT 1 }",
            "{ SELECT ?x { ?o :p ?x } }",
            "BIND(:a AS ?o)",
            "VALUES ?o { :a }",
            "OPTIONAL { ?o :p ?x }",
        ] {
            assert!(!is_anchored(&pattern(group), "o"), "{group}");
        }
    }

    #[test]
    fn what_sorts_rows_is_taken_out_on_all_levels() {
        let mut sorted = pattern("{ SELECT ?o ?b { ?o :b ?b } ORDER BY ?b } OPTIONAL { ?o :p ?x }");
        unsort(&mut sorted);
        assert_eq!(sorted, pattern("{ SELECT ?o ?b { ?o :b ?b } } OPTIONAL { ?o :p ?x }"));
    }

    fn sees_given(group: &str) -> bool {
        looks_at(&pattern(&format!("VALUES (?obs ?pred) {{}} {group}")), &["obs", "pred"])
    }

    #[test]
    fn what_is_said_of_given_nodes_is_seen_there() {
        for group in [
            "",
            "?obs :p ?x . ?pred :p ?y FILTER(?x > ?y)",
            "?obs :p ?x OPTIONAL { ?pred :p ?y }",
            "OPTIONAL { ?pred :p ?y } FILTER(!BOUND(?y))",
            "{ ?obs :p ?x } UNION { ?pred :p ?x }",
            "?obs :p ?x MINUS { ?pred :p ?x }",
            "FILTER NOT EXISTS { ?pred :p ?x }",
            "FILTER(?pred = \"\" || EXISTS { ?obs :p ?x })",
            "{ SELECT ?obs ?x { ?obs :p ?x } }",
            "?obs ?p ?x BIND(STR(?x) AS ?y)",
        ] {
            assert!(sees_given(group), "{group}");
        }
    }

    #[test]
    fn what_may_be_said_of_other_nodes_is_not() {
        for group in [
            "?x :p ?obs",
            "?obs :p ?x . ?x :q 3",
            "?obs :p/:q ?x",
            "?obs :p [ :q 3 ]",
            "FILTER NOT EXISTS { ?other :p ?obs }",
            "{ SELECT ?x { ?obs :p ?x } }",
            "{ ?pred :p ?x OPTIONAL { ?obs :p ?x } }",
            "{ ?pred :p ?x MINUS { ?obs :p ?x } }",
            "{ ?pred :p ?x FILTER NOT EXISTS { ?obs :p ?x } }",
            "{ SELECT ?obs (COUNT(*) AS ?n) { ?obs :p ?x } GROUP BY ?obs }",
            "GRAPH ?g { ?obs :p ?x }",
            "?obs :p ?x FILTER(RAND() > 0.5)",
        ] {
            assert!(!sees_given(group), "{group}");
        }
        assert!(!looks_at(
            &pattern("?obs :p ?x VALUES ?pred { UNDEF } ?pred :p ?y OPTIONAL { ?o :p 1 }"),
            &["obs", "pred"]
        ));
    }
}
