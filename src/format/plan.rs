//! Plans: how the flat obsels of one layout are written.
//!
//! A serializer *drafts* how it writes an obsel: pieces of bytes, and between them holes, each with what it takes to fill it.
//! The pieces follow from the layout alone, so that the draft of one obsel is the plan for all those of its layout:
//! they are written by copying pieces and filling holes with their own texts.

use crate::error::Result;
use crate::format::output::{integer, put};
use crate::obsel::Obsel;
use crate::resource::view::Row;

/// `Some` if what had to be written was.
pub type Written = Option<()>;

/// A serializer that works by plans.
pub trait Planner {
    /// How a hole is filled with a text.
    type Fill: Copy;

    /// Drafts how a flat obsel is written; `None` if it cannot be: then no obsel of the layout can. What the draft is, but for its
    /// texts, must not depend on texts.
    ///
    /// # Errors
    /// Those of the store.
    fn draft<'t>(&mut self, draft: &mut Draft<'t, Self::Fill>, obsel: &Obsel<'t>) -> Result<Written>;

    /// Appends what fills a hole; `None` if this text cannot be written there: then the obsel must be written otherwise.
    ///
    /// # Errors
    /// Those of the store.
    fn fill(&mut self, bytes: &mut Vec<u8>, fill: Self::Fill, text: &str) -> Result<Written>;
}

/// What is being drafted: pieces of bytes, and holes between them.
pub struct Form<F, T> {
    /// The pieces, one after the other.
    pub bytes: Vec<u8>,
    /// The holes, each after a number of bytes of the piece that it follows.
    holes: Vec<(usize, Hole<F, T>)>,
    /// How many bytes come before the last hole.
    done: usize,
}

/// The draft of one obsel, which has its texts.
pub type Draft<'t, F> = Form<F, &'t str>;

/// The plan of a layout, where texts are known by their numbers.
type Plan<F> = Form<F, usize>;

#[derive(Clone, Copy)]
enum Hole<F, T> {
    Begin,
    End,
    Id(F),
    Text(F, T),
}

impl<F: Copy, T: Copy> Form<F, T> {
    fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(256),
            holes: Vec::with_capacity(16),
            done: 0,
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
    pub fn text(&mut self, fill: F, text: T) {
        self.hole(Hole::Text(fill, text));
    }

    fn hole(&mut self, hole: Hole<F, T>) {
        self.holes.push((self.bytes.len() - self.done, hole));
        self.done = self.bytes.len();
    }

    /// Writes an obsel, given how its texts are found.
    #[inline]
    fn write<'t>(
        &self,
        planner: &mut impl Planner<Fill = F>,
        bytes: &mut Vec<u8>,
        (id, begin, end): (&str, i64, i64),
        text: impl Fn(T) -> &'t str,
    ) -> Result<Written> {
        let mut pieces = &self.bytes[..];
        for (length, hole) in &self.holes {
            let (piece, rest) = pieces.split_at(*length);
            pieces = rest;
            put(bytes, piece);
            let filled = match *hole {
                Hole::Begin => {
                    integer(bytes, begin);
                    continue;
                }
                Hole::End => {
                    integer(bytes, end);
                    continue;
                }
                Hole::Id(fill) => planner.fill(bytes, fill, id)?,
                Hole::Text(fill, at) => planner.fill(bytes, fill, text(at))?,
            };
            if filled.is_none() {
                return Ok(None);
            }
        }
        put(bytes, pieces);
        Ok(Some(()))
    }
}

impl<'t, F: Copy> Draft<'t, F> {
    /// Returns the plan of a layout, given the texts of the obsel that was drafted, which are known by where they are. A text
    /// that is not among them would not come from the obsel.
    fn plan(&self, texts: &[&'t str]) -> Option<Plan<F>> {
        let number = |text| texts.iter().position(|it| std::ptr::eq(*it, text));
        let hole = |(length, hole): &(usize, Hole<F, &'t str>)| {
            Some((
                *length,
                match *hole {
                    Hole::Begin => Hole::Begin,
                    Hole::End => Hole::End,
                    Hole::Id(fill) => Hole::Id(fill),
                    Hole::Text(fill, text) => Hole::Text(fill, number(text)?),
                },
            ))
        };
        Some(Plan {
            bytes: self.bytes.clone(),
            holes: self.holes.iter().map(hole).collect::<Option<_>>()?,
            done: self.done,
        })
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
            Some((Some(Met::Planned(plan)), texts)) => plan.write(planner, bytes, place, |at| texts[at])?,
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
        if let Some((layout, texts)) = row.layout() {
            if self.0.len() <= layout {
                self.0.resize_with(layout + 1, || Met::Not);
            }
            let plan = drafted.and_then(|()| draft.plan(texts));
            self.0[layout] = plan.map_or(Met::Refused, Met::Planned);
        }
        match drafted {
            Some(()) => draft.write(planner, bytes, (row.id, row.begin, row.end), |text| text),
            None => Ok(None),
        }
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
