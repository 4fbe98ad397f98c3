//! `Place`: the right to open a socket, where they are counted.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// For one socket, or for some; given back when its last copy is dropped. A look-up that we left goes on in the system, and
/// keeps a copy until it ends.
#[derive(Clone)]
pub struct Place {
    _held: Arc<[OwnedSemaphorePermit]>,
    /// For what is opened beside it for a moment.
    pub spare: Arc<Semaphore>,
}

/// Of one connection at once, so that one that tries many addresses leaves some to another.
pub const MOST_SPARE: usize = 2;

impl Place {
    pub fn new<const N: usize>(held: [OwnedSemaphorePermit; N], spare: Arc<Semaphore>) -> Self {
        Self { _held: Arc::new(held), spare }
    }
}
