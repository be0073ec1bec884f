//! How often an address may do a thing: a bucket of permissions that refills.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use common::time::Monotonic;

/// Most addresses remembered. When they all are in use at once, newcomers share one bucket.
const MAX_ADDRESSES: usize = 10_000;

/// What an address may do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// At once, after a pause.
    pub(super) burst: u32,
    /// Time until one more is allowed.
    pub(super) refill: Duration,
}

pub(super) struct RateLimiter {
    rate: Rate,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// For each address, when its bucket is full again.
    full_at: HashMap<IpAddr, Monotonic>,
    shared_full_at: Monotonic,
}

impl RateLimiter {
    pub(super) fn new(rate: Rate) -> Self {
        Self {
            rate,
            state: Mutex::default(),
        }
    }

    /// Takes one permission; the error says when there is one again.
    pub(super) fn take(&self, address: IpAddr, now: Monotonic) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = state.bucket(address, now);
        self.wait(*full_at, now)?;
        *full_at = (*full_at).max(now) + self.rate.refill;
        Ok(())
    }

    /// Whether there is a permission, without taking it.
    pub(super) fn check(&self, address: IpAddr, now: Monotonic) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = *state.bucket(address, now);
        self.wait(full_at, now)
    }

    fn wait(&self, full_at: Monotonic, now: Monotonic) -> Result<(), Duration> {
        let debt = full_at.since(now) + self.rate.refill;
        match debt.saturating_sub(self.rate.refill * self.rate.burst) {
            Duration::ZERO => Ok(()),
            wait => Err(wait),
        }
    }
}

impl State {
    fn bucket(&mut self, address: IpAddr, now: Monotonic) -> &mut Monotonic {
        if self.full_at.len() >= MAX_ADDRESSES && !self.full_at.contains_key(&address) {
            // A full bucket says nothing.
            self.full_at.retain(|_, full_at| *full_at > now);
            if self.full_at.len() >= MAX_ADDRESSES {
                return &mut self.shared_full_at;
            }
        }
        self.full_at.entry(address).or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const RATE: Rate = Rate {
        burst: 3,
        refill: Duration::from_secs(10),
    };

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(number))
    }

    #[test]
    fn a_burst_is_allowed_and_then_one_for_each_refill() {
        let limiter = RateLimiter::new(RATE);
        for _ in 0..3 {
            assert_eq!(limiter.take(address(1), at(100)), Ok(()));
        }
        assert_eq!(limiter.take(address(1), at(101)), Err(Duration::from_secs(9)));
        assert_eq!(limiter.check(address(1), at(109)), Err(Duration::from_secs(1)));
        assert_eq!(limiter.take(address(1), at(110)), Ok(()));
        assert!(limiter.take(address(1), at(110)).is_err());
    }

    #[test]
    fn one_address_does_not_slow_another() {
        let limiter = RateLimiter::new(RATE);
        while limiter.take(address(1), at(0)).is_ok() {}
        assert_eq!(limiter.check(address(2), at(0)), Ok(()));
    }

    #[test]
    fn a_flood_of_addresses_shares_one_bucket_until_others_are_full_again() {
        let limiter = RateLimiter::new(RATE);
        for number in 0..MAX_ADDRESSES as u32 {
            limiter.take(address(number), at(0)).unwrap();
        }
        let newcomers = (0..10).filter(|number| limiter.take(address(1_000_000 + number), at(0)).is_ok());
        assert_eq!(newcomers.count(), 3);
        assert_eq!(limiter.take(address(2_000_000), at(10)), Ok(()));
        assert!(limiter.state.lock().unwrap().full_at.len() <= MAX_ADDRESSES);
    }
}
