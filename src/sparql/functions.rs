//! Functions that the evaluator lacks, or that could make a text much longer than those that they are given.
//!
//! A text may be as long as the limit says, so no function may make more of it before anybody looks. `algebra` puts
//! those of this file in the place of CONCAT, REPLACE and GROUP_CONCAT (SPARQL 1.1 Query Language, sections 17.4.3.12,
//! 17.4.3.15 and 18.5.1.7).

use std::sync::Mutex;

use oxrdf::{Literal, NamedNode, Term};
use regex::{Captures, Regex, RegexBuilder};
use spareval::{AggregateFunctionAccumulator, QueryEvaluator};

use super::limits;
use crate::error::Error;

/// The name of CONCAT of one or two texts.
pub(super) const CONCAT: &str = "urn:x-ktbs:concat";
/// The name of REPLACE.
pub(super) const REPLACE: &str = "urn:x-ktbs:replace";
/// What the names of GROUP_CONCAT start with; the number of the separator follows.
const GROUP_CONCAT: &str = "urn:x-ktbs:group-concat:";

/// The size of the program of a regular expression, in bytes.
const REGEX_BYTES: usize = 1_000_000;

/// Returns the name of GROUP_CONCAT with a separator, given by its number.
pub(super) fn group_concat(separator: usize) -> NamedNode {
    NamedNode::new_unchecked(format!("{GROUP_CONCAT}{separator}"))
}

/// Returns an evaluator that knows these functions, GROUP_CONCAT with these separators, and that these other functions
/// have no value: a call of an unknown function is an error of the expression, not of the query (section 17.6).
pub(super) fn evaluator(separators: &[String], unknown: impl IntoIterator<Item = NamedNode>) -> QueryEvaluator {
    let cache = Mutex::new(None);
    let mut evaluator = QueryEvaluator::new()
        .with_custom_function(NamedNode::new_unchecked(CONCAT), concat)
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

/// The last regular expression, which most often is the only one: flags, pattern.
type Cache = Mutex<Option<(String, String, Regex)>>;

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
    let mut cache = cache.lock().ok()?;
    if let Some((known_flags, known, regex)) = &*cache
        && known == pattern
        && known_flags == flags
    {
        return Some(regex.clone());
    }
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
    let regex = builder.build().ok()?;
    *cache = Some((flags.to_owned(), pattern.to_owned(), regex.clone()));
    Some(regex)
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
}
