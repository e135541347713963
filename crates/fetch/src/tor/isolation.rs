//! Which connections may share circuits.

use std::collections::{HashMap, VecDeque};

use arti_client::IsolationToken;
use model::Isolation;

/// From this many groups on the oldest one is forgotten. Its next connection gets new circuits, and nothing worse happens.
const MAX_GROUPS: usize = 4096;

/// A token per isolation group: streams with different tokens never share a circuit.
#[derive(Default)]
pub(crate) struct Isolations {
    tokens: HashMap<Isolation, IsolationToken>,
    order: VecDeque<Isolation>,
}

impl Isolations {
    /// The token of a group, the same one each time.
    pub(crate) fn token(&mut self, group: Isolation) -> IsolationToken {
        if let Some(token) = self.tokens.get(&group) {
            return *token;
        }
        if self.order.len() >= MAX_GROUPS
            && let Some(oldest) = self.order.pop_front()
        {
            self.tokens.remove(&oldest);
        }
        self.order.push_back(group);
        *self.tokens.entry(group).or_insert_with(IsolationToken::new)
    }
}

#[cfg(test)]
mod tests {
    use model::TargetId;

    use super::*;

    #[test]
    fn targets_and_epochs_have_tokens_of_their_own() {
        let mut isolations = Isolations::default();
        let group = |target, epoch| Isolation { target: TargetId::from_u64(target), epoch };
        let token = isolations.token(group(1, 0));
        assert_eq!(isolations.token(group(1, 0)), token);
        assert_ne!(isolations.token(group(1, 1)), token);
        assert_ne!(isolations.token(group(2, 0)), token);
    }

    #[test]
    fn the_number_of_groups_is_bounded() {
        let mut isolations = Isolations::default();
        for epoch in 0..10_000 {
            isolations.token(Isolation { target: TargetId::from_u64(1), epoch });
        }
        assert_eq!((isolations.tokens.len(), isolations.order.len()), (MAX_GROUPS, MAX_GROUPS));
    }
}
