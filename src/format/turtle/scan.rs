//! A first look at Turtle and N-Triples, before the real parser: what is nested too deeply, or is not RDF 1.1.

use crate::config::PayloadLimits;
use crate::error::{Error, Result};
use crate::format::payload::{MAX_PREFIXES, position, too_deep};

/// Checks a document in Turtle or N-Triples without parsing it.
///
/// It knows comments, IRIs and strings, hence which brackets count. What is not well-formed is left to the parser.
///
/// # Errors
/// `TooLarge` if brackets are nested beyond the limit or if there are too many prefixes; `Parse` for the syntax of
/// triple terms, reifiers and annotations (RDF 1.2) and of formulas (Notation3) and graphs (TriG).
pub(in crate::format) fn check(text: &str, limits: &PayloadLimits) -> Result<()> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut prefixes = 0;
    let mut i = 0;
    while let Some(byte) = bytes.get(i) {
        i = match byte {
            b'#' => skip_until(bytes, i + 1, b"\n"),
            b'"' | b'\'' => skip_string(bytes, i),
            b'<' if bytes.get(i + 1) == Some(&b'<') => {
                return Err(refused(text, i, "triple terms ('<<')"));
            }
            b'<' => skip_until(bytes, i + 1, b">\n"),
            // In a name, what follows is a plain character.
            b'\\' => i + 2,
            b'{' => return Err(refused(text, i, "formulas, graphs and annotations ('{')")),
            b'~' => return Err(refused(text, i, "reifiers ('~')")),
            b'[' | b'(' => {
                depth += 1;
                if depth > limits.nesting {
                    return Err(too_deep(limits));
                }
                i + 1
            }
            b']' | b')' => {
                depth = depth.saturating_sub(1);
                i + 1
            }
            b'p' | b'P' if is_prefix_keyword(bytes, i) => {
                prefixes += 1;
                if prefixes > MAX_PREFIXES {
                    return Err(Error::TooLarge(format!("there are more than {MAX_PREFIXES} prefixes")));
                }
                i + "prefix".len()
            }
            _ => i + 1,
        };
    }
    Ok(())
}

fn refused(text: &str, offset: usize, what: &str) -> Error {
    Error::Parse(format!("{}: {what} are not accepted", position(text, offset)))
}

fn is_prefix_keyword(bytes: &[u8], at: usize) -> bool {
    let starts = at == 0 || matches!(bytes[at - 1], b'@' | b'.' | b'>' | b' ' | b'\t' | b'\r' | b'\n');
    starts
        && bytes
            .get(at..at + "prefix".len())
            .is_some_and(|word| word.eq_ignore_ascii_case(b"prefix"))
}

/// Returns the offset after the first of some bytes, or the end.
fn skip_until(bytes: &[u8], from: usize, ends: &[u8]) -> usize {
    let found = bytes.iter().skip(from).position(|b| ends.contains(b));
    found.map_or(bytes.len(), |n| from + n + 1)
}

/// Returns the offset after a string, short or long, that starts here.
fn skip_string(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let is_long = bytes.get(start + 1) == Some(&quote) && bytes.get(start + 2) == Some(&quote);
    let mut i = start + if is_long { 3 } else { 1 };
    while let Some(&byte) = bytes.get(i) {
        if byte == b'\\' {
            i += 2;
        } else if is_long && byte == quote && bytes.get(i + 1) == Some(&quote) && bytes.get(i + 2) == Some(&quote) {
            return i + 3;
        } else if !is_long && (byte == quote || byte == b'\n') {
            return i + 1;
        } else {
            i += 1;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::format::payload::test_limits;

    fn check_with_nesting(text: &str, nesting: usize) -> Result<()> {
        let limits = PayloadLimits {
            nesting,
            ..test_limits()
        };
        check(text, &limits)
    }

    #[test]
    fn nesting_is_bounded() {
        for text in [
            "[ a [ b ( c ) ] ] .",
            "# [[[[[\n [ ( [ ] ) ] .",
            r#"<a([[[[> a "[[[[[" , '((((' , """[["["(""" , '''[['[('''  , "\"[[[[[" , a:\(\(\(\( ."#,
            "[] a [], [], ( ), ( ), [ a [ ] ] .",
        ] {
            check_with_nesting(text, 3).expect(text);
        }
        for text in ["[[[[", "((((", "[ a ( [ a (", "'''[[[[''' [[[[", "'[[' [[[[", "\"\"[[[["] {
            let error = check_with_nesting(text, 3).expect_err(text);
            assert!(matches!(&error, Error::TooLarge(m) if m == "nesting (3) was exceeded"), "{error}");
        }
        check_with_nesting(&"[".repeat(1_000_000), 64).expect_err("a million brackets");
    }

    #[test]
    fn what_is_not_rdf_1_1_is_refused() {
        for (text, expected) in [
            ("<a> <b> <<( <c> <d> <e> )>> .", "line 1, column 9: triple terms ('<<')"),
            ("\n<< <a> <b> <c> >> <d> <e> .", "line 2, column 1: triple terms ('<<')"),
            ("<a> <b> <c> {| <d> <e> |} .", "line 1, column 13: formulas, graphs and annotations ('{')"),
            ("<a> <b> <c> ~ <d> .", "line 1, column 13: reifiers ('~')"),
            ("{ <a> <b> <c> } => { } .", "line 1, column 1: formulas, graphs and annotations ('{')"),
        ] {
            let error = check_with_nesting(text, 3).expect_err(text).to_string();
            assert_eq!(error, format!("{expected} are not accepted"));
        }
        check_with_nesting(r#"<a~{> <b~> "~{<<" , a:\~b . # ~{<<"#, 3).expect("characters that stand for themselves");
    }

    #[test]
    fn prefixes_are_bounded() {
        let directive = |n| format!("@prefix p{n}: <x:> .\nPREFIX p{n}: <x:>\n<prefix> <prefix> \"prefix\" .\n");
        let text: String = (0..MAX_PREFIXES / 2).map(directive).collect();
        check_with_nesting(&text, 3).expect("just enough");
        check_with_nesting(&format!("{text}@prefix a: <x:> ."), 3).expect_err("one too many");
    }
}
