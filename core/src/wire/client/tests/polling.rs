use super::support::*;
use crate::http::RequestKind;
use crate::wire::{ClientWire, Flow, Plain};
use crate::ws::OpCode;

const POLLED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: 10\r\n\r\n4a\x1e2\x1ebAQI=";

#[test]
fn the_answer_to_a_poll_is_its_head_its_packets_and_its_end() {
    let mut wire = asking(RequestKind::Poll);
    let expected = [
        "200 OK",
        "Message(Text(\"a\"))",
        "Ping(\"\")",
        "Message(Binary(b\"\\x01\\x02\"))",
        "End",
    ];
    assert_eq!(read(&mut wire, POLLED.as_bytes()), expected);
    assert_eq!(flow(&mut wire), Flow::Open);
    assert_eq!(wire.buffered(), 0);
    wire.request(request(RequestKind::Poll));
    assert!(
        output(&mut wire).starts_with(b"GET /socket.io/?EIO=4&transport=x HTTP/1.1\r\nHost: a.example\r\n")
    );
    assert_eq!(read(&mut wire, POLLED.as_bytes()), expected);
}

#[test]
fn of_the_answer_to_a_post_only_the_status_matters() {
    let mut wire = wire();
    wire.request(request(RequestKind::Post("4hello".into())));
    assert!(output(&mut wire).ends_with(b"\r\nContent-Length: 6\r\n\r\n4hello"));
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok";
    assert_eq!(read(&mut wire, answer.as_bytes()), ["200 OK", "End"]);
    wire.request(request(RequestKind::Post("4hello".into())));
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert_eq!(read(&mut wire, answer.as_bytes()), ["200 OK", "End"]);
    assert_eq!(flow(&mut wire), Flow::Closing);
}

#[test]
fn a_body_holds_as_many_packets_as_the_server_takes_and_at_least_one() {
    let take = |queue: &mut _, limit| ClientWire::<Plain>::take_payload(queue, limit);
    let mut waiting = queue(&[
        (OpCode::Text, b"4aaaa"),
        (OpCode::Binary, &[1, 2]),
        (OpCode::Text, b"4b"),
    ]);
    assert_eq!(take(&mut waiting, 10), "4aaaa");
    assert_eq!(take(&mut waiting, 8), "bAQI=\x1e4b");
    assert!(waiting.is_empty());
    let mut waiting = queue(&[(OpCode::Text, b"4too long"), (OpCode::Text, b"4b")]);
    assert_eq!(take(&mut waiting, 1), "4too long");
    assert_eq!(take(&mut waiting, 1), "4b");
    let large = vec![b'4'; 5000];
    let mut waiting = queue(&[(OpCode::Text, &large), (OpCode::Text, b"4b")]);
    assert_eq!(take(&mut waiting, usize::MAX).len(), 5003);
}

#[test]
fn bodies_may_come_in_chunks_or_last_until_the_end() {
    let mut wire = asking(RequestKind::Poll);
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\n4\r\n3\r\na\x1e6\r\n0\r\nT: x\r\n\r\n";
    let told = read(&mut wire, chunked.as_bytes());
    assert_eq!(told, ["200 OK", "Message(Text(\"a\"))", "Noop", "End"]);
    wire.request(request(RequestKind::Poll));
    assert_eq!(read(&mut wire, b"HTTP/1.1 200 OK\r\n\r\n4a\x1e"), ["200 OK"]);
    assert!(read(&mut wire, b"1").is_empty());
    assert_eq!(end(&mut wire), ["Message(Text(\"a\"))", "Close", "End"]);
    assert_eq!(flow(&mut wire), Flow::Closing);
}

#[test]
fn an_answer_that_came_whole_is_told_although_the_stream_has_ended() {
    let mut wire = asking(RequestKind::Poll);
    wire.handle_input(&mut POLLED.as_bytes().into());
    assert_eq!(end(&mut wire).last().map(String::as_str), Some("End"));
    assert_eq!(flow(&mut wire), Flow::Closing);
    wire.request(request(RequestKind::Poll));
    assert!(output(&mut wire).is_empty());
}

#[test]
fn a_connection_lost_before_the_answer_begins_is_no_fault_of_the_answer() {
    for (mut wire, told) in [(asking(RequestKind::Poll), &["Unanswered"][..]), (wire(), &[])] {
        assert_eq!(end(&mut wire), told);
        assert_eq!(flow(&mut wire), Flow::Closing);
    }
}

#[test]
fn a_refused_websocket_is_an_answer_like_any_other() {
    let mut wire = wire();
    wire.request(websocket(&[]));
    let answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 11\r\n\r\nBad request";
    assert_eq!(
        read(&mut wire, answer.as_bytes()),
        ["400 Bad Request", "ErrorBody(b\"Bad request\")", "End"]
    );
    assert_eq!(flow(&mut wire), Flow::Closing);
}
