//! Formats: bytes to graphs, views to bytes. Knows neither requests nor the store.
//!
//! [`FORMATS`] has one row for each syntax; [`offers`] and [`parser`] are the tables of media types and extensions.

pub mod csv;
pub mod geojson;
pub mod html;
pub mod json;
pub mod ntriples;
mod payload;
pub mod quads;
pub mod rdfxml;
pub mod turtle;

mod output;
mod prefixes;
mod relative;
#[cfg(test)]
mod sample;
mod triples;

use std::io::Write;

use crate::config::PayloadLimits;
use crate::error::Result;
use crate::rdf::Graph;
use crate::resource::{Shape, View};

/// Parses a payload.
pub type Parse = fn(&[u8], &Context<'_>) -> Result<Graph>;

/// Writes a view. The writer is buffered; its errors are [`crate::error::Error::Gone`].
pub type WriteView = fn(&View, &Prefixes, &mut dyn Write) -> Result<()>;

/// A syntax.
#[derive(Debug)]
pub struct Format {
    /// Its name, for messages.
    pub name: &'static str,
    /// How a payload is read, if it can be.
    pub parse: Option<Parse>,
    /// How a view is written.
    pub write: Option<WriteView>,
}

/// What a parser must know of the resource to which a payload was sent.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The absolute IRI of the target, base of relative references.
    pub base: &'a str,
    /// The shape of the target.
    pub shape: Shape,
    /// The container of the target; `None` for the root.
    pub parent: Option<&'a str>,
    /// True if the container is the root.
    pub parent_is_root: bool,
    /// The model of the target, for a trace and its obsels.
    pub model: Option<&'a str>,
    /// True for a payload that replaces the state of the target, false for one that adds to it.
    pub replacing: bool,
    /// Bounds on the payload.
    pub limits: &'a PayloadLimits,
}

/// Prefixes offered to the serializers: prefix (empty for the default one), namespace.
#[derive(Clone, Debug, Default)]
pub struct Prefixes(pub Vec<(String, String)>);

/// JSON-LD: nothing is guessed on the way in.
pub static JSON_LD: Format = Format {
    name: "JSON-LD",
    parse: Some(json::parse),
    write: Some(json::write),
};
/// Simple JSON: JSON-LD whose missing parts are guessed on the way in.
pub static JSON: Format = Format {
    name: "JSON",
    parse: Some(json::parse_simple),
    write: Some(json::write_simple),
};
/// Turtle.
pub static TURTLE: Format = Format {
    name: "Turtle",
    parse: Some(turtle::parse),
    write: Some(turtle::write),
};
/// N-Triples.
pub static N_TRIPLES: Format = Format {
    name: "N-Triples",
    parse: Some(ntriples::parse),
    write: Some(ntriples::write),
};
/// RDF/XML.
pub static RDF_XML: Format = Format {
    name: "RDF/XML",
    parse: Some(rdfxml::parse),
    write: Some(rdfxml::write),
};
/// A page for people.
pub static HTML: Format = Format {
    name: "HTML",
    parse: None,
    write: Some(html::write),
};
/// A table of obsels.
pub static CSV: Format = Format {
    name: "CSV",
    parse: None,
    write: Some(csv::write),
};
/// Obsels on a map.
pub static GEO_JSON: Format = Format {
    name: "GeoJSON",
    parse: None,
    write: Some(geojson::write),
};

/// All the syntaxes.
pub static FORMATS: [&Format; 8] = [&JSON_LD, &JSON, &TURTLE, &N_TRIPLES, &RDF_XML, &HTML, &CSV, &GEO_JSON];

/// A media type in which a resource can be shown.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// The media type, lower case, without parameters.
    pub media_type: &'static str,
    /// The extension that selects it in a URL, if any.
    pub extension: Option<&'static str>,
    /// The syntax.
    pub format: &'static Format,
}

const fn offer(media_type: &'static str, extension: &'static str, format: &'static Format) -> Offer {
    let extension = if extension.is_empty() { None } else { Some(extension) };
    Offer {
        media_type,
        extension,
        format,
    }
}

/// What all the resources but collections of obsels offer first.
static DESCRIPTION: [Offer; 2] = [
    offer("application/ld+json", "jsonld", &JSON_LD),
    offer("application/json", "json", &JSON),
];

/// What collections of obsels offer first.
static COLLECTION: [Offer; 4] = [
    offer("application/ld+json", "jsonld", &JSON_LD),
    offer("text/csv", "csv", &CSV),
    offer("application/vnd.geo+json", "geojson", &GEO_JSON),
    offer("application/json", "json", &JSON),
];

/// What all the resources offer next, in the order of preference of the Python kTBS; the types that it does not
/// know are last, so that no default changes.
static GENERIC: [Offer; 13] = [
    offer("text/turtle", "ttl", &TURTLE),
    offer("application/rdf+xml", "rdf", &RDF_XML),
    offer("text/html", "html", &HTML),
    offer("text/nt", "nt", &N_TRIPLES),
    offer("application/ld+json", "jsonld", &JSON_LD),
    offer("application/xml", "xml", &RDF_XML),
    offer("application/x-turtle", "", &TURTLE),
    offer("application/turtle", "", &TURTLE),
    offer("text/x-turtle", "", &TURTLE),
    offer("text/n3", "n3", &TURTLE),
    offer("text/plain", "txt", &N_TRIPLES),
    offer("application/json", "json", &JSON),
    offer("application/n-triples", "", &N_TRIPLES),
];

/// Offered by collections of obsels after everything else.
static COLLECTION_LAST: [Offer; 1] = [offer("application/geo+json", "", &GEO_JSON)];

/// Returns what a resource of a shape offers, the preferred first. Types that are in both lists come twice, as the
/// list of a 406 has always shown them.
pub fn offers(shape: Shape) -> impl Iterator<Item = &'static Offer> {
    let (first, last): (&[Offer], &[Offer]) = match shape {
        Shape::Obsels => (&COLLECTION, &COLLECTION_LAST),
        _ => (&DESCRIPTION, &[]),
    };
    first.iter().chain(&GENERIC).chain(last)
}

/// The media types of payloads, with the extensions that select them in the URL of a PUT.
static PARSERS: [(&str, &[&str], &Format); 12] = [
    ("application/ld+json", &["jsonld"], &JSON_LD),
    ("application/json", &["json"], &JSON),
    ("text/turtle", &["ttl"], &TURTLE),
    ("text/x-turtle", &[], &TURTLE),
    ("application/turtle", &[], &TURTLE),
    ("application/x-turtle", &[], &TURTLE),
    ("text/n3", &["n3"], &TURTLE),
    ("application/rdf+xml", &["rdf"], &RDF_XML),
    ("application/xml", &["xml"], &RDF_XML),
    ("text/nt", &["nt"], &N_TRIPLES),
    ("text/plain", &["txt"], &N_TRIPLES),
    ("application/n-triples", &[], &N_TRIPLES),
];

/// Returns the syntax of a payload, by its media type (lower case, without parameters).
pub fn parser(media_type: &str) -> Option<&'static Format> {
    PARSERS.iter().find(|row| row.0 == media_type).map(|row| row.2)
}

/// Returns the media type and the syntax of a payload, by the extension of the URL.
pub fn parser_of_extension(extension: &str) -> Option<(&'static str, &'static Format)> {
    PARSERS
        .iter()
        .find(|row| row.1.contains(&extension))
        .map(|row| (row.0, row.2))
}
