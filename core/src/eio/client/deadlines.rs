use std::time::Instant;

/// What a client waits for at most so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The session to be opened.
    Connect,
    /// The server's next ping.
    Heartbeat,
    /// The rest of an answer to a poll that ends the session.
    Poll,
    /// The answer to a POST.
    Post,
    /// The WebSocket to take over, or to open the session where polling could as well.
    Upgrade,
    /// What is queued to leave.
    Close,
}

/// A client's deadlines: of each kind at most one is armed.
#[derive(Debug, Default)]
pub(super) struct Deadlines([Option<Instant>; Due::ALL.len()]);

impl Due {
    const ALL: [Self; 6] = [
        Self::Connect,
        Self::Heartbeat,
        Self::Poll,
        Self::Post,
        Self::Upgrade,
        Self::Close,
    ];
}

impl Deadlines {
    /// Arms one, in place of the one of this kind that was armed before.
    pub(super) fn arm(&mut self, due: Due, deadline: Instant) {
        self.set(due, Some(deadline));
    }

    pub(super) fn disarm(&mut self, due: Due) {
        self.set(due, None);
    }

    pub(super) fn disarm_all(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_armed(&self, due: Due) -> bool {
        self.0.get(due as usize).is_some_and(Option::is_some)
    }

    /// The earliest of all.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes out the earliest that is not after `now`.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Due> {
        let earliest = self.next().filter(|deadline| *deadline <= now)?;
        let due = Due::ALL
            .into_iter()
            .find(|due| self.0.get(*due as usize) == Some(&Some(earliest)))?;
        self.disarm(due);
        Some(due)
    }

    fn set(&mut self, due: Due, deadline: Option<Instant>) {
        if let Some(place) = self.0.get_mut(due as usize) {
            *place = deadline;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    #[allow(clippy::disallowed_methods)] // The one reading of the clock, from which the test counts.
    fn deadlines_come_out_once_and_sorted() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut deadlines = Deadlines::default();
        for (place, due) in Due::ALL.into_iter().enumerate() {
            assert_eq!(due as usize, place);
            deadlines.arm(due, after(9 - place as u64));
        }
        deadlines.arm(Due::Connect, after(1));
        deadlines.disarm(Due::Poll);
        assert_eq!(deadlines.pop_due(start), None);
        assert_eq!(deadlines.next(), Some(after(1)));
        let fired: Vec<_> = core::iter::from_fn(|| deadlines.pop_due(after(9))).collect();
        assert_eq!(
            fired,
            [Due::Connect, Due::Close, Due::Upgrade, Due::Post, Due::Heartbeat]
        );
        assert_eq!(deadlines.next(), None);
    }
}
