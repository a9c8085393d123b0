//! Formats: bytes to graphs, views to bytes. Knows neither requests nor the store.
//!
//! [`FORMATS`] has one row for each syntax; [`offers`] and [`parser`] are the tables of media types and extensions.

pub mod csv;
pub mod geojson;
pub mod html;
pub mod json;
pub mod lines;
pub mod notation3;
pub mod ntriples;
mod payload;
pub mod quads;
pub mod rdfxml;
pub mod turtle;

mod output;
mod plan;
mod prefixes;
mod relative;
#[cfg(test)]
mod sample;
mod terms;
mod triples;

use std::io::{BufRead, Write};

use crate::config::PayloadLimits;
use crate::error::Result;
use crate::rdf::Graph;
use crate::resource::{Give, Shape, View};

/// Parses a payload.
pub type Parse = fn(&[u8], &Context<'_>) -> Result<Graph>;

/// Writes a view. The writer is buffered; its errors are [`crate::error::Error::Gone`].
pub type WriteView = fn(&View, &Prefixes, &mut dyn Write) -> Result<()>;

/// Returns what a payload means that replaces what a view shows.
pub type Restore = fn(Graph, &View) -> Result<Graph>;

/// Reads obsels as they come, and gives each with its line.
pub type ReadObsels = fn(&mut dyn BufRead, &Context<'_>, &mut Give<'_>) -> Result<()>;

/// A syntax.
#[derive(Debug)]
pub struct Format {
    /// Its name, for messages.
    pub name: &'static str,
    /// How a payload is read, if it can be.
    pub parse: Option<Parse>,
    /// How a view is written.
    pub write: Option<WriteView>,
    /// Whether a view may be refused for what it says: then its beginning is written before anything is sent.
    pub may_refuse: bool,
    /// How a payload that replaces what a view shows gets back what the syntax could not tell the client, if there is
    /// anything.
    pub restore: Option<Restore>,
    /// How obsels are read one after the other, as they come, if they can be.
    pub read_obsels: Option<ReadObsels>,
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
    may_refuse: false,
    restore: None,
    read_obsels: None,
};
/// Simple JSON: JSON-LD whose missing parts are guessed on the way in.
pub static JSON: Format = Format {
    name: "JSON",
    parse: Some(json::parse_simple),
    write: Some(json::write_simple),
    may_refuse: false,
    restore: Some(json::restore),
    read_obsels: None,
};
/// Turtle.
pub static TURTLE: Format = Format {
    name: "Turtle",
    parse: Some(turtle::parse),
    write: Some(turtle::write),
    may_refuse: false,
    restore: None,
    read_obsels: None,
};
/// Turtle that may be Notation3 on the way in.
pub static NOTATION3: Format = Format {
    name: "Notation3",
    parse: Some(notation3::parse),
    write: Some(turtle::write),
    may_refuse: false,
    restore: None,
    read_obsels: None,
};
/// N-Triples.
pub static N_TRIPLES: Format = Format {
    name: "N-Triples",
    parse: Some(ntriples::parse),
    write: Some(ntriples::write),
    may_refuse: false,
    restore: None,
    read_obsels: None,
};
/// RDF/XML.
pub static RDF_XML: Format = Format {
    name: "RDF/XML",
    parse: Some(rdfxml::parse),
    write: Some(rdfxml::write),
    may_refuse: true,
    restore: None,
    read_obsels: None,
};
/// A page for people.
pub static HTML: Format = Format {
    name: "HTML",
    parse: None,
    write: Some(html::write),
    may_refuse: false,
    restore: None,
    read_obsels: None,
};
/// A table of obsels.
pub static CSV: Format = Format {
    name: "CSV",
    parse: None,
    write: Some(csv::write),
    may_refuse: false,
    restore: None,
    read_obsels: Some(csv::read),
};
/// Obsels on a map.
pub static GEO_JSON: Format = Format {
    name: "GeoJSON",
    parse: None,
    write: Some(geojson::write),
    may_refuse: false,
    restore: None,
    read_obsels: None,
};

/// Obsels in JSON, one a line.
pub static NDJSON: Format = Format {
    name: "newline-delimited JSON",
    parse: None,
    write: Some(lines::write),
    may_refuse: false,
    restore: None,
    read_obsels: Some(lines::read),
};

/// A table of obsels for people.
pub static TABLE: Format = Format {
    name: "HTML table",
    parse: None,
    write: Some(html::table::write),
    may_refuse: false,
    restore: None,
    read_obsels: None,
};

/// All the syntaxes.
pub static FORMATS: [&Format; 11] = [
    &JSON_LD, &JSON, &TURTLE, &NOTATION3, &N_TRIPLES, &RDF_XML, &HTML, &CSV, &GEO_JSON, &NDJSON, &TABLE,
];

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
    offer("text/n3", "n3", &NOTATION3),
    offer("text/plain", "txt", &N_TRIPLES),
    offer("application/json", "json", &JSON),
    offer("application/n-triples", "", &N_TRIPLES),
];

/// Offered by collections of obsels after everything else.
static COLLECTION_LAST: [Offer; 2] = [
    offer("application/geo+json", "", &GEO_JSON),
    offer("application/x-ndjson", "ndjson", &NDJSON),
];

/// What collections of obsels and obsels offer after what they offer first, where the configuration asks for it.
pub static TABLES: [Offer; 1] = [offer("x-gereco/table", "", &TABLE)];

/// Returns what a resource of a shape offers, whatever the configuration, the preferred first.
pub fn offers(shape: Shape) -> impl Iterator<Item = &'static Offer> {
    offers_with(shape, std::iter::empty())
}

/// Returns what a resource of a shape offers, the preferred first, with others after those of its shape. Types that are in both
/// lists come twice, as the list of a 406 has always shown them.
pub fn offers_with(shape: Shape, added: impl Iterator<Item = &'static Offer>) -> impl Iterator<Item = &'static Offer> {
    let (first, last): (&[Offer], &[Offer]) = match shape {
        Shape::Obsels => (&COLLECTION, &COLLECTION_LAST),
        _ => (&DESCRIPTION, &[]),
    };
    first.iter().chain(added).chain(&GENERIC).chain(last)
}

/// The media types of payloads, with the extensions that select them in the URL of a PUT.
static PARSERS: [(&str, &[&str], &Format); 12] = [
    ("application/ld+json", &["jsonld"], &JSON_LD),
    ("application/json", &["json"], &JSON),
    ("text/turtle", &["ttl"], &TURTLE),
    ("text/x-turtle", &[], &TURTLE),
    ("application/turtle", &[], &TURTLE),
    ("application/x-turtle", &[], &TURTLE),
    ("text/n3", &["n3"], &NOTATION3),
    ("application/rdf+xml", &["rdf"], &RDF_XML),
    ("application/xml", &["xml"], &RDF_XML),
    ("text/nt", &["nt"], &N_TRIPLES),
    ("text/plain", &["txt"], &N_TRIPLES),
    ("application/n-triples", &[], &N_TRIPLES),
];

/// The media types of payloads that are one obsel a line, for stored traces only.
static LINES: [(&str, &Format); 4] = [
    ("application/x-ndjson", &NDJSON),
    ("application/ndjson", &NDJSON),
    ("application/jsonl", &NDJSON),
    ("text/csv", &CSV),
];

/// Returns how obsels are read as they come, by the media type of the payload (lower case, without parameters).
pub fn obsel_reader(media_type: &str) -> Option<ReadObsels> {
    LINES
        .iter()
        .find(|row| row.0 == media_type)
        .and_then(|row| row.1.read_obsels)
}

/// Returns the media types of payloads.
pub fn payload_types() -> impl Iterator<Item = &'static str> {
    PARSERS.iter().map(|row| row.0)
}

/// Returns the media types of payloads of obsels that are read as they come.
pub fn line_types() -> impl Iterator<Item = &'static str> {
    LINES.iter().map(|row| row.0)
}

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
