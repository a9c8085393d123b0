//! The application as the FastCGI layer sees it: variables in, a CGI header block and a body out.

use std::io::{self, Write, empty};

use ktbs::fcgi::{Handler, Params, Reply};

use crate::support::{Sent, TestKtbs};

/// A client that left.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reply for Gone {
    fn log(&mut self, _: &str) {}
}

fn params(variables: &[(&str, &str)]) -> Params {
    let bytes = |text: &str| text.as_bytes().to_vec();
    Params(variables.iter().map(|(n, v)| (bytes(n), bytes(v))).collect())
}

fn handled(variables: &[(&str, &str)]) -> String {
    let mut ktbs = TestKtbs::with_trace(|_| {});
    let mut sent = Sent::default();
    ktbs.app
        .handle(&params(variables), &mut empty(), &mut sent)
        .expect("the reply never fails");
    String::from_utf8(sent.0).expect("all of it is text")
}

#[test]
fn an_answer_begins_with_its_status() {
    let sent = handled(&[("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/ktbs/b/m.nt")]);
    let (head, body) = sent.split_once("\r\n\r\n").expect("a line ends the headers");
    assert!(
        head.starts_with("Status: 200 OK\r\nContent-Type: text/nt;charset=utf-8\r\n"),
        "{head}"
    );
    assert!(head.ends_with(&format!("\r\nContent-Length: {}", body.len())), "{head}");
    let sent = handled(&[("REQUEST_METHOD", "HEAD"), ("REQUEST_URI", "/ktbs/b/m.nt")]);
    assert_eq!(sent.split_once("\r\n\r\n").map(|(_, body)| body), Some(""));
    assert!(
        sent.contains(&format!("\r\nContent-Length: {}\r\n", body.len())),
        "{sent}"
    );
}

#[test]
fn what_is_no_request_is_refused() {
    for variables in [&[][..], &[("REQUEST_METHOD", "GET"), ("CONTENT_LENGTH", "x")]] {
        let sent = handled(variables);
        assert!(sent.starts_with("Status: 400 Bad Request\r\n"), "{sent}");
    }
}

#[test]
fn a_client_that_left_is_an_error_of_the_exchange() {
    let mut ktbs = TestKtbs::new();
    let variables = params(&[("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/ktbs/nothing")]);
    let error = ktbs
        .app
        .handle(&variables, &mut empty(), &mut Gone)
        .expect_err("nobody listens");
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}
