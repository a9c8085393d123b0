//! Random access control lists: what a visitor sees and may do, by whatever path, is what a naive model says, written after the
//! documentation alone.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{grant, ktbs, post};
use crate::support::{Answer, TestKtbs, to_params};
use ktbs::config::Policy;

/// The resources that have lists, each after its container: the root, bases, traces.
static PLACES: [&str; 9] = [
    "",
    "ann/",
    "ann/sub/",
    "ann/sub/one/",
    "ann/sub/two/",
    "ann/top/",
    "ann/made/",
    "oth/",
    "oth/one/",
];

/// What `ann/made/` is computed from: it is readable only to whom may read both.
const SOURCE: &str = "ann/top/";
const MADE: &str = "ann/made/";

/// Who asks: name (empty: a stranger), group.
static VISITORS: [(&str, &str); 4] = [("", ""), ("ann", ""), ("bob", "staff"), ("cat", "")];

static WHO: [&str; 5] = ["everybody", "logged-in", "user:bob", "user:cat", "group:staff"];
static RIGHTS: [&str; 4] = ["read", "add", "write", "manage"];

/// The list of one place: an owner, grants (who, right) if it has its own, whether sources are ignored.
#[derive(Clone, Debug)]
struct List {
    owner: Option<&'static str>,
    grants: Option<Vec<(&'static str, &'static str)>>,
    ignores_sources: bool,
}

fn any_list() -> impl Strategy<Value = List> {
    let owner = prop_oneof![4 => Just(None), 1 => Just(Some("bob")), 1 => Just(Some("cat"))];
    let grant = (prop::sample::select(&WHO[..]), prop::sample::select(&RIGHTS[..]));
    let grants = prop_oneof![1 => Just(None), 2 => prop::collection::vec(grant, 0..3).prop_map(Some)];
    (owner, grants, prop::bool::weighted(0.3)).prop_map(|(owner, grants, ignores_sources)| List {
        owner,
        grants,
        ignores_sources,
    })
}

impl List {
    fn json(&self, path: &str) -> Value {
        let mut list = json!({"owner": self.owner, "inherited": self.grants.is_none()});
        for right in RIGHTS {
            let has = |(_, granted): &&(&str, &str)| *granted == right;
            let who: Vec<&str> = self.grants.iter().flatten().filter(has).map(|(who, _)| *who).collect();
            list[right] = json!(who);
        }
        if self.ignores_sources && path == MADE {
            list["ignoresSources"] = json!(true);
        }
        list
    }
}

struct Model<'m> {
    policy: Policy,
    lists: &'m [List],
}

impl Model<'_> {
    fn list(&self, path: &str) -> &List {
        let place = PLACES.iter().position(|place| *place == path).expect("a place");
        &self.lists[place]
    }

    /// Returns the places from a place up to the root.
    fn up(path: &str) -> Vec<&'static str> {
        let mut up: Vec<&str> = PLACES.iter().copied().filter(|place| path.starts_with(place)).collect();
        up.reverse();
        up
    }

    /// Tells what the lists grant, without regard to sources.
    fn granted(&self, (user, group): (&str, &str), path: &str) -> BTreeSet<&'static str> {
        let implied = |right: &str| -> &[&'static str] {
            match right {
                "read" => &["read"],
                "add" => &["add"],
                "write" => &["read", "add", "write"],
                _ => &RIGHTS,
            }
        };
        let is_meant = |who: &str| match who {
            "everybody" => true,
            "logged-in" => !user.is_empty(),
            who => who == format!("user:{user}") || (!group.is_empty() && who == format!("group:{group}")),
        };
        let mut nearest: Option<BTreeSet<&'static str>> = None;
        for place in Self::up(path) {
            let list = self.list(place);
            let is_own = !user.is_empty() && (list.owner == Some(user) || place == format!("{user}/"));
            let rights: Option<BTreeSet<_>> = list.grants.as_ref().map(|grants| {
                let meant = grants.iter().filter(|(who, _)| is_meant(who));
                meant.flat_map(|(_, right)| implied(right)).copied().collect()
            });
            if is_own || rights.as_ref().is_some_and(|rights| rights.contains("manage")) {
                return RIGHTS.into();
            }
            nearest = nearest.or(rights);
        }
        let mut rights = nearest.unwrap_or_else(|| match self.policy {
            Policy::Open => implied("write").iter().copied().collect(),
            Policy::ReadOnly => implied("read").iter().copied().collect(),
            Policy::Private => BTreeSet::new(),
        });
        if path.is_empty() && !user.is_empty() {
            rights.insert("read");
        }
        rights
    }

    fn rights(&self, visitor: (&str, &str), path: &str) -> BTreeSet<&'static str> {
        let mut rights = self.granted(visitor, path);
        let ignores = path != MADE || self.list(path).ignores_sources;
        if !ignores && !self.granted(visitor, SOURCE).contains("read") {
            rights.remove("read");
        }
        rights
    }

    fn reads(&self, visitor: (&str, &str), path: &str) -> bool {
        self.rights(visitor, path).contains("read")
    }
}

fn send(ktbs: &TestKtbs, (user, group): (&str, &str), method: &str, path: &str, more: &[(&str, &str)]) -> Answer {
    let uri = format!("/ktbs/{path}");
    let mut params = vec![
        ("REQUEST_METHOD", method),
        ("REQUEST_URI", uri.as_str()),
        ("REMOTE_USER", user),
        ("REMOTE_GROUPS", group),
    ];
    params.extend_from_slice(more);
    let params = params.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned()));
    ktbs.answer(&to_params(params.collect()), b"not Turtle <")
}

/// Returns what only the obsel of a trace says.
fn told_by_obsel(path: &str) -> String {
    mark(path).replace("mark", "obsel")
}

/// Returns a mark that only what a place says of itself has.
fn mark(path: &str) -> String {
    format!("mark-{}!", path.trim_end_matches('/').replace('/', "-"))
}

fn build(policy: Policy) -> TestKtbs {
    let ktbs = ktbs(policy);
    for path in PLACES.iter().skip(1) {
        let trimmed = path.trim_end_matches('/');
        let (container, id) = trimmed
            .rsplit_once('/')
            .map_or(("", trimmed), |(container, id)| (container, id));
        let container = if container.is_empty() {
            String::new()
        } else {
            format!("{container}/")
        };
        let property = if container.is_empty() {
            "k:hasBase"
        } else {
            "k:contains"
        };
        let what = match *path {
            MADE => "a k:ComputedTrace ; k:hasMethod k:filter ; k:hasSource <top/>".to_owned(),
            "ann/" | "ann/sub/" | "oth/" => "a k:Base".to_owned(),
            _ => "a k:StoredTrace ; k:hasModel <http://ex.org/m> ; k:hasOrigin \"o\"".to_owned(),
        };
        let label = format!("<http://www.w3.org/2000/01/rdf-schema#label> \"{}\"", mark(path));
        post(
            &ktbs,
            "root",
            &container,
            &format!("<> {property} <{id}/> . <{id}/> {what} ; {label} ."),
        )
        .expect(201);
        if what.contains("StoredTrace") {
            let obsel = format!(
                "<o> a <#T> ; k:hasTrace <> ; k:hasBegin 1 ; k:hasSubject \"{}\" .",
                told_by_obsel(path)
            );
            post(&ktbs, "root", path, &obsel).expect(201);
        }
    }
    ktbs
}

fn check(ktbs: &TestKtbs, model: &Model<'_>) {
    for (path, list) in PLACES.iter().zip(model.lists) {
        grant(ktbs, "root", path, &list.json(path).to_string()).expect(200);
    }
    let turtle = [("CONTENT_TYPE", "text/turtle")];
    for visitor in VISITORS {
        let seen = |path: &str| model.reads(visitor, path);
        for path in PLACES {
            let told = || format!("{visitor:?} {path} {:?}", model.policy);
            let rights = model.rights(visitor, path);
            // Each right, by what it lets one do.
            let view = send(ktbs, visitor, "GET", &format!("{path}.ttl"), &[]);
            assert_eq!(view.status == 200, seen(path), "{} {view:?}", told());
            let is_trace = !matches!(path, "" | "ann/" | "ann/sub/" | "oth/");
            if is_trace {
                let obsels = send(ktbs, visitor, "GET", &format!("{path}@obsels.ttl"), &[]);
                assert_eq!(obsels.status == 200, seen(path), "{} {obsels:?}", told());
                let obsel = send(ktbs, visitor, "GET", &format!("{path}o.ttl"), &[]);
                assert!(
                    obsel.status == 200 || !seen(path) || path == MADE,
                    "{} {obsel:?}",
                    told()
                );
            }
            let acl = send(ktbs, visitor, "GET", &format!("{path}@acl"), &[]);
            assert_eq!(acl.status == 200, rights.contains("manage"), "{} {acl:?}", told());
            // What may be posted is refused for what it is.
            let needed = if is_trace { "add" } else { "write" };
            let posted = send(ktbs, visitor, "POST", path, &turtle);
            let may_post = rights.contains(needed) || path.is_empty() && !visitor.0.is_empty();
            match path {
                // Nothing can be posted to it by anybody.
                MADE => assert!(posted.status >= 400, "{} {posted:?}", told()),
                _ => assert_eq!(posted.status == 400, may_post, "{} {posted:?}", told()),
            }
            if rights.is_empty() {
                let absent = send(ktbs, visitor, "GET", &format!("{path}none/"), &[]);
                let hidden = send(ktbs, visitor, "GET", path, &[]);
                assert_eq!((hidden.status, hidden.body), (absent.status, absent.body), "{}", told());
            }
            if view.status != 200 {
                continue;
            }
            // What is listed, in each way, is what is seen.
            let scope =
                "?scope=subtree&query=SELECT+*+%7B%7B%3Fs+%3Fp+%3Fo%7DUNION%7BGRAPH+%3Fg%7B%3Fs+%3Fp+%3Fo%7D%7D%7D";
            let queried = send(
                ktbs,
                visitor,
                "GET",
                &format!("{path}{scope}"),
                &[("HTTP_ACCEPT", "text/csv")],
            );
            assert_eq!(queried.status, 200, "{} {queried:?}", told());
            let listed = send(ktbs, visitor, "GET", &format!("{path}.ttl?prop=label"), &[]);
            for other in PLACES.iter().filter(|other| !other.is_empty()) {
                let is_below = other.starts_with(path);
                assert_eq!(
                    queried.body.contains(&mark(other)),
                    is_below && seen(other),
                    "{} {other}",
                    told()
                );
                let trace = told_by_obsel(other);
                let is_copied = *other == SOURCE && MADE.starts_with(path) && seen(MADE);
                let has_obsels = !matches!(*other, "ann/" | "ann/sub/" | "oth/" | MADE);
                let expected = has_obsels && (is_below && seen(other) || is_copied);
                assert!(
                    !queried.body.contains(&trace) || expected,
                    "{} {other} {}",
                    told(),
                    queried.body
                );
                assert!(
                    queried.body.contains(&trace) || !(has_obsels && is_below && seen(other)),
                    "{} {other}",
                    told()
                );
                let rest = other.strip_prefix(path).unwrap_or_default().trim_end_matches('/');
                let is_child = is_below && !rest.is_empty() && !rest.contains('/');
                if !is_trace {
                    assert_eq!(
                        listed.body.contains(&mark(other)),
                        (is_child && seen(other)) || *other == path,
                        "{} {other} {}",
                        told(),
                        listed.body
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_seen_is_what_the_model_says() {
    for policy in [Policy::Private, Policy::ReadOnly, Policy::Open] {
        let ktbs = build(policy);
        let lists = prop::collection::vec(any_list(), PLACES.len());
        let config = Config {
            cases: 12,
            failure_persistence: None,
            ..Config::default()
        };
        let result = TestRunner::new(config).run(&lists, |lists| {
            let model = Model { policy, lists: &lists };
            check(&ktbs, &model);
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{policy:?}: {error}"));
    }
}
