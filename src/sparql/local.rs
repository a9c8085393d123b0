//! Whether the rows of a query about a node follow from the triples of that node alone.
//!
//! A pattern is *anchored* at a variable if each of its rows binds it to a node, and follows from triples whose subject is
//! that node, and from nothing else. The rows of such a pattern over many nodes are those over some of the nodes and those
//! over the others; so what is new can be asked about what is new.

use std::collections::BTreeSet;

use spargebra::algebra::{Expression, Function, GraphPattern};
use spargebra::term::{TermPattern, Variable};

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
            only_if(sees_it && expression.as_ref().is_none_or(|test| is_local(test, &left)), left)
        }
        GraphPattern::Minus { left, right } => {
            let left = anchors(left);
            only_if(is_free(right) || !left.is_disjoint(&anchors(right)), left)
        }
        GraphPattern::Union { left, right } => &anchors(left) & &anchors(right),
        GraphPattern::Filter { expr, inner } => {
            let inner = anchors(inner);
            only_if(is_local(expr, &inner), inner)
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
            only_if(is_local(expression, &inner), inner)
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
        GraphPattern::Extend { inner, expression, .. } => is_free(inner) && is_local(expression, &Anchors::new()),
        _ => false,
    }
}

/// Tells whether an expression has the same value each time that its variables have the same, and looks at the triples of
/// anchors only.
fn is_local(expression: &Expression, of: &Anchors<'_>) -> bool {
    let all = |list: &[Expression]| list.iter().all(|part| is_local(part, of));
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
        | Expression::Divide(a, b) => is_local(a, of) && is_local(b, of),
        Expression::UnaryPlus(a) | Expression::UnaryMinus(a) | Expression::Not(a) => is_local(a, of),
        Expression::In(a, list) => is_local(a, of) && all(list),
        Expression::If(a, b, c) => is_local(a, of) && is_local(b, of) && is_local(c, of),
        Expression::Coalesce(list) => all(list),
        Expression::Exists(pattern) => !of.is_disjoint(&anchors(pattern)),
        Expression::FunctionCall(function, arguments) => {
            let varies = matches!(
                function,
                Function::Rand | Function::Now | Function::Uuid | Function::StrUuid | Function::BNode
            );
            !varies && all(arguments)
        }
    }
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
}
