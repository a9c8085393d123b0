//! Data graphs: any triples, but for `k:` properties of the graph itself (kTBS documentation, "data graph").

use crate::error::Result;
use crate::resource::draft::Draft;
use crate::resource::{Row, Settings, reserved};
use crate::store::{Kind, Reading};
use crate::vocab::ktbs;

use super::access::Needs;
use super::view::Shape;

pub(super) static ROW: Row = Row {
    check,
    ..Row::new(Kind::DataGraph, ktbs::DATA_GRAPH, Shape::DataGraph, Needs::USUAL)
};

fn check(draft: &Draft, _reading: &dyn Reading, _settings: &Settings) -> Result<Vec<String>> {
    Ok(reserved::check(draft, &[]))
}
