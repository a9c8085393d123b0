//! Pages for people: their policy, and what their form starts from.

use crate::support::{ROOT, TestKtbs};

fn page(ktbs: &TestKtbs, path: &str) -> String {
    let answer = ktbs.get(path, &[("Accept", "text/html")]).expect(200);
    let policy = answer.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"),
        "{policy}"
    );
    answer.body
}

/// Returns the templates of a page.
fn templates(page: &str) -> Vec<String> {
    page.split("data-template=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|text| text.replace("&quot;", "\"").replace("&#10;", "\n"))
        .collect()
}

#[test]
fn what_a_form_starts_from_can_be_sent() {
    let ktbs = TestKtbs::new();
    let mut made = Vec::new();
    for path in ["", "base1/", "base1/trace1/"] {
        let templates = templates(&page(&ktbs, path));
        assert!(!templates.is_empty(), "{path}");
        for template in templates {
            let answer = ktbs.post(path, "application/json", &template).expect(201);
            made.push(answer.body.trim_end().trim_start_matches(ROOT).to_owned());
        }
    }
    assert_eq!(made.len(), 8);
    for path in made {
        page(&ktbs, &path);
    }
}

#[test]
fn a_form_offers_what_the_resource_takes() {
    let ktbs = TestKtbs::with_trace(|_| {});
    ktbs.post(
        "b/",
        "application/json",
        r#"{"@id": "c/", "@type": "ComputedTrace", "hasMethod": "filter", "hasSource": ["t/"]}"#,
    )
    .expect(201);
    ktbs.post("b/t/", "application/json", r#"{"@id": "o", "begin": 1}"#)
        .expect(201);
    for (path, expected) in [
        ("", "GET PUT POST"),
        ("b/", "GET PUT POST POST POST POST POST POST DELETE"),
        ("b/m", "GET PUT DELETE"),
        ("b/t/", "GET PUT POST DELETE"),
        ("b/t/@obsels", "GET PUT DELETE"),
        ("b/t/@stats", "GET"),
        ("b/t/o", "GET DELETE"),
        ("b/c/", "GET PUT DELETE"),
        ("b/c/@obsels", "GET"),
        ("b/c/@stats", "GET"),
        ("b/c/o", "GET"),
    ] {
        let page = page(&ktbs, path);
        let offered: Vec<&str> = page
            .split("<option value=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(offered.join(" "), expected, "{path}");
    }
}

#[test]
fn other_formats_have_no_policy() {
    let ktbs = TestKtbs::new();
    let answer = ktbs.get("", &[]).expect(200);
    assert_eq!(answer.header("content-security-policy"), "");
}
