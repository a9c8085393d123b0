//! Computed traces: those that a method makes from others (kTBS documentation, "computed trace").

use crate::error::{Error, Result};
use crate::resource::draft::Draft;
use crate::resource::{Row, trace};
use crate::store::{Kind, Reading};
use crate::vocab::ktbs;

use super::view::Shape;

pub(super) static ROW: Row = Row {
    folder: true,
    star: true,
    uses: &[ktbs::HAS_SOURCE, ktbs::HAS_METHOD],
    complete,
    generate: trace::generate,
    check_deletable: trace::check_deletable,
    ..Row::new(Kind::ComputedTrace, ktbs::COMPUTED_TRACE, Shape::Trace)
};

fn complete(_draft: &mut Draft, _reading: &dyn Reading) -> Result<()> {
    let message = "Computed traces are not part of this version; traces can be stored, not computed";
    Err(Error::NotImplemented(message.to_owned()))
}
