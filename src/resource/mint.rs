//! Names for what a client leaves unnamed: a readable slug, and a token where the slug is taken, or always.

use crate::error::{Error, Result};
use crate::resource::path::is_word;

/// What random tokens are made of; the first ten may come first.
const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Room that is kept for a hyphen and a random token in the longest identifier.
const TOKEN_ROOM: usize = 16;

/// Returns a label in lower case, with a hyphen in place of each run of characters that are neither letters, digits
/// nor `_`.
///
/// Clients rely on this form (kTBS documentation, "resource creation"): a base labelled `My Base é! 2` is
/// `my-base-é-2/`.
pub fn slug(label: &str) -> String {
    let mut slug = String::with_capacity(label.len());
    for c in label.chars().flat_map(char::to_lowercase) {
        if is_word(c) {
            slug.push(c);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug
}

/// Returns a random word of `length` characters: a digit, then digits and letters from `a` to `z`.
///
/// # Errors
/// `Internal` if the system has no random bytes to give.
pub fn token(length: usize) -> Result<String> {
    let mut bytes = vec![0; 4 * length];
    getrandom::fill(&mut bytes).map_err(|error| Error::Internal(format!("no random bytes: {error}")))?;
    let mut token = String::with_capacity(length);
    for chunk in bytes.as_chunks::<4>().0 {
        let choices = if token.is_empty() { 10 } else { ALPHABET.len() };
        token.push(char::from(ALPHABET[u32::from_le_bytes(*chunk) as usize % choices]));
    }
    Ok(token)
}

/// Returns the beginning of a text: at most `max_bytes` bytes, but one character at least.
pub fn cut(text: &str, max_bytes: usize) -> &str {
    let starts = text.char_indices().map(|(start, c)| start + c.len_utf8());
    let end = starts
        .enumerate()
        .take_while(|&(i, end)| i == 0 || end <= max_bytes)
        .last();
    &text[..end.map_or(0, |(_, end)| end)]
}

/// Returns a word of digits and letters from `a` to `z` for a number: a digit that tells its length, then the number in base 36,
/// so that words are in the order of their numbers.
fn ordered(mut number: u64) -> String {
    let mut word = Vec::new();
    while word.is_empty() || number > 0 {
        word.push(ALPHABET[(number % 36) as usize]);
        number /= 36;
    }
    word.push(ALPHABET[word.len().min(9)]);
    word.iter().rev().copied().map(char::from).collect()
}

/// How a minted identifier ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With a random token of two characters or more, if the bare slug is taken; as for the items of a base.
    IfTaken,
    /// Always with a token for a number that grows, and random characters if that is taken; as for obsels. Those that come one after
    /// the other so stand side by side in the store, and adding one rewrites the page that the last one has written, and not
    /// one of thousands.
    Ordered(u64),
}

/// Returns a free identifier of at most `max_bytes` bytes (and of at least one character) that begins with a slug.
///
/// At each collision the token has one character more.
///
/// # Errors
/// Those of `taken`, which tells whether an identifier is in use; `Internal` as for [`token`].
pub fn mint(
    slug: &str,
    ending: Ending,
    max_bytes: usize,
    mut taken: impl FnMut(&str) -> Result<bool>,
) -> Result<String> {
    let mut id = cut(slug, max_bytes.saturating_sub(TOKEN_ROOM)).to_owned();
    let mut length = match ending {
        Ending::IfTaken if !taken(&id)? => return Ok(id),
        Ending::IfTaken => 2,
        Ending::Ordered(_) => 0,
    };
    id.push('-');
    if let Ending::Ordered(number) = ending {
        id.push_str(&ordered(number));
    }
    let start = id.len();
    loop {
        id.truncate(start);
        id.push_str(&token(length)?);
        if !taken(&id)? {
            return Ok(id);
        }
        length += 1;
    }
}

#[cfg(test)]
mod test {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::resource::path::is_identifier;

    proptest! {
        #[test]
        fn slug_of_any_label_is_an_identifier(label in ".+") {
            prop_assert!(is_identifier(&slug(&label)));
        }

        #[test]
        fn cut_keeps_the_beginning(text in ".+", max_bytes in 0_usize..20) {
            let cut = cut(&text, max_bytes);
            prop_assert!(text.starts_with(cut));
            prop_assert!(cut.len() <= max_bytes || cut.chars().count() == 1);
            prop_assert!(!cut.is_empty());
        }
    }

    #[test]
    fn slug_keeps_words_and_joins_them_with_hyphens() {
        for (label, expected) in [
            ("My Base é! 2", "my-base-é-2"),
            ("My Meth!?", "my-meth-"),
            ("under_score-dash.Dot", "under_score-dash-dot"),
            ("!!!", "-"),
            ("Hello wOrld!", "hello-world-"),
            ("TraceModel", "tracemodel"),
        ] {
            assert_eq!(slug(label), expected);
        }
    }

    #[test]
    fn token_begins_with_a_digit() {
        for length in 1..40 {
            let token = token(length).expect("the system has random bytes");
            assert_eq!(token.len(), length);
            assert!(token.starts_with(|c: char| c.is_ascii_digit()), "{token}");
            assert!(token.bytes().all(|b| ALPHABET.contains(&b)), "{token}");
        }
    }

    #[test]
    fn mint_prefers_the_bare_slug_then_lengthens_the_token() {
        let mut known = HashSet::new();
        let mut longest = 0;
        for i in 0..1000 {
            let id = mint("base", Ending::IfTaken, 100, |id| Ok(known.contains(id))).expect("nothing fails");
            assert_eq!(id == "base", i == 0, "{id}");
            longest = longest.max(id.len());
            assert!(known.insert(id));
        }
        assert!(
            (8..14).contains(&longest),
            "a thousand names need three characters or more: {longest}"
        );
    }

    #[test]
    fn names_of_obsels_are_in_the_order_of_their_numbers() {
        let name = |number| mint("o", Ending::Ordered(number), 100, |_| Ok(false)).expect("nothing fails");
        assert_eq!((name(0), name(35)), ("o-10".into(), "o-1z".into()));
        assert_eq!((name(36), name(1_000_000)), ("o-210".into(), "o-4lfls".into()));
        let mut numbers: Vec<u64> = (0..41).map(|power| (1 << power) + 5).collect();
        numbers.sort_unstable();
        assert!(numbers.iter().map(|number| name(*number)).is_sorted());
        assert!(name(u64::MAX).starts_with("o-93w5e11264sgsf"));
    }

    #[test]
    fn names_of_one_number_differ_by_random_characters() {
        let mut known = HashSet::new();
        for _ in 0..1000 {
            let id = mint("o", Ending::Ordered(7), 100, |id| Ok(known.contains(id))).expect("nothing fails");
            assert!(id.starts_with("o-17") && id.len() < 14, "{id}");
            assert!(known.insert(id));
        }
        assert!(known.contains("o-17"));
    }

    #[test]
    fn mint_cuts_long_labels_between_characters() {
        let id = mint(&"é".repeat(500), Ending::IfTaken, 100, |_| Ok(false)).expect("nothing fails");
        assert_eq!(id, "é".repeat(42));
    }
}
