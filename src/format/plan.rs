//! Plans: how the flat obsels of one layout are written.
//!
//! A serializer *drafts* how it writes an obsel: pieces of bytes, and between them holes, each with what it takes to fill it.
//! The pieces follow from the layout alone, so that the draft of one obsel is the plan for all those of its layout:
//! they are written by copying pieces and filling holes with their own texts.

use crate::error::{Error, Result};
use crate::format::output::integer;
use crate::obsel::Obsel;
use crate::resource::view::Row;

/// `Some` if what had to be written was.
pub type Written = Option<()>;

/// A serializer that works by plans.
pub trait Planner {
    /// How a hole is filled with a text.
    type Fill: Copy;

    /// Drafts how a flat obsel is written; `None` if it cannot be: then no obsel of its layout can. Pieces and holes must not
    /// depend on the texts.
    ///
    /// # Errors
    /// Those of the store.
    fn draft<'t>(&mut self, draft: &mut Draft<'t, Self::Fill>, obsel: &Obsel<'t>) -> Result<Written>;

    /// Fills a hole with a text, which is UTF-8 unless the store is damaged; `None`, with anything written, if this one cannot be
    /// written there: then the obsel must be written otherwise.
    ///
    /// # Errors
    /// Those of the store.
    fn fill(&mut self, bytes: &mut Vec<u8>, fill: Self::Fill, text: &[u8]) -> Result<Written>;
}

/// Returns a text as such, for what does more than copy it.
///
/// # Errors
/// `Internal` if it is not UTF-8.
pub fn utf8(text: &[u8]) -> Result<&str> {
    std::str::from_utf8(text).map_err(|_| Error::Internal("a text of the store is not UTF-8".to_owned()))
}

/// What is being drafted: pieces of bytes, and holes between them.
pub struct Draft<'t, F> {
    /// The bytes of the present piece.
    pub bytes: Vec<u8>,
    steps: Vec<Step<F>>,
    texts: Vec<&'t [u8]>,
}

impl<'t, F: Copy> Draft<'t, F> {
    fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(64),
            steps: Vec::with_capacity(16),
            texts: Vec::with_capacity(16),
        }
    }

    /// Leaves a hole for the id of the obsel.
    pub fn id(&mut self, fill: F) {
        self.hole(Hole::Id(fill));
    }

    /// Leaves a hole for its begin, in decimal.
    pub fn begin(&mut self) {
        self.hole(Hole::Begin);
    }

    /// Leaves a hole for its end, in decimal.
    pub fn end(&mut self) {
        self.hole(Hole::End);
    }

    /// Leaves a hole for one of its texts.
    pub fn text(&mut self, fill: F, text: &'t str) {
        self.hole(Hole::Text(fill, self.texts.len()));
        self.texts.push(text.as_bytes());
    }

    fn hole(&mut self, hole: Hole<F>) {
        let piece = Piece::new(&self.bytes);
        self.bytes.clear();
        self.steps.push(Step { piece, hole });
    }

    /// Returns the plan of this obsel, for these texts.
    fn finish(self) -> (Plan<F>, Vec<&'t [u8]>) {
        let (last, steps) = (Piece::new(&self.bytes), self.steps);
        (Plan { steps, last }, self.texts)
    }
}

/// How the obsels of a layout are written.
struct Plan<F> {
    steps: Vec<Step<F>>,
    /// What comes after the last hole.
    last: Piece,
}

/// A piece, and the hole after it.
struct Step<F> {
    piece: Piece,
    hole: Hole<F>,
}

#[derive(Clone, Copy)]
enum Hole<F> {
    Begin,
    End,
    Id(F),
    /// For the text of this number.
    Text(F, usize),
}

impl<F: Copy> Plan<F> {
    /// Gives the texts that it was drafted for other numbers: those that they have in a layout. They are known by where they
    /// are; one that is not among those of the layout would not come from the obsel.
    fn renumber(&mut self, texts: &[&[u8]], layout: &[&[u8]]) -> Option<()> {
        for step in &mut self.steps {
            if let Hole::Text(_, number) = &mut step.hole {
                *number = layout.iter().position(|it| std::ptr::eq(*it, texts[*number]))?;
            }
        }
        Some(())
    }

    /// Writes an obsel.
    #[inline]
    fn write(
        &self,
        planner: &mut impl Planner<Fill = F>,
        bytes: &mut Vec<u8>,
        (id, begin, end): (&str, i64, i64),
        texts: &[&[u8]],
    ) -> Result<Written> {
        for Step { piece, hole } in &self.steps {
            piece.put(bytes);
            let filled = match *hole {
                Hole::Begin => {
                    integer(bytes, begin);
                    continue;
                }
                Hole::End => {
                    integer(bytes, end);
                    continue;
                }
                Hole::Id(fill) => planner.fill(bytes, fill, id.as_bytes())?,
                Hole::Text(fill, number) => planner.fill(bytes, fill, texts[number])?,
            };
            if filled.is_none() {
                return Ok(None);
            }
        }
        self.last.put(bytes);
        Ok(Some(()))
    }
}

/// How many bytes of a piece are copied at once.
const AT_ONCE: usize = 32;

/// Bytes that are written again and again. They are mostly few: a block is copied without looking how many.
struct Piece {
    first: [u8; AT_ONCE],
    /// How many bytes of `first` are not of the piece.
    beyond: usize,
    rest: Box<[u8]>,
}

impl Piece {
    fn new(bytes: &[u8]) -> Self {
        let length = bytes.len().min(AT_ONCE);
        let mut first = [0; AT_ONCE];
        first[..length].copy_from_slice(&bytes[..length]);
        Self {
            first,
            beyond: AT_ONCE - length,
            rest: bytes[length..].into(),
        }
    }

    #[inline]
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.first);
        bytes.truncate(bytes.len() - self.beyond);
        if !self.rest.is_empty() {
            bytes.extend_from_slice(&self.rest);
        }
    }
}

/// The plans of a document, by the numbers of the layouts.
pub struct Plans<F>(Vec<Met<F>>);

enum Met<F> {
    /// No obsel of this layout came.
    Not,
    /// They are written so.
    Planned(Plan<F>),
    /// They cannot be written so.
    Refused,
}

impl<F> Default for Plans<F> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<F: Copy> Plans<F> {
    /// Writes a flat obsel. `None`, with nothing written, if it must be written otherwise.
    ///
    /// # Errors
    /// Those of the store.
    #[inline]
    pub fn write(
        &mut self,
        planner: &mut impl Planner<Fill = F>,
        bytes: &mut Vec<u8>,
        row: &mut Row<'_>,
    ) -> Result<Written> {
        let start = bytes.len();
        let place = (row.id, row.begin, row.end);
        let written = match row.layout().map(|(layout, texts)| (self.0.get(layout), texts)) {
            Some((Some(Met::Planned(plan)), texts)) => plan.write(planner, bytes, place, texts)?,
            Some((Some(Met::Refused), _)) => None,
            _ => self.write_new(planner, bytes, row)?,
        };
        if written.is_none() {
            bytes.truncate(start);
        }
        Ok(written)
    }

    fn write_new(
        &mut self,
        planner: &mut impl Planner<Fill = F>,
        bytes: &mut Vec<u8>,
        row: &mut Row<'_>,
    ) -> Result<Written> {
        let mut draft = Draft::new();
        let drafted = planner.draft(&mut draft, row.obsel()?)?;
        let (mut plan, texts) = draft.finish();
        let written = match drafted {
            Some(()) => plan.write(planner, bytes, (row.id, row.begin, row.end), &texts)?,
            None => None,
        };
        if let Some((layout, of_layout)) = row.layout() {
            if self.0.len() <= layout {
                self.0.resize_with(layout + 1, || Met::Not);
            }
            let is_plan = drafted.is_some() && plan.renumber(&texts, of_layout).is_some();
            self.0[layout] = if is_plan { Met::Planned(plan) } else { Met::Refused };
        }
        Ok(written)
    }
}

#[cfg(test)]
pub mod test {
    use super::*;
    use crate::resource::view::Obsels;

    /// Fails the test unless each flat obsel is written, by the plan of its layout, as it would be if it were the first one.
    pub fn assert_as_drafted<P: Planner>(obsels: &Obsels, mut make: impl FnMut() -> P) {
        let (mut planner, mut plans) = (make(), Plans::default());
        let mut write = |row: &mut Row<'_>| {
            if row.is_flat()? {
                let (mut planned, mut drafted) = (b"before".to_vec(), b"before".to_vec());
                let written = plans.write(&mut planner, &mut planned, row)?;
                assert_eq!(written, Plans::default().write(&mut make(), &mut drafted, row)?);
                assert_eq!(String::from_utf8_lossy(&planned), String::from_utf8_lossy(&drafted));
                assert!(written.is_some() || planned == b"before");
            }
            Ok(())
        };
        obsels.for_each_row(&mut write).expect("the store can be read");
    }
}
