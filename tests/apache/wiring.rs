//! What of a request reaches the program, seen by `hello`.

use super::httpd::Httpd;

const HELLO: &str = env!("CARGO_BIN_EXE_hello");

fn check(root: &'static str) {
    let Some(mut httpd) = Httpd::start(HELLO, root, 2) else {
        return;
    };

    for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = httpd.answer(method, "b/t/?a=1&b=%2F", "", b"");
        assert_eq!(answer.status, 200, "{method}: {answer:?}");
        assert_eq!(answer.line("REQUEST_METHOD="), Some(method));
        assert_eq!(answer.line("QUERY_STRING="), Some("a=1&b=%2F"));
    }
    let head = httpd.answer("HEAD", "", "", b"");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.head.contains("Content-Length: "), "{}", head.head);
    assert_eq!(httpd.answer("TRACE", "", "", b"").status, 405);

    let long = format!("b/{}", "x".repeat(300));
    for path in [
        "",
        "b",
        "b/",
        "b%2Fc/",
        "b//c/",
        "/b",
        "%C3%A9t%C3%A9/",
        "\u{e9}t\u{e9}/",
        "a%20b+c",
        "a%0Ab",
        "b/t/@obsels.json",
        "ktbs.fcgi",
        ".htaccess",
        "b/%7Et/?post=%7B%22a%22%3A1%7D&x=?/%25",
        long.as_str(),
    ] {
        let answer = httpd.answer("GET", path, "", b"");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(
            answer.line("REQUEST_URI="),
            Some(format!("{root}{path}").as_str()),
            "{path}"
        );
    }

    // Who types the address without its last slash arrives; what only begins like it is no kTBS.
    if let Some(typed) = root.strip_suffix('/').filter(|typed| !typed.is_empty()) {
        for query in ["", "?a=1"] {
            let answer = httpd.get_outside(&format!("{typed}{query}"));
            assert_eq!(answer.status, 301, "{answer:?}");
            let location = answer.head.lines().find_map(|line| line.strip_prefix("Location: "));
            let there = format!("{root}{query}");
            assert!(location.is_some_and(|it| it.ends_with(&there)), "{answer:?}");
        }
        assert_eq!(httpd.get_outside(&format!("{typed}x")).status, 404);
    }

    for (length, chunked) in [
        (0, false),
        (1, false),
        (70_000, false),
        (3_000_000, false),
        (70_000, true),
    ] {
        let body = vec![b'x'; length];
        let answer = if chunked {
            let body = [format!("{length:x}\r\n").as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
            httpd.answer("POST", "t/", "Transfer-Encoding: chunked\r\n", &body)
        } else {
            httpd.answer("POST", "t/", &format!("Content-Length: {length}\r\n"), &body)
        };
        assert_eq!(answer.line("CONTENT_LENGTH="), Some(length.to_string().as_str()));
    }
    for length in ["134217729", "5000000000", "99999999999999999"] {
        let answer = httpd.answer("PUT", "t/", &format!("Content-Length: {length}\r\n"), b"");
        assert_eq!(answer.status, 413, "{length}: {answer:?}");
    }

    let answer = httpd.answer(
        "GET",
        "",
        "Authorization: Basic c2VjcmV0\r\nCookie: c2VjcmV0\r\nIf-Match: \"a\"\r\n",
        b"",
    );
    assert_eq!(answer.line("HTTP_AUTHORIZATION="), Some("(14 bytes, hidden)"));
    assert_eq!(answer.line("HTTP_COOKIE="), Some("(8 bytes, hidden)"));
    assert_eq!(answer.line("HTTP_IF_MATCH="), Some("\"a\""));
    assert!(!answer.body.contains("c2VjcmV0"));
    assert!(
        !answer.head.contains("Vary:"),
        "what Apache checks is no matter for caches: {}",
        answer.head
    );

    assert!(
        answer
            .line("configuration: ")
            .is_some_and(|file| file.ends_with("/ktbs.conf, readable")),
        "{answer:?}"
    );
    assert_eq!(answer.line("role: "), Some("RESPONDER"));

    let folder = answer
        .line("working directory: ")
        .expect("hello says where it runs")
        .to_owned();
    assert_eq!(httpd.stop(), Some(0));
    assert!(
        !std::path::Path::new(&folder).exists(),
        "the script removes what it made"
    );
}

#[test]
fn requests_arrive_intact_below_a_path() {
    check("/ktbs/");
}

#[test]
fn requests_arrive_intact_at_the_root_of_the_server() {
    check("/");
}

#[test]
fn requests_arrive_intact_below_a_longer_path() {
    check("/a/b/");
}
