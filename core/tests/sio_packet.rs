//! Decoding of Socket.IO packets: the grammar, its traps and its limits.

use proptest::prelude::*;
use socketio_core::Text;
use socketio_core::sio::packet::{EventName, Packet, PacketError, PacketLimits, decode};

fn read(text: &str) -> Result<Packet, PacketError> {
    decode(Text::from(text), &PacketLimits::default())
}

fn error(text: &str) -> PacketError {
    read(text).expect_err(text)
}

fn connect(namespace: &str, auth: Option<&'static str>) -> Result<Packet, PacketError> {
    Ok(Packet::Connect {
        namespace: namespace.into(),
        auth: auth.map(Into::into),
    })
}

fn event(
    namespace: &str,
    id: Option<u64>,
    name: &str,
    arguments: &'static str,
) -> Result<Packet, PacketError> {
    binary_event(namespace, id, name, arguments, 0)
}

fn binary_event(
    namespace: &str,
    id: Option<u64>,
    name: &str,
    arguments: &'static str,
    attachments: u32,
) -> Result<Packet, PacketError> {
    let (namespace, name, arguments) = (namespace.into(), EventName::from(name), arguments.into());
    Ok(Packet::Event {
        namespace,
        id,
        name,
        arguments,
        attachments,
    })
}

fn ack(namespace: &str, id: u64, arguments: &'static str, attachments: u32) -> Result<Packet, PacketError> {
    Ok(Packet::Ack {
        namespace: namespace.into(),
        id,
        arguments: arguments.into(),
        attachments,
    })
}

fn name_of(text: &str) -> EventName {
    match read(text).expect(text) {
        Packet::Event { name, .. } => name,
        other => panic!("{other:?} is no event"),
    }
}

#[test]
fn canonical_packets_are_read() {
    assert_eq!(read("0"), connect("/", None));
    assert_eq!(read("0/admin,"), connect("/admin", None));
    assert_eq!(
        read(r#"0/admin,{"token":"123"}"#),
        connect("/admin", Some(r#"{"token":"123"}"#))
    );
    assert_eq!(read(r#"0{"sid":"x"}"#), connect("/", Some(r#"{"sid":"x"}"#)));
    assert_eq!(
        read("1"),
        Ok(Packet::Disconnect {
            namespace: "/".into()
        })
    );
    assert_eq!(
        read("1/admin,"),
        Ok(Packet::Disconnect {
            namespace: "/admin".into()
        })
    );
    assert_eq!(read(r#"2["foo"]"#), event("/", None, "foo", ""));
    assert_eq!(read(r#"2/admin,["bar"]"#), event("/admin", None, "bar", ""));
    assert_eq!(read(r#"212["foo"]"#), event("/", Some(12), "foo", ""));
    assert_eq!(
        read(r#"2/admin,12["foo",1,"a"]"#),
        event("/admin", Some(12), "foo", r#"1,"a""#)
    );
    assert_eq!(read(r#"3/admin,13["bar"]"#), ack("/admin", 13, r#""bar""#, 0));
    assert_eq!(read("30[]"), ack("/", 0, "", 0));
    assert_eq!(
        read(r#"4/random,{"message":"Invalid namespace"}"#),
        Ok(Packet::ConnectError {
            namespace: "/random".into(),
            payload: r#"{"message":"Invalid namespace"}"#.into()
        })
    );
    let first = r#"{"_placeholder":true,"num":0}"#;
    assert_eq!(
        read(r#"51-["baz",{"_placeholder":true,"num":0}]"#),
        binary_event("/", None, "baz", first, 1)
    );
    assert_eq!(
        read(r#"52-/admin,7["baz",{"_placeholder":true,"num":0}]"#),
        binary_event("/admin", Some(7), "baz", first, 2)
    );
    assert_eq!(
        read(r#"61-15["bar",{"_placeholder":true,"num":0}]"#),
        ack("/", 15, r#""bar",{"_placeholder":true,"num":0}"#, 1)
    );
}

#[test]
fn the_type_must_be_known() {
    assert_eq!(error(""), PacketError::Empty);
    assert_eq!(error("7"), PacketError::UnknownType(b'7'));
    assert_eq!(error("7").to_string(), "unknown packet type 7");
    assert_eq!(error("abc").to_string(), "unknown packet type NaN");
    assert_eq!(error("ä").to_string(), "unknown packet type NaN");
    assert_eq!(error(" 2[\"a\"]").to_string(), "unknown packet type NaN");
}

#[test]
fn attachments_are_counted_in_digits_from_one_to_the_limit() {
    for text in [
        "5",
        "5-",
        "5[\"a\"]",
        "5-[\"a\"]",
        "51",
        "51[\"a\"]",
        "5x-[\"a\"]",
        "51.0-[\"a\"]",
    ] {
        assert_eq!(error(text), PacketError::IllegalAttachments, "{text}");
    }
    for text in [
        "50-[\"a\"]",
        "500-[\"a\"]",
        "51e0-[\"a\"]",
        "50x1-[\"a\"]",
        "5 1-[\"a\"]",
        "5-1-[\"a\"]",
        "60-1[]",
    ] {
        assert_eq!(error(text), PacketError::IllegalAttachments, "{text}");
    }
    assert_eq!(read("510-[\"a\"]"), binary_event("/", None, "a", "", 10));
    assert_eq!(read("501-[\"a\"]"), binary_event("/", None, "a", "", 1));
    for text in [
        "511-[\"a\"]",
        "54294967297-[\"a\"]",
        "599999999999999999999999-[\"a\"]",
    ] {
        assert_eq!(error(text), PacketError::TooManyAttachments, "{text}");
    }
    let limits = PacketLimits {
        attachments: 11,
        ..PacketLimits::default()
    };
    assert_eq!(
        decode("511-[\"a\"]".into(), &limits),
        binary_event("/", None, "a", "", 11)
    );
    assert_eq!(error("50-").to_string(), "Illegal attachments");
    assert_eq!(
        error("511-").to_string(),
        "too many attachments: send fewer in one packet, or raise Limits::attachments"
    );
}

#[test]
fn the_comma_after_a_namespace_may_be_missing_at_the_end() {
    assert_eq!(read("0/admin"), connect("/admin", None));
    assert_eq!(
        read("1/admin"),
        Ok(Packet::Disconnect {
            namespace: "/admin".into()
        })
    );
    assert_eq!(read("0/,"), connect("/", None));
    assert_eq!(read("0/"), connect("/", None));
    assert_eq!(read("2/,[\"a\"]"), event("/", None, "a", ""));
    // All of it is the namespace.
    assert_eq!(error("2/admin[\"x\"]"), PacketError::InvalidPayload);
}

#[test]
fn a_namespace_is_taken_as_it_is() {
    assert_eq!(read("0/custom?tok=1,"), connect("/custom?tok=1", None));
    assert_eq!(read("0/ä 🦀//,{}"), connect("/ä 🦀//", Some("{}")));
    assert_eq!(error("0/a\u{1e}b,"), PacketError::InvalidNamespace);
    assert_eq!(error("0/a\nb"), PacketError::InvalidNamespace);
}

#[test]
fn ids_are_digits_below_two_to_the_64() {
    assert_eq!(read("20[\"a\"]"), event("/", Some(0), "a", ""));
    assert_eq!(read("2007[\"a\"]"), event("/", Some(7), "a", ""));
    assert_eq!(
        read("2/a,18446744073709551615[\"a\"]"),
        event("/a", Some(u64::MAX), "a", "")
    );
    assert_eq!(read("300000000000000000000000001[]"), ack("/", 1, "", 0));
    assert_eq!(error("218446744073709551616[\"a\"]"), PacketError::IdOverflow);
    assert_eq!(error("399999999999999999999999999[]"), PacketError::IdOverflow);
    assert_eq!(error("2-1[\"a\"]"), PacketError::InvalidPayload);
    assert_eq!(error("2+1[\"a\"]"), PacketError::InvalidPayload);
    assert_eq!(error("21.5[\"a\"]"), PacketError::InvalidPayload);
    assert_eq!(error("2٣[\"a\"]"), PacketError::InvalidPayload);
}

#[test]
fn an_id_on_a_packet_that_has_none_is_ignored() {
    assert_eq!(read("012"), connect("/", None));
    assert_eq!(read("012{}"), connect("/", Some("{}")));
    assert_eq!(
        read("112"),
        Ok(Packet::Disconnect {
            namespace: "/".into()
        })
    );
}

#[test]
fn the_payload_of_a_connect_is_an_object_or_absent() {
    for payload in [
        "[]", "null", "\"a\"", "true", "{", "{}}", "{} {}", "{\"a\":}", "x", " ",
    ] {
        assert_eq!(
            error(&format!("0{payload}")),
            PacketError::InvalidPayload,
            "{payload}"
        );
    }
    assert_eq!(read("0 {} "), connect("/", Some(" {} ")));
    assert_eq!(error("0[]").to_string(), "invalid payload");
}

#[test]
fn a_disconnect_has_no_payload() {
    for text in ["1{}", "1/admin,{}", "1[]", "1null", "1 "] {
        assert_eq!(error(text), PacketError::InvalidPayload, "{text}");
    }
}

#[test]
fn the_payload_of_a_connect_error_is_an_object_or_a_string() {
    let refused = |payload: &'static str| Packet::ConnectError {
        namespace: "/".into(),
        payload: payload.into(),
    };
    assert_eq!(read(r#"4"nope""#), Ok(refused(r#""nope""#)));
    assert_eq!(read("4{}"), Ok(refused("{}")));
    for text in ["4", "4/a,", "4[]", "4null", "4true", "4\"a"] {
        assert_eq!(error(text), PacketError::InvalidPayload, "{text}");
    }
}

#[test]
fn the_payload_of_an_event_is_a_list_that_starts_with_a_name() {
    for text in [
        "2",
        "2/a,",
        "212",
        "51-",
        "2[]",
        "2[ ]",
        "2{}",
        "2\"a\"",
        "2null",
        "2[null]",
        "2[true]",
        "2[{}]",
        "2[[\"a\"]]",
        "2[\"a\"",
        "2[\"a\",]",
        "2[\"a\"]]",
        "2[\"a\"] 1",
        "2[\"a\" 1]",
        "2[\"\\x\"]",
        "2[\"a\nb\"]",
        "2[\"a\",01]",
        "2[\"a\"}",
        "2[\"a\",{]}",
        "2abc",
        "51-{}",
        "51-[{\"_placeholder\":true,\"num\":0}]",
    ] {
        assert_eq!(error(text), PacketError::InvalidPayload, "{text}");
    }
    assert_eq!(read(r#"2 [ "a" , 1 , {} ] "#), event("/", None, "a", "1 , {} "));
    assert_eq!(read(r#"2["a" ]"#), event("/", None, "a", ""));
}

#[test]
fn reserved_names_are_refused_however_they_are_spelled() {
    for name in [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    ] {
        assert_eq!(
            error(&format!(r#"2["{name}"]"#)),
            PacketError::ReservedEvent,
            "{name}"
        );
        assert_eq!(
            error(&format!(r#"51-/a,1["{name}",1]"#)),
            PacketError::ReservedEvent,
            "{name}"
        );
        let (first, rest) = name.split_at(1);
        let escaped = format!(r#"2["\u{:04x}{rest}"]"#, u32::from(first.as_bytes()[0]));
        assert_eq!(error(&escaped), PacketError::ReservedEvent, "{escaped}");
    }
    for name in [
        "connection",
        "error",
        "message",
        "ping",
        "Connect",
        "connect ",
        "",
    ] {
        assert_eq!(name_of(&format!(r#"2["{name}"]"#)), name);
    }
    assert_eq!(read("31[\"connect\"]"), ack("/", 1, "\"connect\"", 0));
}

#[test]
fn a_name_is_unescaped_and_still_known_as_it_was_written() {
    let name = name_of(r#"2["a\n\u00e4\ud83e\udd80"]"#);
    assert_eq!(name.as_str(), "a\nä🦀");
    assert_eq!(name.raw(), r#""a\n\u00e4\ud83e\udd80""#);
    assert_eq!(name, EventName::from("a\nä🦀"));
    assert_eq!(name_of(r#"2["\u0061"]"#), name_of(r#"2["a"]"#));
    assert_eq!(name.detach(), name);
}

#[test]
fn a_name_may_be_a_number() {
    let name = name_of("2[-1.50e3,2]");
    assert_eq!(
        (name.as_str(), name.raw(), name.is_number()),
        ("-1.50e3", "-1.50e3", true)
    );
    assert_ne!(name_of("2[1]"), name_of(r#"2["1"]"#));
}

#[test]
fn a_name_with_a_lone_surrogate_keeps_its_escapes() {
    let name = name_of(r#"2["a\ud800",1]"#);
    assert_eq!((name.as_str(), name.raw()), (r"a\ud800", r#""a\ud800""#));
    assert_ne!(name, name_of(r#"2["a\\ud800"]"#));
    assert_eq!(read(r#"2["a","\ud800"]"#), event("/", None, "a", r#""\ud800""#));
}

#[test]
fn an_ack_without_id_or_payload_is_told_apart() {
    for text in ["3", "31", "3/a,", "3/a,1", "3[\"x\"]", "3[]"] {
        assert_eq!(error(text), PacketError::IncompleteAck, "{text}");
    }
    for text in [
        "31{}",
        "31null",
        "3[\"x\"",
        "3{}",
        "31[1,]",
        "61-",
        "61-1",
        "61-[\"x\"]",
    ] {
        assert_eq!(error(text), PacketError::InvalidPayload, "{text}");
    }
    assert_eq!(read("31[ ]"), ack("/", 1, "", 0));
    assert_eq!(read("31[ 1 ,[]]"), ack("/", 1, "1 ,[]", 0));
}

#[test]
fn placeholders_must_name_an_attachment_of_a_binary_packet() {
    for text in [
        r#"51-["a",{"_placeholder":true,"num":1}]"#,
        r#"51-["a",{"_placeholder":true,"num":0.5}]"#,
        r#"51-["a",{"_placeholder":true,"num":-1}]"#,
        r#"51-["a",{"_placeholder":true}]"#,
        r#"61-1[{"\u005fplaceholder":true,"num":"0"}]"#,
    ] {
        assert_eq!(error(text), PacketError::IllegalPlaceholder, "{text}");
        assert_eq!(error(text).to_string(), "illegal attachments");
    }
    let plain = r#"{"_placeholder":true,"num":5}"#;
    assert_eq!(
        read(r#"2["a",{"_placeholder":true,"num":5}]"#),
        event("/", None, "a", plain)
    );
    assert_eq!(
        read(r#"31[{"_placeholder":true,"num":5}]"#),
        ack("/", 1, plain, 0)
    );
    // Missing, repeated and out of order is legal.
    assert_eq!(read(r#"52-["a"]"#), binary_event("/", None, "a", "", 2));
    let repeated = r#"[{"_placeholder":true,"num":1},{"num":1,"_placeholder":true}]"#;
    assert_eq!(
        read(r#"52-["a",[{"_placeholder":true,"num":1},{"num":1,"_placeholder":true}]]"#),
        binary_event("/", None, "a", repeated, 2)
    );
}

#[test]
fn nesting_is_limited() {
    let packet = |levels: usize| format!("2[\"a\",{}{}]", "[".repeat(levels), "]".repeat(levels));
    assert!(read(&packet(1023)).is_ok());
    assert_eq!(error(&packet(1024)), PacketError::TooDeep);
    assert_eq!(error(&packet(200_000)), PacketError::TooDeep);
    assert_eq!(
        error(&format!("0{}", "{\"a\":".repeat(200_000))),
        PacketError::TooDeep
    );
    let limits = PacketLimits {
        json_depth: 1,
        ..PacketLimits::default()
    };
    assert!(decode("2[\"a\",1]".into(), &limits).is_ok());
    assert_eq!(decode("2[\"a\",[]]".into(), &limits), Err(PacketError::TooDeep));
}

#[test]
fn all_parts_share_the_buffer_of_the_packet() {
    let text = Text::from(r#"2/admin,12["name",[1,2,3],"end"]"#);
    let range = text.as_bytes().as_ptr_range();
    let Ok(Packet::Event {
        namespace,
        name,
        arguments,
        ..
    }) = decode(text, &PacketLimits::default())
    else {
        panic!("no event");
    };
    for part in [namespace.as_bytes(), name.as_str().as_bytes(), &arguments] {
        assert!(range.contains(&part.as_ptr()));
    }
}

fn almost_packet() -> impl Strategy<Value = String> {
    let pieces = [
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "-",
        "/",
        "/a,",
        ",",
        "[",
        "]",
        "{",
        "}",
        "\"a\"",
        "\"",
        "\\",
        ":",
        "12",
        "true",
        "{\"_placeholder\":true,\"num\":0}",
        "\"\\ud800\"",
        "\"\\u0061\"",
        "ä",
        "\u{1e}",
        " ",
        "[\"a\"",
        "[1",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12).prop_map(|pieces| pieces.concat())
}

fn decode_at_will(text: &str) {
    for attachments in [0, 1, u32::MAX] {
        let limits = PacketLimits {
            json_depth: 3,
            attachments,
        };
        if let Ok(Packet::Event { name, .. }) = decode(Text::from(text), &limits) {
            let _ = (name.as_str(), name.raw(), name.to_string());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn never_panics_on_what_is_almost_a_packet(text in almost_packet()) {
        decode_at_will(&text);
    }

    #[test]
    fn never_panics_on_any_text(text in any::<String>(), packet_type in "[0-9]?") {
        decode_at_will(&(packet_type + &text));
    }

    #[test]
    fn never_panics_on_any_bytes_that_are_text(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        decode_at_will(&String::from_utf8_lossy(&bytes));
    }
}
