use super::syntax::is_token;
use core::fmt::{self, Write};
use core::time::Duration;

/// Which requests from other sites a browser adds the cookie to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SameSite {
    /// None.
    Strict,
    /// Links that lead to this site.
    Lax,
    /// All of them; browsers ask for [`CookieBuilder::secure`] as well.
    None,
}

/// Why a cookie cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CookieError {
    /// The name is not a token.
    InvalidName,
    /// Path or domain hold `;`, a control character or non-ASCII text.
    InvalidAttribute,
}

impl fmt::Display for CookieError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::InvalidName => "invalid cookie name: use letters, digits and `-`",
            Self::InvalidAttribute => "invalid cookie path or domain: remove `;` and control characters",
        })
    }
}

impl core::error::Error for CookieError {}

/// The cookie that carries the session id, for load balancers that keep a client on one node. It is
/// sent with the answer to a polling handshake and nowhere else (protocol section 1.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    name: String,
    /// The attributes as they are sent, each after `; `.
    attributes: String,
}

impl Cookie {
    /// A cookie as `cookie: true` makes it in JS: `io=…; Path=/; HttpOnly; SameSite=Lax`.
    pub fn builder() -> CookieBuilder {
        CookieBuilder {
            name: String::from("io"),
            max_age: None,
            domain: None,
            path: Some(String::from("/")),
            http_only: true,
            secure: false,
            same_site: Some(SameSite::Lax),
        }
    }

    /// The name of the cookie.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of the `Set-Cookie` header for the session `sid`. Characters that cannot stand in
    /// a cookie are escaped as `encodeURIComponent` does; ids made here have none.
    pub fn header_value(&self, sid: &str) -> String {
        let length = self
            .name
            .len()
            .saturating_add(sid.len())
            .saturating_add(self.attributes.len());
        let mut value = String::with_capacity(length.saturating_add(1));
        value.push_str(&self.name);
        value.push('=');
        for byte in sid.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
                value.push(char::from(byte));
            } else {
                // Writing to a `String` does not fail.
                let _ = write!(value, "%{byte:02X}");
            }
        }
        value.push_str(&self.attributes);
        value
    }
}

/// Collects a [`Cookie`].
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `build`"]
pub struct CookieBuilder {
    name: String,
    max_age: Option<Duration>,
    domain: Option<String>,
    path: Option<String>,
    http_only: bool,
    secure: bool,
    same_site: Option<SameSite>,
}

impl CookieBuilder {
    /// The name; `io` by default.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// How long the browser keeps the cookie, in whole seconds; until it is closed by default.
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// The domain whose hosts get the cookie; only the own host by default.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// The path below which the cookie is sent; `/` by default, `None` leaves it to the browser.
    pub fn path(mut self, path: Option<&str>) -> Self {
        self.path = path.map(String::from);
        self
    }

    /// Whether scripts cannot read the cookie; on by default.
    pub const fn http_only(mut self, on: bool) -> Self {
        self.http_only = on;
        self
    }

    /// Whether the cookie is sent over TLS only; off by default.
    pub const fn secure(mut self, on: bool) -> Self {
        self.secure = on;
        self
    }

    /// Which requests from other sites carry the cookie; `Lax` by default, `None` leaves it to the
    /// browser.
    pub const fn same_site(mut self, same_site: Option<SameSite>) -> Self {
        self.same_site = same_site;
        self
    }

    /// Checks the cookie.
    ///
    /// # Errors
    ///
    /// The name is no token, or path or domain cannot stand in an attribute.
    pub fn build(self) -> Result<Cookie, CookieError> {
        if !is_token(self.name.as_bytes()) {
            return Err(CookieError::InvalidName);
        }
        let texts = [&self.domain, &self.path];
        if !texts
            .iter()
            .filter_map(|text| text.as_deref())
            .all(is_attribute_value)
        {
            return Err(CookieError::InvalidAttribute);
        }
        let Self {
            name,
            max_age,
            domain,
            path,
            http_only,
            secure,
            same_site,
        } = self;
        let parts = [
            max_age.map(|age| format!("; Max-Age={}", age.as_secs())),
            domain.map(|domain| format!("; Domain={domain}")),
            path.map(|path| format!("; Path={path}")),
            http_only.then(|| String::from("; HttpOnly")),
            secure.then(|| String::from("; Secure")),
            same_site.map(|same_site| format!("; SameSite={same_site:?}")),
        ];
        Ok(Cookie {
            name,
            attributes: parts.into_iter().flatten().collect(),
        })
    }
}

fn is_attribute_value(text: &str) -> bool {
    text.bytes()
        .all(|byte| (b' '..=b'~').contains(&byte) && byte != b';')
}

#[cfg(test)]
mod tests {
    use super::{Cookie, CookieError, SameSite};
    use core::time::Duration;

    #[test]
    fn the_default_cookie_is_that_of_javascript() {
        let cookie = Cookie::builder().build().unwrap();
        assert_eq!(
            cookie.header_value("S-_1"),
            "io=S-_1; Path=/; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn attributes_come_in_the_order_of_javascript() {
        let cookie = Cookie::builder()
            .same_site(Some(SameSite::None))
            .secure(true)
            .domain("example.com")
            .max_age(Duration::from_secs(60))
            .name("sid")
            .path(Some("/chat"))
            .build()
            .unwrap();
        assert_eq!(
            cookie.header_value("a"),
            "sid=a; Max-Age=60; Domain=example.com; Path=/chat; HttpOnly; Secure; SameSite=None"
        );
        let bare = Cookie::builder()
            .path(None)
            .http_only(false)
            .same_site(None)
            .build()
            .unwrap();
        assert_eq!(bare.header_value("a"), "io=a");
    }

    #[test]
    fn nothing_can_be_injected() {
        let build = |name: &str, path: &str| Cookie::builder().name(name).path(Some(path)).build();
        assert_eq!(build("a b", "/"), Err(CookieError::InvalidName));
        assert_eq!(build("", "/"), Err(CookieError::InvalidName));
        assert_eq!(build("a", "/; Secure"), Err(CookieError::InvalidAttribute));
        assert_eq!(build("a", "/\r\nX: y"), Err(CookieError::InvalidAttribute));
        let cookie = Cookie::builder()
            .path(None)
            .http_only(false)
            .same_site(None)
            .build()
            .unwrap();
        assert_eq!(cookie.header_value("a;\r\nb"), "io=a%3B%0D%0Ab");
    }
}
