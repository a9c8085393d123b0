//! Layouts: what the records of many obsels have in common, around their texts.
//!
//! The obsels of a trace are of a few kinds, and those of one kind differ in their texts only. All the rest of a
//! [record] (counts, marks, lengths aside, numbers of names) is its layout. A record whose layout is known is
//! read by comparing what stands between its texts with what is expected there: nothing is built for it.

use super::Result;
use super::codec::{self, Input, put_uint};
use super::record;
use crate::obsel::{Obsel, Value};

/// How many layouts are remembered at most while a trace is read.
const LAYOUTS: usize = 64;

/// How many texts a record with a layout has at most.
const TEXTS: usize = 64;

/// How large a layout is at most, in bytes. What is made of it may be a hundred times larger, where names are long.
const BYTES: usize = 1 << 10;

/// An obsel as it is read, one after the other: decoded only if that is asked for.
#[derive(Default)]
pub struct Row<'t> {
    /// What follows the IRI of the trace in the IRI of the obsel.
    pub id: &'t str,
    /// Begin, in units of the trace since its origin.
    pub begin: i64,
    /// End, same unit.
    pub end: i64,
    record: &'t [u8],
    layout: Option<usize>,
    texts: Vec<&'t [u8]>,
    obsel: Obsel<'t>,
    is_decoded: bool,
    layouts: Layouts,
}

impl<'t> Row<'t> {
    /// Goes to the next obsel, given its key and its record.
    pub(super) fn read(&mut self, key: &'t [u8], record: &'t [u8]) -> Result<()> {
        (self.end, self.begin, self.id) = codec::split_obsel_key(key)?;
        (self.record, self.is_decoded) = (record, false);
        self.layout = self.layouts.find(record, &mut self.texts);
        if self.layout.is_none() && !self.layouts.is_full() {
            let layout = Layout::of(record, self.obsel()?);
            self.layout = layout.and_then(|it| self.layouts.add(it, record, &mut self.texts));
        }
        Ok(())
    }

    /// Returns the number of its layout, and its texts: those of its types, then those of its arcs, in their order. Layouts
    /// are numbered from 0; obsels of one layout are flat, and differ by id, begin, end and texts only. Texts are bytes, since
    /// whoever copies them need not know that they are UTF-8.
    ///
    /// `None` for an obsel that is not flat, has very many texts or names, or came when enough layouts were known.
    #[inline]
    pub fn layout(&self) -> Option<(usize, &[&'t [u8]])> {
        Some((self.layout?, &self.texts))
    }

    /// Tells whether all that the obsel says is about itself, without any blank node.
    ///
    /// # Errors
    /// `Damaged`.
    #[inline]
    pub fn is_flat(&mut self) -> Result<bool> {
        Ok(self.layout.is_some() || self.obsel()?.is_flat())
    }

    /// Returns the obsel.
    ///
    /// # Errors
    /// `Damaged`.
    pub fn obsel(&mut self) -> Result<&Obsel<'t>> {
        if !self.is_decoded {
            (self.obsel.id, self.obsel.begin, self.obsel.end) = (self.id, self.begin, self.end);
            record::decode(self.record, &mut self.obsel)?;
            self.is_decoded = true;
        }
        Ok(&self.obsel)
    }
}

/// The layouts that were met, those that come often first.
#[derive(Default)]
struct Layouts(Vec<Layout>);

impl Layouts {
    fn is_full(&self) -> bool {
        self.0.len() >= LAYOUTS
    }

    /// Returns the number of the layout of a record, and gives the texts.
    #[inline]
    fn find<'t>(&mut self, record: &'t [u8], texts: &mut Vec<&'t [u8]>) -> Option<usize> {
        let at = self.0.iter().position(|layout| layout.read(record, texts).is_some())?;
        let number = self.0[at].number;
        if at > 0 {
            self.0.swap(at - 1, at);
        }
        Some(number)
    }

    /// As `find`, for a layout that is new.
    fn add<'t>(&mut self, mut layout: Layout, record: &'t [u8], texts: &mut Vec<&'t [u8]>) -> Option<usize> {
        layout.read(record, texts)?;
        layout.number = self.0.len();
        self.0.push(layout);
        self.0.last().map(|layout| layout.number)
    }
}

struct Layout {
    number: usize,
    /// What comes before each text, then what comes after the last one. The lengths of the texts are not in it.
    pieces: Vec<Piece>,
}

impl Layout {
    /// Returns the layout of a record, which was decoded to an obsel.
    fn of(record: &[u8], obsel: &Obsel<'_>) -> Option<Self> {
        let values = || {
            obsel
                .types
                .iter()
                .copied()
                .chain(obsel.arcs.iter().map(|arc| arc.object))
        };
        if !obsel.is_flat() || values().flat_map(Value::texts).take(TEXTS + 1).count() > TEXTS {
            return None;
        }
        let texts: usize = values().flat_map(Value::texts).map(str::len).sum();
        if record.len().saturating_sub(texts) > BYTES {
            return None;
        }
        let (mut pieces, mut at) = (Vec::new(), 0);
        for text in values().flat_map(Value::texts) {
            let start = text.as_ptr().addr().checked_sub(record.as_ptr().addr())?;
            let mut length = Vec::new();
            put_uint(&mut length, text.len() as u64);
            pieces.push(Piece::new(record.get(at..start.checked_sub(length.len())?)?));
            at = start + text.len();
        }
        pieces.push(Piece::new(record.get(at..)?));
        Some(Self { number: 0, pieces })
    }

    /// Gives the texts of a record, if it has this layout.
    #[inline]
    fn read<'t>(&self, record: &'t [u8], texts: &mut Vec<&'t [u8]>) -> Option<()> {
        let (last, pieces) = self.pieces.split_last()?;
        let mut input = Input(record);
        texts.clear();
        for piece in pieces {
            piece.take(&mut input)?;
            texts.push(input.next_bytes()?);
        }
        last.take(&mut input)?;
        input.0.is_empty().then_some(())
    }
}

/// Bytes that are expected. They are mostly few, and compared at once as a number.
struct Piece {
    /// The first bytes, at most eight, the others being zeros.
    first: u64,
    /// The bits of `first` that stand for bytes.
    mask: u64,
    /// How many bytes are in `first`.
    length: usize,
    /// The other bytes.
    rest: Box<[u8]>,
}

impl Piece {
    fn new(bytes: &[u8]) -> Self {
        let length = bytes.len().min(8);
        let (first, rest) = bytes.split_at(length);
        Self {
            first: word(first),
            mask: word(&[0xff; 8][..length]),
            length,
            rest: rest.into(),
        }
    }

    #[inline]
    fn take(&self, input: &mut Input<'_>) -> Option<()> {
        let next = match input.0.first_chunk::<8>() {
            Some(next) => u64::from_le_bytes(*next),
            None => word(input.0),
        };
        if next & self.mask != self.first {
            return None;
        }
        input.0 = input.0.get(self.length..)?;
        if !self.rest.is_empty() {
            input.0 = input.0.strip_prefix(&*self.rest)?;
        }
        Some(())
    }
}

/// Returns at most eight bytes as a number.
fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;
    use crate::obsel::{Arc, Blank, Name};
    use crate::store::TraceNumber;

    /// Few values, so that obsels of the same layout meet.
    fn any_value() -> impl Strategy<Value = Value<'static>> {
        let text = || prop::sample::select(&["", "o1", "é\n\"", "a text that is longer than the others are"][..]);
        prop_oneof![
            4 => text().prop_map(Value::String),
            4 => (text(), 0..3_u32).prop_map(|(a, n)| Value::Typed(a, Name(n * 1000))),
            2 => text().prop_map(Value::Obsel),
            2 => (0..2_u32).prop_map(|n| Value::Named(Name(n << 20))),
            1 => text().prop_map(Value::BelowRoot),
            1 => text().prop_map(Value::Iri),
            1 => (text(), text()).prop_map(|(a, b)| Value::Tagged(a, b)),
            1 => Just(Value::Blank(Blank::Own(0))),
        ]
    }

    fn any_obsel() -> impl Strategy<Value = Obsel<'static>> {
        let arc = (0..3_u32, any_value()).prop_map(|(p, object)| Arc {
            predicate: Name(p * 100),
            object,
        });
        let named = (0..2_u32).prop_map(|n| Value::Named(Name(n)));
        (prop::collection::vec(named, 0..3), prop::collection::vec(arc, 0..4)).prop_map(|(types, arcs)| Obsel {
            types,
            arcs,
            ..Obsel::default()
        })
    }

    /// What is left of an obsel without its texts.
    fn without_texts(obsel: &Obsel<'_>) -> Obsel<'static> {
        let bare = |value: Value<'_>| match value {
            Value::Obsel(_) => Value::Obsel(""),
            Value::BelowRoot(_) => Value::BelowRoot(""),
            Value::Named(name) => Value::Named(name),
            Value::Iri(_) => Value::Iri(""),
            Value::Blank(blank) => Value::Blank(blank),
            Value::String(_) => Value::String(""),
            Value::Tagged(..) => Value::Tagged("", ""),
            Value::Typed(_, datatype) => Value::Typed("", datatype),
        };
        let arc = |arc: &Arc<'_>| Arc {
            predicate: arc.predicate,
            object: bare(arc.object),
        };
        Obsel {
            types: obsel.types.iter().copied().map(bare).collect(),
            arcs: obsel.arcs.iter().map(arc).collect(),
            ..Obsel::default()
        }
    }

    proptest! {
        #[test]
        fn obsels_have_the_same_layout_if_they_differ_in_their_texts_only(
            obsels in prop::collection::vec(any_obsel(), 1..100),
        ) {
            let key = codec::obsel_key(TraceNumber(1), 7, 5, "o");
            let records: Vec<_> = obsels.iter().map(record::encode).collect();
            let mut row = Row::default();
            let mut met: Vec<Obsel<'_>> = Vec::new();
            for (obsel, record) in obsels.iter().zip(&records) {
                row.read(&key, record).unwrap();
                prop_assert_eq!((row.id, row.begin, row.end), ("o", 5, 7));
                let bare = without_texts(obsel);
                let expected = met.iter().position(|it| *it == bare);
                match row.layout() {
                    Some((number, texts)) => {
                        let values = obsel.types.iter().copied().chain(obsel.arcs.iter().map(|arc| arc.object));
                        prop_assert_eq!(texts, values.flat_map(Value::texts).map(str::as_bytes).collect::<Vec<_>>());
                        prop_assert_eq!(number, expected.unwrap_or(met.len()));
                        if expected.is_none() {
                            met.push(bare);
                        }
                    }
                    None => prop_assert!(!obsel.is_flat() || expected.is_none() && met.len() == LAYOUTS),
                }
                let expected = Obsel { id: "o", begin: 5, end: 7, ..obsel.clone() };
                prop_assert_eq!(row.obsel().unwrap(), &expected);
            }
        }

        #[test]
        fn any_bytes_are_read_or_fail(
            records in prop::collection::vec(prop::collection::vec(0..9_u8, 0..12), 0..100),
        ) {
            let key = codec::obsel_key(TraceNumber(1), 7, 5, "o");
            let mut row = Row::default();
            for record in &records {
                if row.read(&key, record).is_ok() && row.layout().is_some() && let Ok(obsel) = row.obsel() {
                    prop_assert!(obsel.is_flat());
                }
            }
        }
    }

    #[test]
    fn what_has_very_many_texts_has_no_layout() {
        for (count, has_layout) in [(TEXTS, true), (TEXTS + 1, false)] {
            let arc = |n: usize| Arc {
                predicate: Name(n as u32),
                object: Value::String("x"),
            };
            let obsel = Obsel {
                arcs: (0..count).map(arc).collect(),
                ..Obsel::default()
            };
            let (key, record) = (codec::obsel_key(TraceNumber(1), 0, 0, "o"), record::encode(&obsel));
            let mut row = Row::default();
            row.read(&key, &record).unwrap();
            assert_eq!(row.layout().is_some(), has_layout);
        }
    }

    #[test]
    fn what_has_very_many_names_has_no_layout() {
        for (count, has_layout) in [(300, true), (400, false)] {
            let arc = |_| Arc {
                predicate: Name(1),
                object: Value::Named(Name(2)),
            };
            let obsel = Obsel {
                arcs: (0..count).map(arc).collect(),
                ..Obsel::default()
            };
            let (key, record) = (codec::obsel_key(TraceNumber(1), 0, 0, "o"), record::encode(&obsel));
            let mut row = Row::default();
            row.read(&key, &record).unwrap();
            assert_eq!(row.layout().is_some(), has_layout);
        }
    }

    #[test]
    fn layouts_are_not_remembered_without_end() {
        let key = codec::obsel_key(TraceNumber(1), 0, 0, "o");
        let records: Vec<_> = (0..200)
            .map(|n| {
                let object = Value::Named(Name(n));
                let arcs = vec![Arc {
                    predicate: Name(0),
                    object,
                }];
                record::encode(&Obsel {
                    arcs,
                    ..Obsel::default()
                })
            })
            .collect();
        let mut row = Row::default();
        let mut known = 0;
        for record in &records {
            row.read(&key, record).unwrap();
            known += usize::from(row.layout().is_some());
        }
        assert_eq!((known, row.layouts.0.len()), (LAYOUTS, LAYOUTS));
    }
}
