//! One record per obsel: its description, compact, decoded without allocation per value.
//!
//! A record is four lists, each a count (varint) and its items: types (values); arcs (predicate, value); arcs of blank
//! nodes (value, predicate, value); other triples (value, predicate, value). Predicates and datatypes are numbers of the
//! dictionary (varints). A value is a mark (`u8`) and its texts or numbers. Id, begin and end are in the key.

use super::Result;
use super::codec::{Input, damaged, put_text, put_uint};
use crate::obsel::{Arc, Blank, Name, Obsel, Value};

const OBSEL: u8 = 0;
const BELOW_ROOT: u8 = 1;
const NAMED: u8 = 2;
const IRI: u8 = 3;
const OWN_BLANK: u8 = 4;
const SHARED_BLANK: u8 = 5;
const STRING: u8 = 6;
const TAGGED: u8 = 7;
const TYPED: u8 = 8;

/// Returns the record of an obsel.
pub fn encode(obsel: &Obsel<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    put(&mut out, obsel);
    out
}

/// Appends the record of an obsel.
pub fn put(out: &mut Vec<u8>, obsel: &Obsel<'_>) {
    put_uint(out, obsel.types.len() as u64);
    for value in &obsel.types {
        put_value(out, value);
    }
    put_uint(out, obsel.arcs.len() as u64);
    for arc in &obsel.arcs {
        put_arc(out, arc);
    }
    put_uint(out, obsel.blank_arcs.len() as u64);
    for (blank, arc) in &obsel.blank_arcs {
        put_value(out, &Value::Blank(*blank));
        put_arc(out, arc);
    }
    put_uint(out, obsel.others.len() as u64);
    for (subject, arc) in &obsel.others {
        put_value(out, subject);
        put_arc(out, arc);
    }
}

/// Decodes a record into an obsel, whose lists are emptied first and keep their room.
///
/// # Errors
/// `Damaged`.
pub fn decode<'t>(record: &'t [u8], obsel: &mut Obsel<'t>) -> Result<()> {
    fill(record, obsel).ok_or_else(damaged)
}

/// Decodes the types of a record into an obsel, and nothing else: its other lists are left as they are.
///
/// # Errors
/// `Damaged`.
pub fn decode_types<'t>(record: &'t [u8], obsel: &mut Obsel<'t>) -> Result<()> {
    fill_types(&mut Input(record), obsel).ok_or_else(damaged)
}

fn fill_types<'t>(input: &mut Input<'t>, obsel: &mut Obsel<'t>) -> Option<()> {
    obsel.types.clear();
    for _ in 0..input.next_uint()? {
        obsel.types.push(value(input)?);
    }
    Some(())
}

fn fill<'t>(record: &'t [u8], obsel: &mut Obsel<'t>) -> Option<()> {
    let mut input = Input(record);
    fill_types(&mut input, obsel)?;
    obsel.arcs.clear();
    for _ in 0..input.next_uint()? {
        obsel.arcs.push(arc(&mut input)?);
    }
    obsel.blank_arcs.clear();
    for _ in 0..input.next_uint()? {
        let Value::Blank(blank) = value(&mut input)? else {
            return None;
        };
        obsel.blank_arcs.push((blank, arc(&mut input)?));
    }
    obsel.others.clear();
    for _ in 0..input.next_uint()? {
        obsel.others.push((value(&mut input)?, arc(&mut input)?));
    }
    Some(())
}

fn put_arc(out: &mut Vec<u8>, arc: &Arc<'_>) {
    put_uint(out, arc.predicate.0.into());
    put_value(out, &arc.object);
}

/// Appends a value; `tallies` of subjects use it for their keys too.
pub fn put_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match *value {
        Value::Obsel(id) => {
            out.push(OBSEL);
            put_text(out, id);
        }
        Value::BelowRoot(rest) => {
            out.push(BELOW_ROOT);
            put_text(out, rest);
        }
        Value::Named(name) => {
            out.push(NAMED);
            put_uint(out, name.0.into());
        }
        Value::Iri(iri) => {
            out.push(IRI);
            put_text(out, iri);
        }
        Value::Blank(Blank::Own(number)) => {
            out.push(OWN_BLANK);
            put_uint(out, number.into());
        }
        Value::Blank(Blank::Shared(number)) => {
            out.push(SHARED_BLANK);
            put_uint(out, number);
        }
        Value::String(lexical) => {
            out.push(STRING);
            put_text(out, lexical);
        }
        Value::Tagged(lexical, language) => {
            out.push(TAGGED);
            put_text(out, lexical);
            put_text(out, language);
        }
        Value::Typed(lexical, datatype) => {
            out.push(TYPED);
            put_text(out, lexical);
            put_uint(out, datatype.0.into());
        }
    }
}

#[inline]
fn arc<'t>(input: &mut Input<'t>) -> Option<Arc<'t>> {
    let predicate = Name(input.next_uint32()?);
    let object = value(input)?;
    Some(Arc { predicate, object })
}

#[inline]
fn value<'t>(input: &mut Input<'t>) -> Option<Value<'t>> {
    Some(match input.next_byte()? {
        OBSEL => Value::Obsel(input.next_text()?),
        BELOW_ROOT => Value::BelowRoot(input.next_text()?),
        NAMED => Value::Named(Name(input.next_uint32()?)),
        IRI => Value::Iri(input.next_text()?),
        OWN_BLANK => Value::Blank(Blank::Own(input.next_uint32()?)),
        SHARED_BLANK => Value::Blank(Blank::Shared(input.next_uint()?)),
        STRING => Value::String(input.next_text()?),
        TAGGED => Value::Tagged(input.next_text()?, input.next_text()?),
        TYPED => Value::Typed(input.next_text()?, Name(input.next_uint32()?)),
        _ => return None,
    })
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    const TEXTS: [&str; 5] = ["", "o1", "é\n\"", "http://ex.org/a", "en"];

    fn any_value() -> impl Strategy<Value = Value<'static>> {
        let text = || prop::sample::select(&TEXTS[..]);
        prop_oneof![
            text().prop_map(Value::Obsel),
            text().prop_map(Value::BelowRoot),
            any::<u32>().prop_map(|n| Value::Named(Name(n))),
            text().prop_map(Value::Iri),
            any::<u32>().prop_map(|n| Value::Blank(Blank::Own(n))),
            any::<u64>().prop_map(|n| Value::Blank(Blank::Shared(n))),
            text().prop_map(Value::String),
            (text(), text()).prop_map(|(a, b)| Value::Tagged(a, b)),
            (text(), any::<u32>()).prop_map(|(a, n)| Value::Typed(a, Name(n))),
        ]
    }

    fn any_arc() -> impl Strategy<Value = Arc<'static>> {
        (any::<u32>(), any_value()).prop_map(|(p, object)| Arc {
            predicate: Name(p),
            object,
        })
    }

    proptest! {
        #[test]
        fn records_come_back(
            types in prop::collection::vec(any_value(), 0..4),
            arcs in prop::collection::vec(any_arc(), 0..6),
            blank_arcs in prop::collection::vec((any::<u32>().prop_map(Blank::Own), any_arc()), 0..4),
            others in prop::collection::vec((any_value(), any_arc()), 0..4),
        ) {
            let obsel = Obsel { types, arcs, blank_arcs, others, ..Obsel::default() };
            let record = encode(&obsel);
            let mut back = Obsel::default();
            decode(&record, &mut back).unwrap();
            let mut typed = Obsel::default();
            decode_types(&record, &mut typed).unwrap();
            prop_assert_eq!(&typed, &Obsel { types: obsel.types.clone(), ..Obsel::default() });
            prop_assert_eq!(obsel, back);
        }

        #[test]
        fn any_bytes_decode_or_fail(bytes: Vec<u8>) {
            let _ = decode(&bytes, &mut Obsel::default());
            let _ = decode_types(&bytes, &mut Obsel::default());
        }
    }
}
