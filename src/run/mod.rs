//! Check, plan, apply: order and dependencies, the journal, the lock, resuming.
