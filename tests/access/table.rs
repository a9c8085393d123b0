//! The whole table: users x resources x methods x formats x parameters x scopes of SPARQL. Whatever is asked, an answer never
//! tells of a resource that whoever asks may not read.
//!
//! Each resource has a marker of its own in its name, and another one in what it says. Who may read what is written down here
//! by hand.

use std::collections::{BTreeMap, BTreeSet};

use super::{computed, grant, ktbs, post};
use crate::support::TestKtbs;
use ktbs::config::Policy;
use ktbs::format;
use ktbs::plugin::PLUGINS;
use ktbs::resource::catalog::described;
use ktbs::resource::parameter::Form;
use ktbs::resource::{Aspect, kinds};
use ktbs::store::Kind;

/// Who asks: alice made everything, bob was granted some of it, root may do all, the last is a stranger.
static USERS: [&str; 5] = ["alice", "bob", "dan", "root", ""];

/// A resource of the table.
#[derive(Debug)]
struct Resource {
    path: String,
    /// What only its name has.
    name: String,
    /// What only its content has.
    content: String,
    readers: &'static [&'static str],
}

const ALL: &[&str] = &["alice", "bob", "dan", "root", ""];
const BOB: &[&str] = &["alice", "bob", "root"];
const ALICE: &[&str] = &["alice", "root"];

struct World {
    ktbs: TestKtbs,
    resources: Vec<Resource>,
}

impl World {
    /// Adds a resource that a description in its base makes.
    fn add(&mut self, base: &str, id: &str, readers: &'static [&'static str], description: &str) -> String {
        let path = format!("{base}{id}");
        let content = format!("says{}", id.trim_end_matches('/'));
        let property = if base.is_empty() { "k:hasBase" } else { "k:contains" };
        let body = format!("<> {property} <{id}> . <{id}> {description} ; <http://ex.org/p> \"{content}\" .");
        let maker = if base.is_empty() { "root" } else { "alice" };
        post(&self.ktbs, maker, base, &body).expect(201);
        let name = id.trim_end_matches('/').to_owned();
        self.resources.push(Resource {
            path: path.clone(),
            name,
            content,
            readers,
        });
        path
    }

    /// Makes a resource of each kind in a base, which has a marker.
    fn fill(&mut self, base: &str, mark: &str, readers: &'static [&'static str]) {
        self.add(base, &format!("{mark}model"), readers, "a k:TraceModel");
        for (kind, ..) in kinds() {
            match kind {
                // A kind that is added is to be made here: without a row the compiler complains.
                Kind::Root | Kind::Base | Kind::TraceModel | Kind::ComputedTrace => {}
                Kind::Method => {
                    let what = "a k:Method ; k:hasParentMethod k:filter";
                    self.add(base, &format!("{mark}method"), readers, what);
                }
                Kind::DataGraph => {
                    self.add(base, &format!("{mark}graph"), readers, "a k:DataGraph");
                }
                Kind::StoredTrace => {
                    self.trace(base, &format!("{mark}stored/"), &format!("{mark}model"), readers);
                }
            }
        }
        let stored = format!("{mark}stored/");
        for (id, method, more) in [
            ("computed", format!("<{mark}method>"), ""),
            ("piped", "k:pipe".to_owned(), "; k:hasParameter \"methods=k k\""),
        ] {
            let id = format!("{mark}{id}/");
            computed(&self.ktbs, base, &id, &method, &stored, more);
            self.resources.push(Resource {
                path: format!("{base}{id}"),
                name: id.trim_end_matches('/').to_owned(),
                content: "-nothing-of-its-own-".to_owned(),
                readers,
            });
        }
    }

    fn trace(&mut self, base: &str, id: &str, model: &str, readers: &'static [&'static str]) -> String {
        let what = format!("a k:StoredTrace ; k:hasModel <{model}> ; k:hasOrigin \"o\"");
        let path = self.add(base, id, readers, &what);
        let mark = id.trim_end_matches('/');
        let body =
            format!("<{mark}obsel> a <{mark}type> ; k:hasTrace <> ; k:hasBegin 1 ; k:hasSubject \"says{mark}\" .");
        post(&self.ktbs, "alice", &path, &body).expect(201);
        path
    }
}

fn world() -> World {
    let mut world = World {
        ktbs: ktbs(Policy::Private),
        resources: Vec::new(),
    };
    let plugins = &mut world.ktbs.app.config.plugins;
    (plugins.cors, plugins.profiler, plugins.xgereco_obsel_table) = (true, true, true);
    for plugin in &PLUGINS {
        assert!(
            (plugin.is_on)(plugins) || plugin.name == "meth_external",
            "{} is off",
            plugin.name
        );
    }
    // A base that everybody reads, with hidden traces in it; one that bob reads; one of alice alone, with a base in it.
    world.add("", "pubx/", ALL, "a k:Base");
    world.add("", "bobx/", BOB, "a k:Base");
    world.add("", "hidx/", ALICE, "a k:Base");
    let ktbs = &world.ktbs;
    grant(ktbs, "root", "pubx/", r#"{"owner": "alice", "read": ["everybody"]}"#).expect(200);
    grant(ktbs, "root", "bobx/", r#"{"owner": "alice", "read": ["user:bob"]}"#).expect(200);
    grant(ktbs, "root", "hidx/", r#"{"owner": "alice"}"#).expect(200);
    world.fill("pubx/", "pubq", ALL);
    world.fill("bobx/", "bobq", BOB);
    world.fill("hidx/", "hidq", ALICE);
    world.add("hidx/", "subx/", ALICE, "a k:Base");
    world.fill("hidx/subx/", "subq", ALICE);
    let secret = world.trace("pubx/", "secq/", "pubqmodel", ALICE);
    grant(&world.ktbs, "alice", &secret, r#"{"owner": "alice"}"#).expect(200);
    // Computed over a hidden trace, or by queries that see it: hidden, though the list of the base says otherwise.
    for (id, method, source, more) in [
        ("over", "k:filter", "secq/", ""),
        ("fused", "k:fusion", "secq/> , <pubqstored/", ""),
        ("overover", "k:filter", "over/", ""),
        ("inbase", "k:sparql", "pubqstored/", "; k:hasParameter \"scope=base\""),
        ("instore", "k:sparql", "pubqstored/", "; k:hasParameter \"scope=store\""),
    ] {
        // Obsels of the class T are its own.
        let construct = "CONSTRUCT { [] a <http://ex.org/T> ; k:hasTrace <%(__destination__)s> ; k:hasBegin 1 ; \
             k:hasSubject ?o } WHERE { GRAPH ?g { ?s k:hasSubject ?o . ?s a ?t } FILTER(?t != <http://ex.org/T>) }"
            .replace("k:", "<http://liris.cnrs.fr/silex/2009/ktbs#")
            .replace("hasTrace ", "hasTrace> ")
            .replace("hasBegin ", "hasBegin> ")
            .replace("hasSubject ", "hasSubject> ");
        let more = match more {
            "" => String::new(),
            more => format!("{more} , \"sparql={construct}\""),
        };
        let id = format!("zz{id}/");
        let source = source.replace("over/", "zzover/");
        computed(&world.ktbs, "pubx/", &id, method, &source, &more);
        world.resources.push(Resource {
            path: format!("pubx/{id}"),
            name: id.trim_end_matches('/').to_owned(),
            content: "-nothing-of-its-own-".to_owned(),
            readers: if id == "zzinstore/" { &["root"] } else { ALICE },
        });
    }
    world
}

/// Returns the end of the address of each face of a resource. A face that is added is to be asked about here: without a row the
/// compiler complains.
fn faces(path: &str) -> Vec<String> {
    let id = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let all = [
        Aspect::Itself,
        Aspect::Obsels,
        Aspect::Stats,
        Aspect::Acl,
        Aspect::Obsel(format!("{id}obsel")),
    ];
    let end = |aspect: &Aspect| match aspect {
        Aspect::Itself => String::new(),
        Aspect::Obsels => "@obsels".to_owned(),
        Aspect::Stats => "@stats".to_owned(),
        Aspect::Acl => "@acl".to_owned(),
        Aspect::Obsel(id) => id.clone(),
    };
    let is_folder = path.is_empty() || path.ends_with('/');
    all.iter().map(end).filter(|end| end.is_empty() || is_folder).collect()
}

/// Returns the extensions of all the syntaxes in which anything can be shown, and one of none.
fn extensions() -> BTreeSet<&'static str> {
    let shapes = described(true).into_iter().map(|described| described.shape);
    let known = shapes.flat_map(|shape| format::offers(shape).filter_map(|offer| offer.extension));
    known.chain(["nonsense"]).collect()
}

/// Returns the query strings that the documentation knows for anything, with values that show much.
fn parameters(path: &str) -> BTreeSet<String> {
    let id = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let mut all = BTreeSet::new();
    for parameter in described(true).iter().flat_map(|described| described.parameters) {
        let values: Vec<String> = match parameter.form {
            Form::Integer => vec!["0".to_owned(), "9".to_owned()],
            Form::Natural => vec!["1".to_owned()],
            Form::Obsel => vec![format!("{id}obsel")],
            Form::Text => vec!["text".to_owned()],
            Form::Flag => vec![String::new()],
            Form::Some(words) => vec![words.join(",")],
            Form::One(words) => words.iter().map(|word| (*word).to_owned()).collect(),
        };
        all.extend(values.iter().map(|value| format!("{}={value}", parameter.name)));
    }
    all
}

/// Returns the query strings that a plugin takes. One that is added is to be asked about here.
fn of_plugin(name: &str) -> Vec<String> {
    let encoded = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    match name {
        "cors" | "authx" | "stats_per_type" | "stats_subjects" => Vec::new(),
        // Has a media type, and no parameter: see `TABLE`.
        "xgereco_obsel_table" => Vec::new(),
        // Off: it runs commands. It shows nothing by itself.
        "meth_external" => Vec::new(),
        "profiler" => vec!["profiler".to_owned()],
        "post_via_get" => vec!["post=%7B%7D&ctype=application/json".to_owned()],
        "sparql_endpoints" => {
            let all = encoded("SELECT * { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }");
            let graph = encoded("SELECT * { ?s ?p ?o }");
            let constructed = encoded("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }");
            let counted = encoded("SELECT ?p (COUNT(*) AS ?n) (SAMPLE(?s) AS ?x) { ?s ?p ?o } GROUP BY ?p");
            let paths = encoded("SELECT * { ?s (!<http://ex.org/none>)+ ?o }");
            let scopes = ["", "&scope=graph", "&scope=subtree", "&scope=store"];
            let of_all = scopes.map(|scope| format!("query={all}{scope}"));
            let others = [graph, constructed, counted, paths].map(|query| format!("query={query}&scope=subtree"));
            of_all.into_iter().chain(others).collect()
        }
        other => panic!("nothing is asked about the plugin {other}"),
    }
}

/// Asks for what no extension selects.
const TABLE: &[(&str, &str)] = &[("Accept", "x-gereco/table")];

/// What is asked about a resource and its faces: the end of the URL.
fn questions(path: &str) -> Vec<String> {
    let mut ends = Vec::new();
    let plugins: Vec<String> = PLUGINS.iter().flat_map(|plugin| of_plugin(plugin.name)).collect();
    for face in faces(path) {
        ends.push(face.clone());
        ends.extend(extensions().iter().map(|extension| format!("{face}.{extension}")));
        ends.extend(parameters(path).iter().map(|parameter| format!("{face}?{parameter}")));
        ends.extend(plugins.iter().map(|query| format!("{face}?{query}")));
    }
    ends.push("?limit=1&reverse".to_owned());
    ends.push("@obsels?limit=1&reverse&minb=0".to_owned());
    ends.push(".csv?prop=label".to_owned());
    ends
}

#[test]
fn no_answer_tells_of_what_may_not_be_read() {
    let world = world();
    let mut paths: Vec<&str> = world.resources.iter().map(|resource| resource.path.as_str()).collect();
    paths.push("");
    let (mut asked, mut shown) = (0, BTreeMap::new());
    for user in USERS {
        for path in &paths {
            for question in questions(path) {
                let url = format!("{path}{question}");
                for (method, headers) in [
                    ("GET", &[][..]),
                    ("GET", TABLE),
                    ("HEAD", &[]),
                    ("POST", &[]),
                    ("OPTIONS", &[]),
                ] {
                    // Nothing is changed: a POST without a payload only asks.
                    if (method, headers) != ("GET", &[]) && question.contains(['?', '.']) {
                        continue;
                    }
                    let answer = world.ktbs.send_as(user, method, &url, headers, b"");
                    asked += 1;
                    let told = format!("{:?}{}", answer.headers, answer.body);
                    for hidden in world
                        .resources
                        .iter()
                        .filter(|resource| !resource.readers.contains(&user))
                    {
                        assert!(
                            !told.contains(&hidden.content),
                            "{user} {method} {url}: {hidden:?}: {told}"
                        );
                        let named = url.contains(&hidden.name) || hidden.name.starts_with("subx");
                        assert!(
                            named || !told.contains(&hidden.name),
                            "{user} {method} {url}: {hidden:?}: {told}"
                        );
                    }
                    if (method, headers) == ("GET", &[]) && question.is_empty() {
                        shown.insert((user, (*path).to_owned()), answer.status);
                    }
                }
            }
        }
    }
    for resource in &world.resources {
        for user in USERS {
            let expected = match (resource.readers.contains(&user), user) {
                (true, _) => 200,
                // Hers, but it sees more than she does.
                (false, "alice") => 403,
                (false, "") => 401,
                (false, _) => 404,
            };
            assert_eq!(shown[&(user, resource.path.clone())], expected, "{user} {resource:?}");
        }
    }
    assert!(asked > 20_000, "{asked}");
}

#[test]
fn nobody_changes_what_they_were_not_granted() {
    let world = world();
    let state = |path: &str| {
        let view = world.ktbs.send_as("root", "GET", &format!("{path}.nt"), &[], b"");
        // What queries without a definite source give is computed at each reading.
        let obsels = if path.contains("zzin") { ".nt" } else { "@obsels.nt" };
        let obsels = world.ktbs.send_as("root", "GET", &format!("{path}{obsels}"), &[], b"");
        (
            view.status,
            view.header("etag").to_owned(),
            obsels.header("etag").to_owned(),
        )
    };
    let before: Vec<_> = world.resources.iter().map(|resource| state(&resource.path)).collect();
    for user in ["bob", "dan", ""] {
        for resource in &world.resources {
            for face in ["", "@obsels", "@acl", "@stats", "obsel"] {
                let path = format!("{}{face}", resource.path);
                let etag = world.ktbs.send_as("root", "GET", &format!("{path}.ttl"), &[], b"");
                let headers = [("Content-Type", "text/turtle"), ("If-Match", etag.header("etag"))];
                let update = b"update=DELETE+WHERE+%7B%3Fs+%3Fp+%3Fo%7D";
                let lines = [("Content-Type", "application/x-ndjson")];
                let table = [("Content-Type", "text/csv")];
                for (method, headers, body) in [
                    ("POST", &headers[..], b"<> a <http://ex.org/x>.".as_slice()),
                    (
                        "POST",
                        &lines[..],
                        br#"{"@type": "http://ex.org/T", "begin": 1, "subject": "x"}"#,
                    ),
                    ("POST", &table[..], b"type,begin,subject\nhttp://ex.org/T,1,x\n"),
                    ("PUT", &headers[..], etag.body.as_bytes()),
                    ("DELETE", &[], b""),
                    ("POST", &[("Content-Type", "application/x-www-form-urlencoded")], update),
                    ("POST", &[("Content-Type", "application/sparql-update")], b"CLEAR ALL"),
                ] {
                    let answer = world.ktbs.send_as(user, method, &path, headers, body);
                    let refusals: &[u16] = if user.is_empty() { &[401] } else { &[403, 404] };
                    // What may be read may say why it never takes that.
                    let is_readable = resource.readers.contains(&user) && matches!(answer.status, 400..=499);
                    assert!(
                        refusals.contains(&answer.status) || is_readable,
                        "{user} {method} {path}: {answer:?}"
                    );
                }
            }
        }
    }
    // A GET that posts, and a PUT by an extension that needs no etag.
    let post = "?post=%5B%7B%22@type%22:%22http://ex.org/T%22,%22begin%22:1,%22subject%22:%22x%22%7D%5D";
    for user in ["bob", "dan", ""] {
        for resource in &world.resources {
            let path = format!("{}{post}", resource.path);
            let answer = world.ktbs.send_as(user, "GET", &path, &[], b"");
            assert!(answer.status >= 400, "{user} {path} {answer:?}");
            for face in [".ttl", "@obsels.ttl", "@acl.json"] {
                let path = format!("{}{face}", resource.path);
                let answer = world.ktbs.send_as(user, "PUT", &path, &[], b"{}");
                assert!(answer.status >= 400, "{user} PUT {path} {answer:?}");
            }
        }
    }
    let after: Vec<_> = world.resources.iter().map(|resource| state(&resource.path)).collect();
    assert_eq!(before, after);
}
