//! Obsels as a table, out (RFC 4180; kTBS documentation, "CSV").

use std::collections::HashMap;
use std::io::Write;
use std::rc::Rc;

use super::columns::Columns;
use crate::error::{Error, Result};
use crate::format::Prefixes;
use crate::format::output::{Escapes, Memory, Output, escaped, integer, plain, put};
use crate::format::plan::{Draft, Planner, Plans, Written};
use crate::format::triples::label;
use crate::obsel::{Mention, Name, Obsel, Value};
use crate::resource::View;
use crate::resource::view::{Content, Obsels};
use crate::vocab::ktbs;

/// Stands between the values of a cell.
const BETWEEN: &[u8] = b" | ";

/// Writes obsels as CSV: a header, then one row per obsel, in the order of the trace.
///
/// The columns are the id, the types, the properties of the kTBS, the other properties in the order of their IRIs,
/// the source obsels. Languages and datatypes are lost.
///
/// # Errors
/// `Serialize` if the view is not one of obsels; `Gone` if the writer fails; those of the store.
pub fn write(view: &View, _prefixes: &Prefixes, out: &mut dyn Write) -> Result<()> {
    let Content::Obsels(obsels) = &view.content else {
        return Err(Error::Serialize("only obsels can be written as CSV".to_owned()));
    };
    let mut output = Output::new(out);
    let Columns { properties, names } = Columns::of(obsels)?;
    output.bytes.extend_from_slice(names.join(",").as_bytes());
    output.bytes.extend_from_slice(b"\r\n");
    let mut rows = Rows::new(obsels, &properties);
    let mut plans = Plans::default();
    let has_mentions = obsels.has_mentions()?;
    obsels.for_each_row(&mut |row| {
        let relations = if has_mentions {
            obsels.relations(row.id)?
        } else {
            Vec::new()
        };
        if !relations.is_empty() || !row.is_flat()? || plans.write(&mut rows, &mut output.bytes, row)?.is_none() {
            rows.row(&mut output.bytes, row.obsel()?, &relations)?;
        }
        rows.count += 1;
        output.pass()
    })?;
    output.flush()
}

struct Rows<'v> {
    obsels: &'v Obsels,
    /// Which column a property has, after those of the id and of the types.
    columns: HashMap<&'v str, usize>,
    /// The columns of begin and end.
    begin: Option<usize>,
    end: Option<usize>,
    /// The cells of the present row.
    cells: Vec<Vec<u8>>,
    names: Memory<Spelling>,
    /// The number of rows so far, part of the labels of blank nodes.
    count: u64,
}

struct Spelling {
    iri: Rc<str>,
    /// The IRI as a field.
    field: Vec<u8>,
    column: Option<usize>,
}

/// How the hole of a field is filled: what it begins with, which is there already if it needs no quotes.
#[derive(Clone, Copy)]
struct Start<'v> {
    text: &'v str,
    is_there: bool,
}

impl<'v> Start<'v> {
    fn of(bytes: &mut Vec<u8>, text: &'v str) -> Self {
        let is_there = plain::<Field>(bytes, text.as_bytes());
        Self { text, is_there }
    }
}

/// A row that has at most one value in each cell is written by a plan.
impl<'v> Planner for Rows<'v> {
    type Fill = Start<'v>;

    fn draft<'t>(&mut self, draft: &mut Draft<'t, Start<'v>>, obsel: &Obsel<'t>) -> Result<Written> {
        let [class] = obsel.types[..] else { return Ok(None) };
        let mut places = vec![None; self.cells.len()];
        for arc in &obsel.arcs {
            if let Some(column) = self.spelling(arc.predicate)?.column {
                let is_taken = [self.begin, self.end].contains(&Some(column));
                if places[column].replace(arc.object).is_some() || is_taken {
                    return Ok(None);
                }
            }
        }
        let start = Start::of(&mut draft.bytes, &self.obsels.trace);
        draft.id(start);
        draft.bytes.push(b',');
        self.draft_cell(draft, class)?;
        for (column, place) in places.into_iter().enumerate().skip(2) {
            draft.bytes.push(b',');
            if let Some(value) = place {
                self.draft_cell(draft, value)?;
            } else if Some(column) == self.begin {
                draft.begin();
            } else if Some(column) == self.end {
                draft.end();
            }
        }
        put(&mut draft.bytes, b"\r\n");
        Ok(Some(()))
    }

    #[inline]
    fn fill(&mut self, bytes: &mut Vec<u8>, start: Start<'v>, rest: &[u8]) -> Result<Written> {
        if !start.is_there {
            quoted(bytes, start.text, rest);
        } else if !plain::<Field>(bytes, rest) {
            bytes.truncate(bytes.len() - start.text.len());
            quoted(bytes, start.text, rest);
        }
        Ok(Some(()))
    }
}

impl<'v> Rows<'v> {
    fn new(obsels: &'v Obsels, properties: &'v [String]) -> Self {
        let columns: HashMap<_, _> = (2..).zip(properties).map(|(at, iri)| (iri.as_str(), at)).collect();
        Self {
            obsels,
            cells: vec![Vec::new(); properties.len() + 2],
            begin: columns.get(ktbs::HAS_BEGIN).copied(),
            end: columns.get(ktbs::HAS_END).copied(),
            columns,
            names: Memory::default(),
            count: 0,
        }
    }

    /// Drafts the field of one value.
    fn draft_cell<'t>(&mut self, draft: &mut Draft<'t, Start<'v>>, value: Value<'t>) -> Result<()> {
        if let Value::Named(name) = value {
            put(&mut draft.bytes, &self.spelling(name)?.field);
        } else {
            let (start, text) = parts(self.obsels, value);
            let start = Start::of(&mut draft.bytes, start);
            draft.text(start, text);
        }
        Ok(())
    }

    fn row(&mut self, bytes: &mut Vec<u8>, obsel: &Obsel<'_>, relations: &[Mention<'_>]) -> Result<()> {
        for cell in &mut self.cells {
            cell.clear();
        }
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
        for (at, cell) in self.cells.iter().enumerate() {
            if at > 0 {
                bytes.push(b',');
            }
            field(bytes, cell);
        }
        bytes.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn property(&mut self, predicate: Name, value: Value<'_>) -> Result<()> {
        match self.spelling(predicate)?.column {
            Some(column) => self.value(column, value),
            None => Ok(()),
        }
    }

    fn value(&mut self, column: usize, value: Value<'_>) -> Result<()> {
        if !self.cells[column].is_empty() {
            self.cells[column].extend_from_slice(BETWEEN);
        }
        let (start, rest) = match value {
            Value::Named(name) => {
                let iri = Rc::clone(&self.spelling(name)?.iri);
                self.cells[column].extend_from_slice(iri.as_bytes());
                return Ok(());
            }
            Value::Blank(blank) => {
                self.cells[column].extend_from_slice(b"_:");
                label(&mut self.cells[column], self.count, blank);
                return Ok(());
            }
            other => parts(self.obsels, other),
        };
        self.cells[column].extend_from_slice(start.as_bytes());
        self.cells[column].extend_from_slice(rest.as_bytes());
        Ok(())
    }

    fn spelling(&mut self, name: Name) -> Result<&Spelling> {
        self.names.get(name, || {
            let iri = self.obsels.iri(name)?;
            let mut bytes = Vec::new();
            field(&mut bytes, iri.as_bytes());
            Ok(Spelling {
                column: self.columns.get(&*iri).copied(),
                field: bytes,
                iri,
            })
        })
    }
}

/// Returns the text of a value in two parts; that of a name or of a blank node is not in it.
fn parts<'v, 't>(obsels: &'v Obsels, value: Value<'t>) -> (&'v str, &'t str) {
    obsels
        .parts(value)
        .unwrap_or_else(|| ("", value.texts().next().unwrap_or_default()))
}

/// What a field cannot have without quotes.
enum Field {}

impl Escapes for Field {
    #[inline]
    fn is_special(byte: u8) -> bool {
        (byte == b',') | (byte == b'"') | (byte == b'\r') | (byte == b'\n')
    }

    fn replacement(_: u8) -> Option<&'static str> {
        None
    }
}

/// The inside of quotes.
enum Inside {}

impl Escapes for Inside {
    #[inline]
    fn is_special(byte: u8) -> bool {
        byte == b'"'
    }

    fn replacement(byte: u8) -> Option<&'static str> {
        (byte == b'"').then_some("\"\"")
    }
}

/// Appends a field in two parts, between quotes.
fn quoted(bytes: &mut Vec<u8>, start: &str, rest: &[u8]) {
    bytes.push(b'"');
    escaped::<Inside>(bytes, start);
    escaped::<Inside>(bytes, rest);
    bytes.push(b'"');
}

/// Appends a field, quoted if it has to be.
fn field(bytes: &mut Vec<u8>, text: &[u8]) {
    if !plain::<Field>(bytes, text) {
        quoted(bytes, "", text);
    }
}

#[cfg(test)]
mod test {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::format::plan::test::assert_as_drafted;
    use crate::format::sample::{Ktbs, TRACE, any_flat_obsels, any_iri, any_literal, written};
    use crate::rdf::{Graph, Term, as_iri, as_literal, integer as number, iri};
    use crate::resource::view::Row;
    use crate::vocab::rdf;

    /// Reads a table, header included, with a reader that fails where a row is longer or shorter than the others.
    fn records(bytes: &[u8]) -> Vec<Vec<String>> {
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
        let record = |record: ::csv::Result<::csv::StringRecord>| {
            let record = record.expect("it is CSV");
            record.iter().map(str::to_owned).collect()
        };
        reader.records().map(record).collect()
    }

    const PROPERTIES: [&str; 3] = ["http://h/b/model#a", "http://h/b/model#b", "urn:c"];

    /// Any obsels: for each, at most one value of each property.
    fn any_obsels() -> impl Strategy<Value = Vec<Vec<Option<Term>>>> {
        let value = prop_oneof![3 => any_literal(false).prop_map(Some), 1 => any_iri().prop_map(Some), 1 => Just(None)];
        vec(vec(value, PROPERTIES.len()), 1..8)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn whatever_the_values_each_has_its_cell(obsels in any_obsels()) {
            let mut graph = Graph::new();
            for (n, values) in (1..).zip(&obsels) {
                let obsel = iri(format!("{TRACE}o{n}"));
                graph.insert(&obsel, &iri(rdf::TYPE), &iri(ktbs::OBSEL));
                graph.insert(&obsel, &iri(ktbs::HAS_TRACE), &iri(TRACE));
                graph.insert(&obsel, &iri(ktbs::HAS_BEGIN), &number(n));
                for (property, value) in PROPERTIES.iter().zip(values) {
                    value.iter().for_each(|value| { graph.insert(&obsel, &iri(property), value); });
                }
            }
            let ktbs = Ktbs::with("");
            ktbs.post_graph(TRACE, graph);
            for parameters in [&[][..], &[("minb", "1")]] {
                let records = records(&written(write, &ktbs.view("@obsels", parameters)));
                prop_assert_eq!(records.len(), obsels.len() + 1);
                for ((n, values), record) in (1..).zip(&obsels).zip(&records[1..]) {
                    let mut expected = vec![format!("{TRACE}o{n}"), ktbs::OBSEL.to_owned(), n.to_string(), n.to_string()];
                    for (at, value) in values.iter().enumerate() {
                        if obsels.iter().any(|it| it[at].is_some()) {
                            let text = value.as_ref().map(|it| as_iri(it).or(as_literal(it)).expect("no blank node"));
                            expected.push(text.unwrap_or_default().to_owned());
                        }
                    }
                    prop_assert_eq!(record, &expected);
                }
            }
        }

        #[test]
        fn plans_write_what_is_drafted_and_what_a_row_says(graph in any_flat_obsels(true)) {
            let ktbs = Ktbs::with("");
            ktbs.post_graph(TRACE, graph);
            let view = ktbs.view("@obsels", &[]);
            let Content::Obsels(obsels) = &view.content else { panic!("obsels") };
            let Columns { properties, .. } = Columns::of(obsels).expect("the store can be read");
            assert_as_drafted(obsels, || Rows::new(obsels, &properties));
            let (mut planner, mut plans) = (Rows::new(obsels, &properties), Plans::default());
            let mut rows = Rows::new(obsels, &properties);
            let mut compare = |row: &mut Row<'_>| {
                let (mut planned, mut built) = (Vec::new(), Vec::new());
                if plans.write(&mut planner, &mut planned, row)?.is_some() {
                    rows.row(&mut built, row.obsel()?, &[])?;
                    assert_eq!(String::from_utf8_lossy(&planned), String::from_utf8_lossy(&built));
                }
                Ok(())
            };
            obsels.for_each_row(&mut compare).expect("the store can be read");
        }

        #[test]
        fn fields_are_read_back(fields in vec("[ -~é\t\n\r🎈]{0,6}|[,\"\r\n]{0,4}", 2..6)) {
            let mut bytes = Vec::new();
            for (at, text) in fields.iter().enumerate() {
                if at > 0 {
                    bytes.push(b',');
                }
                field(&mut bytes, text.as_bytes());
            }
            prop_assert_eq!(records(&bytes), [fields]);
        }
    }

    #[test]
    fn fields_are_quoted_where_needed() {
        for (text, expected) in [
            ("a b", "a b"),
            ("a,b", "\"a,b\""),
            ("\"a\"", "\"\"\"a\"\"\""),
            ("a\nb", "\"a\nb\""),
        ] {
            let mut bytes = Vec::new();
            field(&mut bytes, text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&bytes), expected);
        }
    }

    fn csv(ktbs: &Ktbs, parameters: &[(&str, &str)]) -> String {
        String::from_utf8(written(write, &ktbs.view("@obsels", parameters))).expect("UTF-8")
    }

    #[test]
    fn there_is_a_row_per_obsel_and_a_column_per_property() {
        let ktbs = Ktbs::with(
            "<z> a m:Buy ; k:hasTrace <> ; k:hasBegin 1 ; k:hasEnd 8 ; m:item \"pen, red\" ; m:hasPrice 2 .
            <y> a m:Buy, x:T ; k:hasTrace <> ; k:hasBegin 2 ; k:hasEnd 3 ; m:item \"ink\", \"paper\"@en ; k:hasSubject \"lu\" ;
                k:hasSourceObsel x:s .
            <x> a m:Sell ; k:hasTrace <> ; k:hasBegin 3 ; k:hasEnd 3 ; x:item <y> .",
        );
        let header = "id,type,begin,end,subject,item,price,item2,sourceObsel\r\n";
        let rows = [
            "http://h/b/t/y,http://h/b/model#Buy | http://example.org/T,2,3,lu,,,ink | paper,http://example.org/s\r\n",
            "http://h/b/t/x,http://h/b/model#Sell,3,3,,http://h/b/t/y,,,\r\n",
            "http://h/b/t/z,http://h/b/model#Buy,1,8,,,2,\"pen, red\",\r\n",
        ];
        assert_eq!(csv(&ktbs, &[]), format!("{header}{}", rows.concat()));
        assert_eq!(
            csv(&ktbs, &[("minb", "3")]),
            "id,type,begin,end,item\r\nhttp://h/b/t/x,http://h/b/model#Sell,3,3,http://h/b/t/y\r\n"
        );
        assert_eq!(csv(&ktbs, &[("minb", "9")]), "id,type,begin,end\r\n");
    }

    #[test]
    fn a_relation_told_by_another_obsel_is_in_the_row_of_its_subject() {
        let ktbs = Ktbs::with("<a> a m:E ; k:hasTrace <> ; k:hasBegin 1 .");
        ktbs.post(TRACE, "<b> a m:E ; k:hasTrace <> ; k:hasBegin 2 . <a> m:then <b> .");
        let expected = "id,type,begin,end,then\r\nhttp://h/b/t/a,http://h/b/model#E,1,1,http://h/b/t/b\r\n";
        assert!(csv(&ktbs, &[]).starts_with(expected));
        assert!(csv(&ktbs, &[("maxe", "1")]).starts_with(expected));
    }
}
