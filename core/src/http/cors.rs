use super::syntax::{is_field_value, is_token};
use super::{Headers, Method, RequestHead, Response, StatusCode};
use bytes::Bytes;
use core::fmt;
use core::time::Duration;

/// Which pages of other sites may read answers. CORS never blocks a request, it tells the browser
/// what to do with the answer (protocol section 1.7); to block, refuse the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsOrigin {
    /// Every page, without credentials: `*`.
    Any,
    /// Always this origin, whoever asks.
    Exact(String),
    /// The asking origin, if it is one of these.
    List(Vec<String>),
    /// The asking origin, whichever it is.
    Reflect,
}

/// Which request headers a preflight permits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AllowedHeaders {
    /// Those the browser asks for.
    #[default]
    Echo,
    /// Only these.
    List(Vec<String>),
}

/// Why a CORS policy cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CorsError {
    /// Credentials together with any origin: browsers refuse such answers.
    CredentialsWithAnyOrigin,
    /// An origin holds a character that cannot stand in a header.
    InvalidOrigin,
    /// A method is not a token.
    InvalidMethod,
    /// A header name is not a token.
    InvalidHeaderName,
}

impl fmt::Display for CorsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::CredentialsWithAnyOrigin => {
                "browsers refuse credentials from any origin: list the origins, or reflect them"
            }
            Self::InvalidOrigin => "invalid CORS origin: write it as `https://example.com`",
            Self::InvalidMethod => "invalid CORS method: use a method name such as `GET`",
            Self::InvalidHeaderName => "invalid CORS header name: use letters, digits and `-`",
        })
    }
}

impl core::error::Error for CorsError {}

/// A CORS policy, made by [`Cors::builder`].
#[derive(Clone, Debug)]
pub struct Cors {
    origin: CorsOrigin,
    credentials: bool,
    /// Joined once, as they are sent.
    methods: Bytes,
    exposed_headers: Option<Bytes>,
    /// `None` echoes what the browser asks for; an empty list is not sent.
    allowed_headers: Option<Bytes>,
    max_age: Option<Bytes>,
}

impl Cors {
    /// A policy for `origin`, without credentials, for the methods of the `cors` npm package.
    pub fn builder(origin: CorsOrigin) -> CorsBuilder {
        CorsBuilder {
            origin,
            credentials: false,
            methods: ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"]
                .map(String::from)
                .to_vec(),
            exposed_headers: Vec::new(),
            allowed_headers: AllowedHeaders::Echo,
            max_age: None,
        }
    }

    /// Adds what every answer to `request` carries, errors and the switch to WebSocket included.
    pub fn headers_for(&self, request: &RequestHead, headers: &mut Headers) {
        self.add_origin(request, headers);
        self.add_exposed(headers);
    }

    /// The answer to a preflight; every `OPTIONS` request is taken for one, as in JS. It comes
    /// before any check of the request itself.
    pub fn preflight(&self, request: &RequestHead) -> Option<Response> {
        if request.method() != Method::Options {
            return None;
        }
        let mut response = Response::new(StatusCode::NO_CONTENT);
        let headers = response.headers_mut();
        self.add_origin(request, headers);
        headers.append_known("Access-Control-Allow-Methods", self.methods.clone());
        let allowed = match &self.allowed_headers {
            Some(list) => list.clone(),
            None => {
                vary_on(headers, "Access-Control-Request-Headers");
                copy(request.access_control_request_headers().unwrap_or_default())
            }
        };
        if !allowed.is_empty() {
            headers.append_known("Access-Control-Allow-Headers", allowed);
        }
        if let Some(seconds) = &self.max_age {
            headers.append_known("Access-Control-Max-Age", seconds.clone());
        }
        self.add_exposed(headers);
        Some(response)
    }

    fn add_origin(&self, request: &RequestHead, headers: &mut Headers) {
        let allowed = match &self.origin {
            CorsOrigin::Any => Some(Bytes::from_static(b"*")),
            CorsOrigin::Exact(origin) => Some(copy(origin.as_bytes())),
            CorsOrigin::List(origins) => request
                .origin()
                .filter(|asking| origins.iter().any(|origin| origin.as_bytes() == *asking))
                .map(copy),
            CorsOrigin::Reflect => request.origin().map(copy),
        };
        if let Some(origin) = allowed {
            headers.append_known("Access-Control-Allow-Origin", origin);
        }
        if self.origin != CorsOrigin::Any {
            vary_on(headers, "Origin");
        }
        if self.credentials {
            headers.append_known("Access-Control-Allow-Credentials", Bytes::from_static(b"true"));
        }
    }

    fn add_exposed(&self, headers: &mut Headers) {
        if let Some(names) = &self.exposed_headers {
            headers.append_known("Access-Control-Expose-Headers", names.clone());
        }
    }
}

/// Collects a [`Cors`] policy.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `build`"]
pub struct CorsBuilder {
    origin: CorsOrigin,
    credentials: bool,
    methods: Vec<String>,
    exposed_headers: Vec<String>,
    allowed_headers: AllowedHeaders,
    max_age: Option<Duration>,
}

impl CorsBuilder {
    /// Whether pages may send cookies and other credentials; off by default.
    pub const fn credentials(mut self, allowed: bool) -> Self {
        self.credentials = allowed;
        self
    }

    /// The methods a preflight permits.
    pub fn methods<T: Into<String>>(mut self, methods: impl IntoIterator<Item = T>) -> Self {
        self.methods = methods.into_iter().map(Into::into).collect();
        self
    }

    /// The response headers a page may read besides the harmless ones.
    pub fn exposed_headers<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.exposed_headers = names.into_iter().map(Into::into).collect();
        self
    }

    /// The request headers a preflight permits; by default those asked for.
    pub fn allowed_headers(mut self, headers: AllowedHeaders) -> Self {
        self.allowed_headers = headers;
        self
    }

    /// How long a browser may keep the answer to a preflight, in whole seconds; not sent by default.
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Checks the policy.
    ///
    /// # Errors
    ///
    /// Credentials from any origin, or text that cannot stand in a header.
    pub fn build(self) -> Result<Cors, CorsError> {
        let origin = match self.origin {
            CorsOrigin::Exact(origin) if origin == "*" => CorsOrigin::Any,
            origin => origin,
        };
        let origins: &[String] = match &origin {
            CorsOrigin::Any if self.credentials => return Err(CorsError::CredentialsWithAnyOrigin),
            CorsOrigin::Any | CorsOrigin::Reflect => &[],
            CorsOrigin::Exact(origin) => core::slice::from_ref(origin),
            CorsOrigin::List(origins) => origins,
        };
        if !origins.iter().all(|origin| is_field_value(origin.as_bytes())) {
            return Err(CorsError::InvalidOrigin);
        }
        let exposed = joined(&self.exposed_headers, CorsError::InvalidHeaderName)?;
        Ok(Cors {
            credentials: self.credentials,
            methods: joined(&self.methods, CorsError::InvalidMethod)?,
            exposed_headers: (!exposed.is_empty()).then_some(exposed),
            allowed_headers: match &self.allowed_headers {
                AllowedHeaders::Echo => None,
                AllowedHeaders::List(names) => Some(joined(names, CorsError::InvalidHeaderName)?),
            },
            max_age: self.max_age.map(|age| Bytes::from(age.as_secs().to_string())),
            origin,
        })
    }
}

fn joined(tokens: &[String], error: CorsError) -> Result<Bytes, CorsError> {
    if tokens.iter().all(|token| is_token(token.as_bytes())) {
        Ok(Bytes::from(tokens.join(",")))
    } else {
        Err(error)
    }
}

fn copy(value: &[u8]) -> Bytes {
    // A copy of a few bytes, so that no answer keeps a request head alive.
    Bytes::copy_from_slice(value)
}

fn vary_on(headers: &mut Headers, field: &'static str) {
    // The names given here are tokens, the only thing `vary` asks for.
    let _ = headers.vary(field);
}
