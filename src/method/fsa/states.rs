//! Sets of states.

use smallvec::SmallVec;

/// A set of states, by their indices. Most tokens pass by few: those are kept without any allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct States(SmallVec<[u32; 4]>);

impl States {
    /// Adds a state.
    pub fn insert(&mut self, state: usize) {
        // An automaton is smaller than the text of its parameter, which is much shorter than 4 GiB.
        let state = u32::try_from(state).unwrap_or(u32::MAX);
        if let Err(place) = self.0.binary_search(&state) {
            self.0.insert(place, state);
        }
    }

    /// Tells whether a state is among them.
    pub fn contains(&self, state: usize) -> bool {
        u32::try_from(state).is_ok_and(|state| self.0.binary_search(&state).is_ok())
    }

    /// Returns how many they are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the states, the first of the automaton before.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|state| *state as usize)
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn states_are_a_set(inserted in prop::collection::vec(0..20_usize, 0..30)) {
            let (mut states, mut expected) = (States::default(), BTreeSet::new());
            for state in inserted {
                states.insert(state);
                expected.insert(state);
            }
            prop_assert!(states.iter().eq(expected.iter().copied()));
            prop_assert_eq!(states.len(), expected.len());
            prop_assert!((0..21).all(|state| states.contains(state) == expected.contains(&state)));
        }
    }
}
