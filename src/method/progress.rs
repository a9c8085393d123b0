//! What is new since the last computation, and how sources are read.
//!
//! A computation leaves a [`Progress`]: a digest of what it was computed with, and the tags of each source with its
//! last obsel. The next one compares them with what is there:
//!
//! | of a source, unchanged | then |
//! |---|---|
//! | every tag | there is nothing new |
//! | the strict tag | the new obsels are all after the last one, and say nothing of the others |
//! | the pseudo tag | some are before, but nothing changed before the pseudo-monotonicity range that ended there |
//! | none of these | all is to be computed again |
//!
//! A source whose pseudo-monotonicity range is 0, as it is unless its owner says otherwise, has promised that no obsel comes late:
//! one that ends before the last one, or ends with it and begins before it, breaks the pseudo tag too, and all is computed again.
//! There is nothing to go back to: what a method keeps of its way through the source is what it was at the end, less the range.
//!
//! (kTBS documentation, "monotonicity".)

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::{Bound, ControlFlow};
use std::time::Instant;

use super::{Inputs, Source, Stop};
use crate::error::Error;
use crate::obsel::Obsel;
use crate::store::codec::{Input, put_int, put_text, put_uint};
use crate::store::{Bounds, Place, Result, Tag, Tags, TraceNumber};

/// The version of states, and of what methods do. A state of another version is not used.
const VERSION: u8 = 1;

/// How many obsels are read between two looks at the clock.
const CLOCK_OBSELS: u32 = 256;

/// What is to be read of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing.
    Nothing,
    /// The obsels that come after a place, which are all new; all the obsels of a source that was empty.
    After(Option<Place>),
    /// The obsels that end at a time or later: among them are all the new ones, and all those that these concern.
    Since(i64),
    /// All, and nothing of what was computed before holds.
    Everything,
}

impl News {
    /// Returns where the obsels to read are.
    pub fn bounds(&self) -> Option<Bounds> {
        let lower = match self {
            Self::Nothing => return None,
            Self::After(Some(place)) => Bound::Excluded(place.clone()),
            Self::After(None) | Self::Everything => Bound::Unbounded,
            Self::Since(end) => Bound::Included(first_place(*end)),
        };
        Some(Bounds {
            lower,
            upper: Bound::Unbounded,
        })
    }
}

/// Returns a place that comes before all those of the obsels of an end, and after those of lesser ends.
pub fn first_place(end: i64) -> Place {
    Place {
        end,
        begin: i64::MIN,
        id: String::new(),
    }
}

/// What a computation saw of its sources, and with what it worked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    digest: [u64; 2],
    /// One by source, in the order of their numbers.
    sources: Vec<Seen>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    trace: TraceNumber,
    tags: Tags,
    pseudo_range: i64,
    last: Option<Place>,
}

impl Progress {
    /// Returns what is there now. `plan` is all that decides of the result, the obsels of the sources aside.
    ///
    /// # Errors
    /// Those of the store.
    pub fn now(inputs: &Inputs<'_>, plan: &impl Hash) -> Result<Self> {
        let mut sources = Vec::with_capacity(inputs.sources.len());
        for source in inputs.sources {
            sources.push(Seen {
                trace: source.trace,
                tags: inputs.reading.trace(source.trace)?.tags,
                pseudo_range: source.pseudo_range,
                last: inputs.reading.last_place(source.trace)?,
            });
        }
        sources.sort_by_key(|seen| seen.trace);
        let digest = [0, 1].map(|seed: u8| {
            let mut hasher = DefaultHasher::new();
            seed.hash(&mut hasher);
            plan.hash(&mut hasher);
            inputs.target.iri.hash(&mut hasher);
            let mut iris: Vec<_> = inputs.sources.iter().map(|s| (s.trace, s.iri.as_str())).collect();
            iris.sort_unstable();
            iris.hash(&mut hasher);
            hasher.finish()
        });
        Ok(Self { digest, sources })
    }

    /// Appends the progress to a state. What a method adds after it comes back from [`Progress::since`].
    pub fn write(&self, state: &mut Vec<u8>) {
        state.push(VERSION);
        for word in self.digest {
            put_uint(state, word);
        }
        put_uint(state, self.sources.len() as u64);
        for seen in &self.sources {
            put_uint(state, seen.trace.0);
            let Tags {
                main,
                strict,
                pseudo,
                logical,
            } = seen.tags;
            put_uint(state, main.instance);
            for tag in [main, strict, pseudo, logical] {
                put_uint(state, tag.count);
            }
            put_int(state, seen.pseudo_range);
            match &seen.last {
                None => state.push(0),
                Some(place) => {
                    state.push(1);
                    put_int(state, place.end);
                    put_int(state, place.begin);
                    put_text(state, &place.id);
                }
            }
        }
    }

    /// Returns what is new in each source, in the order of the inputs, since a state, and what the method added to it;
    /// `None` if all is to be computed from scratch.
    pub fn since<'s>(&self, inputs: &Inputs<'_>, state: Option<&'s [u8]>) -> Option<(Vec<News>, &'s [u8])> {
        let mut input = Input(state?);
        let before = Self::read(&mut input).ok()?;
        if before.digest != self.digest || before.sources.len() != self.sources.len() {
            return None;
        }
        let mut news = Vec::with_capacity(inputs.sources.len());
        for source in inputs.sources {
            let seen = |progress: &Self| {
                let index = progress.sources.binary_search_by_key(&source.trace, |seen| seen.trace);
                index.ok().map(|index| progress.sources[index].clone())
            };
            match seen(&before)?.news(&seen(self)?) {
                News::Everything => return None,
                new => news.push(new),
            }
        }
        Some((news, input.0))
    }

    fn read(input: &mut Input<'_>) -> Result<Self> {
        if input.byte()? != VERSION {
            return Err(crate::store::codec::damaged());
        }
        let digest = [input.uint()?, input.uint()?];
        let mut sources = Vec::new();
        for _ in 0..input.uint()? {
            let trace = TraceNumber(input.uint()?);
            let instance = input.uint()?;
            let mut tag = || -> Result<Tag> {
                let count = input.uint()?;
                Ok(Tag { instance, count })
            };
            let (main, strict, pseudo, logical) = (tag()?, tag()?, tag()?, tag()?);
            let tags = Tags {
                main,
                strict,
                pseudo,
                logical,
            };
            let pseudo_range = input.int()?;
            let last = match input.byte()? {
                0 => None,
                _ => Some(Place {
                    end: input.int()?,
                    begin: input.int()?,
                    id: input.text()?.to_owned(),
                }),
            };
            sources.push(Seen {
                trace,
                tags,
                pseudo_range,
                last,
            });
        }
        Ok(Self { digest, sources })
    }
}

impl Seen {
    /// Returns what is new since what was seen then.
    fn news(&self, now: &Self) -> News {
        if now.tags.main == self.tags.main {
            News::Nothing
        } else if now.tags.strict == self.tags.strict {
            News::After(self.last.clone())
        } else if now.tags.pseudo == self.tags.pseudo {
            // A range that decreased left the tags as they were, and what came before it did is judged by the former one.
            let range = self.pseudo_range.max(now.pseudo_range);
            match &self.last {
                Some(last) => News::Since(last.end.saturating_sub(range)),
                None => News::After(None),
            }
        } else {
            News::Everything
        }
    }
}

/// Calls a function with each obsel of a part of a source, in order.
///
/// # Errors
/// Those of the function and of the store; the deadline.
pub fn for_each_obsel(
    inputs: &Inputs<'_>,
    source: &Source,
    bounds: &Bounds,
    f: &mut VisitObsel<'_>,
) -> std::result::Result<(), Stop> {
    timed(inputs, f, &mut |visit| {
        inputs.reading.for_each_obsel(source.trace, bounds, visit)
    })
}

/// As [`for_each_obsel`], for what is decided by the ids, the times and the types alone: the obsels have nothing else.
///
/// # Errors
/// Those of the function and of the store; the deadline.
pub fn for_each_typed(
    inputs: &Inputs<'_>,
    source: &Source,
    bounds: &Bounds,
    f: &mut VisitObsel<'_>,
) -> std::result::Result<(), Stop> {
    timed(inputs, f, &mut |visit| {
        inputs.reading.for_each_typed(source.trace, bounds, visit)
    })
}

/// What is done with each obsel.
type VisitObsel<'f> = dyn FnMut(&Obsel<'_>) -> std::result::Result<(), Stop> + 'f;

/// What the store calls with each obsel, until it breaks.
type Visit<'f> = dyn FnMut(&Obsel<'_>) -> crate::error::Result<ControlFlow<()>> + 'f;

/// Reads obsels, and looks at the time between them.
fn timed(
    inputs: &Inputs<'_>,
    f: &mut VisitObsel<'_>,
    read: &mut dyn FnMut(&mut Visit<'_>) -> crate::error::Result<()>,
) -> std::result::Result<(), Stop> {
    let mut clock = Clock::new(inputs);
    let mut stop = None;
    read(&mut |obsel| match clock.tick().and_then(|()| f(obsel)) {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(why) => {
            stop = Some(why);
            Ok(ControlFlow::Break(()))
        }
    })?;
    match stop {
        Some(stop) => Err(stop),
        None => Ok(()),
    }
}

/// Looks at the time now and then.
#[derive(Debug)]
pub struct Clock {
    deadline: Option<Instant>,
    ticks: u32,
}

impl Clock {
    /// Starts to count.
    pub fn new(inputs: &Inputs<'_>) -> Self {
        Self {
            deadline: inputs.limits.deadline,
            ticks: 0,
        }
    }

    /// Counts one unit of work, about as much as reading an obsel.
    ///
    /// # Errors
    /// The deadline is over.
    pub fn tick(&mut self) -> std::result::Result<(), Stop> {
        self.ticks += 1;
        if self.ticks.is_multiple_of(CLOCK_OBSELS) && self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
            return Err(Stop::Error(Error::Timeout(
                "the computation takes longer than the limit on the time of a computation (computing-seconds)"
                    .to_owned(),
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod test {
    use super::*;

    fn seen(counts: [u64; 4], last: Option<i64>, pseudo_range: i64) -> Seen {
        let [main, strict, pseudo, logical] = counts.map(|count| Tag { instance: 7, count });
        Seen {
            trace: TraceNumber(1),
            tags: Tags {
                main,
                strict,
                pseudo,
                logical,
            },
            pseudo_range,
            last: last.map(|end| Place {
                end,
                begin: end,
                id: "o".into(),
            }),
        }
    }

    #[test]
    fn the_strongest_unchanged_tag_tells_what_is_new() {
        let before = seen([1, 1, 1, 1], Some(100), 10);
        let cases = [
            ([1, 1, 1, 1], News::Nothing),
            ([2, 1, 1, 1], News::After(before.last.clone())),
            ([2, 2, 1, 1], News::Since(90)),
            ([2, 2, 2, 1], News::Everything),
            ([2, 2, 2, 2], News::Everything),
        ];
        for (counts, expected) in cases {
            assert_eq!(before.news(&seen(counts, Some(200), 10)), expected, "{counts:?}");
        }
        assert_eq!(before.news(&seen([2, 2, 1, 1], Some(200), 5)), News::Since(90));
        let empty = seen([1, 1, 1, 1], None, 10);
        assert_eq!(empty.news(&seen([2, 2, 1, 1], Some(200), 10)), News::After(None));
        let old = seen([1, 1, 1, 1], Some(i64::MIN + 3), 10);
        assert_eq!(old.news(&seen([2, 2, 1, 1], Some(200), 10)), News::Since(i64::MIN));
    }

    #[test]
    fn progress_comes_back_and_anything_else_is_refused() {
        let progress = Progress {
            digest: [3, u64::MAX],
            sources: vec![seen([9, 8, 7, 6], Some(-5), 4), seen([1, 1, 1, 1], None, 0)],
        };
        let mut state = Vec::new();
        progress.write(&mut state);
        state.extend_from_slice(b"rest");
        let mut input = Input(&state);
        assert_eq!(Progress::read(&mut input).expect("it was just written"), progress);
        assert_eq!(input.0, b"rest");
        for length in 0..state.len() - 4 {
            assert!(Progress::read(&mut Input(&state[..length])).is_err());
        }
        state[0] = VERSION + 1;
        assert!(Progress::read(&mut Input(&state)).is_err());
    }
}
