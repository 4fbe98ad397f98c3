//! `/etc/resolv.conf`, as resolv.conf(5) has it.

use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::Path;

/// A line for each of the three servers that a C library asks, and a page of comments.
const LONGEST: u64 = 64 * 1024;

/// No file, no server: then the C library asks this computer itself.
pub fn read(path: &Path) -> io::Result<Vec<IpAddr>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(LONGEST).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    Ok(parse(&String::from_utf8_lossy(&bytes)))
}

fn parse(text: &str) -> Vec<IpAddr> {
    text.lines().filter_map(server).collect()
}

/// The keyword begins the line. An IPv6 address may name its interface, which says nothing more to a reader.
fn server(line: &str) -> Option<IpAddr> {
    let rest = line.strip_prefix("nameserver")?;
    let word = rest.starts_with([' ', '\t']).then(|| rest.split_whitespace().next())??;
    word.split('%').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_and_everything_else_is_not() {
        let text = "# nameserver 1.1.1.1\n; nameserver 1.1.1.2\nsearch home\nnameserver 10.0.0.1\nnameserver\tfe80::1%eth0 x\n\
                    nameserver\nnameserver10.0.0.2\nnameserver host\n nameserver 10.0.0.3\noptions edns0\nnameserver 10.0.0.4";
        let expected: Vec<IpAddr> = ["10.0.0.1", "fe80::1", "10.0.0.4"].iter().map(|a| a.parse().unwrap()).collect();
        assert_eq!(parse(text), expected);
    }

    #[test]
    fn a_missing_file_names_no_server_and_a_folder_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(read(&folder.path().join("none")).expect("no file is no error"), [] as [IpAddr; 0]);
        assert!(read(folder.path()).is_err());
    }
}
