//! A computation that others overtake: they store theirs, of the same thing, while it is under way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use ktbs::error::Result;
use ktbs::method::{Command, Runner};
use ktbs::rdf::Graph;
use ktbs::resource::{Content, Service, Settings};
use ktbs::store::Store;
use ktbs::vocab::ktbs as k;

use super::support::{ROOT, settings, turtle};

const TRACE: &str = "b/c/";

/// Gives one obsel, which has a name by which one knows who computed it, and when. While it does, another process writes in the
/// source, computes the same trace, and writes again, the first few times.
#[derive(Debug)]
struct Slow {
    name: &'static str,
    runs: AtomicUsize,
    overtaken: usize,
    other: OnceLock<Service>,
}

impl Slow {
    fn new(name: &'static str, overtaken: usize) -> Arc<Self> {
        Arc::new(Self {
            name,
            runs: AtomicUsize::new(0),
            overtaken,
            other: OnceLock::new(),
        })
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::Relaxed)
    }
}

impl Runner for Slow {
    fn has_shell(&self) -> bool {
        false
    }

    fn knows(&self, _format: &str) -> bool {
        true
    }

    fn run(&self, _command: &Command<'_>) -> Result<std::result::Result<Graph, String>> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
        if run <= self.overtaken {
            let other = self.other.get().unwrap();
            post(other, "b/s/", &obsel(&format!("before{run}")));
            ids(other);
            post(other, "b/s/", &obsel(&format!("after{run}")));
        }
        Ok(Ok(turtle(TRACE, &obsel(&format!("{}{run}", self.name)))))
    }
}

fn obsel(id: &str) -> String {
    format!("<{id}> a <m#A>; k:hasTrace <>; k:hasBegin 0; k:hasEnd 0.")
}

fn service(store: Store, runner: &Arc<Slow>) -> Service {
    let mut settings = Settings {
        builtin_methods: vec![k::EXTERNAL],
        ..settings()
    };
    settings.computing.external = Some(Arc::clone(runner) as Arc<dyn Runner>);
    Service::new(store, settings).unwrap()
}

fn post(service: &Service, path: &str, body: &str) {
    let target = service.find(&format!("{ROOT}{path}")).unwrap();
    service.create(&target, &[], turtle(path, body)).unwrap();
}

/// Reads the computed trace; returns the ids of its obsels.
fn ids(service: &Service) -> Vec<String> {
    let target = service.find(&format!("{ROOT}{TRACE}@obsels")).unwrap();
    let view = service.read(target, &[]).unwrap();
    let Content::Obsels(obsels) = &view.content else {
        panic!("there are no obsels");
    };
    let mut ids = Vec::new();
    let mut add = |obsel: &ktbs::obsel::Obsel<'_>| {
        ids.push(obsel.id.to_owned());
        Ok(())
    };
    obsels.for_each(&mut add).unwrap();
    ids
}

/// Reads a trace whose computation is overtaken so many times. Returns the obsel that is read, how often the reader computed, and
/// how often the others did.
fn read(overtaken: usize) -> (Vec<String>, usize, usize) {
    let folder = crate::support::memory();
    let store = Store::open(folder.path(), ROOT, 1 << 28).unwrap();
    let (reader, others) = (Slow::new("reader", overtaken), Slow::new("other", 0));
    let (service, other) = (service(store.clone(), &reader), service(store, &others));
    reader.other.set(other).unwrap();
    for (path, item) in [
        ("", "<> k:hasBase <b/>. <b/> a k:Base."),
        ("b/", "<> k:contains <m>. <m> a k:TraceModel."),
        (
            "b/",
            "<> k:contains <s/>. <s/> a k:StoredTrace; k:hasModel <m>; k:hasOrigin 'o'.",
        ),
        (
            "b/",
            "<> k:contains <c/>. <c/> a k:ComputedTrace; k:hasMethod k:external; k:hasSource <s/>; k:hasParameter 'command-line=x'.",
        ),
    ] {
        post(&service, path, item);
    }
    (ids(&service), reader.runs(), others.runs())
}

#[test]
fn who_is_overtaken_once_computes_again() {
    assert_eq!(read(1), (vec!["reader2".to_owned()], 2, 1));
}

/// What the second one has stored it began after the reader came: though the source has changed again, it is not too old for that
/// reader, who would else compute for ever beside writers that never rest.
#[test]
fn who_is_overtaken_twice_takes_what_is_there() {
    assert_eq!(read(2), (vec!["other2".to_owned()], 2, 2));
    assert_eq!(read(5), (vec!["other2".to_owned()], 2, 2));
}
