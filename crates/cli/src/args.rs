//! The command line as people type it.

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use record::profile::{Address, Span};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

#[derive(Parser, Debug)]
#[command(
    name = "linewitness",
    version,
    about = "Holds a real call open, silently, and says exactly when and why it dropped.",
    after_help = "Examples:
  linewitness hold                                  try it: a call to this computer itself
  linewitness hold --to wss://reflector.example/call --for 4h
  linewitness hold acme.witness-profile             what a support desk has prepared
  linewitness reflect --listen 0.0.0.0:7000         be the far end
  linewitness explain call.witness                  what happened, and why"
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Place a call, hold it, and write what happened into a bundle
    Hold(Hold),
    /// Be the far end that calls are placed to
    Reflect(Reflect),
    /// Say when and why a recorded call dropped, by today's rules
    Explain(Explain),
    /// The report of a recorded call: as text, or as a page, a picture, a ticket, a page for an administrator, a retest
    Report(Report),
    /// Check a profile and say what it will do
    Check(Check),
    /// Check a bundle: whether each part and each event is as it was written
    Verify(Verify),
    /// Make an identity, for which profiles can have their reports encrypted
    Identity(Identity),
    /// Show what the names in a bundle stand for, on the computer that recorded it
    Map(Map),
    /// Make the bundle of a run that broke off
    Recover(Recover),
    /// Make a bundle of what a browser wrote down of a call: a dump of chrome://webrtc-internals or of rtcstats
    Import(Import),
    /// List the runs that this computer keeps, or remove some
    Runs(Runs),
    /// Break connections of this computer's own in known ways, and say which were named rightly
    Calibrate(Calibrate),
}

#[derive(ClapArgs, Debug)]
#[command(after_help = "Without PROFILE and --to, the call goes to a far end inside this program: a self-test of this
computer only. Ctrl-C ends the hold early, in order, and the bundle is still written.

Exit codes: 0 held (or ended by you without a drop), 3 at least one drop, 4 never established,
2 bad arguments or profile, 1 a fault of our own.")]
pub struct Hold {
    /// A .witness-profile file
    pub profile: Option<PathBuf>,
    /// The far end, ws://HOST:PORT/call or wss://…; its token, if it wants one, in LINEWITNESS_TOKEN
    #[arg(long, value_name = "URL", value_parser = Address::parse)]
    pub to: Option<Address>,
    /// How long to hold, such as 90s, 15m or 4h [default: the profile's, else 5m]
    #[arg(long = "for", value_name = "TIME", allow_hyphen_values = true)]
    pub for_: Option<Span>,
    /// The bundle to write [default: linewitness-RUN.witness in this folder]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How to show what happens
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// A certificate authority of the far end's own, as a PEM file
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Ask the system not to sleep while the hold lasts
    #[arg(long)]
    pub stay_awake: bool,
    /// Say in the bundle what addresses and hosts there were, not names that stand for them
    #[arg(long)]
    pub plain_addresses: bool,
    /// Hold nothing beside the call: no lanes, no controls; a loss is then timed, and seldom explained
    #[arg(long)]
    pub only_call: bool,
    /// Show the program's own diagnostics too; twice for more
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// A live line on a terminal, else plain lines
    Human,
    /// Each event as it is logged, one JSON object a line
    Jsonl,
}

#[derive(ClapArgs, Debug)]
pub struct Reflect {
    /// Address and TCP port for signaling
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7000")]
    pub listen: SocketAddr,
    /// A PEM file with the certificate chain; makes the far end wss://
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// A PEM file with the certificate's key
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// Only callers who know this secret are served
    #[arg(long, env = "LINEWITNESS_TOKEN", hide_env_values = true, value_name = "SECRET")]
    pub token: Option<String>,
    /// A signaling connection that is quiet for this long is closed
    #[arg(long, env = "LINEWITNESS_IDLE_TIMEOUT", default_value = "60s", value_name = "TIME")]
    pub idle_timeout: Span,
    /// How often callers are expected to send a heartbeat; only to warn when the idle timeout is too short for it
    #[arg(long, default_value = "5s", value_name = "TIME")]
    pub heartbeat: Span,
    /// How long a call is kept while its caller has no connection
    #[arg(long, default_value = "2m", value_name = "TIME")]
    pub keep: Span,
    /// At most so many calls at once
    #[arg(long, default_value_t = 400, value_name = "N")]
    pub max_calls: usize,
    /// At most so many calls at once from one address
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub max_calls_per_address: usize,
    /// One fixed UDP port for the media of all calls, instead of one each
    #[arg(long, value_name = "PORT")]
    pub media_port: Option<u16>,
    /// The address callers know this computer by, when a NAT stands before it
    #[arg(long, value_name = "ADDR")]
    pub advertise: Option<IpAddr>,
    /// A reverse proxy on this computer hands the calls on
    #[arg(long)]
    pub behind_proxy: bool,
    /// A coturn server's URL to hand to callers, with credentials made from --turn-secret; may be given again
    #[arg(long, value_name = "URL", requires = "turn_secret")]
    pub turn_url: Vec<String>,
    /// coturn's static-auth-secret
    #[arg(long, env = "LINEWITNESS_TURN_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub turn_secret: Option<String>,
    /// How long those credentials are good for
    #[arg(long, default_value = "24h", value_name = "TIME")]
    pub turn_ttl: Span,
    /// Serve Prometheus metrics at http://ADDR:PORT/metrics
    #[arg(long, value_name = "ADDR:PORT")]
    pub metrics: Option<SocketAddr>,
    /// Show the program's own diagnostics too; twice for more
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(ClapArgs, Debug)]
pub struct Explain {
    /// A .witness bundle, or the folder of a run
    pub bundle: PathBuf,
    /// Print verdict.json
    #[arg(long)]
    pub json: bool,
    /// Print all that the window draws, as JSON
    #[arg(long, conflicts_with = "json")]
    pub drawn: bool,
    #[command(flatten)]
    pub unlock: Unlock,
}

/// For encrypted bundles.
#[derive(ClapArgs, Debug)]
pub struct Unlock {
    /// The identity file that opens an encrypted bundle; a passphrase is asked for, or taken from LINEWITNESS_PASSPHRASE
    #[arg(long, env = "LINEWITNESS_IDENTITY", value_name = "FILE")]
    pub identity: Option<PathBuf>,
}

#[derive(ClapArgs, Debug)]
#[command(group = clap::ArgGroup::new("form").multiple(true))]
pub struct Report {
    /// A .witness bundle, or the folder of a run
    pub bundle: PathBuf,
    /// Draw the timeline into this file
    #[arg(long, value_name = "FILE", group = "form")]
    pub svg: Option<PathBuf>,
    /// Write the whole report as one page for any browser into this file
    #[arg(long, value_name = "FILE", group = "form")]
    pub html: Option<PathBuf>,
    /// Print short lines, ready to paste into a ticket
    #[arg(long, group = "form")]
    pub ticket: bool,
    /// Print a page for whoever can change something, for each cause
    #[arg(long, group = "form")]
    pub admin: bool,
    /// Write the profile that shows whether a change has mended it into this file
    #[arg(long, value_name = "FILE", group = "form")]
    pub retest: Option<PathBuf>,
    #[command(flatten)]
    pub unlock: Unlock,
}

#[derive(ClapArgs, Debug)]
pub struct Check {
    /// A .witness-profile file
    pub profile: PathBuf,
}

#[derive(ClapArgs, Debug)]
#[command(
    after_help = "It finds accidents and edits by hand. It cannot tell who wrote a bundle: whoever computes everything
in it anew can write what they like.

Exit codes: 0 everything is as it was written, 3 something was altered or is damaged, 2 it cannot be read."
)]
pub struct Verify {
    /// A .witness bundle, encrypted or not
    pub bundle: PathBuf,
    #[command(flatten)]
    pub unlock: Unlock,
}

#[derive(ClapArgs, Debug)]
pub struct Identity {
    /// The file to write, which must not exist; keep it, and keep a copy
    pub file: PathBuf,
    /// Protect it with a passphrase: asked for, or taken from LINEWITNESS_PASSPHRASE
    #[arg(long)]
    pub passphrase: bool,
}

#[derive(ClapArgs, Debug)]
pub struct Map {
    /// A .witness bundle that was recorded here, or its run as the report names it
    pub bundle: PathBuf,
}

#[derive(ClapArgs, Debug)]
pub struct Recover {
    /// The run to recover [default: every run that broke off]
    pub run: Option<String>,
    /// The bundle to write [default: linewitness-RUN.witness in this folder]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(ClapArgs, Debug)]
#[command(
    after_help = "What a dump does not hold is said to be not seen, and its causes stay not proven: it shows when the media of
one connection stopped, to within the time between two looks of the browser, and seldom why."
)]
pub struct Import {
    /// The dump, packed with gzip or not
    pub dump: PathBuf,
    /// The bundle to write [default: linewitness-RUN.witness in this folder]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(ClapArgs, Debug)]
#[command(
    after_help = "At the end of a hold the oldest runs are removed that are over 500 MB together, and those of more than 90 days; but
never the last five, one that goes on, or one that broke off and was not offered. LINEWITNESS_KEEP sets another limit: \"2GB,30d\",
one of the two, or \"all\". A bundle that was saved elsewhere is never removed."
)]
pub struct Runs {
    /// Remove this run and what is kept of it; may be given again
    #[arg(long, value_name = "RUN")]
    pub delete: Vec<String>,
    /// Remove all finished runs but the last N
    #[arg(long, value_name = "N", conflicts_with = "delete")]
    pub keep: Option<usize>,
}

#[derive(ClapArgs, Debug)]
#[command(after_help = "Nothing leaves this computer. The result is kept, and later holds note it in their bundles.

Exit codes: 0 all were named rightly, 3 not all, 1 a fault of our own.")]
pub struct Calibrate {
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Show the program's own diagnostics too; twice for more
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }
}
