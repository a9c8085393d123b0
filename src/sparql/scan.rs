//! A first look at the text of a query, before the parser, which recurses, sees it.
//!
//! The parser and all that works on its result recurse as deep as brackets are nested and as chains are long (`?a + ?b
//! + …`, `{ } UNION { } UNION …`). Here the text is only cut into tokens, well enough to count them.

use super::limits::Limits;
use crate::error::{Error, Result};

/// How deep the tree of a query may be: nested brackets, and on top of them the links of chains.
const DEPTH: usize = 256;

/// What is open at some place of the text.
#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    /// The closing bracket.
    closer: u8,
    /// The links of the chain of groups, filters and bindings.
    groups: usize,
    /// The links of the chain of operators.
    operators: usize,
    /// Whether the last token may be the left side of an operator.
    operand: bool,
}

impl Frame {
    /// Tells whether a `<` here may be an operator: in an expression, that is in parentheses, after an operand.
    fn may_compare(&self) -> bool {
        self.closer == b')' && self.operand
    }
}

/// Checks the length of a query, how deep its brackets are nested, and how long its chains are.
///
/// # Errors
/// `Parse`: one of these is above its limit.
pub(super) fn check(text: &str, limits: &Limits) -> Result<()> {
    if text.len() > limits.length {
        let length = limits.length;
        return Err(Error::Parse(format!("the query is longer than {length} bytes")));
    }
    let bytes = text.as_bytes();
    let mut frames = vec![Frame::default()];
    // The depth of all frames but the last.
    let mut below = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let top = frames.len() - 1;
        let frame = &mut frames[top];
        at += match byte {
            b'#' => length_until(&bytes[at..], b'\n'),
            b'"' | b'\'' => quoted(&bytes[at..]),
            b'<' => match iri(&bytes[at..]) {
                Some(len) if !frame.may_compare() || is_surely_iri(&bytes[at + 1..at + len - 1]) => len,
                Some(len) if hides(&bytes[at + 1..at + len - 1]) => {
                    return Err(Error::Parse(format!(
                        "'<' may start an IRI or compare at {}: put a space after it, or use a prefix",
                        place(text, at)
                    )));
                }
                _ => {
                    frame.operators += 1;
                    1
                }
            },
            b'(' | b'[' | b'{' => {
                below += 1 + frame.groups + frame.operators;
                let closer = match byte {
                    b'(' => b')',
                    b'[' => b']',
                    _ => b'}',
                };
                if frames.len() > limits.nesting {
                    let nesting = limits.nesting;
                    return Err(Error::Parse(format!(
                        "brackets are nested more than {nesting} deep at {}",
                        place(text, at)
                    )));
                }
                frames.push(Frame {
                    closer,
                    ..Frame::default()
                });
                1
            }
            b')' | b']' | b'}' => {
                // A bracket that closes nothing is for the parser to tell.
                if top > 0 && frame.closer == byte {
                    frames.pop();
                    let outer = &mut frames[top - 1];
                    below -= 1 + outer.groups + outer.operators;
                    if byte == b'}' {
                        outer.groups += 1;
                    } else {
                        outer.operators += 1;
                    }
                }
                1
            }
            // The dot of a number ends nothing.
            b'.' if frame.closer == b')' => 1,
            b'.' | b';' | b',' => {
                frame.operators = 0;
                if byte == b';' && top == 0 {
                    // The next operation of an update.
                    frame.groups = 0;
                }
                1
            }
            // Comparisons make no chains.
            b'!' if bytes.get(at + 1) == Some(&b'=') => 2,
            b'|' | b'&' | b'+' | b'-' | b'*' | b'/' | b'^' | b'!' => {
                frame.operators += 1;
                let doubled = matches!(byte, b'|' | b'&') && bytes.get(at + 1) == Some(&byte);
                if doubled { 2 } else { 1 }
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'?' | b'$' | b':' | 0x80.. => {
                let word = word(&bytes[at..]);
                let name = &bytes[at..at + word];
                if name.eq_ignore_ascii_case(b"FILTER") || name.eq_ignore_ascii_case(b"AS") {
                    frame.groups += 1;
                    frame.operators = 0;
                }
                word
            }
            _ => 1,
        };
        let end = frames.len() - 1;
        frames[end].operand = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b'#' => frames[end].operand,
            b'"' | b'\'' | b')' | b']' | b'}' | b'0'..=b'9' | b'.' => true,
            b'<' => bytes[at - 1] == b'>',
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'?' | b'$' | b':' | 0x80.. => true,
            _ => false,
        };
        let frame = frames[end];
        if below + frame.groups + frame.operators > DEPTH {
            return Err(Error::Parse(format!(
                "the query is too deep at {}: more than {DEPTH} nested brackets and links of chains",
                place(text, at)
            )));
        }
    }
    Ok(())
}

/// Returns the length of a variable, a keyword or a prefixed name, which may hold what would else be operators.
fn word(bytes: &[u8]) -> usize {
    let mut len = 1;
    while let Some(&byte) = bytes.get(len) {
        len += match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b':' | b'-' | b'%' | 0x80.. => 1,
            // A dot is in a name if a name goes on.
            b'.' if matches!(bytes.get(len + 1), Some(b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_')) => 1,
            b'\\' => 2,
            _ => break,
        };
    }
    len.min(bytes.len())
}

/// Returns the length of an IRI between `<` and `>`, or `None` if this is an operator.
fn iri(bytes: &[u8]) -> Option<usize> {
    for (len, byte) in bytes.iter().enumerate().skip(1) {
        match byte {
            b'>' => return Some(len + 1),
            0..=b' ' | b'<' | b'"' | b'{' | b'}' | b'|' | b'^' | b'`' => return None,
            _ => {}
        }
    }
    None
}

/// Tells whether what is between `<` and `>` can be no part of an expression: it has a scheme and an authority.
fn is_surely_iri(iri: &[u8]) -> bool {
    let scheme = iri.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    scheme > 0 && iri[scheme..].starts_with(b"://")
}

/// Tells whether what is between `<` and `>` has a bracket, a quote or a comment whose other end is outside, if this is
/// no IRI.
fn hides(iri: &[u8]) -> bool {
    let mut open = 0_usize;
    for byte in iri {
        match byte {
            b'\'' | b'#' => return true,
            b'(' | b'[' => open += 1,
            b')' | b']' => match open.checked_sub(1) {
                Some(rest) => open = rest,
                None => return true,
            },
            _ => {}
        }
    }
    open > 0
}

/// Returns the length of a string, short or long; what does not end goes to the end of the text.
fn quoted(bytes: &[u8]) -> usize {
    let quote = bytes[0];
    let long = bytes.get(1..3) == Some(&[quote, quote]);
    let mut at = if long { 3 } else { 1 };
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\\' {
            at += 2;
        } else if byte == quote && !long {
            return at + 1;
        } else if byte == quote && bytes[at..].starts_with(&[quote; 3]) {
            return at + 3;
        } else if !long && (byte == b'\n' || byte == b'\r') {
            return at;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn length_until(bytes: &[u8], end: u8) -> usize {
    bytes.iter().position(|&byte| byte == end).unwrap_or(bytes.len())
}

/// Returns the line and the column of a place, as the parser tells them.
fn place(text: &str, at: usize) -> String {
    let before = &text.as_bytes()[..at.min(text.len())];
    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
    let column = 1 + before.iter().rev().take_while(|&&byte| byte != b'\n').count();
    format!("{line}:{column}")
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;

    use super::*;

    fn accepts(text: &str) -> bool {
        check(text, &Limits::default()).is_ok()
    }

    #[test]
    fn what_is_deep_is_refused() {
        for (link, most) in [
            ("{", 48),
            ("(", 48),
            ("[ ?p ", 48),
            ("!", 200),
            (" || ?x = ?y", 200),
            (" && ?x != ?y", 200),
            (" + 1", 200),
            ("- ", 200),
            ("/<http://h/p>", 200),
            ("{ ?s ?p ?o } UNION ", 200),
            ("OPTIONAL { ?s ?p ?o } ", 200),
            ("FILTER ?x ", 200),
            ("(1 AS ?x)", 100),
            ("BIND(1 AS ?x)", 100),
            ("(1)", 200),
            ("{ ?s ?p ( ?o ) }", 200),
            (" || EXISTS { ?s ?p ?o }", 70),
        ] {
            assert!(accepts(&format!("SELECT * {{ {}", link.repeat(most - 1))), "{link}");
            for depth in [300, 2000] {
                assert!(
                    !accepts(&format!("SELECT * {{ {}", link.repeat(depth))),
                    "{link} {depth}"
                );
            }
        }
    }

    #[test]
    fn what_is_long_and_not_deep_is_accepted() {
        for part in [
            "?s ?p ?o . ",
            "?s ?p ?o ; ?p ?o . ",
            "?s ?p ?o , ?o . ",
            "?s <http://h/p+|/*!> \"((((++++||\" . ",
            "?s ?p '''(' ((\"\"\" ''' . ",
            "?s ?p -1, -2, +3 . ",
            "?s ex:a-b-c-d ex:e\\(\\(f . ",
            "# ((((( ||||| \n",
        ] {
            assert!(accepts(&format!("SELECT * {{ {} }}", part.repeat(1000))), "{part}");
        }
        let list = "?x, ".repeat(1000);
        assert!(accepts(&format!("SELECT * {{ FILTER(?x IN ({list} 1)) }}")));
        assert!(accepts(&"INSERT DATA { <a> <b> 1 } ;\n".repeat(1000)));
        assert!(!accepts(&" ".repeat(300_000)));
    }

    #[test]
    fn what_may_be_no_iri_hides_nothing() {
        let (open, close) = ("(".repeat(2000), ")".repeat(2000));
        for text in [
            format!("ASK {{ FILTER(1.0{}) }}", "+1.0".repeat(2000)),
            format!("ASK {{ FILTER(?a<'>' && {open}1{close}) }}"),
            format!("ASK {{ FILTER(1<{open}1{close}>0) }}"),
            format!("ASK {{ FILTER(1<{}1>0) }}", "-".repeat(2000)),
            format!("ASK {{ FILTER({}1{close}) }}", "1+(1<1#>)\n".repeat(2000)),
            format!("ASK {{ FILTER({}1{close}) }}", "1<(1>0 && ".repeat(2000)),
            format!("ASK {{ ?s ?p {} {close} }}", "(<a> <b)c> ".repeat(2000)),
            format!("ASK {{ FILTER('a'<'>'&&'a'<'>'&& {open}1{close}) }}"),
        ] {
            assert!(!accepts(&text), "{}", &text[..60]);
        }
    }

    #[test]
    fn iris_and_comparisons_are_accepted() {
        for text in [
            "ASK { ?s <l'eau#(x> ?o . <a#b> <p(> <it's> }",
            "ASK { FILTER(?x<5&&?y>3) }",
            "ASK { FILTER(?x<(?y+1) && (?y)>3) }",
            "ASK { FILTER(?x < 'a' || ?y >'b') # it's\n }",
            "ASK { FILTER(?t IN (<#a>, <#b>, <it's>) && ?t != <#c>) }",
            "ASK { VALUES (?a ?b) { (<http://h/m#A> <http://h/L'Aquila>) (<http://h/m#B> 'it') } }",
            "ASK { ?s ?p (<http://h/a_(b> <http://h/c)>) }",
            "ASK { ?s ?p (<a> <b>) }",
        ] {
            assert!(accepts(text), "{text}");
        }
    }

    #[test]
    fn brackets_that_do_not_match_are_for_the_parser() {
        for text in ["}", ")))}}]", "(]", "{ ( }", "'", "\"\"\"", "<", "\\"] {
            assert!(accepts(text), "{text}");
        }
    }

    #[test]
    fn the_place_is_told() {
        let text = format!("SELECT *\n{{ {}", "(".repeat(100));
        let error = check(&text, &Limits::default()).expect_err("too deep");
        assert_eq!(error.to_string(), "brackets are nested more than 48 deep at 2:50");
    }

    proptest! {
        #[test]
        fn any_text_is_scanned(text in ".{0,200}") {
            let _ = check(&text, &Limits::default());
        }

        #[test]
        fn any_tokens_are_scanned(text in "([({\\[\\])}<>\"'\\\\#.;,|!-]|'''|FILTER|é| ){0,80}") {
            let _ = check(&text, &Limits::default());
        }
    }
}
