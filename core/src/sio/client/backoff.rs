//! How long to wait before an attempt.

use super::Reconnection;
use core::time::Duration;

const SHORTEST: Duration = Duration::from_millis(1);

impl Reconnection {
    /// The delay before attempt `attempt`, counted from 1, for a `random` number of which every value is as likely.
    pub(super) fn delay(&self, attempt: u32, random: u64) -> Duration {
        let jitter = u128::from(self.jitter.min(100));
        let base = self.undisturbed(attempt).as_nanos();
        let span = base * jitter / 100;
        // From `base - span` to `base + span`; nanoseconds of a `Duration` have room for the product.
        let offset = (2 * span) * u128::from(random >> 32) / u128::from(u32::MAX);
        let nanos = u64::try_from(base - span + offset).unwrap_or(u64::MAX);
        Duration::from_nanos(nanos).min(self.max).max(SHORTEST)
    }

    /// The delay without jitter.
    fn undisturbed(&self, attempt: u32) -> Duration {
        let exponent = attempt.saturating_sub(1);
        let growth = self.factor.max(1).saturating_pow(exponent);
        self.min.saturating_mul(growth).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bounds(attempt: u32) -> (u128, u128) {
        let schedule = Reconnection::default();
        let at = |random| schedule.delay(attempt, random).as_millis();
        (at(0), at(u64::MAX))
    }

    #[test]
    fn the_default_schedule_is_the_documented_one() {
        assert_eq!(bounds(1), (500, 1_500));
        assert_eq!(bounds(2), (1_000, 3_000));
        assert_eq!(bounds(3), (2_000, 5_000));
        assert_eq!(bounds(4), (2_500, 5_000));
        assert_eq!(bounds(u32::MAX), (2_500, 5_000));
    }

    #[test]
    fn without_jitter_it_is_exact() {
        let schedule = Reconnection {
            jitter: 0,
            min: Duration::from_millis(10),
            max: Duration::from_secs(1),
            factor: 3,
            ..Reconnection::default()
        };
        let delays = (1..=6).map(|attempt| schedule.delay(attempt, 12_345).as_millis());
        assert_eq!(delays.collect::<Vec<_>>(), [10, 30, 90, 270, 810, 1_000]);
    }

    proptest! {
        #[test]
        fn a_delay_is_never_zero_never_above_the_maximum_and_within_the_jitter(
            attempt in prop_oneof![1u32..80, any::<u32>()],
            random: u64,
            min in prop_oneof![0u64..10_000_000, any::<u64>()],
            max in prop_oneof![0u64..10_000_000, any::<u64>()],
            factor in prop_oneof![0u32..5, any::<u32>()],
            jitter: u8,
        ) {
            let (min, max) = (Duration::from_micros(min), Duration::from_micros(max));
            let schedule = Reconnection { min, max, factor, jitter, ..Reconnection::default() };
            let delay = schedule.delay(attempt, random);
            prop_assert!(delay >= SHORTEST);
            prop_assert!(delay <= max.max(SHORTEST));
            let base = schedule.undisturbed(attempt);
            let share = f64::from(jitter.min(100)) / 100.0;
            let seconds = base.as_secs_f64();
            // Durations beyond 584 years are cut.
            if seconds < 1e9 {
                let lowest = seconds * (1.0 - share) * 0.999_999;
                let highest = (seconds * (1.0 + share) * 1.000_001).max(0.001_000_1);
                prop_assert!((lowest..=highest).contains(&delay.as_secs_f64()), "{delay:?} of {base:?}");
            }
        }
    }
}
