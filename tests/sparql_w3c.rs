//! The W3C's tests of SPARQL 1.0 and 1.1 queries, over our own datasets.
//!
//! `tests/w3c/sparql.json` has their files, as they are in <https://github.com/w3c/rdf-tests>; `tests/w3c/README.md` tells more.
//! Where `KTBS_W3C_SPARQL_TESTS` names a folder with another version of them, that one is run. Each test that does not pass is
//! in [`KNOWN`], with its reason; one that is there and passes is a failure too.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ktbs::error::Error;
use ktbs::rdf::{self, Graph, Term, as_iri, as_literal};
use ktbs::sparql::{Builder, Context, Form, Limits, Query, Syntax, write};
use sophia::api::parser::TripleParser;
use sophia::api::source::TripleSource;
use sophia::iri::Iri;
use sophia::isomorphism::isomorphic_graphs;
use sparesults::{QueryResultsFormat, QueryResultsParser, SliceQueryResultsParserOutput};

const MF: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#";
const QT: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#";
const RS: &str = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#";
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const RDFS: &str = "http://www.w3.org/2000/01/rdf-schema#";

/// The folders of tests of queries.
const FOLDERS: [&str; 44] = [
    "sparql10/algebra",
    "sparql10/ask",
    "sparql10/basic",
    "sparql10/bnode-coreference",
    "sparql10/boolean-effective-value",
    "sparql10/bound",
    "sparql10/cast",
    "sparql10/construct",
    "sparql10/dataset",
    "sparql10/distinct",
    "sparql10/expr-builtin",
    "sparql10/expr-equals",
    "sparql10/expr-ops",
    "sparql10/graph",
    "sparql10/i18n",
    "sparql10/open-world",
    "sparql10/optional",
    "sparql10/optional-filter",
    "sparql10/reduced",
    "sparql10/regex",
    "sparql10/solution-seq",
    "sparql10/sort",
    "sparql10/syntax-sparql1",
    "sparql10/syntax-sparql2",
    "sparql10/syntax-sparql3",
    "sparql10/syntax-sparql4",
    "sparql10/syntax-sparql5",
    "sparql10/triple-match",
    "sparql10/type-promotion",
    "sparql11/aggregates",
    "sparql11/bind",
    "sparql11/bindings",
    "sparql11/cast",
    "sparql11/construct",
    "sparql11/csv-tsv-res",
    "sparql11/exists",
    "sparql11/functions",
    "sparql11/grouping",
    "sparql11/json-res",
    "sparql11/negation",
    "sparql11/project-expression",
    "sparql11/property-path",
    "sparql11/subquery",
    "sparql11/syntax-query",
];

/// The tests that do not pass, and why.
const KNOWN: [(&str, &str); 46] = [
    ("sparql10/algebra#join-combo-2", APART),
    ("sparql10/dataset#dawg-dataset-01", FROM),
    ("sparql10/dataset#dawg-dataset-02", FROM),
    ("sparql10/dataset#dawg-dataset-03", FROM),
    ("sparql10/dataset#dawg-dataset-04", FROM),
    ("sparql10/dataset#dawg-dataset-05", FROM),
    ("sparql10/dataset#dawg-dataset-06", FROM),
    ("sparql10/dataset#dawg-dataset-07", FROM),
    ("sparql10/dataset#dawg-dataset-08", FROM),
    ("sparql10/dataset#dawg-dataset-09b", FROM),
    ("sparql10/dataset#dawg-dataset-10b", FROM),
    ("sparql10/dataset#dawg-dataset-11", FROM),
    ("sparql10/dataset#dawg-dataset-12b", FROM),
    ("sparql10/expr-builtin#case-insensitive-booleans", TOLERANCE),
    ("sparql10/expr-builtin#dawg-str-1", LEXICAL),
    ("sparql10/expr-builtin#dawg-str-2", LEXICAL),
    ("sparql10/graph#dawg-graph-02", UNION),
    ("sparql10/graph#dawg-graph-05", UNION),
    ("sparql10/graph#dawg-graph-06", APART),
    ("sparql10/graph#dawg-graph-07", APART),
    ("sparql10/graph#dawg-graph-08", APART),
    ("sparql10/graph#dawg-graph-09", APART),
    ("sparql10/graph#dawg-graph-10b", APART),
    ("sparql10/graph#dawg-graph-11", APART),
    ("sparql10/graph#graph-empty", APART),
    ("sparql10/graph#graph-exist", APART),
    ("sparql10/graph#graph-not-exist", APART),
    ("sparql10/graph#graph-optional", UNION),
    ("sparql10/graph#graph-variable-scope", APART),
    (
        "sparql10/open-world#date-2",
        "dates are compared with dates and times (SPARQL-dev SEP-0002)",
    ),
    ("sparql10/optional#dawg-optional-complex-2", APART),
    ("sparql10/optional#dawg-optional-complex-3", APART),
    ("sparql10/optional#dawg-optional-complex-4", APART),
    ("sparql10/syntax-sparql3#syn-bad-26", TOLERANCE),
    ("sparql11/aggregates#agg-empty-group-count-graph", APART),
    ("sparql11/bindings#graph", APART),
    ("sparql11/construct#constructwhere04", FROM),
    ("sparql11/exists#exists-graph-variable", APART),
    ("sparql11/exists#exists03", APART),
    (
        "sparql11/functions#bnode01",
        "BNODE of a text gives the same node in each solution",
    ),
    ("sparql11/negation#graph-minus", UNION),
    ("sparql11/property-path#zero_or_more_set_end", ZERO),
    ("sparql11/property-path#zero_or_more_set_start", ZERO),
    ("sparql11/property-path#zero_or_one_set_end", ZERO),
    ("sparql11/property-path#zero_or_one_set_start", ZERO),
    ("sparql11/subquery#subquery04", APART),
];
const LEXICAL: &str = "the evaluator keeps the values of numbers and of dates in expressions, not how they are written";
const UNION: &str = "our default graph is the union of the named graphs, here it should be empty";
const TOLERANCE: &str = "the parser differs on how texts are cut into tokens";
const APART: &str = "our default graph is the union of the named graphs, here it should be another one";
const FROM: &str = "FROM and FROM NAMED are refused: the data of a query is that of the resource";
const ZERO: &str = "the evaluator finds a path of length zero only at nodes of the graph";

fn parse_graph(path: &Path) -> Graph {
    let base = Iri::new(format!("file://{}", path.display())).unwrap();
    let bytes = fs::read(path).unwrap();
    let mut graph = Graph::new();
    let mut add = |s: &Term, p: &Term, o: &Term| {
        graph.insert(s, p, o);
    };
    macro_rules! read {
        ($parser:expr) => {
            $parser
                .parse(&bytes[..])
                .for_each_triple(|t| {
                    use sophia::api::prelude::*;
                    add(&t.s().into_term(), &t.p().into_term(), &t.o().into_term());
                })
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        };
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("rdf") => read!(sophia::xml::parser::RdfXmlParser { base: Some(base) }),
        _ => read!(sophia::turtle::parser::turtle::TurtleParser {
            base: Some(sophia::iri::resolve::BaseIriRef::new(base.as_str().into()).unwrap()),
            ..Default::default()
        }),
    }
    graph
}

fn object<'g>(graph: &'g Graph, s: &Term, p: &str) -> Option<&'g Term> {
    objects(graph, s, p).into_iter().next()
}

fn objects<'g>(graph: &'g Graph, s: &Term, p: &str) -> Vec<&'g Term> {
    graph
        .iter()
        .filter(|t| t[0] == s && rdf::is_iri(t[1], p))
        .map(|t| t[2])
        .collect()
}

fn list(graph: &Graph, head: &Term) -> Vec<Term> {
    let mut items = Vec::new();
    let mut at = Some(head);
    while let Some(node) = at {
        items.extend(object(graph, node, &format!("{RDF}first")).cloned());
        at = object(graph, node, &format!("{RDF}rest"));
    }
    items
}

fn path_of(term: &Term) -> PathBuf {
    PathBuf::from(as_iri(term).unwrap().strip_prefix("file://").unwrap())
}

/// Rows, or yes or no, or a graph.
enum Answer {
    Rows(Vec<String>, Vec<BTreeMap<String, Term>>),
    Boolean(bool),
    Graph(Graph),
}

impl Answer {
    /// Reads what a test expects.
    fn expected(path: &Path, form: Form) -> Self {
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("srx") => QueryResultsFormat::Xml,
            Some("srj") => QueryResultsFormat::Json,
            Some("tsv") => QueryResultsFormat::Tsv,
            _ => {
                let graph = parse_graph(path);
                return match form {
                    Form::Construct | Form::Describe => Answer::Graph(graph),
                    Form::Select | Form::Ask => Self::of_result_set(&graph),
                };
            }
        };
        Self::read(&fs::read(path).unwrap(), format)
    }

    fn read(bytes: &[u8], format: QueryResultsFormat) -> Self {
        match QueryResultsParser::from_format(format).for_slice(bytes).unwrap() {
            SliceQueryResultsParserOutput::Boolean(answer) => Answer::Boolean(answer),
            SliceQueryResultsParserOutput::Solutions(solutions) => {
                let variables = solutions.variables().iter().map(|v| v.as_str().to_owned()).collect();
                let row = |solution: sparesults::QuerySolution| {
                    let bound = solution.iter().map(|(v, term)| (v.as_str().to_owned(), term_of(term)));
                    bound.collect()
                };
                Answer::Rows(variables, solutions.map(|solution| row(solution.unwrap())).collect())
            }
        }
    }

    /// Reads the vocabulary of results of SPARQL 1.0.
    fn of_result_set(graph: &Graph) -> Self {
        let (class, kind) = (format!("{RDF}type"), format!("{RS}ResultSet"));
        let set = graph
            .iter()
            .find(|t| rdf::is_iri(t[1], &class) && rdf::is_iri(t[2], &kind))
            .unwrap()[0]
            .clone();
        if let Some(answer) = object(graph, &set, &format!("{RS}boolean")) {
            return Answer::Boolean(as_literal(answer) == Some("true"));
        }
        let text = |term: &Term| as_literal(term).unwrap().to_owned();
        let variables = objects(graph, &set, &format!("{RS}resultVariable"))
            .into_iter()
            .map(text)
            .collect();
        let mut rows: Vec<(u64, BTreeMap<String, Term>)> = Vec::new();
        for solution in objects(graph, &set, &format!("{RS}solution")) {
            let index = object(graph, solution, &format!("{RS}index")).map_or(0, |index| text(index).parse().unwrap());
            let mut row = BTreeMap::new();
            for binding in objects(graph, solution, &format!("{RS}binding")) {
                let variable = text(object(graph, binding, &format!("{RS}variable")).unwrap());
                row.insert(variable, object(graph, binding, &format!("{RS}value")).unwrap().clone());
            }
            rows.push((index, row));
        }
        rows.sort_by_key(|(index, _)| *index);
        Answer::Rows(variables, rows.into_iter().map(|(_, row)| row).collect())
    }

    fn equals(&self, other: &Self, ordered: bool, reduced: bool) -> bool {
        match (self, other) {
            (Answer::Boolean(a), Answer::Boolean(b)) => a == b,
            (Answer::Graph(a), Answer::Graph(b)) => isomorphic_graphs(a, b).unwrap(),
            (Answer::Rows(a_variables, a), Answer::Rows(b_variables, b)) => {
                let names = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>();
                names(a_variables) == names(b_variables)
                    && isomorphic_graphs(&graph_of(a, ordered, reduced), &graph_of(b, ordered, reduced)).unwrap()
            }
            _ => false,
        }
    }
}

/// Returns rows as a graph, so that blank nodes are compared as they should.
fn graph_of(rows: &[BTreeMap<String, Term>], ordered: bool, reduced: bool) -> Graph {
    let mut graph = Graph::new();
    let mut seen = BTreeMap::<String, usize>::new();
    for (number, row) in rows.iter().enumerate() {
        let count = seen.entry(format!("{row:?}")).or_default();
        *count += 1;
        if reduced && *count > 1 {
            continue;
        }
        let node = rdf::blank(format!("row{number}"));
        graph.insert(&node, &rdf::iri("x:count"), &rdf::integer(*count as i64));
        if ordered {
            graph.insert(&node, &rdf::iri("x:number"), &rdf::integer(number as i64));
        }
        for (variable, term) in row {
            graph.insert(&node, &rdf::iri(format!("x:v-{variable}")), &plain(term));
        }
    }
    graph
}

/// Returns a number as the value that it stands for: `1.0` and `1.00` are as good.
fn plain(term: &Term) -> Term {
    match term {
        Term::LiteralDatatype(lexical, datatype)
            if ["decimal", "double", "float"]
                .iter()
                .any(|d| datatype.ends_with(&format!("XMLSchema#{d}"))) =>
        {
            match lexical.parse::<f64>() {
                Ok(value) => rdf::typed(value.to_string(), datatype),
                Err(_) => term.clone(),
            }
        }
        Term::BlankNode(label) => rdf::blank(format!("data{}", label.as_str())),
        term => term.clone(),
    }
}

fn term_of(term: &oxrdf::Term) -> Term {
    match term {
        oxrdf::Term::NamedNode(node) => rdf::iri(node.as_str()),
        oxrdf::Term::BlankNode(node) => rdf::blank(node.as_str()),
        oxrdf::Term::Literal(literal) => match literal.language() {
            Some(language) => rdf::tagged(literal.value(), language),
            None => rdf::typed(literal.value(), literal.datatype().as_str()),
        },
        oxrdf::Term::Triple(_) => panic!("no test has triple terms"),
    }
}

/// Returns the rows of a CSV as what they have in each column, labels of blank nodes aside.
fn cells(csv: &str) -> BTreeSet<BTreeMap<String, String>> {
    let split = |line: &str| -> Vec<String> {
        let mut cells = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                c => cells.last_mut().unwrap().push(c),
            }
        }
        let label = |cell: String| if cell.starts_with("_:") { "_:".to_owned() } else { cell };
        cells.into_iter().map(label).collect()
    };
    let mut lines = csv.lines();
    let header = split(lines.next().unwrap());
    lines
        .map(|line| header.iter().cloned().zip(split(line)).collect())
        .collect()
}

/// Runs a test of evaluation; says what is wrong.
fn evaluate(graph: &Graph, test: &Term) -> Result<(), String> {
    let action = object(graph, test, &format!("{MF}action")).unwrap();
    let query_path = path_of(object(graph, action, &format!("{QT}query")).unwrap());
    let base = format!("file://{}", query_path.display());
    let context = Context {
        base: Some(&base),
        prefixes: &[],
    };
    let query = Query::parse(&fs::read_to_string(&query_path).unwrap(), context, &Limits::default())
        .map_err(|e| e.to_string())?;
    let mut builder = Builder::new();
    for data in objects(graph, action, &format!("{QT}data")) {
        builder.add(&parse_graph(&path_of(data)));
    }
    let named = objects(graph, action, &format!("{QT}graphData"));
    if !named.is_empty() && query.has_graph() {
        // The default graph of these tests is not the union of the others.
        let own = objects(graph, action, &format!("{QT}data"));
        if !own.is_empty() {
            return Err("a default graph beside named ones".to_owned());
        }
    }
    for data in named {
        let (name, path) = match object(graph, data, &format!("{QT}graph")) {
            Some(path) => (
                as_literal(object(graph, data, &format!("{RDFS}label")).unwrap())
                    .unwrap()
                    .to_owned(),
                path,
            ),
            None => (as_iri(data).unwrap().to_owned(), data),
        };
        builder.start_graph(&name);
        builder.add(&parse_graph(&path_of(path)));
    }
    let dataset = builder.finish();
    let result = path_of(object(graph, test, &format!("{MF}result")).unwrap());
    let mut bytes = Vec::new();
    if result.extension().is_some_and(|extension| extension == "csv") {
        write(&query, &dataset, Syntax::Csv, &mut bytes).map_err(|e| e.to_string())?;
        let (ours, theirs) = (String::from_utf8(bytes).unwrap(), fs::read_to_string(&result).unwrap());
        return if cells(&ours) == cells(&theirs) {
            Ok(())
        } else {
            Err(format!("{ours}\n---\n{theirs}"))
        };
    }
    let answer = match query.form() {
        Form::Construct | Form::Describe => Answer::Graph(query.construct(&dataset).map_err(|e| e.to_string())?),
        Form::Select | Form::Ask => {
            write(&query, &dataset, Syntax::Json, &mut bytes).map_err(|e| e.to_string())?;
            Answer::read(&bytes, QueryResultsFormat::Json)
        }
    };
    let expected = Answer::expected(&result, query.form());
    let text = fs::read_to_string(&query_path).unwrap();
    let ordered = text.contains("ORDER BY");
    let lax = object(graph, test, &format!("{MF}resultCardinality")).is_some();
    if answer.equals(&expected, ordered, lax) {
        Ok(())
    } else {
        Err(format!("{}", String::from_utf8_lossy(&bytes)))
    }
}

/// Runs a test of syntax.
fn parse(graph: &Graph, test: &Term, good: bool) -> Result<(), String> {
    let path = path_of(object(graph, test, &format!("{MF}action")).unwrap());
    let base = format!("file://{}", path.display());
    let context = Context {
        base: Some(&base),
        prefixes: &[],
    };
    let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    match (Query::parse(&text, context, &Limits::default()), good) {
        // What we refuse we have understood.
        (Ok(_) | Err(Error::InvalidData(_)), true) | (Err(_), false) => Ok(()),
        (Ok(_), false) => Err("accepted".to_owned()),
        (Err(error), true) => Err(error.to_string()),
    }
}

/// Writes the files of the tests to a folder.
fn unpack(folder: &Path) {
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/w3c/sparql.json");
    let files: BTreeMap<String, String> = serde_json::from_slice(&fs::read(bundle).unwrap()).unwrap();
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn the_tests_of_the_w3c_pass() {
    let unpacked = crate::support::memory();
    let root = match std::env::var_os("KTBS_W3C_SPARQL_TESTS") {
        Some(root) => PathBuf::from(root),
        None => {
            unpack(unpacked.path());
            unpacked.path().to_owned()
        }
    };
    let root = root.canonicalize().unwrap();
    let (mut passed, mut wrong) = (0, Vec::new());
    for folder in FOLDERS {
        let manifest = root.join(folder).join("manifest.ttl");
        let graph = parse_graph(&manifest);
        let entries = graph
            .iter()
            .find(|t| rdf::is_iri(t[1], &format!("{MF}entries")))
            .unwrap()[2]
            .clone();
        for test in list(&graph, &entries) {
            let name = format!("{folder}#{}", as_iri(&test).unwrap().rsplit(['#', '/']).next().unwrap());
            let kinds = objects(&graph, &test, &format!("{RDF}type"));
            let kind = kinds
                .iter()
                .filter_map(|kind| as_iri(kind))
                .find_map(|kind| kind.strip_prefix(MF));
            let outcome = match kind {
                Some("QueryEvaluationTest" | "CSVResultFormatTest") => evaluate(&graph, &test),
                Some("PositiveSyntaxTest" | "PositiveSyntaxTest11") => parse(&graph, &test, true),
                Some("NegativeSyntaxTest" | "NegativeSyntaxTest11") => parse(&graph, &test, false),
                other => Err(format!("{other:?} is no kind of test that is known")),
            };
            match outcome {
                Ok(()) => passed += 1,
                Err(reason) => wrong.push((name, reason)),
            }
        }
    }
    let failed: BTreeSet<&str> = wrong.iter().map(|(name, _)| name.as_str()).collect();
    let known: BTreeSet<&str> = KNOWN.iter().map(|(name, _)| *name).collect();
    let news: Vec<_> = wrong
        .iter()
        .filter(|(name, _)| !known.contains(name.as_str()))
        .collect();
    assert!(news.is_empty(), "these failed: {news:#?}");
    let mended: Vec<_> = known.difference(&failed).collect();
    assert!(mended.is_empty(), "these are said to fail, and pass: {mended:#?}");
    assert_eq!((passed, failed.len()), (774, KNOWN.len()));
}
