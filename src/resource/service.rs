//! What one can do with a kTBS: find, read, create, replace, delete, as a visitor or as nobody.

use std::sync::Arc;

use super::access::{self, Access, Needs, Rights};
use super::path::{self, below};
use super::slice::{self, Refresh};
use super::{
    Aspect, Content, Expected, Give, Parameters, Part, Settings, Target, View, batch, bulk, create, delete, edit,
    no_parameters, obsel, obsels, prop, read, refresh, root, row, stats, target,
};
use crate::error::{Error, Result};
use crate::rdf::Graph;
use crate::store::{Kind, Reading, Sight, Store};

/// A kTBS: a store and the rules by which it is read and changed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service {
    /// Where everything is: for a visitor, what they may read of it.
    pub store: Store,
    /// What the configuration says.
    pub settings: Arc<Settings>,
    /// Whose requests are answered; `None`: nobody asks, and all is allowed.
    pub(super) access: Option<Arc<Access>>,
}

impl Service {
    /// Returns the service of a store, in which the root is created, or brought up to date with the settings.
    ///
    /// # Errors
    /// Those of the store.
    pub fn new(store: Store, settings: Settings) -> Result<Self> {
        root::prepare(&store, &settings)?;
        Ok(Self {
            store,
            settings: Arc::new(settings),
            access: None,
        })
    }

    /// Returns the service as a visitor finds it.
    pub fn for_visitor(&self, access: Arc<Access>) -> Self {
        Self {
            store: self.store.seen_by(Arc::clone(&access) as Arc<dyn Sight>),
            settings: Arc::clone(&self.settings),
            access: Some(access),
        }
    }

    /// Returns who sees; `None` where nobody asks.
    pub fn visitor(&self) -> Option<&access::Visitor> {
        self.access.as_ref().map(|access| access.visitor())
    }

    /// Returns the access of the visitor.
    ///
    /// # Errors
    /// `NotFound` where nobody asks who it is: there is nothing to say about access.
    pub(super) fn access(&self) -> Result<&Access> {
        self.access.as_deref().ok_or(Error::NotFound)
    }

    /// Tells whether the visitor has some rights on a resource.
    pub fn may(&self, target: &Target, rights: Rights) -> bool {
        self.access.is_none() || target.rights.allow(rights)
    }

    /// Checks that the visitor has the rights on a resource that an operation needs.
    ///
    /// # Errors
    /// `LoginRequired`, `Denied`.
    pub(super) fn require(&self, target: &Target, need: impl Fn(&Needs) -> Rights) -> Result<()> {
        let Some(access) = &self.access else {
            return Ok(());
        };
        let rights = match target.aspect {
            Aspect::Acl => Rights::MANAGE,
            _ => need(&row(target.entry.head.kind).needs),
        };
        if target.rights.allow(rights) {
            Ok(())
        } else {
            Err(access.refusal(&target.iri))
        }
    }

    /// Checks that the visitor may post to a resource, before the payload is read. What users may create in the root
    /// depends on its name.
    ///
    /// # Errors
    /// `LoginRequired`, `Denied`.
    pub fn check_creatable(&self, target: &Target) -> Result<()> {
        match (&self.access, target.entry.head.kind) {
            (Some(access), Kind::Root) if access.visitor().user.is_some() => Ok(()),
            _ => self.require(target, |needs| needs.create),
        }
    }

    /// Checks that the visitor may create an item of an IRI, if it has one yet, in a resource: a user may create the base
    /// that has their name.
    ///
    /// # Errors
    /// `LoginRequired`, `Denied`.
    pub(super) fn check_may_create(&self, target: &Target, iri: Option<&str>) -> Result<()> {
        let own = |access: &Arc<Access>| {
            let id = iri.and_then(|iri| iri.strip_prefix(&target.iri)?.strip_suffix('/'));
            target.entry.head.kind == Kind::Root && id.is_some_and(|id| access.may_create_own_base(id))
        };
        if self.access.as_ref().is_some_and(own) {
            return Ok(());
        }
        self.require(target, |needs| needs.create)
    }

    /// Returns the name of the user who is to own what is created.
    pub(super) fn creator(&self) -> Option<&str> {
        self.access.as_ref()?.visitor().user.as_deref()
    }

    /// Returns the resource of an IRI (absolute, decoded, without extension).
    ///
    /// An IRI directly below a trace is an obsel only if the trace has it.
    ///
    /// # Errors
    /// `NotFound`, and those of the store.
    pub fn find(&self, iri: &str) -> Result<Target> {
        self.find_any(iri).map_err(|error| match (&self.access, error) {
            (Some(access), Error::NotFound) if !self.is_in_readable_trace(iri) => access.absent(),
            (_, error) => error,
        })
    }

    /// Tells whether an IRI is directly below a trace that the visitor may read: nothing is hidden there.
    fn is_in_readable_trace(&self, iri: &str) -> bool {
        let trace = path::container(iri).and_then(|trace| below(self.store.root(), trace));
        let head = trace.and_then(|path| self.store.read().ok()?.head(path).ok()?);
        head.is_some_and(|head| head.trace.is_some())
    }

    fn find_any(&self, iri: &str) -> Result<Target> {
        match self.locate(iri) {
            // The obsel of a computed trace may have to be computed first.
            Err(Error::NotFound) => match target::find_computed_trace(&self.store, iri)? {
                Some(trace) => {
                    refresh::obsels(self, &trace, Refresh::Default)?;
                    self.locate(iri)
                }
                None => Err(Error::NotFound),
            },
            found => found,
        }
    }

    fn locate(&self, iri: &str) -> Result<Target> {
        target::find(&self.store, self.access.as_deref(), iri)
    }

    /// Brings a computed trace up to date before one of its faces is read.
    fn refreshed(&self, target: Target, parameters: &Parameters) -> Result<Target> {
        if !target.is_computed() {
            return Ok(target);
        }
        let path = &target.entry.head.path;
        match target.aspect {
            Aspect::Itself => {
                no_parameters(parameters)?;
                refresh::description(self, path)?;
            }
            Aspect::Obsels => refresh::obsels(self, path, slice::Query::parse(parameters)?.refresh)?,
            Aspect::Stats => refresh::obsels(self, path, stats::refresh(parameters)?)?,
            Aspect::Obsel(_) => {
                no_parameters(parameters)?;
                refresh::obsels(self, path, Refresh::Default)?;
            }
            Aspect::Acl => no_parameters(parameters)?,
        }
        self.find(&target.iri)
    }

    /// Returns what a GET shows.
    ///
    /// # Errors
    /// `BadParameters`, those of the aspects, and those of the store.
    pub fn read(&self, target: Target, parameters: &Parameters) -> Result<View> {
        self.require(&target, |needs| needs.read)?;
        let target = self.refreshed(target, parameters)?;
        // What a computation has just seen may be more than the visitor may read.
        self.require(&target, |needs| needs.read)?;
        match &target.aspect {
            Aspect::Itself => {
                let generated = read::generated(&target.snapshot, &target.entry.head)?;
                let mut view = read::view(&target.iri, target.entry.clone(), &generated);
                if target.in_part {
                    access::hide_edition(&mut view);
                }
                if let Content::Graph(graph) = &mut view.content {
                    prop::add(&target, parameters, graph)?;
                }
                Ok(view)
            }
            Aspect::Obsels => obsels::read(target, parameters),
            Aspect::Stats => stats::read(self, target, parameters),
            Aspect::Acl => {
                no_parameters(parameters)?;
                access::read(&target, self.access()?)
            }
            Aspect::Obsel(id) => {
                let id = id.clone();
                obsel::read(target, &id, parameters)
            }
        }
    }

    /// Creates what a posted graph describes; returns the IRIs of what was created, in order.
    ///
    /// # Errors
    /// `BadParameters`, `NotAllowed`, `InvalidData`, `NotFound` if the target is gone, and those of the store.
    pub fn create(&self, target: &Target, parameters: &Parameters, graph: Graph) -> Result<Vec<String>> {
        no_parameters(parameters)?;
        match (&target.aspect, target.entry.head.kind) {
            (Aspect::Itself, Kind::Root | Kind::Base) => {
                let created = create::create_item(self, target, graph)?;
                self.describe_computed(&created);
                Ok(created)
            }
            (Aspect::Itself, Kind::StoredTrace) => {
                self.require(target, |needs| needs.create)?;
                batch::create_obsels(self, target, &graph)
            }
            (Aspect::Obsel(_), _) => Err(target.not_allowed(format!("Can not post to obsel <{}>", target.iri))),
            _ => Err(target.not_allowed("post_graph not supported")),
        }
    }

    /// Adds to a stored trace the obsels that `read` gives, each with its line, as they come; returns their IRIs, in order.
    /// All or none are added, whatever their number. `max_triples` bounds those of all.
    ///
    /// # Errors
    /// `LoginRequired`, `Denied`, `BadParameters`, `NotAllowed`, `InvalidData`, `TooLarge`, `Conflict` if the trace was
    /// edited meanwhile, `NotFound` if it was deleted, those of `read`, and those of the store.
    pub fn create_many(
        &self,
        target: &Target,
        parameters: &Parameters,
        max_triples: u64,
        read: &mut dyn FnMut(&mut Give<'_>) -> Result<()>,
    ) -> Result<Vec<String>> {
        no_parameters(parameters)?;
        if target.aspect != Aspect::Itself || target.entry.head.kind != Kind::StoredTrace {
            return Err(target.not_allowed("post_graph not supported"));
        }
        self.require(target, |needs| needs.create)?;
        let mut bulk = bulk::Bulk::new(self, target)?;
        read(&mut |line, graph| {
            bulk.add(line, &graph)?;
            if bulk.triples() > max_triples {
                return Err(Error::TooLarge(format!(
                    "line {line}, column 1: {max_triples} triples were exceeded"
                )));
            }
            Ok(())
        })?;
        bulk.store()
    }

    /// Calls a function with each graph whose name starts with the IRI of a resource: its own, those of the resources below
    /// it, and the obsels of traces. Computed traces are brought up to date first; what cannot be computed has no obsels.
    ///
    /// # Errors
    /// Those of the function, and of the store.
    pub fn for_each_graph(&self, iri: &str, f: &mut dyn FnMut(Part<'_>) -> Result<()>) -> Result<()> {
        let root = self.store.root();
        let path = below(root, iri).ok_or(Error::NotFound)?;
        for path in self.computed_traces(path)? {
            match refresh::obsels(self, &path, Refresh::Default) {
                Ok(()) | Err(Error::Conflict(_) | Error::Excess(..) | Error::NotFound) => {}
                Err(other) => return Err(other),
            }
        }
        let snapshot = self.store.read()?;
        snapshot.for_each_below(path, &mut |entry| {
            let name = format!("{root}{}", entry.head.path);
            let trace = entry.head.trace;
            let collection_type = obsels::collection_type(entry.head.kind);
            let mut graph = entry.graph;
            graph.extend_from(&read::generated(&snapshot, &entry.head)?);
            f(Part::Graph(&name, &graph))?;
            match trace {
                Some(number) => f(Part::Obsels {
                    snapshot: &snapshot,
                    trace: &name,
                    number,
                    collection_type,
                }),
                None => Ok(()),
            }
        })
    }

    /// Returns the paths of the computed traces at or below a path, in order.
    ///
    /// # Errors
    /// Those of the store.
    pub fn computed_traces(&self, path: &str) -> Result<Vec<String>> {
        let mut computed = Vec::new();
        self.store.read()?.for_each_below(path, &mut |entry| {
            if entry.head.kind == Kind::ComputedTrace {
                computed.push(entry.head.path);
            }
            Ok(())
        })?;
        Ok(computed)
    }

    /// Brings the computed trace of a path up to date, with its sources.
    ///
    /// # Errors
    /// `Conflict` if it, or one of its sources, cannot be computed; `NotFound` if it is gone; those of the store.
    pub fn refresh(&self, path: &str) -> Result<()> {
        refresh::obsels(self, path, Refresh::Default)
    }

    /// Checks that a resource can be replaced at all, before the payload is read.
    ///
    /// # Errors
    /// `NotAllowed`, `BadParameters`.
    pub fn check_replaceable(&self, target: &Target, parameters: &Parameters) -> Result<()> {
        self.require(target, |needs| needs.replace)?;
        // The answer shows what the resource has become.
        self.require(target, |needs| needs.read)?;
        no_parameters(parameters)?;
        match target.aspect {
            Aspect::Itself | Aspect::Acl => Ok(()),
            Aspect::Obsels if target.is_computed() => {
                Err(target.not_allowed("Can not directly edit obsels of computed trace."))
            }
            Aspect::Obsels => Ok(()),
            Aspect::Stats => Err(target.not_allowed("@stats is read-only")),
            Aspect::Obsel(_) => {
                Err(target.not_allowed("Edit individual obsel not supported yet; edit through ObselCollection instead"))
            }
        }
    }

    /// Returns what a GET would show of an access control list if it were replaced by a graph.
    ///
    /// # Errors
    /// `InvalidData`, `NotFound` where nobody asks who it is, and those of the store.
    pub fn try_list(&self, target: &Target, graph: &Graph) -> Result<View> {
        access::try_list(target, self.access()?, graph)
    }

    /// Replaces the graph of a resource, and returns what a GET then shows.
    ///
    /// # Errors
    /// `NotAllowed`, `EtagMismatch`, `InvalidData`, `NotFound` if the target is gone, and those of the store.
    pub fn replace(&self, target: Target, expected: &Expected, graph: Graph) -> Result<View> {
        self.check_replaceable(&target, &[])?;
        match target.aspect {
            Aspect::Obsels => obsels::replace(self, target, expected, &graph),
            Aspect::Acl => access::replace(self, &target, expected, &graph),
            _ => {
                let view = edit::replace_graph(self, &target, expected, graph)?;
                if !target.is_computed() {
                    return Ok(view);
                }
                // The edition is done: what fails from here on is told by the next read.
                let computed = self.find(&target.iri).and_then(|target| self.read(target, &[]));
                Ok(computed.unwrap_or(view))
            }
        }
    }

    /// Computes the descriptions of new computed traces, so that a list shows their models at once. What fails is told
    /// by the next read.
    fn describe_computed(&self, created: &[String]) {
        for iri in created {
            let described = match self.locate(iri) {
                Ok(target) if target.is_computed() => refresh::description(self, &target.entry.head.path),
                _ => Ok(()),
            };
            if let Err(error) = described {
                log::warn!("the description of <{iri}> is not computed yet: {error}");
            }
        }
    }

    /// Deletes a resource, or empties `@obsels`.
    ///
    /// # Errors
    /// `BadParameters`, `NotAllowed`, `Conflict` if another resource needs it, `NotFound` if the target is gone, and
    /// those of the store.
    pub fn delete(&self, target: &Target, parameters: &Parameters) -> Result<()> {
        self.require(target, |needs| needs.delete)?;
        no_parameters(parameters)?;
        match &target.aspect {
            Aspect::Acl => access::reset(self, target),
            Aspect::Itself if target.entry.head.kind == Kind::Root => {
                Err(target.not_allowed("Can not delete KtbsRoot"))
            }
            Aspect::Itself => delete::delete_resource(self, target),
            Aspect::Obsels if target.is_computed() => Err(target.not_allowed("Can not empty a computed trace.")),
            Aspect::Obsels => obsels::delete(self, target, parameters),
            Aspect::Stats => {
                Err(target.not_allowed("Can not delete trace statistics; delete its owning trace instead."))
            }
            Aspect::Obsel(_) if target.is_computed() => {
                Err(target.not_allowed("Can not directly edit obsels of computed trace."))
            }
            Aspect::Obsel(id) => obsel::delete(self, target, id, parameters),
        }
    }
}
