//! The resource that a request is about.

use crate::error::{Error, Result};
use crate::rdf::as_iri;
use crate::resource::access::{self, Access, Rights};
use crate::resource::path::{PATH_BYTES, below, container};
use crate::resource::{Shape, read, row, stats};
use crate::store::{Entry, Head, Kind, Reading, Sight, Snapshot, Store, TraceNumber};
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
    /// `@acl` of the root, a base or a trace.
    Acl,
    /// The obsel of this id.
    Obsel(String),
}

/// The methods of `@acl`.
pub(super) const ACL: &[&str] = &["GET", "HEAD", "PUT", "DELETE"];
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
    /// The state of the store in which it was found, as far as the visitor may read it.
    pub snapshot: Snapshot,
    /// What the visitor may do with the stored resource.
    pub rights: Rights,
    /// Whether parts of the store may be hidden from the visitor.
    pub(super) in_part: bool,
}

impl Target {
    /// Returns the number of the trace to which it belongs.
    ///
    /// # Errors
    /// `Internal` if it belongs to none.
    pub(super) fn trace_number(&self) -> Result<TraceNumber> {
        let number = self.entry.head.trace;
        number.ok_or_else(|| Error::Internal(format!("<{}> is no trace", self.iri)))
    }

    /// Returns the IRI of the trace to which it belongs.
    pub(super) fn trace_iri(&self) -> String {
        format!("{}{}", self.snapshot.root(), self.entry.head.path)
    }

    /// Returns the shape of its representation.
    pub fn shape(&self) -> Shape {
        match self.aspect {
            Aspect::Itself => row(self.entry.head.kind).shape,
            Aspect::Obsels => Shape::Obsels,
            Aspect::Stats => Shape::Stats,
            Aspect::Acl => Shape::Acl,
            Aspect::Obsel(_) => Shape::Obsel,
        }
    }

    /// Returns the methods it supports, besides OPTIONS.
    pub fn allow(&self) -> &'static [&'static str] {
        match (&self.aspect, self.is_computed()) {
            (Aspect::Itself, _) => row(self.entry.head.kind).allow,
            (Aspect::Acl, _) => ACL,
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
            Aspect::Itself => Ok(vec![self.description_tag()?]),
            Aspect::Obsels => Ok(vec![self.snapshot.trace(self.trace_number()?)?.tags.main.to_string()]),
            Aspect::Stats => Ok(vec![stats::tag(self, &self.snapshot.trace(self.trace_number()?)?)?]),
            Aspect::Acl => Ok(vec![access::tag(&self.snapshot.whole(), &self.entry.head.path)?]),
            Aspect::Obsel(_) => Ok(Vec::new()),
        }
    }

    /// Returns the tag of the description of the stored resource, as the visitor is shown it.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn description_tag(&self) -> Result<String> {
        if !self.in_part {
            return Ok(self.entry.head.tag.to_string());
        }
        let mut graph = read::generated(&self.snapshot, &self.entry.head)?;
        graph.extend_from(&self.entry.graph);
        Ok(access::tag_of(&graph))
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
pub(super) fn find(store: &Store, access: Option<&Access>, iri: &str) -> Result<Target> {
    let root = store.root();
    let snapshot = store.read()?;
    // Who may not read a resource may be allowed to add to it: it is looked for in the whole.
    let (aspect, mut entry) = {
        let whole = snapshot.whole();
        let itself = match below(root, iri) {
            Some(path) => whole.entry(path)?,
            None => None,
        };
        match itself {
            Some(entry) => (Aspect::Itself, entry),
            None => find_face(&whole, access, iri)?.ok_or(Error::NotFound)?,
        }
    };
    let mut rights = Rights::ALL;
    if let Some(access) = access {
        let whole = snapshot.whole();
        rights = access.rights(&whole, &entry.head)?;
        let is_hidden = match aspect {
            Aspect::Itself => rights == Rights::NONE,
            Aspect::Acl => !rights.allow(Rights::MANAGE),
            // Who may only add obsels is not told which are there.
            _ => !rights.include(Rights::READ),
        };
        if is_hidden {
            return Err(if rights == Rights::NONE {
                Error::NotFound
            } else {
                access.refusal(iri)
            });
        }
        access.trim(&whole, &mut entry)?;
    }
    Ok(Target {
        iri: iri.to_owned(),
        aspect,
        entry,
        snapshot,
        rights,
        in_part: access.is_some_and(|access| !access.may_all()),
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

/// Returns the aspect or the obsel that an IRI names, with its trace (or base, for `@acl`).
fn find_face(whole: &dyn Reading, access: Option<&Access>, iri: &str) -> Result<Option<(Aspect, Entry)>> {
    let Some(trace_iri) = container(iri) else {
        return Ok(None);
    };
    let id = &iri[trace_iri.len()..];
    let Some(path) = below(whole.root(), trace_iri).filter(|_| id.len() <= PATH_BYTES) else {
        return Ok(None);
    };
    let Some(entry) = whole.entry(path)? else {
        return Ok(None);
    };
    if id == "@acl" {
        let has_acl = access.is_some() && row(entry.head.kind).folder;
        return Ok(has_acl.then_some((Aspect::Acl, entry)));
    }
    let Some(trace) = entry.head.trace else {
        return Ok(None);
    };
    let aspect = match id {
        "@obsels" => Aspect::Obsels,
        "@stats" => Aspect::Stats,
        // What may not be read is refused whatever it is, by whoever knows the rights.
        _ if has_obsel(whole, access, &entry.head, trace, id)? => Aspect::Obsel(id.to_owned()),
        _ => return Ok(None),
    };
    Ok(Some((aspect, entry)))
}

/// Tells whether a trace has an obsel, or may not be read, so that it must not be told.
fn has_obsel(whole: &dyn Reading, access: Option<&Access>, head: &Head, trace: TraceNumber, id: &str) -> Result<bool> {
    if let Some(access) = access
        && !access.sees(whole, head)?
    {
        return Ok(true);
    }
    Ok(whole.has_obsel(trace, id)?)
}
