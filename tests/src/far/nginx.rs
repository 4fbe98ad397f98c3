//! Debian's nginx: a proxy before the reflector, or a web server.

use super::{certificate::Certificate, reflector};
use crate::{Program, World, ns::Ns, world::SERVER};
use anyhow::{Context, Result};
use std::time::Duration;

pub const PORT: u16 = 8080;

pub fn url() -> String {
    format!("ws://{SERVER}:{PORT}/call")
}

/// Passes WebSockets on to the reflector, and ends those on which nothing came back for so long.
pub fn proxy(world: &World, read_timeout: Duration) -> Result<Program> {
    let server = format!(
        "listen {SERVER}:{PORT};\n\
         location / {{\n\
           proxy_pass http://{SERVER}:{};\n\
           proxy_http_version 1.1;\n\
           proxy_set_header Upgrade $http_upgrade;\n\
           proxy_set_header Connection \"upgrade\";\n\
           proxy_read_timeout {}s;\n\
         }}",
        reflector::PORT,
        read_timeout.as_secs()
    );
    start(world, &world.server, "nginx", PORT, &server)
}

/// Ends TLS with that certificate, and asks the reflector over a TLS of its own.
pub fn inspector(world: &World, certificate: &Certificate) -> Result<Program> {
    let server = format!(
        "listen {SERVER}:{PORT} ssl;\n\
         ssl_certificate {};\n\
         ssl_certificate_key {};\n\
         location / {{\n\
           proxy_pass https://{SERVER}:{};\n\
           proxy_http_version 1.1;\n\
           proxy_set_header Upgrade $http_upgrade;\n\
           proxy_set_header Connection \"upgrade\";\n\
           proxy_read_timeout 300s;\n\
         }}",
        certificate.cert.display(),
        certificate.key.display(),
        reflector::PORT,
    );
    start(world, &world.server, "inspector", PORT, &server)
}

/// Answers whoever asks for anything with this status.
pub fn refuser(world: &World, status: u16) -> Result<Program> {
    let server = format!("listen {SERVER}:{PORT};\nlocation / {{ return {status}; }}");
    start(world, &world.server, "refuser", PORT, &server)
}

/// Answers `/` with 200 over TLS, and `/generate_204` as its name says over plain HTTP.
pub fn web(world: &World, ns: &Ns, address: &str, certificate: &Certificate) -> Result<Program> {
    let server = format!(
        "listen {address}:443 ssl;\n\
         listen {address}:80;\n\
         ssl_certificate {};\n\
         ssl_certificate_key {};\n\
         location / {{ return 200 \"ok\\n\"; }}\n\
         location /generate_204 {{ return 204; }}",
        certificate.cert.display(),
        certificate.key.display()
    );
    start(world, ns, "web", 443, &server)
}

/// One process with settings, logs and temporary files in the world's folder; the machine's own settings are not read. It
/// stays the user it is, for in a user namespace there is no other.
pub(super) fn start(world: &World, ns: &Ns, name: &str, port: u16, server: &str) -> Result<Program> {
    let folder = world.dir.join(name);
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {}/{kind};\n", folder.display()))
        .collect();
    let settings = folder.join("nginx.conf");
    let text = format!(
        "user root;\ndaemon off;\nmaster_process off;\npid {}/nginx.pid;\nerror_log stderr info;\n\
         events {{ worker_connections 512; }}\n\
         http {{\naccess_log off;\n{temporary}server {{\n{server}\n}}\n}}\n",
        folder.display()
    );
    std::fs::write(&settings, text).with_context(|| format!("writing {}", settings.display()))?;
    let program = crate::rights::program("nginx").context("nginx, of the package nginx, is not installed")?;
    let settings = settings.to_str().context("the lab's folder has a plain name")?;
    let args = ["-e", "stderr", "-c", settings];
    let mut program = Program::start(world, ns, name, &program.to_string_lossy(), &args)?;
    program.listens(ns, port)?;
    Ok(program)
}
