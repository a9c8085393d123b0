//! The small graph of each resource, found by its path.
//!
//! A value of the table `graphs` is: kind (`u8`), tag (varint), time of edition (varint), number of the trace plus one
//! or 0 (varint), unit (text, empty if unknown), number of terms (varint), terms, number of triples (varint), triples (three
//! term numbers each, varints). A term is a mark (`u8`) and its texts.

use sophia::api::term::SimpleTerm;

use super::codec::{self, Input, damaged, put_text, put_uint};
use super::{Entry, Head, Kind, Result, StoreError, Tag, TraceNumber};
use crate::rdf::{self, Graph, Term};

const IRI: u8 = 0;
const IRI_BELOW_ROOT: u8 = 1;
const BLANK: u8 = 2;
const STRING: u8 = 3;
const TAGGED: u8 = 4;
const TYPED: u8 = 5;
const TYPED_BELOW_ROOT: u8 = 6;

/// Returns the value of an entry.
///
/// # Errors
/// `Refused` for a term that is not of RDF 1.1.
pub fn encode(root: &str, entry: &Entry) -> Result<Vec<u8>> {
    let mut out = encode_head(&entry.head);
    put_uint(&mut out, entry.graph.term_count() as u64);
    for id in 0..entry.graph.term_count() {
        put_term(&mut out, root, entry.graph.term(id as u32))?;
    }
    put_uint(&mut out, entry.graph.len() as u64);
    for triple in entry.graph.ids() {
        for id in triple {
            put_uint(&mut out, id.into());
        }
    }
    Ok(out)
}

/// Returns the beginning of a value: all but the graph.
pub(super) fn encode_head(head: &Head) -> Vec<u8> {
    let kind = Kind::ALL.iter().position(|kind| *kind == head.kind).unwrap_or(0);
    let mut out = vec![kind as u8];
    put_uint(&mut out, head.tag.count);
    put_uint(&mut out, head.modified);
    put_uint(&mut out, head.trace.map_or(0, |trace| trace.0 + 1));
    put_text(&mut out, head.unit.as_deref().unwrap_or(""));
    out
}

/// Returns the head of a value, and what is left of it: the graph.
pub fn decode_head<'t>(instance: u64, path: &str, value: &'t [u8]) -> Result<(Head, Input<'t>)> {
    let mut input = Input(value);
    let kind = *Kind::ALL.get(usize::from(input.byte()?)).ok_or_else(damaged)?;
    let tag = Tag {
        instance,
        count: input.uint()?,
    };
    let modified = input.uint()?;
    let trace = input.uint()?.checked_sub(1).map(TraceNumber);
    let unit = Some(input.text()?.to_owned()).filter(|unit| !unit.is_empty());
    let path = path.to_owned();
    Ok((
        Head {
            path,
            kind,
            tag,
            modified,
            trace,
            unit,
        },
        input,
    ))
}

/// Returns the graph that follows a head.
pub fn decode_graph(root: &str, mut input: Input<'_>) -> Result<Graph> {
    let mut graph = Graph::new();
    let mut ids = Vec::new();
    for _ in 0..input.uint()? {
        ids.push(graph.intern(&term(root, &mut input)?));
    }
    for _ in 0..input.uint()? {
        let mut triple = [0; 3];
        for id in &mut triple {
            *id = *ids.get(input.uint32()? as usize).ok_or_else(damaged)?;
        }
        graph.insert_ids(triple);
    }
    Ok(graph)
}

fn put_term(out: &mut Vec<u8>, root: &str, term: &Term) -> Result<()> {
    match term {
        SimpleTerm::Iri(iri) => match iri.strip_prefix(root) {
            Some(rest) => {
                out.push(IRI_BELOW_ROOT);
                put_text(out, rest);
            }
            None => {
                out.push(IRI);
                put_text(out, iri);
            }
        },
        SimpleTerm::BlankNode(label) => {
            out.push(BLANK);
            put_text(out, label);
        }
        SimpleTerm::LiteralDatatype(lexical, datatype) => {
            if datatype.as_str() == crate::vocab::xsd::STRING {
                out.push(STRING);
            } else if let Some(rest) = datatype.strip_prefix(root) {
                out.push(TYPED_BELOW_ROOT);
                put_text(out, rest);
            } else {
                out.push(TYPED);
                put_text(out, datatype);
            }
            put_text(out, lexical);
        }
        SimpleTerm::LiteralLanguage(lexical, language, None) => {
            out.push(TAGGED);
            put_text(out, language);
            put_text(out, lexical);
        }
        other => {
            return Err(StoreError::Refused(format!(
                "the store has no room for the term {other:?}"
            )));
        }
    }
    Ok(())
}

fn term(root: &str, input: &mut Input<'_>) -> Result<Term> {
    Ok(match input.byte()? {
        IRI => rdf::iri(input.text()?),
        IRI_BELOW_ROOT => rdf::iri(format!("{root}{}", input.text()?)),
        BLANK => rdf::blank(input.text()?),
        STRING => rdf::string(input.text()?),
        TYPED => {
            let datatype = input.text()?;
            rdf::typed(input.text()?, datatype)
        }
        TYPED_BELOW_ROOT => {
            let datatype = format!("{root}{}", input.text()?);
            rdf::typed(input.text()?, &datatype)
        }
        TAGGED => {
            let language = input.text()?;
            rdf::tagged(input.text()?, language)
        }
        _ => return Err(codec::damaged()),
    })
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn any_term() -> impl Strategy<Value = Term> {
        prop_oneof![
            "[a-z]{0,9}".prop_map(|s| rdf::iri(format!("http://h/k/{s}"))),
            "[a-z]{0,9}".prop_map(|s| rdf::iri(format!("http://ex.org/{s}"))),
            "[a-z]{1,9}".prop_map(rdf::blank),
            any::<String>().prop_map(rdf::string),
            (any::<String>(), "[a-z]{2,3}").prop_map(|(s, l)| rdf::tagged(s, &l)),
            (any::<String>(), "[a-z]{1,8}").prop_map(|(s, d)| rdf::typed(s, &format!("http://h/k/{d}"))),
            any::<i64>().prop_map(rdf::integer),
        ]
    }

    proptest! {
        #[test]
        fn graphs_come_back(triples in prop::collection::vec((any_term(), any_term(), any_term()), 0..20)) {
            let mut graph = Graph::new();
            for (s, p, o) in &triples {
                graph.insert(s, p, o);
            }
            let head = Head {
                path: "b/t/".into(),
                kind: Kind::StoredTrace,
                tag: Tag { instance: 1, count: 300 },
                modified: 12,
                trace: Some(TraceNumber(0)),
                unit: None,
            };
            let value = encode("http://h/k/", &Entry { head, graph: graph.clone() }).unwrap();
            let (head, rest) = decode_head(1, "b/t/", &value).unwrap();
            prop_assert_eq!(head.trace, Some(TraceNumber(0)));
            let back = decode_graph("http://h/k/", rest).unwrap();
            prop_assert_eq!(back.len(), graph.len());
            for [s, p, o] in graph.iter() {
                prop_assert!(back.contains(s, p, o));
            }
        }

        #[test]
        fn any_bytes_decode_or_fail(bytes: Vec<u8>) {
            if let Ok((_, rest)) = decode_head(1, "", &bytes) {
                let _ = decode_graph("http://h/", rest);
            }
        }
    }
}
