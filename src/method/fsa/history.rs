//! The events that led a token where it is.
//!
//! Tokens are copied at each branch and at each possible match, and their histories may be long: a history shares all but
//! its last event with those from which it comes.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

/// A list of events, never empty. Two histories that grew from one through the same events are the same node.
pub struct History<E>(Rc<Node<E>>);

struct Node<E> {
    event: E,
    /// The first event, where there are others.
    first: Option<E>,
    length: usize,
    previous: Option<History<E>>,
    count: Count,
}

/// How many nodes are alive.
#[derive(Clone, Debug, Default)]
pub struct Count(Rc<Cell<usize>>);

impl Count {
    /// Returns how many nodes are alive.
    pub fn get(&self) -> usize {
        self.0.get()
    }
}

impl<E> Clone for History<E> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<E: fmt::Debug> fmt::Debug for History<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut events: Vec<&E> = self.backwards().map(|history| history.last()).collect();
        events.reverse();
        f.debug_list().entries(events).finish()
    }
}

impl<E> History<E> {
    /// Returns a history with one more event.
    pub fn new(previous: Option<Self>, event: E, count: &Count) -> Self
    where
        E: Clone,
    {
        count.0.set(count.0.get() + 1);
        Self(Rc::new(Node {
            first: previous.as_ref().map(|previous| previous.first().clone()),
            event,
            length: previous.as_ref().map_or(0, |previous| previous.0.length) + 1,
            previous,
            count: count.clone(),
        }))
    }

    /// Returns the last event.
    pub fn last(&self) -> &E {
        &self.0.event
    }

    /// Returns the history without its last event, if there is any before.
    pub fn previous(&self) -> Option<&Self> {
        self.0.previous.as_ref()
    }

    /// Returns the history, then without its last event, and so on.
    pub fn backwards(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |history| history.previous())
    }

    /// Returns the first event.
    pub fn first(&self) -> &E {
        self.0.first.as_ref().unwrap_or(&self.0.event)
    }

    /// Returns the events, in order.
    pub fn events(&self) -> Vec<E>
    where
        E: Clone,
    {
        let mut events: Vec<E> = Vec::with_capacity(self.0.length);
        events.extend(self.backwards().map(|history| history.last().clone()));
        events.reverse();
        events
    }

    /// Returns a number that no other node has as long as this one lives.
    pub fn address(&self) -> usize {
        Rc::as_ptr(&self.0) as usize
    }
}

impl<E> Drop for Node<E> {
    fn drop(&mut self) {
        self.count.0.set(self.count.0.get().saturating_sub(1));
        // One node after the other: the list may be longer than the stack is deep.
        let mut previous = self.previous.take();
        while let Some(History(node)) = previous {
            previous = match Rc::try_unwrap(node) {
                Ok(mut node) => node.previous.take(),
                Err(_) => None,
            };
        }
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn histories_share_what_they_have_in_common() {
        let count = Count::default();
        let common = History::new(Some(History::new(None, 1, &count)), 2, &count);
        let longer = History::new(Some(common.clone()), 3, &count);
        assert_eq!((common.events(), longer.events()), (vec![1, 2], vec![1, 2, 3]));
        assert_eq!((*longer.first(), *longer.last(), count.get()), (1, 3, 3));
        assert_eq!(longer.previous().map(History::address), Some(common.address()));
        drop(common);
        assert_eq!(count.get(), 3);
        drop(longer);
        assert_eq!(count.get(), 0);
    }

    #[test]
    fn a_long_history_is_dropped_without_recursion() {
        let count = Count::default();
        let mut history = History::new(None, 0, &count);
        for event in 1..1_000_000 {
            history = History::new(Some(history), event, &count);
        }
        drop(history);
        assert_eq!(count.get(), 0);
    }
}
