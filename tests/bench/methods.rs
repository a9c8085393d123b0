//! What computed traces and queries cost: the first computation, and a refresh after one new obsel.

use anyhow::Result;
use ktbs::vocab::KTBS;
use serde_json::json;

use super::{Bench, ROOT, obsel, only, row};

/// How often a first computation is timed.
const FIRST: usize = 5;
/// How often a refresh is timed.
const REFRESHES: usize = 21;

/// Times each method over the trace `b/t/`, whose obsels are all before `next`.
pub fn measure(bench: &mut Bench, obsels: usize, next: &mut usize) -> Result<()> {
    for method in sub_methods(obsels) {
        bench.post("b/", "application/json", &method.to_string())?;
    }
    bench.post(
        "b/",
        "application/json",
        r#"{"@id":"u/","@type":"StoredTrace","hasModel":"m","origin":"2020-01-01T00:00:00Z"}"#,
    )?;
    bench.post("b/u/", "application/json", &obsel(0))?;
    println!("\n{:<34} {:>15} {:>15}", "computed trace", "first", "one more obsel");
    for (method, sources, parameters) in methods(obsels) {
        if only().is_some_and(|part| !method.contains(&part)) {
            continue;
        }
        let mut made = 0;
        let mut create = |bench: &mut Bench| -> Result<String> {
            made += 1;
            let name = format!("c-{method}-{made}/");
            let trace = json!({"@id": name, "@type": "ComputedTrace", "hasMethod": method, "hasSource": sources,
                "parameter": parameters});
            bench.post("b/", "application/json", &trace.to_string())?;
            Ok(format!("b/{name}"))
        };
        let mut last = String::new();
        let first = bench.median(FIRST, |bench, _| {
            let path = create(bench)?;
            let elapsed = bench.get(&format!("{path}@obsels"), "application/json")?.0;
            // What is not needed any more would make the store larger for those that follow.
            if !last.is_empty() {
                bench.send("DELETE", &last, &[], b"")?;
            }
            last = path;
            Ok(elapsed)
        })?;
        let path = format!("{last}@obsels?limit=1&reverse");
        let refreshes = if method == "sparql" { FIRST } else { REFRESHES };
        let refresh = bench.median(refreshes, |bench, _| {
            *next += 1;
            bench.post("b/t/", "application/json", &obsel(*next))?;
            Ok(bench.get(&path, "application/json")?.0)
        })?;
        bench.send("DELETE", &last, &[], b"")?;
        println!("{method:<34} {first:>12.1} us {refresh:>12.1} us");
    }
    println!();
    queries(bench)
}

/// The rows that a query gives about each obsel, or about all of them together.
fn queries(bench: &mut Bench) -> Result<()> {
    for (name, query) in [
        (
            "SELECT count by type",
            format!("SELECT ?t (COUNT(?o) AS ?n) {{ ?o a ?t ; <{KTBS}hasBegin> ?b }} GROUP BY ?t"),
        ),
        (
            "SELECT the last 10",
            format!("SELECT ?o ?e {{ ?o <{KTBS}hasEnd> ?e }} ORDER BY DESC(?e) LIMIT 10"),
        ),
        (
            "CONSTRUCT of a third",
            format!("CONSTRUCT {{ ?o <http://h/at> ?b }} {{ ?o a <{ROOT}b/m#Scroll> ; <{KTBS}hasBegin> ?b }}"),
        ),
    ] {
        if only().is_some_and(|part| !name.contains(&part)) {
            continue;
        }
        let path = format!("b/t/@obsels?query={}", encoded(&query));
        row(name, bench.median(FIRST, |bench, _| Ok(bench.get(&path, "*/*")?.0))?);
    }
    Ok(())
}

/// A method, its sources and its parameters.
type Computation = (&'static str, Vec<&'static str>, Vec<String>);

fn methods(obsels: usize) -> Vec<Computation> {
    let half = format!("after={}", 5 * obsels);
    let type_of = |name: &str| format!("{ROOT}b/m#{name}");
    let automaton = json!({"states": {
        "start": {"transitions": [{"condition": "#Scroll", "target": "a"}]},
        "a": {"max_noise": 5, "transitions": [{"condition": "#Click", "target": "end"}]},
        "end": {"terminal": true}}});
    let rules = json!([
        {"id": type_of("Right"), "rules": [{"type": type_of("Click"),
            "attributes": [{"uri": type_of("x"), "operator": ">", "value": "640"}]}]},
        {"id": type_of("Move"), "rules": [{"type": type_of("Scroll")}]}]);
    let construct = format!(
        "PREFIX : <{KTBS}>\nPREFIX m: <{}>\nCONSTRUCT {{ [ a m:Double ; :hasTrace <%(__destination__)s> ; :hasBegin ?b ; \
         :hasEnd ?e ; :hasSourceObsel ?o ; m:page ?p ] }} WHERE {{ ?o a m:Scroll ; :hasBegin ?b ; :hasEnd ?e ; \
         m:page ?p ; m:x ?x FILTER(?x > 100) }}",
        type_of("")
    );
    let select = format!(
        "PREFIX m: <{}> SELECT ?sourceObsel (m:Double AS ?type) (?sourceBegin AS ?begin) ?page {{ \
         %(__subselect__)s ?sourceObsel a m:Scroll ; m:page ?page }}",
        type_of("")
    );
    let both = format!("methods={ROOT}b/half {ROOT}b/pairs");
    vec![
        ("filter", vec!["t/"], vec![half]),
        ("fusion", vec!["t/", "u/"], vec![]),
        ("fsa", vec!["t/"], vec![format!("fsa={automaton}")]),
        (
            "hrules",
            vec!["t/"],
            vec![format!("model={ROOT}b/m"), format!("rules={rules}")],
        ),
        ("sparql", vec!["t/"], vec![format!("sparql={construct}")]),
        ("isparql", vec!["t/"], vec![format!("sparql={select}")]),
        ("pipe", vec!["t/"], vec![both.clone()]),
        ("parallel", vec!["t/"], vec![both]),
    ]
}

/// The methods through which pipe and parallel go.
fn sub_methods(obsels: usize) -> [serde_json::Value; 2] {
    let all = methods(obsels);
    let parameters = |method| {
        all.iter()
            .find(|(name, ..)| *name == method)
            .map(|(.., parameters)| parameters)
    };
    [
        json!({"@id": "half", "@type": "Method", "hasParentMethod": "filter", "parameter": parameters("filter")}),
        json!({"@id": "pairs", "@type": "Method", "hasParentMethod": "fsa", "parameter": parameters("fsa")}),
    ]
}

/// Returns a text as it stands in the query of a URL.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
