//! Obsels on a map (RFC 7946; kTBS documentation, "GeoJSON").

use std::io::{Read, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

use crate::error::{Error, Result};
use crate::format::Prefixes;
use crate::format::output::{Memory, Output, integer, json_string};
use crate::obsel::{Obsel, Value};
use crate::resource::View;
use crate::resource::view::{Content, Obsels};
use crate::vocab::ktbs;

const LATITUDE: &str = "http://www.w3.org/2003/01/geo/wgs84_pos#lat";
const LONGITUDE: &str = "http://www.w3.org/2003/01/geo/wgs84_pos#long";

/// How much of what is to be sorted is kept in memory, in bytes; what is beyond is in an unlinked file.
const IN_MEMORY: usize = 4 << 20;

/// Writes the obsels that have a latitude and a longitude (`geo:lat`, `geo:long`) as points, in the order of their
/// begins. Those whose coordinates are not numbers are left out.
///
/// # Errors
/// `Serialize` if the view is not one of obsels; `Gone` if the writer fails; those of the store.
pub fn write(view: &View, _prefixes: &Prefixes, out: &mut dyn Write) -> Result<()> {
    let Content::Obsels(obsels) = &view.content else {
        return Err(Error::Serialize("only obsels can be written as GeoJSON".to_owned()));
    };
    let mut output = Output::new(out);
    output
        .bytes
        .extend_from_slice(b"{\"type\":\"FeatureCollection\",\"features\":[");
    let mut features = Features {
        obsels,
        roles: Memory::default(),
    };
    if is_sorted(obsels)? {
        let mut first = true;
        obsels.for_each(&mut |obsel| {
            if let Some(position) = features.position(obsel)? {
                output.bytes.extend_from_slice(if first { b"\n" } else { b",\n" });
                first = false;
                features.feature(&mut output.bytes, obsel, position)?;
            }
            output.pass()
        })?;
    } else {
        features.sorted(&mut output)?;
    }
    output.bytes.extend_from_slice(b"\n]}\n");
    output.flush()
}

/// Tells whether the order of the trace, which is that of the ends, is that of the begins too, as it is where obsels have no
/// duration.
fn is_sorted(obsels: &Obsels) -> Result<bool> {
    let (mut last, mut is_sorted) = (i64::MIN, true);
    obsels.for_each(&mut |obsel| {
        is_sorted &= obsel.begin >= last;
        last = obsel.begin;
        Ok(())
    })?;
    Ok(is_sorted)
}

/// Longitude, latitude: the order of GeoJSON.
type Position = [f64; 2];

struct Features<'v> {
    obsels: &'v Obsels,
    roles: Memory<Role>,
}

/// What a predicate tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Longitude,
    Latitude,
    Subject,
    Other,
}

impl Features<'_> {
    /// Returns what a function makes of the first object of a predicate from which it makes anything.
    fn find<'t, T>(
        &mut self,
        obsel: &Obsel<'t>,
        role: Role,
        make: impl Fn(Value<'t>) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        for arc in &obsel.arcs {
            let obsels = self.obsels;
            let found = self.roles.get(arc.predicate, || {
                Ok(match &*obsels.iri(arc.predicate)? {
                    LONGITUDE => Role::Longitude,
                    LATITUDE => Role::Latitude,
                    ktbs::HAS_SUBJECT => Role::Subject,
                    _ => Role::Other,
                })
            })?;
            if *found == role
                && let Some(made) = make(arc.object)?
            {
                return Ok(Some(made));
            }
        }
        Ok(None)
    }

    fn position(&mut self, obsel: &Obsel<'_>) -> Result<Option<Position>> {
        let mut position = [0.0; 2];
        for (coordinate, role) in position.iter_mut().zip([Role::Longitude, Role::Latitude]) {
            match self.find(obsel, role, |object| Ok(coordinate_of(object)))? {
                Some(number) => *coordinate = number,
                None => return Ok(None),
            }
        }
        Ok(Some(position))
    }

    /// Writes the features in the order of their begins, which is not that in which they are read.
    fn sorted(&mut self, output: &mut Output<'_>) -> Result<()> {
        let failure = |error: std::io::Error| Error::Store(error.into());
        let mut kept = SpooledTempFile::new(IN_MEMORY);
        let mut places: Vec<(i64, u64, usize)> = Vec::new();
        let mut offset = 0;
        let mut bytes = Vec::new();
        let obsels = self.obsels;
        obsels.for_each(&mut |obsel| {
            if let Some(position) = self.position(obsel)? {
                bytes.clear();
                self.feature(&mut bytes, obsel, position)?;
                kept.write_all(&bytes).map_err(failure)?;
                places.push((obsel.begin, offset, bytes.len()));
                offset += bytes.len() as u64;
            }
            Ok(())
        })?;
        // Those that begin together stay in the order of the trace.
        places.sort_unstable();
        for (rank, (_, offset, length)) in places.into_iter().enumerate() {
            output.bytes.extend_from_slice(if rank == 0 { b"\n" } else { b",\n" });
            bytes.resize(length, 0);
            kept.seek(SeekFrom::Start(offset)).map_err(failure)?;
            kept.read_exact(&mut bytes).map_err(failure)?;
            output.bytes.extend_from_slice(&bytes);
            output.pass()?;
        }
        Ok(())
    }

    fn feature(&mut self, bytes: &mut Vec<u8>, obsel: &Obsel<'_>, [longitude, latitude]: Position) -> Result<()> {
        let geometry = format!("{{\"type\":\"Point\",\"coordinates\":[{longitude:?},{latitude:?}]}}");
        bytes.extend_from_slice(b"{\"type\":\"Feature\",\"geometry\":");
        bytes.extend_from_slice(geometry.as_bytes());
        bytes.extend_from_slice(b",\"properties\":{\"begin\":");
        integer(bytes, obsel.begin);
        bytes.extend_from_slice(b",\"end\":");
        integer(bytes, obsel.end);
        let obsels = self.obsels;
        let subject = self.find(obsel, Role::Subject, |object| text(obsels, object))?;
        if let Some(subject) = subject {
            bytes.extend_from_slice(b",\"subject\":");
            json_string(bytes, &subject);
        }
        bytes.extend_from_slice(b"}}");
        Ok(())
    }
}

/// Returns a finite number (JSON has no other), written in any datatype or none.
fn coordinate_of(object: Value<'_>) -> Option<f64> {
    match object {
        Value::String(text) | Value::Typed(text, _) => text.trim().parse::<f64>().ok().filter(|it| it.is_finite()),
        _ => None,
    }
}

/// Returns the text of a literal or an IRI; a blank node has none.
fn text(obsels: &Obsels, object: Value<'_>) -> Result<Option<String>> {
    Ok(match object {
        Value::Blank(_) => None,
        Value::Obsel(id) => Some(obsels.trace.clone() + id),
        Value::BelowRoot(rest) => Some(obsels.root().to_owned() + rest),
        Value::Named(name) => Some(obsels.iri(name)?.to_string()),
        Value::Iri(text) | Value::String(text) | Value::Tagged(text, _) | Value::Typed(text, _) => {
            Some(text.to_owned())
        }
    })
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::format::sample::{Ktbs, TRACE, any_iri, any_literal, written};
    use crate::rdf::{Graph, as_iri, as_literal, integer as number, iri};
    use crate::vocab::rdf;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn whatever_the_values_it_is_json(
            latitude in any_literal(false),
            longitude in "[-+]?[0-9]{1,3}(\\.[0-9]{0,2})?([eE][-+]?[0-9]{1,3})?".prop_map(crate::rdf::string),
            subject in prop_oneof![any_literal(false), any_iri()],
        ) {
            let obsel = iri(format!("{TRACE}o"));
            let mut graph = Graph::new();
            for (property, value) in [
                (rdf::TYPE, &iri(ktbs::OBSEL)),
                (ktbs::HAS_TRACE, &iri(TRACE)),
                (ktbs::HAS_BEGIN, &number(1)),
                (ktbs::HAS_SUBJECT, &subject),
                (LATITUDE, &latitude),
                (LONGITUDE, &longitude),
            ] {
                graph.insert(&obsel, &iri(property), value);
            }
            let ktbs = Ktbs::with("");
            ktbs.post_graph(TRACE, graph);
            let bytes = written(write, &ktbs.view("@obsels", &[]));
            let read: Value = serde_json::from_slice(&bytes).expect("it is JSON");
            for feature in read["features"].as_array().expect("an array") {
                prop_assert_eq!(feature["properties"]["subject"].as_str(), as_iri(&subject).or(as_literal(&subject)));
                let coordinates = feature["geometry"]["coordinates"].as_array().expect("an array");
                prop_assert!(coordinates.len() == 2 && coordinates.iter().all(Value::is_number));
            }
        }
    }

    #[test]
    fn obsels_with_coordinates_are_points() {
        let geo = "http://www.w3.org/2003/01/geo/wgs84_pos#";
        let ktbs = Ktbs::with(&format!(
            "<a> a m:E ; k:hasTrace <> ; k:hasBegin 1 ; k:hasSubject \"f\\\"oo\" ; <{geo}lat> 45.81 ; <{geo}long> \"4.8291\" .
            <b> a m:E ; k:hasTrace <> ; k:hasBegin 2 ; k:hasSubject x:bob ; <{geo}lat> 45, \"north\" ; <{geo}long> -4.5e0 .
            <c> a m:E ; k:hasTrace <> ; k:hasBegin 3 ; <{geo}lat> 45.81 .
            <d> a m:E ; k:hasTrace <> ; k:hasBegin 4 ; <{geo}lat> \"north\" ; <{geo}long> \"NaN\"^^xsd:double ."
        ));
        let bytes = written(write, &ktbs.view("@obsels", &[]));
        let point = |longitude: f64, latitude: f64, properties: Value| {
            json!({"type": "Feature", "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
                "properties": properties})
        };
        let expected = json!({"type": "FeatureCollection", "features": [
            point(4.8291, 45.81, json!({"begin": 1, "end": 1, "subject": "f\"oo"})),
            point(-4.5, 45.0, json!({"begin": 2, "end": 2, "subject": "http://example.org/bob"})),
        ]});
        assert_eq!(serde_json::from_slice::<Value>(&bytes).expect("it is JSON"), expected);
        ktbs.post(
            TRACE,
            &format!("<e> a m:E ; k:hasTrace <> ; k:hasBegin 0 ; k:hasEnd 9 ; <{geo}lat> 1 ; <{geo}long> 2 ."),
        );
        let bytes = written(write, &ktbs.view("@obsels", &[]));
        let read: Value = serde_json::from_slice(&bytes).expect("it is JSON");
        let begins = read["features"].as_array().expect("an array").iter();
        let begins: Vec<_> = begins.map(|feature| feature["properties"]["begin"].as_i64()).collect();
        assert_eq!(begins, [Some(0), Some(1), Some(2)]);
        let nothing = written(write, &ktbs.view("@obsels", &[("minb", "9")]));
        let expected = json!({"type": "FeatureCollection", "features": []});
        assert_eq!(serde_json::from_slice::<Value>(&nothing).expect("it is JSON"), expected);
    }
}
