//! Which sockets the daemon has open: it must look up no name and send no datagram, and listen only where it was told to.

use std::{
    collections::HashSet,
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use super::{Finding, advice, well, wrong};
use crate::config::Config;

/// The port of DNS.
const DNS: u16 = 53;

/// The state of a socket that listens, as `/proc/net/tcp` writes it (`TCP_LISTEN`).
const LISTEN: &str = "0A";

/// A socket of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Socket {
    local: SocketAddr,
    remote: SocketAddr,
    is_listening: bool,
}

/// Looks at every socket of the process.
pub(super) fn look(config: &Config, process: Option<i32>) -> Finding {
    let Some(process) = process else { return advice("leaks", "whose process answers is not known") };
    let Some(own) = inodes(process) else {
        return advice(
            "leaks",
            "sockets of the daemon are shown to root and to its own user only: run this as one of them",
        );
    };
    let table = |name: &str| {
        let text = fs::read_to_string(format!("/proc/{process}/net/{name}")).unwrap_or_default();
        read(&text, &own)
    };
    let datagrams = [table("udp"), table("udp6")].concat();
    let streams = [table("tcp"), table("tcp6")].concat();
    judge(&datagrams, &streams, &config.listen.tcp, config.listen.metrics)
}

fn judge(datagrams: &[Socket], streams: &[Socket], told: &[SocketAddr], metrics: Option<SocketAddr>) -> Finding {
    if let Some(socket) = datagrams.first() {
        return wrong(
            "leaks",
            format!(
                "a datagram socket is open, {} to {}: stop the daemon, and report this",
                socket.local, socket.remote
            ),
        );
    }
    if let Some(socket) = streams.iter().find(|socket| socket.remote.port() == DNS && !socket.is_listening) {
        return wrong(
            "leaks",
            format!(
                "a connection to {} looks like a look-up of names: stop the daemon, and report this",
                socket.remote
            ),
        );
    }
    let is_told = |address: SocketAddr| {
        told.iter()
            .chain(&metrics)
            .any(|told| told.ip() == address.ip() && (told.port() == 0 || told.port() == address.port()))
    };
    if let Some(socket) = streams.iter().find(|socket| socket.is_listening && !is_told(socket.local)) {
        return wrong("leaks", format!("{} is listened on, and the configuration does not say so", socket.local));
    }
    let relays: HashSet<_> =
        streams.iter().filter(|s| !s.is_listening && !is_told(s.local)).map(|s| s.remote).collect();
    well(
        "leaks",
        format!("no datagram socket, no look-up of names; {} connections, those of the Tor client", relays.len()),
    )
}

/// The inodes of the sockets of a process; `None` where they are not shown.
fn inodes(process: i32) -> Option<HashSet<u64>> {
    let files = fs::read_dir(format!("/proc/{process}/fd")).ok()?;
    let inode = |path: std::path::PathBuf| path.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok();
    Some(files.flatten().filter_map(|file| inode(fs::read_link(file.path()).ok()?)).collect())
}

/// The sockets of a table of `/proc/net` with one of these inodes.
fn read(table: &str, own: &HashSet<u64>) -> Vec<Socket> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let inode: u64 = fields.get(9)?.parse().ok()?;
        let socket = Socket {
            local: address(fields.get(1)?)?,
            remote: address(fields.get(2)?)?,
            is_listening: *fields.get(3)? == LISTEN,
        };
        own.contains(&inode).then_some(socket)
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// An address as the kernel writes it: words of the machine's order in hexadecimal, a colon, the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let words: Vec<u32> = ip
        .as_bytes()
        .chunks(8)
        .map(|word| u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok())
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let ip = match bytes.len() {
        4 => IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        16 => IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)).to_canonical(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::Verdict;

    const TABLE: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:221A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0 0 10 0
   1: 0200000A:A0F2 08080808:01BB 01 00000000:00000000 00:00000000 00000000     0        0 12 1 0 20 4 30 10 -1
   2: 0200000A:A0F3 08080808:0035 01 00000000:00000000 00:00000000 00000000     0        0 13 1 0 20 4 30 10 -1
";

    fn sockets(own: &[u64]) -> Vec<Socket> {
        read(TABLE, &own.iter().copied().collect())
    }

    #[test]
    fn the_kernels_table_is_read() {
        let found = sockets(&[11, 12]);
        assert_eq!(
            found[0],
            Socket {
                local: "127.0.0.1:8730".parse().unwrap(),
                remote: "0.0.0.0:0".parse().unwrap(),
                is_listening: true
            }
        );
        assert_eq!((found.len(), found[1].remote), (2, "8.8.8.8:443".parse().unwrap()));
        assert_eq!(address("00000000000000000000000001000000:0016"), Some("[::1]:22".parse().unwrap()));
        assert_eq!(address("0100007F"), None);
    }

    #[test]
    fn what_leaks_is_found() {
        let told = ["127.0.0.1:8730".parse().unwrap()];
        let verdict = |datagrams: &[Socket], streams: &[Socket], told: &[SocketAddr]| {
            judge(datagrams, streams, told, None).verdict
        };
        assert_eq!(verdict(&[], &sockets(&[11, 12]), &told), Verdict::Well);
        assert_eq!(verdict(&[], &sockets(&[11, 12, 13]), &told), Verdict::Wrong, "a look-up of names");
        assert_eq!(verdict(&[], &sockets(&[11]), &[]), Verdict::Wrong, "nobody said to listen there");
        assert_eq!(verdict(&sockets(&[12]), &[], &told), Verdict::Wrong, "a datagram");
    }
}
