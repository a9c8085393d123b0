//! Sources in a kTBS under test, and computations from them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use ktbs::error::{Error, Result};
use ktbs::method::{self, Description, Inputs, Limits, Method, Sink, Source, Target};
use ktbs::obsel::{Name, Obsel};
use ktbs::rdf::{Graph, Term, as_iri, as_literal};
use ktbs::store::views::Speller;
use ktbs::store::{Bounds, Change, Reading, Snapshot, TraceNumber, record};
use ktbs::vocab::ktbs as k;
use sophia::api::term::SimpleTerm;

use crate::support::{ROOT, TestKtbs};

/// What a method gives: its state, and statements about the target.
type Given = (Vec<u8>, Vec<(&'static str, Term)>);

/// An obsel that was put: begin, end, record.
type Put = (i64, i64, Vec<u8>);

/// A kTBS with a base `b/`, its model `b/m`, and sources.
pub struct World {
    ktbs: TestKtbs,
}

/// Declares the prefix `m:` of the model.
pub fn turtle(body: &str) -> String {
    format!("@prefix m: <{ROOT}b/m#> .\n@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n{body}")
}

impl World {
    /// Returns a world whose model says this, beside that it is one.
    pub fn new(model: &str) -> Self {
        Self::of(TestKtbs::new(), model)
    }

    /// Returns a world whose model says nothing, and whose store does not wait for the disk.
    pub fn in_memory() -> Self {
        Self::of(TestKtbs::in_memory(), "")
    }

    fn of(ktbs: TestKtbs, model: &str) -> Self {
        ktbs.post_turtle("", "<> k:hasBase <b/> . <b/> a k:Base .").expect(201);
        let world = Self { ktbs };
        world.post("b/", &format!("<> k:contains <m> . <m> a k:TraceModel . {model}"));
        world
    }

    /// Adds a stored trace of the model, with these other properties.
    pub fn trace(&self, id: &str, properties: &str) {
        self.post(
            "b/",
            &format!("<> k:contains <{id}/> . <{id}/> a k:StoredTrace ; {properties} k:hasModel <m> ."),
        );
    }

    /// Posts Turtle, which must be accepted.
    pub fn post(&self, path: &str, body: &str) {
        self.ktbs.post_turtle(path, &turtle(body)).expect(201);
    }

    /// Posts an obsel, or several, to a trace of `b/`.
    pub fn obsels(&self, trace: &str, body: &str) {
        self.post(&format!("b/{trace}/"), body);
    }

    /// Replaces the obsels of a trace.
    pub fn put_obsels(&self, trace: &str, body: &str) {
        let path = format!("b/{trace}/@obsels");
        let etag = self
            .ktbs
            .get(&path, &[("Accept", "text/turtle")])
            .header("etag")
            .to_owned();
        let structure = format!("<./> k:hasObselCollection <> . <> a k:StoredTraceObsels . {body}");
        let headers = [("Content-Type", "text/turtle"), ("If-Match", &etag)];
        let body = crate::support::turtle(&turtle(&structure));
        self.ktbs.put(&path, &headers, &body).expect(200);
    }

    /// Deletes an obsel.
    pub fn delete(&self, trace: &str, obsel: &str) {
        self.ktbs.delete(&format!("b/{trace}/{obsel}")).expect(204);
    }

    /// Puts other triples in the model.
    pub fn put_model(&self, body: &str) {
        let etag = self
            .ktbs
            .get("b/m", &[("Accept", "text/turtle")])
            .header("etag")
            .to_owned();
        let headers = [("Content-Type", "text/turtle"), ("If-Match", &etag)];
        let body = format!("<./> k:contains <m> . <m> a k:TraceModel . {body}");
        let body = crate::support::turtle(&turtle(&body));
        self.ktbs.put("b/m", &headers, &body).expect(200);
    }

    pub fn snapshot(&self) -> Snapshot {
        self.ktbs.app.service.store.read().unwrap()
    }

    /// Returns what a method must know of a stored trace.
    pub fn source(&self, id: &str) -> Source {
        let snapshot = self.snapshot();
        let path = format!("b/{id}/");
        let entry = snapshot.entry(&path).unwrap().unwrap();
        let iri = format!("{ROOT}{path}");
        let model = entry
            .graph
            .object_of(&iri, k::HAS_MODEL)
            .and_then(as_iri)
            .map(str::to_owned);
        let unit = (model.as_deref()).and_then(|model| snapshot.head(model.strip_prefix(ROOT)?).unwrap()?.unit);
        let range = entry
            .graph
            .object_of(&iri, k::HAS_PSEUDO_MON_RANGE)
            .and_then(as_literal);
        Source {
            trace: entry.head.trace.unwrap(),
            origin: entry.graph.object_of(&iri, k::HAS_ORIGIN).cloned(),
            unit,
            pseudo_range: range.map_or(0, |range| range.parse().unwrap()),
            model,
            iri,
        }
    }

    /// Returns a computation of a target `b/ID/` from stored traces.
    pub fn computation(
        &self,
        id: &str,
        method: &str,
        sources: &[&str],
        parameters: &[(&str, &str)],
    ) -> Computation<'_> {
        let mut change = self.ktbs.app.service.store.write().unwrap();
        let trace = change.create_trace().unwrap();
        change.commit().unwrap();
        Computation {
            world: self,
            method: method::find(&format!("{}{method}", ktbs::vocab::KTBS)).unwrap(),
            iri: format!("{ROOT}b/{id}/"),
            trace,
            sources: sources.iter().map(|id| (*id).to_owned()).collect(),
            computed_sources: Vec::new(),
            parameters: pairs(parameters),
            limits: Limits::default(),
            state: None,
            work: Cell::new(0),
        }
    }

    /// Computes once from stored traces.
    pub fn compute(&self, method: &str, sources: &[&str], parameters: &[(&str, &str)]) -> Vec<String> {
        let mut computation = self.computation("c", method, sources, parameters);
        computation.refresh().unwrap();
        computation.obsels()
    }

    /// Returns the problems that prevent a computation.
    pub fn problems(&self, method: &str, sources: &[&str], parameters: &[(&str, &str)]) -> String {
        let mut computation = self.computation("c", method, sources, parameters);
        computation.refresh().unwrap_err()
    }

    /// Returns the description of a target.
    pub fn describe(&self, method: &str, sources: &[&str], parameters: &[(&str, &str)]) -> Description {
        self.computation("c", method, sources, parameters).describe()
    }

    /// Returns the text of the diagnosis of a description, empty if there is none.
    pub fn diagnosis(&self, method: &str, sources: &[&str], parameters: &[(&str, &str)]) -> String {
        let computation = self.computation("c", method, sources, parameters);
        let diagnosis = computation.describe().diagnosis(computation.method);
        diagnosis.map(|diagnosis| diagnosis.to_string()).unwrap_or_default()
    }
}

/// Returns owned parameters.
pub fn pairs(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    parameters
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect()
}

/// A target, and what is kept of its last computation.
pub struct Computation<'w> {
    world: &'w World,
    pub method: &'static Method,
    pub iri: String,
    pub trace: TraceNumber,
    sources: Vec<String>,
    /// Sources that are computed themselves.
    computed_sources: Vec<Source>,
    pub parameters: Vec<(String, String)>,
    pub limits: Limits,
    pub state: Option<Vec<u8>>,
    /// How many obsels the last computation gave or removed.
    pub work: Cell<usize>,
}

impl Computation<'_> {
    /// Reads from the target of another computation too.
    pub fn reads(mut self, other: &Computation<'_>) -> Self {
        self.computed_sources.push(other.as_source());
        self
    }

    fn as_source(&self) -> Source {
        let description = self.describe();
        Source {
            iri: self.iri.clone(),
            trace: self.trace,
            model: description.model,
            origin: description.origin,
            unit: None,
            pseudo_range: 0,
        }
    }

    fn with_inputs<T>(&self, trace: Option<TraceNumber>, f: impl FnOnce(&Inputs<'_>) -> T) -> T {
        let snapshot = self.world.snapshot();
        let mut sources: Vec<Source> = self.sources.iter().map(|id| self.world.source(id)).collect();
        sources.extend(self.computed_sources.iter().cloned());
        let model = |iri: &str| -> Option<Graph> { Some(snapshot.entry(iri.strip_prefix(ROOT)?).unwrap()?.graph) };
        f(&Inputs {
            parameters: &self.parameters,
            target: Target { iri: &self.iri, trace },
            sources: &sources,
            model: &model,
            hidden: &HashSet::from([self.iri.clone()]),
            reading: &snapshot,
            limits: &self.limits,
        })
    }

    pub fn describe(&self) -> Description {
        self.with_inputs(None, |inputs| self.method.describe(inputs))
    }

    /// Computes what is new, and stores it.
    pub fn refresh(&mut self) -> std::result::Result<Vec<(&'static str, Term)>, String> {
        let state = self.state.clone();
        let (computed, properties) = self.run(self.trace, state.as_deref())?;
        self.state = Some(computed);
        Ok(properties)
    }

    /// Checks that a computation from scratch gives what the target has.
    #[track_caller]
    pub fn assert_as_from_scratch(&self) {
        let mut change = self.world.ktbs.app.service.store.write().unwrap();
        let other = change.create_trace().unwrap();
        change.commit().unwrap();
        let work = self.work.get();
        self.run(other, None).unwrap();
        self.work.set(work);
        assert_eq!(self.obsels(), self.world.dump(other, &self.iri));
    }

    fn run(&self, trace: TraceNumber, state: Option<&[u8]>) -> std::result::Result<Given, String> {
        let (kept, computed) = self.with_inputs(Some(trace), |inputs| {
            let mut kept = Kept::new(inputs.reading);
            let computed = self.method.compute(inputs, state, &mut kept);
            (kept.finish(), computed)
        });
        let computed = match computed {
            Ok(computed) => computed,
            Err(Error::Conflict(diagnosis)) => return Err(diagnosis.to_string()),
            Err(Error::Timeout(problem) | Error::TooComplex(problem)) => return Err(problem),
            Err(error) => panic!("{error}"),
        };
        self.work.set(kept.actions.len());
        let mut change = self.world.ktbs.app.service.store.write().unwrap();
        kept.store(&mut change, trace).unwrap();
        change.commit().unwrap();
        Ok((computed.state, computed.properties))
    }

    /// Returns the obsels of the target, in order, one text each.
    pub fn obsels(&self) -> Vec<String> {
        self.world.dump(self.trace, &self.iri)
    }

    /// Returns the ids of the obsels of the target, in order.
    pub fn ids(&self) -> Vec<String> {
        let obsels = self.obsels();
        obsels
            .iter()
            .map(|text| text.split(' ').next().unwrap().to_owned())
            .collect()
    }
}

impl World {
    /// Returns the obsels of a trace, in order: id, `[begin,end]`, then predicates and objects, sorted. What is below `b/`
    /// is relative to it; blank nodes are named after their descriptions.
    fn dump(&self, trace: TraceNumber, iri: &str) -> Vec<String> {
        let snapshot = self.snapshot();
        let speller = Speller::new(&snapshot, iri);
        let mut texts = Vec::new();
        snapshot
            .for_each_obsel(trace, &Bounds::ALL, &mut |obsel| {
                texts.push(text(&speller, iri, obsel));
                Ok(ControlFlow::Continue(()))
            })
            .unwrap();
        texts
    }
}

fn text(speller: &Speller<'_, Snapshot>, iri: &str, obsel: &Obsel<'_>) -> String {
    let this = format!("<{iri}{}>", obsel.id);
    let structural = [k::HAS_TRACE, k::HAS_BEGIN, k::HAS_END];
    let mut statements = Vec::new();
    speller
        .for_each_triple(obsel, &mut |[s, p, o]| {
            let (s, p, o) = (shown(&s), shown(&p), shown(&o));
            if s == short(&this) && structural.iter().any(|iri| p == short(&format!("<{iri}>"))) {
                return;
            }
            statements.push(if s == short(&this) {
                format!("{p} {o}")
            } else {
                format!("({s}) {p} {o}")
            });
        })
        .unwrap();
    statements.sort_unstable();
    format!(
        "{} [{},{}] {}",
        obsel.id,
        obsel.begin,
        obsel.end,
        statements.join(" ; ")
    )
}

fn shown(term: &Term) -> String {
    match term {
        SimpleTerm::Iri(iri) => short(&format!("<{}>", iri.as_str())),
        SimpleTerm::BlankNode(label) => match label.as_str().rsplit_once('b') {
            Some((_, number)) if label.as_str().starts_with('o') => format!("_:{number}"),
            _ => "_:shared".to_owned(),
        },
        SimpleTerm::LiteralDatatype(lexical, datatype) => match short(&format!("<{}>", datatype.as_str())) {
            datatype if datatype == "xsd:string" => format!("{:?}", &**lexical),
            datatype if datatype == "xsd:integer" => lexical.to_string(),
            datatype => format!("{:?}^^{datatype}", &**lexical),
        },
        SimpleTerm::LiteralLanguage(lexical, language, _) => format!("{:?}@{}", &**lexical, language.as_str()),
        _ => unreachable!("terms are of RDF 1.1"),
    }
}

fn short(iri: &str) -> String {
    let prefixes = [
        (format!("<{ROOT}b/m#"), "m:"),
        (format!("<{}", ktbs::vocab::KTBS), "k:"),
        (format!("<{}", ktbs::vocab::XSD), "xsd:"),
        (format!("<{}type", ktbs::vocab::RDF), "a"),
        (format!("<{ROOT}b/"), ""),
    ];
    for (start, prefix) in prefixes {
        if let Some(rest) = iri.strip_prefix(start.as_str()) {
            return format!("{prefix}{}", rest.trim_end_matches('>'));
        }
    }
    iri.to_owned()
}

/// A sink in memory.
struct Kept<'r> {
    reading: &'r dyn Reading,
    actions: Actions,
    names: HashMap<String, Name>,
}

#[derive(Default)]
struct Actions {
    cleared: bool,
    /// Id, and the rest unless it is removed.
    actions: Vec<(String, Option<Put>)>,
    new_names: Vec<String>,
}

const NEW_NAME: u32 = 1 << 31;

impl<'r> Kept<'r> {
    fn new(reading: &'r dyn Reading) -> Self {
        let (actions, names) = Default::default();
        Self {
            reading,
            actions,
            names,
        }
    }

    fn finish(self) -> Actions {
        self.actions
    }
}

impl Sink for Kept<'_> {
    fn clear(&mut self) -> Result<()> {
        assert!(self.actions.actions.is_empty(), "a sink is cleared first");
        self.actions.cleared = true;
        Ok(())
    }

    fn put(&mut self, obsel: &Obsel<'_>) -> Result<()> {
        let rest = (obsel.begin, obsel.end, record::encode(obsel));
        self.actions.actions.push((obsel.id.to_owned(), Some(rest)));
        Ok(())
    }

    fn remove(&mut self, id: &str) -> Result<()> {
        self.actions.actions.push((id.to_owned(), None));
        Ok(())
    }

    fn name(&mut self, iri: &str) -> Result<Name> {
        if let Some(name) = self.names.get(iri) {
            return Ok(*name);
        }
        let name = match self.reading.name_of(iri)? {
            Some(name) => name,
            None => {
                self.actions.new_names.push(iri.to_owned());
                Name(NEW_NAME + self.actions.new_names.len() as u32 - 1)
            }
        };
        self.names.insert(iri.to_owned(), name);
        Ok(name)
    }
}

impl Actions {
    /// Does what was kept. Tags are renewed as those of a trace that may have changed anywhere, unless obsels were only
    /// added after the last one.
    fn store(&self, change: &mut Change<'_>, trace: TraceNumber) -> Result<()> {
        let names: Vec<Name> = self.new_names.iter().map(|iri| change.name(iri).unwrap()).collect();
        if self.cleared {
            change.delete_obsels(trace)?;
        }
        let last = change.last_place(trace)?;
        let mut strict = !self.cleared;
        for (id, rest) in &self.actions {
            let known = change.place(trace, id)?;
            let Some((begin, end, record)) = rest else {
                assert!(change.remove_obsel(trace, id)?, "{id} is removed, and was not there");
                strict = false;
                continue;
            };
            assert!(known.is_none() || !self.cleared, "{id} is put twice");
            let mut obsel = Obsel::default();
            record::decode(record, &mut obsel)?;
            (obsel.id, obsel.begin, obsel.end) = (id, *begin, *end);
            obsel.rename(&|name| match name.0.checked_sub(NEW_NAME) {
                Some(new) => names[new as usize],
                None => name,
            });
            if change.obsel(trace, id)?.is_some_and(|known| known == obsel) {
                continue;
            }
            let place = ktbs::store::Place {
                end: *end,
                begin: *begin,
                id: id.clone(),
            };
            let related = obsel
                .arcs
                .iter()
                .any(|arc| matches!(arc.object, ktbs::obsel::Value::Obsel(_)));
            strict &= known.is_none()
                && !related
                && obsel.others.is_empty()
                && last.as_ref().is_none_or(|last| place > *last);
            change.replace_obsel(trace, &obsel)?;
        }
        if !self.cleared && self.actions.is_empty() {
            return Ok(());
        }
        if strict {
            let tag = change.new_tag();
            change.record(trace)?.tags.main = tag;
        } else {
            change.renew_tags(trace)?;
        }
        Ok(())
    }
}
