//! Whether a query that is asked about given nodes looks at the triples of other nodes.

use std::collections::BTreeSet;

use spargebra::algebra::{Expression, Function, GraphPattern};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern, Variable};

/// Names of variables.
type Names<'a> = BTreeSet<&'a str>;

/// Tells whether all the triples that decide of a pattern have as subjects the nodes to which a table of the variables of
/// these names binds them, in the outermost group.
pub(super) fn is_confined(pattern: &GraphPattern, names: &[&str]) -> bool {
    looks_at(pattern, &names.iter().copied().collect())
}

/// Tells whether a pattern looks only at the triples of the nodes of these variables, given that each of its rows that
/// binds one of them to another node is dropped afterwards. The same name below a projection that hides it is that of
/// another variable.
fn looks_at(pattern: &GraphPattern, names: &Names<'_>) -> bool {
    match pattern {
        GraphPattern::Bgp { patterns } => patterns.iter().all(
            |triple| matches!(&triple.subject, TermPattern::Variable(variable) if names.contains(variable.as_str())),
        ),
        GraphPattern::Values { .. } => true,
        GraphPattern::Join { left, right } | GraphPattern::Union { left, right } => {
            looks_at(left, names) && looks_at(right, names)
        }
        // What is optional, or forbidden, may hold for another node where nothing has bound the variable yet.
        GraphPattern::LeftJoin {
            left,
            right,
            expression,
        } => {
            let bound = &bound(left) & names;
            let of_expression = expression.as_ref().is_none_or(|test| asks_about(test, &bound));
            looks_at(left, names) && looks_at(right, &bound) && of_expression
        }
        GraphPattern::Filter { expr, inner } => looks_at(inner, names) && asks_about(expr, &(&bound(inner) & names)),
        GraphPattern::Extend { inner, expression, .. } => {
            looks_at(inner, names) && asks_about(expression, &(&bound(inner) & names))
        }
        GraphPattern::Project { inner, variables } => {
            let visible: Names<'_> = variables.iter().map(Variable::as_str).collect();
            // A query projects its outermost group too, which shows nothing of an ASK.
            looks_at(inner, &(&visible & names))
        }
        GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } | GraphPattern::OrderBy { inner, .. } => {
            looks_at(inner, names)
        }
        GraphPattern::Path { .. }
        | GraphPattern::Minus { .. }
        | GraphPattern::Lateral { .. }
        | GraphPattern::Graph { .. }
        | GraphPattern::Slice { .. }
        | GraphPattern::Group { .. }
        | GraphPattern::Service { .. } => false,
    }
}

/// Tells whether an expression has the same value each time, and looks only at the triples of the nodes of variables that
/// are bound.
fn asks_about(expression: &Expression, bound: &Names<'_>) -> bool {
    let all = |list: &[Expression]| list.iter().all(|part| asks_about(part, bound));
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
        | Expression::Divide(a, b) => asks_about(a, bound) && asks_about(b, bound),
        Expression::UnaryPlus(a) | Expression::UnaryMinus(a) | Expression::Not(a) => asks_about(a, bound),
        Expression::In(a, list) => asks_about(a, bound) && all(list),
        Expression::If(a, b, c) => asks_about(a, bound) && asks_about(b, bound) && asks_about(c, bound),
        Expression::Coalesce(list) => all(list),
        Expression::Exists(pattern) => looks_at(pattern, bound),
        Expression::FunctionCall(function, arguments) => {
            let varies = matches!(
                function,
                Function::Rand | Function::Now | Function::Uuid | Function::StrUuid | Function::BNode
            );
            !varies && all(arguments)
        }
    }
}

/// Returns variables that each row of a pattern binds; maybe not all.
fn bound(pattern: &GraphPattern) -> Names<'_> {
    match pattern {
        GraphPattern::Bgp { patterns } => patterns.iter().flat_map(of_triple).collect(),
        // The table of the given nodes is empty until it is filled, with rows that bind all its variables.
        GraphPattern::Values { variables, bindings } => (variables.iter().enumerate())
            .filter(|(column, _)| bindings.iter().all(|row| row[*column].is_some()))
            .map(|(_, variable)| variable.as_str())
            .collect(),
        GraphPattern::Join { left, right } => &bound(left) | &bound(right),
        GraphPattern::Union { left, right } => &bound(left) & &bound(right),
        GraphPattern::LeftJoin { left, .. } | GraphPattern::Minus { left, .. } => bound(left),
        GraphPattern::Project { inner, variables } => {
            let visible: Names<'_> = variables.iter().map(Variable::as_str).collect();
            &bound(inner) & &visible
        }
        GraphPattern::Filter { inner, .. }
        | GraphPattern::Extend { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. } => bound(inner),
        GraphPattern::Path { .. }
        | GraphPattern::Lateral { .. }
        | GraphPattern::Graph { .. }
        | GraphPattern::Group { .. }
        | GraphPattern::Service { .. } => Names::new(),
    }
}

fn of_triple(triple: &TriplePattern) -> Vec<&str> {
    let predicate = match &triple.predicate {
        NamedNodePattern::Variable(variable) => Some(variable),
        NamedNodePattern::NamedNode(_) => None,
    };
    let variables = [of_term(&triple.subject), predicate, of_term(&triple.object)];
    variables.into_iter().flatten().map(Variable::as_str).collect()
}

fn of_term(term: &TermPattern) -> Option<&Variable> {
    match term {
        TermPattern::Variable(variable) => Some(variable),
        _ => None,
    }
}

#[cfg(test)]
mod test {
    use spargebra::{Query, SparqlParser};

    use super::*;

    fn confined(group: &str) -> bool {
        let text = format!("PREFIX : <http://h/> ASK {{ VALUES (?o ?p) {{ }} {group} }}");
        match SparqlParser::new().parse_query(&text).expect("a query") {
            Query::Ask { pattern, .. } => is_confined(&pattern, &["o", "p"]),
            other => panic!("{other} is no ASK"),
        }
    }

    #[test]
    fn what_is_said_of_the_given_nodes_is_confined() {
        for group in [
            "",
            "?o :v ?x . ?p :v ?y FILTER(?x > ?y)",
            "FILTER(?p = \"\")",
            "?o ?q ?x BIND(?x + 1 AS ?y)",
            "?o :v ?x OPTIONAL { ?p :v ?y }",
            "{ ?o :v ?x } UNION { ?p :v ?x }",
            "FILTER NOT EXISTS { ?o :v ?x }",
            "?o :v ?x FILTER EXISTS { ?p :v ?x }",
            "{ SELECT ?o ?x { ?o :v ?x } }",
            "{ ?o :v ?x FILTER EXISTS { ?o :w ?x } }",
        ] {
            assert!(confined(group), "{group}");
        }
    }

    #[test]
    fn what_may_be_said_of_another_node_is_not() {
        for group in [
            "?x :v ?o",
            "?o :r ?x . ?x :v 1",
            "[] :v 1",
            ":a :v ?o",
            "?o :r/:v ?x",
            "?o :r+ ?x",
            "GRAPH ?g { ?o :v ?x }",
            "{ SELECT ?x { ?o :v ?x } }",
            "{ SELECT (COUNT(*) AS ?n) { ?o :v ?x } }",
            "{ SELECT ?o { ?o :v ?x } LIMIT 1 }",
            "MINUS { ?o :v 1 }",
            "{ ?o :v ?x OPTIONAL { ?p :v ?x } }",
            "{ ?o :v ?x FILTER EXISTS { ?p :v ?x } }",
            "FILTER EXISTS { ?x :v ?o }",
            "?o :v ?x FILTER(?x < RAND())",
        ] {
            assert!(!confined(group), "{group}");
        }
    }
}
