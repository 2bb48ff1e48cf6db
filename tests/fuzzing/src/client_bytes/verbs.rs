//! What the application does.

use super::ClientSimulation;
use crate::script::Script;
use crate::simulation::{event, known_name};
use socketio_core::http::Headers;
use socketio_core::sio::client::{EmitError, Retry, Security, Target};
use socketio_core::sio::{Encoded, NamespaceId};
use std::time::Duration;

impl ClientSimulation {
    /// One verb; what it returns is part of what must not change.
    pub(super) fn verb(&mut self, verb: u8, script: &mut Script<'_>) {
        let namespace = self.namespaces[script.index(self.namespaces.len())];
        let answer = match verb {
            0..5 => {
                self.client.connect(self.now);
                self.proceed();
                String::new()
            }
            5..7 => {
                self.client.connect(self.now);
                String::new()
            }
            7 => {
                self.client.close(self.now);
                String::new()
            }
            8 | 9 => {
                self.proceed();
                String::new()
            }
            10 => {
                self.client.abandon(self.now);
                String::new()
            }
            11..15 => self.join(namespace),
            15 => self.change_namespaces(namespace, script),
            16..20 => self.emit(namespace, script),
            20..23 => self.emit_with_ack(namespace, script),
            23..26 => self.deliver(namespace, script),
            26 => self.forget(script),
            _ => self.acknowledge(script),
        };
        self.application.push(answer);
    }

    fn proceed(&mut self) {
        let mut headers = Headers::new();
        headers.append("x-token", "secret").expect("a header");
        let target = Target {
            authority: "localhost".to_owned(),
            security: Security::Plain,
            query: vec![("a b".to_owned(), "c&d".to_owned())],
            headers,
        };
        self.client.proceed(self.now, target);
    }

    fn join(&mut self, namespace: NamespaceId) -> String {
        let name = known_name(self.client.namespace_name(namespace));
        let packet = self.encoder.raw_connect(name.as_str(), None).expect("a packet");
        self.client.join(self.now, namespace, &packet);
        String::new()
    }

    fn change_namespaces(&mut self, namespace: NamespaceId, script: &mut Script<'_>) -> String {
        match script.byte() % 4 {
            0 => self.client.forgo(self.now, namespace),
            1 => self.client.leave(self.now, namespace),
            2 => self.client.enter(self.now, namespace),
            _ => {
                if let Ok(added) = self.client.add_namespace(self.now, "/third") {
                    self.namespaces.push(added);
                }
            }
        }
        String::new()
    }

    fn packet(&mut self, namespace: NamespaceId, script: &mut Script<'_>) -> Encoded {
        let name = known_name(self.client.namespace_name(namespace));
        event(&mut self.encoder, name.as_str(), script)
    }

    fn emit(&mut self, namespace: NamespaceId, script: &mut Script<'_>) -> String {
        let delivery = script.delivery();
        let packet = self.packet(namespace, script);
        format!(
            "emit {:?}",
            self.client.emit(self.now, namespace, &packet, delivery)
        )
    }

    fn emit_with_ack(&mut self, namespace: NamespaceId, script: &mut Script<'_>) -> String {
        let packet = self.packet(namespace, script);
        let deadline = self.now + Duration::from_millis(script.word().into());
        let outcome = self.client.emit_with_ack(self.now, namespace, &packet, deadline);
        if let Ok(ack) = outcome {
            self.ledger.acks.add(ack);
        }
        format!("emit_with_ack {outcome:?}")
    }

    fn deliver(&mut self, namespace: NamespaceId, script: &mut Script<'_>) -> String {
        let packet = self.packet(namespace, script);
        let retry = Retry {
            ack_timeout: Duration::from_millis(script.word().into()),
            retries: (script.byte() % 4).into(),
        };
        let outcome = self.client.deliver(self.now, namespace, &packet, retry);
        if let Ok(ack) = outcome {
            self.ledger.acks.add(ack);
        }
        format!("deliver {outcome:?}")
    }

    fn forget(&mut self, script: &mut Script<'_>) -> String {
        if let Some(ack) = script.choose(&self.ledger.acks.all) {
            // What has ended already is recorded before it is forgotten.
            self.poll_events();
            self.client.forget_ack(ack);
            self.ledger.acks.forget(ack);
        }
        String::new()
    }

    fn acknowledge(&mut self, script: &mut Script<'_>) -> String {
        let Some(token) = script.take(&mut self.tokens) else {
            return String::new();
        };
        let name = known_name(self.client.namespace_name(token.namespace()));
        let packet = self
            .encoder
            .ack(name.as_str(), token.id(), &())
            .expect("a packet");
        format!("ack {:?}", self.client.ack(self.now, token, &packet))
    }

    /// The client is closed: handles of its connections do nothing any more.
    pub(super) fn use_stale_handles(&mut self) {
        for connection in &self.connections {
            assert!(!self.client.is_wanted(connection.id));
            assert!(!self.client.handle_open(self.now, connection.id));
            self.client.handle_lost(self.now, connection.id);
        }
        let packet = self.encoder.ack("/", 1, &()).expect("a packet");
        for token in core::mem::take(&mut self.tokens) {
            let outcome = self.client.ack(self.now, token, &packet);
            assert_eq!(outcome, Err(EmitError::NotConnected));
        }
        for ack in &self.ledger.acks.all {
            self.client.forget_ack(*ack);
        }
        assert!(self.client.poll_event().is_none());
        assert_eq!(self.client.poll_timeout(), None);
    }
}
