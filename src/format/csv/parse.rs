//! Obsels as a table, in: one a row, whose columns are named by the first row.
//!
//! What the writer gives is read back, as far as CSV can tell: it has neither datatypes nor languages, so that numbers,
//! booleans and IRIs are recognised by their look, unless the name of the column tells (`m:when^^xsd:date`, `title@fr`).

use std::io::{BufRead, Read};

use csv::{ReaderBuilder, StringRecord, Terminator};

use crate::error::{Error, Result};
use crate::format::lines::at;
use crate::format::payload::{Payload, extract};
use crate::format::prefixes::model_namespace;
use crate::format::{Context, payload};
use crate::rdf::{Graph, TermId};
use crate::resource::Give;
use crate::time;
use crate::vocab::{KTBS, RDF, RDFS, SKOS, XSD, ktbs, rdf, skos, xsd};

/// Stands between the values of a cell.
const BETWEEN: &str = " | ";

/// Reads obsels, one a row, and gives each with its line.
///
/// # Errors
/// `Parse` with line and column; `Gone` if the body cannot be read; `TooLarge`; those of `give`.
pub fn read(input: &mut dyn BufRead, context: &Context<'_>, give: &mut Give<'_>) -> Result<()> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        // The reader counts lines where records end: with its default, it would end them before the `\n` of a `\r\n`.
        .terminator(Terminator::Any(b'\n'))
        // So that the last line ends too.
        .from_reader(Read::chain(input, &b"\n"[..]));
    let mut record = StringRecord::new();
    let mut columns: Option<Vec<Column>> = None;
    while reader.read_record(&mut record).map_err(failure)? {
        let breaks = record.iter().map(|cell| cell.matches('\n').count() as u64).sum::<u64>();
        let line = reader.position().line().saturating_sub(breaks + 1);
        without_return(&mut record);
        if record.iter().eq([""]) {
            continue;
        }
        let Some(columns) = &columns else {
            columns = Some(header(&record, context)?);
            continue;
        };
        if record.len() != columns.len() {
            return Err(Error::Parse(format!(
                "line {line}, column {}: the row has {} cells, and the header {}",
                record.len().min(columns.len()) + 1,
                record.len(),
                columns.len()
            )));
        }
        let graph = row(&record, columns, context, line)?;
        give(line, graph)?;
    }
    Ok(())
}

/// Removes the `\r` of a line that ends with `\r\n`.
fn without_return(record: &mut StringRecord) {
    let last = record.len().checked_sub(1).and_then(|last| record.get(last));
    if let Some(last) = last.and_then(|cell| cell.strip_suffix('\r')) {
        let last = last.to_owned();
        record.truncate(record.len() - 1);
        record.push_field(&last);
    }
}

fn failure(error: csv::Error) -> Error {
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Error::Gone(error),
        csv::ErrorKind::Utf8 { err, .. } => Error::Parse(format!(
            "line {line}, column {}: the payload is not valid UTF-8",
            err.field() + 1
        )),
        other => Error::Parse(format!("line {line}, column 1: {other:?}")),
    }
}

/// What the cells of a column say.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    /// The identifier of the obsel, or its IRI.
    Id,
    /// Its types.
    Type,
    /// Begin or end, as a number.
    Number(&'static str),
    /// Begin or end, as a date.
    Date(&'static str),
    /// The values of a property, as they look.
    Values(String),
    /// The literals of a property, of a datatype.
    Typed(String, String),
    /// The texts of a property, in a language.
    Tagged(String, String),
    /// The IRIs of a property.
    Iris(String),
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    meaning: Meaning,
}

/// Reads the names of the columns.
fn header(record: &StringRecord, context: &Context<'_>) -> Result<Vec<Column>> {
    let mut columns: Vec<Column> = Vec::with_capacity(record.len());
    for (index, cell) in record.iter().enumerate() {
        let name = cell.strip_prefix('\u{feff}').unwrap_or(cell).trim();
        let wrong = |problem: String| Error::Parse(format!("line 1, column {}: {problem}", index + 1));
        if name.is_empty() {
            return Err(wrong("the column has no name".to_owned()));
        }
        let meaning = meaning(name, context).map_err(|error| wrong(error.to_string()))?;
        if columns.iter().any(|column| column.meaning == meaning) {
            return Err(wrong(format!("there is another column {}", extract(name))));
        }
        columns.push(Column {
            name: extract(name),
            meaning,
        });
    }
    Ok(columns)
}

fn meaning(name: &str, context: &Context<'_>) -> Result<Meaning> {
    let property = match name {
        "id" | "@id" => return Ok(Meaning::Id),
        "type" | "@type" => return Ok(Meaning::Type),
        "begin" => return Ok(Meaning::Number(ktbs::HAS_BEGIN)),
        "end" => return Ok(Meaning::Number(ktbs::HAS_END)),
        "beginDT" => return Ok(Meaning::Date(ktbs::HAS_BEGIN_DT)),
        "endDT" => return Ok(Meaning::Date(ktbs::HAS_END_DT)),
        "sourceObsel" | "hasSourceObsel" => return Ok(Meaning::Iris(ktbs::HAS_SOURCE_OBSEL.to_owned())),
        "hasSubject" => return Ok(Meaning::Iris(ktbs::HAS_SUBJECT.to_owned())),
        "subject" => ktbs::HAS_SUBJECT.to_owned(),
        "label" | "prefLabel" => skos::PREF_LABEL.to_owned(),
        _ => {
            if let Some((name, datatype)) = name.rsplit_once("^^") {
                return Ok(Meaning::Typed(expand(name, context)?, expand(datatype, context)?));
            }
            match name.rsplit_once('@') {
                Some((name, language)) if !name.is_empty() && !language.contains(['/', ':', '#']) => {
                    return Ok(Meaning::Tagged(expand(name, context)?, language.to_owned()));
                }
                _ => expand(name, context)?,
            }
        }
    };
    Ok(Meaning::Values(property))
}

/// Returns the IRI of a name: whole, or after a prefix, or of the model of the trace.
fn expand(name: &str, context: &Context<'_>) -> Result<String> {
    let prefixes = [("k", KTBS), ("rdf", RDF), ("rdfs", RDFS), ("skos", SKOS), ("xsd", XSD)];
    if let Some((prefix, local)) = name.split_once(':') {
        if let Some((_, namespace)) = prefixes.iter().find(|it| it.0 == prefix) {
            return Ok(format!("{namespace}{local}"));
        }
        if prefix != "m" {
            return Ok(name.to_owned());
        }
        return of_model(local, context);
    }
    of_model(name, context)
}

fn of_model(local: &str, context: &Context<'_>) -> Result<String> {
    match context.model {
        Some(model) => Ok(format!("{}{local}", model_namespace(model))),
        None => Err(Error::Parse(format!(
            "{} is a name of the model, and the trace has none",
            extract(local)
        ))),
    }
}

/// Reads the obsel of a row.
fn row(record: &StringRecord, columns: &[Column], context: &Context<'_>, line: u64) -> Result<Graph> {
    let mut payload = Payload::new(context.limits);
    let cells = || columns.iter().zip(record).zip(1..);
    let place = |column: &Column, number: usize| format!("line {line}, column {number} ({})", column.name);
    let mut node = None;
    for ((column, cell), number) in cells() {
        if column.meaning == Meaning::Id && !cell.is_empty() {
            let iri = absolute(cell, context);
            node = Some(payload.iri(&iri).map_err(|error| at(&place(column, number), error))?);
        }
    }
    let node = node.unwrap_or_else(|| payload.fresh_blank());
    let trace = payload.iri(context.base)?;
    let has_trace = payload.iri(ktbs::HAS_TRACE)?;
    payload.insert([node, has_trace, trace])?;
    for ((column, cell), number) in cells() {
        if !cell.is_empty() {
            add(&mut payload, node, column, cell, context).map_err(|error| at(&place(column, number), error))?;
        }
    }
    Ok(payload.into_graph())
}

fn add(payload: &mut Payload<'_>, node: TermId, column: &Column, cell: &str, context: &Context<'_>) -> Result<()> {
    let values = || cell.split(BETWEEN);
    let mut objects = Vec::new();
    let property = match &column.meaning {
        Meaning::Id => return Ok(()),
        Meaning::Type => {
            for value in values() {
                let iri = if value == "Obsel" {
                    ktbs::OBSEL.to_owned()
                } else {
                    expand(value, context)?
                };
                objects.push(payload.iri(&iri)?);
            }
            rdf::TYPE
        }
        Meaning::Number(property) => {
            let number: i64 = cell
                .trim()
                .parse()
                .map_err(|_| Error::invalid(format!("Can not convert timestamps to int: [{}]", extract(cell))))?;
            objects.push(payload.literal(&number.to_string(), xsd::INTEGER)?);
            property
        }
        Meaning::Date(property) => {
            if time::parse_instant(cell.trim()).is_none() {
                return Err(Error::invalid(format!("{} is no date", extract(cell))));
            }
            objects.push(payload.literal(cell.trim(), xsd::DATE_TIME)?);
            property
        }
        Meaning::Values(property) => {
            for value in values() {
                objects.push(guessed(payload, value)?);
            }
            property
        }
        Meaning::Typed(property, datatype) => {
            for value in values() {
                objects.push(payload.literal(value, datatype)?);
            }
            property
        }
        Meaning::Tagged(property, language) => {
            for value in values() {
                objects.push(payload.tagged(value, language)?);
            }
            property
        }
        Meaning::Iris(property) => {
            for value in values() {
                objects.push(payload.iri(&absolute(value, context))?);
            }
            property
        }
    };
    let property = payload.iri(property)?;
    for object in objects {
        payload.insert([node, property, object])?;
    }
    Ok(())
}

/// Returns an IRI, which may be given as what follows that of the trace.
fn absolute(text: &str, context: &Context<'_>) -> String {
    if text.contains(':') {
        text.to_owned()
    } else {
        format!("{}{text}", context.base)
    }
}

/// Returns what a value without datatype looks like: a number or a boolean in its usual form, an IRI of the web, a text.
fn guessed(payload: &mut Payload<'_>, value: &str) -> Result<TermId> {
    let is_iri = (value.starts_with("http://") || value.starts_with("https://")) && payload::is_iri(value);
    if is_iri {
        return payload.iri(value);
    }
    payload.literal(value, datatype_of(value))
}

fn datatype_of(value: &str) -> &'static str {
    if matches!(value, "true" | "false") {
        return xsd::BOOLEAN;
    }
    let unsigned = value.strip_prefix('-').unwrap_or(value);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // What begins with a zero is a code: that of a town, a telephone number.
    let is_number = is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && value != "-0"
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(|it| is_digits(it.strip_prefix(['+', '-']).unwrap_or(it)));
    match (is_number, fraction, exponent) {
        (false, ..) => xsd::STRING,
        (_, _, Some(_)) => xsd::DOUBLE,
        (_, Some(_), _) => xsd::DECIMAL,
        _ => xsd::INTEGER,
    }
}

#[cfg(test)]
mod test {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::format::payload::{test_context, test_limits};
    use crate::resource::Shape;

    fn parsed(text: &[u8]) -> Result<Vec<(u64, Vec<String>)>> {
        let limits = test_limits();
        let context = Context {
            base: "http://h/b/t/",
            shape: Shape::Trace,
            model: Some("http://h/b/m"),
            ..test_context(&limits)
        };
        let mut rows = Vec::new();
        read(&mut &text[..], &context, &mut |line, graph| {
            let term = |term: &crate::rdf::Term| match term {
                crate::rdf::Term::LiteralDatatype(lexical, datatype) => {
                    let datatype = datatype.as_str().rsplit(['#', '/']).next().unwrap();
                    format!("{lexical}^{datatype}")
                }
                crate::rdf::Term::LiteralLanguage(lexical, language, _) => format!("{lexical}@{}", language.as_str()),
                crate::rdf::Term::Iri(iri) => iri.as_str().replace("http://h/b/", "/"),
                _ => "_".to_owned(),
            };
            let triples = graph.iter().skip(1);
            let mut shown: Vec<String> = triples.map(|t| t.map(term).join(" ")).collect();
            shown.sort();
            rows.push((line, shown));
            Ok(())
        })?;
        Ok(rows)
    }

    #[test]
    fn each_row_is_an_obsel() {
        let text = "\u{feff}id,type,begin,end,subject,n,m:x,http://x/y,d^^xsd:date,t@fr,sourceObsel\r\n\
            o1,T | http://x/T,1,2,me,1 | 1.5 | 01 | 1e3 | true,\"a \"\"b\"\",\nc\",http://x/z,2017-02-28,bonjour,o0\r\n\
            ,Obsel,3,,,,,,,,\r\n";
        let rows = parsed(text.as_bytes()).unwrap();
        assert_eq!(rows.len(), 2);
        let expected = [
            "/t/o1 /m#d 2017-02-28^date",
            "/t/o1 /m#n 01^string",
            "/t/o1 /m#n 1.5^decimal",
            "/t/o1 /m#n 1^integer",
            "/t/o1 /m#n 1e3^double",
            "/t/o1 /m#n true^boolean",
            "/t/o1 /m#t bonjour@fr",
            "/t/o1 /m#x a \"b\",\nc^string",
            "/t/o1 http://liris.cnrs.fr/silex/2009/ktbs#hasBegin 1^integer",
            "/t/o1 http://liris.cnrs.fr/silex/2009/ktbs#hasEnd 2^integer",
            "/t/o1 http://liris.cnrs.fr/silex/2009/ktbs#hasSourceObsel /t/o0",
            "/t/o1 http://liris.cnrs.fr/silex/2009/ktbs#hasSubject me^string",
            "/t/o1 http://www.w3.org/1999/02/22-rdf-syntax-ns#type /m#T",
            "/t/o1 http://www.w3.org/1999/02/22-rdf-syntax-ns#type http://x/T",
            "/t/o1 http://x/y http://x/z",
        ];
        assert_eq!(rows[0], (2, expected.map(str::to_owned).to_vec()));
        assert_eq!(rows[1].0, 4);
        let lines = |text| parsed(text).unwrap().iter().map(|row| row.0).collect::<Vec<_>>();
        assert_eq!(lines(&b"x\r\n\r\n\n\"a\r\n\"\nb"[..]), [4, 6]);
        assert_eq!(rows[1].1.len(), 2, "{rows:?}");
    }

    #[test]
    fn errors_name_line_and_column() {
        for (text, expected) in [
            (
                &b"id,begin\n1,x"[..],
                "line 2, column 2 (begin): Can not convert timestamps to int: [x]",
            ),
            (
                b"id,begin\n1,2\n3\n",
                "line 3, column 2: the row has 1 cells, and the header 2",
            ),
            (b"id,,begin\n", "line 1, column 2: the column has no name"),
            (b"id,@id\n", "line 1, column 2: there is another column @id"),
            (
                b"id,beginDT\n\n1,2020-13-01\n",
                "line 3, column 2 (beginDT): 2020-13-01 is no date",
            ),
            (
                b"id\na b\n",
                "line 2, column 1 (id): <http://h/b/t/a b> is not a valid absolute IRI",
            ),
            (b"id,a\n1,\xe9\n", "line 2, column 2: the payload is not valid UTF-8"),
            (
                b"a b\n1\n",
                "line 2, column 1 (a b): <http://h/b/m#a b> is not a valid absolute IRI",
            ),
        ] {
            assert_eq!(parsed(text).unwrap_err().to_string(), expected);
        }
    }
}
