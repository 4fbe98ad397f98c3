//! Without a display, or with `--headless`: what the terminal's program does.

use std::ffi::OsString;
use std::process::ExitCode;

/// Long enough to see the call stand and tick, short enough to wait for.
const SELF_TEST: [&str; 3] = ["hold", "--for", "20s"];

/// What the terminal is to do, where there shall or can be no window.
pub fn asked(args: &[OsString], display: bool) -> Option<Vec<OsString>> {
    let rest: Vec<OsString> = args.iter().filter(|arg| *arg != "--headless").cloned().collect();
    let wanted = rest.len() < args.len();
    (wanted || !display)
        .then(|| if rest.is_empty() { SELF_TEST.map(OsString::from).to_vec() } else { for_terminal(rest) })
}

/// A desktop gives files alone; the terminal wants a command before them.
fn for_terminal(args: Vec<OsString>) -> Vec<OsString> {
    let ends = |end: &str| args.first().is_some_and(|first| first.to_string_lossy().ends_with(end));
    let command = if ends(".witness-profile") {
        "hold"
    } else if ends(".witness") {
        "explain"
    } else {
        return args;
    };
    std::iter::once(command.into()).chain(args).collect()
}

pub fn run(args: Vec<OsString>, display: bool) -> ExitCode {
    if !display {
        cli::aside("There is no display here, so this runs in the terminal.\n");
    }
    cli::main(std::iter::once("linewitness".into()).chain(args))
}

/// Whether a window can be shown.
#[cfg(target_os = "linux")]
pub fn has_display() -> bool {
    // Where a variable names a display that is not there, this says so; it would end the program later.
    gtk::init().is_ok()
}

#[cfg(not(target_os = "linux"))]
pub fn has_display() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_display_the_terminal_does_what_can_be_done() {
        let asked = |args: &[&str], display| {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            asked(&args, display).map(|args| args.join(" ".as_ref()).into_string().expect("text"))
        };
        assert_eq!(asked(&[], true), None);
        assert_eq!(asked(&["a.witness"], true), None);
        assert_eq!(asked(&[], false).as_deref(), Some("hold --for 20s"));
        assert_eq!(asked(&["--headless"], true).as_deref(), Some("hold --for 20s"));
        assert_eq!(asked(&["--headless", "hold", "--for", "3s"], true).as_deref(), Some("hold --for 3s"));
        assert_eq!(asked(&["a.witness"], false).as_deref(), Some("explain a.witness"));
        assert_eq!(asked(&["a.witness-profile"], false).as_deref(), Some("hold a.witness-profile"));
    }
}
