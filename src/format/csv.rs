//! Obsels as a table (RFC 4180; kTBS documentation, "CSV").

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Write;
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::format::Prefixes;
use crate::format::output::{Memory, Output, integer};
use crate::format::triples::label;
use crate::obsel::{Mention, Name, Obsel, Value};
use crate::resource::View;
use crate::resource::view::{Content, Obsels};
use crate::vocab::{KTBS, ktbs};

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
    let properties = properties(obsels)?;
    header(&mut output.bytes, &properties);
    let mut rows = Rows {
        obsels,
        columns: properties
            .iter()
            .enumerate()
            .map(|(at, iri)| (iri.as_str(), at + 2))
            .collect(),
        cells: vec![Vec::new(); properties.len() + 2],
        names: Memory::default(),
        count: 0,
    };
    let has_mentions = obsels.has_mentions()?;
    obsels.for_each(&mut |obsel| {
        let relations = if has_mentions {
            obsels.relations(obsel)?
        } else {
            Vec::new()
        };
        rows.row(&mut output.bytes, obsel, &relations)?;
        output.pass()
    })?;
    output.flush()
}

/// Returns the IRIs of the properties in use, in the order of columns. Begin and end always are.
fn properties(obsels: &Obsels) -> Result<Vec<String>> {
    let mut used: BTreeSet<String> = obsels.predicates()?.into_iter().collect();
    if !obsels.partial && obsels.has_mentions()? && obsels.all_predicates()?.len() > used.len() {
        // Some predicates occur where they may relate an obsel from the description of another.
        obsels.for_each(&mut |obsel| {
            for relation in obsels.relations(obsel)?.iter().filter(|it| it.outgoing) {
                used.insert(obsels.iri(relation.predicate)?.to_string());
            }
            Ok(())
        })?;
    }
    used.remove(ktbs::HAS_TRACE);
    used.extend([ktbs::HAS_BEGIN, ktbs::HAS_END].map(str::to_owned));
    let source = used.take(ktbs::HAS_SOURCE_OBSEL);
    let (of_ktbs, others): (Vec<_>, Vec<_>) = used.into_iter().partition(|iri| iri.starts_with(KTBS));
    Ok(of_ktbs.into_iter().chain(others).chain(source).collect())
}

fn header(bytes: &mut Vec<u8>, properties: &[String]) {
    bytes.extend_from_slice(b"id,type");
    let mut taken = HashSet::from(["id".to_owned(), "type".to_owned()]);
    for iri in properties {
        let name = column(iri);
        let numbered = (2u64..).map(|n| format!("{name}{n}"));
        let free = std::iter::once(name.clone())
            .chain(numbered)
            .find(|it| !taken.contains(it));
        let name = free.unwrap_or(name);
        bytes.push(b',');
        bytes.extend_from_slice(name.as_bytes());
        taken.insert(name);
    }
    bytes.extend_from_slice(b"\r\n");
}

/// Returns the name of the column of a property, before it is made unique: its last segment, without a leading `has`,
/// in ASCII letters, digits and underscores.
fn column(iri: &str) -> String {
    let iri = iri.strip_suffix(['/', '#']).unwrap_or(iri);
    let segment = iri.rsplit(['/', '#']).next().unwrap_or(iri);
    let mut name = segment.to_owned();
    if let Some(rest) = segment.strip_prefix("has") {
        if let Some(rest) = rest.strip_prefix(['_', '-']) {
            name = rest.to_owned();
        } else if rest.starts_with(|c: char| c.is_uppercase()) {
            let mut characters = rest.chars();
            name = characters
                .next()
                .into_iter()
                .flat_map(char::to_lowercase)
                .chain(characters)
                .collect();
        }
    }
    name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "_")
}

struct Rows<'v> {
    obsels: &'v Obsels,
    /// Which column a property has, after those of the id and of the types.
    columns: HashMap<&'v str, usize>,
    /// The cells of the present row.
    cells: Vec<Vec<u8>>,
    names: Memory<Spelling>,
    /// The number of rows so far, part of the labels of blank nodes.
    count: u64,
}

struct Spelling {
    iri: Rc<str>,
    column: Option<usize>,
}

impl Rows<'_> {
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
            Value::Obsel(id) => (self.obsels.trace.as_str(), id),
            Value::BelowRoot(rest) => (self.obsels.root(), rest),
            Value::Iri(text) | Value::String(text) | Value::Tagged(text, _) | Value::Typed(text, _) => ("", text),
        };
        self.cells[column].extend_from_slice(start.as_bytes());
        self.cells[column].extend_from_slice(rest.as_bytes());
        Ok(())
    }

    fn spelling(&mut self, name: Name) -> Result<&Spelling> {
        self.names.get(name, || {
            let iri = self.obsels.iri(name)?;
            Ok(Spelling {
                column: self.columns.get(&*iri).copied(),
                iri,
            })
        })
    }
}

/// Appends a field, quoted if it has to be.
fn field(bytes: &mut Vec<u8>, text: &[u8]) {
    if !text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
        bytes.extend_from_slice(text);
        return;
    }
    bytes.push(b'"');
    for part in text.split_inclusive(|byte| *byte == b'"') {
        bytes.extend_from_slice(part);
        if part.ends_with(b"\"") {
            bytes.push(b'"');
        }
    }
    bytes.push(b'"');
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::format::sample::{Ktbs, TRACE, written};

    #[test]
    fn columns_are_named_after_properties() {
        for (iri, name) in [
            ("http://h/m#hasPrice", "price"),
            ("http://h/m#has_price", "price"),
            ("http://h/m#has-price", "price"),
            ("http://h/m#hash", "hash"),
            ("http://h/m#has", "has"),
            ("http://h/m/", "m"),
            ("http://h/m#", "m"),
            ("http://h/m/é-1.x", "__1_x"),
            ("http://h/m#hasÉtat", "_tat"),
        ] {
            assert_eq!(column(iri), name, "{iri}");
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
