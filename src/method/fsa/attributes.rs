//! Attributes of a match, from those of its obsels.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::super::literal::{Literal, Number};
use super::super::property::Property;
use super::super::source::resolve;
use crate::obsel::Value;
use crate::vocab::{XSD, xsd};

/// How the values of an attribute make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// The last value.
    Last,
    /// The first value.
    First,
    /// How many values there are.
    Count,
    /// Their sum.
    Sum,
    /// Their mean, a double.
    Avg,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The greatest minus the least.
    Span,
    /// Their lexical forms, separated by spaces.
    Concat,
}

/// The functions, by the names that automata give them.
const FUNCTIONS: [(&str, Function); 9] = [
    ("last", Function::Last),
    ("first", Function::First),
    ("count", Function::Count),
    ("sum", Function::Sum),
    ("avg", Function::Avg),
    ("min", Function::Min),
    ("max", Function::Max),
    ("span", Function::Span),
    ("concat", Function::Concat),
];

/// An attribute to compute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// Its IRI.
    pub iri: String,
    /// How it is computed.
    pub function: Function,
    /// The IRI of the attribute of the obsels.
    pub source: String,
}

impl Attribute {
    /// Reads an attribute: its IRI, relative to the model of the target, and `[FUNCTION ]IRI`, relative to that of the
    /// source.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(key: &str, value: &str, model: &str, source_model: &str) -> Result<Self, String> {
        let (function, source) = match value.trim().split_once(char::is_whitespace) {
            None => (Function::Last, value.trim()),
            Some((name, source)) => {
                let found = FUNCTIONS.iter().find(|(known, _)| *known == name);
                let (_, function) = found.ok_or_else(|| format!("unknown function '{name}'"))?;
                (*function, source.trim())
            }
        };
        let iri = resolve(model, key)?;
        if Property::is_reserved(&iri) {
            return Err(format!("<{iri}> follows from the match, and can not be an attribute"));
        }
        Ok(Self {
            iri,
            function,
            source: resolve(source_model, source)?,
        })
    }
}

/// A value of an obsel: itself, its text, what it means if it is a literal.
#[derive(Clone, Debug)]
pub struct Item<'t> {
    /// As the obsel has it.
    pub value: Outcome<'t>,
    /// Its lexical form, or the IRI.
    pub text: Cow<'t, str>,
    /// Its meaning; `None` for an IRI.
    pub literal: Option<Literal<'t>>,
}

/// What a function gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<'t> {
    /// One of the values, as it is recorded.
    Value(Value<'t>),
    /// A new string.
    String(String),
    /// Another new literal: lexical form, datatype.
    Typed(String, String),
}

impl<'t> Item<'t> {
    /// Returns a time of an obsel.
    pub fn time(time: i64) -> Self {
        let text = time.to_string();
        Self {
            text: text.clone().into(),
            value: Outcome::Typed(text, xsd::INTEGER.to_owned()),
            literal: Some(Literal::integer(time)),
        }
    }
}

impl Outcome<'_> {
    fn number(number: Number) -> Self {
        let (lexical, datatype) = number.spelled();
        Self::Typed(lexical, datatype.to_owned())
    }
}

/// Applies a function to values, in the order of the obsels; `None` if it has no result, because there is no value, or
/// because they are not of one kind. A blank node is counted, and otherwise left aside: it means nothing in another trace.
pub fn apply<'t>(function: Function, items: &[Item<'t>]) -> Option<Outcome<'t>> {
    if function == Function::Count {
        return Some(Outcome::Typed(items.len().to_string(), xsd::INTEGER.to_owned()));
    }
    let is_blank = |item: &Item<'_>| matches!(item.value, Outcome::Value(Value::Blank(_)));
    if items.iter().any(is_blank) {
        let items: Vec<Item<'t>> = items.iter().filter(|item| !is_blank(item)).cloned().collect();
        return apply(function, &items);
    }
    let extreme = |wanted: Ordering| {
        let mut items = items.iter();
        let first = items.next()?;
        Some(items.fold(
            first,
            |best, item| if order(item, best) == wanted { item } else { best },
        ))
    };
    match function {
        Function::Count => None,
        Function::Last => items.last().map(|item| item.value.clone()),
        Function::First => items.first().map(|item| item.value.clone()),
        Function::Sum => sum(items).map(Outcome::number),
        Function::Avg => {
            let mean = f64::from(sum(items)?.double()) / items.len() as f64;
            Some(Outcome::number(Number::Double(mean.into())))
        }
        Function::Min => extreme(Ordering::Less).map(|item| item.value.clone()),
        Function::Max => extreme(Ordering::Greater).map(|item| item.value.clone()),
        Function::Span => {
            let numeric = items
                .iter()
                .filter(|item| matches!(item.literal, Some(Literal::Number(_))))
                .count();
            if numeric != 0 && numeric != items.len() {
                return None;
            }
            span(extreme(Ordering::Less)?, extreme(Ordering::Greater)?)
        }
        Function::Concat => {
            let texts: Vec<&str> = items.iter().map(|item| &*item.text).collect();
            (!texts.is_empty()).then(|| Outcome::String(texts.join(" ")))
        }
    }
}

fn sum(items: &[Item<'_>]) -> Option<Number> {
    let mut numbers = items.iter().map(|item| match item.literal {
        Some(Literal::Number(number)) => Some(number),
        _ => None,
    });
    let first = numbers.next()??;
    numbers.try_fold(first, |sum, number| Some(sum.add(number?)))
}

fn span<'t>(least: &Item<'t>, greatest: &Item<'t>) -> Option<Outcome<'t>> {
    let duration =
        |duration: oxsdatatypes::DayTimeDuration| Outcome::Typed(duration.to_string(), format!("{XSD}dayTimeDuration"));
    match (least.literal.as_ref()?, greatest.literal.as_ref()?) {
        (Literal::Number(a), Literal::Number(b)) => Some(Outcome::number(b.subtract(*a))),
        (Literal::DateTime(a), Literal::DateTime(b)) => b.checked_sub(*a).map(duration),
        (Literal::Date(a), Literal::Date(b)) => b.checked_sub(*a).map(duration),
        (Literal::Time(a), Literal::Time(b)) => b.checked_sub(*a).map(duration),
        _ => None,
    }
}

/// Compares two values of any kinds: IRIs come first, then numbers, then texts, then the rest.
fn order(a: &Item<'_>, b: &Item<'_>) -> Ordering {
    let rank = |item: &Item<'_>| match item.literal {
        None => 0,
        Some(Literal::Number(_)) => 1,
        Some(Literal::String(_) | Literal::Tagged(..)) => 2,
        Some(_) => 3,
    };
    let by_value = || a.literal.as_ref()?.compare(b.literal.as_ref()?);
    rank(a)
        .cmp(&rank(b))
        .then_with(|| by_value().unwrap_or_else(|| a.text.cmp(&b.text)))
}

#[cfg(test)]
mod test {
    use super::*;

    /// Returns values such as `9`, `2.5`, `1e0`, `2020-01-01`, `<iri>`, or else texts.
    fn items(texts: &[&'static str]) -> Vec<Item<'static>> {
        (texts.iter())
            .map(|text| {
                let datatype = match text {
                    text if text.starts_with('<') => None,
                    text if text.parse::<i64>().is_ok() => Some("integer"),
                    text if text.contains('e') && text.parse::<f64>().is_ok() => Some("double"),
                    text if text.parse::<f64>().is_ok() => Some("decimal"),
                    text if text.starts_with("2020") => Some("date"),
                    _ => Some("string"),
                };
                Item {
                    value: Outcome::Value(Value::String(text)),
                    text: (*text).into(),
                    literal: datatype.map(|datatype| Literal::typed(*text, &format!("{XSD}{datatype}"))),
                }
            })
            .collect()
    }

    fn applied(name: &str, texts: &[&'static str]) -> String {
        let (_, function) = FUNCTIONS
            .iter()
            .find(|(known, _)| *known == name)
            .expect("a known function");
        match apply(*function, &items(texts)) {
            None => String::new(),
            Some(Outcome::Value(Value::String(text))) => text.to_owned(),
            Some(Outcome::Value(other)) => panic!("{other:?} was not given"),
            Some(Outcome::String(text)) => text,
            Some(Outcome::Typed(lexical, datatype)) => {
                format!("{lexical}^^{}", datatype.strip_prefix(XSD).unwrap_or_default())
            }
        }
    }

    #[test]
    fn functions_give_what_the_documentation_says() {
        let cases = [
            ("last", &["10", "7.0"][..], "7.0"),
            ("first", &["10", "7.0"], "10"),
            ("count", &["10", "7.0"], "2^^integer"),
            ("sum", &["10", "7.0"], "17.0^^decimal"),
            ("avg", &["10", "7.0"], "8.5E0^^double"),
            ("min", &["10", "7.0"], "7.0"),
            ("max", &["10", "7.0"], "10"),
            ("span", &["10", "7.0"], "3.0^^decimal"),
            ("concat", &["10", "7.0"], "10 7.0"),
            ("sum", &["9", "11", "5"], "25^^integer"),
            ("span", &["9", "11", "5"], "6^^integer"),
            ("concat", &["9", "11", "5"], "9 11 5"),
            ("sum", &["9", "11.0e0", "5.0"], "2.5E1^^double"),
            ("count", &[], "0^^integer"),
            ("sum", &[], ""),
            ("avg", &[], ""),
            ("last", &[], ""),
            ("first", &[], ""),
            ("min", &[], ""),
            ("max", &[], ""),
            ("span", &[], ""),
            ("concat", &[], ""),
            ("sum", &["1", "x"], ""),
            ("avg", &["1", "x"], ""),
            ("span", &["1", "x"], ""),
            ("span", &["x", "y"], ""),
            ("min", &["x", "1", "y"], "1"),
            ("max", &["x", "1", "y"], "y"),
            ("min", &["1", "<http://x/>"], "<http://x/>"),
            ("span", &["2020-01-01", "2020-01-03"], "P2D^^dayTimeDuration"),
            ("max", &["2020-01-01", "2020-01-03", "2020-01-02"], "2020-01-03"),
        ];
        for (function, texts, expected) in cases {
            assert_eq!(applied(function, texts), expected, "{function} {texts:?}");
        }
        assert!(applied("avg", &["9", "11", "5"]).starts_with("8.33"));
    }

    #[test]
    fn attributes_are_relative_to_their_models() {
        let parse = |value| Attribute::parse("#total", value, "http://x/out", "http://x/m");
        let attribute = parse("sum #v").expect("a legal attribute");
        assert_eq!(attribute.iri, "http://x/out#total");
        assert_eq!(
            (attribute.function, attribute.source.as_str()),
            (Function::Sum, "http://x/m#v")
        );
        assert_eq!(parse("#v").expect("a legal attribute").function, Function::Last);
        assert_eq!(parse("http://y/v").expect("a legal attribute").source, "http://y/v");
        assert_eq!(parse("median #v"), Err("unknown function 'median'".to_owned()));
    }
}
