//! The resource that a request is about.

use crate::error::{Error, Result};
use crate::rdf::as_iri;
use crate::resource::path::{PATH_BYTES, below, container};
use crate::resource::{Shape, obsels, row, stats};
use crate::store::{Entry, Head, Kind, Reading, Snapshot, Store};
use crate::vocab::ktbs;

/// Which face of a stored resource a URI names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// The resource itself.
    Itself,
    /// `@obsels` of a trace.
    Obsels,
    /// `@stats` of a trace.
    Stats,
    /// The obsel of this id.
    Obsel(String),
}

/// The methods of `@obsels` of a stored trace.
pub(super) const OBSELS: &[&str] = &["GET", "HEAD", "PUT", "DELETE"];
/// The methods of an obsel of a stored trace.
pub(super) const OBSEL: &[&str] = &["GET", "HEAD", "DELETE"];
/// The methods of what can only be read.
pub(super) const READ_ONLY: &[&str] = &["GET", "HEAD"];

/// An existing resource, found in a snapshot.
#[derive(Debug)]
pub struct Target {
    /// Its absolute IRI, in Unicode form.
    pub iri: String,
    /// What it is of `entry`.
    pub aspect: Aspect,
    /// The stored resource: the trace, for its aspects and obsels.
    pub entry: Entry,
    /// The state of the store in which it was found.
    pub snapshot: Snapshot,
}

impl Target {
    /// Returns the shape of its representation.
    pub fn shape(&self) -> Shape {
        match self.aspect {
            Aspect::Itself => row(self.entry.head.kind).shape,
            Aspect::Obsels => Shape::Obsels,
            Aspect::Stats => Shape::Stats,
            Aspect::Obsel(_) => Shape::Obsel,
        }
    }

    /// Returns the methods it supports, besides OPTIONS.
    pub fn allow(&self) -> &'static [&'static str] {
        match (&self.aspect, self.is_computed()) {
            (Aspect::Itself, _) => row(self.entry.head.kind).allow,
            (Aspect::Obsels, false) => OBSELS,
            (Aspect::Obsel(_), false) => OBSEL,
            (Aspect::Obsels | Aspect::Obsel(_) | Aspect::Stats, _) => READ_ONLY,
        }
    }

    /// Returns its current tags, the most volatile first; empty for an obsel.
    ///
    /// # Errors
    /// Those of the store.
    pub fn tags(&self) -> Result<Vec<String>> {
        match self.aspect {
            Aspect::Itself => Ok(vec![self.entry.head.tag.to_string()]),
            Aspect::Obsels => Ok(vec![self.snapshot.trace(obsels::number(self)?)?.tags.main.to_string()]),
            Aspect::Stats => Ok(vec![stats::tag(
                &self.entry,
                &self.snapshot.trace(obsels::number(self)?)?,
            )]),
            Aspect::Obsel(_) => Ok(Vec::new()),
        }
    }

    /// Returns the IRI of its container (that of the trace for aspects and obsels); `None` for the root.
    pub fn parent(&self) -> Option<String> {
        let path = match self.aspect {
            Aspect::Itself => container(&self.entry.head.path)?,
            _ => &self.entry.head.path,
        };
        Some(format!("{}{path}", self.snapshot.root()))
    }

    /// Returns the IRI of the model, for a trace and what belongs to it.
    pub fn model(&self) -> Option<&str> {
        let Head { path, trace, .. } = &self.entry.head;
        trace.as_ref()?;
        let trace = format!("{}{path}", self.snapshot.root());
        self.entry.graph.object_of(&trace, ktbs::HAS_MODEL).and_then(as_iri)
    }

    /// Tells whether it is, or belongs to, a computed trace.
    pub(super) fn is_computed(&self) -> bool {
        self.entry.head.kind == Kind::ComputedTrace
    }

    /// Returns the refusal of a method that it does not support.
    pub(super) fn not_allowed(&self, message: impl Into<String>) -> Error {
        Error::NotAllowed {
            allow: self.allow(),
            message: message.into(),
        }
    }
}

/// Returns the resource of an IRI.
///
/// # Errors
/// `NotFound`, and those of the store.
pub(super) fn find(store: &Store, iri: &str) -> Result<Target> {
    let root = store.root();
    let snapshot = store.read()?;
    let itself = match below(root, iri) {
        Some(path) => snapshot.entry(path)?,
        None => None,
    };
    let (aspect, entry) = match itself {
        Some(entry) => (Aspect::Itself, entry),
        None => find_in_trace(&snapshot, root, iri)?.ok_or(Error::NotFound)?,
    };
    Ok(Target {
        iri: iri.to_owned(),
        aspect,
        entry,
        snapshot,
    })
}

/// Returns the path of the computed trace directly below which an IRI stands, if there is one.
///
/// # Errors
/// Those of the store.
pub(super) fn find_computed_trace(store: &Store, iri: &str) -> Result<Option<String>> {
    let path = container(iri).and_then(|trace| below(store.root(), trace));
    let head = match path {
        Some(path) => store.read()?.head(path)?,
        None => None,
    };
    Ok(head
        .filter(|head| head.kind == Kind::ComputedTrace)
        .map(|head| head.path))
}

/// Returns the aspect or the obsel that an IRI names, with its trace.
fn find_in_trace(snapshot: &Snapshot, root: &str, iri: &str) -> Result<Option<(Aspect, Entry)>> {
    let Some(trace_iri) = container(iri) else {
        return Ok(None);
    };
    let id = &iri[trace_iri.len()..];
    let Some(path) = below(root, trace_iri).filter(|_| id.len() <= PATH_BYTES) else {
        return Ok(None);
    };
    let Some(entry) = snapshot.entry(path)? else {
        return Ok(None);
    };
    let Some(trace) = entry.head.trace else {
        return Ok(None);
    };
    let aspect = match id {
        "@obsels" => Aspect::Obsels,
        "@stats" => Aspect::Stats,
        _ if snapshot.has_obsel(trace, id)? => Aspect::Obsel(id.to_owned()),
        _ => return Ok(None),
    };
    Ok(Some((aspect, entry)))
}
