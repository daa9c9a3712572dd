//! Where randomness enters: one generator, dealt out as independent streams.
//!
//! With a seed, the same calls get the same ids and secrets in every run. That holds only if what
//! happens in between does not draw from the same stream: workers run in the background, and tests
//! poll with GET. So each of them draws from a stream of its own.

use model::clock::Rng;
use model::id::RequestId;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};
use std::sync::{Arc, Mutex, PoisonError};

/// A stream of random bytes, fit for secrets.
#[derive(Debug)]
pub struct Stream(Mutex<ChaCha20Rng>);

impl Rng for Stream {
    fn fill(&self, buffer: &mut [u8]) {
        // A thread that panicked while drawing leaves a generator that is as good as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buffer);
    }
}

/// Ids of requests.
#[derive(Debug)]
pub struct RequestIds {
    posts: Stream,
    deletes: Stream,
    others: Stream,
}

impl RequestIds {
    /// The id of the next request with this method.
    pub fn next(&self, method: &axum::http::Method) -> RequestId {
        let stream = match *method {
            axum::http::Method::POST => &self.posts,
            axum::http::Method::DELETE => &self.deletes,
            _ => &self.others,
        };
        let mut number = [0; 8];
        stream.fill(&mut number);
        RequestId::from_number(u64::from_le_bytes(number))
    }
}

/// All streams of a server.
#[derive(Debug)]
pub struct Streams {
    /// Numbers and secrets of objects; drawn from by API calls only.
    pub objects: Arc<Stream>,
    /// Nonces, and whatever else no answer shows.
    pub internals: Arc<Stream>,
    /// Ids of requests.
    pub request_ids: RequestIds,
    /// Tokens of visits to the settings page.
    pub visits: Stream,
}

impl Streams {
    /// Streams that are the same for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self::of(&ChaCha20Rng::seed_from_u64(seed))
    }

    /// Streams seeded by the operating system.
    pub fn from_system() -> Result<Self, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        Ok(Self::of(&ChaCha20Rng::from_seed(seed)))
    }

    fn of(generator: &ChaCha20Rng) -> Self {
        let stream = |number: u64| {
            let mut generator = generator.clone();
            generator.set_stream(number);
            Stream(Mutex::new(generator))
        };
        Self {
            objects: Arc::new(stream(1)),
            internals: Arc::new(stream(2)),
            request_ids: RequestIds { posts: stream(3), deletes: stream(4), others: stream(5) },
            visits: stream(6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Method;

    /// The same seed repeats; another seed, and another stream of the same seed, does not.
    #[test]
    fn seeds_and_streams_differ() {
        let draw = |stream: &Stream| {
            let mut bytes = [0; 16];
            stream.fill(&mut bytes);
            bytes
        };
        let (one, same, other) = (Streams::seeded(7), Streams::seeded(7), Streams::seeded(8));
        let first = draw(&one.objects);
        assert_eq!(first, draw(&same.objects));
        assert_ne!(first, draw(&other.objects));
        assert_ne!(first, draw(&one.internals));
        assert_ne!(draw(&one.objects), first);
    }

    /// Polling with GET does not shift the ids of the POSTs around it.
    #[test]
    fn reads_do_not_shift_the_ids_of_writes() {
        let (calm, polled) = (Streams::seeded(7).request_ids, Streams::seeded(7).request_ids);
        polled.next(&Method::GET);
        polled.next(&Method::DELETE);
        assert_eq!(calm.next(&Method::POST), polled.next(&Method::POST));
        assert_ne!(calm.next(&Method::GET), calm.next(&Method::GET));
    }
}
