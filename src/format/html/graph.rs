//! The table of the triples of a resource.

use super::Cut;
use super::term::{Terms, anchor};
use crate::error::Result;
use crate::format::output::Output;
use crate::format::triples::{for_each_block, subjects};
use crate::resource::View;

/// How many triples are shown at most.
const TRIPLES: usize = 2000;

/// Writes the triples: a row for each, where the subject and the property are said once.
///
/// # Errors
/// `Gone` if the writer fails; `Serialize` for a term that is none of RDF 1.1; those of the store.
pub fn write(view: &View, terms: &mut Terms<'_>, cut: &mut Cut, output: &mut Output<'_>) -> Result<()> {
    output.bytes.extend_from_slice(
        b"<div class=\"scroll\"><table>\n<thead><tr><th>Subject</th><th>Property</th><th>Value</th></tr></thead>\n<tbody>\n",
    );
    let (mut rows, mut total) = (0, 0);
    for_each_block(view, &mut |block| {
        total += block.len();
        let shown = &block[..block.len().min(TRIPLES.saturating_sub(rows))];
        for triples in subjects(shown) {
            let mut first_of_subject = true;
            for same in triples.chunk_by(|one, next| one[1] == next[1]) {
                for (at, [subject, predicate, object]) in same.iter().enumerate() {
                    if cut.is_full() {
                        // Cells that span more rows than there are end with the table (HTML, "forming a table").
                        return Ok(());
                    }
                    let start = output.bytes.len();
                    output.bytes.extend_from_slice(b"<tr>");
                    if std::mem::take(&mut first_of_subject) {
                        open(&mut output.bytes, triples.len());
                        anchor(&mut output.bytes, *subject);
                        output.bytes.push(b'>');
                        terms.node(&mut output.bytes, *subject)?;
                        output.bytes.extend_from_slice(b"</th>");
                    }
                    if at == 0 {
                        open(&mut output.bytes, same.len());
                        output.bytes.push(b'>');
                        terms.node(&mut output.bytes, *predicate)?;
                        output.bytes.extend_from_slice(b"</th>");
                    }
                    output.bytes.extend_from_slice(b"<td>");
                    terms.node(&mut output.bytes, *object)?;
                    output.bytes.extend_from_slice(b"</td></tr>\n");
                    rows += 1;
                    cut.count(output.bytes.len() - start);
                    output.pass()?;
                }
            }
        }
        Ok(())
    })?;
    output.bytes.extend_from_slice(b"</tbody>\n</table></div>\n");
    if rows < total {
        let note = format!(
            "<p class=\"note\">Only the first {rows} of {total} triples are shown; the other formats have them all.</p>\n"
        );
        output.bytes.extend_from_slice(note.as_bytes());
    }
    Ok(())
}

fn open(bytes: &mut Vec<u8>, rows: usize) {
    bytes.extend_from_slice(b"<th");
    if rows > 1 {
        bytes.extend_from_slice(format!(" rowspan=\"{rows}\"").as_bytes());
    }
}
