//! A start while another instance is just ending: the session's bus still names that one, which takes nothing any more. A
//! moment later it is gone.

use std::os::unix::process::CommandExt;
use std::time::Duration;

const COUNT: &str = "LINEWITNESS_STARTED_ANEW";
const MOST: u32 = 10;
const WAIT: Duration = Duration::from_millis(300);

pub fn was_ending(error: &anyhow::Error) -> bool {
    let says = format!("{error:#}");
    says.contains("single-instance") && says.contains("NoReply")
}

/// In this process's place; returns only where that cannot be done, or was done often enough.
pub fn start() {
    let before = std::env::var(COUNT).ok().and_then(|count| count.parse().ok()).unwrap_or(0);
    let Ok(program) = std::env::current_exe() else { return };
    if before < MOST {
        std::thread::sleep(WAIT);
        let mut again = std::process::Command::new(program);
        let error = again.args(std::env::args_os().skip(1)).env(COUNT, (before + 1).to_string()).exec();
        tracing::warn!("this program could not be started anew: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_instance_that_does_not_answer_is_waited_for() {
        let ending = "failed to initialize plugin `single-instance`: failed to forward arguments to the running instance: org.freedesktop.DBus.Error.NoReply: Message recipient disconnected from message bus without replying";
        assert!(was_ending(&anyhow::anyhow!(ending)));
        assert!(!was_ending(&anyhow::anyhow!("failed to initialize GTK")));
    }
}
