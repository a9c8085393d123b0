//! What HTTP says of slices of `@obsels`: links and etags (kTBS documentation, "obsel collection").

use crate::support::{ROOT, TestKtbs};

const NT: (&str, &str) = ("Accept", "text/nt");

/// Returns a kTBS whose trace has obsels `o1` to `o5`, that begin at 1 to 5.
fn ktbs() -> TestKtbs {
    let ktbs = TestKtbs::with_trace(|_| {});
    let obsels: String = (1..=5)
        .map(|i| format!("<o{i}> k:hasTrace <> ; k:hasBegin {i} . "))
        .collect();
    let answer = ktbs.post_turtle("b/t/", &obsels).expect(201);
    let expected: String = (1..=5).map(|i| format!("{ROOT}b/t/o{i}\r\n")).collect();
    assert_eq!(answer.body, expected);
    assert_eq!(answer.header("location"), format!("{ROOT}b/t/o1"));
    ktbs
}

/// Returns the path, below the root, of the next page.
fn next(links: &[&str]) -> Option<String> {
    let link = links.iter().find_map(|link| link.strip_suffix(">;rel=\"next\""))?;
    Some(link.strip_prefix('<')?.strip_prefix(ROOT)?.to_owned())
}

#[test]
fn next_links_enumerate_each_obsel_once() {
    let ktbs = ktbs();
    for (start, first) in [("b/t/@obsels?limit=2", 1), ("b/t/@obsels?reverse&limit=2", 5)] {
        let mut found = Vec::new();
        let mut path = Some(start.to_owned());
        while let Some(page) = path {
            let answer = ktbs.get(&page, &[NT]).expect(200);
            let links = answer.headers("link");
            assert!(links[0].starts_with(&format!("<{ROOT}b/t/@obsels>;rel=\"canonical\";etag=\"")));
            assert!(links[0].contains("\";mstable-etag=\""), "{links:?}");
            assert!(links.iter().all(|link| !link.contains(' ')), "{links:?}");
            let has_begin = "> <http://liris.cnrs.fr/silex/2009/ktbs#hasBegin> ";
            let mut ids: Vec<_> = answer
                .body
                .lines()
                .filter_map(|line| line.split_once(has_begin))
                .map(|(subject, _)| {
                    subject[subject.len() - 1..]
                        .parse::<i32>()
                        .expect("a digit ends the IRI")
                })
                .collect();
            ids.sort_by_key(|id| (id - first).abs());
            found.extend(ids);
            path = next(&links);
        }
        let mut expected = [1, 2, 3, 4, 5];
        expected.sort_by_key(|id| (id - first).abs());
        assert_eq!(found, expected, "{start}");
    }
    assert!(ktbs.get("b/t/@obsels", &[NT]).expect(200).headers("link").is_empty());
}

#[test]
fn the_etag_of_a_slice_is_its_most_stable() {
    let ktbs = ktbs();
    let slice = ktbs.get("b/t/@obsels?maxe=2", &[NT]).expect(200);
    let x_etags: Vec<_> = slice.header("x-etags").split(' ').collect();
    assert_eq!(x_etags.last(), Some(&slice.header("etag")));
    assert!(x_etags.len() > 1 && x_etags.iter().all(|etag| etag.starts_with("W/\"text/nt/")));
    let whole = ktbs.get("b/t/@obsels", &[NT]).expect(200);
    assert_eq!(whole.header("etag"), x_etags[0]);
    assert_eq!(whole.header("x-etags"), x_etags[0]);

    let conditional = [NT, ("If-None-Match", slice.header("etag"))];
    ktbs.get("b/t/@obsels?maxe=2", &conditional).expect(304);
    ktbs.post_turtle("b/t/", "<o6> k:hasTrace <> ; k:hasBegin 6 .")
        .expect(201);
    ktbs.get("b/t/@obsels?maxe=2", &conditional).expect(304);
    ktbs.get("b/t/@obsels", &[NT, ("If-None-Match", whole.header("etag"))])
        .expect(200);
    ktbs.post_turtle("b/t/", "<o0> k:hasTrace <> ; k:hasBegin 0 .")
        .expect(201);
    ktbs.get("b/t/@obsels?maxe=2", &conditional).expect(200);
}

#[test]
fn a_slice_cannot_be_put_in_place_of_the_collection() {
    let ktbs = ktbs();
    let whole = ktbs.get("b/t/@obsels", &[NT]).expect(200);
    let slice = ktbs.get("b/t/@obsels?maxe=2", &[NT]).expect(200);
    let put = |path, etag: &str, body: &str| {
        let headers = [("Content-Type", "text/nt"), ("If-Match", etag), NT];
        ktbs.put(path, &headers, body).status
    };
    // The stable etag of a slice says nothing of what was added after it.
    assert_eq!(put("b/t/@obsels", slice.header("etag"), &slice.body), 412);
    assert_eq!(put("b/t/@obsels?maxe=2", whole.header("etag"), &slice.body), 404);
    assert_eq!(ktbs.get("b/t/@obsels", &[NT]).body, whole.body);
    assert_eq!(put("b/t/@obsels", whole.header("etag"), &whole.body), 200);
}

#[test]
fn an_obsel_has_no_validator() {
    let ktbs = ktbs();
    let answer = ktbs.get("b/t/o1", &[NT, ("If-None-Match", "*")]).expect(200);
    for name in ["etag", "x-etags", "last-modified", "link"] {
        assert_eq!(answer.header(name), "", "{name}");
    }
    for method in ["GET", "POST", "PUT", "DELETE"] {
        ktbs.send(method, "b/t/nothing", &[NT], b"").expect(404);
    }
}

#[test]
fn numbers_and_obsels_in_parameters_are_read_as_clients_write_them() {
    let ktbs = ktbs();
    let sliced = |query: &str| ktbs.get(&format!("b/t/@obsels?{query}"), &[NT]);
    // A plus sign that is not encoded is a space.
    for query in ["minb=%2B2", "minb=+2", "minb=02"] {
        assert_eq!(sliced(query).expect(200).body, sliced("minb=2").body, "{query}");
    }
    for (query, message) in [
        ("limit=foo", "limit should be an integer (got foo)"),
        ("minb=1+1", "minb should be an integer (got 1 1)"),
        ("maxe=", "maxe should be an integer (got )"),
        ("after=nope", "after should be an existing obsel(got nope)"),
        ("before=../u/o1", "before should be an existing obsel(got ../u/o1)"),
    ] {
        let expected = format!("404 Not Found - Invalid parameters\n{message}");
        assert_eq!(sliced(query).expect(404).body, expected);
    }
}
