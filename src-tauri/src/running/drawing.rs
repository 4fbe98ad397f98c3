//! `Drawing`: a thread that tells the story of a running hold anew, a few times a second, to whoever draws it.
//!
//! A thread of its own, because telling hours takes longer than the call's packets may wait.

use super::{Glance, page::Page, picture::Picture};
use engine::Recorder;
use record::Event;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

/// More often than the eye reads helps nobody.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The clock goes on though nothing happens.
const SHOWN_EVERY: Duration = Duration::from_secs(1);
/// After a story that took a millisecond to tell, so many of them go by before the next: 2 % of a core.
const REST: u32 = 50;

pub struct Drawing {
    thread: JoinHandle<Picture>,
    over: Over,
}

/// Let go, it is over: also where the hold itself failed.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Drawing {
    pub fn begin(recorder: Recorder, picture: Picture, page: Page, glance: Glance) -> io::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let events = recorder.listen();
        let asked = Arc::clone(&over);
        let thread = std::thread::Builder::new().name("drawing".into());
        let thread = thread.spawn(move || draw(&recorder, events, picture, &page, &glance, &asked))?;
        Ok(Self { thread, over: Over(over) })
    }

    /// What was seen until now, the last event included.
    pub async fn end(self) -> Picture {
        drop(self.over);
        let joined = tokio::task::spawn_blocking(|| self.thread.join()).await;
        joined.ok().and_then(Result::ok).unwrap_or_else(|| {
            // The hold did not fail, and neither does its bundle.
            tracing::error!("drawing the hold failed; its result is told from the bundle");
            Picture::default()
        })
    }
}

fn draw(
    recorder: &Recorder,
    mut events: UnboundedReceiver<Arc<Event>>,
    mut picture: Picture,
    page: &Page,
    glance: &Glance,
    over: &AtomicBool,
) -> Picture {
    let (mut rested, mut shown) = (recorder.now(), recorder.now());
    let mut behind = false;
    loop {
        // Asked first: whatever was noted before it was over is there to be taken.
        let last = over.load(Ordering::Acquire);
        while let Ok(event) = events.try_recv() {
            picture.observe(Arc::unwrap_or_clone(event));
            behind = true;
        }
        if last {
            return picture;
        }
        let now = recorder.now();
        if behind && (now >= rested || !picture.is_told()) {
            behind = false;
            let drawn = picture.tell();
            page.show(|is_new| {
                let live = picture.live(drawn.as_ref().filter(|_| !is_new), now);
                glance(&live);
                live
            });
            let done = recorder.now();
            (shown, rested) = (done, done.plus(done.awake_since(now) * REST));
        } else if picture.is_told() && (page.is_new() || now.since(shown) >= SHOWN_EVERY) {
            page.show(|is_new| {
                let live = picture.still(is_new, now);
                glance(&live);
                live
            });
            shown = now;
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
