//! The form of the rules of a kind of resource, of which each kind fills in what it has of its own.

use super::Settings;
use super::access::Needs;
use super::draft::Draft;
use super::view::Shape;
use crate::error::Result;
use crate::rdf::Graph;
use crate::store::{Change, Entry, Head, Kind, Reading, Use};

/// The rules of one kind of resource.
#[derive(Debug)]
pub(super) struct Row {
    /// Which kind it is.
    pub(super) kind: Kind,
    /// The IRI of its class.
    pub(super) class: &'static str,
    /// The shape of its representation.
    pub(super) shape: Shape,
    /// The methods it supports, besides OPTIONS.
    pub(super) allow: &'static [&'static str],
    /// The rights that each operation asks for.
    pub(super) needs: Needs,
    /// Whether its IRI ends with `/`.
    pub(super) folder: bool,
    /// Whether its graph is star-shaped: about the resource itself, nothing else.
    pub(super) star: bool,
    /// How it uses others that are told so, see [`links`](super::links).
    pub(super) uses: &'static [Use],
    /// Adds to a draft what follows from it.
    pub(super) complete: fn(&mut Draft, &dyn Reading) -> Result<()>,
    /// Lists the problems of a completed draft, in the order of the kTBS: types of values, reserved namespace,
    /// cardinality, then those of the kind.
    pub(super) check: fn(&Draft, &dyn Reading, &Settings) -> Result<Vec<String>>,
    /// Does what else a checked draft implies, before it is stored with that head.
    pub(super) settle: fn(&Draft, &mut Change<'_>, &mut Head) -> Result<()>,
    /// Does what else the deletion of a resource implies, given its IRI and its graph.
    pub(super) unsettle: fn(&mut Change<'_>, &str, &Graph) -> Result<()>,
    /// Adds to a graph what is generated about the resource of an IRI.
    pub(super) generate: fn(&str, &Head, &dyn Reading, &mut Graph) -> Result<()>,
    /// Lists what forbids the deletion of a resource, given its IRI.
    pub(super) check_deletable: fn(&Entry, &str, &dyn Reading) -> Result<Vec<String>>,
}

impl Row {
    /// Returns the rules of a kind without any rule, that may be read, replaced and deleted by whom `needs` says.
    pub(super) const fn new(kind: Kind, class: &'static str, shape: Shape, needs: Needs) -> Self {
        Self {
            kind,
            class,
            shape,
            allow: &["GET", "HEAD", "PUT", "DELETE"],
            needs,
            folder: false,
            star: false,
            uses: &[],
            complete: |_, _| Ok(()),
            check: |_, _, _| Ok(Vec::new()),
            settle: |_, _, _| Ok(()),
            unsettle: |_, _, _| Ok(()),
            generate: |_, _, _, _| Ok(()),
            check_deletable: |_, _, _| Ok(Vec::new()),
        }
    }
}
