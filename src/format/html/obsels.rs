//! The table of the obsels of a trace: a row for each, a column for each property.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Cut;
use super::term::{Terms, link, uri};
use crate::error::Result;
use crate::format::output::{Output, integer};
use crate::format::triples::Nodes;
use crate::obsel::{Mention, Name, Obsel, Value};
use crate::resource::View;
use crate::resource::view::Obsels;
use crate::vocab::KTBS;

/// How many obsels are shown at most.
const OBSELS: usize = 500;

/// How many properties have a column at most.
const COLUMNS: usize = 40;

/// How many values are shown in a cell at most.
const VALUES: usize = 10;

/// Writes the first obsels of a selection, and the way to the next ones.
///
/// # Errors
/// `Gone` if the writer fails; those of the store.
pub fn write(
    view: &View,
    obsels: &Obsels,
    terms: &mut Terms<'_>,
    cut: &mut Cut,
    output: &mut Output<'_>,
) -> Result<()> {
    let properties = properties(obsels)?;
    let columns = &properties[..properties.len().min(COLUMNS)];
    output.bytes.extend_from_slice(
        b"<div class=\"scroll\"><table>\n<thead><tr><th>Obsel</th><th>Type</th><th>Begin</th><th>End</th>",
    );
    for (_, iri) in columns {
        output.bytes.extend_from_slice(b"<th>");
        terms.iri(&mut output.bytes, iri);
        output.bytes.extend_from_slice(b"</th>");
    }
    output.bytes.extend_from_slice(b"</tr></thead>\n<tbody>\n");
    let nodes = Nodes {
        trace: &obsels.trace,
        root: obsels.root(),
    };
    let mut row = Row {
        nodes,
        terms,
        columns: columns.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect(),
        cells: vec![Cell::default(); columns.len()],
    };
    let has_mentions = obsels.has_mentions()?;
    let (mut shown, mut last, mut more) = (0, String::new(), false);
    obsels.for_each_until(&mut |obsel| {
        if shown == OBSELS || cut.is_full() {
            more = true;
            return Ok(ControlFlow::Break(()));
        }
        let relations = relations(obsels, obsel, has_mentions)?;
        let start = output.bytes.len();
        row.write(&mut output.bytes, obsel, &relations)?;
        cut.count(output.bytes.len() - start);
        shown += 1;
        obsel.id.clone_into(&mut last);
        output.pass()?;
        Ok(ControlFlow::Continue(()))
    })?;
    output.bytes.extend_from_slice(b"</tbody>\n</table></div>\n");
    if properties.len() > COLUMNS {
        note(
            output,
            &format!("{} properties have no column.", properties.len() - COLUMNS),
        );
    }
    if more {
        note(output, &format!("Only the first {shown} obsels are shown."));
    } else if shown == 0 {
        note(output, "No obsel here.");
    }
    let next = if !more {
        let link = view.links.iter().find(|link| link.rel == "next");
        link.map(|link| link.uri.clone())
    } else if obsels.partial {
        note(
            output,
            &format!("Add <code>limit={OBSELS}</code> to the parameters to go through them page by page."),
        );
        None
    } else {
        let last = utf8_percent_encode(&last, NON_ALPHANUMERIC);
        Some(format!("{}?limit={OBSELS}&after={last}", uri(&view.iri)))
    };
    if let Some(next) = next {
        output.bytes.extend_from_slice(b"<p>");
        link(&mut output.bytes, &next, "Next page");
        output.bytes.extend_from_slice(b"</p>\n");
    }
    Ok(())
}

fn note(output: &mut Output<'_>, html: &str) {
    output.bytes.extend_from_slice(b"<p class=\"note\">");
    output.bytes.extend_from_slice(html.as_bytes());
    output.bytes.extend_from_slice(b"</p>\n");
}

fn relations<'v>(obsels: &'v Obsels, obsel: &Obsel<'_>, has_mentions: bool) -> Result<Vec<Mention<'v>>> {
    if !has_mentions {
        return Ok(Vec::new());
    }
    let mut relations = obsels.relations(obsel)?;
    relations.retain(|it| it.outgoing);
    Ok(relations)
}

/// Returns the properties of the obsels to show, those of the kTBS first, then by IRI.
fn properties(obsels: &Obsels) -> Result<Vec<(Name, String)>> {
    let has_mentions = obsels.has_mentions()?;
    let mut names = HashSet::new();
    let mut seen = 0;
    obsels.for_each_until(&mut |obsel| {
        if seen == OBSELS {
            return Ok(ControlFlow::Break(()));
        }
        seen += 1;
        names.extend(obsel.arcs.iter().map(|arc| arc.predicate));
        names.extend(relations(obsels, obsel, has_mentions)?.iter().map(|it| it.predicate));
        Ok(ControlFlow::Continue(()))
    })?;
    let mut properties = names
        .into_iter()
        .map(|name| Ok((name, obsels.iri(name)?.to_string())))
        .collect::<Result<Vec<_>>>()?;
    properties
        .sort_unstable_by(|(_, one), (_, other)| (!one.starts_with(KTBS), one).cmp(&(!other.starts_with(KTBS), other)));
    Ok(properties)
}

struct Row<'r, 'v> {
    nodes: Nodes<'r>,
    terms: &'r mut Terms<'v>,
    columns: HashMap<Name, usize>,
    /// For each column, its values in the present row.
    cells: Vec<Cell>,
}

#[derive(Clone, Default)]
struct Cell {
    values: usize,
    html: Vec<u8>,
}

impl Row<'_, '_> {
    fn write(&mut self, bytes: &mut Vec<u8>, obsel: &Obsel<'_>, relations: &[Mention<'_>]) -> Result<()> {
        for cell in &mut self.cells {
            cell.values = 0;
            cell.html.clear();
        }
        bytes.extend_from_slice(b"<tr><th>");
        self.terms.node(bytes, self.nodes.obsel(obsel.id))?;
        bytes.extend_from_slice(b"</th><td>");
        let mut types = Cell::default();
        for class in &obsel.types {
            self.value(&mut types, obsel, *class)?;
        }
        bytes.extend_from_slice(&types.html);
        for time in [obsel.begin, obsel.end] {
            bytes.extend_from_slice(b"</td><td class=\"n\">");
            integer(bytes, time);
        }
        for arc in &obsel.arcs {
            self.property(obsel, arc.predicate, arc.object)?;
        }
        for relation in relations {
            self.property(obsel, relation.predicate, Value::Obsel(relation.other))?;
        }
        for cell in &self.cells {
            bytes.extend_from_slice(b"</td><td>");
            bytes.extend_from_slice(&cell.html);
        }
        bytes.extend_from_slice(b"</td></tr>\n");
        Ok(())
    }

    fn property(&mut self, obsel: &Obsel<'_>, predicate: Name, value: Value<'_>) -> Result<()> {
        let Some(column) = self.columns.get(&predicate).copied() else {
            return Ok(());
        };
        let mut cell = std::mem::take(&mut self.cells[column]);
        self.value(&mut cell, obsel, value)?;
        self.cells[column] = cell;
        Ok(())
    }

    fn value(&mut self, cell: &mut Cell, obsel: &Obsel<'_>, value: Value<'_>) -> Result<()> {
        cell.values += 1;
        match cell.values {
            1 => {}
            2..=VALUES => cell.html.extend_from_slice(b"<br>"),
            _ if cell.values == VALUES + 1 => {
                cell.html.extend_from_slice("<br>…".as_bytes());
                return Ok(());
            }
            _ => return Ok(()),
        }
        match value {
            // A row has no room for what is nested: the page of the obsel shows it.
            Value::Blank(_) => {
                let iri = format!("{}{}", self.nodes.trace, obsel.id);
                link(&mut cell.html, &iri, "[…]");
                Ok(())
            }
            value => self.terms.node(&mut cell.html, self.nodes.value(value)),
        }
    }
}
