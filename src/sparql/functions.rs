//! Functions that the evaluator lacks, or that could take much memory or time before anybody looks.
//!
//! A text may be as long as the limit says, and a regular expression may take milliseconds to compile, for each row.
//! `algebra` puts the functions of this file in the place of CONCAT, REGEX, REPLACE and GROUP_CONCAT (SPARQL 1.1 Query
//! Language, sections 17.4.3.12, 17.4.3.14, 17.4.3.15 and 18.5.1.7).

use std::sync::{Arc, Mutex, PoisonError};

use oxrdf::{Literal, NamedNode, Term};
use regex::{Captures, Regex, RegexBuilder};
use spareval::{AggregateFunctionAccumulator, QueryEvaluator};

use super::aggregates::NOTHING;
use super::limits;
use crate::error::Error;

/// The name of CONCAT of one or two texts.
pub(super) const CONCAT: &str = "urn:x-ktbs:concat";
/// The name of REGEX.
pub(super) const REGEX: &str = "urn:x-ktbs:regex";
/// The name of REPLACE.
pub(super) const REPLACE: &str = "urn:x-ktbs:replace";
/// What the names of GROUP_CONCAT start with; the number of the separator follows.
const GROUP_CONCAT: &str = "urn:x-ktbs:group-concat:";

/// The size of the program of a regular expression, in bytes.
const REGEX_BYTES: usize = 1_000_000;

/// What it may take to make that program, in [`limits::tick`]s: up to some 10 milliseconds.
const COMPILATION: u64 = 1 << 16;

/// Returns the name of GROUP_CONCAT with a separator, given by its number.
pub(super) fn group_concat(separator: usize) -> NamedNode {
    NamedNode::new_unchecked(format!("{GROUP_CONCAT}{separator}"))
}

/// Returns an evaluator that knows these functions, GROUP_CONCAT with these separators, and that these other functions
/// have no value: a call of an unknown function is an error of the expression, not of the query (section 17.6).
pub(super) fn evaluator(separators: &[String], unknown: impl IntoIterator<Item = NamedNode>) -> QueryEvaluator {
    let cache = Arc::new(Cache::default());
    let same = Arc::clone(&cache);
    let mut evaluator = QueryEvaluator::new()
        .with_custom_function(NamedNode::new_unchecked(CONCAT), concat)
        .with_custom_function(NamedNode::new_unchecked(REGEX), move |terms| regex(terms, &same))
        .with_custom_function(NamedNode::new_unchecked(REPLACE), move |terms| replace(terms, &cache));
    for (number, separator) in separators.iter().enumerate() {
        let separator = separator.clone();
        evaluator = evaluator.with_custom_aggregate_function(group_concat(number), move || {
            Box::new(GroupConcat {
                separator: separator.clone(),
                text: Some(None),
            })
        });
    }
    for name in unknown {
        evaluator = evaluator.with_custom_function(name, |_| None);
    }
    evaluator
}

/// A text that grows up to the limit.
#[derive(Debug, Default)]
struct Text(String);

impl Text {
    fn push(&mut self, more: &str) {
        limits::tick_text(more);
        let limit = limits::literal();
        if self.0.len() + more.len() > limit {
            too_long(limit);
        }
        self.0.push_str(more);
    }
}

/// Stops the query because of a text.
pub(super) fn too_long(limit: usize) -> ! {
    limits::stop(Error::TooComplex(format!(
        "the query was cancelled: it makes a text of more than {limit} bytes"
    )))
}

/// Returns a string literal, or `None` for anything else.
fn text(term: &Term) -> Option<&Literal> {
    match term {
        Term::Literal(literal) if literal.language().is_some() || literal.datatype() == oxrdf::vocab::xsd::STRING => {
            Some(literal)
        }
        _ => None,
    }
}

/// Returns an `xsd:string`, or `None` for anything else.
fn simple(term: &Term) -> Option<&str> {
    text(term)
        .filter(|literal| literal.language().is_none())
        .map(Literal::value)
}

/// Returns a literal of the same kind as another.
fn like(other: &Literal, value: String) -> Literal {
    match (other.language(), other.direction()) {
        (None, _) => Literal::new_simple_literal(value),
        (Some(language), None) => Literal::new_language_tagged_literal_unchecked(value, language),
        (Some(language), Some(direction)) => {
            Literal::new_directional_language_tagged_literal_unchecked(value, language, direction)
        }
    }
}

fn same_kind(a: &Literal, b: &Literal) -> bool {
    a.language() == b.language() && a.direction() == b.direction()
}

fn concat(terms: &[Term]) -> Option<Term> {
    let literals = terms.iter().map(text).collect::<Option<Vec<_>>>()?;
    let first = *literals.first()?;
    let mut result = Text::default();
    for literal in &literals {
        result.push(literal.value());
    }
    if literals.iter().all(|literal| same_kind(literal, first)) {
        return Some(like(first, result.0).into());
    }
    Some(Literal::new_simple_literal(result.0).into())
}

/// Regular expressions that were compiled last: flags, pattern, and `None` for what is no regular expression.
type Cache = Mutex<Vec<(String, String, Option<Regex>)>>;

/// How many regular expressions are kept.
const CACHE: usize = 16;

fn regex(terms: &[Term], cache: &Cache) -> Option<Term> {
    let (subject, pattern, flags) = match terms {
        [subject, pattern] => (subject, pattern, ""),
        [subject, pattern, flags] => (subject, pattern, simple(flags)?),
        _ => return None,
    };
    let subject = text(subject)?.value();
    let regex = compiled(simple(pattern)?, flags, cache)?;
    limits::tick_text(subject);
    Some(Literal::from(regex.is_match(subject)).into())
}

fn replace(terms: &[Term], cache: &Cache) -> Option<Term> {
    let (subject, pattern, replacement, flags) = match terms {
        [subject, pattern, replacement] => (subject, pattern, replacement, ""),
        [subject, pattern, replacement, flags] => (subject, pattern, replacement, simple(flags)?),
        _ => return None,
    };
    let (subject, pattern, replacement) = (text(subject)?, simple(pattern)?, simple(replacement)?);
    let regex = compiled(pattern, flags, cache)?;
    let pieces = if flags.contains('q') {
        vec![Piece::Text(replacement.to_owned())]
    } else {
        pieces(replacement)
    };
    let mut result = Text::default();
    let mut end = 0;
    for captures in regex.captures_iter(subject.value()) {
        limits::tick(1);
        let whole = captures.get(0)?;
        result.push(&subject.value()[end..whole.start()]);
        end = whole.end();
        for piece in &pieces {
            result.push(piece.text(&captures));
        }
    }
    result.push(&subject.value()[end..]);
    Some(like(subject, result.0).into())
}

fn compiled(pattern: &str, flags: &str, cache: &Cache) -> Option<Regex> {
    let lock = || cache.lock().unwrap_or_else(PoisonError::into_inner);
    let known = |(known_flags, known, _): &&(String, String, _)| known == pattern && known_flags == flags;
    if let Some((_, _, regex)) = lock().iter().find(known) {
        return regex.clone();
    }
    limits::tick(COMPILATION);
    let regex = compile(pattern, flags);
    let mut cache = lock();
    if cache.len() == CACHE {
        cache.clear();
    }
    cache.push((flags.to_owned(), pattern.to_owned(), regex.clone()));
    regex
}

fn compile(pattern: &str, flags: &str) -> Option<Regex> {
    let literal = flags.contains('q').then(|| regex::escape(pattern));
    let mut builder = RegexBuilder::new(literal.as_deref().unwrap_or(pattern));
    builder.size_limit(REGEX_BYTES);
    for flag in flags.chars() {
        match flag {
            's' => builder.dot_matches_new_line(true),
            'm' => builder.multi_line(true),
            'i' => builder.case_insensitive(true),
            'x' => builder.ignore_whitespace(true),
            'q' => &mut builder,
            _ => return None,
        };
    }
    builder.build().ok()
}

/// A part of a replacement.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// What a group of the pattern matched.
    Group(usize),
}

impl Piece {
    fn text<'s>(&'s self, captures: &Captures<'s>) -> &'s str {
        match self {
            Piece::Text(text) => text,
            Piece::Group(group) => captures.get(*group).map_or("", |found| found.as_str()),
        }
    }
}

/// Cuts a replacement into its parts (XPath and XQuery Functions and Operators 3.1, `fn:replace`): `$1` is a group, `\$` a
/// dollar and `\\` a backslash.
fn pieces(replacement: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek().copied()) {
            ('\\', Some(next @ ('\\' | '$'))) => {
                text.push(next);
                chars.next();
            }
            ('$', Some(digit)) if digit.is_ascii_digit() => {
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                chars.next();
                pieces.push(Piece::Group(digit as usize - '0' as usize));
            }
            _ => text.push(c),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}

/// GROUP_CONCAT under way. Its result has no language.
struct GroupConcat {
    separator: String,
    /// The text, if anything came; `None` once something came that is no text.
    text: Option<Option<Text>>,
}

impl AggregateFunctionAccumulator for GroupConcat {
    fn accumulate(&mut self, element: Term) {
        if matches!(&element, Term::NamedNode(node) if node.as_str() == NOTHING) {
            return;
        }
        let Some(literal) = text(&element) else {
            self.text = None;
            return;
        };
        match &mut self.text {
            None => {}
            Some(Some(result)) => {
                result.push(&self.separator);
                result.push(literal.value());
            }
            Some(first @ None) => first.get_or_insert_default().push(literal.value()),
        }
    }

    fn finish(&mut self) -> Option<Term> {
        let text = self.text.take()?.unwrap_or_default();
        Some(Literal::new_simple_literal(text.0).into())
    }
}

#[cfg(test)]
mod test {
    use super::super::limits::{Limits, watch};
    use super::*;

    #[test]
    fn replacements_are_cut_into_parts() {
        let text = |text: &str| Piece::Text(text.to_owned());
        for (replacement, expected) in [
            ("", vec![]),
            ("a", vec![text("a")]),
            ("[$1b]", vec![text("["), Piece::Group(1), text("b]")]),
            ("$0$2", vec![Piece::Group(0), Piece::Group(2)]),
            (r"\$1\\", vec![text(r"$1\")]),
            (r"$a\b$", vec![text(r"$a\b$")]),
        ] {
            assert_eq!(pieces(replacement), expected, "{replacement}");
        }
    }

    #[test]
    fn a_regular_expression_is_compiled_once_and_counts() {
        let cache = Cache::default();
        let matches = |subject: &str, pattern: &str, flags: &str| {
            let terms = [subject, pattern, flags].map(|text| Term::from(Literal::from(text)));
            regex(&terms, &cache)
        };
        for (subject, pattern, flags, expected) in [
            ("abc", "B", "", Some(false)),
            ("abc", "B", "i", Some(true)),
            ("a.c", "a.c", "q", Some(true)),
            ("abc", "a.c", "q", Some(false)),
            ("abc", "(", "", None),
            ("abc", "a", "z", None),
            ("abc", "((a{1,100}){1,100}){1,100}", "", None),
        ] {
            let expected = expected.map(|matched| Term::from(Literal::from(matched)));
            for _ in 0..2 {
                assert_eq!(matches(subject, pattern, flags), expected, "{pattern} {flags}");
            }
        }
        assert_eq!(cache.lock().map(|cache| cache.len()).ok(), Some(6));
        let limits = Limits {
            time: std::time::Duration::from_millis(50),
            ..Limits::default()
        };
        let result: crate::error::Result<()> = watch(&limits, || {
            for number in 0_u64.. {
                regex(
                    &[Literal::from("a").into(), Literal::from(format!("a{number}")).into()],
                    &cache,
                );
            }
            Ok(())
        });
        assert!(matches!(result, Err(Error::Timeout(_))), "{result:?}");
        assert_eq!(
            matches("abc", "b", ""),
            Some(Literal::from(true).into()),
            "the cache still works"
        );
    }
}
