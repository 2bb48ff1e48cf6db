//! What messages carry. JSON is compact and its keys are sorted, so that every server gives it back byte for byte.

use std::fmt::Write;

/// The length of a small payload, in bytes.
pub(crate) const SMALL: usize = 64;

/// `start` made [`SMALL`] letters long.
pub(crate) fn small(start: &str) -> String {
    start.chars().chain(('a'..='z').cycle()).take(SMALL).collect()
}

/// Bytes that are neither text nor all alike.
pub(crate) fn binary(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 37 % 251) as u8).collect()
}

/// An array of records, four levels deep, of at least `length` bytes.
pub(crate) fn nested_json(length: usize) -> String {
    let mut json = String::from("[");
    let mut record = 0;
    while json.len() < length {
        if record > 0 {
            json.push(',');
        }
        write!(
            json,
            concat!(
                r#"{{"active":{active},"address":{{"city":"Stuttgart","geo":{{"lat":48.{record},"lon":9.25}},"#,
                r#""street":"Main Road {record}"}},"id":{record},"name":"user number {record}","#,
                r#""orders":[{{"count":3,"item":"pen","price":1.5}},{{"count":1,"item":"book","price":20.75}}],"#,
                r#""parent":null,"tags":["new","{record}","customer"]}}"#,
            ),
            active = record % 2 == 0,
            // No trailing zero, which a server may drop.
            record = record * 10 + 1,
        )
        .expect("a String takes everything");
        record += 1;
    }
    json.push(']');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_json_survives_a_parser_that_sorts_keys() {
        let json = nested_json(64 * 1024);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value.to_string(), json);
    }

    #[test]
    fn small_payloads_keep_their_start() {
        assert_eq!(small("07").len(), SMALL);
        assert!(small("07").starts_with("07a"));
    }
}
