//! Notation3 (<https://w3c.github.io/N3/spec/>), in: what it adds to Turtle and still means triples.

use oxrdf::GraphName;
use oxttl::n3::{N3Parser, N3Quad, N3Term};

use super::turtle;
use crate::error::{Error, Result};
use crate::format::Context;
use crate::format::payload::{Payload, guarded, message, position, text};
use crate::rdf::{Graph, TermId};

/// Parses a payload in Turtle, or in Notation3 without formulas nor variables: `=`, `=>`, `<=`, `has`, `is` … `of`, paths.
/// What is Turtle is read as such.
///
/// # Errors
/// `Parse` with line and column if it is neither, or says what cannot be kept; `TooLarge`.
pub fn parse(bytes: &[u8], context: &Context<'_>) -> Result<Graph> {
    match turtle::parse(bytes, context) {
        Err(Error::Parse(_)) => guarded(|| more_than_turtle(text(bytes)?, context)),
        result => result,
    }
}

fn more_than_turtle(text: &str, context: &Context<'_>) -> Result<Graph> {
    let parser = N3Parser::new()
        .with_base_iri(context.base)
        .map_err(|_| Error::Internal(format!("<{}> is no base IRI", context.base)))?;
    let mut payload = Payload::new(context.limits);
    for quad in parser.for_slice(text) {
        let quad = quad.map_err(|e| {
            let at = usize::try_from(e.location().start.offset).unwrap_or(usize::MAX);
            Error::Parse(format!("{}: {}", position(text, at), message(e.message())))
        })?;
        insert(&mut payload, &quad)?;
    }
    Ok(payload.into_graph())
}

fn insert(payload: &mut Payload<'_>, quad: &N3Quad) -> Result<()> {
    if quad.graph_name != GraphName::DefaultGraph {
        return Err(refused("formulas ('{')"));
    }
    let subject = match &quad.subject {
        N3Term::Literal(_) => return Err(refused("subjects that are literals")),
        subject => term(payload, subject)?,
    };
    let predicate = match &quad.predicate {
        N3Term::NamedNode(iri) => payload.iri(iri.as_str())?,
        _ => return Err(refused("predicates that are not IRIs")),
    };
    let object = term(payload, &quad.object)?;
    payload.insert([subject, predicate, object])
}

fn term(payload: &mut Payload<'_>, term: &N3Term) -> Result<TermId> {
    match term {
        N3Term::NamedNode(iri) => payload.iri(iri.as_str()),
        N3Term::BlankNode(blank) => Ok(payload.blank(blank.as_str())),
        N3Term::Literal(literal) => match literal.language() {
            Some(language) => payload.tagged(literal.value(), language),
            None => payload.literal(literal.value(), literal.datatype().as_str()),
        },
        N3Term::Triple(_) => Err(refused("triple terms")),
        N3Term::Variable(_) => Err(refused("variables ('?')")),
    }
}

fn refused(what: &str) -> Error {
    Error::Parse(format!("{what} are not accepted"))
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;
    use sophia::isomorphism::isomorphic_graphs;

    use super::*;
    use crate::format::payload::{check_any_payload, mutated, test_context, test_limits};

    fn parsed(text: &str) -> Result<Graph> {
        parse(text.as_bytes(), &test_context(&test_limits()))
    }

    const DOCUMENT: &str = r#"
        @prefix m: <model#> .
        <a> = <b> ; => <c> ; <= <d> ; has m:p <e> ; is m:q of <f> , <g> ; <- m:r <h> ; a m:C .
        <a>!m:s m:p "x, <= y" . <a> m:p <b>^m:t . # { ?x }
        <l> m:p ( 01 [ m:p "é"@fr ] """a "quoted" {word}""" ) .
    "#;

    #[test]
    fn what_notation3_adds_to_turtle_is_read() {
        let expected = r#"
            @prefix m: <model#> .
            <a> <http://www.w3.org/2002/07/owl#sameAs> <b> ; <http://www.w3.org/2000/10/swap/log#implies> <c> ; m:p <e> .
            <d> <http://www.w3.org/2000/10/swap/log#implies> <a> .
            <f> m:q <a> . <g> m:q <a> . <h> m:r <a> . <a> a m:C .
            <a> m:s _:s . _:s m:p "x, <= y" . <a> m:p _:t . _:t m:t <b> .
            <l> m:p ( 01 [ m:p "é"@fr ] """a "quoted" {word}""" ) .
        "#;
        let (found, expected) = (parsed(DOCUMENT), parsed(expected));
        let (found, expected) = (found.expect("Notation3"), expected.expect("Turtle"));
        assert!(isomorphic_graphs(&found, &expected).expect("infallible"));
        let turtle = turtle::parse(DOCUMENT.as_bytes(), &test_context(&test_limits()));
        assert!(matches!(turtle, Err(Error::Parse(_))));
    }

    #[test]
    fn what_is_more_than_triples_is_refused() {
        for (text, expected) in [
            ("{ <a> <b> <c> } => { <d> <e> <f> } .", "formulas ('{')"),
            ("?x <b> <c> .", "variables ('?')"),
            ("<a> <b> ?x .", "variables ('?')"),
            ("\"a\" <b> <c> .", "subjects that are literals"),
            ("<a> _:b <c> .", "predicates that are not IRIs"),
            ("<a> = \"x\"@en--ltr .", "line 1, column 10: "),
            ("<a> = <b> .\n<a> = \"é\" é .", "line 2, column 11: "),
            ("<a> = <http://[> .", "line 1, column 7: "),
            ("<a> = <b>", "line 1"),
        ] {
            let error = parsed(text).expect_err(text);
            assert!(matches!(error, Error::Parse(_)), "{text}\n{error}");
            assert!(error.to_string().starts_with(expected), "{text}\n{error}");
        }
    }

    #[test]
    fn limits_hold() {
        let limits = crate::config::PayloadLimits {
            triples: 3,
            ..test_limits()
        };
        let context = test_context(&limits);
        parse(b"<a> = 1, 2, 3, 3 .", &context).expect("just enough");
        for text in [
            "<a> = 1, 2, 3, 4 .".to_owned(),
            "<a> = <b>".to_owned() + &"!<c>".repeat(4) + " .",
        ] {
            let error = parse(text.as_bytes(), &context).expect_err("one too many");
            assert!(matches!(error, Error::TooLarge(_)), "{error}");
        }
        let deep = "<a> = ".to_owned() + &"[ = ".repeat(100_000);
        parsed(&deep).expect_err("it is not closed");
    }

    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "<a>", "<", ">", "=", "=>", "<=", "<-", "has ", "is ", " of ", "!", "^", "?x", "{", "}", "\"", "'''", "a",
            " ", "\n", ".", ";", ",", "[", "]", "(", ")", "_:x", "m:", "m:x", ":", "@en", "^^", "@prefix", "BASE",
            "\\", "\\u0000", "1", "1.", "e5", "true", "#", "é", "\u{0}", "<<(", ")>>", "~", "{|", "--ltr", "[id <x>",
        ]);
        prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_pieces_are_parsed_or_refused(text in pieces()) {
            let limits = test_limits();
            check_any_payload(parse, text.as_bytes(), &test_context(&limits));
        }

        #[test]
        fn a_mutated_document_is_parsed_or_refused(text in mutated(DOCUMENT, pieces())) {
            let limits = test_limits();
            check_any_payload(parse, text.as_bytes(), &test_context(&limits));
        }
    }
}
