//! The triples of a graph as sorted arrays of numbers.

use std::slice;
use std::sync::OnceLock;

use hashbrown::HashMap;

use crate::rdf::TermId;

/// The triples of a graph, by predicate: three numbers each, which are found by binary search.
///
/// What is needed to search by object, or without predicate, is made when it is first asked.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// In the order of their numbers.
    predicates: Vec<Predicate>,
    /// (subject, predicate, object), sorted.
    by_subject: OnceLock<Vec<[TermId; 3]>>,
    /// (object, predicate, subject), sorted.
    by_object: OnceLock<Vec<[TermId; 3]>>,
}

/// The triples of a predicate.
#[derive(Debug)]
pub(super) struct Predicate {
    id: TermId,
    /// (subject, object), sorted, each once.
    pairs: Vec<[TermId; 2]>,
    /// (object, subject), sorted.
    reversed: OnceLock<Vec<[TermId; 2]>>,
}

/// The triples of a graph while they come, in any order and maybe several times.
#[derive(Debug, Default)]
pub(super) struct Heap {
    numbers: HashMap<TermId, usize>,
    piles: Vec<(TermId, Vec<[TermId; 2]>)>,
}

impl Heap {
    /// Returns the number of the pile of a predicate, to be given to [`Heap::put`].
    pub(super) fn pile(&mut self, predicate: TermId) -> usize {
        *self.numbers.entry(predicate).or_insert_with(|| {
            self.piles.push((predicate, Vec::new()));
            self.piles.len() - 1
        })
    }

    /// Adds a triple, given the pile of its predicate.
    pub(super) fn put(&mut self, pile: usize, subject: TermId, object: TermId) {
        self.piles[pile].1.push([subject, object]);
    }

    /// Sorts all that came.
    pub(super) fn sort(self) -> Index {
        let mut predicates: Vec<Predicate> = self
            .piles
            .into_iter()
            .map(|(id, mut pairs)| {
                // Obsels come in the order of their numbers, most of the time.
                if !pairs.is_sorted() {
                    pairs.sort_unstable();
                }
                pairs.dedup();
                Predicate {
                    id,
                    pairs,
                    reversed: OnceLock::new(),
                }
            })
            .collect();
        predicates.sort_unstable_by_key(|predicate| predicate.id);
        Index {
            predicates,
            ..Index::default()
        }
    }
}

impl Index {
    /// Returns the number of triples.
    pub(super) fn len(&self) -> usize {
        self.predicates.iter().map(|predicate| predicate.pairs.len()).sum()
    }

    /// Returns roughly how many bytes this takes, or may take once all can be searched.
    pub(super) fn bytes(&self) -> usize {
        self.predicates.len() * size_of::<Predicate>()
            + self.len() * 2 * (size_of::<[TermId; 2]>() + size_of::<[TermId; 3]>())
    }

    /// Returns the triples that have these terms, where they are given.
    pub(super) fn find(&self, s: Option<TermId>, p: Option<TermId>, o: Option<TermId>) -> Matches<'_> {
        let Some(p) = p else {
            return match (s, o) {
                (Some(s), o) => Matches::Subject(starting_with(self.by_subject(), s).iter(), o),
                (None, Some(o)) => Matches::Object(starting_with(self.by_object(), o).iter()),
                (None, None) => Matches::All(self.predicates.iter(), None),
            };
        };
        let Ok(place) = self.predicates.binary_search_by_key(&p, |predicate| predicate.id) else {
            return Matches::All([].iter(), None);
        };
        let predicate = &self.predicates[place];
        match (s, o) {
            (Some(s), Some(o)) => {
                let found = predicate.pairs.binary_search(&[s, o]);
                Matches::Pairs(p, found.map_or(&[][..], |at| &predicate.pairs[at..=at]).iter())
            }
            (Some(s), None) => Matches::Pairs(p, starting_with(&predicate.pairs, s).iter()),
            (None, Some(o)) => Matches::Reversed(p, starting_with(predicate.reversed(), o).iter()),
            (None, None) => Matches::Pairs(p, predicate.pairs.iter()),
        }
    }

    fn by_subject(&self) -> &[[TermId; 3]] {
        self.by_subject.get_or_init(|| self.all_sorted(|s, p, o| [s, p, o]))
    }

    fn by_object(&self) -> &[[TermId; 3]] {
        self.by_object.get_or_init(|| self.all_sorted(|s, p, o| [o, p, s]))
    }

    fn all_sorted(&self, order: impl Fn(TermId, TermId, TermId) -> [TermId; 3]) -> Vec<[TermId; 3]> {
        let mut triples = Vec::with_capacity(self.len());
        for predicate in &self.predicates {
            triples.extend(predicate.pairs.iter().map(|&[s, o]| order(s, predicate.id, o)));
        }
        triples.sort_unstable();
        triples
    }
}

impl Predicate {
    fn reversed(&self) -> &[[TermId; 2]] {
        self.reversed.get_or_init(|| {
            let mut reversed: Vec<_> = self.pairs.iter().map(|&[s, o]| [o, s]).collect();
            if !reversed.is_sorted() {
                reversed.sort_unstable();
            }
            reversed
        })
    }
}

/// Returns the part of a sorted array whose elements start with a number.
fn starting_with<const N: usize>(sorted: &[[TermId; N]], first: TermId) -> &[[TermId; N]] {
    let start = sorted.partition_point(|element| element[0] < first);
    let rest = &sorted[start..];
    // Most parts are short: the end is sought near the start.
    let mut reach = 1;
    while rest.get(reach - 1).is_some_and(|element| element[0] == first) {
        reach *= 2;
    }
    let within = &rest[..rest.len().min(reach)];
    &within[..within.partition_point(|element| element[0] == first)]
}

/// The triples that were sought: subject, predicate, object.
#[derive(Debug)]
pub(super) enum Matches<'i> {
    /// Those of a predicate, from pairs (subject, object).
    Pairs(TermId, slice::Iter<'i, [TermId; 2]>),
    /// Those of a predicate, from pairs (object, subject).
    Reversed(TermId, slice::Iter<'i, [TermId; 2]>),
    /// Those of a subject, maybe with an object.
    Subject(slice::Iter<'i, [TermId; 3]>, Option<TermId>),
    /// Those of an object.
    Object(slice::Iter<'i, [TermId; 3]>),
    /// All: predicates to come, and the pairs to come of one.
    All(
        slice::Iter<'i, Predicate>,
        Option<(TermId, slice::Iter<'i, [TermId; 2]>)>,
    ),
}

impl Iterator for Matches<'_> {
    type Item = [TermId; 3];

    fn next(&mut self) -> Option<[TermId; 3]> {
        match self {
            Matches::Pairs(p, pairs) => pairs.next().map(|&[s, o]| [s, *p, o]),
            Matches::Reversed(p, pairs) => pairs.next().map(|&[o, s]| [s, *p, o]),
            Matches::Subject(triples, None) => triples.next().copied(),
            Matches::Subject(triples, Some(o)) => triples.find(|triple| triple[2] == *o).copied(),
            Matches::Object(triples) => triples.next().map(|&[o, p, s]| [s, p, o]),
            Matches::All(predicates, pairs) => loop {
                if let Some((p, pairs)) = pairs
                    && let Some(&[s, o]) = pairs.next()
                {
                    return Some([s, *p, o]);
                }
                let predicate = predicates.next()?;
                *pairs = Some((predicate.id, predicate.pairs.iter()));
            },
        }
    }
}

#[cfg(test)]
mod test {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_that_was_put_is_found_in_each_way(
            triples in prop::collection::vec((0u32..8, 0u32..4, 0u32..8), 0..60),
            s in prop::option::of(0u32..9), p in prop::option::of(0u32..5), o in prop::option::of(0u32..9),
        ) {
            let mut heap = Heap::default();
            for &(s, p, o) in &triples {
                let pile = heap.pile(p);
                heap.put(pile, s, o);
            }
            let index = heap.sort();
            let all: BTreeSet<[u32; 3]> = triples.into_iter().map(|(s, p, o)| [s, p, o]).collect();
            prop_assert_eq!(index.len(), all.len());
            let fits = |id: u32, sought: Option<u32>| sought.is_none_or(|sought| sought == id);
            let expected: Vec<_> = all
                .into_iter()
                .filter(|t| fits(t[0], s) && fits(t[1], p) && fits(t[2], o))
                .collect();
            let mut found: Vec<_> = index.find(s, p, o).collect();
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
