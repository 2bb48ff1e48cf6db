use std::borrow::Cow;

/// The parameters of a query, in `application/x-www-form-urlencoded` (protocol section 1.3).
///
/// `+` is a space, `%XX` a byte; a `%` that starts no escape stays as it is, and bytes that are not
/// UTF-8 become U+FFFD. Nothing is decoded before it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    raw: &'a str,
}

impl<'a> Query<'a> {
    /// The query `raw`, without the `?`.
    pub const fn new(raw: &'a str) -> Self {
        Self { raw }
    }

    /// The value of `name`; of several, the last. A parameter without `=` has the empty value.
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.raw
            .rsplit('&')
            .filter(|pair| !pair.is_empty())
            .map(split_pair)
            .find(|(key, _)| *key == name || (needs_decoding(key) && decode(key) == name))
            .map(|(_, value)| decode(value))
    }

    /// Every parameter in the order sent, repeated ones included.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + use<'a> {
        self.raw
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(split_pair)
            .map(|(key, value)| (decode(key), decode(value)))
    }

    /// The query as sent.
    pub const fn as_str(&self) -> &'a str {
        self.raw
    }
}

fn split_pair(pair: &str) -> (&str, &str) {
    pair.split_once('=').unwrap_or((pair, ""))
}

fn needs_decoding(text: &str) -> bool {
    memchr::memchr2(b'+', b'%', text.as_bytes()).is_some()
}

fn decode(text: &str) -> Cow<'_, str> {
    if !needs_decoding(text) {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => match escaped_byte(tail) {
                Some((escaped, after)) => {
                    rest = after;
                    escaped
                }
                None => b'%',
            },
            other => other,
        });
    }
    match String::from_utf8(decoded) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// The byte that two hexadecimal digits at the front of `digits` stand for, and what follows them.
fn escaped_byte(digits: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, rest @ ..] = digits else {
        return None;
    };
    let high = char::from(*high).to_digit(16)?;
    let low = char::from(*low).to_digit(16)?;
    Some((u8::try_from((high << 4) | low).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[test]
    fn the_last_duplicate_wins() {
        let query = Query::new("EIO=3&transport=polling&EIO=4");
        assert_eq!(query.get("EIO").as_deref(), Some("4"));
        assert_eq!(query.get("transport").as_deref(), Some("polling"));
        assert_eq!(query.get("sid"), None);
    }

    #[test]
    fn names_and_values_are_decoded() {
        let query = Query::new("a%20b=c+d%2B&%C3%A4=%e2%82%ac");
        assert_eq!(query.get("a b").as_deref(), Some("c d+"));
        assert_eq!(query.get("ä").as_deref(), Some("€"));
    }

    #[test]
    fn malformed_escapes_stay_and_invalid_utf8_is_replaced() {
        let query = Query::new("a=%zz%4&b=%ff&c=%+1&d=100%");
        assert_eq!(query.get("a").as_deref(), Some("%zz%4"));
        assert_eq!(query.get("b").as_deref(), Some("\u{fffd}"));
        assert_eq!(query.get("c").as_deref(), Some("% 1"));
        assert_eq!(query.get("d").as_deref(), Some("100%"));
    }

    #[test]
    fn presence_without_value_is_the_empty_value() {
        let query = Query::new("&&j&b64=&=x&");
        assert_eq!(query.get("j").as_deref(), Some(""));
        assert_eq!(query.get("b64").as_deref(), Some(""));
        assert_eq!(query.get("").as_deref(), Some("x"));
        assert_eq!(Query::new("a&&").get(""), None);
        assert_eq!(Query::new("=").get("").as_deref(), Some(""));
        let pairs: Vec<_> = query
            .iter()
            .map(|(key, value)| format!("{key}:{value}"))
            .collect();
        assert_eq!(pairs, ["j:", "b64:", ":x"]);
    }
}
