//! Collections of obsels in JSON, written as they are read.
//!
//! Nearly all obsels are a flat list of values: these are written without building anything ([`super::flat`]). The
//! others, with blank nodes or with triples about something else, go through [`super::obsel`], which builds an object.

use std::collections::HashSet;

use super::flat::Flat;
use super::obsel::Objects;
use super::shorten::Shortener;
use super::value::Style;
use crate::error::{Error, Result};
use crate::format::output::{Output, json_string};
use crate::format::prefixes::model_namespace;
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
    let mut flat = Flat::new(obsels, &shortener, style);
    let mut objects = Objects::new(view, obsels, &shortener, style);
    let has_mentions = obsels.has_mentions()?;
    let mut told = HashSet::new();
    obsels.for_each_row(&mut |row| {
        before(output, &mut objects);
        let (mut mentions, mut beyond) = (Vec::new(), Vec::new());
        if has_mentions {
            mentions = obsels.relations(row.id)?;
            if obsels.partial {
                beyond = obsels.beyond(row.obsel()?, &mut told)?;
            }
        }
        let start = output.bytes.len();
        if !beyond.is_empty() || flat.write(&mut output.bytes, row, &mentions)?.is_none() {
            output.bytes.truncate(start);
            let object = objects.object(row.obsel()?, &mentions, &beyond, false)?;
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

#[cfg(test)]
mod test {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::format::WriteView;
    use crate::format::json::{write, write_simple};
    use crate::format::sample::{Ktbs, OBSELS, TRACE, any_flat_obsels, read_json, views, written};
    use crate::resource::view::{Content, Row};

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

    /// Compares the flat obsels of a trace with what is built for the others; returns how many there are.
    fn compare(view: &View) -> usize {
        let Content::Obsels(obsels) = &view.content else {
            panic!("obsels")
        };
        let shortener = Shortener::new(&view.iri, view.model.as_deref(), false);
        let mut count = 0;
        for style in [Style::Exact, Style::Plain] {
            let mut flat = Flat::new(obsels, &shortener, style);
            let mut objects = Objects::new(view, obsels, &shortener, style);
            let mut compare = |row: &mut Row<'_>| {
                let relations = obsels.relations(row.id)?;
                let (mut bytes, mut drafted) = (Vec::new(), Vec::new());
                let is_flat = flat.write(&mut bytes, row, &relations)?.is_some();
                let first = Flat::new(obsels, &shortener, style).write(&mut drafted, row, &relations)?;
                assert_eq!(is_flat, first.is_some());
                if is_flat {
                    count += 1;
                    assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&drafted));
                    let found: Json = serde_json::from_slice(&bytes).expect("it is JSON");
                    let object = objects.object(row.obsel()?, &relations, &[], false)?;
                    let object = serde_json::to_vec(&object).expect("JSON");
                    let expected: Json = serde_json::from_slice(&object).expect("it is JSON");
                    assert_eq!(found, expected);
                }
                Ok(())
            };
            obsels.for_each_row(&mut compare).expect("the store can be read");
        }
        count
    }

    #[test]
    fn flat_obsels_are_written_as_the_others_are() {
        let ktbs = Ktbs::with(OBSELS);
        ktbs.post(
            TRACE,
            "<o8> a m:A ; k:hasTrace <> ; k:hasBegin 10 ; m:rel <o1> ; m:v \"\\t\", 0.5e0, x:y .",
        );
        assert!(compare(&ktbs.view("@obsels", &[])) >= 6);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_flat_obsels_are_written_as_the_others_are(related: bool, (one, other) in (any_flat_obsels(true), any_flat_obsels(false))) {
            let ktbs = Ktbs::with("");
            ktbs.post_graph(TRACE, if related { one } else { other });
            compare(&ktbs.view("@obsels", &[]));
            compare(&ktbs.view("@obsels", &[("minb", "2"), ("maxb", "30")]));
        }
    }
}
