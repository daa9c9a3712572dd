//! Failpoints: named points in the code at which a crash test stops the thread or makes it panic.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// At most one armed failpoint. In production none is armed, and reaching one costs one comparison.
#[derive(Clone, Debug, Default)]
pub struct Failpoints {
    armed: Option<Arc<Armed>>,
}

#[derive(Debug)]
struct Armed {
    name: String,
    passes_left: AtomicU32,
    action: Action,
}

/// The action of a thread that reaches the armed failpoint.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// The thread waits until the process is killed.
    Stop,
    /// The thread panics.
    Panic,
}

impl Failpoints {
    /// Parses `name:passes` or `name:passes:panic`. A thread passes the failpoint `name` that many
    /// times. The next time it stops until the process is killed, or panics. Returns `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once(':')?;
        let (passes, action) = match rest.split_once(':') {
            None => (rest, Action::Stop),
            Some((passes, "panic")) => (passes, Action::Panic),
            Some(_) => return None,
        };
        let passes_left = AtomicU32::new(passes.parse().ok()?);
        Some(Self { armed: Some(Arc::new(Armed { name: name.to_owned(), passes_left, action })) })
    }

    /// Passes the failpoint `name`. If it is the armed one and no passes are left, the function
    /// prints `failpoint NAME` to standard error and does not return.
    pub fn reach(&self, name: &str) {
        let Some(armed) = self.armed.as_ref().filter(|armed| armed.name == name) else {
            return;
        };
        let spent = armed
            .passes_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if spent.is_err() {
            let _ = writeln!(std::io::stderr(), "failpoint {name}");
            match armed.action {
                Action::Stop => loop {
                    std::thread::park();
                },
                Action::Panic => panic!("the failpoint {name} is armed to panic"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Failpoints;

    /// Only a name, a number of passes and an optional `panic` are accepted.
    #[test]
    fn text_is_parsed() {
        for text in ["before_commit:0", "before_commit:12", "before_commit:12:panic"] {
            assert!(Failpoints::parse(text).is_some(), "{text}");
        }
        for text in ["", "before_commit", "before_commit:", "before_commit:x", "a:1:", "a:1:stop"] {
            assert!(Failpoints::parse(text).is_none(), "{text}");
        }
    }

    /// A failpoint panics after its passes; other failpoints never do.
    #[test]
    fn panics_after_its_passes() {
        let failpoints = Failpoints::parse("here:2:panic").unwrap();
        for _ in 0..9 {
            failpoints.reach("elsewhere");
        }
        failpoints.reach("here");
        failpoints.reach("here");
        assert!(std::panic::catch_unwind(|| failpoints.reach("here")).is_err());
    }
}
