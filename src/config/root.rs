//! The root URI: what is accepted, and the form in which it is kept.

use oxrdf::NamedNode;

/// Returns the root URI in the form in which all IRIs of the kTBS are kept: that of RFC 3987, in Unicode.
///
/// Percent-encoded characters that an IRI can show as they are (letters of all scripts, digits, `-._~`) are decoded,
/// by the rule of RFC 3987 section 3.2; the others, as `%20` and `%2F`, are left.
///
/// ```
/// use ktbs::config::root_iri;
///
/// assert_eq!(root_iri("https://example.org/caf%C3%A9/").as_deref(), Ok("https://example.org/café/"));
/// assert!(root_iri("https://example.org/ktbs").is_err());
/// ```
///
/// # Errors
/// A sentence, for what is not an absolute `http:` or `https:` IRI with a host, that ends with `/`, without query,
/// fragment, nor `.` and `..` as parts of its path (which clients would remove).
pub fn root_iri(text: &str) -> Result<String, String> {
    let (scheme, rest) = text
        .split_once("://")
        .ok_or("an absolute URI is expected, such as https://example.org/ktbs/")?;
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(format!("the scheme must be http or https, not {scheme:?}"));
    }
    if rest.contains('?') {
        return Err("the root URI can have no query ('?')".to_owned());
    }
    if rest.contains('#') {
        return Err("the root URI can have no fragment ('#')".to_owned());
    }
    if !rest.ends_with('/') {
        return Err(format!("the root URI must end with '/': write {text}/"));
    }
    if rest.starts_with(['/', ':']) {
        return Err("the root URI has no host".to_owned());
    }
    let rest = decode(rest).ok_or("this is not a URI: a '%' is not followed by two hexadecimal digits")?;
    let iri = format!("{scheme}://{rest}");
    if iri.split('/').skip(3).any(|part| part == "." || part == "..") {
        return Err("the path of the root URI can have no part '.' or '..'".to_owned());
    }
    NamedNode::new(&iri).map_err(|error| format!("this is not a URI: {error}"))?;
    Ok(iri)
}

/// Decodes the percent-encoded characters that an IRI can show; `None` if a `%` encodes nothing.
fn decode(text: &str) -> Option<String> {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('%') {
        decoded.push_str(&rest[..start]);
        rest = &rest[start..];
        let encoded = escapes(rest);
        let bytes: Vec<u8> = encoded.chunks_exact(3).filter_map(byte).collect();
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                if is_shown(c) {
                    decoded.push(c);
                } else {
                    let mut utf8 = [0; 4];
                    c.encode_utf8(&mut utf8)
                        .bytes()
                        .for_each(|byte| encode(byte, &mut decoded));
                }
            }
            chunk.invalid().iter().for_each(|&byte| encode(byte, &mut decoded));
        }
        if encoded.is_empty() {
            return None;
        }
        rest = &rest[encoded.len()..];
    }
    decoded.push_str(rest);
    Some(decoded)
}

/// Returns the longest beginning of a text that consists of `%XX`.
fn escapes(text: &str) -> &[u8] {
    let bytes = text.as_bytes();
    let count = bytes
        .chunks_exact(3)
        .take_while(|escape| byte(escape).is_some())
        .count();
    &bytes[..3 * count]
}

/// Returns the byte for which a `%XX` stands.
fn byte(escape: &[u8]) -> Option<u8> {
    let &[b'%', high, low] = escape else { return None };
    let digit = |b: u8| char::from(b).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn encode(byte: u8, text: &mut String) {
    text.push_str(&format!("%{byte:02X}"));
}

/// Tells whether a character can stand unencoded anywhere in the path of an IRI (`iunreserved` of RFC 3987), and is
/// not one that changes the direction of writing (section 4.1).
fn is_shown(c: char) -> bool {
    match c {
        '-' | '.' | '_' | '~' => true,
        _ if c.is_ascii() => c.is_ascii_alphanumeric(),
        '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' => false,
        '\u{A0}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFEF}' => true,
        '\u{10000}'..='\u{EFFFD}' => u32::from(c) & 0xFFFE != 0xFFFE && !('\u{E0000}'..'\u{E1000}').contains(&c),
        _ => false,
    }
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn roots_are_kept_in_unicode() {
        let cases = [
            ("http://localhost:8001/", "http://localhost:8001/"),
            ("HTTPS://example.org/ktbs/", "https://example.org/ktbs/"),
            ("http://[::1]:8001/", "http://[::1]:8001/"),
            ("http://h/café/", "http://h/café/"),
            ("http://h/caf%C3%A9/", "http://h/café/"),
            ("http://h/caf%c3%a9/", "http://h/café/"),
            ("http://h/%6B%74bs/", "http://h/ktbs/"),
            ("http://h/a%20b%2fc%25/", "http://h/a%20b%2Fc%25/"),
            ("http://h/%E9/", "http://h/%E9/"),
            ("http://h/%C3%A9%FF%C3/", "http://h/é%FF%C3/"),
            ("http://h/%E2%80%8F/", "http://h/%E2%80%8F/"),
            ("http://h/%F0%9D%84%9E/", "http://h/\u{1D11E}/"),
            ("http://h/%EE%80%80/", "http://h/%EE%80%80/"),
            ("http://h/%EF%BF%BE/", "http://h/%EF%BF%BE/"),
        ];
        for (text, expected) in cases {
            assert_eq!(root_iri(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_root_is_told() {
        let cases = [
            ("", "absolute URI"),
            ("/ktbs/", "absolute URI"),
            ("localhost:8001/", "absolute URI"),
            ("ftp://h/", "scheme"),
            ("http://h", "must end with '/': write http://h/"),
            ("http://h/ktbs", "must end with '/': write http://h/ktbs/"),
            ("http://h/?q/", "query"),
            ("http://h/#f/", "fragment"),
            ("http:///ktbs/", "no host"),
            ("http://:80/", "no host"),
            ("http://h/a/../", "'..'"),
            ("http://h/a/%2E%2E/", "'..'"),
            ("http://h/./", "'.'"),
            ("http://h/a b/", "not a URI"),
            ("http://h/<>/", "not a URI"),
            ("http://h/%/", "not a URI"),
            ("http://h/%4/", "not a URI"),
            // Decoded, it would be one, and another.
            ("http://%a%30/", "not a URI"),
            ("http://h:port/", "not a URI"),
        ];
        for (text, reason) in cases {
            let error = root_iri(text).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_root_panics_and_each_is_its_own_form(text in "(http://)?(\\PC|%|%[0-9A-Fa-f]{2}|%C3%A9)*/?") {
            if let Ok(root) = root_iri(&text) {
                prop_assert_eq!(root_iri(&root), Ok(root.clone()));
            }
        }
    }
}
