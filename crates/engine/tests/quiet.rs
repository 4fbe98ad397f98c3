//! The stack complains of each packet that it is given before DTLS stands: fifty lines a second. So silence is sent only
//! once the call is connected, and this test listens for the complaints.

mod stage;

use record::profile::Silence;
use stage::{Far, Stage, setup};
use std::sync::Mutex;
use std::time::Duration;

static COMPLAINTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Listener;

impl log::Log for Listener {
    fn enabled(&self, metadata: &log::Metadata) -> bool {
        // Where packets go in. DTLS has words of its own about names, which are no packet of ours.
        metadata.level() <= log::Level::Warn && metadata.target().starts_with("rtc::peer_connection::handler")
    }
    fn log(&self, record: &log::Record) {
        if self.enabled(record.metadata()) {
            let mut complaints = COMPLAINTS.lock().expect("no holder panics");
            complaints.push(format!("{}: {}", record.target(), record.args()));
        }
    }
    fn flush(&self) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_waits_for_its_answer_sends_nothing_that_the_stack_complains_of() {
    log::set_logger(&Listener).expect("the first and only logger");
    log::set_max_level(log::LevelFilter::Warn);
    let mut stage =
        Stage::set(setup(Silence::Frames), Far::new(engine::call::peer::BindWhere::Loopback, vec![]).await).await;
    let offer = stage.call.offer().await.expect("an offer");
    // Half a second in which fifty packets a second could go wrong.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let answer = stage.far.answer(offer).await;
    stage.call.answer(&answer).await.expect("the answer is taken");
    stage.run(Duration::from_millis(1_500)).await;
    let flowing =
        stage.log.iter().any(|event| matches!(event.fact, record::Fact::Media(record::fact::Media::Flowing { .. })));
    assert!(flowing, "the call stands, or this shows nothing");
    stage.end().await;
    let complaints = COMPLAINTS.lock().expect("no holder panics");
    assert!(complaints.is_empty(), "{} complaints, such as {:?}", complaints.len(), complaints.first());
}
