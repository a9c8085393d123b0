//! What a parsed query asks for, and what is put in the place of some of its parts before it is evaluated.

use std::collections::BTreeSet;
use std::mem;

use oxrdf::{Literal, NamedNode, Variable};
use spargebra::algebra::{
    AggregateExpression, AggregateFunction, Expression, Function, GraphPattern, OrderExpression, PropertyPathExpression,
};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

use super::{aggregates, functions};
use crate::error::{Error, Result};
use crate::vocab::XSD;

/// How much planning a query may need: the sum, over the groups of patterns that are joined with each other, of the cube
/// of their number. A group of 100 patterns takes about two seconds to plan.
const PLANNING: u64 = 1_000_000;

/// The local names of the types to which a function of the same name converts.
const CASTS: [&str; 12] = [
    "boolean",
    "date",
    "dateTime",
    "dayTimeDuration",
    "decimal",
    "double",
    "duration",
    "float",
    "integer",
    "string",
    "time",
    "yearMonthDuration",
];

/// What a query asks for.
///
/// While it is found out,
/// * functions without a bound are replaced, see [`functions`], and aggregates, see [`aggregates`];
/// * each row is made to hold at least one term, in a variable that nobody sees: rows that hold none, of which a product
///   of many `{ } UNION { }` makes billions, would be handled without the limits being looked at.
#[derive(Debug)]
pub(super) struct Needs {
    /// The predicates without which the query sees no triple; `None`: it may see all.
    pub(super) predicates: Option<BTreeSet<String>>,
    /// Whether it has `GRAPH`.
    pub(super) named_graphs: bool,
    /// The functions that nobody knows.
    pub(super) unknown: BTreeSet<NamedNode>,
    /// The separators of GROUP_CONCAT.
    pub(super) separators: Vec<String>,
    planning: u64,
    hidden: usize,
}

impl Default for Needs {
    fn default() -> Self {
        Self {
            predicates: Some(BTreeSet::new()),
            named_graphs: false,
            unknown: BTreeSet::new(),
            separators: Vec::new(),
            planning: 0,
            hidden: 0,
        }
    }
}

impl Needs {
    /// Visits the pattern of a query.
    ///
    /// # Errors
    /// `InvalidData`: it has `SERVICE`; `Parse`: it joins too many patterns.
    pub(super) fn visit(&mut self, pattern: &mut GraphPattern) -> Result<()> {
        // The variables of the outermost projection are what the client sees.
        match pattern {
            GraphPattern::Project { inner, .. } => self.whole(inner),
            GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } | GraphPattern::Slice { inner, .. } => {
                self.visit(inner)
            }
            pattern => self.whole(pattern),
        }
    }

    /// Visits a pattern that is planned by itself.
    fn whole(&mut self, pattern: &mut GraphPattern) -> Result<()> {
        let mut width = 0;
        self.pattern(pattern, &mut width)?;
        self.planning = self.planning.saturating_add(width * width * width);
        if self.planning > PLANNING {
            return Err(Error::Parse("the query joins too many patterns".to_owned()));
        }
        Ok(())
    }

    /// Visits a pattern that is joined with others, and adds to `width` how many it is made of.
    fn pattern(&mut self, pattern: &mut GraphPattern, width: &mut u64) -> Result<()> {
        match pattern {
            GraphPattern::Bgp { patterns } => {
                *width += patterns.len() as u64;
                for triple in patterns.iter() {
                    self.triple(triple);
                }
                if !patterns.iter().any(is_open) {
                    self.mark(pattern);
                }
            }
            GraphPattern::Path { subject, path, object } => {
                *width += self.path(path);
                if is_ground(subject) && is_ground(object) {
                    self.mark(pattern);
                }
            }
            GraphPattern::Values { bindings, .. } => {
                *width += 1;
                if bindings.iter().any(|row| row.iter().all(Option::is_none)) {
                    self.mark(pattern);
                }
            }
            GraphPattern::Join { left, right }
            | GraphPattern::Minus { left, right }
            | GraphPattern::Lateral { left, right } => {
                self.pattern(left, width)?;
                self.pattern(right, width)?;
            }
            GraphPattern::LeftJoin {
                left,
                right,
                expression,
            } => {
                self.pattern(left, width)?;
                self.pattern(right, width)?;
                if let Some(expression) = expression {
                    self.expression(expression)?;
                }
            }
            GraphPattern::Filter { expr, inner } => {
                self.expression(expr)?;
                self.pattern(inner, width)?;
            }
            GraphPattern::Union { left, right } => {
                *width += 1;
                // The branches of a chain are side by side, whatever the tree looks like.
                for branch in [left, right] {
                    match &mut **branch {
                        union @ GraphPattern::Union { .. } => self.pattern(union, &mut 0)?,
                        branch => self.whole(branch)?,
                    }
                }
            }
            GraphPattern::Graph { inner, .. } => {
                self.named_graphs = true;
                self.pattern(inner, width)?;
                if surely_bound(pattern).is_empty() {
                    self.mark(pattern);
                }
            }
            GraphPattern::Extend { inner, expression, .. } => {
                self.expression(expression)?;
                self.pattern(inner, width)?;
            }
            GraphPattern::OrderBy { inner, expression } => {
                for by in expression {
                    let (OrderExpression::Asc(by) | OrderExpression::Desc(by)) = by;
                    self.expression(by)?;
                }
                self.pattern(inner, width)?;
            }
            GraphPattern::Project { inner, .. } => {
                *width += 1;
                self.whole(inner)?;
                if surely_bound(pattern).is_empty()
                    && let GraphPattern::Project { inner, variables } = pattern
                {
                    variables.push(self.mark(inner));
                }
            }
            GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } | GraphPattern::Slice { inner, .. } => {
                self.pattern(inner, width)?;
            }
            GraphPattern::Group { inner, aggregates, .. } => {
                *width += 1;
                let hidden = self.hidden;
                self.whole(inner)?;
                let rows_count = AggregateExpression::CountSolutions { distinct: true };
                if self.hidden > hidden && aggregates.iter().any(|(_, aggregate)| *aggregate == rows_count) {
                    // What nobody sees must not make two rows different.
                    show_only_own(inner);
                }
                let bound: BTreeSet<Variable> = surely_bound(inner).into_iter().cloned().collect();
                for (_, aggregate) in aggregates.iter_mut() {
                    if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                        self.expression(expr)?;
                    }
                }
                aggregates::skip_unbound(pattern, &|variable| bound.contains(variable), &mut || self.fresh());
                self.name_separators(pattern);
            }
            GraphPattern::Service { name, .. } => {
                return Err(Error::invalid(format!(
                    "SERVICE {name} is refused: queries do not leave this server"
                )));
            }
        }
        Ok(())
    }

    /// Adds a variable that nobody sees to each row of a pattern.
    fn mark(&mut self, pattern: &mut GraphPattern) -> Variable {
        let variable = self.fresh();
        let inner = mem::replace(pattern, GraphPattern::Bgp { patterns: Vec::new() });
        *pattern = GraphPattern::Extend {
            inner: Box::new(inner),
            variable: variable.clone(),
            expression: Expression::Literal(Literal::from(true)),
        };
        variable
    }

    /// Puts our own function in the place of each GROUP_CONCAT of a group, below what extends it.
    fn name_separators(&mut self, pattern: &mut GraphPattern) {
        let aggregates = match pattern {
            GraphPattern::Extend { inner, .. } => return self.name_separators(inner),
            GraphPattern::Group { aggregates, .. } => aggregates,
            _ => return,
        };
        for (_, aggregate) in aggregates {
            if let AggregateExpression::FunctionCall { name, .. } = aggregate
                && let AggregateFunction::GroupConcat { separator } = name
            {
                let separator = separator.take().unwrap_or_else(|| " ".to_owned());
                *name = AggregateFunction::Custom(functions::group_concat(self.separators.len()));
                self.separators.push(separator);
            }
        }
    }

    /// Returns a variable that nobody sees.
    fn fresh(&mut self) -> Variable {
        let variable = Variable::new_unchecked(format!("{HIDDEN}{}", self.hidden));
        self.hidden += 1;
        variable
    }

    fn expression(&mut self, expression: &mut Expression) -> Result<()> {
        match expression {
            Expression::NamedNode(_) | Expression::Literal(_) | Expression::Variable(_) | Expression::Bound(_) => {}
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
            | Expression::Divide(a, b) => {
                self.expression(a)?;
                self.expression(b)?;
            }
            Expression::UnaryPlus(a) | Expression::UnaryMinus(a) | Expression::Not(a) => self.expression(a)?,
            Expression::In(a, list) => {
                self.expression(a)?;
                self.expressions(list)?;
            }
            Expression::If(a, b, c) => {
                for part in [a, b, c] {
                    self.expression(part)?;
                }
            }
            Expression::Coalesce(list) => self.expressions(list)?,
            Expression::Exists(pattern) => self.whole(pattern)?,
            Expression::FunctionCall(function, arguments) => {
                self.expressions(arguments)?;
                match function {
                    Function::Concat => *expression = concat(mem::take(arguments)),
                    Function::Regex => *function = Function::Custom(NamedNode::new_unchecked(functions::REGEX)),
                    Function::Replace => *function = Function::Custom(NamedNode::new_unchecked(functions::REPLACE)),
                    Function::Custom(name) if !is_cast(name) => {
                        self.unknown.insert(name.clone());
                        arguments.clear();
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn expressions(&mut self, expressions: &mut [Expression]) -> Result<()> {
        expressions
            .iter_mut()
            .try_for_each(|expression| self.expression(expression))
    }

    fn triple(&mut self, triple: &TriplePattern) {
        match &triple.predicate {
            NamedNodePattern::NamedNode(predicate) => self.needs(predicate),
            NamedNodePattern::Variable(_) => self.predicates = None,
        }
    }

    /// Notes what a path needs, and returns how many patterns it is worth.
    fn path(&mut self, path: &PropertyPathExpression) -> u64 {
        match path {
            PropertyPathExpression::NamedNode(predicate) => {
                self.needs(predicate);
                1
            }
            PropertyPathExpression::Reverse(path) | PropertyPathExpression::OneOrMore(path) => self.path(path),
            PropertyPathExpression::Sequence(a, b) | PropertyPathExpression::Alternative(a, b) => {
                self.path(a) + self.path(b)
            }
            // A path of length zero is from each node of the graph to itself.
            PropertyPathExpression::ZeroOrMore(path) | PropertyPathExpression::ZeroOrOne(path) => {
                self.predicates = None;
                self.path(path)
            }
            PropertyPathExpression::NegatedPropertySet(_) => {
                self.predicates = None;
                1
            }
        }
    }

    fn needs(&mut self, predicate: &NamedNode) {
        if let Some(predicates) = &mut self.predicates {
            predicates.insert(predicate.as_str().to_owned());
        }
    }
}

/// What the names of the variables that nobody sees start with; no query can name them.
const HIDDEN: &str = "hidden ";

/// Returns CONCAT as a balanced tree of calls that have two arguments: these are all evaluated before the call.
fn concat(mut arguments: Vec<Expression>) -> Expression {
    match arguments.len() {
        0 => Expression::Literal(Literal::new_simple_literal("")),
        1 | 2 => {
            let function = Function::Custom(NamedNode::new_unchecked(functions::CONCAT));
            Expression::FunctionCall(function, arguments)
        }
        len => {
            let right = arguments.split_off(len / 2);
            concat(vec![concat(arguments), concat(right)])
        }
    }
}

fn is_cast(name: &NamedNode) -> bool {
    name.as_str()
        .strip_prefix(XSD)
        .is_some_and(|local| CASTS.contains(&local))
}

/// Tells whether a pattern of a triple binds something, be it a blank node.
fn is_open(triple: &TriplePattern) -> bool {
    matches!(triple.predicate, NamedNodePattern::Variable(_))
        || !is_ground(&triple.subject)
        || !is_ground(&triple.object)
}

fn is_ground(term: &TermPattern) -> bool {
    match term {
        TermPattern::NamedNode(_) | TermPattern::Literal(_) => true,
        TermPattern::BlankNode(_) | TermPattern::Variable(_) => false,
        TermPattern::Triple(triple) => !is_open(triple),
    }
}

/// Hides the variables that nobody sees.
fn show_only_own(pattern: &mut GraphPattern) {
    let mut variables = BTreeSet::new();
    pattern.on_in_scope_variable(|variable| {
        if !variable.as_str().starts_with(HIDDEN) {
            variables.insert(variable.clone());
        }
    });
    let inner = mem::replace(pattern, GraphPattern::Bgp { patterns: Vec::new() });
    *pattern = GraphPattern::Project {
        inner: Box::new(inner),
        variables: variables.into_iter().collect(),
    };
}

/// Returns variables that all rows of a pattern bind; maybe not all.
fn surely_bound(pattern: &GraphPattern) -> BTreeSet<&Variable> {
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } => {
            let mut variables = BTreeSet::new();
            pattern.on_in_scope_variable(|variable| {
                variables.insert(variable);
            });
            variables
        }
        GraphPattern::Values { variables, bindings } => {
            let bound = |i: usize| bindings.iter().all(|row| row.get(i).is_some_and(Option::is_some));
            let bound = variables.iter().enumerate().filter(|(i, _)| bound(*i));
            bound.map(|(_, variable)| variable).collect()
        }
        GraphPattern::Join { left, right } | GraphPattern::Lateral { left, right } => {
            &surely_bound(left) | &surely_bound(right)
        }
        GraphPattern::Union { left, right } => &surely_bound(left) & &surely_bound(right),
        GraphPattern::LeftJoin { left: inner, .. }
        | GraphPattern::Minus { left: inner, .. }
        | GraphPattern::Filter { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. } => surely_bound(inner),
        GraphPattern::Extend {
            inner,
            variable,
            expression,
        } => {
            let mut variables = surely_bound(inner);
            if matches!(expression, Expression::Literal(_) | Expression::NamedNode(_)) {
                variables.insert(variable);
            }
            variables
        }
        GraphPattern::Graph { name, inner } => {
            let mut variables = surely_bound(inner);
            if let NamedNodePattern::Variable(name) = name {
                variables.insert(name);
            }
            variables
        }
        GraphPattern::Project { inner, variables } => {
            let inner = surely_bound(inner);
            variables.iter().filter(|variable| inner.contains(variable)).collect()
        }
        GraphPattern::Group { inner, variables, .. } => {
            let inner = surely_bound(inner);
            variables.iter().filter(|variable| inner.contains(variable)).collect()
        }
        GraphPattern::Service { .. } => BTreeSet::new(),
    }
}
