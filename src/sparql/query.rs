//! A query: parsed once, evaluated as often as needed.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use oxrdf::Variable;
use spareval::{QueryEvaluationError, QueryEvaluator, QueryResults};
use spargebra::SparqlParser;
use spargebra::algebra::GraphPattern;
use spargebra::term::GroundTerm;

use super::algebra::Needs;
use super::dataset::Dataset;
use super::evaluate::Sight;
use super::limits::{Limits, watch};
use super::template::Template;
use super::{convert, fault, functions, local, scan};
use crate::error::{Error, Result};
use crate::rdf::{self, Graph, Term};

/// The prefixes that need no declaration, as in the Python kTBS.
const PREFIXES: [(&str, &str); 23] = [
    ("csvw", "http://www.w3.org/ns/csvw#"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("dcat", "http://www.w3.org/ns/dcat#"),
    ("dcmitype", "http://purl.org/dc/dcmitype/"),
    ("dcterms", "http://purl.org/dc/terms/"),
    ("doap", "http://usefulinc.com/ns/doap#"),
    ("foaf", "http://xmlns.com/foaf/0.1/"),
    ("odrl", "http://www.w3.org/ns/odrl/2/"),
    ("org", "http://www.w3.org/ns/org#"),
    ("owl", "http://www.w3.org/2002/07/owl#"),
    ("prof", "http://www.w3.org/ns/dx/prof/"),
    ("prov", "http://www.w3.org/ns/prov#"),
    ("qb", "http://purl.org/linked-data/cube#"),
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
    ("sh", "http://www.w3.org/ns/shacl#"),
    ("skos", "http://www.w3.org/2004/02/skos/core#"),
    ("sosa", "http://www.w3.org/ns/sosa/"),
    ("ssn", "http://www.w3.org/ns/ssn/"),
    ("time", "http://www.w3.org/2006/time#"),
    ("vann", "http://purl.org/vocab/vann/"),
    ("void", "http://rdfs.org/ns/void#"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
];

static PARSER: LazyLock<SparqlParser> = LazyLock::new(|| {
    PREFIXES.iter().fold(SparqlParser::new(), |parser, (prefix, iri)| {
        parser.with_prefix(*prefix, *iri).expect("these IRIs are absolute")
    })
});

/// What a text of SPARQL is read with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The IRI to which relative ones are resolved; without it, they are errors.
    pub base: Option<&'a str>,
    /// Prefixes that need no declaration, besides the well-known ones.
    pub prefixes: &'a [(&'a str, &'a str)],
}

impl Context<'_> {
    /// Returns a parser, once a text is within limits.
    pub(super) fn parser(self, text: &str, limits: &Limits) -> Result<SparqlParser> {
        scan::check(text, limits)?;
        let bad = |iri: &str, error| Error::Parse(format!("<{iri}> is no absolute IRI: {error}"));
        let mut parser = PARSER.clone();
        for (prefix, iri) in self.prefixes {
            parser = parser.with_prefix(*prefix, *iri).map_err(|e| bad(iri, e))?;
        }
        if let Some(base) = self.base {
            parser = parser.with_base_iri(base).map_err(|e| bad(base, e))?;
        }
        Ok(parser)
    }
}

/// The form of a query (SPARQL 1.1 Query Language, section 16).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// Gives rows.
    Select,
    /// Gives yes or no.
    Ask,
    /// Gives a graph, from a template.
    Construct,
    /// Gives a graph, about nodes.
    Describe,
}

/// A query, ready to be evaluated over any [`Dataset`].
///
/// It sees nothing else: `SERVICE`, `FROM` and `FROM NAMED` are refused.
#[derive(Clone)]
pub struct Query {
    algebra: spargebra::Query,
    /// Of a CONSTRUCT.
    template: Option<Template>,
    evaluator: QueryEvaluator,
    predicates: Option<Vec<String>>,
    named_graphs: bool,
    limits: Limits,
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query")
            .field("algebra", &self.algebra)
            .finish_non_exhaustive()
    }
}

impl Query {
    /// Parses a query, whose evaluations will each have these limits.
    ///
    /// # Errors
    /// `Parse`: the text is no query, or is too long, or too deep; `InvalidData`: it has something that is refused.
    pub fn parse(text: &str, context: Context<'_>, limits: &Limits) -> Result<Self> {
        let parser = context.parser(text, limits)?;
        let mut algebra = parser
            .parse_query(text)
            .map_err(|error| Error::Parse(fault::describe(text, &error.to_string())))?;
        if algebra.dataset().is_some() {
            return Err(Error::invalid(
                "FROM and FROM NAMED are refused: the data is that of the resource",
            ));
        }
        let mut needs = Needs::default();
        needs.visit(pattern_mut(&mut algebra))?;
        if form(&algebra) == Form::Describe {
            needs.predicates = None;
        }
        Ok(Self {
            template: Template::of(&algebra),
            algebra,
            evaluator: functions::evaluator(&needs.separators, needs.unknown),
            predicates: needs
                .predicates
                .map(|predicates: BTreeSet<String>| predicates.into_iter().collect()),
            named_graphs: needs.named_graphs,
            limits: limits.clone(),
        })
    }

    /// Returns the form of the query.
    pub fn form(&self) -> Form {
        form(&self.algebra)
    }

    /// Returns the IRIs of the predicates of all the triples that the query may use, sorted; `None`: of any predicate.
    pub fn predicates(&self) -> Option<&[String]> {
        self.predicates.as_deref()
    }

    /// Tells whether the query has `GRAPH`.
    pub fn has_graph(&self) -> bool {
        self.named_graphs
    }

    /// Returns the names of the variables of a SELECT, in order; empty for another form.
    pub fn variables(&self) -> Vec<String> {
        let mut pattern = match &self.algebra {
            spargebra::Query::Select { pattern, .. } => pattern,
            _ => return Vec::new(),
        };
        loop {
            match pattern {
                GraphPattern::Project { variables, .. } => {
                    return variables.iter().map(|variable| variable.as_str().to_owned()).collect();
                }
                GraphPattern::Distinct { inner }
                | GraphPattern::Reduced { inner }
                | GraphPattern::Slice { inner, .. } => {
                    pattern = inner;
                }
                _ => return Vec::new(),
            }
        }
    }

    /// Tells whether each row of a SELECT binds a variable to a node, and follows from the triples of that node alone; so that
    /// the rows about some nodes are those that the query gives over the triples of these nodes. A query may be so and this
    /// not see it.
    pub fn is_about(&self, variable: &str) -> bool {
        self.form() == Form::Select && !self.named_graphs && local::is_anchored(self.pattern(), variable)
    }

    /// Tells whether the query looks only at triples whose subjects are the values of some variables, which a `VALUES`
    /// gives. A query may be so and this not see it.
    pub fn depends_on_subjects(&self, variables: &[&str]) -> bool {
        !self.named_graphs && local::looks_at(self.pattern(), variables)
    }

    /// Tells whether a SELECT says in which order its rows come.
    pub fn is_ordered(&self) -> bool {
        local::is_ordered(self.pattern())
    }

    /// Forgets in which order rows come, here and in the queries inside: for a query that [is about](Query::is_about) nodes,
    /// whose rows do not depend on it.
    pub fn unsort(&mut self) {
        local::unsort(pattern_mut(&mut self.algebra));
    }

    fn pattern(&self) -> &GraphPattern {
        match &self.algebra {
            spargebra::Query::Select { pattern, .. }
            | spargebra::Query::Ask { pattern, .. }
            | spargebra::Query::Construct { pattern, .. }
            | spargebra::Query::Describe { pattern, .. } => pattern,
        }
    }

    /// Puts rows in the empty `VALUES (?v ?w …) {}` that has exactly these variables, wherever it is in the query; the
    /// rows that were put there before go. `None` is an unbound variable. So a query parsed once is asked about ever
    /// other nodes, and is planned knowing that they are few.
    ///
    /// # Errors
    /// `Internal`: there is no such place, a row has not as many terms as there are variables, or a term is a blank node.
    pub fn fill(&mut self, variables: &[&str], rows: &[&[Option<&Term>]]) -> Result<()> {
        let mut bindings = Vec::with_capacity(rows.len());
        for row in rows {
            if row.len() != variables.len() {
                return Err(Error::Internal(format!(
                    "{} terms for {} variables",
                    row.len(),
                    variables.len()
                )));
            }
            let ground = |term: &Option<&Term>| term.map(ground).transpose();
            bindings.push(row.iter().map(ground).collect::<Result<Vec<_>>>()?);
        }
        if put(pattern_mut(&mut self.algebra), variables, &mut bindings) {
            self.template = Template::of(&self.algebra);
            Ok(())
        } else {
            Err(Error::Internal(format!("the query has no VALUES of {variables:?}")))
        }
    }

    /// Evaluates an ASK.
    ///
    /// # Errors
    /// `Timeout`, `TooComplex`: beyond a limit; `Internal`: the query is no ASK.
    pub fn ask(&self, dataset: &Dataset) -> Result<bool> {
        watch(&self.limits, || match self.evaluate(dataset)? {
            QueryResults::Boolean(answer) => Ok(answer),
            _ => Err(self.is_no("ASK")),
        })
    }

    /// Evaluates a SELECT, and calls a function with each row: a term or nothing for each of [`Query::variables`].
    ///
    /// # Errors
    /// `Timeout`, `TooComplex`: beyond a limit; `Internal`: the query is no SELECT; those of the function.
    pub fn select(&self, dataset: &Dataset, each: &mut dyn FnMut(Vec<Option<Term>>) -> Result<()>) -> Result<()> {
        watch(&self.limits, || {
            let QueryResults::Solutions(solutions) = self.evaluate(dataset)? else {
                return Err(self.is_no("SELECT"));
            };
            for solution in solutions {
                let solution = solution.map_err(failure)?;
                let row = solution.values().iter();
                each(row.map(|term| term.as_ref().map(convert::from_oxrdf)).collect())?;
            }
            Ok(())
        })
    }

    /// Evaluates a CONSTRUCT or a DESCRIBE. What would be no triple is left out.
    ///
    /// # Errors
    /// `Timeout`, `TooComplex`: beyond a limit; `Internal`: the query gives no graph.
    pub fn construct(&self, dataset: &Dataset) -> Result<Graph> {
        watch(&self.limits, || match &self.template {
            Some(template) => {
                let QueryResults::Solutions(rows) = self.evaluated(&template.rows, dataset)? else {
                    return Err(self.is_no("CONSTRUCT"));
                };
                let mut filler = template.start();
                for row in rows {
                    filler.add(&row.map_err(failure)?);
                }
                Ok(filler.finish())
            }
            None => {
                let QueryResults::Graph(triples) = self.evaluate(dataset)? else {
                    return Err(self.is_no("CONSTRUCT"));
                };
                let mut graph = Graph::new();
                for triple in triples {
                    let triple = triple.map_err(failure)?;
                    let subject = convert::from_node(&triple.subject);
                    let object = convert::from_oxrdf(&triple.object);
                    graph.insert(&subject, &rdf::iri(triple.predicate.as_str()), &object);
                }
                Ok(graph)
            }
        })
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn evaluate<'d>(&self, dataset: &'d Dataset) -> Result<QueryResults<'d>> {
        self.evaluated(&self.algebra, dataset)
    }

    fn evaluated<'d>(&self, algebra: &spargebra::Query, dataset: &'d Dataset) -> Result<QueryResults<'d>> {
        self.evaluator
            .prepare(algebra)
            .execute(Sight::new(dataset))
            .map_err(failure)
    }

    fn is_no(&self, expected: &str) -> Error {
        Error::Internal(format!("{expected} expected, this is {:?}", self.form()))
    }
}

fn form(algebra: &spargebra::Query) -> Form {
    match algebra {
        spargebra::Query::Select { .. } => Form::Select,
        spargebra::Query::Ask { .. } => Form::Ask,
        spargebra::Query::Construct { .. } => Form::Construct,
        spargebra::Query::Describe { .. } => Form::Describe,
    }
}

fn pattern_mut(algebra: &mut spargebra::Query) -> &mut GraphPattern {
    match algebra {
        spargebra::Query::Select { pattern, .. }
        | spargebra::Query::Ask { pattern, .. }
        | spargebra::Query::Construct { pattern, .. }
        | spargebra::Query::Describe { pattern, .. } => pattern,
    }
}

/// Brings an error of the evaluator to the domain. Its dataset has none, and there is no service: what is left is what
/// the query itself asks in vain.
pub(super) fn failure(error: QueryEvaluationError) -> Error {
    match error {
        QueryEvaluationError::UnsupportedCustomFunctionArity { .. } => Error::Parse(error.to_string()),
        error => Error::Internal(error.to_string()),
    }
}

fn ground(term: &Term) -> Result<GroundTerm> {
    match convert::to_oxrdf(term) {
        Some(oxrdf::Term::NamedNode(node)) => Ok(GroundTerm::NamedNode(node)),
        Some(oxrdf::Term::Literal(literal)) => Ok(GroundTerm::Literal(literal)),
        _ => Err(Error::Internal(format!("{term:?} cannot be a value"))),
    }
}

type Rows = Vec<Vec<Option<GroundTerm>>>;

/// Puts rows in the first table of variables that can take them; tells whether there is one.
fn put(pattern: &mut GraphPattern, names: &[&str], rows: &mut Rows) -> bool {
    match pattern {
        GraphPattern::Values { variables, bindings } => {
            let fits = variables.iter().map(Variable::as_str).eq(names.iter().copied());
            if fits {
                *bindings = std::mem::take(rows);
            }
            fits
        }
        GraphPattern::Join { left, right }
        | GraphPattern::Lateral { left, right }
        | GraphPattern::LeftJoin { left, right, .. }
        | GraphPattern::Union { left, right }
        | GraphPattern::Minus { left, right } => put(left, names, rows) || put(right, names, rows),
        GraphPattern::Filter { inner, .. }
        | GraphPattern::Graph { inner, .. }
        | GraphPattern::Extend { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. }
        | GraphPattern::Group { inner, .. }
        | GraphPattern::Service { inner, .. } => put(inner, names, rows),
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } => false,
    }
}
