//! Being asked to end: Ctrl-C, or the system's own request.

/// Resolves when somebody wants this program to end in order.
pub async fn asked() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut hang_up)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
            return ctrl_c().await;
        };
        tokio::select! { _ = term.recv() => {}, _ = hang_up.recv() => {}, () = ctrl_c() => {} }
    }
    #[cfg(not(unix))]
    ctrl_c().await;
}

async fn ctrl_c() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!("Ctrl-C cannot be heard here: {error}");
        std::future::pending::<()>().await;
    }
}
