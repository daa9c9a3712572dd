//! The choice among due work, by the shares of merchants. It is pure, and both back ends use it.
//!
//! | word | meaning |
//! |---|---|
//! | owner | the owner of the share of a piece of work: the platform of a connected account, and otherwise the merchant of the work |
//! | part | a part of an owner's work with a share of its own, such as an endpoint |
//! | place | a place for one piece of work on the server |

use model::id::MerchantId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A piece of due work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<P> {
    pub(crate) owner: MerchantId,
    pub(crate) part: P,
    /// Its position among the due work that takes turns within the owner.
    pub(crate) rank: usize,
    /// The order of turns: the time at which it was due, and two numbers for pieces that were due at the
    /// same time.
    pub(crate) order: (i64, u64, u64),
}

/// The numbers on which a share depends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    /// The places of the owner.
    pub(crate) owner: usize,
    /// The places of the part.
    pub(crate) part: usize,
    /// The free places of the server.
    pub(crate) free: usize,
}

/// The places in use, with those that a claim adds.
#[derive(Debug)]
pub(crate) struct Shares<P> {
    pub(crate) free: usize,
    owners: BTreeMap<MerchantId, usize>,
    parts: BTreeMap<P, usize>,
}

impl<P: Copy + Ord> Shares<P> {
    /// The places in use, each by an owner and a part.
    pub(crate) fn of(free: usize, used: impl Iterator<Item = (MerchantId, P, usize)>) -> Self {
        let (mut owners, mut parts) = (BTreeMap::new(), BTreeMap::new());
        for (owner, part, places) in used {
            *owners.entry(owner).or_default() += places;
            *parts.entry(part).or_default() += places;
        }
        Self { free, owners, parts }
    }

    /// The numbers for a part of an owner.
    pub(crate) fn used(&self, owner: MerchantId, part: P) -> Used {
        let owner = self.places_of(owner);
        Used { owner, part: self.parts.get(&part).copied().unwrap_or(0), free: self.free }
    }

    /// The places of an owner.
    pub(crate) fn places_of(&self, owner: MerchantId) -> usize {
        self.owners.get(&owner).copied().unwrap_or(0)
    }

    fn take(&mut self, owner: MerchantId, part: P) {
        self.free -= 1;
        *self.owners.entry(owner).or_default() += 1;
        *self.parts.entry(part).or_default() += 1;
    }
}

/// The choice of a claim.
#[derive(Debug)]
pub(crate) struct Choice<P> {
    /// The positions of the chosen candidates, in the order of their turns.
    pub(crate) taken: Vec<usize>,
    /// The parts without a free share, with their owners. It stays used up for the rest of a claim,
    /// because a claim only takes places.
    pub(crate) refused: BTreeSet<(MerchantId, P)>,
    /// The owners that had no candidate left for a turn.
    pub(crate) ran_out: BTreeSet<MerchantId>,
    /// The places in use after the choice.
    pub(crate) shares: Shares<P>,
}

/// Chooses at most `limit` candidates for which `allows` finds a share. Owners take turns, and within an
/// owner the candidates with the lowest rank come first.
pub(crate) fn choose<P: Copy + Ord>(
    candidates: &[Candidate<P>],
    limit: usize,
    shares: Shares<P>,
    allows: impl Fn(Used) -> bool,
) -> Choice<P> {
    let (refused, ran_out) = (BTreeSet::new(), BTreeSet::new());
    let mut choice = Choice { taken: Vec::new(), refused, ran_out, shares };
    let mut queues = queues(candidates);
    while choice.taken.len() < limit && !queues.is_empty() {
        let mut round: Vec<_> = queues.iter_mut().collect();
        round.sort_by_key(|(_, queue)| queue.front().map(|place| candidates[*place].order));
        for (owner, queue) in round {
            if choice.taken.len() == limit {
                break;
            }
            let next = queue.iter().position(|place| {
                let part = candidates[*place].part;
                let is_allowed = !choice.refused.contains(&(*owner, part))
                    && choice.shares.free > 0
                    && allows(choice.shares.used(*owner, part));
                if !is_allowed {
                    choice.refused.insert((*owner, part));
                }
                is_allowed
            });
            let Some(next) = next else {
                choice.ran_out.insert(*owner);
                queue.clear();
                continue;
            };
            choice.shares.take(*owner, candidates[queue[next]].part);
            choice.taken.push(queue[next]);
            queue.drain(..=next);
        }
        let is_full = choice.taken.len() == limit;
        queues.retain(|owner, queue| {
            let is_left =
                |place: &usize| !choice.refused.contains(&(*owner, candidates[*place].part));
            let passed = queue.iter().position(is_left).unwrap_or(queue.len());
            queue.drain(..passed);
            if queue.is_empty() && !is_full {
                choice.ran_out.insert(*owner);
            }
            !queue.is_empty()
        });
    }
    choice
}

/// The candidates of each owner in the order of its turns.
fn queues<P>(candidates: &[Candidate<P>]) -> BTreeMap<MerchantId, VecDeque<usize>> {
    let mut places: Vec<usize> = (0..candidates.len()).collect();
    places.sort_by_key(|place| (candidates[*place].rank, candidates[*place].order));
    let mut queues: BTreeMap<MerchantId, VecDeque<usize>> = BTreeMap::new();
    for place in places {
        queues.entry(candidates[place].owner).or_default().push_back(place);
    }
    queues
}
