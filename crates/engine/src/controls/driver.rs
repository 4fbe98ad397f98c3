//! One control at work: `Asking` says when, an `Asker` knows how.

use super::asking::{Asking, Failure, Manner, Step};
use crate::Recorder;
use record::Heard;
use std::future::Future;

pub enum News {
    /// The answer to this attempt.
    Answer(u64),
    /// An answer that is none, or a question that could not be put.
    Failed(Failure),
    /// From here on this is asked; nothing where there is nobody to ask.
    Target(Option<Heard>),
}

pub trait Asker: Send {
    /// Puts the question once more. Never waits for anybody: whatever comes of it is news.
    fn put(&mut self, attempt: u64) -> impl Future<Output = ()> + Send;
    /// What came of it all. Dropped and asked for again without losing any.
    fn news(&mut self) -> impl Future<Output = News> + Send;
}

/// Runs until it is dropped.
pub async fn ask(manner: Manner, target: Option<Heard>, mut asker: impl Asker, recorder: Recorder) {
    let mut asking = Asking::new(manner, recorder.now());
    note(&recorder, asking.aim(target, recorder.now()));
    loop {
        for step in asking.due(recorder.now()) {
            match step {
                Step::Put(attempt) => asker.put(attempt).await,
                Step::Note(fact) => note(&recorder, Some(fact)),
            }
        }
        let wait = asking.wait(recorder.now());
        tokio::select! {
            // An answer that came in time counts, though we look late.
            biased;
            news = asker.news() => {
                let now = recorder.now();
                match news {
                    News::Answer(attempt) => note(&recorder, asking.answered(attempt, now)),
                    News::Failed(failure) => asking.failed(failure),
                    News::Target(target) => note(&recorder, asking.aim(target, now)),
                }
            }
            () = tokio::time::sleep(wait) => {}
        }
    }
}

fn note(recorder: &Recorder, fact: Option<record::Fact>) {
    if let Some(fact) = fact {
        recorder.note(fact);
    }
}
