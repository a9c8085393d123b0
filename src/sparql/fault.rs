//! What is wrong in the text of a query, in words for its author.

/// How much of what the parser expected is told, in characters.
const SHOWN: usize = 200;

/// Returns a sentence about an error of the parser, given the text of the query.
///
/// The parser lists the tokens that it could have read, down to the ranges of characters; a prefix that is not declared is
/// one of these.
pub(super) fn describe(text: &str, error: &str) -> String {
    let Some((place, expected)) = error.strip_prefix("error at ").and_then(|rest| rest.split_once(": ")) else {
        return shortened(error);
    };
    if expected.contains("Prefix not found")
        && let Some(name) = name_before(text, place)
    {
        return format!("error at {place}: the prefix of {} is not declared", shortened(&name));
    }
    format!("error at {place}: {}", shortened(expected))
}

/// Returns the name that ends at a place, as `line:column`.
fn name_before(text: &str, place: &str) -> Option<String> {
    let (line, column) = place.split_once(':')?;
    let line = text.lines().nth(line.parse::<usize>().ok()?.checked_sub(1)?)?;
    let before: String = line
        .chars()
        .take(column.parse::<usize>().ok()?.checked_sub(1)?)
        .collect();
    let is_between = |c: char| c.is_whitespace() || "()[]{}<>,;|/^!*+?=\"'".contains(c);
    let name = before.trim_end().rsplit(is_between).next()?;
    name.contains(':').then(|| name.to_owned())
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod test {
    use crate::sparql::{Context, Limits, Query};

    #[test]
    fn what_is_wrong_is_named() {
        let context = Context {
            base: Some("http://h/"),
            prefixes: &[],
        };
        for (text, expected) in [
            (
                "SELECT * { ?s unknown:p ?o }",
                "error at 1:24: the prefix of unknown:p is not declared",
            ),
            (
                "SELECT *\n{ ?s a é:T }",
                "error at 2:11: the prefix of é:T is not declared",
            ),
            (
                "SELECT * { ?s a/none:p ?o }",
                "error at 1:23: the prefix of none:p is not declared",
            ),
        ] {
            let error = Query::parse(text, context, &Limits::default()).expect_err(text);
            assert_eq!(error.to_string(), expected, "{text}");
        }
        for text in [
            "SELECT * { ?s ?p ?o",
            "SELECT",
            "",
            "x",
            "ASK { ?s <a b> 1 }",
            "ASK { 'a\n' }",
        ] {
            let error = Query::parse(text, context, &Limits::default())
                .expect_err(text)
                .to_string();
            assert!(error.starts_with("error at ") && error.len() < 300, "{text}: {error}");
        }
    }
}
