//! `linewitness reflect`, and what it tells whoever runs it.

#[cfg(unix)]
use super::folder::read;
use super::folder::{Desk, until_it_holds};
use std::fs::{self, File};
#[cfg(unix)]
use std::path::Path;
use std::path::PathBuf;
use std::process::{Child, Command};

/// `linewitness reflect` on loopback, until it is dropped.
pub struct FarEnd {
    running: Child,
    pub at: String,
    files: [PathBuf; 2],
}

impl FarEnd {
    pub fn begin(desk: &Desk, args: &[&str]) -> Self {
        Self::from(desk, &mut desk.command(&[&["reflect", "--listen", "127.0.0.1:0"], args].concat()))
    }

    fn from(desk: &Desk, command: &mut Command) -> Self {
        let files = [desk.path("far-end.out"), desk.path("far-end.err")];
        let [out, err] = files.each_ref().map(|path| File::create(path).expect("writable"));
        let running = command.stdout(out).stderr(err).spawn().expect("starts");
        let mut far_end = Self { running, at: String::new(), files };
        until_it_holds(&far_end.files[0], "/call");
        let said = far_end.out();
        said.split("ws://")
            .nth(1)
            .and_then(|rest| rest.split('/').next())
            .expect("an address")
            .clone_into(&mut far_end.at);
        far_end
    }

    pub fn out(&self) -> String {
        fs::read_to_string(&self.files[0]).expect("text")
    }
    pub fn err(&self) -> String {
        fs::read_to_string(&self.files[1]).expect("text")
    }
}

impl Drop for FarEnd {
    fn drop(&mut self) {
        let _ = self.running.kill();
        let _ = self.running.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_far_end_tells_its_trouble_without_being_asked() {
    use std::os::unix::process::CommandExt;
    let desk = Desk::new();
    let mut command = desk.command(&["reflect", "--listen", "127.0.0.1:0"]);
    // SAFETY: one async-signal-safe call that concerns the child alone, before it runs.
    unsafe {
        command.pre_exec(|| {
            let few = libc::rlimit { rlim_cur: 24, rlim_max: 24 };
            match libc::setrlimit(libc::RLIMIT_NOFILE, &few) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        });
    }
    let far_end = FarEnd::from(&desk, &mut command);
    let callers: Vec<_> =
        (0..30).map(|_| std::net::TcpStream::connect(&far_end.at).expect("accepted by the kernel")).collect();
    until_it_holds(&far_end.files[1], "could not be accepted");
    drop(callers);
}

#[cfg(unix)]
#[test]
fn a_far_end_tells_of_each_call_in_two_lines() {
    let desk = Desk::new();
    let mut far_end = FarEnd::begin(&desk, &[]);
    let to = format!("ws://{}/call", far_end.at);
    let said =
        desk.run(&["hold", "--to", &to, "--for", "1s", "--only-call", "--plain-addresses", "--out", "a.witness"]);
    assert_eq!(said.code, 0, "{}", said.err);
    until_it_holds(&far_end.files[0], "ended after");
    // SAFETY: a signal to a child of ours that has not been waited for.
    unsafe { libc::kill(far_end.running.id() as libc::pid_t, libc::SIGTERM) };
    assert_eq!(ends_within(&mut far_end.running, 10), Some(0));

    let (out, call) = (far_end.out(), session(&desk.path("a.witness")));
    let lines: Vec<_> = out.lines().skip_while(|line| !line.contains("Call ")).collect();
    let [began, ended, last] = lines[..] else { panic!("{out}") };
    assert!(began.contains(&format!("Call {call} from 127.0.0.1:")) && began.ends_with("began."), "{began}");
    assert!(ended.contains(&format!("Call {call} from 127.0.0.1:")), "{ended}");
    assert!(ended.ends_with("s: the caller hung up. No drop was seen."), "{ended}");
    assert_eq!(last, "Every call has been told, and closed.");
}

/// What the far end called the call.
#[cfg(unix)]
fn session(bundle: &Path) -> String {
    use record::{Fact, fact::Signaling};
    let named = read(bundle).0.log.events.iter().find_map(|event| match &event.fact {
        Fact::Signaling(Signaling::Ready { session, .. }) => session.as_ref().map(ToString::to_string),
        _ => None,
    });
    named.expect("the session has a name")
}

/// Waits for the end of a child, for so many seconds at most.
#[cfg(unix)]
pub(super) fn ends_within(child: &mut Child, seconds: u32) -> Option<i32> {
    for _ in 0..seconds * 20 {
        if let Some(status) = child.try_wait().expect("a child") {
            return status.code();
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    child.kill().expect("it lives");
    child.wait().expect("it ends");
    panic!("it had not ended after {seconds} s");
}
