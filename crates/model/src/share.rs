//! Shares of the bounds of the server.
//!
//! A bound of the whole server counts the work of all merchants: attempts in flight, waiting calls, event
//! streams. Each merchant has a share of it, so that no merchant uses it up. A fixed part for each of
//! many merchants would be tiny. So the share follows the free places: a merchant may have as many as are
//! free (the dynamic thresholds of Choudhury and Hahne). One busy merchant has at most half of all places,
//! two have a third each, and a part stays free for the next one.

/// True if a merchant with `own` places may take one more, while `free` places are free.
pub const fn has_share(own: usize, free: usize) -> bool {
    own < free
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Busy merchants have equal parts, and one part stays free.
    #[test]
    fn a_part_stays_free() {
        for (merchants, part) in [(1, 512), (2, 342), (3, 256), (1_023, 1)] {
            let mut own = vec![0; merchants];
            let mut free = 1_024;
            let mut begins = true;
            while begins {
                begins = false;
                for own in &mut own {
                    if has_share(*own, free) {
                        (*own, free, begins) = (*own + 1, free - 1, true);
                    }
                }
            }
            assert!(own.iter().all(|own| (part - 1..=part).contains(own)), "{merchants}: {own:?}");
            assert!(has_share(0, free), "{merchants} leave {free}");
        }
    }
}
