//! Debian's Janus with its echo test: a WebRTC server and a signaling protocol that none of us wrote.

use crate::{Program, World, world::SERVER};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

const PORT: u16 = 8188;

pub fn url() -> String {
    format!("ws://{SERVER}:{PORT}")
}

/// Its own folder of settings: Debian's listens on every address and has a well-known admin password.
pub fn start(world: &World) -> Result<Program> {
    let program = crate::rights::program("janus").context("janus, of the package janus, is not installed")?;
    let modules = modules()?;
    let folder = world.dir.join("janus");
    std::fs::create_dir_all(&folder)?;
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    };
    write("janus.jcfg", main_settings(&folder, &modules)?)?;
    write(
        "janus.transport.websockets.jcfg",
        format!(
            "general: {{ json = \"compact\" ws = true ws_ip = \"{SERVER}\" ws_port = {PORT} wss = false }}\n\
             admin: {{ admin_ws = false admin_wss = false }}\n"
        ),
    )?;
    write("janus.plugin.echotest.jcfg", "general: { }\n".into())?;
    let args = ["-F", folder.to_str().context("the lab's folder has a plain name")?, "--disable-colors"];
    let mut program = Program::start(world, &world.server, "janus", &program.to_string_lossy(), &args)?;
    program.listens(&world.server, PORT)?;
    Ok(program)
}

/// Only the echo test and WebSockets are loaded. A session outlives its socket for as long as the default has it.
fn main_settings(folder: &Path, modules: &Path) -> Result<String> {
    let others = |kind: &str, wanted: &str| -> Result<String> {
        let names = std::fs::read_dir(modules.join(kind)).with_context(|| format!("listing Janus' {kind}"))?;
        let mut names: Vec<String> = names
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.ends_with(".so") && name != wanted)
            .collect();
        names.sort();
        Ok(names.join(","))
    };
    let modules_text = modules.display();
    Ok(format!(
        "general: {{ configs_folder = \"{}\" plugins_folder = \"{modules_text}/plugins\"\n\
           transports_folder = \"{modules_text}/transports\" events_folder = \"{modules_text}/events\"\n\
           loggers_folder = \"{modules_text}/loggers\" debug_level = 5 debug_timestamps = true\n\
           admin_secret = \"no-admin-interface-is-open\" session_timeout = 60 reclaim_session_timeout = 20 }}\n\
         nat: {{ }}\n\
         media: {{ }}\n\
         plugins: {{ disable = \"{}\" }}\n\
         transports: {{ disable = \"{}\" }}\n\
         loggers: {{ disable = \"{}\" }}\n",
        folder.display(),
        others("plugins", "libjanus_echotest.so")?,
        others("transports", "libjanus_websockets.so")?,
        others("loggers", "")?,
    ))
}

/// Debian keeps them under the machine's own triplet.
fn modules() -> Result<PathBuf> {
    let triplets = std::fs::read_dir("/usr/lib").context("listing /usr/lib")?;
    triplets
        .flatten()
        .map(|entry| entry.path().join("janus"))
        .find(|path| path.join("plugins/libjanus_echotest.so").exists())
        .context("Janus is installed without its echo test")
}
