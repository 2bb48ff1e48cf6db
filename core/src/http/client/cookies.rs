use super::ResponseHead;
use crate::http::syntax::trim;
use core::time::Duration;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Most cookies a jar holds, as RFC 6265 section 6.1 asks for one host; the oldest makes way for the next.
pub const MAX_COOKIES: usize = 50;

/// Most bytes of one cookie, its name, value and path together, as RFC 6265 section 6.1 asks; a larger one is
/// not kept.
pub const MAX_COOKIE_BYTES: usize = 4096;

/// Before this date, the beginning of 2020, an `Expires` is past even when the response has no `Date`.
const SURELY_PAST: Duration = Duration::from_secs(1_577_836_800);

/// The cookies a server has set, for its own requests: the part of RFC 6265 that one host needs.
///
/// Every cookie belongs to the host that set it and to no other. `Domain` is therefore ignored: a jar serves one
/// host, and without a list of public suffixes nobody can say how far a domain may reach. `HttpOnly` and
/// `SameSite` are for browsers and ignored too. Attribute names are taken in any case.
///
/// Nothing here reads a clock: `Max-Age` counts from `now`, and `Expires` from the `Date` of the same response,
/// so that the server's clock is compared with itself. Without `Date`, an `Expires` before 2020 deletes and any
/// other is kept until the jar is cleared.
#[derive(Clone, Default)]
pub struct CookieJar {
    /// In the order they were first set.
    cookies: Vec<StoredCookie>,
}

#[derive(Clone)]
struct StoredCookie {
    name: String,
    value: String,
    path: String,
    scope: Scope,
    expires: Option<Instant>,
}

/// Which connections a cookie may travel on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Any,
    SecureOnly,
}

/// How long a `Set-Cookie` says its cookie lives.
#[derive(Clone, Copy)]
enum Life {
    /// As long as the jar.
    Session,
    For(Duration),
    /// It is over: the cookie is deleted.
    Over,
}

impl CookieJar {
    /// An empty jar; it holds no heap before the first cookie.
    pub const fn new() -> Self {
        Self { cookies: Vec::new() }
    }

    /// Takes every `Set-Cookie` of a response to a request for `path` (a query behind it does not matter).
    /// `secure` is whether it came over TLS; cookies marked `Secure` are taken from nowhere else.
    ///
    /// A `Max-Age` that is not a positive number deletes the cookie, as does an `Expires` that is past or no
    /// date; `Max-Age` wins over `Expires`. Malformed cookies are skipped.
    pub fn store(&mut self, now: Instant, secure: bool, path: &str, head: &ResponseHead) {
        let date = head.header_str("date").and_then(parse_date);
        for line in head.values("set-cookie") {
            let line = core::str::from_utf8(line).ok();
            let Some((cookie, life)) = line.and_then(|line| parse_cookie(line, path, date)) else {
                continue;
            };
            if cookie.scope == Scope::Any || secure {
                self.put(now, cookie, life);
            }
        }
        self.forget_expired(now);
    }

    /// The value of the `Cookie` header for a request, if there is any: longer paths first, then older cookies
    /// (RFC 6265 section 5.4).
    pub fn header(&self, now: Instant, secure: bool, path: &str) -> Option<String> {
        let path = without_query(path);
        let mut fitting: Vec<&StoredCookie> = self
            .cookies
            .iter()
            .filter(|cookie| !cookie.is_expired(now))
            .filter(|cookie| cookie.scope == Scope::Any || secure)
            .filter(|cookie| path_matches(path, &cookie.path))
            .collect();
        // The sort is stable, so cookies of equal paths keep their order.
        fitting.sort_by_key(|cookie| core::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> = fitting
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Forgets all cookies.
    pub fn clear(&mut self) {
        self.cookies = Vec::new();
    }

    /// How many cookies there are, those included that expired since the last [`store`](Self::store).
    pub fn len(&self) -> usize {
        self.cookies.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.cookies.is_empty()
    }

    fn put(&mut self, now: Instant, mut cookie: StoredCookie, life: Life) {
        let known = self
            .cookies
            .iter()
            .position(|other| other.name == cookie.name && other.path == cookie.path);
        // A life beyond what an `Instant` can say is one without end.
        cookie.expires = match life {
            Life::Session => None,
            Life::For(life) => now.checked_add(life),
            Life::Over => {
                if let Some(place) = known {
                    self.cookies.remove(place);
                }
                return;
            }
        };
        if let Some(place) = known.and_then(|place| self.cookies.get_mut(place)) {
            *place = cookie;
            return;
        }
        if self.cookies.len() >= MAX_COOKIES {
            self.forget_expired(now);
        }
        if self.cookies.len() >= MAX_COOKIES {
            self.cookies.remove(0);
        }
        self.cookies.push(cookie);
    }

    fn forget_expired(&mut self, now: Instant) {
        self.cookies.retain(|cookie| !cookie.is_expired(now));
    }
}

impl core::fmt::Debug for CookieJar {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Values are credentials.
        formatter
            .debug_list()
            .entries(self.cookies.iter().map(|cookie| &cookie.name))
            .finish()
    }
}

impl StoredCookie {
    fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

fn parse_cookie(line: &str, path: &str, date: Option<SystemTime>) -> Option<(StoredCookie, Life)> {
    let mut parts = line.split(';');
    let (name, value) = split_pair(parts.next()?);
    let (name, value) = (name.to_owned(), value?.to_owned());
    if name.is_empty() {
        return None;
    }
    let mut cookie = StoredCookie {
        name,
        value,
        path: default_path(path).to_owned(),
        scope: Scope::Any,
        expires: None,
    };
    let (mut max_age, mut expires) = (None, None);
    for attribute in parts {
        let (name, value) = split_pair(attribute);
        let value = value.unwrap_or_default();
        if name.eq_ignore_ascii_case("max-age") {
            max_age = Some(parse_max_age(value));
        } else if name.eq_ignore_ascii_case("expires") {
            expires = Some(parse_expires(value, date));
        } else if name.eq_ignore_ascii_case("secure") {
            cookie.scope = Scope::SecureOnly;
        } else if name.eq_ignore_ascii_case("path") {
            let path = if value.starts_with('/') {
                value
            } else {
                default_path(path)
            };
            path.clone_into(&mut cookie.path);
        }
    }
    let bytes = [&cookie.name, &cookie.value, &cookie.path];
    let bytes = bytes
        .iter()
        .fold(0_usize, |sum, part| sum.saturating_add(part.len()));
    (bytes <= MAX_COOKIE_BYTES).then(|| (cookie, max_age.or(expires).unwrap_or(Life::Session)))
}

/// A name and what follows its first `=`, without the whitespace around them.
fn split_pair(pair: &str) -> (&str, Option<&str>) {
    match pair.split_once('=') {
        Some((name, value)) => (trim_text(name), Some(trim_text(value))),
        None => (trim_text(pair), None),
    }
}

fn trim_text(text: &str) -> &str {
    core::str::from_utf8(trim(text.as_bytes())).unwrap_or_default()
}

fn parse_max_age(value: &str) -> Life {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse::<u64>() {
        Ok(0) => Life::Over,
        Ok(seconds) if is_number => Life::For(Duration::from_secs(seconds)),
        // More digits than 64 bits hold: as good as for ever.
        Err(_) if is_number => Life::Session,
        Ok(_) | Err(_) => Life::Over,
    }
}

fn parse_expires(value: &str, date: Option<SystemTime>) -> Life {
    let Some(expires) = parse_date(value) else {
        return Life::Over;
    };
    match date {
        Some(date) => match expires.duration_since(date) {
            Ok(life) if !life.is_zero() => Life::For(life),
            Ok(_) | Err(_) => Life::Over,
        },
        None if expires.duration_since(UNIX_EPOCH).unwrap_or_default() < SURELY_PAST => Life::Over,
        None => Life::Session,
    }
}

/// A date in one of the forms of HTTP, or in the one with hyphens (`Thu, 01-Jan-1970 00:00:00 GMT`) that
/// cookies alone have.
fn parse_date(value: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(value)
        .or_else(|_| httpdate::parse_http_date(&value.replace('-', " ")))
        .ok()
}

fn without_query(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

/// The directory of the path asked for (RFC 6265 section 5.1.4).
fn default_path(path: &str) -> &str {
    let path = without_query(path);
    match path.rfind('/') {
        Some(end @ 1..) if path.starts_with('/') => path.get(..end).unwrap_or("/"),
        Some(_) | None => "/",
    }
}

fn path_matches(path: &str, cookie_path: &str) -> bool {
    match path.strip_prefix(cookie_path) {
        Some(rest) => rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'),
        None => false,
    }
}
