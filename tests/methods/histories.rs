//! Whatever happened to the sources, what is computed step by step is what is computed from scratch.

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::support::{World, pairs};

/// Something that happens to the source.
#[derive(Clone, Debug)]
enum Event {
    /// An obsel is added: how much later than the last one, its duration, its type, and what it says of an older one.
    Add(i64, i64, u8, Option<(u8, bool)>),
    /// Several are, at once.
    Batch(Vec<(i64, u8)>),
    /// One is deleted.
    Delete(u8),
    /// All the obsels are replaced.
    Replace(Vec<(i64, u8)>),
    /// The target is computed.
    Refresh,
    /// The parameters become those of that rank.
    Parameters(u8),
    /// The model says that B is a subtype of A, or not.
    Model(bool),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let add = (
        -12..8i64,
        0..6i64,
        0..4u8,
        prop::option::of((any::<u8>(), any::<bool>())),
    )
        .prop_map(|(delay, duration, kind, related)| Event::Add(delay, duration, kind, related));
    let end = (0..4i64, 0..6i64, 0..4u8).prop_map(|(delay, duration, kind)| Event::Add(delay, duration, kind, None));
    let several = || prop::collection::vec((-5..6i64, 0..4u8), 1..4);
    let event = prop_oneof![
        6 => end,
        4 => add,
        1 => several().prop_map(Event::Batch),
        1 => any::<u8>().prop_map(Event::Delete),
        1 => several().prop_map(Event::Replace),
        6 => Just(Event::Refresh),
        1 => any::<u8>().prop_map(Event::Parameters),
        1 => any::<bool>().prop_map(Event::Model),
    ];
    prop::collection::vec(event, 1..14)
}

/// A source that events change.
struct History<'w> {
    world: &'w World,
    ids: Vec<String>,
    last: i64,
    count: usize,
}

impl<'w> History<'w> {
    fn new(world: &'w World) -> Self {
        let (ids, last, count) = Default::default();
        Self {
            world,
            ids,
            last,
            count,
        }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Add(delay, duration, kind, related) => {
                let begin = self.last + delay;
                let mut obsel = self.obsel(begin, begin + duration, *kind);
                if let Some((which, outgoing)) = related
                    && self.ids.len() > 1
                {
                    let other = self.ids[*which as usize % (self.ids.len() - 1)].clone();
                    let this = self.ids.last().expect("it was just added");
                    obsel += &match outgoing {
                        true => format!("<{this}> m:rel <{other}> ."),
                        false => format!("<{other}> m:rel <{this}> ."),
                    };
                }
                self.world.obsels("s", &obsel);
            }
            Event::Batch(obsels) => {
                let body = self.several(obsels);
                self.world.obsels("s", &body);
            }
            Event::Delete(which) => {
                if !self.ids.is_empty() {
                    let id = self.ids.remove(*which as usize % self.ids.len());
                    self.world.delete("s", &id);
                }
            }
            Event::Replace(obsels) => {
                self.ids.clear();
                self.last = 0;
                let body = self.several(obsels);
                self.world.put_obsels("s", &body);
            }
            Event::Model(true) => self.world.put_model("m:B k:hasSuperObselType m:A ."),
            Event::Model(false) => self.world.put_model(""),
            Event::Refresh | Event::Parameters(_) => {}
        }
    }

    fn several(&mut self, obsels: &[(i64, u8)]) -> String {
        let start = self.last;
        obsels
            .iter()
            .map(|(delay, kind)| self.obsel(start + delay, start + delay, *kind))
            .collect()
    }

    fn obsel(&mut self, begin: i64, end: i64, kind: u8) -> String {
        // Ids do not follow the order of creation.
        let id = format!("o{}", (self.count * 37) % 101 + 101 * (self.count / 101));
        self.count += 1;
        self.last = self.last.max(end);
        let kind = ["A", "B", "C", "A, m:C"][kind as usize % 4];
        let value = self.count % 5;
        let text = format!(
            "<{id}> a m:{kind} ; k:hasTrace <./> ; k:hasBegin {begin} ; k:hasEnd {end} ; m:v {value} ; m:bn [ m:w {begin} ] . "
        );
        self.ids.push(id);
        text
    }
}

/// Runs a history. Each set of parameters is one that [`Event::Parameters`] may choose.
fn check(method: &str, parameters: &[&[(&str, &str)]], range: i64, events: &[Event]) {
    let world = World::in_memory();
    world.trace("s", &format!("k:hasOrigin \"o\" ; k:hasPseudoMonRange {range} ;"));
    world.trace("z", "k:hasOrigin \"o\" ;");
    world.obsels("z", "<o> a m:A ; k:hasTrace <> ; k:hasBegin 3 ; k:hasEnd 4 .");
    let sources: &[&str] = if method == "fusion" { &["s", "z"] } else { &["s"] };
    let mut history = History::new(&world);
    let mut first = world.computation("c", method, sources, parameters[0]);
    let mut second = world.computation("d", "filter", &[], &[("after", "5")]).reads(&first);
    let mut third = world.computation("e", "fusion", &["z"], &[]).reads(&second);
    for event in events {
        history.happen(event);
        if let Event::Parameters(which) = event {
            first.parameters = pairs(parameters[*which as usize % parameters.len()]);
        }
        if !matches!(event, Event::Refresh) {
            continue;
        }
        for computation in [&mut first, &mut second, &mut third] {
            computation.refresh().expect("legal parameters");
            computation.assert_as_from_scratch();
        }
    }
    for computation in [&mut first, &mut second, &mut third] {
        computation.refresh().expect("legal parameters");
        computation.assert_as_from_scratch();
    }
}

/// How many histories each method goes through; the environment may ask for more.
fn cases() -> Config {
    let default = if std::env::var_os("PROPTEST_CASES").is_some() {
        Config::default().cases
    } else {
        90
    };
    Config {
        cases: default,
        failure_persistence: None,
        ..Config::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn filter(events in events(), range in prop::sample::select(vec![0, 10, 1000])) {
        let types = format!("{}b/m#A", crate::support::ROOT);
        check("filter", &[
            &[("after", "3"), ("before", "30")],
            &[("otypes", &types)],
            &[],
            &[("after", "10"), ("otypes", &types)],
        ], range, &events);
    }

    #[test]
    fn fusion(events in events(), range in prop::sample::select(vec![0, 10, 1000])) {
        check("fusion", &[&[], &[("origin", "x")]], range, &events);
    }

    #[test]
    fn fsa(events in events(), range in prop::sample::select(vec![0, 10, 1000])) {
        check("fsa", &[
            &[("fsa", r##"{"state_defaults": {"max_noise": 1}, "states": {
                "start": {"transitions": [{"condition": "#A", "target": "s1"}]},
                "s1": {"transitions": [{"condition": "#B", "target": "#T1"}, {"condition": "#A", "target": "s1"}]},
                "#T1": {"terminal": true, "max_duration": 4, "transitions": [{"condition": "#C", "target": "#T2"}],
                        "ktbs_attributes": {"#sum": "sum #v", "#rel": "#rel"}},
                "#T2": {"terminal": true}}}"##)],
            &[("fsa", r##"{"allow_overlap": true, "state_defaults": {"max_noise": 2, "max_total_duration": 20}, "states": {
                "start": {"transitions": [{"condition": "#A", "target": "p"}, {"condition": "#A", "target": "#Q"}]},
                "p": {"transitions": [{"condition": "#A", "target": "#Q"}, {"condition": "#B", "target": "#R"}]},
                "#Q": {"terminal": true, "transitions": [{"condition": "#A", "target": "p", "silent": true}]},
                "#R": {"terminal": true, "ktbs_attributes": {"#n": "count #v"}}}}"##)],
            &[("fsa", r##"{"default_matcher": "sparql-ask", "states": {
                "start": {"transitions": [{"condition": "?obs m:v ?v FILTER NOT EXISTS { ?obs m:rel ?o }", "target": "one"}]},
                "one": {"max_noise": 2, "transitions": [
                    {"condition": "?obs m:v ?v . ?pred m:v ?w FILTER(?v > ?w)", "target": "#Up"},
                    {"condition": "?pred m:rel ?obs", "target": "#Linked"}]},
                "#Up": {"terminal": true}, "#Linked": {"terminal": true}}}"##)],
            &[("fsa", r##"{"default_matcher": "sparql-ask", "states": {
                "start": {"transitions": [{"condition": "?other m:rel ?obs . ?other m:v 3", "target": "#E"}]},
                "#E": {"terminal": true}}}"##)],
        ], range, &events);
    }

    #[test]
    fn hrules(events in events(), range in prop::sample::select(vec![0, 10, 1000])) {
        let model = format!("{}b/m", crate::support::ROOT);
        let rules = |text: &str| text.replace("m:", &format!("{model}#"));
        let typed = rules(r#"[{"id": "X", "rules": [{"type": "m:A"}]}, {"id": "Y", "visible": false, "rules": [{}]}]"#);
        let valued = rules(r#"[
            {"id": "X", "rules": [{"attributes": [{"uri": "m:v", "operator": ">=", "value": 3}]}]},
            {"id": "Y", "rules": [{"type": "m:C"}, {"attributes": [{"uri": "m:rel", "operator": "contains", "value": "1"}]}]}
        ]"#);
        check("hrules", &[
            &[("model", &model), ("rules", &typed)],
            &[("model", &model), ("rules", &valued)],
        ], range, &events);
    }

    #[test]
    fn filter_by_patterns(events in events(), range in prop::sample::select(vec![0, 10, 1000])) {
        check("filter", &[
            &[("bgp", "FILTER NOT EXISTS { ?obs m:rel ?x }")],
            &[("bgp", "?obs m:v ?v FILTER(?v > 2)"), ("after", "3")],
            &[("bgp", "?x m:rel ?obs")],
        ], range, &events);
    }

    #[test]
    fn isparql(events in events(), range in prop::sample::select(vec![0, 10, 1000])) {
        let query = |rest: &str| format!(
            "PREFIX m: <{}b/m#> SELECT ?sourceObsel ?type (?sourceBegin as ?begin) ?end ?x {{ %(__subselect__)s {rest} }}",
            crate::support::ROOT
        );
        let (values, alone, related, ordered) = (
            query("VALUES ?type { m:N2 m:N1 } OPTIONAL { ?sourceObsel m:v ?x }"),
            query("BIND(m:N AS ?type) BIND(?sourceEnd AS ?end) FILTER NOT EXISTS { ?sourceObsel m:rel ?y }"),
            query("?sourceObsel a ?type OPTIONAL { ?sourceObsel m:rel/m:v ?x }"),
            query("?sourceObsel a ?type ; m:v ?x") + " ORDER BY DESC(?type)",
        );
        check("isparql", &[
            &[("sparql", &values)],
            &[("sparql", &alone)],
            &[("sparql", &related)],
            &[("sparql", &ordered)],
        ], range, &events);
    }

    #[test]
    fn sparql(events in events(), range in prop::sample::select(vec![0, 10, 1000])) {
        let query = "PREFIX k: <http://liris.cnrs.fr/silex/2009/ktbs#> CONSTRUCT {
            [ k:hasTrace <%(__destination__)s> ; a ?type ; k:hasBegin ?b ; k:hasSourceObsel ?o ]
        } WHERE { ?o a ?type ; k:hasBegin ?b ; k:hasTrace ?trace FILTER NOT EXISTS { ?other ?rel ?o } }";
        check("sparql", &[&[("sparql", query)], &[("sparql", query), ("inherit", "")]], range, &events);
    }
}
