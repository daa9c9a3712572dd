//! Failpoints: named points in the code at which a test stops the thread or makes it panic.
//!
//! On `SQLite`, the name of a command's type, such as `CreateObject`, is a failpoint too. A write
//! reaches it after its statements, before the commit. A read reaches it before its statements.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The failpoint after each table that a restore fills, and after each kind of rows that a removal
/// clears.
pub(crate) const BETWEEN_TABLES: &str = "between_tables";

/// At most one armed failpoint. In production none is armed, and reaching one costs one comparison.
#[derive(Clone, Debug, Default)]
pub struct Failpoints {
    armed: Option<Arc<Armed>>,
}

#[derive(Debug)]
struct Armed {
    name: String,
    /// Passes before the action.
    passes: u64,
    /// Times that threads have reached it.
    reached: AtomicU64,
    action: Action,
}

/// The action of a thread that reaches the armed failpoint.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// The thread waits until the process is killed.
    Stop,
    /// The thread panics, once.
    Panic,
}

impl Failpoints {
    /// Parses `name:passes` or `name:passes:panic`. Threads pass the failpoint `name` that many
    /// times. The next thread panics, or all later ones stop until the process is killed. Returns
    /// `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once(':')?;
        let (passes, action) = match rest.split_once(':') {
            None => (rest, Action::Stop),
            Some((passes, "panic")) => (passes, Action::Panic),
            Some(_) => return None,
        };
        let armed = Armed {
            name: name.to_owned(),
            passes: u64::from(passes.parse::<u32>().ok()?),
            reached: AtomicU64::new(0),
            action,
        };
        Some(Self { armed: Some(Arc::new(armed)) })
    }

    /// Passes the failpoint `name`. If it is the armed one and its passes are used up, the function
    /// prints `failpoint NAME` to standard error and does not return.
    pub fn reach(&self, name: &str) {
        let Some(armed) = self.armed.as_ref().filter(|armed| armed.name == name) else {
            return;
        };
        let reached = armed.reached.fetch_add(1, Ordering::Relaxed);
        let print = || writeln!(std::io::stderr(), "failpoint {name}");
        match armed.action {
            Action::Stop if reached >= armed.passes => {
                let _ = print();
                loop {
                    std::thread::park();
                }
            }
            Action::Panic if reached == armed.passes => {
                let _ = print();
                panic!("the failpoint {name} is armed to panic");
            }
            Action::Stop | Action::Panic => {}
        }
    }

    /// Passes the failpoint of a command. Its name is computed only if a failpoint is armed.
    pub(crate) fn reach_command(&self, name: impl FnOnce() -> &'static str) {
        if self.armed.is_some() {
            self.reach(name());
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

    /// A failpoint panics once, after its passes. Other failpoints never do.
    #[test]
    fn panics_after_its_passes() {
        let failpoints = Failpoints::parse("here:2:panic").unwrap();
        for _ in 0..9 {
            failpoints.reach("elsewhere");
        }
        failpoints.reach("here");
        failpoints.reach("here");
        assert!(std::panic::catch_unwind(|| failpoints.reach("here")).is_err());
        failpoints.reach("here");
    }
}
