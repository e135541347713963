//! The negative control: one packet of each kind that must never be sent, sent on purpose as the daemon would send it.

use std::process::{Command, Output};

use anyhow::Context as _;

use super::quarantine::GROUP;

/// Something that leaks, which counters must count it, and which canary must sing.
pub(crate) struct Temptation {
    pub(crate) what: &'static str,
    counters: &'static [&'static str],
    canary: Option<&'static str>,
    command: &'static [&'static str],
}

const PING: &str = "import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).sendto(b'\\x08' + bytes(7), ('192.0.2.1', 0))";

const FRAME: &str = "import socket
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(('lo', 0))
wire.send(b'\\xff' * 12 + b'\\x88\\xb5 a frame of no protocol')";

pub(crate) const TEMPTATIONS: &[Temptation] = &[
    leak("a name", &["dns"], Some("udp/53"), &["getent", "ahostsv4", "www.clear-net.example"]),
    leak(
        "a page of the clear net",
        &["dns", "http"],
        Some("tcp/80"),
        &["curl", "--silent", "--max-time", "60", "http://www.clear-net.example/"],
    ),
    leak("DNS over TCP", &["dns"], Some("tcp/53"), &["bash", "-c", "echo leak >/dev/tcp/192.0.2.53/53"]),
    leak(
        "DNS to a stub of this machine",
        &["dns", "loopback"],
        Some("udp/53"),
        &["bash", "-c", "echo leak >/dev/udp/127.0.0.53/53"],
    ),
    leak("mDNS", &["mdns"], Some("udp/5353"), &["bash", "-c", "echo leak >/dev/udp/224.0.0.251/5353"]),
    leak("mDNS by IPv6", &["mdns", "ipv6"], None, &["bash", "-c", "echo leak >/dev/udp/ff02::fb%lo/5353"]),
    leak("LLMNR", &["llmnr"], Some("udp/5355"), &["bash", "-c", "echo leak >/dev/udp/224.0.0.252/5355"]),
    leak("LLMNR by IPv6", &["llmnr", "ipv6"], None, &["bash", "-c", "echo leak >/dev/udp/ff02::1:3%lo/5355"]),
    leak("NTP", &["ntp"], Some("udp/123"), &["bash", "-c", "echo leak >/dev/udp/192.0.2.123/123"]),
    leak("HTTP to an address", &["http"], Some("tcp/80"), &["bash", "-c", "echo leak >/dev/tcp/198.51.100.1/80"]),
    leak("HTTPS to an address", &["https"], Some("tcp/443"), &["bash", "-c", "echo leak >/dev/tcp/198.51.100.1/443"]),
    leak("HTTP/3", &["https"], Some("udp/443"), &["bash", "-c", "echo leak >/dev/udp/198.51.100.1/443"]),
    leak("HTTP by IPv6", &["http", "ipv6"], Some("tcp/80"), &["bash", "-c", "echo leak >/dev/tcp/2001:db8::1/80"]),
    leak(
        "HTTP to localhost",
        &["http", "loopback"],
        Some("tcp/80"),
        &["bash", "-c", "echo leak >/dev/tcp/127.0.0.1/80"],
    ),
    leak(
        "HTTP to localhost by IPv6",
        &["http", "loopback", "ipv6"],
        Some("tcp/80"),
        &["bash", "-c", "echo leak >/dev/tcp/::1/80"],
    ),
    leak("a port where nobody listens", &["loopback"], None, &["bash", "-c", "echo leak >/dev/tcp/127.0.0.1/9050"]),
    leak("another port of an address", &[], None, &["bash", "-c", "echo leak >/dev/udp/198.51.100.1/40000"]),
    leak("an echo request", &["other"], None, &["python3", "-SEc", PING]),
    leak("a frame of no protocol", &["frames"], None, &["python3", "-SEc", FRAME]),
];

const fn leak(
    what: &'static str,
    counters: &'static [&'static str],
    canary: Option<&'static str>,
    command: &'static [&'static str],
) -> Temptation {
    Temptation { what, counters, canary, command }
}

impl Temptation {
    /// Yields to it, in the group of the daemon. Whether the sender is content tells nothing: most get no answer.
    pub(crate) fn yield_to(&self) -> anyhow::Result<Output> {
        let mut command = Command::new("setpriv");
        command.args(["--regid", GROUP, "--clear-groups", "--"]).args(self.command);
        command.output().context("setpriv, from the Debian package util-linux, does not run")
    }

    /// The counters that must count it; a frame beneath IP is seen by no other.
    pub(crate) fn counters(&self) -> impl Iterator<Item = &'static str> {
        let all = (self.counters != ["frames"]).then_some("elsewhere");
        self.counters.iter().copied().chain(all)
    }

    /// How the song begins that must be heard, if anybody listens there.
    pub(crate) const fn canary(&self) -> Option<&'static str> {
        self.canary
    }
}
