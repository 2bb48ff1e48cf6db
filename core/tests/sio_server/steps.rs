//! What may happen to a server in random tests.

use proptest::prelude::*;

pub(crate) const CLIENTS: usize = 5;
pub(crate) const NAMESPACES: [&str; 2] = ["/", "/chat"];
pub(crate) const ROOMS: [&str; 3] = ["red", "green", "blue"];

/// One thing that happens. Numbers mean clients, namespaces, rooms and open acknowledgements, and wrap.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Connect(usize, usize),
    Leave(usize, usize),
    Disconnect(usize, usize),
    DisconnectClient(usize, usize),
    Lose(usize),
    BreakRules(usize),
    Join(usize, usize, usize),
    LeaveRoom(usize, usize, usize),
    CloseRoom(usize, usize),
    Broadcast(usize, TargetChoice),
    Emit(usize, usize),
    EmitWithAck(usize, usize, u64),
    Acknowledge(usize),
    AcknowledgeAgain(usize),
    Forget(usize),
    Wait(u64),
    /// Time passes and the timer fires once, when it is over.
    Sleep(u64),
}

/// A [`Target`] in numbers of clients and rooms.
#[derive(Clone, Debug)]
pub(crate) struct TargetChoice {
    pub(crate) rooms: Vec<usize>,
    pub(crate) sockets: Vec<usize>,
    pub(crate) except: Vec<usize>,
    pub(crate) except_sockets: Vec<usize>,
    pub(crate) skip: Option<usize>,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let client = || 0..CLIENTS;
    let namespace = || 0..NAMESPACES.len();
    let room = || 0..ROOMS.len();
    let some = |range: core::ops::Range<usize>| prop::collection::vec(range, 0..3);
    let choice = (
        some(0..3),
        some(0..5),
        some(0..3),
        some(0..5),
        prop::option::of(0..5_usize),
    )
        .prop_map(|(rooms, sockets, except, except_sockets, skip)| TargetChoice {
            rooms,
            sockets,
            except,
            except_sockets,
            skip,
        });
    let step = prop_oneof![
        6 => (client(), namespace()).prop_map(|(client, namespace)| Step::Connect(client, namespace)),
        1 => (client(), namespace()).prop_map(|(client, namespace)| Step::Leave(client, namespace)),
        1 => (client(), namespace()).prop_map(|(client, namespace)| Step::Disconnect(client, namespace)),
        1 => (client(), namespace()).prop_map(|(client, namespace)| Step::DisconnectClient(client, namespace)),
        1 => client().prop_map(Step::Lose),
        1 => client().prop_map(Step::BreakRules),
        8 => (client(), namespace(), room()).prop_map(|(c, n, r)| Step::Join(c, n, r)),
        4 => (client(), namespace(), room()).prop_map(|(c, n, r)| Step::LeaveRoom(c, n, r)),
        1 => (namespace(), room()).prop_map(|(namespace, room)| Step::CloseRoom(namespace, room)),
        8 => (namespace(), choice).prop_map(|(namespace, choice)| Step::Broadcast(namespace, choice)),
        3 => (client(), namespace()).prop_map(|(client, namespace)| Step::Emit(client, namespace)),
        5 => (client(), namespace(), 0..50_u64).prop_map(|(c, n, after)| Step::EmitWithAck(c, n, after)),
        4 => any::<usize>().prop_map(Step::Acknowledge),
        1 => any::<usize>().prop_map(Step::AcknowledgeAgain),
        1 => any::<usize>().prop_map(Step::Forget),
        2 => (0..30_u64).prop_map(Step::Wait),
        2 => (0..30_u64).prop_map(Step::Sleep),
    ];
    prop::collection::vec(step, 0..120)
}
