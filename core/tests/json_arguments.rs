//! Which values are several arguments, and reading them back.

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use socketio_core::args;
use socketio_core::json::{
    ArgumentList, Arguments, DecodeError, EncodeError, Raw, Value, first_argument, from_arguments, from_json,
    to_arguments, to_json,
};
use std::collections::BTreeMap;

fn list<T: Serialize + ?Sized>(value: &T) -> String {
    Arguments::encode(value).expect("encodes").text().to_owned()
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(Serialize)]
struct Pair(i32, i32);

#[derive(Serialize)]
struct Unit;

#[test]
fn tuples_are_several_arguments() {
    assert_eq!(list(&()), "");
    assert_eq!(list(&(1,)), "1");
    assert_eq!(list(&(1, "a")), r#"1,"a""#);
    assert_eq!(list(&(1, 2, 3, 4, 5, 6, 7, 8)), "1,2,3,4,5,6,7,8");
    assert_eq!(list(&((1, 2), ())), "[1,2],null");
    assert_eq!(list(&([1, 2], vec![3])), "[1,2],[3]");
}

#[test]
fn references_to_tuples_are_several_arguments() {
    assert_eq!(list(&&(1, "a")), r#"1,"a""#);
    assert_eq!(list(&&&mut (1, "a")), r#"1,"a""#);
    assert_eq!(list(&&()), "");
    assert_eq!(list(&(&(1, 2), &[3])), "[1,2],[3]");
}

#[test]
fn everything_else_is_one_argument() {
    assert_eq!(list(&[1, 2]), "[1,2]");
    assert_eq!(list(&&[(1, 2)]), "[[1,2]]");
    assert_eq!(list(&[0_u8; 0]), "[]");
    assert_eq!(list(&[1, 2][..]), "[1,2]");
    assert_eq!(list(&vec![(1, 2)]), "[[1,2]]");
    assert_eq!(list(&Point { x: 1, y: 2 }), r#"{"x":1,"y":2}"#);
    assert_eq!(list(&Pair(1, 2)), "[1,2]");
    assert_eq!(list(&Unit), "null");
    assert_eq!(list(&Some((1, 2))), "[1,2]");
    assert_eq!(list(&None::<()>), "null");
    assert_eq!(list(&Box::new((1, 2))), "[1,2]");
    assert_eq!(list("text"), r#""text""#);
    assert_eq!(list(&BTreeMap::from([(1, (true, 'c'))])), r#"{"1":[true,"c"]}"#);
    assert_eq!(list(&Some(Arguments::encode(&(1, 2)).unwrap())), "[1,2]");
}

#[test]
fn args_are_any_number_of_arguments() {
    let name = String::from("n");
    assert_eq!(list(&args![]), "");
    assert_eq!(
        list(&args![&name, 1.0, [1, 2], (3, 4),]),
        r#""n",1.0,[1,2],[3,4]"#
    );
    assert_eq!(list(&&args![1, 2]), "1,2");
    assert_eq!(
        list(&args![
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
        ])
        .len(),
        44
    );
    assert_eq!(list(&(args![1, 2], 3)), "[1,2],3");
    assert_eq!(
        serde_json::to_string(&socketio_core::json::args![1, "a"]).unwrap(),
        r#"[1,"a"]"#
    );
    let kept: ArgumentList<_> = args![1];
    assert_eq!(list(&kept), "1");
}

#[test]
fn what_cannot_be_serialised_is_an_error_when_it_is_sent() {
    let unkeyed = args![1, BTreeMap::from([((1, 2), 3)])];
    let mut out = BytesMut::from(&b"before"[..]);
    let mut attachments = Vec::new();
    let sent = to_arguments(&(Bytes::from_static(b"x"), unkeyed), &mut out, &mut attachments);
    assert_eq!(sent, Err(EncodeError::KeyNotText));
    assert_eq!(out, &b"before"[..]);
    assert!(attachments.is_empty());
}

#[test]
fn a_list_passes_as_it_came_and_numbers_its_attachments_anew() {
    let text = r#" 1.0 ,{"a":1,"a":2},{"num":1,"_placeholder":true},{"_placeholder":true,"num":1}"#;
    let list = Arguments::new(
        Bytes::from_static(text.as_bytes()),
        vec![Bytes::new(), Bytes::from_static(b"x")],
    );
    let (mut out, mut attachments) = (BytesMut::new(), vec![Bytes::from_static(b"earlier")]);
    to_arguments(&list, &mut out, &mut attachments).unwrap();
    let placed = r#"{"_placeholder":true,"num":1}"#;
    assert_eq!(
        out,
        format!(r#" 1.0 ,{{"a":1,"a":2}},{placed},{placed}"#).as_bytes()
    );
    assert_eq!(attachments, ["earlier", "x"]);

    let (mut direct, mut shared) = (BytesMut::new(), vec![Bytes::from_static(b"earlier")]);
    list.write_to(&mut direct, &mut shared);
    assert_eq!((direct, shared), (out, attachments));

    let (mut out, mut attachments) = (BytesMut::new(), Vec::new());
    to_json(&(Bytes::from_static(b"0"), &list), &mut out, &mut attachments).unwrap();
    assert!(
        out.starts_with(br#"[{"_placeholder":true,"num":0},[ 1.0 ,{"a""#),
        "{out:?}"
    );
    assert_eq!(attachments, ["0", "x"]);
    assert_eq!(
        serde_json::to_string(&Arguments::encode(&(1.0, "a")).unwrap()).unwrap(),
        r#"[1.0,"a"]"#
    );
}

#[test]
fn arguments_come_one_by_one() {
    let list = Arguments::new(Bytes::from_static(br#""a,]", [1,{"b":"]"}] ,null"#), Vec::new());
    let texts: Vec<_> = list.iter().map(|raw| raw.as_str().to_owned()).collect();
    assert_eq!(texts, [r#""a,]""#, r#"[1,{"b":"]"}]"#, "null"]);
    assert_eq!(Arguments::default().iter().count(), 0);
    assert!(Arguments::default().is_empty());
    assert!(!list.is_empty());
    assert_eq!(list.detach(), list);
}

#[test]
fn a_list_reads_as_tuple_struct_vec_and_whole() {
    let list = br#" "a" , 2, [3]"#;
    assert_eq!(from_arguments(list, &[]), Ok(("a", 2, vec![3])));
    assert_eq!(from_arguments(list, &[]), Ok(("a",)));
    assert_eq!(from_arguments(list, &[]), Ok(()));
    assert_eq!(from_arguments(b"1,2", &[]), Ok(Point { x: 1, y: 2 }));
    assert_eq!(from_arguments(b"1,2", &[]), Ok(vec![1, 2]));
    assert_eq!(from_arguments(b"1,2", &[]), Ok([1, 2]));
    assert_eq!(from_arguments::<Vec<i32>>(b"", &[]), Ok(vec![]));
    assert_eq!(
        from_arguments::<Value>(b"1,2.0", &[]).unwrap().to_text(),
        "[1,2.0]"
    );
    assert_eq!(
        from_arguments::<Arguments>(b"1,2.0", &[]).unwrap().text(),
        "1,2.0"
    );
    let nested: (i32, Arguments) = from_json(b"[1,[2.0,3]]", &[]).unwrap();
    assert_eq!(nested.1.text(), "2.0,3");
    assert_eq!(
        serde_json::from_str::<Arguments>("[2.0,3]").unwrap().text(),
        "2.0,3"
    );
    assert!(from_json::<Arguments>(b"{}", &[]).is_err());
}

#[test]
fn missing_arguments_read_as_null_or_are_named() {
    assert_eq!(from_arguments(b"1", &[]), Ok((1, None::<i32>, ())));
    assert_eq!(from_arguments(b"1", &[]), Ok((1, Value::Null)));
    assert_eq!(
        from_arguments::<(i32, String)>(b"1", &[]),
        Err(DecodeError::MissingArgument { index: 1 })
    );
    assert_eq!(first_argument(b"", &[]), Ok(None::<i32>));
    assert_eq!(
        first_argument::<i32>(b" ", &[]),
        Err(DecodeError::MissingArgument { index: 0 })
    );
    assert_eq!(first_argument(b"7,8", &[]), Ok(7));
    let wrong = from_arguments::<(i32, String)>(b"1,2", &[]).unwrap_err();
    assert!(
        matches!(wrong, DecodeError::Argument { index: 1, .. }),
        "{wrong:?}"
    );
    assert!(wrong.to_string().starts_with("argument 1 "), "{wrong}");
}

#[test]
fn attachments_reach_arguments() {
    let attachments = [Bytes::from_static(b"zero"), Bytes::from_static(b"one")];
    let text = br#"{"_placeholder":true,"num":1},{"file":{"_placeholder":true,"num":0}}"#;
    let (bytes, files): (Bytes, BTreeMap<String, Bytes>) = from_arguments(text, &attachments).unwrap();
    assert_eq!(
        (bytes, files["file"].clone()),
        (Bytes::from_static(b"one"), Bytes::from_static(b"zero"))
    );
    let (raw, rest): (Raw, Value) = from_arguments(text, &attachments).unwrap();
    assert_eq!(raw.parse::<Bytes>().unwrap(), "one");
    assert_eq!(rest["file"].as_bytes().unwrap(), "zero");
}

#[test]
fn a_list_is_read_as_whatever_asks_for_it() {
    #[derive(Debug, serde::Deserialize, PartialEq)]
    struct Pair(u8, Option<String>);
    #[derive(Debug, serde::Deserialize, PartialEq)]
    struct Nothing;
    #[derive(Debug, serde::Deserialize, PartialEq)]
    struct Wrapped((u8, u8));
    let list = Arguments::encode(&(1, 2)).unwrap();
    assert_eq!(list.parse(), Ok(Wrapped((1, 2))));
    assert_eq!(list.parse(), Ok(Some((1_u8, 2_u8))));
    assert_eq!(list.parse(), Ok(Nothing));
    assert_eq!(list.parse(), Ok(()));
    assert!(list.parse::<serde::de::IgnoredAny>().is_ok());
    assert_eq!(list.first(), Ok(1_u8));
    assert_eq!(Arguments::from_values(&["a", "b"]).unwrap().text(), r#""a","b""#);
    let short = Arguments::encode(&(1,)).unwrap();
    assert_eq!(short.parse(), Ok(Pair(1, None)));
    assert_eq!(Arguments::default().parse(), Ok(None::<(u8,)>));
}

#[test]
fn trees_of_a_list_are_written_as_they_were_read() {
    let text = r#"1.50,"\u00e9",{"b":{"_placeholder":true,"num":0},"a":[]}"#;
    let list = Arguments::new(text.into(), vec![Bytes::from_static(b"x")]);
    let trees = list.to_values().unwrap();
    assert_eq!(trees.len(), (&list).into_iter().count());
    let again = Arguments::from_trees(&trees);
    assert_eq!((again.text(), again.attachments()), (text, list.attachments()));
    assert_eq!(format!("{list:?}"), format!("Arguments({text})"));
}
