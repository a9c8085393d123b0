//! Aggregates of a variable that is unbound in some rows leave these rows out.
//!
//! `SUM(?x)` over `OPTIONAL { … ?x }` has a value in the Python kTBS, and queries rely on it. The evaluator takes
//! an unbound variable for an error, which spoils the whole aggregate, as an expression that fails does. (SPARQL 1.1
//! Query Language, section 18.5.1, does not settle it.)

use std::mem;

use oxrdf::{Literal, NamedNode, Variable};
use spargebra::algebra::{AggregateExpression, AggregateFunction, Expression, Function, GraphPattern};

/// The name of what stands for an unbound variable.
pub(super) const NOTHING: &str = "";

/// Replaces the aggregates of a group, given a supply of variables that nobody sees; `is_bound` tells whether a variable
/// is bound in all the rows.
pub(super) fn skip_unbound(
    group: &mut GraphPattern,
    is_bound: &dyn Fn(&Variable) -> bool,
    hidden: &mut dyn FnMut() -> Variable,
) {
    let GraphPattern::Group { aggregates, .. } = group else {
        return;
    };
    let mut values = Vec::new();
    let mut added = Vec::new();
    for (result, aggregate) in aggregates.iter_mut() {
        let AggregateExpression::FunctionCall { name, expr, distinct } = aggregate else {
            continue;
        };
        let Expression::Variable(variable) = expr else {
            continue;
        };
        if is_bound(variable) {
            continue;
        }
        let variable = variable.clone();
        match name {
            // Nothing is added for them.
            AggregateFunction::Sum => *expr = or(&variable, integer(0)),
            AggregateFunction::GroupConcat { .. } => *expr = or(&variable, nothing()),
            AggregateFunction::Avg => {
                let (sum, count) = (hidden(), hidden());
                added.push((
                    count.clone(),
                    AggregateExpression::FunctionCall {
                        name: AggregateFunction::Count,
                        expr: expr.clone(),
                        distinct: *distinct,
                    },
                ));
                *name = AggregateFunction::Sum;
                *expr = or(&variable, integer(0));
                let average = mem::replace(result, sum.clone());
                let is_none = Expression::Equal(Box::new(count.clone().into()), Box::new(integer(0)));
                let quotient = Expression::Divide(Box::new(sum.into()), Box::new(count.into()));
                values.push((average, either(is_none, integer(0), quotient)));
            }
            // What stands for them is above, or below, all others.
            AggregateFunction::Min => {
                let least = hidden();
                let above = Expression::FunctionCall(Function::Triple, vec![nothing(), nothing(), nothing()]);
                *expr = or(&variable, above);
                let asked = mem::replace(result, least.clone());
                let is_none = Expression::FunctionCall(Function::IsTriple, vec![least.clone().into()]);
                values.push((asked, either(is_none, hidden().into(), least.into())));
            }
            AggregateFunction::Max => {
                let most = hidden();
                *expr = or(&variable, nothing());
                let asked = mem::replace(result, most.clone());
                let is_none = Expression::SameTerm(Box::new(most.clone().into()), Box::new(nothing()));
                values.push((asked, either(is_none, hidden().into(), most.into())));
            }
            // These leave them out already.
            AggregateFunction::Count | AggregateFunction::Sample | AggregateFunction::Custom(_) => {}
        }
    }
    aggregates.append(&mut added);
    for (variable, expression) in values {
        let inner = mem::replace(group, GraphPattern::Bgp { patterns: Vec::new() });
        *group = GraphPattern::Extend {
            inner: Box::new(inner),
            variable,
            expression,
        };
    }
}

fn or(variable: &Variable, otherwise: Expression) -> Expression {
    either(Expression::Bound(variable.clone()), variable.clone().into(), otherwise)
}

fn either(condition: Expression, a: Expression, b: Expression) -> Expression {
    Expression::If(Box::new(condition), Box::new(a), Box::new(b))
}

fn integer(value: i64) -> Expression {
    Expression::Literal(Literal::from(value))
}

fn nothing() -> Expression {
    Expression::NamedNode(NamedNode::new_unchecked(NOTHING))
}
