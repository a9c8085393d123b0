//! A first look at RDF/XML, before the real parser: document types, and what is too deep or too wide.

use std::borrow::Cow;

use crate::config::PayloadLimits;
use crate::error::{Error, Result};
use crate::format::payload::{MAX_PREFIXES, position, too_deep};

/// Attributes of one element. The parser compares each with all those before it.
const MAX_ATTRIBUTES: usize = 256;

/// A document that the parser may read.
#[derive(Debug)]
pub(super) struct Checked<'t> {
    /// What the parser should read.
    pub text: Cow<'t, str>,
    /// `Parse` unless the document is one whole element (XML 1.0 section 2.1). It is to be told once the parser, whose errors say
    /// more, is content: it is with a document that was cut, and with one that goes on.
    pub end: Result<()>,
}

/// Checks an XML document without parsing it. What is not well-formed is left to the parser, but for the end.
///
/// # Rationale
/// oxrdfxml 0.2 wants the text of an element in one piece. So CDATA sections are replaced by the same text with
/// entities, and comments and processing instructions that stand beside text are left out.
///
/// # Errors
/// `Parse` for a document without any element, and for a document type declaration: it is where entities are
/// declared, those that grow without bound and those that name files and addresses, and RDF/XML has no use for it. `TooLarge` if elements are nested beyond the
/// limit, or have too many attributes or namespaces.
pub(super) fn check<'t>(text: &'t str, limits: &PayloadLimits) -> Result<Checked<'t>> {
    // Where each open element starts, and how many namespaces it declares.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut declared = 0;
    let mut may_have_element = false;
    let mut end = Ok(());
    // What the parser should read of the text before `copied`.
    let mut rewritten = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(n) = text[at..].find('<') {
        let start = at + n;
        let rest = &text[start..];
        let is_beside_text = !text[at..start].trim_ascii().is_empty();
        if let Some((opening, closing)) = SPECIAL.into_iter().find(|(opening, _)| rest.starts_with(opening)) {
            let Some(length) = rest[opening.len()..].find(closing) else {
                may_have_element = true;
                break;
            };
            let content = &rest[opening.len()..][..length];
            at = start + opening.len() + length + closing.len();
            let is_beside_text = is_beside_text || !text[at..].trim_ascii_start().starts_with('<');
            if opening == CDATA {
                rewritten.push_str(&text[copied..start]);
                for c in content.chars() {
                    match c {
                        '<' => rewritten.push_str("&lt;"),
                        '&' => rewritten.push_str("&amp;"),
                        _ => rewritten.push(c),
                    }
                }
                copied = at;
            } else if is_beside_text && !content.starts_with("xml ") {
                rewritten.push_str(&text[copied..start]);
                copied = at;
            }
        } else if rest.starts_with("<!") {
            return Err(Error::Parse(format!(
                "{}: document type declarations are not accepted",
                position(text, start)
            )));
        } else {
            let tag = Tag::read(rest);
            at = start + tag.length;
            if tag.closes {
                declared -= open.pop().map_or(0, |(_, namespaces)| namespaces);
                continue;
            }
            if open.is_empty() && may_have_element && end.is_ok() {
                end = Err(Error::Parse(format!(
                    "{}: an XML document has one element at the top, this is another",
                    position(text, start)
                )));
            }
            may_have_element = true;
            if tag.attributes > MAX_ATTRIBUTES {
                return Err(Error::TooLarge(format!(
                    "{}: an element has more than {MAX_ATTRIBUTES} attributes",
                    position(text, start)
                )));
            }
            if open.len() >= limits.nesting {
                return Err(too_deep(limits));
            }
            if declared + tag.namespaces > MAX_PREFIXES {
                return Err(Error::TooLarge(format!("there are more than {MAX_PREFIXES} prefixes")));
            }
            if !tag.is_empty {
                declared += tag.namespaces;
                open.push((start, tag.namespaces));
            }
        }
    }
    if !may_have_element {
        return Err(Error::Parse("an XML document has an element".to_owned()));
    }
    if let Some((start, _)) = open.last() {
        end = end.and(Err(Error::Parse(format!(
            "{}: this element is not closed",
            position(text, *start)
        ))));
    }
    let text = if copied == 0 {
        Cow::Borrowed(text)
    } else {
        rewritten.push_str(&text[copied..]);
        Cow::Owned(rewritten)
    };
    Ok(Checked { text, end })
}

const CDATA: &str = "<![CDATA[";

/// What starts and ends what is neither a tag nor a declaration.
const SPECIAL: [(&str, &str); 3] = [("<!--", "-->"), (CDATA, "]]>"), ("<?", "?>")];

/// A start, empty or end tag.
#[derive(Default)]
struct Tag {
    length: usize,
    closes: bool,
    is_empty: bool,
    attributes: usize,
    namespaces: usize,
}

impl Tag {
    fn read(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut tag = Tag {
            closes: bytes.get(1) == Some(&b'/'),
            ..Tag::default()
        };
        let mut quote = None;
        let mut name_start = 0;
        for (i, byte) in bytes.iter().enumerate() {
            match (quote, byte) {
                (Some(open), _) => {
                    if *byte == open {
                        quote = None;
                    }
                }
                (None, b'"' | b'\'') => quote = Some(*byte),
                (None, b' ' | b'\t' | b'\r' | b'\n') => name_start = i + 1,
                (None, b'=') => {
                    tag.attributes += 1;
                    tag.namespaces += usize::from(bytes[name_start..].starts_with(b"xmlns"));
                }
                (None, b'>') => {
                    tag.is_empty = i > 0 && bytes[i - 1] == b'/';
                    tag.length = i + 1;
                    return tag;
                }
                (None, _) => {}
            }
        }
        tag.length = text.len();
        tag
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
    fn text_is_made_of_one_piece() {
        for (text, expected) in [
            ("<a>b<![CDATA[<&>]]>c</a>", "<a>b&lt;&amp;>c</a>"),
            ("<a><![CDATA[]]></a>", "<a></a>"),
            ("<a>b<!-- c -->d</a>", "<a>bd</a>"),
            ("<a> <!-- c --> d</a>", "<a>  d</a>"),
            ("<a>b<?c?><!-- d -->e</a>", "<a>be</a>"),
            (
                "<?xml version='1.0'?><a>\n<!-- b -->\n<c/>\n</a>",
                "<?xml version='1.0'?><a>\n<!-- b -->\n<c/>\n</a>",
            ),
        ] {
            assert_eq!(check(text, &test_limits()).expect(text).text, expected);
        }
    }

    #[test]
    fn nesting_is_bounded() {
        for text in [
            "<?xml version='1.0'?><a><b><c/></b><b><c>x</c></b></a>",
            "<a><!-- <b><c><d><e> --><![CDATA[<b><c><d>]]></a>",
            "<a b='<c><d><e>' c='/'><d e=\">\"/></a>",
            "<a",
            "<a b='",
            "<!-- <a>",
        ] {
            check_with_nesting(text, 3).expect(text);
        }
        for text in ["<a><a><a><a/>", "<a><a><a><a>", "<a b='/>'><a><a ><a\n>"] {
            let error = check_with_nesting(text, 3).expect_err(text);
            assert!(
                matches!(&error, Error::TooLarge(m) if m == "nesting (3) was exceeded"),
                "{error}"
            );
        }
        check_with_nesting(&"<a>".repeat(1_000_000), 64).expect_err("a million elements");
    }

    #[test]
    fn document_types_are_refused() {
        for text in [
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
            "<?xml version='1.0'?>\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "<!doctype a><a/>",
        ] {
            let error = check_with_nesting(text, 3).expect_err(text).to_string();
            assert!(
                error.ends_with("column 1: document type declarations are not accepted"),
                "{error}"
            );
        }
    }

    #[test]
    fn attributes_and_namespaces_are_bounded() {
        let attributes = |n: usize| (0..n).map(|i| format!(" a{i}='x'")).collect::<String>();
        check_with_nesting(&format!("<a{}/>", attributes(MAX_ATTRIBUTES)), 3).expect("just enough");
        check_with_nesting(&format!("<a{}/>", attributes(MAX_ATTRIBUTES + 1)), 3).expect_err("one too many");
        let element = |n| format!("<a{}>", format!(" xmlns:a{n}='x'").repeat(50));
        let deep = |n| (0..n).map(element).collect::<String>();
        check_with_nesting(&deep(5), 10).expect("just enough");
        check_with_nesting(&deep(6), 10).expect_err("too many in scope");
        check_with_nesting(&format!("{}</a>", element(0)).repeat(20), 10).expect("few in scope");
    }
}
