//! Who uses what: one row for each property by which a resource uses another, found by the one that is used.
//!
//! The user's own graph says so too, as a triple; the row is that triple backwards. It is there whether what is used
//! is there or not, as long as the user says so. It is never in the graph of what is used, where former programs had it:
//! a method that thousands of traces use would be rewritten for each.
//!
//! A key of the table `links` is: [digest] of the path of what is used, use (`u8`), path of the user. There is no value.

use sha2::{Digest, Sha256};

use super::change::Change;
use super::reading::Reading;
use super::{Result, StoreError, codec};
use crate::rdf::{Graph, as_iri, iri};
use crate::vocab::ktbs;

/// How a resource uses another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Use {
    /// A computed trace is computed from a trace.
    Source,
    /// A computed trace is computed by a method.
    Method,
    /// A method inherits another.
    ParentMethod,
}

impl Use {
    /// All of them. Their position is what a key keeps, so that a new one goes to the end.
    pub const ALL: [Self; 3] = [Self::Source, Self::Method, Self::ParentMethod];

    /// Returns the property that says so in the graph of the user.
    pub fn property(self) -> &'static str {
        match self {
            Self::Source => ktbs::HAS_SOURCE,
            Self::Method => ktbs::HAS_METHOD,
            Self::ParentMethod => ktbs::HAS_PARENT_METHOD,
        }
    }

    /// Returns the one that a property says.
    pub fn of(property: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.property() == property)
    }
}

/// The length of a [digest].
const DIGEST_BYTES: usize = 16;

/// Returns what stands for a path in a key, since two paths may be too long for one.
fn digest(path: &str) -> Vec<u8> {
    Sha256::digest(path)[..DIGEST_BYTES].to_vec()
}

/// Returns the key of a use.
pub(super) fn key(used: &str, by: Use, user: &str) -> Vec<u8> {
    let mut key = digest(used);
    key.push(by as u8);
    key.extend_from_slice(user.as_bytes());
    key
}

/// Returns the use and the path of the user of a key.
pub(super) fn split(key: &[u8]) -> Result<(Use, &str)> {
    let (by, user) = key
        .get(DIGEST_BYTES..)
        .and_then(<[u8]>::split_first)
        .ok_or_else(codec::damaged)?;
    let by = Use::ALL.get(usize::from(*by)).ok_or_else(codec::damaged)?;
    Ok((*by, std::str::from_utf8(user).map_err(|_| codec::damaged())?))
}

/// Returns the triples that say who uses a resource, of which the users are seen: by use, in the order of their paths.
///
/// # Errors
/// Those of the store.
pub fn users(reading: &(impl Reading + ?Sized), path: &str) -> Result<Graph> {
    let transaction = reading.transaction();
    let (root, used) = (reading.root(), iri(format!("{}{path}", reading.root())));
    let mut users = Graph::new();
    for row in transaction
        .tables()
        .links
        .prefix_iter(transaction.txn(), &digest(path))?
    {
        let (by, user) = split(row?.0)?;
        // Nothing is looked up for who sees all.
        let is_shown = match reading.sight() {
            None => true,
            Some(_) => reading.head(user)?.is_some(),
        };
        if is_shown {
            users.insert(&iri(format!("{root}{user}")), &iri(by.property()), &used);
        }
    }
    Ok(users)
}

/// Tells whether a triple says that a resource of this server uses that of an IRI, and returns the path of the user.
pub fn use_of<'g>(root: &str, used: &str, [s, p, o]: [&'g crate::rdf::Term; 3]) -> Option<(Use, &'g str)> {
    let by = as_iri(p).and_then(Use::of)?;
    let user = as_iri(s)?.strip_prefix(root)?;
    (as_iri(o) == Some(used) && as_iri(s) != Some(used)).then_some((by, user))
}

impl Change<'_> {
    /// Remembers that a resource uses another, both given by their paths; returns whether it was new.
    ///
    /// # Errors
    /// `Refused`: the path of the user is too long; `Full`.
    pub fn put_link(&mut self, used: &str, by: Use, user: &str) -> Result<bool> {
        self.adopt_links(used)?;
        self.insert_link(used, by, user)
    }

    /// Forgets that a resource uses another; returns whether it was known.
    ///
    /// # Errors
    /// `Full`.
    pub fn delete_link(&mut self, used: &str, by: Use, user: &str) -> Result<bool> {
        self.adopt_links(used)?;
        let table = self.inner().tables.links;
        Ok(table.delete(self.txn_mut(), &key(used, by, user))?)
    }

    fn insert_link(&mut self, used: &str, by: Use, user: &str) -> Result<bool> {
        let key = key(used, by, user);
        if key.len() > codec::KEY_BYTES {
            return Err(StoreError::Refused("the path of the resource is too long".into()));
        }
        let table = self.inner().tables.links;
        if table.get(self.txn_mut(), &key)?.is_some() {
            return Ok(false);
        }
        table.put(self.txn_mut(), &key, &[])?;
        Ok(true)
    }

    /// Moves the links that a former program wrote in the graph of what is used to the table, if no other was there yet.
    ///
    /// What somebody wrote there that only looks like one is left: its subject does not say so.
    fn adopt_links(&mut self, used: &str) -> Result<()> {
        let table = self.inner().tables.links;
        if table
            .prefix_iter(self.txn_mut(), &digest(used))?
            .next()
            .transpose()?
            .is_some()
        {
            return Ok(());
        }
        let Some(mut entry) = self.entry(used)? else {
            return Ok(());
        };
        let root = self.root().to_owned();
        let resource = format!("{root}{used}");
        let mut moved = Graph::new();
        for [s, p, o] in entry.graph.iter() {
            let Some((by, user)) = use_of(&root, &resource, [s, p, o]) else {
                continue;
            };
            if self.entry(user)?.is_some_and(|user| user.graph.contains(s, p, o)) {
                self.insert_link(used, by, user)?;
                moved.insert(s, p, o);
            }
        }
        if !moved.is_empty() {
            entry.graph.retain(|s, p, o| !moved.contains(s, p, o));
            self.put_head(&entry)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::store::verify::verify;
    use crate::store::{Entry, Head, Kind, Store, Tag};

    const ROOT: &str = "http://h/";

    fn triple([s, p, o]: [&str; 3]) -> Graph {
        let mut graph = Graph::new();
        graph.insert(&iri(format!("{ROOT}{s}")), &iri(p), &iri(format!("{ROOT}{o}")));
        graph
    }

    fn put(change: &mut Change<'_>, path: &str, kind: Kind, graph: Graph) {
        let head = Head {
            path: path.to_owned(),
            kind,
            tag: Tag { instance: 0, count: 0 },
            modified: 0,
            trace: None,
            unit: None,
        };
        change.put(&mut Entry { head, graph }).unwrap();
    }

    fn problems(store: &Store) -> Vec<String> {
        let mut problems = Vec::new();
        verify(&store.read().unwrap(), &mut |it| problems.push(it), &mut |_, _, _| {}).unwrap();
        problems
    }

    /// Returns a store as a former program left it: two methods that inherit one, which says so in its own graph.
    fn former() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), ROOT, 1 << 24).unwrap();
        let mut change = store.write().unwrap();
        put(&mut change, "", Kind::Root, Graph::new());
        put(&mut change, "b/", Kind::Base, Graph::new());
        let mut used = triple(["b/m", ktbs::HAS_PARENT_METHOD, "b/elsewhere"]);
        for user in ["b/m1", "b/m2", "b/forged"] {
            used.extend_from(&triple([user, ktbs::HAS_PARENT_METHOD, "b/m"]));
        }
        put(&mut change, "b/m", Kind::Method, used);
        put(&mut change, "b/forged", Kind::Method, Graph::new());
        for user in ["b/m1", "b/m2"] {
            let graph = triple([user, ktbs::HAS_PARENT_METHOD, "b/m"]);
            put(&mut change, user, Kind::Method, graph);
        }
        change.commit().unwrap();
        (folder, store)
    }

    #[test]
    fn links_in_the_graphs_of_former_programs_move_at_the_first_write() {
        let (_folder, store) = former();
        assert_eq!(problems(&store), Vec::<String>::new());
        let mut change = store.write().unwrap();
        let tag = change.head("b/m").unwrap().unwrap().tag;
        assert!(
            !change.put_link("b/m", Use::ParentMethod, "b/m1").unwrap(),
            "it is there"
        );
        let entry = change.entry("b/m").unwrap().unwrap();
        assert_eq!(entry.head.tag, tag, "nothing else is shown");
        assert_eq!(entry.graph.len(), 2, "its own triple, and what nobody says");
        assert_eq!(users(&change, "b/m").unwrap().len(), 2);
        put(&mut change, "b/m2", Kind::Method, Graph::new());
        assert!(change.delete_link("b/m", Use::ParentMethod, "b/m2").unwrap());
        assert!(!change.delete_link("b/m", Use::ParentMethod, "b/m2").unwrap());
        let left = users(&change, "b/m").unwrap();
        assert!(left.contains_iris("http://h/b/m1", ktbs::HAS_PARENT_METHOD, "http://h/b/m") && left.len() == 1);
        change.commit().unwrap();
        assert_eq!(problems(&store), Vec::<String>::new());
    }

    #[test]
    fn a_link_that_a_former_program_wrote_ends() {
        let (_folder, store) = former();
        let mut change = store.write().unwrap();
        assert!(change.delete_link("b/m", Use::ParentMethod, "b/m1").unwrap());
        put(&mut change, "b/m1", Kind::Method, Graph::new());
        let whole = change.entry("b/m").unwrap().unwrap().graph;
        assert!(!whole.contains_iris("http://h/b/m2", ktbs::HAS_PARENT_METHOD, "http://h/b/m"));
        assert_eq!(users(&change, "b/m").unwrap().len(), 1);
    }

    #[test]
    fn a_touch_changes_the_tag_alone() {
        let (_folder, store) = former();
        let mut change = store.write().unwrap();
        let before = change.entry("b/m").unwrap().unwrap();
        change.touch("b/m").unwrap();
        change.touch("b/gone").unwrap();
        let after = change.entry("b/m").unwrap().unwrap();
        assert!(after.head.tag.count > before.head.tag.count);
        assert_eq!(after.graph.len(), before.graph.len());
        assert!(before.graph.iter().all(|[s, p, o]| after.graph.contains(s, p, o)));
    }
}
