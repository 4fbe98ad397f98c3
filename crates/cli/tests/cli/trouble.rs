//! Signals, disks that are full, and readers who do not read.

#[cfg(target_os = "linux")]
use super::far_end::ends_within;
use super::folder::{Desk, Said, live_log, read, until_it_holds};
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};

#[test]
fn ctrl_c_ends_in_order_and_a_kill_is_offered_at_the_next_start() {
    let desk = Desk::new();
    let mut hold =
        desk.command(&["hold", "--for", "1h", "--out", "a.witness"]).stdout(Stdio::null()).spawn().expect("starts");
    until_it_holds(&live_log(&desk), "\"established\"");
    // SAFETY: a signal to a child of ours that has not been waited for.
    unsafe { libc::kill(hold.id() as libc::pid_t, libc::SIGINT) };
    assert_eq!(hold.wait().expect("it ends").code(), Some(0));
    let verdict: Value =
        serde_json::from_slice(&read(&desk.path("a.witness")).0.verdict.expect("there")).expect("JSON");
    assert_eq!(
        (verdict["outcome"].as_str(), verdict["drops"].as_array().map(Vec::len)),
        (Some("ended_by_user"), Some(0))
    );

    let desk = Desk::new();
    let mut hold = desk.command(&["hold", "--for", "1h"]).stdout(Stdio::null()).spawn().expect("starts");
    until_it_holds(&live_log(&desk), "\"established\"");
    hold.kill().expect("it lives");
    hold.wait().expect("it ends");
    let said = desk.run(&["hold", "--for", "1s", "--out", "b.witness"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("broke off") && said.err.contains("linewitness recover"), "{}", said.err);
    let said = desk.run(&["recover"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let name = said.out.lines().find_map(|line| line.strip_prefix("Saved as ")).expect("it says where");
    let (bundle, damage) = read(&desk.path(name));
    assert!(damage.len() <= 1, "{damage:?}");
    assert!(!bundle.log.events.is_empty());
    assert!(desk.run(&["recover"]).out.contains("nothing to recover"));
}

/// A pipe for standard output that holds one page, and its end to read from.
#[cfg(target_os = "linux")]
fn small_pipe() -> (std::os::fd::OwnedFd, std::os::fd::OwnedFd) {
    use std::os::fd::{FromRawFd, OwnedFd};
    let mut ends = [0; 2];
    // SAFETY: the kernel writes two descriptors into the array, which are ours alone from then on.
    unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        assert!(libc::fcntl(ends[1], libc::F_SETPIPE_SZ, 4096) >= 4096);
        (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_hold_whose_output_nobody_reads_holds_ends_and_writes_its_bundle() {
    for format in ["jsonl", "human"] {
        let desk = Desk::new();
        let (unread, stdout) = small_pipe();
        // The pipe is full before the first word.
        let filled = [b'x'; 4096];
        // SAFETY: as many bytes as the array has, into a pipe that has room for them.
        let written = unsafe { libc::write(std::os::fd::AsRawFd::as_raw_fd(&stdout), filled.as_ptr().cast(), 4096) };
        assert_eq!(written, 4096);
        let mut hold = desk
            .command(&["hold", "--for", "2s", "--format", format, "--out", "a.witness"])
            .stdout(stdout)
            .spawn()
            .expect("starts");
        assert_eq!(ends_within(&mut hold, 15), Some(0), "{format}");
        drop(unread);
        let (bundle, damage) = read(&desk.path("a.witness"));
        assert_eq!(damage, []);
        let verdict: Value = serde_json::from_slice(&bundle.verdict.expect("there")).expect("JSON");
        assert_eq!((verdict["outcome"].as_str(), verdict["drops"].as_array().map(Vec::len)), (Some("held"), Some(0)));
        // Nothing stood still: the call's own seconds were all counted.
        let stalled = |event: &&record::Event| {
            matches!(event.fact, record::Fact::System(record::fact::System::TicksMissed { .. }))
        };
        assert_eq!(bundle.log.events.iter().find(stalled), None, "{format}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_who_comes_late_still_gets_every_json_line() {
    use std::io::Read;
    let desk = Desk::new();
    let (late, stdout) = small_pipe();
    let mut hold = desk
        .command(&["hold", "--for", "2s", "--plain-addresses", "--format", "jsonl", "--out", "a.witness"])
        .stdout(stdout)
        .spawn()
        .expect("starts");
    std::thread::sleep(std::time::Duration::from_millis(2500));
    let mut text = String::new();
    fs::File::from(late).read_to_string(&mut text).expect("readable");
    assert_eq!(ends_within(&mut hold, 15), Some(0));
    let (log, damage) = record::Log::read_lines(text.as_bytes());
    assert_eq!(damage, []);
    assert_eq!(log, read(&desk.path("a.witness")).0.log);
}

/// The program with a limit on the size of each file it writes, which refuses as a full disk does.
fn on_a_small_disk(command: &mut Command, bytes: u64) -> &mut Command {
    use std::os::unix::process::CommandExt;
    // SAFETY: both calls are async-signal-safe and concern the child alone, before it runs.
    unsafe {
        command.pre_exec(move || {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
            match libc::setrlimit(libc::RLIMIT_FSIZE, &limit) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        })
    }
}

#[test]
fn a_log_that_could_not_be_written_is_told_with_what_is_missing() {
    let desk = Desk::new();
    let mut command = desk.command(&["hold", "--for", "2s", "--out", "a.witness"]);
    let said = Said::from(on_a_small_disk(&mut command, 6_000).output().expect("the program starts"));
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(!said.err.contains("nothing is lost"), "{}", said.err);
    assert!(said.err.contains("the log cannot be written"), "{}", said.err);
    let (bundle, _) = read(&desk.path("a.witness"));
    let left_out = said.err.contains("there was no room for report.html");
    assert!(left_out, "what is worth more than a page was written without it: {}", said.err);
    let kept = bundle.log.events.len();
    let told = said.err.lines().find(|line| line.contains("the bundle a.witness holds the rest")).expect("last words");
    let noted = told.split(" of ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a number of events");
    let missing = noted.parse::<usize>().expect("a number") - kept;
    assert!(missing > 0 && told.contains(&format!("{missing} of {noted} events")), "{told}; {kept} are there");
}

#[test]
fn a_bundle_that_could_not_be_written_is_kept_as_a_run() {
    let desk = Desk::new();
    fs::create_dir(desk.path("gone")).expect("a folder");
    let hold = desk
        .command(&["hold", "--for", "2s", "--out", "gone/a.witness"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    until_it_holds(&live_log(&desk), "\"established\"");
    fs::remove_dir(desk.path("gone")).expect("still empty");
    let said = Said::from(hold.wait_with_output().expect("it ends"));
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("the run is kept") && !said.err.contains("missing"), "{}", said.err);
    assert_eq!(desk.run(&["recover"]).code, 0);
    assert!(desk.run(&["recover"]).out.contains("nothing to recover"));
}
