//! Deadlines: one sorted list per kind, so that arming, disarming and finding the next are O(1) for kinds
//! whose duration does not vary.

use core::time::Duration;
use std::time::Instant;

/// `duration` after `from`. What lies beyond the clock never comes, and is as good as a lifetime away.
pub(crate) fn later(from: Instant, duration: Duration) -> Instant {
    const LIFETIME: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    from.checked_add(duration.min(LIFETIME)).unwrap_or(from)
}

/// One armed deadline. Whoever armed it forgets it when it fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerId(u32);

pub(crate) struct Timers<K, const KINDS: usize> {
    nodes: Vec<Node<K>>,
    free: Vec<u32>,
    lists: [List; KINDS],
}

#[derive(Clone, Copy, Default)]
struct List {
    first: Option<u32>,
    last: Option<u32>,
    len: usize,
}

struct Node<K> {
    deadline: Instant,
    kind: usize,
    key: K,
    previous: Option<u32>,
    next: Option<u32>,
}

impl<K: Copy, const KINDS: usize> Timers<K, KINDS> {
    pub(crate) fn new() -> Self {
        Self {
            nodes: Vec::new(),
            free: Vec::new(),
            lists: [List::default(); KINDS],
        }
    }

    /// Arms a deadline in the list of `kind`. Inserting walks back from the end, so it is O(1) as long as all
    /// deadlines of a kind are equally far away.
    pub(crate) fn arm(&mut self, kind: usize, deadline: Instant, key: K) -> TimerId {
        let mut previous = self.lists.get(kind).and_then(|list| list.last);
        while let Some(before) = previous.and_then(|index| self.node(index)) {
            if before.deadline <= deadline {
                break;
            }
            previous = before.previous;
        }
        let next = match previous {
            Some(index) => self.node(index).and_then(|node| node.next),
            None => self.lists.get(kind).and_then(|list| list.first),
        };
        let index = self.place(Node {
            deadline,
            kind,
            key,
            previous,
            next,
        });
        self.link(kind, previous, next, Some(index), Some(index));
        if let Some(list) = self.lists.get_mut(kind) {
            list.len = list.len.saturating_add(1);
        }
        TimerId(index)
    }

    pub(crate) fn disarm(&mut self, timer: TimerId) {
        let Some(node) = self.node(timer.0) else { return };
        let (kind, previous, next) = (node.kind, node.previous, node.next);
        self.link(kind, previous, next, next, previous);
        if let Some(list) = self.lists.get_mut(kind) {
            list.len = list.len.saturating_sub(1);
        }
        self.free.push(timer.0);
    }

    /// How many deadlines of a kind are armed.
    pub(crate) fn count(&self, kind: usize) -> usize {
        self.lists.get(kind).map_or(0, |list| list.len)
    }

    /// Whose deadline of a kind comes first.
    pub(crate) fn first(&self, kind: usize) -> Option<K> {
        let first = self.lists.get(kind)?.first?;
        Some(self.node(first)?.key)
    }

    /// The earliest deadline of all.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heads().map(|(_, deadline)| deadline).min()
    }

    /// Takes out the earliest deadline that is not after `now`.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(Instant, K)> {
        let (index, deadline) = self.heads().min_by_key(|(_, deadline)| *deadline)?;
        if deadline > now {
            return None;
        }
        let key = self.node(index)?.key;
        self.disarm(TimerId(index));
        Some((deadline, key))
    }

    fn heads(&self) -> impl Iterator<Item = (u32, Instant)> + '_ {
        self.lists.iter().filter_map(|list| {
            let index = list.first?;
            Some((index, self.node(index)?.deadline))
        })
    }

    fn node(&self, index: u32) -> Option<&Node<K>> {
        self.nodes.get(index as usize)
    }

    fn place(&mut self, node: Node<K>) -> u32 {
        if let Some(index) = self.free.pop() {
            if let Some(slot) = self.nodes.get_mut(index as usize) {
                *slot = node;
            }
            return index;
        }
        self.nodes.push(node);
        (self.nodes.len() - 1) as u32
    }

    /// Makes `after` follow `previous` and `before` precede `next`, the list's ends included.
    fn link(
        &mut self,
        kind: usize,
        previous: Option<u32>,
        next: Option<u32>,
        after: Option<u32>,
        before: Option<u32>,
    ) {
        match previous.and_then(|index| self.nodes.get_mut(index as usize)) {
            Some(node) => node.next = after,
            None => {
                if let Some(list) = self.lists.get_mut(kind) {
                    list.first = after;
                }
            }
        }
        match next.and_then(|index| self.nodes.get_mut(index as usize)) {
            Some(node) => node.previous = before,
            None => {
                if let Some(list) = self.lists.get_mut(kind) {
                    list.last = before;
                }
            }
        }
    }

    /// How many deadlines there is room for: what a flood may not make grow.
    #[cfg(test)]
    fn capacity(&self) -> usize {
        self.nodes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn re_arming_a_million_times_takes_no_room() {
        let start = Instant::now_for_tests();
        let mut timers: Timers<u32, 2> = Timers::new();
        let mut armed = timers.arm(0, start, 7);
        for step in 0..1_000_000u32 {
            timers.disarm(armed);
            armed = timers.arm(0, start + Duration::from_nanos(u64::from(step)), 7);
        }
        assert_eq!(timers.capacity(), 1);
    }

    proptest! {
        #[test]
        fn deadlines_come_out_sorted_and_disarmed_ones_do_not(
            steps in prop::collection::vec((0usize..3, 0u64..100, any::<bool>()), 0..60),
        ) {
            let start = Instant::now_for_tests();
            let mut timers: Timers<usize, 3> = Timers::new();
            let mut kept = Vec::new();
            for (number, (kind, after, disarm)) in steps.into_iter().enumerate() {
                let deadline = start + Duration::from_millis(after);
                let timer = timers.arm(kind, deadline, number);
                if disarm { timers.disarm(timer) } else { kept.push((deadline, number)) }
            }
            prop_assert_eq!(timers.next(), kept.iter().map(|(deadline, _)| *deadline).min());
            let mut seen = Vec::new();
            while let Some(fired) = timers.pop_due(start + Duration::from_millis(200)) {
                seen.push(fired);
            }
            prop_assert!(seen.is_sorted_by_key(|(deadline, _)| *deadline));
            seen.sort_unstable();
            kept.sort_unstable();
            prop_assert_eq!(seen, kept);
        }
    }

    trait TestClock {
        fn now_for_tests() -> Instant;
    }

    impl TestClock for Instant {
        #[allow(clippy::disallowed_methods)]
        fn now_for_tests() -> Instant {
            Self::now()
        }
    }
}
