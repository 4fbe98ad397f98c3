//! `linewitness reflect`: the far end, from the command line.

mod calls;

use crate::{args::Reflect, say};
use calls::CallLines;
use desk::{Failure, logging, runtime, stop};
use record::Private;
use reflector::{Limits, Reflector, Settings, TlsFiles, Turn};
use std::process::ExitCode;

pub fn run(args: Reflect) -> Result<ExitCode, Failure> {
    logging::begin(None, args.verbose);
    let settings = settings(args);
    runtime()?.block_on(async {
        let (metrics, media_port) = (settings.metrics, settings.media_port);
        let scheme = if settings.tls.is_some() { "wss" } else { "ws" };
        let reflector = Reflector::bind(settings).await.map_err(|error| Failure::bad_input(format!("{error:#}")))?;
        for warning in reflector.warnings() {
            say::aside(format_args!("Note: {warning}"));
        }
        let address = reflector.local_addr();
        say::line(match media_port {
            Some(port) => format!("Listening on {address} for signaling (TCP); media of all calls on UDP port {port}."),
            None => format!(
                "Listening on {address} for signaling (TCP); each call's media takes a UDP port of its own, unless --media-port fixes one."
            ),
        });
        say::line(format_args!("Callers use: linewitness hold --to {scheme}://{}/call", callable(address)));
        if let Some(metrics) = reflector.metrics_addr().or(metrics) {
            say::line(format_args!("Metrics: http://{metrics}/metrics"));
        }
        let lines = CallLines::begin()
            .map_err(|error| Failure::ours(format!("the system gave us no thread to tell of calls with: {error}")))?;
        reflector.tell_of_calls(lines.listener());
        reflector.run(stop::asked()).await;
        if lines.end().await {
            say::line("Every call has been told, and closed.");
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// A wildcard is listened on but cannot be called.
fn callable(address: std::net::SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("THIS-HOST:{}", address.port()) } else { address.to_string() }
}

fn settings(args: Reflect) -> Settings {
    Settings {
        tls: args.cert.zip(args.key).map(|(cert, key)| TlsFiles { cert, key }),
        token: args.token.map(Private::new),
        idle_timeout: args.idle_timeout.get(),
        client_heartbeat: args.heartbeat.get(),
        kept_for: args.keep.get(),
        limits: Limits { calls: args.max_calls, calls_per_address: args.max_calls_per_address, ..Limits::default() },
        media_port: args.media_port,
        advertise: args.advertise,
        behind_proxy: args.behind_proxy,
        turn: args.turn_secret.map(|secret| Turn {
            secret: Private::new(secret),
            urls: args.turn_url,
            ttl: args.turn_ttl.get(),
        }),
        metrics: args.metrics,
        ..Settings::listening_on(args.listen)
    }
}
