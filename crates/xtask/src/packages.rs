//! System packages: which programs are needed and why, and how the missing ones come onto Debian and Ubuntu.
//!
//! Some of these packages start a service as soon as they are installed, open to every address. They are kept from it:
//! the lab starts the programs itself, with settings of its own, inside its namespaces.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Debug)]
pub struct Package {
    pub name: &'static str,
    /// A file or program by which it is known to be there, however it came.
    proof: &'static str,
    why: &'static str,
    /// The service that its installation would start.
    service: bool,
}

pub const TO_RUN: &[Package] = &[Package {
    name: "ca-certificates",
    proof: "/etc/ssl/certs/ca-certificates.crt",
    why: "the certificate authorities that wss:// and turns: servers are checked against",
    service: false,
}];

pub const TO_BUILD_THE_PAGE: &[Package] = &[
    Package { name: "nodejs", proof: "node", why: "builds the window's page", service: false },
    Package { name: "npm", proof: "npm", why: "fetches what the page is built with", service: false },
];

pub const TO_BUILD_THE_WINDOW: &[Package] = &[
    Package { name: "pkg-config", proof: "pkg-config", why: "finds the window's libraries", service: false },
    Package {
        name: "libwebkit2gtk-4.1-dev",
        proof: "/usr/include/webkitgtk-4.1/webkit2/webkit2.h",
        why: "shows the window's page",
        service: false,
    },
];

pub const TO_TEST: &[Package] = &[
    Package {
        name: "iproute2",
        proof: "ip",
        why: "makes the network namespaces of the lab and the cables between them",
        service: false,
    },
    Package {
        name: "nftables",
        proof: "nft",
        why: "address translation in the lab's router, and the faults",
        service: true,
    },
    Package {
        name: "coturn",
        proof: "turnserver",
        why: "the relay through which the lab places calls over UDP, TCP and TLS",
        service: true,
    },
    Package {
        name: "janus",
        proof: "janus",
        why: "a WebRTC server that none of us wrote, as a far end",
        service: true,
    },
    Package {
        name: "nginx",
        proof: "nginx",
        why: "a proxy that ends quiet WebSockets, before the lab's reflector, and a web server beside it",
        service: true,
    },
    Package { name: "haproxy", proof: "haproxy", why: "another proxy that ends quiet WebSockets", service: true },
    Package {
        name: "dnsmasq-base",
        proof: "dnsmasq",
        why: "the lab's name server, which falls silent",
        service: false,
    },
    Package {
        name: "conntrack",
        proof: "conntrack",
        why: "makes the lab's router forget the flows it translates",
        service: false,
    },
    Package {
        name: "dbus",
        proof: "dbus-daemon",
        why: "a message bus of the tests' own, on which sleep is announced",
        service: false,
    },
    Package {
        name: "python3-dbusmock",
        proof: "/usr/lib/python3/dist-packages/dbusmock",
        why: "takes logind's place on that bus",
        service: false,
    },
];

pub const TO_BROWSE: &[Package] = &[CHROMIUM];

const CHROMIUM: Package = Package {
    name: "chromium",
    proof: "chromium",
    why: "the browser that opens reports, and meets the lab's faults beside Linewitness",
    service: false,
};

pub const TO_DRIVE_THE_WINDOW: &[Package] = &[
    Package { name: "xvfb", proof: "Xvfb", why: "a display for the window's tests, without a screen", service: false },
    Package {
        name: "webkit2gtk-driver",
        proof: "WebKitWebDriver",
        why: "presses and reads what is in the window",
        service: false,
    },
    Package {
        name: "dbus",
        proof: "dbus-daemon",
        why: "a session of the tests' own, as a desktop has one",
        service: false,
    },
    Package {
        name: "libayatana-appindicator3-1",
        proof: "/usr/share/doc/libayatana-appindicator3-1",
        why: "shows the tray icon",
        service: false,
    },
    Package {
        name: "python3-dbus",
        proof: "/usr/lib/python3/dist-packages/dbus",
        why: "the desktop around the window: where tray icons go",
        service: false,
    },
    Package {
        name: "python3-gi",
        proof: "/usr/lib/python3/dist-packages/gi",
        why: "hears what happens there",
        service: false,
    },
    Package {
        name: "python3-xlib",
        proof: "/usr/lib/python3/dist-packages/Xlib",
        why: "presses the button that closes a window",
        service: false,
    },
    CHROMIUM,
];

impl Package {
    fn is_there(&self) -> bool {
        if self.proof.starts_with('/') { Path::new(self.proof).exists() } else { program(self.proof).is_some() }
    }
}

/// Installs what is missing, or says what to type. What stays missing is told by whoever needs it.
pub fn ensure_there(wanted: &[&Package]) -> Result<()> {
    let missing: Vec<&Package> = wanted.iter().filter(|package| !package.is_there()).copied().collect();
    if missing.is_empty() {
        println!("every system package that is needed is there");
        return Ok(());
    }
    for package in &missing {
        println!("missing: {} - {}", package.name, package.why);
    }
    let by_hand = format!("apt-get install {}", names(&missing).join(" "));
    if program("apt-get").is_none() {
        println!("\nThis system has no apt-get. Please install the equivalents of: {}\n", names(&missing).join(", "));
        return Ok(());
    }
    let root = is_root()?;
    if !root && program("sudo").is_none() {
        println!("\nInstalling takes root, and sudo is not here. As root, please type:\n\n    {by_hand}\n");
        return Ok(());
    }
    println!("installing them{}", if root { "" } else { " with sudo, which may ask for your password" });
    let mut shell = if root { Command::new("sh") } else { Command::new("sudo") };
    if !root {
        shell.arg("sh");
    }
    let script = script(&missing);
    let done = shell.args(["-c", &script]).status().context("starting the installation")?;
    ensure!(done.success(), "the installation failed (see above). By hand it is:\n\n    {by_hand}\n");
    for package in &missing {
        ensure!(package.is_there(), "{} is installed, but its {} is not there", package.name, package.proof);
    }
    Ok(())
}

pub fn are_there(wanted: &[&Package]) -> bool {
    wanted.iter().all(|package| package.is_there())
}

/// One command for one password. A policy file of our own, for as long as apt runs, keeps services from starting; it is
/// removed by the same shell however that ends, and a policy that was there before is left alone. Then the services are
/// disabled, so that they do not start with the next boot either.
fn script(missing: &[&Package]) -> String {
    let packages = names(missing).join(" ");
    let services: Vec<&str> = missing.iter().filter(|p| p.service).map(|p| p.name).collect();
    let disable = if services.is_empty() {
        String::new()
    } else {
        format!("if command -v systemctl >/dev/null; then systemctl disable {} || true; fi\n", services.join(" "))
    };
    format!(
        "set -eu\n\
         policy=/usr/sbin/policy-rc.d\n\
         if [ ! -e $policy ]; then\n\
         trap 'rm -f /usr/sbin/policy-rc.d' EXIT\n\
         trap 'exit 130' INT TERM HUP\n\
         printf '#!/bin/sh\\nexit 101\\n' > $policy\n\
         chmod 755 $policy\n\
         fi\n\
         export DEBIAN_FRONTEND=noninteractive\n\
         install() {{ apt-get install --yes --no-install-recommends {packages}; }}\n\
         install || {{ apt-get update && install; }}\n\
         {disable}"
    )
}

fn names(packages: &[&Package]) -> Vec<&'static str> {
    packages.iter().map(|package| package.name).collect()
}

fn is_root() -> Result<bool> {
    let asked = Command::new("id").arg("-u").output().context("asking who we are")?;
    Ok(asked.stdout.trim_ascii() == b"0")
}

/// Also in the folders that only root's search path has.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(sbin).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_installation_names_its_packages_and_leaves_no_policy_behind() {
        let script = script(&TO_TEST.iter().collect::<Vec<_>>());
        assert!(
            script.contains("--no-install-recommends iproute2 nftables coturn janus nginx haproxy dnsmasq-base"),
            "{script}"
        );
        assert!(script.contains("systemctl disable nftables coturn janus nginx haproxy "), "{script}");
        let made = script.find("> $policy").expect("it makes the policy");
        let guarded = script.find("rm -f /usr/sbin/policy-rc.d' EXIT").expect("it removes the policy");
        assert!(guarded < made, "the removal must be sure before there is something to remove");
    }

    #[test]
    fn what_is_there_is_found_and_what_is_not_is_not() {
        assert!(program("cargo").is_some());
        assert!(program("no-such-program-anywhere").is_none());
    }
}
