//! Out (skeleton).

use std::io::Write;

use crate::error::Result;
use crate::format::Prefixes;
use crate::resource::View;

/// Writes a view.
pub fn write(_view: &View, _prefixes: &Prefixes, _out: &mut dyn Write) -> Result<()> {
    todo!()
}
