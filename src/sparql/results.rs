//! The results of SELECT and ASK, written.

use std::io::Write;

use sparesults::{QueryResultsFormat, QueryResultsSerializer};
use spareval::QueryResults;

use super::dataset::Dataset;
use super::limits::watch;
use super::query::{Form, Query, failure};
use crate::error::{Error, Result};

/// A syntax of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// SPARQL Query Results XML Format.
    Xml,
    /// SPARQL 1.1 Query Results JSON Format.
    Json,
    /// The CSV of SPARQL 1.1 Query Results CSV and TSV Formats. Not for ASK.
    Csv,
    /// The TSV of the same. Not for ASK.
    Tsv,
}

impl Syntax {
    /// Returns the media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Syntax::Xml => "application/sparql-results+xml",
            Syntax::Json => "application/sparql-results+json",
            Syntax::Csv => "text/csv",
            Syntax::Tsv => "text/tab-separated-values",
        }
    }

    fn format(self) -> QueryResultsFormat {
        match self {
            Syntax::Xml => QueryResultsFormat::Xml,
            Syntax::Json => QueryResultsFormat::Json,
            Syntax::Csv => QueryResultsFormat::Csv,
            Syntax::Tsv => QueryResultsFormat::Tsv,
        }
    }
}

/// Evaluates a SELECT or an ASK, and writes the results as they come. `out` should take them at once: the time that it
/// needs counts.
///
/// # Errors
/// `Timeout`, `TooComplex`: beyond a limit, maybe after a part was written; `Internal`: the query gives a graph, or `out`
/// fails.
pub fn write(query: &Query, dataset: &Dataset, syntax: Syntax, out: &mut dyn Write) -> Result<()> {
    let written = |error: std::io::Error| Error::Internal(error.to_string());
    let serializer = QueryResultsSerializer::from_format(syntax.format());
    watch(query.limits(), || match query.evaluate(dataset)? {
        QueryResults::Boolean(answer) => {
            serializer.serialize_boolean_to_writer(out, answer).map_err(written)?;
            Ok(())
        }
        QueryResults::Solutions(solutions) => {
            let variables = solutions.variables().to_vec();
            let mut serializer = serializer
                .serialize_solutions_to_writer(out, variables)
                .map_err(written)?;
            for solution in solutions {
                serializer.serialize(&solution.map_err(failure)?).map_err(written)?;
            }
            serializer.finish().map_err(written)?;
            Ok(())
        }
        QueryResults::Graph(_) => Err(Error::Internal(format!("{:?} gives a graph", Form::Construct))),
    })
}
