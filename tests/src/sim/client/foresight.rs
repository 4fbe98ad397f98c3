//! What may be foretold is noted while the hold runs, as the command line does it.

use super::Client;
use crate::sim::time::Task;
use record::{Event, Log};
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_secs(2);

pub fn begin(client: &Client) -> Task {
    let mut events = client.recorder.listen();
    let client = client.clone();
    client.program.clone().spawn(async move {
        let mut log = Log::default();
        loop {
            client.sleep(LOOK_EVERY).await;
            let mut latest = None;
            while let Ok(event) = events.try_recv() {
                if explain::worth_showing(&event.fact) {
                    log.events.push(Event::clone(&event));
                }
                latest = Some(event);
            }
            let Some(latest) = latest else { continue };
            let bears = explain::worth_showing(&latest.fact);
            if !bears {
                log.events.push(Event::clone(&latest));
            }
            for prediction in explain::foresee(&log) {
                client.note(prediction);
            }
            if !bears {
                log.events.pop();
            }
        }
    })
}
