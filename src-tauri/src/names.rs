// Read by build.rs as well, so that what is declared and what may be allowed is one list.

/// All that the page may ask for.
pub const COMMANDS: &[&str] = &[
    "start",
    "self_test",
    "take",
    "choose",
    "recover",
    "forget",
    "hold",
    "watch",
    "stop",
    "open",
    "preview",
    "save",
    "show_in_folder",
    "report_html",
    "profile_form",
    "profile_open",
    "profile_check",
    "profile_save",
    "profile_link",
    "quit",
];
