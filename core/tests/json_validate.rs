//! The JSON validator against the grammar, its limits and serde_json.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use socketio_core::json::{
    ArgumentKind, ArgumentSpan, ArgumentsSpan, JsonError, Placeholders, validate, validate_arguments,
};

fn check(text: &str) -> Result<(), JsonError> {
    validate(text.as_bytes(), 1024)
}

fn nested(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

fn nested_objects(levels: usize) -> String {
    r#"{"a":"#.repeat(levels) + "1" + &"}".repeat(levels)
}

#[test]
fn every_kind_of_value_is_accepted() {
    for text in [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-0.0e-0",
        "10.25E+12",
        "1e400",
        "123456789012345678901234567890",
        r#""""#,
        r#""plain ümlaut 🦀""#,
        r#""\"\\\/\b\f\n\r\tä""#,
        "[]",
        "{}",
        " \t\r\n[ 1 , { \"a\" : [ ] , \"a\" : { } } ] \n",
        r#"[[],{},"",0]"#,
        "\"\u{7f}\u{80}\"",
    ] {
        assert_eq!(check(text), Ok(()), "{text}");
    }
}

#[test]
fn lone_surrogate_escapes_are_legal() {
    assert_eq!(check(r#""\ud800""#), Ok(()));
    assert_eq!(check(r#"{"\udfff":"\uD83D\uD83D"}"#), Ok(()));
}

#[test]
fn each_breach_has_its_name() {
    use JsonError::*;
    for (text, error) in [
        ("", UnexpectedEnd),
        (" ", UnexpectedEnd),
        ("[", UnexpectedEnd),
        ("[1,", UnexpectedEnd),
        ("{\"a\":", UnexpectedEnd),
        ("\"abc", UnexpectedEnd),
        ("\"abcdefghijklmnop", UnexpectedEnd),
        ("\"\\", UnexpectedEnd),
        ("\"\\u12", UnexpectedEnd),
        ("]", UnexpectedByte),
        ("[1,]", UnexpectedByte),
        ("[,1]", UnexpectedByte),
        ("[1 2]", UnexpectedByte),
        ("[1}", UnexpectedByte),
        ("{\"a\":1]", UnexpectedByte),
        ("{\"a\" 1}", UnexpectedByte),
        ("{\"a\":1,}", UnexpectedByte),
        ("{1:1}", UnexpectedByte),
        ("{,}", UnexpectedByte),
        ("tru", UnexpectedByte),
        ("True", UnexpectedByte),
        ("nul]", UnexpectedByte),
        ("+1", UnexpectedByte),
        (".5", UnexpectedByte),
        ("NaN", UnexpectedByte),
        ("'a'", UnexpectedByte),
        ("[01]", UnexpectedByte),
        ("\u{feff}1", UnexpectedByte),
        ("-", InvalidNumber),
        ("-a", InvalidNumber),
        ("1.", InvalidNumber),
        ("1.e5", InvalidNumber),
        ("1e", InvalidNumber),
        ("1e+", InvalidNumber),
        (r#""\x""#, InvalidEscape),
        (r#""\u12g4""#, InvalidEscape),
        (r#""\u+123""#, InvalidEscape),
        ("\"a\nb\"", ControlCharacter),
        ("\"abcdefghij\u{0}\"", ControlCharacter),
        ("1 1", TrailingCharacters),
        ("[]]", TrailingCharacters),
        ("01", TrailingCharacters),
        ("truefalse", TrailingCharacters),
    ] {
        assert_eq!(check(text), Err(error), "{text}");
    }
}

#[test]
fn depth_counts_open_arrays_and_objects() {
    assert_eq!(validate(b"1", 0), Ok(()));
    assert_eq!(validate(b"[]", 0), Err(JsonError::TooDeep));
    assert_eq!(validate(b"{}", 0), Err(JsonError::TooDeep));
    assert_eq!(validate(b"[[],{},[]]", 2), Ok(()));
    assert_eq!(validate(b"[[],{\"a\":{}}]", 2), Err(JsonError::TooDeep));
    for levels in [1, 63, 64, 65, 127, 128, 129, 1023, 1024] {
        assert_eq!(check(&nested(levels)), Ok(()), "{levels}");
        assert_eq!(check(&nested_objects(levels)), Ok(()), "{levels}");
    }
    assert_eq!(check(&nested(1025)), Err(JsonError::TooDeep));
    assert_eq!(check(&nested_objects(1025)), Err(JsonError::TooDeep));
}

#[test]
fn two_hundred_thousand_levels_are_refused_or_within_a_larger_limit_accepted() {
    let text = nested(200_000);
    assert_eq!(check(&text), Err(JsonError::TooDeep));
    assert_eq!(validate(text.as_bytes(), u32::MAX), Ok(()));
    let mixed = "[{\"a\":".repeat(5_000) + "0" + &"}]".repeat(5_000);
    assert_eq!(validate(mixed.as_bytes(), 10_000), Ok(()));
    let crossed = "[{\"a\":".repeat(5_000) + "0" + &"]}".repeat(5_000);
    assert_eq!(
        validate(crossed.as_bytes(), 10_000),
        Err(JsonError::UnexpectedByte)
    );
}

fn span(text: &str) -> Result<ArgumentsSpan, JsonError> {
    validate_arguments(text.as_bytes(), 1024, Placeholders::Ignored)
}

#[test]
fn the_parts_of_an_argument_list_are_found() {
    use ArgumentKind::*;
    for (text, first, kind, rest) in [
        (r#"["a"]"#, r#""a""#, PlainString, ""),
        (r#"["a",1,"b"]"#, r#""a""#, PlainString, r#"1,"b""#),
        (r#" [ "a" , [1] , {} ] "#, r#""a""#, PlainString, "[1] , {} "),
        (r#"["a" ]"#, r#""a""#, PlainString, ""),
        (r#"["a\n",null]"#, r#""a\n""#, EscapedString, "null"),
        ("[-1.5e3,2]", "-1.5e3", Number, "2"),
        (r#"[[1,["x"]],2]"#, r#"[1,["x"]]"#, Other, "2"),
        (r#"[{"a":[1,2]}]"#, r#"{"a":[1,2]}"#, Other, ""),
        ("[null]", "null", Other, ""),
        ("[[]]", "[]", Other, ""),
    ] {
        let found = span(text).unwrap();
        let ArgumentSpan {
            start,
            end,
            kind: found_kind,
        } = found.first.unwrap();
        assert_eq!(&text[start..end], first, "{text}");
        assert_eq!(found_kind, kind, "{text}");
        assert_eq!(&text[found.rest..found.end], rest, "{text}");
        assert_eq!(&text[found.end..=found.end], "]", "{text}");
    }
    assert_eq!(
        span(" [ ] "),
        Ok(ArgumentsSpan {
            first: None,
            rest: 3,
            end: 3
        })
    );
}

#[test]
fn what_is_no_argument_list_is_refused() {
    assert_eq!(span("{}"), Err(JsonError::NotAnArray));
    assert_eq!(span("\"a\""), Err(JsonError::NotAnArray));
    assert_eq!(span(""), Err(JsonError::UnexpectedEnd));
    assert_eq!(span("["), Err(JsonError::UnexpectedEnd));
    assert_eq!(span("[\"a\""), Err(JsonError::UnexpectedEnd));
    assert_eq!(span("[\"a\",]"), Err(JsonError::UnexpectedByte));
    assert_eq!(span("[\"a\"}"), Err(JsonError::UnexpectedByte));
    assert_eq!(span("[[1},2]"), Err(JsonError::UnexpectedByte));
    assert_eq!(span("[] 1"), Err(JsonError::TrailingCharacters));
    assert_eq!(span("[1]]"), Err(JsonError::TrailingCharacters));
    assert_eq!(
        validate_arguments(b"[[1]]", 1, Placeholders::Ignored),
        Err(JsonError::TooDeep)
    );
    assert_eq!(
        validate_arguments(b"[]", 0, Placeholders::Ignored),
        Err(JsonError::TooDeep)
    );
}

fn placeholders(text: &str, count: u32) -> Result<(), JsonError> {
    validate_arguments(text.as_bytes(), 1024, Placeholders::Below(count)).map(|_| ())
}

#[test]
fn placeholders_that_name_an_attachment_are_accepted() {
    for text in [
        r#"["a",{"_placeholder":true,"num":0},{"num":1,"_placeholder":true}]"#,
        r#"["a",{"_placeholder":true,"num":1,"more":[{"_placeholder":true,"num":0}]}]"#,
        r#"["a",{"num":9,"_placeholder":true,"num":1}]"#,
        r#"["a",{"_placeholder":true,"_placeholder":false,"num":9}]"#,
        r#"["a",{"_placeholder":"true","num":9},{"_placeholder":1},{"_placeholder":null}]"#,
        r#"["a",{"\u005fplaceholder":true,"\u006eum":1}]"#,
        r#"["a",{"num":7},{"_placeholders":true},{"x_placeholder":true},{"_placeholde":true}]"#,
        r#"["a",{"_placeholder":true,"x":{"_placeholder":false,"num":5},"num": 0 }]"#,
        r#"["a"]"#,
    ] {
        assert_eq!(placeholders(text, 2), Ok(()), "{text}");
    }
}

#[test]
fn placeholders_that_name_no_attachment_are_refused() {
    for text in [
        r#"["a",{"_placeholder":true}]"#,
        r#"["a",{"_placeholder":true,"num":2}]"#,
        r#"["a",{"_placeholder":true,"num":4294967296}]"#,
        r#"["a",{"_placeholder":true,"num":-1}]"#,
        r#"["a",{"_placeholder":true,"num":0.5}]"#,
        r#"["a",{"_placeholder":true,"num":1e0}]"#,
        r#"["a",{"_placeholder":true,"num":"0"}]"#,
        r#"["a",{"_placeholder":true,"num":null}]"#,
        r#"["a",{"_placeholder":true,"num":0,"num":2}]"#,
        r#"["a",{"_placeholder":false,"num":2,"_placeholder":true}]"#,
        r#"["a",{"\u005Fplaceholder":true,"num":0,"n\u0075m":2}]"#,
        r#"["a",[[{"b":{"_placeholder":true,"x":{"num":0}}}]]]"#,
        r#"[{"_placeholder":true,"num":2}]"#,
    ] {
        assert_eq!(
            placeholders(text, 2),
            Err(JsonError::IllegalPlaceholder),
            "{text}"
        );
        assert!(span(text).is_ok(), "{text} is plain data without attachments");
    }
}

#[test]
fn placeholders_are_told_apart_at_every_depth() {
    let inside = |levels: usize, num: u32| {
        let open = r#"{"_placeholder":true,"num":0,"in":"#.repeat(levels);
        format!(
            r#"["a",{open}{{"_placeholder":true,"num":{num}}}{}]"#,
            "}".repeat(levels)
        )
    };
    for levels in [1, 62, 63, 64, 65, 1000] {
        assert_eq!(placeholders(&inside(levels, 0), 1), Ok(()), "{levels}");
        assert_eq!(
            placeholders(&inside(levels, 1), 1),
            Err(JsonError::IllegalPlaceholder),
            "{levels}"
        );
    }
}

/// Text that is close to JSON: pieces of it in any order.
fn almost_json() -> impl Strategy<Value = String> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\"a\"",
        "\"num\":",
        "1",
        "0",
        "-",
        ".",
        "e",
        "E+",
        "true",
        "null",
        " ",
        "\n",
        "\\u00e9",
        "\\ud800",
        "\\n",
        "ä",
        "\u{1}",
        "\"abcdefgh\"",
        "false",
        "\\x",
        "{}",
        "[]",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn agrees_with_serde_json_on_what_is_almost_json(text in almost_json()) {
        prop_assert_eq!(check(&text).is_ok(), serde_json::from_str::<IgnoredAny>(&text).is_ok());
    }

    #[test]
    fn never_panics_and_agrees_on_any_text(text in any::<String>()) {
        prop_assert_eq!(check(&text).is_ok(), serde_json::from_str::<IgnoredAny>(&text).is_ok());
    }

    #[test]
    fn never_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64), depth in 0_u32..4) {
        let _ = validate(&bytes, depth);
        let _ = validate_arguments(&bytes, depth, Placeholders::Below(1));
    }
}

proptest! {
    #[test]
    fn accepts_what_a_serializer_writes_and_none_of_its_prefixes(value in json(), cut in any::<prop::sample::Index>()) {
        let text = serde_json::to_string(&[&value]).unwrap();
        prop_assert_eq!(check(&text), Ok(()));
        prop_assert_eq!(check(&serde_json::to_string_pretty(&value).unwrap()), Ok(()));
        prop_assert!(validate(&text.as_bytes()[..cut.index(text.len())], 1024).is_err());
    }

    #[test]
    fn argument_lists_fall_apart_where_their_elements_do(values in prop::collection::vec(json(), 1..4)) {
        let text = serde_json::to_string(&values).unwrap();
        let found = span(&text).unwrap();
        let first = found.first.unwrap();
        prop_assert_eq!(&text[first.start..first.end], serde_json::to_string(&values[0]).unwrap());
        let rest = format!("[{}]", &text[found.rest..found.end]);
        prop_assert_eq!(rest, serde_json::to_string(&values[1..]).unwrap());
    }
}
