//! Obsels on a map (RFC 7946; kTBS documentation, "GeoJSON").

use std::io::Write;

use crate::error::{Error, Result};
use crate::format::Prefixes;
use crate::format::output::{Memory, Output, integer, json_string};
use crate::obsel::{Obsel, Value};
use crate::resource::View;
use crate::resource::view::{Content, Obsels};
use crate::vocab::ktbs;

const LATITUDE: &str = "http://www.w3.org/2003/01/geo/wgs84_pos#lat";
const LONGITUDE: &str = "http://www.w3.org/2003/01/geo/wgs84_pos#long";

/// Writes the obsels that have a latitude and a longitude (`geo:lat`, `geo:long`) as points, in the order of the
/// trace. Those whose coordinates are not numbers are left out.
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
    let mut first = true;
    obsels.for_each(&mut |obsel| {
        if let Some(position) = features.position(obsel)? {
            output.bytes.extend_from_slice(if first { b"\n" } else { b",\n" });
            first = false;
            features.feature(&mut output.bytes, obsel, position)?;
        }
        output.pass()
    })?;
    output.bytes.extend_from_slice(b"\n]}\n");
    output.flush()
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
    /// Returns the first object of a predicate.
    fn object<'t>(&mut self, obsel: &Obsel<'t>, role: Role) -> Result<Option<Value<'t>>> {
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
            if *found == role {
                return Ok(Some(arc.object));
            }
        }
        Ok(None)
    }

    fn position(&mut self, obsel: &Obsel<'_>) -> Result<Option<Position>> {
        let mut position = [0.0; 2];
        for (coordinate, role) in position.iter_mut().zip([Role::Longitude, Role::Latitude]) {
            let number = match self.object(obsel, role)? {
                Some(Value::String(text) | Value::Typed(text, _)) => text.trim().parse::<f64>().ok(),
                _ => None,
            };
            match number.filter(|it| it.is_finite()) {
                Some(number) => *coordinate = number,
                None => return Ok(None),
            }
        }
        Ok(Some(position))
    }

    fn feature(&mut self, bytes: &mut Vec<u8>, obsel: &Obsel<'_>, [longitude, latitude]: Position) -> Result<()> {
        let geometry = format!("{{\"type\":\"Point\",\"coordinates\":[{longitude:?},{latitude:?}]}}");
        bytes.extend_from_slice(b"{\"type\":\"Feature\",\"geometry\":");
        bytes.extend_from_slice(geometry.as_bytes());
        bytes.extend_from_slice(b",\"properties\":{\"begin\":");
        integer(bytes, obsel.begin);
        bytes.extend_from_slice(b",\"end\":");
        integer(bytes, obsel.end);
        let subject = match self.object(obsel, Role::Subject)? {
            None | Some(Value::Blank(_)) => None,
            Some(Value::Obsel(id)) => Some(self.obsels.trace.clone() + id),
            Some(Value::BelowRoot(rest)) => Some(self.obsels.root().to_owned() + rest),
            Some(Value::Named(name)) => Some(self.obsels.iri(name)?.to_string()),
            Some(Value::Iri(text) | Value::String(text) | Value::Tagged(text, _) | Value::Typed(text, _)) => {
                Some(text.to_owned())
            }
        };
        if let Some(subject) = subject {
            bytes.extend_from_slice(b",\"subject\":");
            json_string(bytes, &subject);
        }
        bytes.extend_from_slice(b"}}");
        Ok(())
    }
}

#[cfg(test)]
mod test {
    use serde_json::{Value, json};

    use super::*;
    use crate::format::sample::{Ktbs, written};

    #[test]
    fn obsels_with_coordinates_are_points() {
        let geo = "http://www.w3.org/2003/01/geo/wgs84_pos#";
        let ktbs = Ktbs::with(&format!(
            "<a> a m:E ; k:hasTrace <> ; k:hasBegin 1 ; k:hasSubject \"f\\\"oo\" ; <{geo}lat> 45.81 ; <{geo}long> \"4.8291\" .
            <b> a m:E ; k:hasTrace <> ; k:hasBegin 2 ; k:hasSubject x:bob ; <{geo}lat> 45 ; <{geo}long> -4.5e0 .
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
        let nothing = written(write, &ktbs.view("@obsels", &[("minb", "9")]));
        let expected = json!({"type": "FeatureCollection", "features": []});
        assert_eq!(serde_json::from_slice::<Value>(&nothing).expect("it is JSON"), expected);
    }
}
