//! Which tags of a collection outlive an addition (kTBS documentation, "monotonicity").

use std::cmp::Ordering;

use crate::store::Place;

/// How an addition of obsels compares to the obsels that were there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Nothing changed before or at the last obsel.
    pub strict: bool,
    /// Nothing changed before the pseudo-monotonicity range that ends at the last obsel.
    pub pseudo: bool,
}

/// Follows the additions of one transaction.
#[derive(Clone, Debug)]
pub struct Monotonicity {
    last: Option<Place>,
    pseudo_range: i64,
    /// The conjunction over all the additions so far.
    pub verdict: Verdict,
}

impl Monotonicity {
    /// Starts from the last obsel of the trace, if any, and its pseudo-monotonicity range.
    pub fn new(last: Option<Place>, pseudo_range: i64) -> Self {
        Self {
            last,
            pseudo_range,
            verdict: Verdict {
                strict: true,
                pseudo: true,
            },
        }
    }

    /// Takes account of a new obsel and of the obsels of the trace to which its triples relate it directly.
    pub fn add(&mut self, new: Place, related: &[Place]) {
        if let Some(last) = &self.last {
            for place in std::iter::once(&new).chain(related) {
                let verdict = compare(place, last, self.pseudo_range);
                self.verdict.strict &= verdict.strict;
                self.verdict.pseudo &= verdict.pseudo;
            }
        }
        if self.last.as_ref().is_none_or(|last| new > *last) {
            self.last = Some(new);
        }
    }
}

/// Tells what a change at a place leaves true, given the last obsel.
fn compare(place: &Place, last: &Place, range: i64) -> Verdict {
    let before_range = |value: i64, last: i64| i128::from(value) < i128::from(last) - i128::from(range);
    let broken = |out_of_range: bool| Verdict {
        strict: false,
        pseudo: !out_of_range,
    };
    match (place.end.cmp(&last.end), place.begin.cmp(&last.begin)) {
        (Ordering::Less, _) => broken(before_range(place.end, last.end)),
        (Ordering::Equal, Ordering::Less) => broken(before_range(place.begin, last.begin)),
        (Ordering::Equal, Ordering::Equal) if place.id <= last.id => broken(false),
        _ => Verdict {
            strict: true,
            pseudo: true,
        },
    }
}

#[cfg(test)]
mod test {
    use super::*;

    fn place(begin: i64, end: i64, id: &str) -> Place {
        Place {
            end,
            begin,
            id: id.into(),
        }
    }

    /// 3: strictly monotonic; 2: pseudo; 1: logical only.
    fn level(verdict: Verdict) -> u8 {
        1 + u8::from(verdict.pseudo) + u8::from(verdict.strict)
    }

    #[test]
    fn additions_have_the_documented_levels() {
        type Addition<'a> = (i64, i64, &'a str, &'a [(i64, &'a str)], u8);
        let additions: [Addition<'_>; 13] = [
            (100, 100, "o1", &[], 3),
            (200, 200, "o2", &[], 3),
            (150, 150, "o3", &[], 2),
            (300, 300, "o4", &[], 3),
            (350, 350, "o5", &[(200, "o2")], 2),
            (375, 375, "o6", &[(150, "o3")], 1),
            (400, 400, "o7", &[(375, "o6")], 2),
            (450, 450, "o8", &[(350, "o5")], 2),
            (450, 450, "o9", &[], 3),
            (1200, 1600, "p1", &[], 3),
            (1500, 1600, "p2", &[], 3),
            (1400, 1600, "p3", &[], 2),
            (1300, 1600, "p4", &[], 1),
        ];
        let mut last = None;
        for (begin, end, id, related, expected) in additions {
            let mut monotonicity = Monotonicity::new(last, 100);
            let related: Vec<Place> = related.iter().map(|(at, id)| place(*at, *at, id)).collect();
            monotonicity.add(place(begin, end, id), &related);
            assert_eq!(level(monotonicity.verdict), expected, "{id}");
            last = monotonicity.last;
        }
    }

    #[test]
    fn a_batch_is_as_monotonic_as_its_least_addition() {
        let mut batch = Monotonicity::new(Some(place(100, 100, "a")), 10);
        batch.add(place(110, 110, "b"), &[]);
        batch.add(place(105, 105, "c"), &[]);
        batch.add(place(120, 120, "d"), &[]);
        assert_eq!(level(batch.verdict), 2);
    }
}
