//! Collections of obsels in JSON, written as they are read.
//!
//! Nearly all obsels are a flat list of values: these are written without building anything ([`Items::flat`]). The
//! others, with blank nodes or with triples about something else, go through [`super::obsel`], which builds an object.

use std::collections::HashSet;

use super::image::is_ambiguous;
use super::obsel::Objects;
use super::properties::{Coercion, Property, property_of};
use super::shorten::Shortener;
use super::value::{Datatype, Form, Style, form};
use crate::error::{Error, Result};
use crate::format::output::{Memory, Output, integer, json_string, put};
use crate::format::prefixes::model_namespace;
use crate::format::relative::Base;
use crate::obsel::{Arc, Mention, Name, Obsel, Value};
use crate::resource::View;
use crate::resource::view::Obsels;
use crate::vocab::{CONTEXT, KTBS, ktbs};

/// Writes the document of a collection or of a slice of it.
///
/// # Errors
/// `Gone` if the writer fails; those of the store.
pub fn collection(view: &View, obsels: &Obsels, style: Style, mut output: Output<'_>) -> Result<()> {
    head(view, obsels, style, &mut output.bytes);
    let mut is_first = true;
    items(view, obsels, style, &mut output, &mut |output, _| {
        output.bytes.extend_from_slice(if is_first { b"\n" } else { b",\n" });
        is_first = false;
    })?;
    output.bytes.extend_from_slice(b"\n]}\n");
    output.flush()
}

/// Writes the obsels of a view one a line, none of which refers to another line for what it says.
///
/// # Errors
/// `Gone` if the writer fails; those of the store.
pub fn lines(view: &View, obsels: &Obsels, mut output: Output<'_>) -> Result<()> {
    let mut is_first = true;
    items(view, obsels, Style::Plain, &mut output, &mut |output, objects| {
        if !is_first {
            output.bytes.push(b'\n');
        }
        is_first = false;
        objects.forget_shared();
    })?;
    if !is_first {
        output.bytes.push(b'\n');
    }
    output.flush()
}

/// Writes the obsels of a view; `before` writes what comes before each.
fn items<'v>(
    view: &'v View,
    obsels: &'v Obsels,
    style: Style,
    output: &mut Output<'_>,
    before: &mut dyn FnMut(&mut Output<'_>, &mut Objects<'_>),
) -> Result<()> {
    let shortener = Shortener::new(&view.iri, view.model.as_deref(), false);
    let mut items = Items {
        obsels,
        shortener: &shortener,
        style,
        names: Memory::default(),
        has_mentions: obsels.has_mentions()?,
    };
    let mut objects = Objects::new(view, obsels, &shortener, style);
    let mut told = HashSet::new();
    obsels.for_each(&mut |obsel| {
        before(output, &mut objects);
        let mentions = if items.has_mentions {
            obsels.relations(obsel)?
        } else {
            Vec::new()
        };
        let beyond = if items.has_mentions && obsels.partial {
            obsels.beyond(obsel, &mut told)?
        } else {
            Vec::new()
        };
        let start = output.bytes.len();
        if !beyond.is_empty() || !items.flat(&mut output.bytes, obsel, &mentions)? {
            output.bytes.truncate(start);
            let object = objects.object(obsel, &mentions, &beyond, false)?;
            serde_json::to_writer(&mut output.bytes, &object).map_err(|e| Error::Internal(e.to_string()))?;
        }
        output.pass()
    })
}

fn head(view: &View, obsels: &Obsels, style: Style, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(b"{\"@context\":[");
    json_string(bytes, CONTEXT);
    if let Some(model) = &view.model {
        bytes.extend_from_slice(b",{\"m\":");
        json_string(bytes, &model_namespace(model));
        bytes.push(b'}');
    }
    bytes.extend_from_slice(b"],\n\"@id\":\"./\",\n\"hasObselList\":{\"@id\":\"\",\"@type\":");
    // The published context does not have the term for computed traces, which clients of JSON expect all the same.
    let local = obsels
        .collection_type
        .strip_prefix(KTBS)
        .unwrap_or(obsels.collection_type);
    if style == Style::Exact && obsels.collection_type == ktbs::COMPUTED_TRACE_OBSELS {
        json_string(bytes, &format!("k:{local}"));
    } else {
        json_string(bytes, local);
    }
    bytes.extend_from_slice(b"},\n\"obsels\":[");
}

/// Writes obsels that are flat.
struct Items<'v> {
    obsels: &'v Obsels,
    shortener: &'v Shortener,
    style: Style,
    names: Memory<Spelling>,
    has_mentions: bool,
}

/// A name, in all the places where it may stand. What is absent would be read as something else.
struct Spelling {
    /// As the value of `@id`, with its quotes.
    id: Option<Vec<u8>>,
    /// As the value of `@type`, with its quotes.
    vocab: Option<Vec<u8>>,
    /// As a key, with the comma before and the colon after.
    key: Option<Vec<u8>>,
    /// The property of the kTBS that it is, if it has a term.
    property: Option<&'static Property>,
    /// The datatype that it is.
    datatype: Datatype,
}

impl Spelling {
    fn new(iri: &str, shortener: &Shortener) -> Self {
        let quoted = |text: String| {
            let mut bytes = Vec::new();
            json_string(&mut bytes, &text);
            bytes
        };
        Self {
            id: shortener.id(iri).ok().map(quoted),
            vocab: shortener.vocab(iri).ok().map(quoted),
            key: shortener.key(iri).ok().map(|text| {
                let mut bytes = b",".to_vec();
                json_string(&mut bytes, &text);
                bytes.push(b':');
                bytes
            }),
            property: property_of(iri).map(|(_, property)| property),
            datatype: Datatype::of(iri),
        }
    }
}

/// `Some` if what had to be written was.
type Written = Option<()>;

impl Items<'_> {
    /// Writes an obsel, with the triples about it that stand elsewhere. Returns false, with anything written, if it
    /// is not flat, or if an IRI would be taken for a prefixed one.
    fn flat(&mut self, bytes: &mut Vec<u8>, obsel: &Obsel<'_>, mentions: &[Mention<'_>]) -> Result<bool> {
        let flat = obsel.blank_arcs.is_empty()
            && obsel.others.is_empty()
            && !mentions.iter().any(|it| it.outgoing)
            && !self.is_ambiguous(obsel)?
            && self.obsel(bytes, obsel, mentions)?.is_some();
        Ok(flat)
    }

    /// Tells whether a client could not tell some literals apart, so that [`Objects`] has to write them exactly.
    fn is_ambiguous(&mut self, obsel: &Obsel<'_>) -> Result<bool> {
        if self.style == Style::Exact {
            return Ok(false);
        }
        is_ambiguous(obsel, &mut |name| {
            Ok(spelling(&mut self.names, self.obsels, self.shortener, name)?.datatype)
        })
    }

    fn obsel(&mut self, bytes: &mut Vec<u8>, obsel: &Obsel<'_>, mentions: &[Mention<'_>]) -> Result<Written> {
        put(bytes, b"{\"@id\":");
        if self.id(bytes, Value::Obsel(obsel.id))?.is_none() {
            return Ok(None);
        }
        if !obsel.types.is_empty() {
            put(bytes, b",\"@type\":");
            let vocab = |items: &mut Self, bytes: &mut Vec<u8>, value| items.vocab(bytes, value);
            if self.list(bytes, &obsel.types, obsel.types.len() > 1, vocab)?.is_none() {
                return Ok(None);
            }
        }
        put(bytes, b",\"begin\":");
        integer(bytes, obsel.begin);
        put(bytes, b",\"end\":");
        integer(bytes, obsel.end);
        for arcs in obsel.arcs.chunk_by(|one, next| one.predicate == next.predicate) {
            if self.arcs(bytes, arcs)?.is_none() {
                return Ok(None);
            }
        }
        if self.reverse(bytes, mentions)?.is_none() {
            return Ok(None);
        }
        bytes.push(b'}');
        Ok(Some(()))
    }

    /// Writes the arcs of one predicate.
    fn arcs(&mut self, bytes: &mut Vec<u8>, arcs: &[Arc<'_>]) -> Result<Written> {
        let spelling = spelling(&mut self.names, self.obsels, self.shortener, arcs[0].predicate)?;
        let Some(property) = spelling.property else {
            let Some(key) = &spelling.key else { return Ok(None) };
            put(bytes, key);
            return self.list(bytes, arcs, arcs.len() > 1, |items, bytes, arc| {
                items.value(bytes, arc.object)
            });
        };
        let literals = arcs.iter().filter(|arc| is_literal(arc.object)).count();
        let term = match property.literal {
            Some(term) if literals == arcs.len() => term,
            Some(_) if literals > 0 => return Ok(None),
            _ => property.term,
        };
        put(bytes, b",\"");
        put(bytes, term.as_bytes());
        put(bytes, b"\":");
        let array = property.array || arcs.len() > 1;
        match property.coercion {
            Coercion::Id if literals == 0 => {
                // Where an obsel of the trace may be shown nowhere else, more has to be said of it.
                if self.obsels.partial && arcs.iter().any(|arc| matches!(arc.object, Value::Obsel(_))) {
                    return Ok(None);
                }
                self.list(bytes, arcs, array, |items, bytes, arc| items.id(bytes, arc.object))
            }
            Coercion::None | Coercion::Id if term != property.term || property.coercion == Coercion::None => {
                self.list(bytes, arcs, array, |items, bytes, arc| items.value(bytes, arc.object))
            }
            Coercion::DateTime => self.list(bytes, arcs, array, |items, bytes, arc| items.date(bytes, arc.object)),
            _ => Ok(None),
        }
    }

    /// Writes one value, or an array.
    fn list<T: Copy>(
        &mut self,
        bytes: &mut Vec<u8>,
        values: &[T],
        array: bool,
        write: impl Fn(&mut Self, &mut Vec<u8>, T) -> Result<Written>,
    ) -> Result<Written> {
        if array {
            bytes.push(b'[');
        }
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                bytes.push(b',');
            }
            if write(self, bytes, *value)?.is_none() {
                return Ok(None);
            }
        }
        if array {
            bytes.push(b']');
        }
        Ok(Some(()))
    }

    /// Writes a value of which the context says nothing.
    fn value(&mut self, bytes: &mut Vec<u8>, value: Value<'_>) -> Result<Written> {
        match value {
            Value::String(lexical) => json_string(bytes, lexical),
            Value::Tagged(lexical, language) => {
                bytes.extend_from_slice(b"{\"@value\":");
                json_string(bytes, lexical);
                bytes.extend_from_slice(b",\"@language\":");
                json_string(bytes, language);
                bytes.push(b'}');
            }
            Value::Typed(lexical, datatype) => {
                let datatype = spelling(&mut self.names, self.obsels, self.shortener, datatype)?;
                match form(lexical, datatype.datatype, self.style) {
                    Form::Number(number) => put(bytes, number.as_bytes()),
                    Form::Boolean(true) => bytes.extend_from_slice(b"true"),
                    Form::Boolean(false) => bytes.extend_from_slice(b"false"),
                    Form::String => json_string(bytes, lexical),
                    Form::Object => return Ok(typed(bytes, lexical, datatype)),
                }
            }
            Value::Obsel(id) => {
                put(bytes, b"{\"@id\":");
                if self.id(bytes, value)?.is_none() {
                    return Ok(None);
                }
                if self.obsels.is_obsel(id)? {
                    bytes.extend_from_slice(b",\"hasTrace\":\"./\"");
                }
                bytes.push(b'}');
            }
            Value::BelowRoot(_) | Value::Named(_) | Value::Iri(_) => {
                put(bytes, b"{\"@id\":");
                if self.id(bytes, value)?.is_none() {
                    return Ok(None);
                }
                bytes.push(b'}');
            }
            Value::Blank(_) => return Ok(None),
        }
        Ok(Some(()))
    }

    /// Writes a value of a term whose values are dates.
    fn date(&mut self, bytes: &mut Vec<u8>, value: Value<'_>) -> Result<Written> {
        let Value::Typed(lexical, datatype) = value else {
            return Ok(None);
        };
        let datatype = spelling(&mut self.names, self.obsels, self.shortener, datatype)?;
        if datatype.datatype != Datatype::DateTime {
            return Ok(typed(bytes, lexical, datatype));
        }
        json_string(bytes, lexical);
        Ok(Some(()))
    }

    /// Writes an IRI as the value of `@id`, with its quotes.
    fn id(&mut self, bytes: &mut Vec<u8>, value: Value<'_>) -> Result<Written> {
        let iri = match value {
            Value::Named(name) => {
                let spelling = spelling(&mut self.names, self.obsels, self.shortener, name)?;
                return Ok(spelling.id.as_ref().map(|id| put(bytes, id)));
            }
            Value::Obsel(id) => {
                bytes.push(b'"');
                if Base::put_name(bytes, id) {
                    bytes.push(b'"');
                    return Ok(Some(()));
                }
                bytes.pop();
                self.obsels.trace.clone() + id
            }
            Value::BelowRoot(rest) => self.obsels.root().to_owned() + rest,
            Value::Iri(iri) => iri.to_owned(),
            _ => return Ok(None),
        };
        Ok(self.shortener.id(&iri).ok().map(|id| json_string(bytes, &id)))
    }

    /// Writes an IRI as the value of `@type`, with its quotes.
    fn vocab(&mut self, bytes: &mut Vec<u8>, value: Value<'_>) -> Result<Written> {
        let iri = match value {
            Value::Named(name) => {
                let spelling = spelling(&mut self.names, self.obsels, self.shortener, name)?;
                return Ok(spelling.vocab.as_ref().map(|vocab| put(bytes, vocab)));
            }
            Value::Obsel(id) => self.obsels.trace.clone() + id,
            Value::BelowRoot(rest) => self.obsels.root().to_owned() + rest,
            Value::Iri(iri) => iri.to_owned(),
            _ => return Ok(None),
        };
        Ok(self.shortener.vocab(&iri).ok().map(|vocab| json_string(bytes, &vocab)))
    }

    /// Writes what other obsels say of one.
    fn reverse(&mut self, bytes: &mut Vec<u8>, mentions: &[Mention<'_>]) -> Result<Written> {
        if mentions.is_empty() {
            return Ok(Some(()));
        }
        bytes.extend_from_slice(b",\"@reverse\":{");
        for (at, group) in mentions
            .chunk_by(|one, next| one.predicate == next.predicate)
            .enumerate()
        {
            let spelling = spelling(&mut self.names, self.obsels, self.shortener, group[0].predicate)?;
            let Some(key) = &spelling.key else { return Ok(None) };
            bytes.extend_from_slice(&key[usize::from(at == 0)..]);
            let other = |items: &mut Self, bytes: &mut Vec<u8>, mention: Mention<'_>| {
                put(bytes, b"{\"@id\":");
                let written = items.id(bytes, Value::Obsel(mention.other))?;
                bytes.extend_from_slice(b",\"hasTrace\":\"./\"}");
                Ok(written)
            };
            if self.list(bytes, group, group.len() > 1, other)?.is_none() {
                return Ok(None);
            }
        }
        bytes.push(b'}');
        Ok(Some(()))
    }
}

fn typed(bytes: &mut Vec<u8>, lexical: &str, datatype: &Spelling) -> Written {
    bytes.extend_from_slice(b"{\"@value\":");
    json_string(bytes, lexical);
    put(bytes, b",\"@type\":");
    bytes.extend_from_slice(datatype.vocab.as_ref()?);
    bytes.push(b'}');
    Some(())
}

#[inline]
fn spelling<'n>(
    names: &'n mut Memory<Spelling>,
    obsels: &Obsels,
    shortener: &Shortener,
    name: Name,
) -> Result<&'n Spelling> {
    names.get(name, || Ok(Spelling::new(&obsels.iri(name)?, shortener)))
}

fn is_literal(value: Value<'_>) -> bool {
    matches!(value, Value::String(_) | Value::Tagged(..) | Value::Typed(..))
}

#[cfg(test)]
mod test {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::format::WriteView;
    use crate::format::json::{write, write_simple};
    use crate::format::sample::{Ktbs, OBSELS, TRACE, read_json, views, written};

    fn document(write: WriteView, view: &View) -> Json {
        serde_json::from_slice(&written(write, view)).expect("it is JSON")
    }

    fn collection_of(obsels: Json) -> Json {
        json!({
            "@context": [CONTEXT, {"m": "http://h/b/model#"}],
            "@id": "./",
            "hasObselList": {"@id": "", "@type": "StoredTraceObsels"},
            "obsels": obsels,
        })
    }

    #[test]
    fn an_empty_collection() {
        let view = Ktbs::with("").view("@obsels", &[]);
        assert_eq!(document(write, &view), collection_of(json!([])));
    }

    #[test]
    fn relations_are_told_from_attributes() {
        let ktbs = Ktbs::with(
            "<o1> a m:A, x:T ; k:hasTrace <> ; k:hasBegin 1 ; k:hasSubject \"al\\\"ice\" ; k:hasSourceObsel x:s .
            <o2> a k:Obsel ; k:hasTrace <> ; k:hasBegin 2 ; k:hasEnd 3 ; k:hasSubject x:bob ; m:on <o1>, <../c/> ;
                k:hasBeginDT \"1970-01-01T00:00:02Z\"^^xsd:dateTime ; skos:prefLabel \"two\", \"deux\"@fr .
            <o3> a m:A ; k:hasTrace <> ; k:hasBegin 4 ; m:on <o1> ; m:at [ a m:P ; m:x 1 ; m:in [ m:y 2 ] ] .",
        );
        let o1 = json!({"@id": "o1", "@type": ["m:A", "http://example.org/T"], "begin": 1, "end": 1,
            "subject": "al\"ice", "hasSourceObsel": ["http://example.org/s"],
            "@reverse": {"m:on": [{"@id": "o2", "hasTrace": "./"}, {"@id": "o3", "hasTrace": "./"}]}});
        let o2 = json!({"@id": "o2", "@type": "Obsel", "begin": 2, "end": 3, "beginDT": "1970-01-01T00:00:02Z",
            "hasSubject": "http://example.org/bob", "m:on": [{"@id": "o1", "hasTrace": "./"}, {"@id": "../c/"}],
            "skos:prefLabel": ["two", {"@value": "deux", "@language": "fr"}]});
        let o3 = json!({"@id": "o3", "@type": "m:A", "begin": 4, "end": 4, "m:on": {"@id": "o1", "hasTrace": "./"},
            "m:at": {"@type": "m:P", "m:x": 1, "m:in": {"m:y": 2}}});
        for write in [write as WriteView, write_simple] {
            assert_eq!(
                document(write, &ktbs.view("@obsels", &[])),
                collection_of(json!([o1, o2, o3]))
            );
            assert_eq!(
                document(write, &ktbs.view("@obsels", &[("minb", "4")])),
                collection_of(json!([o3]))
            );
        }
        let alone = json!({"@context": [CONTEXT, {"m": "http://h/b/model#"}], "@id": "http://h/b/t/o2",
            "@type": "Obsel", "hasTrace": "./", "begin": 2, "end": 3, "hasSubject": "http://example.org/bob",
            "beginDT": "1970-01-01T00:00:02Z", "m:on": [{"@id": "o1", "hasTrace": "./"}, {"@id": "../c/"}],
            "label": "two", (super::super::description::LABELS): [{"@value": "deux", "@language": "fr"}]});
        assert_eq!(document(write, &ktbs.view("o2", &[])), alone);
    }

    #[test]
    fn simple_json_has_values_where_json_ld_has_literals() {
        let ktbs = Ktbs::with(
            "<o1> a m:A ; k:hasTrace <> ; k:hasBegin 1 ; m:float \"0.25\"^^xsd:float ; m:decimal 2.50 ; m:double 1.5e3 ;
                m:half 0.5e0 ; m:date \"2017-02-28\"^^xsd:date ; m:big 123456789012345678901234567890 ;
                m:odd \"r2\"^^x:droid ; m:yes true ; m:nan \"NaN\"^^xsd:double .",
        );
        let view = ktbs.view("@obsels", &[]);
        let nan = json!({"@value": "NaN", "@type": "xsd:double"});
        let big: Json = serde_json::from_str("123456789012345678901234567890").expect("a number");
        let simple = json!({"@id": "o1", "@type": "m:A", "begin": 1, "end": 1, "m:float": "0.25", "m:half": 0.5,
            "m:date": "2017-02-28", "m:big": big, "m:odd": "r2", "m:yes": true, "m:nan": nan});
        let found = &document(write_simple, &view)["obsels"][0];
        for (key, value) in simple.as_object().expect("an object") {
            let same = found[key] == *value || found[key].as_f64().is_some() && found[key].as_f64() == value.as_f64();
            assert!(same, "{key}: {}", found[key]);
        }
        assert_eq!(
            (found["m:decimal"].as_f64(), found["m:double"].as_f64()),
            (Some(2.5), Some(1500.0))
        );
        let exact = &document(write, &view)["obsels"][0];
        for (key, lexical, datatype) in [
            ("m:float", "0.25", "xsd:float"),
            ("m:decimal", "2.50", "xsd:decimal"),
            ("m:double", "1.5e3", "xsd:double"),
            ("m:date", "2017-02-28", "xsd:date"),
            ("m:big", "123456789012345678901234567890", "xsd:integer"),
            ("m:odd", "r2", "http://example.org/droid"),
        ] {
            assert_eq!(exact[key], json!({"@value": lexical, "@type": datatype}), "{key}");
        }
    }

    #[test]
    fn simple_json_is_json_ld_as_well() {
        let ktbs = Ktbs::with(OBSELS);
        for view in views(&ktbs) {
            let bytes = written(write_simple, &view);
            let exact = written(write, &view);
            assert_eq!(read_json(&view.iri, &bytes).len(), read_json(&view.iri, &exact).len());
        }
    }

    #[test]
    fn flat_obsels_are_written_as_the_others_are() {
        let ktbs = Ktbs::with(OBSELS);
        ktbs.post(
            TRACE,
            "<o8> a m:A ; k:hasTrace <> ; k:hasBegin 10 ; m:rel <o1> ; m:v \"\\t\", 0.5e0, x:y .",
        );
        let view = ktbs.view("@obsels", &[]);
        let crate::resource::view::Content::Obsels(obsels) = &view.content else {
            panic!("obsels")
        };
        let shortener = Shortener::new(&view.iri, view.model.as_deref(), false);
        for style in [Style::Exact, Style::Plain] {
            let mut items = Items {
                obsels,
                shortener: &shortener,
                style,
                names: Memory::default(),
                has_mentions: true,
            };
            let mut objects = Objects::new(&view, obsels, &shortener, style);
            let mut flat = 0;
            obsels
                .for_each(&mut |obsel| {
                    let relations = obsels.relations(obsel)?;
                    let mut bytes = Vec::new();
                    if items.flat(&mut bytes, obsel, &relations)? {
                        flat += 1;
                        let found: Json = serde_json::from_slice(&bytes).expect("it is JSON");
                        let object = serde_json::to_vec(&objects.object(obsel, &relations, &[], false)?).expect("JSON");
                        let expected: Json = serde_json::from_slice(&object).expect("it is JSON");
                        assert_eq!(found, expected);
                    }
                    Ok(())
                })
                .expect("the store can be read");
            assert!(flat >= 3, "{flat}");
        }
    }
}
