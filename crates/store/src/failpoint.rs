//! Named places where a crash test stops the process, so that it can be killed exactly there.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// At most one armed place. Normal servers have none, and then a place costs one comparison.
#[derive(Clone, Debug, Default)]
pub struct Failpoints {
    armed: Option<Arc<Armed>>,
}

#[derive(Debug)]
struct Armed {
    name: String,
    passes_left: AtomicU32,
}

impl Failpoints {
    /// Arms `name:passes`: the place `name` is passed that often, and then never left.
    /// Answers `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, passes) = text.split_once(':')?;
        let passes_left = AtomicU32::new(passes.parse().ok()?);
        Some(Self { armed: Some(Arc::new(Armed { name: name.to_owned(), passes_left })) })
    }

    /// A place. If it is the armed one and its passes are used up, says so on standard error and
    /// holds the thread until the process is killed.
    pub fn reach(&self, name: &str) {
        let Some(armed) = self.armed.as_ref().filter(|armed| armed.name == name) else {
            return;
        };
        let spent = armed
            .passes_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if spent.is_err() {
            let _ = writeln!(std::io::stderr(), "failpoint {name}");
            loop {
                std::thread::park();
            }
        }
    }
}
