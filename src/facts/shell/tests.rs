use super::*;
use crate::facts::testing;

/// The value of `A` in the end; `!` where it cannot be determined, `-` where it is not set.
fn a(text: &str) -> String {
    match parse(text).get("A") {
        Ok(value) => value.unwrap_or_else(|| "-".to_owned()),
        Err(_) => "!".to_owned(),
    }
}

#[test]
fn values_are_read_as_bash_reads_them() {
    for (text, value) in [
        ("A=x", "x"),
        ("A=x\nA=y\n", "y"),
        ("  export\tA='b c' # here", "b c"),
        ("A=\"x \\\"y\\\" \\z\" # \"", "x \"y\" \\z"),
        ("A=a\\ b", "a b"),
        ("B=1 A=2 C=3", "2"),
        ("B=1;A=2;C=3", "2"),
        ("A=x\\\ny", "xy"),
        ("A='x\ny'", "x\ny"),
        ("A=", ""),
        ("A=x#y", "x#y"),
        ("A=x\nunset A", "-"),
        ("A=x\nreturn 0\nA=y", "x"),
        ("A=a=b", "a=b"),
        ("A=$ ", "$"),
        ("#A=x", "-"),
        ("1A=x", "-"),
        ("A=x\r\n", "x\r"),
        ("A=x\u{a0}\n", "x\u{a0}"),
        ("\u{feff}A=x\n", "-"),
    ] {
        assert_eq!(a(text), value, "{text:?}");
    }
}

#[test]
fn what_is_a_command_sets_nothing() {
    for text in [
        "A = x",
        "A= x",
        "A =x",
        "A=x command",
        "echo A=x",
        "A=x | cat",
        "A=x &",
        "B=1 A",
        "\"A\"=x",
        "A\\=x",
    ] {
        assert_eq!(a(&format!("{text}\n")), "-", "{text}");
    }
    assert_eq!(a("A=x\ncheck_link_down() {\n  A=y; return 1;\n}\nB=z\n"), "x");
    assert_eq!(a("f () { { :; }; }\nA=x\n"), "x");
}

#[test]
fn an_error_of_syntax_ends_the_reading_with_its_line() {
    for text in
        ["A=x\nB='y\nA=z\n", "A=x\nA=z; B=\"y\n", "A=x\nA=y )\nA=z\n", "A=x\n;\nA=y\n", "A=x\nf() {\nA=y\n"]
    {
        assert_eq!(a(text), "x", "{text:?}");
    }
}

#[test]
fn what_only_bash_can_tell_is_not_told() {
    for text in [
        "A=$B",
        "A=${B}",
        "A=\"$(date)\"",
        "A=`date`",
        "A=~/x",
        "A=$'x'",
        "A+=y",
        "A=(x y)",
        "if true; then A=x; fi",
        "A=x\n. ./other",
        "A=x\n[ -f y ] && A=y",
        "A=x\neval B=1",
        "A=x\n(A=y)",
        "A=x\ncat <<E\nA=y\nE\n",
        ": ${A:=x}",
    ] {
        assert_eq!(a(text), "!", "{text}");
    }
    assert_eq!(parse("A=$B\nC=x").known("C").as_deref(), Some("x"));
    let value = parse("A=1\n\nif true; then A=x; fi").get("A");
    assert_eq!(value, Err("line 3 has a compound command, whose outcome only bash can tell".to_owned()));
    testing::damage("A=\"a \\\"b\\\" $(c)\"; f() { :; }\nexport B='x'\n", |text| drop(parse(text)));
}
