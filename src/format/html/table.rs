//! A table of obsels for people, in HTML: what CSV has, with links.
//!
//! Consoles that know its media type show it as a fragment of their own page. So it has no script, and all that comes from the
//! store is escaped.

use std::collections::HashMap;
use std::io::Write;
use std::rc::Rc;

use super::{link, name};
use crate::error::{Error, Result};
use crate::format::Prefixes;
use crate::format::csv::Columns;
use crate::format::output::{Memory, Output, integer, xml_text};
use crate::format::triples::label;
use crate::obsel::{Mention, Name, Obsel, Value};
use crate::resource::view::{Content, Obsels};
use crate::resource::{Shape, View};
use crate::vocab::ktbs;

const STYLE: &str = include_str!("table.css");

/// Stands between the values of a cell.
const BETWEEN: &[u8] = b" | ";

/// Writes obsels as a table: a row per obsel in the order of the trace, whose `id` is the last segment of its IRI, with the columns
/// of CSV; before it links to the trace and to its CSV. IRIs are links named by their last segment; languages and datatypes are
/// lost. One obsel is shown in the table of its whole trace, in a row that stands out (`aria-current`).
///
/// # Errors
/// `Serialize` if the view is not one of obsels; `Gone` if the writer fails; those of the store.
pub fn write(view: &View, _prefixes: &Prefixes, out: &mut dyn Write) -> Result<()> {
    let Content::Obsels(shown) = &view.content else {
        return Err(Error::Serialize("only obsels can be written as a table".to_owned()));
    };
    let (whole, current);
    let obsels = if view.shape == Shape::Obsel {
        (whole, current) = (shown.widened(), view.iri.strip_prefix(&*shown.trace));
        &whole
    } else {
        current = None;
        shown
    };
    let mut output = Output::new(out);
    let Columns { properties, names } = Columns::of(obsels)?;
    head(&mut output.bytes, &obsels.trace, &names);
    let columns: HashMap<_, _> = (2..).zip(&properties).map(|(at, iri)| (iri.as_str(), at)).collect();
    let mut rows = Rows {
        obsels,
        current,
        cells: vec![Vec::new(); names.len()],
        columns,
        names: Memory::default(),
        count: 0,
    };
    let has_mentions = obsels.has_mentions()?;
    obsels.for_each(&mut |obsel| {
        let relations = if has_mentions {
            obsels.relations(obsel.id)?
        } else {
            Vec::new()
        };
        rows.row(&mut output.bytes, obsel, &relations)?;
        output.pass()
    })?;
    output.bytes.extend_from_slice(b"</tbody></table></body></html>\n");
    output.flush()
}

fn head(bytes: &mut Vec<u8>, trace: &str, names: &[String]) {
    bytes.extend_from_slice(b"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    xml_text(bytes, name(trace));
    bytes.extend_from_slice(b"</title><style>");
    bytes.extend_from_slice(STYLE.as_bytes());
    bytes.extend_from_slice(b"</style></head>\n<body><p>Trace ");
    link(bytes, trace, name(trace));
    bytes.extend_from_slice(b" (");
    link(bytes, &format!("{trace}@obsels.csv"), "CSV");
    bytes.extend_from_slice(b")</p>\n<table><thead><tr>");
    for name in names {
        bytes.extend_from_slice(b"<th scope=\"col\">");
        xml_text(bytes, name);
        bytes.extend_from_slice(b"</th>");
    }
    bytes.extend_from_slice(b"</tr></thead><tbody>\n");
}

struct Rows<'v> {
    obsels: &'v Obsels,
    /// The id of the obsel that stands out.
    current: Option<&'v str>,
    /// Which column a property has.
    columns: HashMap<&'v str, usize>,
    /// The cells of the present row.
    cells: Vec<Vec<u8>>,
    names: Memory<Spelling>,
    /// The number of rows so far, part of the labels of blank nodes.
    count: u64,
}

struct Spelling {
    /// The link.
    markup: Rc<[u8]>,
    column: Option<usize>,
}

impl Rows<'_> {
    fn row(&mut self, bytes: &mut Vec<u8>, obsel: &Obsel<'_>, relations: &[Mention<'_>]) -> Result<()> {
        self.value(0, Value::Obsel(obsel.id))?;
        for class in &obsel.types {
            self.value(1, *class)?;
        }
        for (property, value) in [(ktbs::HAS_BEGIN, obsel.begin), (ktbs::HAS_END, obsel.end)] {
            if let Some(column) = self.columns.get(property) {
                integer(&mut self.cells[*column], value);
            }
        }
        for arc in &obsel.arcs {
            self.property(arc.predicate, arc.object)?;
        }
        for relation in relations.iter().filter(|it| it.outgoing) {
            self.property(relation.predicate, Value::Obsel(relation.other))?;
        }
        bytes.extend_from_slice(b"<tr id=\"");
        xml_text(bytes, obsel.id);
        let mark = if self.current == Some(obsel.id) {
            "\" aria-current=\"true\">"
        } else {
            "\">"
        };
        bytes.extend_from_slice(mark.as_bytes());
        for cell in &mut self.cells {
            bytes.extend_from_slice(b"<td>");
            bytes.append(cell);
            bytes.extend_from_slice(b"</td>");
        }
        bytes.extend_from_slice(b"</tr>\n");
        self.count += 1;
        Ok(())
    }

    fn property(&mut self, predicate: Name, value: Value<'_>) -> Result<()> {
        match self.spelling(predicate)?.column {
            Some(column) => self.value(column, value),
            None => Ok(()),
        }
    }

    fn value(&mut self, column: usize, value: Value<'_>) -> Result<()> {
        let named = match value {
            Value::Named(name) => Some(Rc::clone(&self.spelling(name)?.markup)),
            _ => None,
        };
        let cell = &mut self.cells[column];
        if !cell.is_empty() {
            cell.extend_from_slice(BETWEEN);
        }
        match value {
            Value::Named(_) => cell.extend_from_slice(&named.unwrap_or_default()),
            Value::Obsel(id) => iri(cell, &format!("{}{id}", self.obsels.trace)),
            Value::BelowRoot(rest) => iri(cell, &format!("{}{rest}", self.obsels.root())),
            Value::Iri(text) => iri(cell, text),
            Value::String(text) | Value::Tagged(text, _) | Value::Typed(text, _) => xml_text(cell, text),
            Value::Blank(blank) => {
                cell.extend_from_slice(b"_:");
                label(cell, self.count, blank);
            }
        }
        Ok(())
    }

    fn spelling(&mut self, name: Name) -> Result<&Spelling> {
        self.names.get(name, || {
            let text = self.obsels.iri(name)?;
            let mut markup = Vec::new();
            iri(&mut markup, &text);
            Ok(Spelling {
                markup: markup.into(),
                column: self.columns.get(&*text).copied(),
            })
        })
    }
}

/// Appends a link to an IRI, named by its last segment.
fn iri(bytes: &mut Vec<u8>, iri: &str) {
    let trimmed = iri.strip_suffix(['/', '#']).unwrap_or(iri);
    let segment = trimmed.rsplit(['/', '#']).next().filter(|segment| !segment.is_empty());
    link(bytes, iri, segment.unwrap_or(iri));
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::format::sample::{Ktbs, TRACE, written};

    fn table(ktbs: &Ktbs, path: &str, parameters: &[(&str, &str)]) -> String {
        String::from_utf8(written(write, &ktbs.view(path, parameters))).expect("UTF-8")
    }

    fn rows(table: &str) -> Vec<&str> {
        table.lines().filter(|line| line.starts_with("<tr ")).collect()
    }

    #[test]
    fn there_is_a_row_per_obsel_and_a_column_per_property() {
        let ktbs = Ktbs::with(
            "<z> a m:Buy ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 8 ; m:item \"pen, red\" .
            <y> a m:Buy, x:T ; k:hasTrace <> ; k:hasBegin 2 ; k:hasEnd 3 ; m:item \"ink\", \"paper\"@en ; m:at [] .",
        );
        ktbs.post(TRACE, "<w> a m:E ; k:hasTrace <> ; k:hasBegin 9 . <z> m:then <w> .");
        let table = table(&ktbs, "@obsels", &[]);
        assert!(table.starts_with("<!DOCTYPE html>\n") && table.ends_with("</html>\n"));
        assert!(
            table.contains(
                "<p>Trace <a href=\"http://h/b/t/\">t/</a> (<a href=\"http://h/b/t/@obsels.csv\">CSV</a>)</p>"
            )
        );
        assert!(table.contains(
            "<tr><th scope=\"col\">id</th><th scope=\"col\">type</th><th scope=\"col\">begin</th><th scope=\"col\">end</th>\
            <th scope=\"col\">at</th><th scope=\"col\">item</th><th scope=\"col\">then</th></tr>"
        ));
        let buy = "<a href=\"http://h/b/model#Buy\">Buy</a>";
        assert_eq!(
            rows(&table),
            [
                format!(
                    "<tr id=\"y\"><td><a href=\"http://h/b/t/y\">y</a></td><td>{buy} | <a href=\"http://example.org/T\">T</a></td>\
                    <td>2</td><td>3</td><td>_:b0o0</td><td>ink | paper</td><td></td></tr>"
                ),
                format!(
                    "<tr id=\"z\"><td><a href=\"http://h/b/t/z\">z</a></td><td>{buy}</td><td>1</td><td>8</td><td></td>\
                    <td>pen, red</td><td><a href=\"http://h/b/t/w\">w</a></td></tr>"
                ),
                "<tr id=\"w\"><td><a href=\"http://h/b/t/w\">w</a></td><td><a href=\"http://h/b/model#E\">E</a></td>\
                <td>9</td><td>9</td><td></td><td></td><td></td></tr>"
                    .to_owned(),
            ]
        );
    }

    #[test]
    fn a_slice_has_its_rows_and_an_obsel_stands_out_in_its_trace() {
        let ktbs = Ktbs::with(
            "<a> a m:E ; k:hasTrace <> ; k:hasBegin 1 ; m:p 1 . <b> a m:E ; k:hasTrace <> ; k:hasBegin 2 ; m:q 2 .",
        );
        let slice = table(&ktbs, "@obsels", &[("minb", "2")]);
        assert!(
            rows(&slice).len() == 1 && rows(&slice)[0].starts_with("<tr id=\"b\"><td>") && !slice.contains(">p</th>")
        );
        let obsel = table(&ktbs, "b", &[]);
        let marked: Vec<bool> = rows(&obsel).iter().map(|row| row.contains("aria-current")).collect();
        assert_eq!(marked, [false, true]);
        assert!(obsel.contains(">p</th>") && rows(&obsel)[1].starts_with("<tr id=\"b\" aria-current=\"true\"><td>"));
        let empty = table(&ktbs, "@obsels", &[("minb", "9")]);
        assert!(rows(&empty).is_empty() && empty.contains(">begin</th>"));
    }

    #[test]
    fn what_comes_from_the_store_is_escaped() {
        let ktbs = Ktbs::with(
            "<a> a m:E ; k:hasTrace <> ; k:hasBegin 1 ; m:v \"</td><script>alert('1')</script>\" ;
            m:w <javascript:alert(1)> ; m:x <http://example.org/?a=1&b=%22%3E> .",
        );
        for path in ["@obsels", "a"] {
            let table = table(&ktbs, path, &[]);
            assert!(
                !table.contains("<script") && !table.contains("href=\"javascript:"),
                "{table}"
            );
            assert!(table.contains("&lt;/td&gt;&lt;script&gt;"), "{table}");
            assert!(
                table.contains("href=\"http://example.org/?a=1&amp;b=%22%3E\""),
                "{table}"
            );
        }
    }
}
