//! Clients behind HTTP proxies of all kinds. Behind a proxy that ends no sessions everything is received exactly once
//! and in order; behind others at most once and in order, and both sides get the reason why their session ended.
//!
//! `SIM_SEEDS` says how many random proxies are tried, from `SIM_FIRST` on.

mod traffic;

use std::time::Duration;

use socketio_core::eio::client::CloseReason;
use socketio_core::http::StatusCode;
use socketio_core::sio::client::Reason as ReasonKind;
use socketio_driver::client::{ConnectionEvent, TransportOrder};
use socketio_driver::{Reason, Transport};
use socketio_world::proxy::{
    BodyFraming, Buffering, CloseKind, ForwardingHeaders, HeaderCase, KeepAlive, KeepAliveHeader,
    LosableRequests, MessageFormat, Persistence, ProxyConfig, ServerConnections, Upgrades,
};
use socketio_world::random::Random;
use socketio_world::variable;
use traffic::{Report, Session, Traffic};

const POLLING: TransportOrder = TransportOrder::Polling;
const UPGRADING: TransportOrder = TransportOrder::PollingFirst;
const FALLING_BACK: TransportOrder = TransportOrder::WebSocketFirst;
const WEBSOCKET: TransportOrder = TransportOrder::WebSocket;

/// Every client had one session, and everything was received.
fn assert_complete(report: &Report, clients: usize, about: &str) {
    assert_eq!(report.failures, Vec::<String>::new(), "{about}");
    let mut client_indices: Vec<usize> = report
        .sessions
        .iter()
        .map(|session| session.client_index)
        .collect();
    client_indices.sort_unstable();
    assert_eq!(
        client_indices,
        (0..clients).collect::<Vec<_>>(),
        "{about}: {report:?}"
    );
    for session in &report.sessions {
        assert_eq!(
            session.client_sent, session.server_received,
            "{about}: {session:?}"
        );
        assert_eq!(
            session.server_sent, session.client_received,
            "{about}: {session:?}"
        );
    }
}

/// What was received is the beginning of what was sent; if something is missing, both sides know that the session was
/// lost.
fn assert_prefixes(report: &Report, about: &str) {
    assert_eq!(report.failures, Vec::<String>::new(), "{about}");
    for session in &report.sessions {
        let Session {
            client_sent,
            server_received,
            server_sent,
            client_received,
            ..
        } = session;
        assert!(client_sent.starts_with(server_received), "{about}: {session:?}");
        assert!(server_sent.starts_with(client_received), "{about}: {session:?}");
        let client_left =
            matches!(&session.client_end, Some(reason) if reason.kind == ReasonKind::ClientDisconnect);
        let server_saw_it_leave = matches!(session.server_end, Some(Reason::ClientNamespaceDisconnect));
        if client_sent != server_received || server_sent != client_received {
            assert!(!client_left && !server_saw_it_leave, "{about}: {session:?}");
        }
        // A client may never have received the CONNECT packet.
        assert!(session.server_end.is_some(), "{about}: {session:?}");
        if !client_received.is_empty() || !client_sent.is_empty() {
            assert!(session.client_end.is_some(), "{about}: {session:?}");
        }
    }
}

/// Runs the traffic with some seeds and asserts that nothing is lost; gives all reports.
fn run_without_loss(seeds: u64, traffic: &Traffic) -> Vec<Report> {
    let reports = (0..seeds).map(|seed| {
        let (report, _) = traffic.run(seed);
        assert_complete(
            &report,
            traffic.clients.len(),
            &format!("seed {seed} {:?}", traffic.config),
        );
        report
    });
    reports.collect()
}

/// Runs the traffic with some seeds and asserts that sessions that end do so for a reason; gives all reports.
fn run_with_reasons(seeds: u64, traffic: &Traffic) -> Vec<Report> {
    let reports = (0..seeds).map(|seed| {
        let (report, _) = traffic.run(seed);
        assert_prefixes(&report, &format!("seed {seed} {:?}", traffic.config));
        report
    });
    reports.collect()
}

/// Why sessions ended at clients, without those that the clients ended themselves.
fn ends(reports: &[Report]) -> Vec<ReasonKind> {
    let sessions = reports.iter().flat_map(|report| &report.sessions);
    let ends = sessions.filter_map(|session| session.client_end.as_ref());
    ends.map(|reason| reason.kind)
        .filter(|reason| *reason != ReasonKind::ClientDisconnect)
        .collect()
}

#[test]
fn nothing_is_lost_through_a_proxy_that_only_forwards() {
    for report in run_without_loss(10, &Traffic::through(ProxyConfig::default())) {
        let (polling, websocket) = (Some(Transport::Polling), Some(Transport::WebSocket));
        assert_eq!(report.transports, [polling, websocket, websocket, websocket]);
        assert_eq!(report.statistics.tunnels, 3);
    }
}

#[test]
fn nothing_is_lost_where_responses_are_buffered_and_delayed() {
    for most in [1, 50, 2_000].map(Duration::from_millis) {
        let config = ProxyConfig {
            buffering: Buffering::Whole(Duration::ZERO..most),
            ..ProxyConfig::default()
        };
        run_without_loss(4, &Traffic::through(config).with_clients(&[POLLING, UPGRADING]));
    }
}

#[test]
fn idle_connections_may_be_closed() {
    let timeouts = [
        (5, KeepAliveHeader::Absent),
        (7, KeepAliveHeader::Absent),
        (1, KeepAliveHeader::Sent),
        (2, KeepAliveHeader::Sent),
    ];
    for (seconds, header) in timeouts {
        let config = ProxyConfig {
            client_keep_alive: KeepAlive {
                idle_timeout: Some(Duration::from_secs(seconds)),
                header,
                ..KeepAlive::default()
            },
            server_keep_alive: KeepAlive {
                idle_timeout: Some(Duration::from_secs(1)),
                ..KeepAlive::default()
            },
            server_connections: ServerConnections::Pooled(3),
            ..ProxyConfig::default()
        };
        let mut traffic = Traffic::through(config).with_clients(&[POLLING, POLLING]);
        traffic.pause = Duration::ZERO..Duration::from_secs(12);
        traffic.heartbeat = (Duration::from_secs(20), Duration::from_secs(5));
        let reports = run_without_loss(4, &traffic);
        let closed: u64 = reports.iter().map(|report| report.statistics.idle_timeouts).sum();
        assert!(closed > 0, "{seconds} {header:?}");
    }
}

#[test]
fn a_poll_that_meets_the_end_of_a_connection_is_sent_again() {
    let config = ProxyConfig {
        client_keep_alive: KeepAlive {
            request_loss: 3,
            losable: LosableRequests::Polls,
            close_kind: CloseKind::Fin,
            ..KeepAlive::default()
        },
        ..ProxyConfig::default()
    };
    for report in run_without_loss(
        8,
        &Traffic::through(config).with_clients(&[POLLING, UPGRADING, POLLING]),
    ) {
        assert!(report.statistics.lost_requests > 0);
    }
}

#[test]
fn a_request_with_an_unknown_outcome_ends_the_session() {
    for (losable, close_kind) in [
        (LosableRequests::All, CloseKind::Fin),
        (LosableRequests::Polls, CloseKind::Reset),
        (LosableRequests::All, CloseKind::Reset),
    ] {
        let config = ProxyConfig {
            client_keep_alive: KeepAlive {
                request_loss: 8,
                losable,
                close_kind,
                ..KeepAlive::default()
            },
            ..ProxyConfig::default()
        };
        let reports = run_with_reasons(
            5,
            &Traffic::through(config).with_clients(&[POLLING, UPGRADING, POLLING]),
        );
        let ends = ends(&reports);
        assert!(!ends.is_empty());
        let lost = ReasonKind::Engine(CloseReason::ConnectionLost);
        assert!(ends.iter().all(|reason| *reason == lost), "{ends:?}");
    }
}

#[test]
fn a_request_that_is_lost_before_the_server_ends_the_session() {
    for close_kind in [CloseKind::Fin, CloseKind::Reset] {
        let config = ProxyConfig {
            server_keep_alive: KeepAlive {
                request_loss: 8,
                losable: LosableRequests::All,
                close_kind,
                ..KeepAlive::default()
            },
            server_connections: ServerConnections::Pooled(3),
            ..ProxyConfig::default()
        };
        let reports = run_with_reasons(6, &Traffic::through(config).with_clients(&[POLLING, POLLING]));
        let ends = ends(&reports);
        let bad_gateway = |reason: &ReasonKind| {
            *reason == ReasonKind::Engine(CloseReason::RequestFailed(StatusCode::BAD_GATEWAY))
                || *reason == ReasonKind::Engine(CloseReason::TransportClose)
        };
        assert!(!ends.is_empty() && ends.iter().all(bad_gateway), "{ends:?}");
    }
}

/// Why upgrades failed, for each client.
fn upgrade_failures(report: &Report) -> Vec<Vec<ReasonKind>> {
    let clients = report.events.iter().map(|events| {
        let failures = events.iter().filter_map(|event| match event {
            ConnectionEvent::UpgradeFailed { reason } => Some(reason.kind),
            _ => None,
        });
        failures.collect()
    });
    clients.collect()
}

#[test]
fn a_client_whose_upgrade_fails_stays_on_polling() {
    let refused = |status| ReasonKind::Engine(CloseReason::Refused(status));
    for (upgrades, reason) in [
        (
            Upgrades::Refused(StatusCode::BAD_REQUEST),
            refused(StatusCode::BAD_REQUEST),
        ),
        (
            Upgrades::Refused(StatusCode::BAD_GATEWAY),
            refused(StatusCode::BAD_GATEWAY),
        ),
        (Upgrades::HeadersRemoved, refused(StatusCode::BAD_REQUEST)),
        (
            Upgrades::Ignored,
            ReasonKind::Engine(CloseReason::UpgradeTimedOut),
        ),
        (
            Upgrades::ClosedAtResponse,
            ReasonKind::Engine(CloseReason::ConnectionLost),
        ),
        (
            Upgrades::ClosedAfter(0),
            ReasonKind::Engine(CloseReason::ConnectionLost),
        ),
    ] {
        let config = ProxyConfig {
            upgrades,
            ..ProxyConfig::default()
        };
        for report in run_without_loss(4, &Traffic::through(config).with_clients(&[POLLING, UPGRADING])) {
            assert_eq!(upgrade_failures(&report), [vec![], vec![reason]], "{upgrades:?}");
            assert_eq!(report.transports, [Some(Transport::Polling); 2], "{upgrades:?}");
        }
    }
}

#[test]
fn a_client_that_begins_with_websocket_falls_back_to_polling() {
    for upgrades in [
        Upgrades::Refused(StatusCode::BAD_REQUEST),
        Upgrades::Refused(StatusCode::BAD_GATEWAY),
        Upgrades::HeadersRemoved,
        Upgrades::Ignored,
        Upgrades::ClosedAtResponse,
        Upgrades::ClosedAfter(0),
    ] {
        let config = ProxyConfig {
            upgrades,
            ..ProxyConfig::default()
        };
        for report in run_without_loss(4, &Traffic::through(config).with_clients(&[FALLING_BACK])) {
            assert_eq!(report.transports, [Some(Transport::Polling)], "{upgrades:?}");
        }
    }
}

#[test]
fn a_client_without_fallback_reports_why_there_is_no_websocket() {
    let refused = |status| CloseReason::Refused(status);
    for (upgrades, reason) in [
        (
            Upgrades::Refused(StatusCode::BAD_GATEWAY),
            refused(StatusCode::BAD_GATEWAY),
        ),
        (Upgrades::HeadersRemoved, refused(StatusCode::BAD_REQUEST)),
        (Upgrades::Ignored, CloseReason::ConnectTimedOut),
        (Upgrades::ClosedAtResponse, CloseReason::ConnectionLost),
        (Upgrades::ClosedAfter(0), CloseReason::ConnectionLost),
    ] {
        let config = ProxyConfig {
            upgrades,
            ..ProxyConfig::default()
        };
        let (report, _) = Traffic::through(config).with_clients(&[WEBSOCKET]).run(1);
        assert_eq!(report.failures, Vec::<String>::new());
        assert!(report.sessions.is_empty(), "{report:?}");
        let failed = report.events[0].iter().filter_map(|event| match event {
            ConnectionEvent::AttemptFailed { error, .. } => Some(error.kind),
            _ => None,
        });
        let failed: Vec<_> = failed.collect();
        assert!(failed.len() > 1, "{upgrades:?}");
        assert!(
            failed.iter().all(|kind| *kind == ReasonKind::Engine(reason)),
            "{failed:?}"
        );
    }
}

#[test]
fn a_websocket_closed_at_any_time_ends_the_session_with_a_reason_or_not_at_all() {
    for reads in [1, 2, 3, 4, 6, 9, 20] {
        let config = ProxyConfig {
            upgrades: Upgrades::ClosedAfter(reads),
            ..ProxyConfig::default()
        };
        let traffic = Traffic::through(config).with_clients(&[UPGRADING, FALLING_BACK, WEBSOCKET]);
        for reason in ends(&run_with_reasons(2, &traffic)) {
            let ReasonKind::Engine(reason) = reason else {
                panic!("{reason:?}");
            };
            let lost = [CloseReason::ConnectionLost, CloseReason::TransportClose];
            assert!(lost.contains(&reason), "{reason:?}");
        }
    }
}

#[test]
fn requests_of_a_session_may_come_on_any_connection() {
    for server_connections in [
        ServerConnections::PerRequest,
        ServerConnections::Pooled(1),
        ServerConnections::Pooled(3),
        ServerConnections::Pooled(50),
    ] {
        let config = ProxyConfig {
            server_connections,
            ..ProxyConfig::default()
        };
        let traffic =
            Traffic::through(config).with_clients(&[POLLING, UPGRADING, POLLING, POLLING, FALLING_BACK]);
        for report in run_without_loss(4, &traffic) {
            let expects_sharing = server_connections != ServerConnections::PerRequest;
            assert_eq!(
                report.statistics.shared > 0,
                expects_sharing,
                "{server_connections:?}"
            );
            if server_connections == ServerConnections::PerRequest {
                assert_eq!(report.statistics.dials, report.statistics.requests);
            }
        }
    }
}

#[test]
fn a_response_timeout_longer_than_the_ping_interval_ends_no_session() {
    let mut config = ProxyConfig {
        response_timeout: Some(Duration::from_secs(10)),
        ..ProxyConfig::default()
    };
    assert!(!config.may_end_sessions(Duration::from_secs(6)));
    let mut traffic = Traffic::through(config.clone());
    traffic.pause = Duration::ZERO..Duration::from_secs(8);
    run_without_loss(4, &traffic);
    config.response_timeout = Some(Duration::from_secs(3));
    traffic.config = config;
    let reports = run_with_reasons(4, &traffic.with_clients(&[POLLING, POLLING]));
    let ends = ends(&reports);
    let late = ReasonKind::Engine(CloseReason::RequestFailed(StatusCode::GATEWAY_TIMEOUT));
    assert!(
        !ends.is_empty() && ends.iter().all(|reason| *reason == late),
        "{ends:?}"
    );
}

#[test]
fn the_format_of_messages_makes_no_difference() {
    for header_case in [HeaderCase::Unchanged, HeaderCase::Lower, HeaderCase::Upper] {
        for framing in [BodyFraming::Unchanged, BodyFraming::Chunked] {
            for persistence in [Persistence::KeepAlive, Persistence::Close] {
                let config = ProxyConfig {
                    persistence,
                    format: MessageFormat {
                        header_case,
                        requests: framing,
                        responses: framing,
                        forwarding_headers: ForwardingHeaders::Added,
                    },
                    ..ProxyConfig::default()
                };
                run_without_loss(1, &Traffic::through(config));
            }
        }
    }
}

#[test]
fn only_the_silent_client_is_disconnected() {
    for seed in 0..8 {
        let config = ProxyConfig {
            server_connections: ServerConnections::Pooled(50),
            // The silent client never closes its own.
            client_keep_alive: KeepAlive {
                idle_timeout: Some(Duration::from_secs(20)),
                ..KeepAlive::default()
            },
            ..ProxyConfig::default()
        };
        let mut traffic = Traffic::through(config).with_clients(&[POLLING, POLLING, POLLING, UPGRADING]);
        traffic.silent = Some(1);
        let (report, _) = traffic.run(seed);
        assert_eq!(report.failures, Vec::<String>::new(), "seed {seed}");
        for session in &report.sessions {
            let about = format!("seed {seed}: {session:?}");
            if session.client_index != 1 {
                assert_eq!(
                    session.server_end,
                    Some(Reason::ClientNamespaceDisconnect),
                    "{about}"
                );
                assert_eq!(
                    (&session.client_sent, &session.server_sent),
                    (&session.server_received, &session.client_received),
                    "{about}"
                );
            }
        }
        let disconnected = report.sessions.iter().filter(|session| session.client_index == 1);
        assert_eq!(
            disconnected.count(),
            2,
            "seed {seed}: one before and one after the silence"
        );
    }
}

/// Random clients behind a random proxy.
fn random_traffic(seed: u64) -> Traffic {
    let mut random = Random::of(seed, "drawn", 0);
    let config = ProxyConfig::random(&mut random);
    let orders = [POLLING, UPGRADING, FALLING_BACK, WEBSOCKET];
    let clients: Vec<_> = (0..random.length(1..5)).map(|_| *random.pick(&orders)).collect();
    let mut traffic = Traffic::through(config).with_clients(&clients);
    traffic.rounds = 20;
    traffic
}

#[test]
fn whatever_a_proxy_does_a_session_survives_or_ends_with_a_reason() {
    let first = variable("SIM_FIRST").unwrap_or(0);
    for seed in first..first + variable("SIM_SEEDS").unwrap_or(30) {
        let mut traffic = random_traffic(seed);
        let about = format!("seed {seed}: {:?} {:?}", traffic.clients, traffic.config);
        if traffic.config.upgrades != Upgrades::Forwarded {
            // A client without fallback would have no session.
            traffic.clients.push(POLLING);
            traffic.clients.retain(|order| *order != WEBSOCKET);
        }
        let (report, _) = traffic.run(seed);
        if traffic.config.may_end_sessions(traffic.heartbeat.0) {
            assert_prefixes(&report, &about);
        } else {
            assert_complete(&report, traffic.clients.len(), &about);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_traffic_twice() {
    for seed in 0..10 {
        let trace = || random_traffic(seed).run(seed).1;
        assert_eq!(trace(), trace(), "seed {seed}");
    }
}
