//! Whatever happens to sources, parameters, methods and models, a chain of computed traces that follows step by step shows
//! what it would show if it were computed anew. Two kTBS live through the same history: one is read as clients read it,
//! the other computes everything from scratch each time.

use ktbs::error::Error;
use ktbs::format::{N_TRIPLES, Prefixes};
use ktbs::rdf::{Graph, Term, iri, string};
use ktbs::resource::Expected;
use ktbs::vocab::ktbs as k;
use proptest::prelude::*;
use proptest::test_runner::Config;

use super::support::{ROOT, TestService};

/// Something that happens.
#[derive(Clone, Debug)]
enum Event {
    /// Obsels are added to the source, at once: how much later than the last one, duration, type, and what the first says of an
    /// older one.
    Add(Vec<(i64, i64, u8)>, Option<(u8, bool)>),
    /// An obsel is deleted.
    Delete(u8),
    /// The obsels of the source are replaced, or all deleted.
    Replace(Vec<(i64, i64, u8)>),
    /// One of the chain is read.
    Read(usize),
    /// The parameters become those of that rank: those of the first trace, or those of its method.
    Parameters(u8, bool),
    /// The model says that B is a subtype of A, or not, and what the datatype of v is.
    Model(bool, bool),
    /// The first trace reads another source.
    Source(bool),
    /// The source bears obsels that come late, or not.
    Range(u8),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let late = || prop::collection::vec((-12..8i64, 0..6i64, 0..4u8), 1..4);
    let last = prop::collection::vec((0..4i64, 0..6i64, 0..4u8), 1..3);
    let related = prop::option::of((any::<u8>(), any::<bool>()));
    let event = prop_oneof![
        6 => last.prop_map(|obsels| Event::Add(obsels, None)),
        3 => (late(), related).prop_map(|(obsels, related)| Event::Add(obsels, related)),
        1 => any::<u8>().prop_map(Event::Delete),
        1 => prop_oneof![late(), Just(Vec::new())].prop_map(Event::Replace),
        6 => (0..3usize).prop_map(Event::Read),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(which, own)| Event::Parameters(which, own)),
        1 => any::<(bool, bool)>().prop_map(|(subtype, datatype)| Event::Model(subtype, datatype)),
        1 => any::<bool>().prop_map(Event::Source),
        1 => (0..3u8).prop_map(Event::Range),
    ];
    prop::collection::vec(event, 1..14)
}

/// The sets of parameters of a method.
type Sets = Vec<Vec<(&'static str, String)>>;

/// Two kTBS with the same history.
struct Twins {
    twins: [TestService; 2],
    sets: Sets,
    ids: Vec<String>,
    last: i64,
    count: usize,
}

const CHAIN: [&str; 3] = ["b/c1/", "b/c2/", "b/c3/"];

impl Twins {
    fn new(method: &str, sets: Sets, rest: (usize, usize)) -> Self {
        let twins = [TestService::in_memory(), TestService::in_memory()];
        let second = [
            "k:hasMethod k:filter; k:hasParameter 'after=5'".to_owned(),
            format!(
                "k:hasMethod k:parallel; k:hasParameter 'methods={ROOT}b/late {ROOT}b/early', 'model=m', 'origin=x'"
            ),
            format!("k:hasMethod k:pipe; k:hasParameter 'methods={ROOT}b/late {ROOT}b/early'"),
        ];
        let third = [
            "k:hasMethod k:fusion; k:hasSource <z/>; k:hasParameter 'model=m', 'origin=x'",
            "k:hasMethod k:hrules; k:hasParameter 'model=m', '''rules=[{\"id\": \"X\", \"rules\": [{\"attributes\": [{\"uri\": \"http://h/k/b/m#v\",
                \"operator\": \">=\", \"value\": 2}]}]}]'''",
            "k:hasMethod k:sparql; k:hasParameter '''sparql=PREFIX k: <http://liris.cnrs.fr/silex/2009/ktbs#>
                CONSTRUCT { [ k:hasTrace <%(__destination__)s>; k:hasSourceObsel ?o ] } WHERE { ?o k:hasBegin ?b }''', 'inherit=1'",
        ];
        for ktbs in &twins {
            ktbs.created("", "<> k:hasBase <b/>. <b/> a k:Base.");
            for item in [
                "<> k:contains <m>. <m> a k:TraceModel.",
                "<> k:contains <late>. <late> a k:Method; k:hasParentMethod k:filter; k:hasParameter 'after=10'.",
                "<> k:contains <early>. <early> a k:Method; k:hasParentMethod k:filter; k:hasParameter 'before=20'.",
                &format!("<> k:contains <method>. <method> a k:Method; k:hasParentMethod k:{method}."),
                "<> k:contains <s/>. <s/> a k:StoredTrace; k:hasModel <m>; k:hasOrigin 'o'.",
                "<> k:contains <z/>. <z/> a k:StoredTrace; k:hasModel <m>; k:hasOrigin 'o'.",
                "<> k:contains <c1/>. <c1/> a k:ComputedTrace; k:hasMethod <method>; k:hasSource <s/>.",
                &format!(
                    "<> k:contains <c2/>. <c2/> a k:ComputedTrace; k:hasSource <c1/>; {}.",
                    second[rest.0]
                ),
                &format!(
                    "<> k:contains <c3/>. <c3/> a k:ComputedTrace; k:hasSource <c2/>; {}.",
                    third[rest.1]
                ),
            ] {
                ktbs.created("b/", item);
            }
            let obsels = "<o> a <../m#A>; k:hasTrace <>; k:hasBegin 3; k:hasEnd 4. <p> a <../m#B>; k:hasTrace <>; k:hasBegin 12.";
            ktbs.post("b/z/", obsels).unwrap();
        }
        let (ids, last, count) = Default::default();
        let new = Self {
            twins,
            sets,
            ids,
            last,
            count,
        };
        new.set_parameters("b/method", 0);
        new
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Add(obsels, related) => {
                let mut body = self.obsels(obsels);
                if let Some((which, outgoing)) = related
                    && self.ids.len() > 1
                {
                    let other = &self.ids[*which as usize % (self.ids.len() - 1)];
                    let this = self.ids.last().unwrap();
                    body += &match outgoing {
                        true => format!("<{this}> <../m#rel> <{other}> ."),
                        false => format!("<{other}> <../m#rel> <{this}> ."),
                    };
                }
                for ktbs in &self.twins {
                    ktbs.post("b/s/", &body).unwrap();
                }
            }
            Event::Delete(which) => {
                if !self.ids.is_empty() {
                    let id = self.ids.remove(*which as usize % self.ids.len());
                    for ktbs in &self.twins {
                        ktbs.delete(&format!("b/s/{id}")).unwrap();
                    }
                }
            }
            Event::Replace(obsels) => {
                self.ids.clear();
                self.last = 0;
                let body = self.obsels(obsels);
                for ktbs in &self.twins {
                    ktbs.delete("b/s/@obsels").unwrap();
                    if !body.is_empty() {
                        ktbs.post("b/s/", &body).unwrap();
                    }
                }
            }
            Event::Parameters(which, own) => {
                let path = if *own { "b/c1/" } else { "b/method" };
                self.set_parameters(path, *which as usize % self.sets.len());
            }
            Event::Model(subtype, datatype) => {
                let model = |graph: &mut Graph| {
                    let [a, b, v] = ["A", "B", "v"].map(|name| iri(format!("{ROOT}b/m#{name}")));
                    graph.retain(|s, _, _| ![&a, &b, &v].contains(&s));
                    if *subtype {
                        graph.insert(&a, &iri(ktbs::vocab::rdf::TYPE), &iri(k::OBSEL_TYPE));
                        graph.insert(&b, &iri(k::HAS_SUPER_OBSEL_TYPE), &a);
                    }
                    if *datatype {
                        let integer = iri(format!("{}integer", ktbs::vocab::XSD));
                        graph.insert(&v, &iri(ktbs::vocab::rdf::TYPE), &iri(k::ATTRIBUTE_TYPE));
                        graph.insert(&v, &iri(k::HAS_ATTRIBUTE_RANGE), &integer);
                    }
                };
                self.edit("b/m", &model);
            }
            Event::Source(other) => self.edit("b/c1/", &|graph| {
                set(
                    graph,
                    "b/c1/",
                    k::HAS_SOURCE,
                    &[iri(format!("{ROOT}b/{}/", if *other { "z" } else { "s" }))],
                );
            }),
            Event::Range(which) => self.edit("b/s/", &|graph| {
                let range = ktbs::rdf::integer([0, 10, 1000][*which as usize]);
                set(graph, "b/s/", k::HAS_PSEUDO_MON_RANGE, &[range]);
            }),
            Event::Read(which) => self.compare(*which),
        }
    }

    fn set_parameters(&self, path: &str, which: usize) {
        let literals: Vec<Term> = (self.sets[which].iter())
            .map(|(name, value)| string(format!("{name}={value}")))
            .collect();
        self.edit(path, &|graph| set(graph, path, k::HAS_PARAMETER, &literals));
    }

    /// Replaces the graph of a resource by what a function makes of it.
    fn edit(&self, path: &str, f: &dyn Fn(&mut Graph)) {
        for ktbs in &self.twins {
            let mut graph = ktbs.get(path);
            f(&mut graph);
            let target = ktbs.find(path).unwrap();
            ktbs.service.replace(target, &Expected::Anything, graph).unwrap();
        }
    }

    fn obsels(&mut self, obsels: &[(i64, i64, u8)]) -> String {
        let start = self.last;
        let mut body = String::new();
        for (delay, duration, kind) in obsels {
            // Ids do not follow the order of creation.
            let id = format!("o{}", (self.count * 37) % 101 + 101 * (self.count / 101));
            self.count += 1;
            let (begin, end) = (start + delay, start + delay + duration);
            self.last = self.last.max(end);
            let kind = ["A", "B", "C", "A>, <../m#C"][*kind as usize % 4];
            let value = self.count % 5;
            body += &format!(
                "<{id}> a <../m#{kind}>; k:hasTrace <>; k:hasBegin {begin}; k:hasEnd {end}; <../m#v> {value}; <../m#bn> [ <../m#w> {begin} ]. "
            );
            self.ids.push(id);
        }
        body
    }

    /// Reads one of the chain, in both ways, and checks that it shows the same.
    fn compare(&self, which: usize) {
        let path = CHAIN[which];
        let [followed, anew] = [(0, None), (1, Some(("refresh", "recursive")))].map(|(twin, parameter)| {
            let ktbs = &self.twins[twin];
            let parameters: Vec<(&str, &str)> = parameter.into_iter().collect();
            let obsels = match ktbs.view(&format!("{path}@obsels"), &parameters) {
                Ok(view) => shown(&view),
                Err(Error::Conflict(diagnosis)) => vec![diagnosis.to_string()],
                Err(error) => panic!("{path}: {error}"),
            };
            (obsels, shown(&ktbs.view(path, &[]).unwrap()))
        });
        assert_eq!(followed, anew);
    }
}

/// Returns what a view shows, triple by triple, sorted.
fn shown(view: &ktbs::resource::View) -> Vec<String> {
    let mut bytes = Vec::new();
    (N_TRIPLES.write.unwrap())(view, &Prefixes::default(), &mut bytes).unwrap();
    let mut lines: Vec<String> = String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// Gives a resource these values of a property, and no other.
fn set(graph: &mut Graph, path: &str, property: &str, values: &[Term]) {
    let (subject, property) = (iri(format!("{ROOT}{path}")), iri(property));
    graph.retain(|s, p, _| *s != subject || *p != property);
    for value in values {
        graph.insert(&subject, &property, value);
    }
}

fn check(method: &str, sets: Sets, rest: (usize, usize), events: &[Event]) {
    let mut twins = Twins::new(method, sets, rest);
    for event in events {
        twins.happen(event);
    }
    for which in [2, 0, 1] {
        twins.compare(which);
    }
}

/// How many histories each method goes through; the environment may ask for more.
fn cases() -> Config {
    let default = if std::env::var_os("PROPTEST_CASES").is_some() {
        Config::default().cases
    } else {
        48
    };
    Config {
        cases: default,
        failure_persistence: None,
        ..Config::default()
    }
}

fn rest() -> impl Strategy<Value = (usize, usize)> {
    (0..3usize, 0..3usize)
}

fn sets(sets: &[&[(&'static str, &str)]]) -> Sets {
    let text = |text: &str| text.replace("m:", &format!("{ROOT}b/m#"));
    let set = |set: &&[(&'static str, &str)]| set.iter().map(|(name, value)| (*name, text(value))).collect();
    sets.iter().map(set).collect()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn filter(events in events(), rest in rest()) {
        check("filter", sets(&[
            &[("after", "3"), ("before", "30")],
            &[("otypes", "m:A")],
            &[("after", "10"), ("bgp", "FILTER NOT EXISTS { ?obs <m:rel> ?x }")],
            &[("after", "x")],
        ]), rest, &events);
    }

    #[test]
    fn fusion(events in events(), rest in rest()) {
        check("fusion", sets(&[&[], &[("origin", "x")], &[("model", "m2")]]), rest, &events);
    }

    #[test]
    fn hrules(events in events(), rest in rest()) {
        check("hrules", sets(&[
            &[("model", "m"), ("rules", r#"[{"id": "X", "rules": [{"type": "m:A"}]}, {"id": "Y", "rules": [{}]}]"#)],
            &[("model", "m"), ("rules", r#"[{"id": "X", "rules": [
                {"attributes": [{"uri": "m:v", "operator": "<", "value": "30"}]}]}]"#)],
            &[("model", "m2"), ("rules", "[")],
        ]), rest, &events);
    }

    #[test]
    fn fsa(events in events(), rest in rest()) {
        check("fsa", sets(&[
            &[("fsa", r##"{"state_defaults": {"max_noise": 1}, "states": {
                "start": {"transitions": [{"condition": "#A", "target": "s1"}]},
                "s1": {"transitions": [{"condition": "#B", "target": "#T"}, {"condition": "#A", "target": "s1"}]},
                "#T": {"terminal": true, "ktbs_attributes": {"#v": "sum #v", "#rel": "#rel"}}}}"##)],
            &[("expose_tokens", "yes"), ("fsa", r##"{"allow_overlap": true, "state_defaults": {"max_noise": 2}, "states": {
                "start": {"transitions": [{"condition": "#A", "target": "p"}, {"condition": "#A", "target": "#Q"}]},
                "p": {"transitions": [{"condition": "#A", "target": "#Q"}, {"condition": "#B", "target": "#R"}]},
                "#Q": {"terminal": true, "transitions": [{"condition": "#A", "target": "p"}]},
                "#R": {"terminal": true}}}"##)],
            &[("fsa", "{}")],
        ]), rest, &events);
    }

    #[test]
    fn sparql(events in events(), rest in rest()) {
        let query = "PREFIX k: <http://liris.cnrs.fr/silex/2009/ktbs#> CONSTRUCT {
            [ k:hasTrace <%(__destination__)s> ; a ?type ; k:hasBegin ?b ; <m:v> ?v ; k:hasSourceObsel ?o ]
        } WHERE { ?o a ?type ; k:hasBegin ?b ; k:hasTrace ?trace ; <m:v> ?v FILTER NOT EXISTS { ?other ?rel ?o } }";
        check("sparql", sets(&[
            &[("sparql", query)], &[("sparql", query), ("inherit", "")], &[("sparql", "SELECT")],
            &[("sparql", query), ("scope", "base")],
        ]), rest, &events);
    }

    #[test]
    fn isparql(events in events(), rest in rest()) {
        let query = "SELECT ?sourceObsel ?type (?sourceBegin as ?begin) ?v
            { %(__subselect__)s ?sourceObsel a ?type OPTIONAL { ?sourceObsel <m:v> ?v } }";
        let period = "SELECT ?sourceObsel (<m:N> AS ?type) ?begin
            { %(__subselect__)s BIND(FLOOR(?sourceBegin / %(period)s) * %(period)s AS ?x) BIND(xsd:integer(?x) AS ?begin) }";
        check("isparql", sets(&[&[("sparql", query)], &[("sparql", period), ("period", "10")]]), rest, &events);
    }

    #[test]
    fn pipe(events in events(), rest in rest()) {
        let (one, two) = (format!("{ROOT}b/late"), format!("{ROOT}b/early {ROOT}b/late {}fusion", ktbs::vocab::KTBS));
        check("pipe", sets(&[&[("methods", &one)], &[("methods", &two)], &[("methods", "nowhere")]]), rest, &events);
    }

    #[test]
    fn parallel(events in events(), rest in rest()) {
        let (one, two) = (format!("{ROOT}b/late"), format!("{ROOT}b/early {ROOT}b/late"));
        check("parallel", sets(&[
            &[("methods", &two)], &[("methods", &one), ("origin", "x")], &[("methods", &two), ("model", "m2")],
        ]), rest, &events);
    }
}
