//! Keys of maps that are no strings in Rust: what serde_json writes as text is text here, too.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use socketio_core::json::{DecodeError, EncodeError, from_json, to_json};
use std::collections::BTreeMap;
use std::fmt::Debug;

fn write<T: Serialize>(value: &T) -> Result<String, EncodeError> {
    let (mut text, mut attachments) = (bytes::BytesMut::new(), Vec::new());
    to_json(value, &mut text, &mut attachments)?;
    assert!(attachments.is_empty());
    Ok(String::from_utf8(text.to_vec()).unwrap())
}

#[track_caller]
fn survives<K: Serialize + DeserializeOwned + Ord + Debug + Clone>(key: &K, text: &str) {
    let map = BTreeMap::from([(key.clone(), 1)]);
    let expected = format!("{{{text}:1}}");
    assert_eq!(write(&map).as_deref(), Ok(expected.as_str()));
    assert_eq!(serde_json::to_string(&map).unwrap(), expected);
    assert_eq!(from_json(expected.as_bytes(), &[]).as_ref(), Ok(&map));
}

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
enum Color {
    Red,
    Mixed(u8),
    Tuple(u8, u8),
    Named { part: u8 },
}

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Wrapped(u16);

#[test]
fn numbers_and_bools_stand_in_quotes() {
    survives(&true, "\"true\"");
    survives(&-8_i8, "\"-8\"");
    survives(&-16_i16, "\"-16\"");
    survives(&-32_i32, "\"-32\"");
    survives(&-64_i64, "\"-64\"");
    survives(&i128::MIN, &format!("\"{}\"", i128::MIN));
    survives(&8_u8, "\"8\"");
    survives(&16_u16, "\"16\"");
    survives(&32_u32, "\"32\"");
    survives(&u64::MAX, &format!("\"{}\"", u64::MAX));
    survives(&u128::MAX, &format!("\"{}\"", u128::MAX));
}

#[test]
fn text_characters_names_and_wrapped_keys_are_text() {
    survives(&"a\"b".to_owned(), r#""a\"b""#);
    survives(&'\u{e9}', "\"\u{e9}\"");
    survives(&Color::Red, "\"Red\"");
    survives(&Wrapped(7), "\"7\"");
    survives(&Some("x".to_owned()), "\"x\"");
    let escaped: BTreeMap<u8, u8> = from_json(br#"{"\u0037":1}"#, &[]).unwrap();
    assert_eq!(escaped, BTreeMap::from([(7, 1)]));
}

#[test]
fn a_key_that_displays_itself_is_text() {
    struct Address(std::net::Ipv4Addr);
    impl Serialize for Address {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&self.0)
        }
    }
    struct Map;
    impl Serialize for Map {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([(Address([127, 0, 0, 1].into()), 1)])
        }
    }
    assert_eq!(write(&Map).as_deref(), Ok(r#"{"127.0.0.1":1}"#));
}

/// A map with one key of any type.
struct With<K>(K);

impl<K: Serialize> Serialize for With<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(&self.0, 1)])
    }
}

#[test]
fn other_keys_are_refused() {
    #[derive(Serialize)]
    struct Unit;
    let refused = Err(EncodeError::KeyNotText);
    assert_eq!(write(&With(1.5_f32)), refused);
    assert_eq!(write(&With(1.5_f64)), refused);
    assert_eq!(write(&With(())), refused);
    assert_eq!(write(&With(Unit)), refused);
    assert_eq!(write(&With(None::<u8>)), refused);
    assert_eq!(write(&With(vec![1])), refused);
    assert_eq!(write(&With((1, 2))), refused);
    assert_eq!(write(&With(BTreeMap::from([(1, 2)]))), refused);
    assert_eq!(write(&With(bytes::Bytes::from_static(b"x"))), refused);
    assert_eq!(write(&With(Color::Mixed(1))), refused);
    assert_eq!(write(&With(Color::Tuple(1, 2))), refused);
    assert_eq!(write(&With(Color::Named { part: 1 })), refused);
}

#[test]
fn a_key_that_is_no_number_or_variant_is_an_error_and_no_panic() {
    fn read<K: DeserializeOwned + Ord>(text: &str) -> Result<BTreeMap<K, u8>, DecodeError> {
        from_json(text.as_bytes(), &[])
    }
    assert!(read::<u8>(r#"{"300":1}"#).is_err());
    assert!(read::<bool>(r#"{"maybe":1}"#).is_err());
    assert!(read::<Color>(r#"{"Green":1}"#).is_err());
    for variant in ["Mixed", "Tuple", "Named"] {
        assert!(read::<Color>(&format!("{{\"{variant}\":1}}")).is_err());
    }
    assert!(read::<(u8, u8)>(r#"{"a":1}"#).is_err());
    let ignored: Result<serde::de::IgnoredAny, _> = from_json(br#"{"a":{"b":[]}}"#, &[]);
    assert!(ignored.is_ok());
}
