//! A first look at Turtle and N-Triples, before the real parser: what is nested too deeply, or is not RDF 1.1.

use std::borrow::Cow;

use crate::config::PayloadLimits;
use crate::error::{Error, Result};
use crate::format::payload::{MAX_PREFIXES, position, too_deep};

/// Checks a document in Turtle or N-Triples without parsing it, and returns what the parser should read.
///
/// It knows comments, IRIs and strings, hence which brackets count. What is not well-formed is left to the parser.
///
/// # Rationale
/// Within a long string, sophia_turtle 0.10 copies a quote together with the byte that follows it, and so panics
/// where that is part of a character, and does not see an escape sequence there. Such quotes are escaped. It also
/// panics on some escape sequences that are cut short: those are found here.
///
/// # Errors
/// `TooLarge` if brackets are nested beyond the limit or if there are too many prefixes; `Parse` for the syntax of
/// triple terms, reifiers and annotations (RDF 1.2) and of formulas (Notation3) and graphs (TriG).
pub(in crate::format) fn check<'t>(text: &'t str, limits: &PayloadLimits) -> Result<Cow<'t, str>> {
    let bytes = text.as_bytes();
    let mut quotes = Vec::new();
    let mut depth = 0_usize;
    let mut prefixes = 0;
    let mut i = 0;
    while let Some(byte) = bytes.get(i) {
        i = match byte {
            b'#' => text[i..].find('\n').map_or(bytes.len(), |n| i + n),
            b'"' | b'\'' => skip_string(text, i, &mut quotes)?,
            b'<' if bytes.get(i + 1) == Some(&b'<') => {
                return Err(refused(text, i, "triple terms ('<<')"));
            }
            b'<' => skip_iri(text, i)?,
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
    Ok(escape(text, &quotes))
}

/// Returns a text with a backslash inserted at some offsets, in order.
fn escape<'t>(text: &'t str, offsets: &[usize]) -> Cow<'t, str> {
    if offsets.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + offsets.len());
    let mut from = 0;
    for &offset in offsets {
        escaped.push_str(&text[from..offset]);
        escaped.push('\\');
        from = offset;
    }
    escaped.push_str(&text[from..]);
    Cow::Owned(escaped)
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

/// Returns the offset after an IRI that starts here.
fn skip_iri(text: &str, start: usize) -> Result<usize> {
    let bytes = text.as_bytes();
    let mut i = start + 1;
    while let Some(byte) = bytes.get(i) {
        match byte {
            b'>' | b'\n' => return Ok(i + 1),
            b'\\' => i = skip_escape(text, i)?,
            _ => i += 1,
        }
    }
    Ok(bytes.len())
}

/// Returns the offset after a string, short or long, that starts here; notes its quotes if one would be misread.
fn skip_string(text: &str, start: usize, quotes: &mut Vec<usize>) -> Result<usize> {
    let bytes = text.as_bytes();
    let quote = bytes[start];
    let is_long = bytes.get(start + 1) == Some(&quote) && bytes.get(start + 2) == Some(&quote);
    let mut inner = Vec::new();
    let mut is_misread = false;
    let mut i = start + if is_long { 3 } else { 1 };
    while let Some(&byte) = bytes.get(i) {
        let next = bytes.get(i + 1).copied().unwrap_or_default();
        if byte == b'\\' {
            i = skip_escape(text, i)?;
        } else if is_long && byte == quote && next == quote && bytes.get(i + 2) == Some(&quote) {
            if is_misread {
                quotes.append(&mut inner);
            }
            return Ok(i + 3);
        } else if !is_long && (byte == quote || byte == b'\n') {
            return Ok(i + 1);
        } else {
            if is_long && byte == quote {
                inner.push(i);
                is_misread |= next == b'\\' || !next.is_ascii();
            }
            i += 1;
        }
    }
    quotes.append(&mut inner);
    Ok(bytes.len())
}

/// Returns the offset after an escape sequence, or after its start where the parser will see what is wrong.
fn skip_escape(text: &str, start: usize) -> Result<usize> {
    let digits = match text.as_bytes().get(start + 1) {
        Some(b'u') => 4,
        Some(b'U') => 8,
        _ => return Ok(start + 2),
    };
    let end = start + 2 + digits;
    match text.as_bytes().get(start + 2..end) {
        Some(hexadecimal) if hexadecimal.iter().all(u8::is_ascii_hexdigit) => Ok(end),
        _ => Err(Error::Parse(format!(
            "{}: invalid escape sequence",
            position(text, start)
        ))),
    }
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
        check(text, &limits).map(|_| ())
    }

    #[test]
    fn quotes_that_would_be_misread_are_escaped() {
        for (text, expected) in [
            (r#" """a "é" b""" "#, r#" """a \"é\" b""" "#),
            (r#" """"\t" ""é""" "#, r#" """\"\t\" \"\"é""" "#),
            (r#" '''a "é 'é''' "#, r#" '''a "é \'é''' "#),
            (r#" """a "b" ""é""" "#, r#" """a \"b\" \"\"é""" "#),
            (r#" """a""" """b "c" d""" "#, r#" """a""" """b "c" d""" "#),
            (r#" """a"""é "b"é <"é> #"é "#, r#" """a"""é "b"é <"é> #"é "#),
        ] {
            assert_eq!(check(text, &test_limits()).expect(text), expected);
        }
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
        for text in [
            "[[[[",
            "((((",
            "[ a ( [ a (",
            "'''[[[[''' [[[[",
            "'[[' [[[[",
            "\"\"[[[[",
        ] {
            let error = check_with_nesting(text, 3).expect_err(text);
            assert!(
                matches!(&error, Error::TooLarge(m) if m == "nesting (3) was exceeded"),
                "{error}"
            );
        }
        check_with_nesting(&"[".repeat(1_000_000), 64).expect_err("a million brackets");
    }

    #[test]
    fn what_is_not_rdf_1_1_is_refused() {
        for (text, expected) in [
            ("<a> <b> <<( <c> <d> <e> )>> .", "line 1, column 9: triple terms ('<<')"),
            ("\n<< <a> <b> <c> >> <d> <e> .", "line 2, column 1: triple terms ('<<')"),
            (
                "<a> <b> <c> {| <d> <e> |} .",
                "line 1, column 13: formulas, graphs and annotations ('{')",
            ),
            ("<a> <b> <c> ~ <d> .", "line 1, column 13: reifiers ('~')"),
            (
                "{ <a> <b> <c> } => { } .",
                "line 1, column 1: formulas, graphs and annotations ('{')",
            ),
        ] {
            let error = check_with_nesting(text, 3).expect_err(text).to_string();
            assert_eq!(error, format!("{expected} are not accepted"));
        }
        check_with_nesting(r#"<a~{> <b~> "~{<<" , a:\~b . # ~{<<"#, 3).expect("characters that stand for themselves");
    }

    #[test]
    fn escape_sequences_are_whole() {
        for text in [
            r#""\u00é""#,
            r#"<\u00é>"#,
            r#"'''\U0000004'''"#,
            r#""\u00"#,
            r#""\u+041""#,
        ] {
            let error = check_with_nesting(text, 3).expect_err(text).to_string();
            assert!(error.ends_with(": invalid escape sequence"), "{error}");
        }
        check_with_nesting(r#""\u00e9\U0001F600\n" <\u00E9> "\"#, 3).expect("whole ones");
    }

    #[test]
    fn prefixes_are_bounded() {
        let directive = |n| format!("@prefix p{n}: <x:> .\nPREFIX p{n}: <x:>\n<prefix> <prefix> \"prefix\" .\n");
        let text: String = (0..MAX_PREFIXES / 2).map(directive).collect();
        check_with_nesting(&text, 3).expect("just enough");
        check_with_nesting(&format!("{text}@prefix a: <x:> ."), 3).expect_err("one too many");
    }
}
