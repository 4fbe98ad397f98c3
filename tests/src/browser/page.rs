//! `Page`: Debian's Chromium in the client's namespace, with a page that holds a call of its own.

use super::said::{Said, Sign};
use crate::netns::Flows;
use crate::{Program, World, rights, world::wait_until};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where its parts are on this machine.
pub struct Browser {
    node: PathBuf,
    chromium: PathBuf,
    modules: PathBuf,
}

pub struct Page {
    program: Program,
    sockets: BTreeSet<u16>,
}

/// Chromium on a busy machine takes some seconds for its first page.
const SET_UP: Duration = Duration::from_secs(30);

impl Browser {
    /// Or the sentence that says what is missing.
    pub fn find() -> Result<Self> {
        let program = |name: &str| rights::program(name).with_context(|| format!("{name} is not installed"));
        // The window's page is tested with the same one.
        let modules = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("ui/node_modules");
        ensure!(
            modules.join("playwright-core").is_dir(),
            "playwright-core is not in {}: `cargo xtask browser` puts it there",
            modules.display()
        );
        Ok(Self { node: program("node")?, chromium: program("chromium")?, modules })
    }

    /// Its call stands when this returns. `call` says where to, in the page's own words.
    pub fn call(&self, world: &World, call: &Value) -> Result<Page> {
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/driver.js");
        let asked = json!({ "chromium": self.chromium, "call": call }).to_string();
        let args = [
            &format!("NODE_PATH={}", self.modules.display()),
            &self.node.display().to_string(),
            &driver.display().to_string(),
            &asked,
        ];
        let program = Program::start(world, &world.client, "page", "env", &args.map(String::as_str))?;
        let mut page = Page { program, sockets: BTreeSet::new() };
        wait_until("the page's call stands", SET_UP, || {
            page.program.check_alive()?;
            Ok(stands(&page.said()?))
        })?;
        page.sockets = page.connections(world)?;
        ensure!(page.sockets.len() == 2, "the page has the connections {:?}, and should have two", page.sockets);
        Ok(page)
    }
}

fn stands(said: &[Said]) -> bool {
    let opened = said.iter().filter(|said| matches!(said.sign, Sign::Opened { .. })).count();
    let connected = |said: &Said| matches!(&said.sign, Sign::Connection { state } if state == "connected");
    let paired = |said: &Said| matches!(said.sign, Sign::Pair { .. });
    opened == 2 && said.iter().any(connected) && said.iter().any(paired)
}

impl Page {
    /// So far; a line still being written is left for the next look.
    fn said(&self) -> Result<Vec<Said>> {
        let text = std::fs::read_to_string(&self.program.stdout).context("reading what the page told")?;
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        let read = |line| serde_json::from_str(line).with_context(|| format!("the page told {line:?}"));
        whole.lines().map(read).collect()
    }

    /// What carries its call now. It opens no connection anew.
    pub fn flows(&self) -> Result<Flows> {
        Ok(flows(&self.sockets, self.said()?.iter().rev().find(|said| matches!(said.sign, Sign::Pair { .. }))))
    }

    /// To the browser, and not to what drives it.
    pub fn signal(&self, signal: i32) -> Result<()> {
        let browser = descendants(self.program.pid());
        ensure!(!browser.is_empty(), "the browser is not there");
        for pid in browser {
            // SAFETY: a plain signal to a descendant of our own child; one that has ended meanwhile gets none.
            unsafe { libc::kill(pid as i32, signal) };
        }
        Ok(())
    }

    /// Everything it told, and all that ever carried its call.
    pub fn end(self) -> Result<(Vec<Said>, Flows)> {
        let said = self.said()?;
        let all = flows(&self.sockets, &said);
        self.program.stop()?;
        Ok((said, all))
    }

    /// The client's ports of its TCP connections. No page is told its own, so the kernel is asked.
    fn connections(&self, world: &World) -> Result<BTreeSet<u16>> {
        let mine: Vec<String> = descendants(self.program.pid()).iter().map(|pid| format!("pid={pid},")).collect();
        let done =
            world.client.command("ss").args(["-Htnp", "state", "established"]).output().context("starting ss")?;
        ensure!(done.status.success(), "ss: {}", String::from_utf8_lossy(&done.stderr));
        Ok(ports(&String::from_utf8_lossy(&done.stdout), &mine))
    }
}

fn flows<'a>(sockets: &BTreeSet<u16>, said: impl IntoIterator<Item = &'a Said>) -> Flows {
    let (mut media, mut by_relay) = (BTreeSet::new(), false);
    for said in said {
        match said.sign {
            Sign::Pair { relayed: true, .. } => by_relay = true,
            Sign::Pair { port, .. } => {
                media.insert(port);
            }
            _ => {}
        }
    }
    Flows::new(sockets.clone(), media, by_relay)
}

/// Of `ss`: two queues, here, there, who. What stays on this computer is not the call's.
fn ports(table: &str, mine: &[String]) -> BTreeSet<u16> {
    let of_mine = table.lines().filter(|line| mine.iter().any(|pid| line.contains(pid.as_str())));
    let here = of_mine.filter_map(|line| line.split_whitespace().nth(2)?.parse::<std::net::SocketAddr>().ok());
    here.filter(|here| !here.ip().is_loopback()).map(|here| here.port()).collect()
}

fn descendants(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let children: Vec<u32> =
        lists.flat_map(|list| list.split_whitespace().map(str::parse).collect::<Vec<_>>()).flatten().collect();
    children.iter().flat_map(|child| [vec![*child], descendants(*child)].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connections_of_the_page_are_told_from_those_of_others() {
        let table = "0 0 10.81.1.2:41000 10.83.0.10:7000 users:((\"chromium\",pid=12,fd=30))\n\
                     0 0 127.0.0.1:41001 127.0.0.1:9000 users:((\"chromium\",pid=12,fd=31))\n\
                     0 0 10.81.1.2:41002 10.83.0.10:7000 users:((\"linewitness\",pid=123,fd=9))\n";
        assert_eq!(ports(table, &["pid=12,".into()]), [41000].into());
    }

    #[test]
    fn a_call_stands_when_both_sockets_and_the_media_do() {
        let said = |sign| Said { at: record::Wall::from_micros(0), sign };
        let opened = |socket: &str| said(Sign::Opened { socket: socket.into() });
        let connected = said(Sign::Connection { state: "connected".into() });
        let mut all = vec![opened("idle"), connected, said(Sign::Pair { port: 4, relayed: false })];
        assert!(!stands(&all));
        all.push(opened("beating"));
        assert!(stands(&all));
    }
}
