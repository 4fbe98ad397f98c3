//! Linux: `/etc/resolv.conf`, and behind systemd-resolved's own address the servers that it asks in turn.
//!
//! *Seen*: each time the file is written, replaced or pointed elsewhere, at once (inotify on it, on its folder, and on the
//! folders of what it points to).
//! *Not seen*: servers of single interfaces and names within systemd-resolved; what other caches on this computer
//! (dnsmasq, unbound) ask in turn; nsswitch.conf.

use super::{News, resolv_conf};
use futures_util::StreamExt;
use inotify::{EventMask, EventStream, Inotify, WatchDescriptor, WatchMask};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// systemd-resolved's stub, which asks others; they are in a file of its own.
const STUBS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53)), IpAddr::V4(Ipv4Addr::new(127, 0, 0, 54))];
/// A file that points to one that is not there yet cannot be watched; it is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// As many as the kernel follows are never needed here.
const MOST_LINKS: usize = 8;

pub struct Files {
    asked: PathBuf,
    behind_the_stub: PathBuf,
    stream: EventStream<[u8; 4096]>,
    watched: BTreeMap<PathBuf, WatchDescriptor>,
    all_watched: bool,
}

impl Files {
    pub fn open() -> io::Result<Self> {
        Self::at("/etc/resolv.conf".into(), "/run/systemd/resolve/resolv.conf".into())
    }

    fn at(asked: PathBuf, behind_the_stub: PathBuf) -> io::Result<Self> {
        let stream = Inotify::init()?.into_event_stream([0; 4096])?;
        let mut files = Self { asked, behind_the_stub, stream, watched: BTreeMap::new(), all_watched: true };
        files.watch();
        Ok(files)
    }

    pub fn servers(&mut self) -> io::Result<Vec<IpAddr>> {
        let mut servers = resolv_conf::read(&self.asked)?;
        if servers.iter().any(|server| STUBS.contains(server)) {
            servers.extend(resolv_conf::read(&self.behind_the_stub)?);
        }
        Ok(servers)
    }

    pub async fn changed(&mut self, news: &mut News) -> io::Result<()> {
        loop {
            tokio::select! {
                event = self.stream.next() => match event {
                    None => return Err(io::Error::other("the kernel's watch of its file ended")),
                    Some(event) => {
                        let event = event?;
                        if self.concerns_us(event.mask, event.name.as_ref()) {
                            self.watch();
                            return Ok(());
                        }
                    }
                },
                // The files tell by themselves.
                () = news.of_networks() => {}
                () = tokio::time::sleep(LOOK_EVERY), if !self.all_watched => {
                    self.watch();
                    return Ok(());
                }
            }
        }
    }

    /// Without a name it is of a watched file itself. A file that was only just made is empty, and is told of again when
    /// its writer is done; a link is whole from the beginning.
    fn concerns_us(&self, mask: EventMask, name: Option<&OsString>) -> bool {
        let Some(name) = name else { return !mask.contains(EventMask::IGNORED) };
        let ours = self.paths().into_iter().filter(|path| path.file_name() == Some(name));
        let mut ours = ours.filter(|path| !mask.contains(EventMask::CREATE) || path.is_symlink());
        ours.next().is_some()
    }

    /// Every file on the way from the name to the text.
    fn paths(&self) -> Vec<PathBuf> {
        let mut paths = vec![self.behind_the_stub.clone()];
        let mut path = self.asked.clone();
        for _ in 0..MOST_LINKS {
            let next = path.read_link().ok().map(|to| path.parent().unwrap_or(Path::new("/")).join(to));
            paths.push(path);
            match next {
                Some(to) => path = to,
                None => break,
            }
        }
        paths
    }

    /// Watching what is watched already changes nothing. Of files that were replaced, the kernel drops its watch itself.
    fn watch(&mut self) {
        let in_folder = WatchMask::CLOSE_WRITE | WatchMask::CREATE | WatchMask::DELETE | WatchMask::MOVE;
        let in_file = WatchMask::CLOSE_WRITE;
        let mut watches = self.stream.watches();
        let mut wanted = BTreeMap::new();
        self.all_watched = true;
        for path in self.paths() {
            let behind = path == self.behind_the_stub;
            if let Some(folder) = path.parent() {
                match watches.add(folder, in_folder) {
                    Ok(watch) => drop(wanted.insert(folder.to_owned(), watch)),
                    // Without systemd-resolved there is no such folder.
                    Err(_) => self.all_watched &= behind,
                }
            }
            // A file that is mounted from elsewhere, as in containers, is written without its folder being told.
            if let Ok(watch) = watches.add(&path, in_file) {
                wanted.insert(path, watch);
            }
        }
        let old = std::mem::replace(&mut self.watched, wanted);
        for (_, watch) in old {
            if !self.watched.values().any(|kept| *kept == watch) {
                // It fails where the kernel has dropped it already, with its file.
                let _ = watches.remove(watch);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    struct Etc {
        folder: tempfile::TempDir,
        files: Files,
        news: News,
        // Keeps the ear open: news that can no longer come would end the wait.
        _ear: tokio::sync::mpsc::UnboundedSender<std::sync::Arc<record::Event>>,
    }

    impl Etc {
        fn new(prepare: impl FnOnce(&Path)) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            for name in ["etc", "run", "other"] {
                fs::create_dir(folder.path().join(name)).expect("made");
            }
            prepare(folder.path());
            let files = Files::at(folder.path().join("etc/resolv.conf"), folder.path().join("run/resolv.conf"));
            let (_ear, heard) = tokio::sync::mpsc::unbounded_channel();
            Self { folder, files: files.expect("inotify"), news: News { heard }, _ear }
        }

        fn write(&self, name: &str, server: &str) {
            fs::write(self.folder.path().join(name), format!("nameserver {server}\n")).expect("written");
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        /// Until they are these, within a second: a writer may be heard more than once.
        async fn become_(&mut self, expected: &[&str]) {
            let expected: Vec<IpAddr> = expected.iter().map(|text| ip(text)).collect();
            let wait = async {
                while self.files.servers().expect("read") != expected {
                    self.files.changed(&mut self.news).await.expect("told");
                }
            };
            tokio::time::timeout(Duration::from_secs(1), wait).await.expect("told within a second");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_written_replaced_removed_and_made_again_is_followed() {
        let mut etc = Etc::new(|at| fs::write(at.join("etc/resolv.conf"), "nameserver 10.0.0.1\n").unwrap());
        etc.become_(&["10.0.0.1"]).await;
        etc.write("etc/resolv.conf", "10.0.0.2");
        etc.become_(&["10.0.0.2"]).await;
        etc.write("etc/.new", "10.0.0.3");
        fs::rename(etc.path("etc/.new"), etc.path("etc/resolv.conf")).unwrap();
        etc.become_(&["10.0.0.3"]).await;
        etc.write("etc/resolv.conf", "10.0.0.4");
        etc.become_(&["10.0.0.4"]).await;
        fs::remove_file(etc.path("etc/resolv.conf")).unwrap();
        etc.become_(&[]).await;
        etc.write("etc/resolv.conf", "10.0.0.5");
        etc.become_(&["10.0.0.5"]).await;
    }

    #[tokio::test]
    async fn a_link_is_followed_to_its_file_and_to_another() {
        let mut etc = Etc::new(|at| {
            fs::write(at.join("run/stub"), "nameserver 127.0.0.53\n").unwrap();
            fs::write(at.join("run/resolv.conf"), "nameserver 10.0.0.1\n").unwrap();
            symlink("../run/stub", at.join("etc/resolv.conf")).unwrap();
        });
        etc.become_(&["127.0.0.53", "10.0.0.1"]).await;
        etc.write("run/resolv.conf", "10.0.0.2");
        etc.become_(&["127.0.0.53", "10.0.0.2"]).await;
        etc.write("other/direct", "10.0.0.3");
        symlink("../other/direct", etc.path("etc/.new")).unwrap();
        fs::rename(etc.path("etc/.new"), etc.path("etc/resolv.conf")).unwrap();
        etc.become_(&["10.0.0.3"]).await;
        etc.write("other/direct", "10.0.0.4");
        etc.become_(&["10.0.0.4"]).await;
    }

    #[tokio::test]
    async fn a_file_mounted_from_elsewhere_is_followed_by_itself() {
        // A hard link stands in for the mount: the file is written by its other name, in a folder that nobody watches.
        let mut etc = Etc::new(|at| {
            fs::write(at.join("other/mounted"), "nameserver 10.0.0.1\n").unwrap();
            fs::hard_link(at.join("other/mounted"), at.join("etc/resolv.conf")).unwrap();
        });
        etc.become_(&["10.0.0.1"]).await;
        etc.write("other/mounted", "10.0.0.2");
        etc.become_(&["10.0.0.2"]).await;
    }
}
