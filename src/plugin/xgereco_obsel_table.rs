//! Obsels as a table in HTML, `x-gereco/table`, for the consoles that show it (kTBS documentation, "plugins").

use super::{NOTHING, Steps};
use crate::format::{Offer, TABLES};
use crate::resource::Shape;

/// What the plugin does.
pub const STEPS: Steps = Steps { offers, ..NOTHING };

fn offers(shape: Shape) -> &'static [Offer] {
    match shape {
        Shape::Obsels | Shape::Obsel => &TABLES,
        _ => &[],
    }
}
