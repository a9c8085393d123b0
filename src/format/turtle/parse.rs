//! Turtle, in.

use std::io::Read;

use sophia::api::parser::TripleParser;
use sophia::api::prelude::Triple;
use sophia::api::source::{StreamError, TripleSource};
use sophia::api::term::Term;
use sophia::iri::resolve::BaseIriRef;
use sophia::turtle::parser::turtle::TurtleParser;
use sophia::turtle::parser::{Error as SyntaxError, ErrorKind};

use super::scan;
use crate::error::{Error, Result};
use crate::format::Context;
use crate::format::payload::{Payload, extract, guarded, message, text};
use crate::rdf::Graph;

/// Parses a payload in Turtle (RDF 1.1); relative IRIs are resolved against the target.
///
/// # Errors
/// `Parse` with line and column if it is not Turtle, or says what cannot be kept; `TooLarge`.
pub fn parse(bytes: &[u8], context: &Context<'_>) -> Result<Graph> {
    let text = text(bytes)?;
    let text = scan::check(text, context.limits)?;
    let base = BaseIriRef::new(Box::from(context.base))
        .map_err(|_| Error::Internal(format!("<{}> is no base IRI", context.base)))?;
    let parser = TurtleParser::new().with_base(Some(base)).with_preserve_bn_labels(true);
    collect(&text, parser, context)
}

/// Parses a text with a parser of the Turtle family.
pub(in crate::format) fn collect<P>(text: &str, parser: P, context: &Context<'_>) -> Result<Graph>
where
    P: for<'t> TripleParser<Lines<'t>>,
    for<'t> <P as TripleParser<Lines<'t>>>::Source: TripleSource<Error = SyntaxError>,
{
    guarded(|| {
        let mut payload = Payload::new(context.limits);
        // The parsers look one character ahead, and panic where a statement is cut by the end of the text rather
        // than by that of a line.
        let lines: Lines<'_> = text.as_bytes().chain(b"\n".as_slice());
        parser
            .parse(lines)
            .try_for_each_triple(|t| payload.insert_terms([&t.s().as_simple(), &t.p().as_simple(), &t.o().as_simple()]))
            .map_err(|e| match e {
                StreamError::SourceError(e) => Error::Parse(describe(text, &e)),
                StreamError::SinkError(e) => e,
            })?;
        Ok(payload.into_graph())
    })
}

/// A text that ends with an end of line.
pub(in crate::format) type Lines<'t> = std::io::Chain<&'t [u8], &'static [u8]>;

/// Returns the message of a syntax error: where, and what. The parser counts from 0, and columns in bytes.
fn describe(text: &str, error: &SyntaxError) -> String {
    let (line, column) = error.position();
    let what = match error.kind() {
        ErrorKind::Expected(what) => format!("expected {what}"),
        // The rest of this message is the inner state of the parser.
        ErrorKind::EOF(_) => return "unexpected end of the payload".to_owned(),
        ErrorKind::UnknownPrefix(prefix) => format!("unknown prefix \"{}:\"", extract(prefix)),
        ErrorKind::Bnode => "invalid label of a blank node".to_owned(),
        ErrorKind::InvalidEscape => "invalid escape sequence".to_owned(),
        other => message(other),
    };
    let line_text = text.split('\n').nth(line).unwrap_or_default();
    let column = line_text.char_indices().take_while(|(i, _)| *i < column).count();
    format!("line {}, column {}: {what}", line + 1, column + 1)
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;
    use sophia::isomorphism::isomorphic_graphs;

    use super::*;
    use crate::config::PayloadLimits;
    use crate::format::ntriples;
    use crate::format::payload::{check_any_payload, mutated, test_context, test_limits};
    use crate::format::{N_TRIPLES, TURTLE};

    fn parse_turtle(text: &str) -> Result<Graph> {
        parse(text.as_bytes(), &test_context(&test_limits()))
    }

    fn parse_ntriples(text: &str) -> Result<Graph> {
        ntriples::parse(text.as_bytes(), &test_context(&test_limits()))
    }

    const DOCUMENT: &str = r#"
        @prefix : <http://liris.cnrs.fr/silex/2009/ktbs#> .
        PREFIX m: <model#>
        # <> :contains <nothing> .
        <> :contains <t/> .
        <t/> a :StoredTrace ; :hasModel <model>; :hasOrigin "2020-01-01T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> ;
            m:at [ m:n 01, -1.50, 1e3, true ], ( "a" 'b'@fr-BE """c
"d" "é '"\t""" ) , _:x, _:bn0001 .
        _:x m:é <../x?y#z>, "\u00e9\t\\"  .
    "#;

    #[test]
    fn a_document_gives_its_triples() {
        let expected = r#"
<http://h/b/> <http://liris.cnrs.fr/silex/2009/ktbs#contains> <http://h/b/t/> .
<http://h/b/t/> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://liris.cnrs.fr/silex/2009/ktbs#StoredTrace> .
<http://h/b/t/> <http://liris.cnrs.fr/silex/2009/ktbs#hasModel> <http://h/b/model> .
<http://h/b/t/> <http://liris.cnrs.fr/silex/2009/ktbs#hasOrigin> "2020-01-01T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .
<http://h/b/t/> <http://h/b/model#at> _:a .
_:a <http://h/b/model#n> "01"^^<http://www.w3.org/2001/XMLSchema#integer> .
_:a <http://h/b/model#n> "-1.50"^^<http://www.w3.org/2001/XMLSchema#decimal> .
_:a <http://h/b/model#n> "1e3"^^<http://www.w3.org/2001/XMLSchema#double> .
_:a <http://h/b/model#n> "true"^^<http://www.w3.org/2001/XMLSchema#boolean> .
<http://h/b/t/> <http://h/b/model#at> _:l1 .
_:l1 <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> "a" .
_:l1 <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> _:l2 .
_:l2 <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> "b"@fr-BE .
_:l2 <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> _:l3 .
_:l3 <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> "c\n\"d\" \"é '\"\t" .
_:l3 <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> <http://www.w3.org/1999/02/22-rdf-syntax-ns#nil> .
<http://h/b/t/> <http://h/b/model#at> _:x .
<http://h/b/t/> <http://h/b/model#at> _:y .
_:x <http://h/b/model#é> <http://h/x?y#z> .
_:x <http://h/b/model#é> "é\t\\" .
"#;
        let parsed = parse_turtle(DOCUMENT).expect("Turtle");
        let expected = parse_ntriples(expected).expect("N-Triples");
        assert!(isomorphic_graphs(&parsed, &expected).expect("infallible"));
    }

    #[test]
    fn errors_tell_where_and_what() {
        for (text, expected) in [
            ("<a> <b>", "unexpected end of the payload"),
            ("<a> <b> \"é\" é .", "line 1, column 13: expected"),
            ("\n <a> rdfs:label 'x' .", "line 2, column 6: unknown prefix \"rdfs:\""),
            ("<a> <b> \"x\\q\" .", "line 1, column 11: invalid escape sequence"),
            ("<a> <b> [ <c> <d> .", "line 1, column 19: expected"),
            ("<a> <b> \"\"\"c", "unexpected end of the payload"),
            ("<a> <b> <c>", "unexpected end of the payload"),
            ("<a> = <b> .", "line 1, column 5: expected"),
            ("<a> <b> <c> . ?x <b> <c> .", "line 1, column 15: expected"),
            ("<a> <b> <http://[> .", "line 1, column 10: Invalid IRI"),
            (
                "<a> <b> \"x\"@en--ltr .",
                "only RDF 1.1 is accepted, and this payload has a base direction",
            ),
            (
                "<a> <b> \"x\\u0000\" .",
                "the character U+0000 is not allowed in a literal: \"x\u{fffd}\"",
            ),
            ("<a> <b> <c\\u0000> .", "line 1, column 10: Invalid IRI"),
            (
                "<a> <b> \"x\"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#langString> .",
                "line 1",
            ),
            ("<a> \"b\" <c> .", "line 1, column 5: expected"),
            ("\"a\" <b> <c> .", "line 1, column 1: expected"),
            ("<a> <b> <c> <d> .", "line 1, column 13: expected"),
            (
                "<a> <b> (((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
                "nesting (64) was exceeded",
            ),
        ] {
            let error = parse_turtle(text).expect_err(text).to_string();
            assert!(error.starts_with(expected), "{text}\n{error}");
        }
    }

    #[test]
    fn n_triples_errors_tell_where_and_what() {
        for (text, expected) in [
            ("<x:a> <x:b>", "line 1, column 12: expected"),
            ("<x:a> <x:b> \"c\"", "line 1, column 16: expected"),
            ("<x:a>", "line 1, column 6: expected"),
            ("<x:a> <x:b> <c> .", "line 1, column 14: Invalid IRI"),
            ("<x:a> <x:b> <x:c> .\n<x:a> <x:b> 5 .", "line 2, column 13: expected"),
            ("<x:a> <x:b> <x:c> <x:d> .", "line 1, column 19: expected"),
            (
                "<x:a> <x:b> <<( <x:a> <x:b> <x:c> )>> .",
                "line 1, column 13: triple terms",
            ),
        ] {
            let error = parse_ntriples(text).expect_err(text).to_string();
            assert!(error.starts_with(expected), "{text}\n{error}");
        }
        let error = ntriples::parse(b"<x:a> <x:b> \"\xe9\" .", &test_context(&test_limits())).expect_err("Latin-1");
        assert!(error.to_string().ends_with("wrong byte at offset 13"), "{error}");
    }

    #[test]
    fn triples_are_bounded() {
        let limits = PayloadLimits {
            triples: 3,
            ..test_limits()
        };
        let context = test_context(&limits);
        parse(b"<a> <b> 1, 2, 3, 3 .", &context).expect("just enough");
        let error = parse(b"<a> <b> 1, 2, 3, 4 .", &context).expect_err("one too many");
        assert!(matches!(error, Error::TooLarge(_)), "{error}");
    }

    /// Pieces that mean something in Turtle.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "<a>",
            "<",
            ">",
            "\"",
            "'",
            "'''",
            "\"\"\"",
            "a",
            " ",
            "\n",
            "\r\n",
            ".",
            ";",
            ",",
            "[",
            "]",
            "(",
            ")",
            "_:",
            "_:x",
            "m:",
            "m:x",
            ":",
            "@",
            "@en",
            "^^",
            "@prefix",
            "@base",
            "PREFIX",
            "BASE",
            "VERSION",
            "\\",
            "\\u00",
            "\\u0000",
            "\\U0010FFFF",
            "1",
            "-",
            "1.",
            "e5",
            "true",
            "#",
            "é",
            "\u{0}",
            "%",
            "%41",
            "<x:a>",
            "<<",
            "~",
            "{|",
            "--ltr",
        ]);
        prop::collection::vec(piece, 0..30).prop_map(|p| p.concat())
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let limits = test_limits();
            check_any_payload(TURTLE.parse.expect("a parser"), &bytes, &test_context(&limits));
            check_any_payload(N_TRIPLES.parse.expect("a parser"), &bytes, &test_context(&limits));
        }

        #[test]
        fn any_pieces_are_parsed_or_refused(text in pieces()) {
            let limits = test_limits();
            check_any_payload(TURTLE.parse.expect("a parser"), text.as_bytes(), &test_context(&limits));
            check_any_payload(N_TRIPLES.parse.expect("a parser"), text.as_bytes(), &test_context(&limits));
        }

        #[test]
        fn long_strings_are_read_as_written(
            pieces in prop::collection::vec(prop::sample::select(vec![
                ("\"a", "\"a"), ("\"é", "\"é"), ("\"\"é", "\"\"é"), ("\"\\t", "\"\t"), ("\"\"\\\"\\u00e9", "\"\"\"é"), ("\\\\", "\\"),
                ("é", "é"), ("'", "'"), ("\n", "\n"), ("\"\n", "\"\n"),
            ]), 0..10)
        ) {
            let written: String = pieces.iter().map(|p| p.0).collect();
            let meant: String = pieces.iter().map(|p| p.1).collect();
            let graph = parse_turtle(&format!("<a> <b> \"\"\"{written}\"\"\" .")).expect("valid Turtle");
            let object = graph.object_of("http://h/b/a", "http://h/b/b").expect("one triple");
            prop_assert_eq!(crate::rdf::as_literal(object), Some(meant.as_str()));
        }

        #[test]
        fn a_mutated_document_is_parsed_or_refused(text in mutated(DOCUMENT, pieces())) {
            let limits = test_limits();
            check_any_payload(TURTLE.parse.expect("a parser"), text.as_bytes(), &test_context(&limits));
        }

        #[test]
        fn a_mutated_line_is_parsed_or_refused(
            text in mutated("<x:a> <x:b> \"c\\u00e9\"@en . # d\n_:x <x:b> \"1\"^^<x:d> .\n", pieces())
        ) {
            let limits = test_limits();
            check_any_payload(N_TRIPLES.parse.expect("a parser"), text.as_bytes(), &test_context(&limits));
        }
    }
}
