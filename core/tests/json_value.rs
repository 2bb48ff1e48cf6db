//! Values and raw text come out exactly as they went in.

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use socketio_core::json::{Array, DecodeError, Object, Raw, Value, from_json, to_json};
use std::collections::BTreeMap;

const FAITHFUL: &[&str] = &[
    "null",
    "1.0",
    "9007199254740993",
    "1e21",
    "-0",
    "1E+400",
    "123456789012345678901234567890",
    r#""\u00e9v""#,
    r#""\ud800""#,
    r#""\ud83d\ude00\/\n""#,
    r#"{"b":1,"a":{"z":[],"y":{}},"b":2}"#,
    r#"{"\u0061":1,"\udc00":[true,false,null]}"#,
    r#"{"_placeholder":true,"num":0}"#,
    r#"[[],{},[{}],"",{"":""}]"#,
];

fn echoed<T: Serialize + ?Sized>(value: &T) -> String {
    let (mut out, mut attachments) = (BytesMut::new(), Vec::new());
    to_json(value, &mut out, &mut attachments).unwrap();
    assert!(attachments.is_empty());
    String::from_utf8(out.to_vec()).unwrap()
}

#[test]
fn text_is_kept_verbatim() {
    for text in FAITHFUL {
        let value = Value::parse(text.as_bytes(), &[]).unwrap();
        assert_eq!(echoed(&value), *text);
        assert_eq!(value.to_text(), *text);
        assert_eq!(format!("{value} {value:?}"), format!("{text} {text}"));
        assert_eq!(echoed(&value.clone()), *text);
        assert_eq!(value, value.clone());
        assert_eq!(echoed(&from_json::<Value>(text.as_bytes(), &[]).unwrap()), *text);
        assert_eq!(echoed(&from_json::<Raw>(text.as_bytes(), &[]).unwrap()), *text);
        assert_eq!(echoed(&Raw::from_json(*text).unwrap()), *text);
        let nested: BTreeMap<String, Vec<Value>> =
            from_json(format!(r#"{{"k": [{text} , {text}]}}"#).as_bytes(), &[])
                .map_err(|e| panic!("{e}"))
                .unwrap();
        assert_eq!(echoed(&nested), format!(r#"{{"k":[{text},{text}]}}"#));
    }
}

#[test]
fn white_space_between_is_kept_by_raw_and_dropped_by_value() {
    let text = " { \"a\" : [ 1 , 2 ] } ";
    assert_eq!(
        from_json::<Raw>(text.as_bytes(), &[]).unwrap().as_str(),
        text.trim()
    );
    assert_eq!(
        from_json::<Value>(text.as_bytes(), &[]).unwrap().to_text(),
        r#"{"a":[1,2]}"#
    );
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "", " ", "1 2", "[1,]", "{\"a\"}", "\"\\x\"", "01", "nul", "\"\n\"", "[", "inf", "1.",
    ] {
        assert!(
            matches!(
                Value::parse(text.as_bytes(), &[]),
                Err(DecodeError::Syntax { .. })
            ),
            "{text}"
        );
        assert!(
            matches!(Raw::from_json(text), Err(DecodeError::Syntax { .. })),
            "{text}"
        );
    }
    assert_eq!(
        Value::parse(b"\"\xff\"", &[]),
        Err(DecodeError::NotUtf8 { at: 1 })
    );
    let deep = "[".repeat(1_025) + &"]".repeat(1_025);
    assert_eq!(
        Raw::from_json(deep.as_str()),
        Err(DecodeError::TooDeep { at: 1_024 })
    );
    assert_eq!(
        Value::parse(deep.as_bytes(), &[]),
        Err(DecodeError::TooDeep { at: 1_024 })
    );
}

#[test]
fn values_answer_like_serde_json_and_javascript() {
    let value = Value::parse(
        br#"{"a":1,"n":-5,"f":1.5,"s":"\u00e9\ud800","t":true,"l":[1,2],"\u0061":2}"#,
        &[],
    )
    .unwrap();
    assert_eq!(value["a"].as_u64(), Some(2), "of equal keys the last counts");
    assert_eq!(
        (value["n"].as_i64(), value["n"].as_u64(), value["n"].as_f64()),
        (Some(-5), None, Some(-5.0))
    );
    assert_eq!((value["f"].as_i64(), value["f"].as_f64()), (None, Some(1.5)));
    assert_eq!(value["s"].as_str().as_deref(), Some("\u{e9}\u{fffd}"));
    assert_eq!(value["t"].as_bool(), Some(true));
    assert_eq!(value["l"][1], Value::from(2));
    assert_eq!(value.get("none"), None);
    assert!(value["none"][3]["x"].is_null());
    assert_eq!(value["l"].get_index(2), None);
    assert_ne!(Value::parse(b"1", &[]), Value::parse(b"1.0", &[]));
    assert_eq!(value.as_object().unwrap().len(), 7);
}

#[test]
fn values_are_made_from_ordinary_types() {
    let mut object = Object::new();
    assert_eq!(object.insert("a\"\n\u{1}", 1), None);
    assert_eq!(object.insert("a\"\n\u{1}", vec!["x", "y"]), Some(Value::from(1)));
    object.insert("none", None::<bool>);
    object.insert("float", 1.0);
    object.insert("nan", f64::NAN);
    object.insert("single", 0.1_f32);
    let value = Value::from(object);
    let text = r#"{"a\"\n\u0001":["x","y"],"none":null,"float":1.0,"nan":null,"single":0.1}"#;
    assert_eq!(value.to_text(), text);
    assert_eq!(value["a\"\n\u{1}"][0], "x");
    let Value::Object(mut object) = value else {
        panic!("an object")
    };
    assert_eq!(object.remove("none"), Some(Value::Null));
    assert_eq!(object.get("none"), None);
    let array: Array = vec![Value::from(i64::MIN), Value::from(u64::MAX)].into();
    assert_eq!(
        Value::from(array).to_text(),
        "[-9223372036854775808,18446744073709551615]"
    );
    assert_eq!(
        Value::encode(&(1, "a", [Some(2.5)])).unwrap().to_text(),
        r#"[1,"a",[2.5]]"#
    );
    assert_eq!(Value::from(vec![1, 2]).decode(), Ok((1, 2)));
}

#[test]
fn binary_leaves_travel_as_attachments() {
    let attachments = [Bytes::from_static(b"zero"), Bytes::from_static(b"one")];
    let text = br#"{"x":[{"num":0,"num":1,"\u005fplaceholder":true,"more":[{}]}],"y":{"_placeholder":true,"num":0}}"#;
    for value in [
        Value::parse(text, &attachments).unwrap(),
        from_json(text, &attachments).unwrap(),
    ] {
        assert_eq!(value["x"][0].as_bytes().unwrap(), "one");
        assert_eq!(value["y"].as_bytes().unwrap(), "zero");
        let (mut out, mut sent) = (BytesMut::new(), vec![Bytes::new()]);
        to_json(&value, &mut out, &mut sent).unwrap();
        let expected = r#"{"x":[{"_placeholder":true,"num":1}],"y":{"_placeholder":true,"num":2}}"#;
        assert_eq!(out, expected.as_bytes());
        assert_eq!(sent, ["", "one", "zero"]);
        assert!(
            value.decode::<serde_json::Value>().is_err(),
            "serde_json has no place for bytes"
        );
        assert_eq!(value.to_raw().parse::<Value>().unwrap(), value);
    }
}

#[test]
fn raw_keeps_only_the_attachments_it_names() {
    let attachments = [Bytes::from_static(b"zero"), Bytes::from_static(b"one")];
    let text = br#"[{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1},1.0,{"_placeholder":true,"num":1}]]"#;
    let (_, raw): (Bytes, Raw) = from_json(text, &attachments).unwrap();
    assert_eq!(raw.attachments(), ["", "one"]);
    let again = Raw::encode(&raw).unwrap();
    assert_eq!(
        again.as_str(),
        r#"[{"_placeholder":true,"num":0},1.0,{"_placeholder":true,"num":0}]"#
    );
    assert_eq!(again.attachments(), ["one"]);
    assert_eq!(again.detach(), again);
    let both = Raw::encode(&(&again, &again)).unwrap();
    assert_eq!(both.attachments(), ["one", "one"]);
    let text: (Vec<Value>, Raw) = both.parse().unwrap();
    assert_eq!(text.0[0].as_bytes().unwrap(), "one");
    assert_eq!(
        serde_json::to_string(&raw).unwrap(),
        "[[111,110,101],1.0,[111,110,101]]"
    );
}

#[test]
fn attachments_are_not_repeated_beyond_measure() {
    let placeholder = r#"{"_placeholder":true,"num":0}"#;
    let list = |count| format!("[{}]", vec![placeholder; count].join(","));
    let attachments = [Bytes::from_static(b"bytes")];
    assert_eq!(
        from_json::<Vec<Bytes>>(list(16).as_bytes(), &attachments)
            .unwrap()
            .len(),
        16
    );
    let refused = DecodeError::AttachmentsRepeated;
    assert_eq!(
        from_json::<Vec<Bytes>>(list(17).as_bytes(), &attachments),
        Err(refused.clone())
    );
    assert_eq!(
        from_json::<Vec<Raw>>(list(17).as_bytes(), &attachments),
        Err(refused.clone())
    );
    assert_eq!(Value::parse(list(17).as_bytes(), &attachments), Err(refused));
    assert_eq!(
        Raw::encode(&from_json::<Raw>(list(17).as_bytes(), &attachments).unwrap())
            .unwrap()
            .attachments()
            .len(),
        1
    );
}

#[test]
fn other_formats_see_what_the_value_means() {
    let text = r#"{"a":[1,-2,1.5,"\u00e9",null,true],"b":{"c":{}}}"#;
    let value = Value::parse(text.as_bytes(), &[]).unwrap();
    let plain: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_value(&value).unwrap(), plain);
    assert_eq!(
        serde_json::to_value(Raw::from_json(text).unwrap()).unwrap(),
        plain
    );
    let back: Value = serde_json::from_value(plain.clone()).unwrap();
    assert_eq!(serde_json::to_value(&back).unwrap(), plain);
    assert_eq!(
        serde_json::from_str::<Raw>(text).unwrap().as_str(),
        r#"{"a":[1,-2,1.5,"é",null,true],"b":{"c":{}}}"#
    );
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "type")]
enum Tagged {
    Any(Inner),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Inner {
    known: Value,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[test]
fn values_live_inside_tagged_and_flattened_types() {
    let text =
        br#"{"type":"Any","known":{"_placeholder":true,"num":0},"x":[1,{"_placeholder":true,"num":0}]}"#;
    let attachments = [Bytes::from_static(b"bytes")];
    let Tagged::Any(inner) = from_json(text, &attachments).unwrap();
    assert_eq!(inner.known.as_bytes().unwrap(), "bytes");
    assert_eq!(inner.rest["x"][1].as_bytes().unwrap(), "bytes");
    let again = Raw::encode(&Tagged::Any(inner)).unwrap();
    assert_eq!(again.attachments(), ["bytes", "bytes"]);
    assert!(
        again
            .as_str()
            .ends_with(r#""x":[1,{"_placeholder":true,"num":1}]}"#),
        "{again}"
    );
}

fn on_small_stack(work: fn()) {
    std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

fn nested(levels: usize) -> String {
    let (open, close) = (r#"[{"k":"#.repeat(levels / 2), "}]".repeat(levels / 2));
    format!("{open}1.0{close}")
}

#[test]
fn a_thousand_levels_echo_on_a_small_stack() {
    on_small_stack(|| {
        let text = nested(1_000);
        let value: Value = from_json(text.as_bytes(), &[]).unwrap();
        assert_eq!(value, Value::parse(text.as_bytes(), &[Bytes::new()]).unwrap());
        let copy = value.clone();
        drop(value);
        assert_eq!(echoed(&copy), text);
        assert_eq!(format!("{copy:?}"), text);
        assert_eq!(echoed(&from_json::<Raw>(text.as_bytes(), &[]).unwrap()), text);
        from_json::<serde::de::IgnoredAny>(text.as_bytes(), &[]).unwrap();
    });
}

#[test]
fn a_tree_of_any_depth_is_used_on_a_small_stack() {
    on_small_stack(|| {
        let mut value = Value::Null;
        for level in 0..200_000 {
            value = if level % 2 == 0 {
                Value::from(vec![value])
            } else {
                [("k", value)].into_iter().collect::<Object>().into()
            };
        }
        let copy = value.clone();
        assert_eq!(copy, value);
        assert_eq!(echoed(&copy).len(), 200_000 / 2 * (2 + 6) + 4);
        assert!(serde_json::to_string(&0).is_ok());
    });
}

#[test]
fn recursive_types_read_a_thousand_levels_and_no_more() {
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let value: serde_json::Value = from_json(nested(1_000).as_bytes(), &[]).unwrap();
    assert_eq!(echoed(&value), nested(1_000));
    assert!(from_json::<serde_json::Value>(deep(1_024).as_bytes(), &[]).is_ok());
    let refused = Err(DecodeError::TooDeep { at: 1_024 });
    assert_eq!(
        from_json::<serde_json::Value>(deep(1_025).as_bytes(), &[]),
        refused
    );
    assert_eq!(
        from_json::<Value>(deep(100_000).as_bytes(), &[]),
        Err(DecodeError::TooDeep { at: 1_024 })
    );
    let ignored = from_json::<serde::de::IgnoredAny>(deep(100_000).as_bytes(), &[]).map(drop);
    assert_eq!(ignored, Err(DecodeError::TooDeep { at: 1_024 }));
}
