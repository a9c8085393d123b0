//! Conditions that are patterns of SPARQL.

use super::super::{Inputs, Source, Stop, query};
use crate::rdf::{iri, string};
use crate::sparql::{Builder, Context, Dataset, Obsels, Query};
use crate::store::Reading;
use crate::store::codec::damaged;
use crate::vocab::KTBS;

/// The variables of a pattern: the obsel, the last and the first of the token.
const VARIABLES: [&str; 3] = ["obs", "pred", "first"];

/// A group of SPARQL that has a solution, or none, for an obsel and a token.
#[derive(Clone, Debug)]
pub struct Pattern {
    query: Query,
    is_confined: bool,
}

impl Pattern {
    /// Reads the content of a group.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(inputs: &Inputs<'_>, source: &Source, text: &str) -> Result<Self, String> {
        let query = format!("ASK {{ VALUES (?{}) {{ }}\n{text}\n}}", VARIABLES.join(" ?"));
        let mut prefixes = query::prefixes(source);
        prefixes.push(("", KTBS.to_owned()));
        let prefixes: Vec<(&str, &str)> = prefixes.iter().map(|(prefix, iri)| (*prefix, iri.as_str())).collect();
        let context = Context {
            base: Some(&source.iri),
            prefixes: &prefixes,
        };
        let query = Query::parse(&query, context, &query::limits(inputs)).map_err(|error| query::reason(&error))?;
        Ok(Self {
            is_confined: query.depends_on_subjects(&VARIABLES),
            query,
        })
    }

    /// Tells whether the answer follows from what is said of these obsels alone.
    pub fn is_confined(&self) -> bool {
        self.is_confined
    }

    /// Tells whether the pattern has a solution. `token` has the ids of the last and of the first obsel of the token; where
    /// there is no token yet, these are the empty string. `all` are all the obsels; it may be absent if the pattern is
    /// confined.
    ///
    /// # Errors
    /// Those of the store, and of the limits on queries.
    pub fn holds(
        &mut self,
        reading: &dyn Reading,
        source: &Source,
        obsel: &str,
        token: Option<(&str, &str)>,
        all: Option<&Dataset>,
    ) -> Result<bool, Stop> {
        let term = |id: &str| iri(format!("{}{id}", source.iri));
        let (last, first) = match token {
            Some((last, first)) => (term(last), term(first)),
            None => (string(""), string("")),
        };
        self.query
            .fill(&VARIABLES, &[&[Some(&term(obsel)), Some(&last), Some(&first)]])?;
        if let Some(all) = all.filter(|_| !self.is_confined) {
            return Ok(self.query.ask(all)?);
        }
        let mut ids = vec![obsel];
        for id in token.into_iter().flat_map(|(last, first)| [last, first]) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let dataset = said_of(reading, source, &ids, self.query.predicates())?;
        Ok(self.query.ask(&dataset)?)
    }
}

/// Returns what is said of some obsels, wherever it stands.
fn said_of(
    reading: &dyn Reading,
    source: &Source,
    ids: &[&str],
    predicates: Option<&[String]>,
) -> Result<Dataset, Stop> {
    let mut builder = Builder::keeping(predicates);
    let mut obsels = Obsels::new(&mut builder, reading, &source.iri);
    for id in ids {
        obsels.add(&reading.obsel(source.trace, id)?.ok_or_else(damaged)?)?;
    }
    if reading.trace(source.trace)?.mentions > 0 {
        for id in ids {
            query::add_mentions(&mut builder, reading, source, id)?;
        }
    }
    Ok(builder.finish())
}
