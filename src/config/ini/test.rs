use proptest::prelude::*;

use super::*;

/// Parses a file, and returns `section.option=value` for each option, `section.option` for one without value.
fn options(text: &str) -> Vec<String> {
    let ini = Ini::parse(text).unwrap_or_else(|error| panic!("{text:?}: line {}: {error}", error.line));
    ini.sections
        .iter()
        .flat_map(|section| {
            section.options.iter().map(|option| match &option.value {
                Some(value) => format!("{}.{}={value}", section.name, option.name),
                None => format!("{}.{}", section.name, option.name),
            })
        })
        .collect()
}

#[test]
fn options_and_values() {
    let cases: &[(&str, &[&str])] = &[
        ("", &[]),
        ("# nothing\n\n; at all", &[]),
        ("[s]\nk = v", &["s.k=v"]),
        ("[s]\nk: v", &["s.k=v"]),
        ("[s]\nk=v\n", &["s.k=v"]),
        ("[s]\nk:a=b\n", &["s.k=a=b"]),
        ("[s]\nk = http://x/:y\n", &["s.k=http://x/:y"]),
        ("[s]\nhttp://x = 1", &["s.http=//x = 1"]),
        ("[s]\nk =\n", &["s.k="]),
        ("[s]\nk\n", &["s.k"]),
        ("[s]\nk\nl = 1", &["s.k", "s.l=1"]),
        ("[s]\nKeY = VaL\n", &["s.key=VaL"]),
        ("[s]\nÉTÉ = 1\n", &["s.été=1"]),
        ("[s]\na name = \"v\" 'w'\n", &["s.a name=\"v\" 'w'"]),
        ("[ s ] # comment\nk=1", &[" s .k=1"]),
        ("[a] b]\nk=1", &["a] b.k=1"]),
        ("[s]\n[]\n", &["s.[]"]),
        ("[S]\nk=1\n[s]\nk=2\n", &["S.k=1", "s.k=2"]),
        ("\u{feff}[s]\r\nk = v\r\nl = w\r\n", &["s.k=v", "s.l=w"]),
        ("[s]\rk = v\rl = w", &["s.k=v", "s.l=w"]),
        // Comments are lines of their own.
        ("[s]\nk = v # c\nl = v ; c", &["s.k=v # c", "s.l=v ; c"]),
        ("[s]\n  # c\n  ; c\nk = v", &["s.k=v"]),
        // A value goes on while the lines are more indented than its first.
        ("[s]\nk = a\n b\n\tc\n", &["s.k=a\nb\nc"]),
        ("[s]\nk =\n  a\n", &["s.k=\na"]),
        ("[s]\nk = a\n\n b\n\n\nl = c", &["s.k=a\n\nb", "s.l=c"]),
        ("[s]\nk = a\n  # c\n; c\n b\n", &["s.k=a\nb"]),
        ("[s]\nk = a\n b = c\n [t]\n", &["s.k=a\nb = c\n[t]"]),
        ("[s]\n  k = a\n  l = b\n   c\n", &["s.k=a", "s.l=b\nc"]),
        ("  [s]\n k = a\nl = b", &["s.k=a", "s.l=b"]),
        (
            "[s]\nk = 1\n[DEFAULT]\na = 2\n[t]\nl = 3\n[DEFAULT]\nb = 4\n",
            &["s.k=1", "DEFAULT.a=2", "DEFAULT.b=4", "t.l=3"],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(options(text), *expected, "{text:?}");
    }
}

#[test]
fn wrong_files_are_told_with_the_line() {
    let cases = [
        ("k = v\n[s]", 1, "begins with a [section]"),
        ("\n\n# c\nk", 4, "begins with a [section]"),
        ("[s]\nk = 1\n[s]\n", 3, "already a section [s]"),
        ("[s]\nk = 1\n\nK: 2\n", 4, "already an option k"),
        ("[DEFAULT]\nk = 1\n[DEFAULT]\nk = 1\n", 4, "already an option k"),
        ("[s]\n = 1\n", 2, "no name"),
        ("[s]\n: 1\n", 2, "no name"),
        ("[s]\nk\n  l = 1\n", 3, "more indented"),
    ];
    for (text, line, reason) in cases {
        let error = Ini::parse(text).expect_err(text);
        assert_eq!(error.line, line, "{text:?}");
        assert!(error.reason.contains(reason), "{text:?}: {}", error.reason);
    }
}

#[test]
fn lines_are_numbered() {
    let ini = Ini::parse("\n[s]\n\nk = 1\n 2\n\nl\n[t]").expect("a correct file");
    let lines: Vec<usize> = ini.sections[0].options.iter().map(|option| option.line).collect();
    assert_eq!((ini.sections[0].line, lines, ini.sections[1].line), (2, vec![4, 7], 8));
}

#[test]
fn interpolation() {
    let ini = Ini::parse(
        "[DEFAULT]\nhost = example.org\nnone\n[s]\nroot = http://%(host)s/%(path)s\npath = caf%%C3\n\
         a = %(b)s\nb = %(a)s\n[t]\nhost = other.example\n",
    )
    .expect("a correct file");
    let correct = [
        ("s", "plain", "plain"),
        ("s", "100%%", "100%"),
        ("s", "%%(host)s", "%(host)s"),
        ("s", "%(host)s:%(HOST)s", "example.org:example.org"),
        ("s", "<%(root)s>", "<http://example.org/caf%C3>"),
        ("s", "[%(none)s]", "[]"),
        ("t", "%(host)s", "other.example"),
        ("absent", "%(host)s", "example.org"),
    ];
    for (section, value, expected) in correct {
        assert_eq!(ini.interpolate(section, value).as_deref(), Ok(expected), "{value}");
    }
    let wrong = [
        ("100%", "followed by"),
        ("%20", "followed by"),
        ("%(host)", "%(name)s"),
        ("%(host)d", "%(name)s"),
        ("%(host", "%(name)s"),
        ("%()s", "%(name)s"),
        ("%(nope)s", "no such option"),
        ("%(a)s", "levels"),
    ];
    for (value, reason) in wrong {
        let error = ini.interpolate("s", value).expect_err(value);
        assert!(error.contains(reason), "{value}: {error}");
    }
}

#[test]
fn interpolation_goes_ten_levels_deep() {
    let mut text = "[s]\no0 = end\n".to_owned();
    for n in 1..12 {
        text.push_str(&format!("o{n} = %(o{})s\n", n - 1));
    }
    let ini = Ini::parse(&text).expect("a correct file");
    assert_eq!(ini.interpolate("s", "%(o9)s").as_deref(), Ok("end"));
    assert!(ini.interpolate("s", "%(o10)s").is_err());
}

#[test]
fn interpolation_does_not_explode() {
    let mut text = "[s]\no0 =\n".to_owned();
    for n in 1..9 {
        text.push_str(&format!("o{n} = {}\n", format!("%(o{})s", n - 1).repeat(50)));
    }
    let ini = Ini::parse(&text).expect("a correct file");
    assert!(ini.interpolate("s", "%(o8)s").expect_err("too many").contains("1000"));
}

/// Writes a file that has this content.
fn write(ini: &Ini) -> String {
    let mut text = String::new();
    for section in &ini.sections {
        text.push_str(&format!("[{}]\n", section.name));
        for option in &section.options {
            match &option.value {
                Some(value) => text.push_str(&format!("{} = {}\n", option.name, value.replace('\n', "\n  "))),
                None => text.push_str(&format!("{}\n", option.name)),
            }
        }
    }
    text
}

prop_compose! {
    fn any_value()(lines in prop::collection::vec("([a-zA-Z0-9/%=:é\"]([a-zA-Z0-9 #;%=:é\"\\[\\]]{0,10}[a-z\"])?)?", 0..4)) -> String {
        lines.join("\n").trim_end().to_owned()
    }
}

prop_compose! {
    fn any_ini()(sections in prop::collection::btree_map(
        "[a-zA-Z_][a-zA-Z_ .#]{0,8}",
        prop::collection::btree_map("[a-z_][a-z0-9_.-]{0,8}( [a-z]{1,3})?", prop::option::of(any_value()), 0..5),
        0..4,
    )) -> Ini {
        let sections = sections.into_iter().map(|(name, options)| Section {
            name,
            line: 0,
            options: options.into_iter().map(|(name, value)| OptionLine { name, line: 0, value }).collect(),
        });
        Ini { sections: sections.collect() }
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "(\\PC|[\\[\\]=:#; \t\r\n%()])*") {
        if let Ok(ini) = Ini::parse(&text) {
            let _ = ini.interpolate(DEFAULT, &text);
        }
    }

    #[test]
    fn what_is_written_reads_back(ini in any_ini()) {
        let mut read = Ini::parse(&write(&ini)).expect("a correct file");
        for section in &mut read.sections {
            section.line = 0;
            section.options.iter_mut().for_each(|option| option.line = 0);
        }
        prop_assert_eq!(read, ini);
    }

    #[test]
    fn escaped_text_is_interpolated_to_itself(text in "\\PC*") {
        let ini = Ini::default();
        prop_assert_eq!(ini.interpolate("s", &text.replace('%', "%%")), Ok(text));
    }
}
