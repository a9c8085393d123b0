//! What is counted and dated of each collection of obsels, kept by the write that changes it.
//!
//! A record is eleven varints: obsels, triples, subjects, mentions, greatest duration, least begin
//! (signed), time of edition, and the four tags.

use super::codec::{Input, put_int, put_uint};
use super::tallies::Differences;
use super::{Result, Tag};
use crate::obsel::{Name, Obsel};

/// The four tags of a collection of obsels (kTBS documentation, "monotonicity"), most volatile first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tags {
    /// Renewed by every change.
    pub main: Tag,
    /// Kept while obsels are only added after all the others.
    pub strict: Tag,
    /// Kept while obsels are only added within the pseudo-monotonicity range.
    pub pseudo: Tag,
    /// Kept while obsels are only added.
    pub logical: Tag,
}

/// What is counted of obsels, all together; each is as in [`TraceRecord`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) obsels: u64,
    pub(super) triples: u64,
    pub(super) mentions: u64,
    pub(super) max_duration: u64,
    pub(super) min_begin: i64,
}

impl Totals {
    /// Returns those of one obsel, which gives so many mentions.
    pub(super) fn of(obsel: &Obsel<'_>, mentions: u64) -> Self {
        Self {
            obsels: 1,
            triples: obsel.triple_count(),
            mentions,
            max_duration: obsel.end.abs_diff(obsel.begin),
            min_begin: obsel.begin,
        }
    }

    /// Adds others.
    fn add(&mut self, more: Self) {
        self.min_begin = if self.obsels == 0 {
            more.min_begin
        } else {
            self.min_begin.min(more.min_begin)
        };
        self.max_duration = self.max_duration.max(more.max_duration);
        self.obsels += more.obsels;
        self.triples += more.triples;
        self.mentions += more.mentions;
    }
}

/// What is counted of obsels that speak of no others, before they are stored.
#[derive(Debug, Default)]
pub struct Counts {
    pub(super) totals: Totals,
    pub(super) tallies: Differences,
}

impl Counts {
    /// Counts an obsel, which has no mention of another. `has_subject` is the name of `k:hasSubject`, if there is one.
    pub fn add(&mut self, obsel: &Obsel<'_>, has_subject: Option<Name>) {
        self.totals.add(Totals::of(obsel, 0));
        self.tallies.count(obsel, has_subject, 1);
    }
}

/// What the store knows of a collection of obsels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRecord {
    /// Number of obsels.
    pub obsels: u64,
    /// Number of triples of their descriptions, `hasTrace`, `hasBegin` and `hasEnd` included; a triple that stands in
    /// two descriptions counts twice.
    pub triples: u64,
    /// Number of distinct subjects.
    pub subjects: u64,
    /// Number of rows of the table `mentions`.
    pub mentions: u64,
    /// No obsel lasts longer than this. Never decreases while there are obsels.
    pub max_duration: u64,
    /// Least begin; 0 if there is no obsel.
    pub min_begin: i64,
    /// Time of the last change, in seconds since the epoch.
    pub modified: u64,
    /// The tags.
    pub tags: Tags,
}

impl TraceRecord {
    /// Returns the record of an empty collection.
    pub fn empty(tag: Tag, modified: u64) -> Self {
        let tags = Tags {
            main: tag,
            strict: tag,
            pseudo: tag,
            logical: tag,
        };
        let (obsels, triples, subjects, mentions, max_duration, min_begin) = (0, 0, 0, 0, 0, 0);
        Self {
            obsels,
            triples,
            subjects,
            mentions,
            max_duration,
            min_begin,
            modified,
            tags,
        }
    }

    /// Counts more obsels.
    pub(super) fn count(&mut self, more: Totals) {
        if more.obsels == 0 {
            return;
        }
        let mut all = Totals {
            obsels: self.obsels,
            triples: self.triples,
            mentions: self.mentions,
            max_duration: self.max_duration,
            min_begin: self.min_begin,
        };
        all.add(more);
        (self.obsels, self.triples, self.mentions) = (all.obsels, all.triples, all.mentions);
        (self.max_duration, self.min_begin) = (all.max_duration, all.min_begin);
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        for value in [
            self.obsels,
            self.triples,
            self.subjects,
            self.mentions,
            self.max_duration,
        ] {
            put_uint(&mut out, value);
        }
        put_int(&mut out, self.min_begin);
        put_uint(&mut out, self.modified);
        for tag in [self.tags.main, self.tags.strict, self.tags.pseudo, self.tags.logical] {
            put_uint(&mut out, tag.count);
        }
        out
    }

    pub(super) fn decode(instance: u64, value: &[u8]) -> Result<Self> {
        let mut input = Input(value);
        Ok(Self {
            obsels: input.uint()?,
            triples: input.uint()?,
            subjects: input.uint()?,
            mentions: input.uint()?,
            max_duration: input.uint()?,
            min_begin: input.int()?,
            modified: input.uint()?,
            tags: Tags {
                main: Tag {
                    instance,
                    count: input.uint()?,
                },
                strict: Tag {
                    instance,
                    count: input.uint()?,
                },
                pseudo: Tag {
                    instance,
                    count: input.uint()?,
                },
                logical: Tag {
                    instance,
                    count: input.uint()?,
                },
            },
        })
    }
}
