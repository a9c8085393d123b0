use base64::prelude::{BASE64_STANDARD, Engine as _};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::format::sample::{self, Ktbs, OBSELS, TRACE, any_graph, turtle, written};
use crate::rdf::{Graph, iri, string, typed};
use crate::vocab::KTBS;

fn page(view: &View) -> String {
    String::from_utf8(written(write, view)).expect("UTF-8")
}

/// Returns the tags and the texts of a page, without its style and its script; fails where a tag is not one that the
/// page may have, or is not closed.
fn pieces(page: &str) -> (Vec<String>, Vec<String>) {
    let page = page.replace(STYLE, "").replace(SCRIPT, "");
    let (mut tags, mut texts, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for piece in page.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "{piece}");
        let name = tag.split([' ', '\n']).next().expect("a name");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name.to_owned()), "in {page}"),
            None if matches!(name, "!DOCTYPE" | "meta" | "link" | "input" | "option" | "br") => {}
            None => {
                let known = "html head title style body nav a h1 h2 span p div table thead tbody tr th td small form \
                    select button label textarea output noscript script code";
                assert!(known.split(' ').any(|it| it == name), "{name}");
                open.push(name.to_owned());
            }
        }
        tags.push(tag.to_owned());
        texts.push(text.to_owned());
    }
    assert!(open.is_empty());
    (tags, texts)
}

fn hrefs(page: &str) -> Vec<String> {
    let (tags, _) = pieces(page);
    let href = |tag: String| Some(tag.strip_prefix("a href=\"")?.split('"').next()?.to_owned());
    tags.into_iter().filter_map(href).collect()
}

#[test]
fn the_policy_names_the_style_and_the_script() {
    for inline in [STYLE, SCRIPT] {
        let digest = format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(inline)));
        assert!(POLICY.contains(&digest), "{digest} is not in the policy");
        assert!(!inline.contains("</") && !inline.contains("<!--"));
    }
}

#[test]
fn texts_are_escaped_and_dangerous_links_are_none() {
    let mut graph = Graph::new();
    let this = iri("http://h/b/\"><script>'&é");
    let attack = "</td><script>alert('1')</script>&amp; \"";
    for object in [
        string(attack),
        typed("1", "javascript:alert('1')"),
        crate::rdf::tagged(attack, "en"),
        iri("javascript:alert(1)"),
        iri("data:text/html,x"),
        iri("http://h/a'b\" c<d>&é%20"),
    ] {
        graph.insert(&this, &iri(format!("http://example.org/{attack}")), &object);
    }
    let view = sample::view("http://h/b/\"><script>'&é", Shape::DataGraph, graph);
    let page = page(&view);
    pieces(&page);
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(page.contains("&lt;/td&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp; &quot;"));
    for href in hrefs(&page) {
        assert!(href.starts_with("http://") && href.is_ascii(), "{href}");
    }
    assert!(hrefs(&page).contains(&"http://h/a&#39;b%22%20c%3Cd%3E&amp;%C3%A9%20".to_owned()));
}

#[test]
fn links_lead_up_and_to_the_other_formats() {
    let ktbs = Ktbs::with(OBSELS);
    for (path, expected) in [
        (
            "",
            &[
                "http://h/",
                "http://h/b/",
                TRACE,
                "http://h/b/t/.jsonld",
                "http://h/b/t/.json",
                "http://h/b/t/.ttl",
            ][..],
        ),
        (
            "@obsels",
            &[
                "http://h/",
                "http://h/b/",
                TRACE,
                "http://h/b/t/@obsels",
                "http://h/b/t/@obsels.jsonld",
            ],
        ),
        (
            "o1",
            &[
                "http://h/",
                "http://h/b/",
                TRACE,
                "http://h/b/t/o1",
                "http://h/b/t/o1.jsonld",
            ],
        ),
        ("@stats", &["http://h/", "http://h/b/", TRACE, "http://h/b/t/@stats"]),
        ("/", &["http://h/", "http://h/.jsonld"]),
        ("/b/", &["http://h/", "http://h/b/", "http://h/b/.jsonld"]),
    ] {
        let hrefs = hrefs(&page(&ktbs.view(path, &[])));
        assert_eq!(&hrefs[..expected.len()], expected, "{path}");
    }
    let obsels = page(&ktbs.view("@obsels", &[]));
    let formats = ["jsonld", "csv", "geojson", "json", "ttl", "rdf", "nt"];
    assert!(
        formats
            .iter()
            .all(|it| obsels.contains(&format!("\"http://h/b/t/@obsels.{it}\"")))
    );
    assert!(obsels.contains("<title>@obsels – obsels of a trace</title>"));
}

#[test]
fn the_last_segment_names_a_resource() {
    for (iri, name) in [
        ("http://h/", "http://h/"),
        ("http://h/b/", "b/"),
        ("http://h/b/m", "m"),
        ("http://h/é/", "é/"),
        ("http://h/é", "é"),
        ("urn:é", "urn:é"),
        ("", ""),
    ] {
        assert_eq!(term::last_segment(iri), name);
    }
}

#[test]
fn triples_are_grouped() {
    let graph = turtle(
        TRACE,
        "<> a k:StoredTrace ; m:a 1, \"deux\"@fr ; m:b [ m:c \"x\"^^xsd:date ] .",
    );
    let page = page(&sample::view(TRACE, Shape::Trace, graph));
    for expected in [
        "<th rowspan=\"4\"><a href=\"http://h/b/t/\" title=\"http://h/b/t/\">t/</a></th>",
        "<th rowspan=\"2\">",
        ">StoredTrace</a>",
        "<span class=\"text\">deux</span> <small>@fr</small>",
        "<span class=\"text\" title=\"xsd:integer\">1</span></td>",
        "<span class=\"text\">x</span> <small>xsd:date</small>",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    let anchor = page
        .split(" id=\"b")
        .nth(1)
        .and_then(|it| it.split('"').next())
        .expect("an anchor");
    assert!(page.contains(&format!("href=\"#b{anchor}\"")));
}

#[test]
fn obsels_have_rows_with_their_relations() {
    let ktbs = Ktbs::with("<a> a m:E ; k:hasTrace <> ; k:hasBegin 1 ; k:hasSubject \"lu\" ; m:p [ m:q 1 ] .");
    ktbs.post(TRACE, "<b> a m:E ; k:hasTrace <> ; k:hasBegin 2 . <a> m:then <b> .");
    let page = page(&ktbs.view("@obsels", &[]));
    let row = page.split("<tr>").nth(2).expect("a row");
    let (_, texts) = pieces(&format!("<tr>{}", row.split("</tbody>").next().expect("a row")));
    let texts: Vec<_> = texts.iter().map(|it| it.trim()).filter(|it| !it.is_empty()).collect();
    assert_eq!(texts, ["a", "m:E", "1", "1", "lu", "[…]", "b"]);
    assert!(page.contains("<th><a href=\"http://liris.cnrs.fr/silex/2009/ktbs#hasSubject\""));
}

#[test]
fn pages_are_bounded_and_say_so() {
    let obsel = |n| format!("<o{n}> a m:E ; k:hasTrace <> ; k:hasBegin {n} . ");
    let ktbs = Ktbs::with(&(1..=501).map(obsel).collect::<String>());
    let whole = page(&ktbs.view("@obsels", &[]));
    assert_eq!(whole.matches("<tr>").count(), 501);
    assert!(whole.contains("Only the first 500 obsels"));
    assert!(whole.contains("<a href=\"http://h/b/t/@obsels?limit=500&amp;after=o500\""));
    let rest = page(&ktbs.view("@obsels", &[("limit", "500"), ("after", "o500")]));
    assert!(rest.contains(">o501</a>") && !rest.contains(">o500</a>") && !rest.contains("Only"));
    let slice = page(&ktbs.view("@obsels", &[("limit", "2")]));
    assert_eq!(slice.matches("<tr>").count(), 3);
    assert!(slice.contains("<a href=\"http://h/b/t/@obsels?limit=2&amp;after=o2\""));
    let large = page(&ktbs.view("@obsels", &[("minb", "1")]));
    assert!(large.contains("Only the first 500 obsels") && !large.contains("Next page"));
    assert!(page(&ktbs.view("@obsels", &[("minb", "900")])).contains("No obsel"));

    let mut graph = Graph::new();
    for n in 0..3000 {
        graph.insert(
            &iri("http://h/b/"),
            &iri(format!("{KTBS}contains")),
            &iri(format!("http://h/b/t{n}/")),
        );
    }
    let base = page(&sample::view("http://h/b/", Shape::Base, graph));
    assert_eq!(base.matches("<tr>").count(), 2001);
    assert!(base.contains("Only the first 2000 of 3000 triples"));

    let mut graph = Graph::new();
    for n in 0..3000 {
        let object = string(format!("{n}{}", "'".repeat(100_000 / 300)));
        graph.insert(
            &iri("http://h/b/d"),
            &iri(format!("urn:p{}", "\"".repeat(500))),
            &object,
        );
    }
    graph.insert(&iri("http://h/b/d"), &iri("urn:long"), &string("é".repeat(1 << 20)));
    assert!(page(&sample::view("http://h/b/d", Shape::DataGraph, graph)).len() < 5 << 20);
}

#[test]
fn many_columns_and_values_are_cut() {
    let columns: String = (0..60).map(|n| format!("; m:p{n} {n} ")).collect();
    let values: String = (0..30).map(|n| format!(", \"v{n}\" ")).collect();
    let ktbs = Ktbs::with(&format!(
        "<o> a m:E ; k:hasTrace <> ; k:hasBegin 1 {columns}; m:p0 \"v\" {values} ."
    ));
    let page = page(&ktbs.view("@obsels", &[]));
    pieces(&page);
    assert_eq!(page.matches("<td").count(), 3 + 40);
    assert!(page.contains("20 properties have no column."));
    assert_eq!(page.matches("<br>").count(), 10);
}

#[test]
fn obsels_in_every_shape_are_shown() {
    let ktbs = Ktbs::with(OBSELS);
    for view in sample::views(&ktbs) {
        pieces(&page(&view));
    }
}

proptest! {
    #[test]
    fn whatever_the_graph_the_page_is_well_formed(graph in any_graph(false)) {
        let page = page(&sample::view("http://h/b/t/", Shape::DataGraph, graph));
        let (_, texts) = pieces(&page);
        for text in texts {
            prop_assert!(!text.contains(['"', '\'']), "{}", text);
        }
        for href in hrefs(&page) {
            prop_assert!(href.starts_with("http") || href.starts_with("#b"), "{}", href);
            prop_assert!(href.bytes().all(|it| it.is_ascii_graphic() && !b"<>\"'".contains(&it)), "{}", href);
        }
    }
}
