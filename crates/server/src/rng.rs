//! The source of randomness: one generator, split into independent streams.
//!
//! With a seed, the same calls get the same ids and secrets in every run. This requires that other
//! activity does not draw from the same stream, because workers run in the background and tests
//! poll with GET. Therefore each of them has a stream of its own.

use model::clock::Rng;
use model::id::RequestId;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};
use std::sync::{Arc, Mutex, PoisonError};

/// A stream of random bytes that is suitable for secrets.
#[derive(Debug)]
pub struct Stream(Mutex<ChaCha20Rng>);

impl Rng for Stream {
    fn fill(&self, buffer: &mut [u8]) {
        // A thread that panicked while drawing leaves the generator in a valid state.
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
    /// Creates the id of the next request with this method.
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
    /// Numbers and secrets of objects. Only API calls draw from it.
    pub objects: Arc<Stream>,
    /// Nonces, and other values that no response contains.
    pub internals: Arc<Stream>,
    /// Ids of requests.
    pub request_ids: RequestIds,
    /// Tokens of visits to the settings page.
    pub visits: Stream,
}

impl Streams {
    /// Creates streams that are the same for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self::of(&ChaCha20Rng::seed_from_u64(seed))
    }

    /// Creates streams seeded by the operating system.
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

    /// The same seed repeats the bytes. Another seed, or another stream of the same seed, differs.
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

    /// GET requests do not change the ids of the POST requests around them.
    #[test]
    fn reads_do_not_shift_the_ids_of_writes() {
        let (calm, polled) = (Streams::seeded(7).request_ids, Streams::seeded(7).request_ids);
        polled.next(&Method::GET);
        polled.next(&Method::DELETE);
        assert_eq!(calm.next(&Method::POST), polled.next(&Method::POST));
        assert_ne!(calm.next(&Method::GET), calm.next(&Method::GET));
    }
}
