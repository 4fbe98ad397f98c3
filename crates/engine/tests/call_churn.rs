//! Calls that came and went leave nothing behind. Alone in its binary, because it counts what the whole process holds.

mod stage;

use record::profile::Silence;
use stage::Stage;
use std::time::Duration;

const CALLS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_calls_leave_no_task_and_no_file_behind() {
    // The first call makes what a process makes once.
    Stage::standing(Silence::Frames).await.end().await;
    settle().await;
    let before = (tasks(), open_files());

    for together in 0..4 {
        let calls: Vec<_> = (0..CALLS / 4).map(|_| tokio::spawn(Stage::standing(Silence::Frames))).collect();
        for (nth, call) in calls.into_iter().enumerate() {
            let stage = call.await.expect("a call stands");
            assert!(tasks() > before.0, "a call runs tasks, so that the count can tell");
            if nth == together {
                // A call that is let go without a word ends too.
                drop(stage.call);
                stage.far.peer.close().await.expect("it closes");
            } else {
                stage.end().await;
            }
        }
    }
    settle().await;
    assert_eq!((tasks(), open_files()), before);
}

/// The far end's echo ends with its connection, a moment after it.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(400)).await;
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Where the system does not tell, only the tasks are compared.
fn open_files() -> Option<usize> {
    std::fs::read_dir("/proc/self/fd").ok().map(Iterator::count)
}
