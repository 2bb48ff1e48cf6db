//! The serializer and the deserializer against serde_json, and attachments both ways.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use socketio_core::json::{
    Arguments, DecodeError, EncodeError, Raw, Value, first_argument, from_arguments, from_json, to_json,
};
use std::collections::{BTreeMap, HashMap};

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<String, EncodeError> {
    let (mut out, mut attachments) = (BytesMut::new(), Vec::new());
    to_json(value, &mut out, &mut attachments)?;
    Ok(String::from_utf8(out.to_vec()).unwrap())
}

fn decode<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, DecodeError> {
    from_json(text.as_bytes(), &[])
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Shape {
    Unit,
    Newtype(Option<i64>),
    Tuple(u8, char),
    Struct { a: String, b: Vec<Self> },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Everything {
    unit: (),
    flag: bool,
    small: i8,
    large: u64,
    huge: i128,
    float: f64,
    single: f32,
    text: String,
    option: Option<Box<Self>>,
    shapes: Vec<Shape>,
    by_number: BTreeMap<i32, String>,
    by_flag: BTreeMap<bool, char>,
    pair: (u16, String),
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        Just(Shape::Unit),
        any::<Option<i64>>().prop_map(Shape::Newtype),
        any::<(u8, char)>().prop_map(|(a, b)| Shape::Tuple(a, b)),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        (any::<String>(), prop::collection::vec(inner, 0..3)).prop_map(|(a, b)| Shape::Struct { a, b })
    })
}

fn everything() -> impl Strategy<Value = Everything> {
    let numbers = (
        any::<i8>(),
        any::<u64>(),
        any::<i128>(),
        prop::num::f64::NORMAL,
        prop::num::f32::NORMAL,
    );
    let maps = (
        prop::collection::btree_map(any::<i32>(), any::<String>(), 0..3),
        any::<BTreeMap<bool, char>>(),
    );
    let rest = (
        any::<bool>(),
        any::<String>(),
        prop::collection::vec(shape(), 0..3),
        any::<(u16, String)>(),
    );
    let flat =
        (numbers, maps, rest).prop_map(|((small, large, huge, float, single), maps, rest)| Everything {
            unit: (),
            flag: rest.0,
            small,
            large,
            huge,
            float,
            single,
            text: rest.1,
            option: None,
            shapes: rest.2,
            by_number: maps.0,
            by_flag: maps.1,
            pair: rest.3,
        });
    let flat = flat.boxed();
    (flat.clone(), prop::option::of(flat)).prop_map(|(outer, inner)| Everything {
        option: inner.map(Box::new),
        ..outer
    })
}

fn tree() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        prop::num::f64::NORMAL.prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn trees_write_as_serde_json_does_and_read_back(tree in tree()) {
        let text = encode(&tree).unwrap();
        prop_assert_eq!(&text, &serde_json::to_string(&tree).unwrap());
        prop_assert_eq!(&decode::<serde_json::Value>(&text).unwrap(), &tree);
        let pretty = serde_json::to_string_pretty(&tree).unwrap();
        prop_assert_eq!(&decode::<serde_json::Value>(&pretty).unwrap(), &tree);
        prop_assert_eq!(Value::parse(pretty.as_bytes(), &[]).unwrap().to_text(), text.as_str());
        prop_assert_eq!(&serde_json::to_value(Raw::from_json(pretty).unwrap()).unwrap(), &tree);
        decode::<IgnoredAny>(&text).unwrap();
    }

    #[test]
    fn types_write_as_serde_json_does_and_read_back(value in everything()) {
        let text = encode(&value).unwrap();
        prop_assert_eq!(&text, &serde_json::to_string(&value).unwrap());
        prop_assert_eq!(&decode::<Everything>(&text).unwrap(), &value);
        let list = Arguments::encode(&(&value, &text)).unwrap();
        prop_assert_eq!(list.parse::<(Everything, String)>().unwrap(), (value, text));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        read_everything(&bytes);
    }

    #[test]
    fn almost_json_never_panics(text in r#"([\[\]{},:"\\ 0-9a-fnrtul.eE+-]|"_placeholder":true|"num":|\\ud800|null|é){0,24}"#) {
        read_everything(text.as_bytes());
    }

    #[test]
    fn damaged_json_never_panics(tree in tree(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut text = serde_json::to_vec(&tree).unwrap();
        let at = at.index(text.len());
        text[at] = byte;
        read_everything(&text);
        read_everything(&text[..at]);
    }
}

fn read_everything(text: &[u8]) {
    for attachments in [&[][..], &[Bytes::from_static(b"0"), Bytes::new()][..]] {
        let _ = from_json::<serde_json::Value>(text, attachments);
        let _ = from_json::<Everything>(text, attachments);
        let _ = from_json::<Shape>(text, attachments);
        let _ = from_json::<HashMap<u32, Bytes>>(text, attachments);
        let _ = from_json::<(i8, f64, &str)>(text, attachments);
        let _ = from_json::<IgnoredAny>(text, attachments);
        let _ = from_json::<Raw>(text, attachments).map(|raw| Raw::encode(&raw));
        let _ = from_json::<Value>(text, attachments).map(|value| value.to_text());
        let _ = from_arguments::<(Value, Raw, Shape)>(text, attachments);
        let _ = from_arguments::<Arguments>(text, attachments);
        let _ = first_argument::<Everything>(text, attachments);
        let parsed = Value::parse(text, attachments);
        if attachments.is_empty() {
            let known = serde_json::from_slice::<Raw>(text).is_ok();
            assert!(parsed.is_ok() || !known, "serde_json accepts {text:?}");
        }
        let list = Arguments::new(Bytes::copy_from_slice(text), attachments.to_vec());
        list.iter().for_each(|raw| drop(raw.parse::<Value>()));
        let _ = Arguments::encode(&(&list, 1));
        let _ = list.is_empty();
    }
}

#[test]
fn numbers_are_written_as_serde_json_writes_them() {
    assert_eq!(
        encode(&(1.0_f64, 0.1_f32, -0.0_f64, 1e21_f64)).unwrap(),
        "[1.0,0.1,-0.0,1e+21]"
    );
    assert_eq!(encode(&[f64::NAN, f64::INFINITY]).unwrap(), "[null,null]");
    assert_eq!(
        encode(&(i64::MIN, u64::MAX, 0, 10)).unwrap(),
        "[-9223372036854775808,18446744073709551615,0,10]"
    );
    assert_eq!(
        encode(&(i128::MIN, u128::MAX)).unwrap(),
        format!("[{},{}]", i128::MIN, u128::MAX)
    );
}

#[test]
fn numbers_are_read_in_every_width() {
    assert_eq!(
        decode(&format!("[{},{}]", i128::MIN, u128::MAX)),
        Ok((i128::MIN, u128::MAX))
    );
    assert_eq!(
        decode("[-128,255,1,1e400,-0]"),
        Ok((-128_i8, 255_u8, 1.0_f64, f64::INFINITY, 0))
    );
    assert_eq!(decode("0.1"), Ok(0.1_f32));
    assert_eq!(
        decode("18446744073709551616"),
        Ok(serde_json::json!(18446744073709551616.0))
    );
    assert!(decode::<u8>("256").is_err());
    assert!(decode::<i64>("1.5").is_err());
    assert!(decode::<f64>("inf").is_err());
    assert!(decode::<f64>("-inf").is_err());
}

#[test]
fn map_keys_are_those_of_serde_json() {
    assert_eq!(encode(&BTreeMap::from([(Some('a'), 1)])).unwrap(), r#"{"a":1}"#);
    assert_eq!(
        encode(&BTreeMap::from([(-1_i128, ())])).unwrap(),
        r#"{"-1":null}"#
    );
    assert_eq!(encode(&BTreeMap::from([("\"", true)])).unwrap(), r#"{"\"":true}"#);
    assert_eq!(encode(&BTreeMap::from([((), 1)])), Err(EncodeError::KeyNotText));
    assert_eq!(
        encode(&BTreeMap::from([(vec![1], 1)])),
        Err(EncodeError::KeyNotText)
    );
    assert_eq!(
        decode(r#"{"1":"a","2":"b"}"#),
        Ok(BTreeMap::from([(1_u8, 'a'), (2, 'b')]))
    );
    assert!(decode::<BTreeMap<u8, char>>(r#"{"x":"a"}"#).is_err());
}

#[test]
fn strings_are_borrowed_unless_they_have_escapes() {
    assert_eq!(decode(r#""h\u00e9\n\ud83d\ude00\/""#), Ok("hé\n😀/".to_owned()));
    assert_eq!(decode(r#""hé""#), Ok("hé"));
    assert!(decode::<&str>(r#""\n""#).is_err());
    assert_eq!(decode::<char>(r#""\u00e9""#), Ok('é'));
}

#[test]
fn lone_surrogates_are_named_and_read_as_value() {
    for text in [
        r#"["\ud800"]"#,
        r#"["\udc00"]"#,
        r#"["\ud800\ud800"]"#,
        r#"["\ud800x"]"#,
        r#"["\ud800\n"]"#,
    ] {
        assert_eq!(
            decode::<Vec<String>>(text),
            Err(DecodeError::LoneSurrogate { at: 1 }),
            "{text}"
        );
        assert_eq!(decode::<Value>(text).unwrap().to_text(), text);
    }
    assert_eq!(decode::<IgnoredAny>(r#""\ud800""#).map(drop), Ok(()));
}

#[test]
fn enums_take_all_forms_of_serde_json() {
    for shape in [r#""Unit""#, r#"{"Unit":null}"#] {
        assert_eq!(decode(shape), Ok(Shape::Unit));
    }
    assert_eq!(decode(r#"{"Newtype":null}"#), Ok(Shape::Newtype(None)));
    assert_eq!(decode(r#" { "Tuple" : [ 1 , "c" ] } "#), Ok(Shape::Tuple(1, 'c')));
    assert_eq!(decode(r#"{"\u0055nit":null}"#), Ok(Shape::Unit));
    for wrong in [
        "{}",
        r#"{"Unit":null,"Tuple":[]}"#,
        r#""Newtype""#,
        "1",
        r#"{"Tuple":[1]}"#,
        r#"{"Tuple":[1,"c",2]}"#,
    ] {
        assert!(decode::<Shape>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn surplus_items_are_refused_below_the_argument_list() {
    assert_eq!(decode::<(u8, u8)>("[1,2,3]"), Err(DecodeError::Surplus { at: 4 }));
    assert!(decode::<(u8, u8)>("[1]").is_err());
    assert_eq!(decode::<u8>("1 2"), Err(DecodeError::Syntax { at: 2 }));
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Files {
    bytes: Bytes,
    buffer: ByteBuf,
    #[serde(with = "serde_bytes")]
    vector: Vec<u8>,
    nested: Vec<Option<BTreeMap<String, Bytes>>>,
    either: Either,
    value: Value,
    #[serde(flatten)]
    rest: BTreeMap<String, Bytes>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(untagged)]
enum Either {
    Number(u8),
    File { file: ByteBuf },
}

#[test]
fn bytes_anywhere_are_attachments_both_ways() {
    let files = Files {
        bytes: Bytes::from_static(b"0"),
        buffer: ByteBuf::from(b"1"),
        vector: b"2".to_vec(),
        nested: vec![
            None,
            Some(BTreeMap::from([("deep".into(), Bytes::from_static(b"3"))])),
        ],
        either: Either::File {
            file: ByteBuf::from(b"4"),
        },
        value: Value::from(vec![Bytes::from_static(b"5")]),
        rest: BTreeMap::from([("flat".into(), Bytes::from_static(b"6"))]),
    };
    let (mut out, mut attachments) = (BytesMut::new(), Vec::new());
    to_json(&files, &mut out, &mut attachments).unwrap();
    assert_eq!(attachments, ["0", "1", "2", "3", "4", "5", "6"]);
    assert!(
        out.starts_with(br#"{"bytes":{"_placeholder":true,"num":0},"buffer":{"_placeholder":true,"num":1}"#)
    );
    assert_eq!(from_json::<Files>(&out, &attachments), Ok(files));
}

#[test]
fn attachments_may_be_borrowed() {
    let attachments = [Bytes::from_static(b"bytes")];
    let text = br#"[{"_placeholder":true,"num":0}]"#;
    assert_eq!(
        from_json::<Vec<&serde_bytes::Bytes>>(text, &attachments).unwrap()[0],
        &b"bytes"[..]
    );
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Lookalike {
    _placeholder: bool,
    num: u8,
}

#[test]
fn objects_that_look_like_placeholders_are_objects_without_attachments() {
    let lookalike = Lookalike {
        _placeholder: true,
        num: 0,
    };
    let text = encode(&lookalike).unwrap();
    assert_eq!(text, r#"{"_placeholder":true,"num":0}"#);
    assert_eq!(decode(&text), Ok(lookalike));
    let attachments = [Bytes::from_static(b"bytes")];
    assert!(from_json::<Lookalike>(text.as_bytes(), &attachments).is_err());
    let unmarked = br#"{"_placeholder":true,"_placeholder":1,"num":0}"#;
    assert!(
        from_json::<Value>(unmarked, &attachments)
            .unwrap()
            .as_object()
            .is_some()
    );
}

#[test]
fn placeholders_without_their_attachment_are_an_error() {
    let attachments = [Bytes::from_static(b"bytes")];
    for wrong in ["1", "-1", "0.5", "\"0\"", "null", "1e300"] {
        let text = format!(r#"[{{"_placeholder":true,"num":{wrong}}}]"#);
        let refused = Err(DecodeError::Placeholder { at: 1 });
        assert_eq!(
            from_json::<Vec<Bytes>>(text.as_bytes(), &attachments),
            refused,
            "{wrong}"
        );
    }
    assert_eq!(
        from_json::<Bytes>(br#"{"num":0.0,"_placeholder":true}"#, &attachments).unwrap(),
        "bytes"
    );
}

#[test]
fn text_of_display_types_is_escaped_without_a_string_in_between() {
    struct Shown;
    impl std::fmt::Display for Shown {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a\"b")
        }
    }
    impl Serialize for Shown {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }
    assert_eq!(encode(&Shown).unwrap(), r#""a\"b""#);
    assert_eq!(encode(&std::net::Ipv4Addr::LOCALHOST).unwrap(), r#""127.0.0.1""#);
}
