//! Attempts that each have a socket, or a thread, of their own.

use super::asking::{Failure, OVERDUE};
use super::driver::News;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// Dropped, all of them end.
pub struct Fresh {
    running: JoinSet<()>,
    tell: UnboundedSender<News>,
    told: UnboundedReceiver<News>,
}

/// What one attempt tells, once.
pub struct Reply {
    attempt: u64,
    tell: UnboundedSender<News>,
}

/// After its answer an attempt may go on to close its socket in order.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

impl Fresh {
    pub fn new() -> Self {
        let (tell, told) = unbounded_channel();
        Self { running: JoinSet::new(), tell, told }
    }

    pub fn put<F>(&mut self, attempt: u64, work: impl FnOnce(Reply) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        while self.running.try_join_next().is_some() {}
        let work = work(Reply { attempt, tell: self.tell.clone() });
        self.running.spawn(async move {
            // Whoever is cut off here has been counted as unanswered already.
            let _ = tokio::time::timeout(OVERDUE + CLOSE_WITHIN, Box::pin(work)).await;
        });
    }

    /// For what goes wrong before there is an attempt.
    pub fn failed(&self, says: &str) {
        Reply { attempt: 0, tell: self.tell.clone() }.failed(says);
    }

    pub async fn news(&mut self) -> News {
        self.told.recv().await.expect("a sender is kept beside it")
    }
}

impl Reply {
    pub fn answered(self) {
        self.say(News::Answer(self.attempt));
    }
    pub fn failed(self, failure: impl Into<Failure>) {
        self.say(News::Failed(failure.into()));
    }
    pub fn tell(self, result: Result<(), impl Into<Failure>>) {
        match result {
            Ok(()) => self.answered(),
            Err(failure) => self.failed(failure),
        }
    }
    fn say(&self, news: News) {
        // Nobody listens only when the control has ended.
        let _ = self.tell.send(news);
    }
}

/// Our FIN, then theirs: a socket dropped with unread bytes in it would end in a reset, which the other side would have to
/// take for a fault.
pub async fn close_in_order<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    const MOST: usize = 16;
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut rest = [0; 1024];
    for _ in 0..MOST {
        match stream.read(&mut rest).await {
            Ok(n) if n > 0 => {}
            _ => return,
        }
    }
}
