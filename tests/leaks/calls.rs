//! What a program asked the kernel for, by strace: nobody looks up a name without it.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

/// strace, so that the program that it runs keeps its process id; file and program follow.
pub(crate) const STRACE: [&str; 6] =
    ["strace", "-D", "-f", "--seccomp-bpf", "-etrace=%network,open,openat,openat2,execve,execveat", "-o"];

/// Files and libraries that only whoever looks up the name of a host has use for (resolver(5), nsswitch.conf(5)).
const OF_RESOLVERS: [&str; 12] = [
    "/etc/resolv.conf",
    "/etc/hosts\"",
    "/etc/host.conf",
    "/etc/gai.conf",
    "libresolv",
    "libnss_dns",
    "libnss_mdns",
    "libnss_resolve",
    "libnss_myhostname",
    "libnss_wins",
    "systemd/resolve",
    "avahi-daemon",
];

/// What was seen of a program.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Connections to relays that were asked for.
    pub(crate) to_relays: usize,
    /// Calls that nothing but a leak explains.
    pub(crate) objections: Vec<String>,
}

/// Reads what strace wrote of `program`, which may connect to `relays` and to nothing else.
pub(crate) fn read(trace: &str, program: &Path, relays: &BTreeSet<SocketAddr>) -> Seen {
    let mut seen = Seen::default();
    for line in trace.lines() {
        let call = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        let Some((name, args)) = call.split_once('(') else { continue };
        let is_fine = match name {
            "socket" => args.starts_with("AF_UNIX") || (args.starts_with("AF_INET") && args.contains("SOCK_STREAM")),
            "connect" | "sendto" | "sendmsg" | "sendmmsg" => match family(args) {
                // What is sent over a connection names no address.
                None => true,
                Some("AF_UNIX") => !is_of_resolver(args),
                Some("AF_INET") => {
                    let is_relay = destination(args).is_some_and(|to| relays.contains(&to));
                    seen.to_relays += usize::from(is_relay);
                    is_relay
                }
                Some(_) => false,
            },
            "open" | "openat" | "openat2" => !is_of_resolver(args),
            "execve" | "execveat" => program.to_str().is_some_and(|program| args.contains(&format!("\"{program}\""))),
            _ => true,
        };
        if !is_fine {
            seen.objections.push(call.to_owned());
        }
    }
    seen
}

fn is_of_resolver(args: &str) -> bool {
    OF_RESOLVERS.iter().any(|mark| args.contains(mark))
}

/// The family of the address among the arguments of a call, if there is one.
fn family(args: &str) -> Option<&str> {
    args.split_once("sa_family=")?.1.split([',', '}']).next()
}

/// The address of IPv4 among the arguments of a call, as strace writes it.
fn destination(args: &str) -> Option<SocketAddr> {
    let port = args.split_once("sin_port=htons(")?.1.split_once(')')?.0.parse::<u16>().ok()?;
    let ip = args.split_once("sin_addr=inet_addr(\"")?.1.split_once('"')?.0.parse::<Ipv4Addr>().ok()?;
    Some((ip, port).into())
}
