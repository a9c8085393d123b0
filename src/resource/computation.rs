//! What is kept of the last computation of a trace: what it had seen, how it ended, the state of its method.

use crate::error::Result;
use crate::store::codec::{self, Input, put_text, put_uint};
use crate::store::{Reading, StoreError, TraceNumber, computations};

/// What is kept of the last computation of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Computation {
    /// The digest of what the description followed from.
    pub digest: u128,
    /// The paths of the models that were looked at, with the counts of their tags.
    pub models: Vec<(String, u64)>,
    /// The problems that the description found and that prevent the computation of obsels; empty if there are none.
    pub errors: Vec<String>,
    /// The number and the count of the main tag of each source, when the obsels were computed last; `None` if they were not
    /// since the description changed.
    pub sources: Option<Vec<(u64, u64)>>,
    /// The problems that this computation of the obsels met; empty if it succeeded.
    pub failure: Vec<String>,
    /// The limit beyond which a later attempt went; what is above is then of the last one that did not.
    pub excess: Option<Excess>,
    /// The state of the method.
    pub state: Option<Vec<u8>>,
}

/// An attempt that took more than it may. The machine may have been busy, so that it is made again later, but not at each
/// read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// What was beyond which limit.
    pub problem: String,
    /// What was computed from, as [`Computation::sources`].
    pub sources: Vec<(u64, u64)>,
    /// A digest of the limits.
    pub limits: u64,
    /// When it may be tried again, in seconds since 1970.
    pub until: u64,
}

impl Computation {
    /// Reads what is kept for a trace; nothing if what is there cannot be understood.
    ///
    /// # Errors
    /// Those of the store.
    pub fn read(reading: &dyn Reading, trace: TraceNumber) -> Result<Self> {
        let bytes = computations::computation(reading, trace)?;
        Ok(bytes.and_then(|bytes| Self::decode(&bytes).ok()).unwrap_or_default())
    }

    /// Returns the bytes to keep.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.digest.to_be_bytes().to_vec();
        put_uint(&mut out, self.models.len() as u64);
        for (path, tag) in &self.models {
            put_text(&mut out, path);
            put_uint(&mut out, *tag);
        }
        put_texts(&mut out, &self.errors);
        put_uint(
            &mut out,
            self.sources.as_ref().map_or(0, |sources| sources.len() as u64 + 1),
        );
        for (trace, tag) in self.sources.iter().flatten() {
            put_uint(&mut out, *trace);
            put_uint(&mut out, *tag);
        }
        put_texts(&mut out, &self.failure);
        put_uint(&mut out, self.state.as_ref().map_or(0, |state| state.len() as u64 + 1));
        out.extend(self.state.iter().flatten());
        // Records of former versions end here.
        if let Some(excess) = &self.excess {
            put_text(&mut out, &excess.problem);
            put_pairs(&mut out, &excess.sources);
            put_uint(&mut out, excess.limits);
            put_uint(&mut out, excess.until);
        }
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut input = Input(bytes);
        let damaged = |_| StoreError::Damaged("a computation cannot be decoded".into());
        let digest = u128::from_be_bytes(input.bytes(16)?.try_into().map_err(damaged)?);
        let mut models = Vec::new();
        for _ in 0..input.uint()? {
            models.push((input.text()?.to_owned(), input.uint()?));
        }
        let errors = texts(&mut input)?;
        let sources = match input.uint()?.checked_sub(1) {
            None => None,
            Some(count) => {
                let mut sources = Vec::new();
                for _ in 0..count {
                    sources.push((input.uint()?, input.uint()?));
                }
                Some(sources)
            }
        };
        let failure = texts(&mut input)?;
        let state = match input.uint()?.checked_sub(1) {
            None => None,
            Some(length) => Some(
                input
                    .bytes(usize::try_from(length).map_err(|_| codec::damaged())?)?
                    .to_vec(),
            ),
        };
        let excess = if input.0.is_empty() {
            None
        } else {
            Some(Excess {
                problem: input.text()?.to_owned(),
                sources: pairs(&mut input)?,
                limits: input.uint()?,
                until: input.uint()?,
            })
        };
        Ok(Self {
            digest,
            models,
            errors,
            sources,
            failure,
            excess,
            state,
        })
    }
}

fn put_pairs(out: &mut Vec<u8>, pairs: &[(u64, u64)]) {
    put_uint(out, pairs.len() as u64);
    for (a, b) in pairs {
        put_uint(out, *a);
        put_uint(out, *b);
    }
}

fn pairs(input: &mut Input<'_>) -> Result<Vec<(u64, u64)>, StoreError> {
    let mut pairs = Vec::new();
    for _ in 0..input.uint()? {
        pairs.push((input.uint()?, input.uint()?));
    }
    Ok(pairs)
}

fn put_texts(out: &mut Vec<u8>, texts: &[String]) {
    put_uint(out, texts.len() as u64);
    for text in texts {
        put_text(out, text);
    }
}

fn texts(input: &mut Input<'_>) -> Result<Vec<String>, StoreError> {
    let mut texts = Vec::new();
    for _ in 0..input.uint()? {
        texts.push(input.text()?.to_owned());
    }
    Ok(texts)
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;

    use super::*;

    fn some_pairs() -> impl Strategy<Value = Vec<(u64, u64)>> {
        prop::collection::vec(any::<(u64, u64)>(), 0..3)
    }

    proptest! {
        #[test]
        fn computations_come_back(
            digest: u128,
            models in prop::collection::vec(any::<(String, u64)>(), 0..3),
            errors in prop::collection::vec(any::<String>(), 0..3),
            sources in prop::option::of(some_pairs()),
            failure in prop::collection::vec(any::<String>(), 0..3),
            excess in prop::option::of((any::<String>(), some_pairs(), any::<u64>(), any::<u64>())),
            state: Option<Vec<u8>>,
        ) {
            let excess = excess.map(|(problem, sources, limits, until)| Excess { problem, sources, limits, until });
            let computation = Computation { digest, models, errors, sources, failure, excess, state };
            prop_assert_eq!(Computation::decode(&computation.encode()).ok(), Some(computation));
        }

        #[test]
        fn any_bytes_decode_or_fail(bytes: Vec<u8>) {
            let _ = Computation::decode(&bytes);
        }
    }
}
