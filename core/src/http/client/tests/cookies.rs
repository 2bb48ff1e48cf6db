use super::head;
use crate::http::client::cookies::{CookieJar, MAX_COOKIE_BYTES, MAX_COOKIES};
use core::time::Duration;
use std::time::Instant;

const DATE: &str = "Date: Wed, 21 Oct 2015 07:28:00 GMT";

/// A jar and the time it is.
struct Browser {
    jar: CookieJar,
    now: Instant,
}

impl Browser {
    #[allow(clippy::disallowed_methods)]
    fn new() -> Self {
        Self {
            jar: CookieJar::new(),
            now: Instant::now(),
        }
    }

    /// What is sent for `/io/x` over TLS after a response to the same with these headers.
    fn after(&mut self, lines: &[&str]) -> Option<String> {
        self.store("/io/x?EIO=4", true, lines);
        self.jar.header(self.now, true, "/io/x?EIO=4&t=1")
    }

    fn store(&mut self, path: &str, secure: bool, lines: &[&str]) {
        let head = head(&format!("HTTP/1.1 200 OK\r\n{}\r\n\r\n", lines.join("\r\n"))).unwrap();
        self.jar.store(self.now, secure, path, &head);
    }

    fn wait(&mut self, seconds: u64) -> Option<String> {
        self.now += Duration::from_secs(seconds);
        self.jar.header(self.now, true, "/io/x")
    }
}

#[test]
fn cookies_come_back_in_the_order_they_were_set() {
    let mut browser = Browser::new();
    assert_eq!(browser.after(&["X: y"]), None);
    let sent = browser.after(&[
        "Set-Cookie: a=1",
        "set-cookie:  b = \"x=y\" ; HttpOnly; SameSite=Strict",
    ]);
    assert_eq!(sent.as_deref(), Some("a=1; b=\"x=y\""));
    assert_eq!(
        browser.after(&["Set-Cookie: a=3"]).as_deref(),
        Some("a=3; b=\"x=y\"")
    );
    assert_eq!(format!("{:?}", browser.jar), "[\"a\", \"b\"]");
    browser.jar.clear();
    assert!(browser.jar.is_empty());
}

#[test]
fn malformed_cookies_are_skipped() {
    let mut browser = Browser::new();
    let long = format!("Set-Cookie: long={}", "x".repeat(MAX_COOKIE_BYTES));
    assert_eq!(
        browser.after(&["Set-Cookie: novalue", "Set-Cookie: =x", "Set-Cookie: ;", &long]),
        None
    );
    assert_eq!(browser.after(&["Set-Cookie: a="]).as_deref(), Some("a="));
}

#[test]
fn attributes_are_known_in_any_case() {
    for attribute in ["max-age=60", "Max-Age=60", "MAX-AGE = 60"] {
        let mut browser = Browser::new();
        let line = format!("Set-Cookie: a=1; {attribute}");
        assert_eq!(browser.after(&[&line]).as_deref(), Some("a=1"), "{attribute}");
        assert_eq!(browser.wait(59).as_deref(), Some("a=1"), "{attribute}");
        assert_eq!(browser.wait(1), None, "{attribute}");
    }
    for attribute in [
        "expires=Wed, 21 Oct 2015 07:29:00 GMT",
        "EXPIRES=Wed, 21-Oct-2015 07:29:00 GMT",
    ] {
        let mut browser = Browser::new();
        let line = format!("Set-Cookie: a=1; {attribute}");
        assert_eq!(
            browser.after(&[DATE, &line]).as_deref(),
            Some("a=1"),
            "{attribute}"
        );
        assert_eq!(browser.wait(59).as_deref(), Some("a=1"), "{attribute}");
        assert_eq!(browser.wait(1), None, "{attribute}");
    }
}

#[test]
fn an_age_that_is_not_positive_and_a_date_that_is_past_or_none_delete() {
    for attribute in [
        "max-age=0",
        "Max-Age=-1",
        "Max-Age=soon",
        "Max-Age=+5",
        "Max-Age=",
        "Max-Age=0; Expires=Wed, 21 Oct 2065 07:28:00 GMT",
        "Expires=Wed, 21 Oct 2015 07:28:00 GMT",
        "expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "Expires=Thu, 01-Jan-1970 00:00:00 GMT",
        "Expires=tomorrow",
        "Expires=",
    ] {
        let mut browser = Browser::new();
        assert!(browser.after(&["Set-Cookie: a=1; Max-Age=10"]).is_some());
        let line = format!("Set-Cookie: a=2; {attribute}");
        assert_eq!(browser.after(&[DATE, &line]), None, "{attribute}");
        assert!(browser.jar.is_empty(), "{attribute}");
        assert_eq!(browser.after(&[DATE, &line]), None, "{attribute}");
    }
}

#[test]
fn an_age_wins_over_a_date_and_may_be_beyond_any_clock() {
    let mut browser = Browser::new();
    let lines = [
        "Set-Cookie: a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60",
        "Set-Cookie: b=1; Max-Age=18446744073709551615",
        "Set-Cookie: c=1; Max-Age=99999999999999999999",
    ];
    assert_eq!(browser.after(&lines).as_deref(), Some("a=1; b=1; c=1"));
    assert_eq!(browser.wait(60).as_deref(), Some("b=1; c=1"));
}

#[test]
fn without_a_date_to_compare_with_only_what_is_long_past_deletes() {
    let mut browser = Browser::new();
    let lines = [
        "Set-Cookie: a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "Set-Cookie: b=1; Expires=Wed, 21 Oct 2065 07:28:00 GMT",
    ];
    assert_eq!(browser.after(&lines).as_deref(), Some("b=1"));
}

#[test]
fn a_cookie_is_sent_where_its_path_leads() {
    let mut browser = Browser::new();
    let lines = [
        "Set-Cookie: root=1; Path=/",
        "Set-Cookie: default=1",
        "Set-Cookie: relative=1; Path=x",
        "Set-Cookie: deep=1; PATH=/io/x",
        "Set-Cookie: slash=1; Path=/io/",
        "Set-Cookie: other=1; Path=/i",
        "Set-Cookie: root=2; Path=/i",
    ];
    let sent = browser.after(&lines);
    assert_eq!(
        sent.as_deref(),
        Some("deep=1; slash=1; default=1; relative=1; root=1")
    );
    let at = |path| browser.jar.header(browser.now, false, path);
    assert_eq!(at("/").as_deref(), Some("root=1"));
    assert_eq!(at("/iox").as_deref(), Some("root=1"));
    assert_eq!(at("/i?x").as_deref(), Some("other=1; root=2; root=1"));
    assert_eq!(at("/io").as_deref(), Some("default=1; relative=1; root=1"));
}

#[test]
fn a_secure_cookie_travels_over_tls_alone() {
    let mut browser = Browser::new();
    browser.store("/", false, &["Set-Cookie: a=1; secure"]);
    assert!(browser.jar.is_empty());
    browser.store("/", true, &["Set-Cookie: a=1; secure"]);
    assert_eq!(browser.jar.header(browser.now, false, "/"), None);
    assert_eq!(browser.jar.header(browser.now, true, "/").as_deref(), Some("a=1"));
}

#[test]
fn a_full_jar_forgets_what_expired_and_then_the_oldest() {
    let mut browser = Browser::new();
    browser.store(
        "/",
        true,
        &["Set-Cookie: old=1", "Set-Cookie: brief=1; Max-Age=1"],
    );
    browser.now += Duration::from_secs(1);
    for number in 0..MAX_COOKIES {
        assert!(browser.jar.len() <= MAX_COOKIES);
        browser.store("/", true, &[&format!("Set-Cookie: c{number}=1")]);
    }
    assert_eq!(browser.jar.len(), MAX_COOKIES);
    let sent = browser.jar.header(browser.now, true, "/").unwrap();
    assert!(sent.starts_with("c0=1; c1=1") && sent.ends_with("; c49=1"));
}
