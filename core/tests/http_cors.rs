//! CORS headers as the `cors` npm package sends them.

use bytes::BytesMut;
use core::time::Duration;
use socketio_core::http::{AllowedHeaders, Cors, CorsError, CorsOrigin, Headers, RequestHead, Version};

fn request(method: &str, headers: &[(&str, &str)]) -> RequestHead {
    let headers = headers.iter().map(|&(name, value)| (name, value.as_bytes()));
    RequestHead::from_parts(method, "/socket.io/", headers).unwrap()
}

fn lines(headers: &Headers) -> Vec<String> {
    headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
        .collect()
}

fn answered(cors: &Cors, origin: &str) -> Vec<String> {
    let mut headers = Headers::new();
    cors.headers_for(&request("GET", &[("Origin", origin)]), &mut headers);
    lines(&headers)
}

fn policy(origin: CorsOrigin) -> Cors {
    Cors::builder(origin).build().unwrap()
}

fn preflight(cors: &Cors, headers: &[(&str, &str)]) -> String {
    let response = cors.preflight(&request("OPTIONS", headers)).expect("an answer");
    let mut out = BytesMut::new();
    response.write_head(Version::Http11, true, response.body().len(), &mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

#[test]
fn any_origin_is_a_star_without_vary() {
    assert_eq!(
        answered(&policy(CorsOrigin::Any), "http://a"),
        ["Access-Control-Allow-Origin: *"]
    );
    let star = policy(CorsOrigin::Exact("*".into()));
    assert_eq!(answered(&star, "http://a"), ["Access-Control-Allow-Origin: *"]);
}

#[test]
fn an_exact_origin_is_sent_whoever_asks() {
    let cors = policy(CorsOrigin::Exact("http://a".into()));
    assert_eq!(
        answered(&cors, "http://b"),
        ["Access-Control-Allow-Origin: http://a", "Vary: Origin"]
    );
}

#[test]
fn a_listed_origin_is_reflected_and_others_are_not() {
    let cors = policy(CorsOrigin::List(vec!["http://a".into(), "http://b".into()]));
    assert_eq!(
        answered(&cors, "http://b"),
        ["Access-Control-Allow-Origin: http://b", "Vary: Origin"]
    );
    assert_eq!(answered(&cors, "http://c"), ["Vary: Origin"]);
}

#[test]
fn reflecting_needs_an_origin() {
    let cors = policy(CorsOrigin::Reflect);
    assert_eq!(
        answered(&cors, "null"),
        ["Access-Control-Allow-Origin: null", "Vary: Origin"]
    );
    let mut headers = Headers::new();
    cors.headers_for(&request("GET", &[]), &mut headers);
    assert_eq!(lines(&headers), ["Vary: Origin"]);
}

#[test]
fn credentials_and_exposed_headers_are_on_every_answer() {
    let cors = Cors::builder(CorsOrigin::Reflect)
        .credentials(true)
        .exposed_headers(["X-A", "X-B"]);
    let mut headers = Headers::new();
    headers.append("Vary", "Accept-Encoding").unwrap();
    cors.build()
        .unwrap()
        .headers_for(&request("POST", &[("Origin", "http://a")]), &mut headers);
    assert_eq!(
        lines(&headers),
        [
            "Vary: Accept-Encoding, Origin",
            "Access-Control-Allow-Origin: http://a",
            "Access-Control-Allow-Credentials: true",
            "Access-Control-Expose-Headers: X-A,X-B",
        ]
    );
}

#[test]
fn a_preflight_echoes_the_headers_asked_for() {
    let asked = [
        ("Origin", "http://a"),
        ("Access-Control-Request-Headers", "x-a, x-b"),
    ];
    assert_eq!(
        preflight(&policy(CorsOrigin::Reflect), &asked),
        "HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: http://a\r\n\
         Vary: Origin, Access-Control-Request-Headers\r\n\
         Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n\
         Access-Control-Allow-Headers: x-a, x-b\r\nContent-Length: 0\r\n\r\n"
    );
}

#[test]
fn a_preflight_sends_the_configured_lists() {
    let cors = Cors::builder(CorsOrigin::Exact("http://a".into()))
        .credentials(true)
        .methods(["GET", "POST"])
        .allowed_headers(AllowedHeaders::List(vec!["X-A".into(), "X-B".into()]))
        .max_age(Duration::from_secs(600))
        .build()
        .unwrap();
    assert_eq!(
        preflight(&cors, &[("Origin", "http://b")]),
        "HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: http://a\r\nVary: Origin\r\n\
         Access-Control-Allow-Credentials: true\r\nAccess-Control-Allow-Methods: GET,POST\r\n\
         Access-Control-Allow-Headers: X-A,X-B\r\nAccess-Control-Max-Age: 600\r\nContent-Length: 0\r\n\r\n"
    );
}

#[test]
fn every_options_request_is_a_preflight_and_no_other() {
    let cors = policy(CorsOrigin::Any);
    assert!(preflight(&cors, &[]).starts_with("HTTP/1.1 204"));
    for method in ["GET", "POST", "HEAD", "options"] {
        assert_eq!(cors.preflight(&request(method, &[("Origin", "http://a")])), None);
    }
}

#[test]
fn policies_browsers_refuse_are_not_built() {
    let build = |origin: CorsOrigin| Cors::builder(origin).credentials(true).build().map(|_| ());
    assert_eq!(build(CorsOrigin::Any), Err(CorsError::CredentialsWithAnyOrigin));
    assert_eq!(
        build(CorsOrigin::Exact("*".into())),
        Err(CorsError::CredentialsWithAnyOrigin)
    );
    assert_eq!(
        build(CorsOrigin::Exact("a\r\nb".into())),
        Err(CorsError::InvalidOrigin)
    );
    assert_eq!(
        build(CorsOrigin::List(vec!["a\0".into()])),
        Err(CorsError::InvalidOrigin)
    );
    let any = || Cors::builder(CorsOrigin::Any);
    assert_eq!(
        any().methods(["G T"]).build().unwrap_err(),
        CorsError::InvalidMethod
    );
    assert_eq!(
        any().exposed_headers(["a\r\nb"]).build().unwrap_err(),
        CorsError::InvalidHeaderName
    );
}
