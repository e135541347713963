use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Onion, keys::Identity, slot::Router};

/// Name of the configuration in a node's data directory.
pub(crate) const FILE: &str = "torrc";
/// Name of the log in a node's data directory.
pub(crate) const LOG: &str = "notice.log";
/// Name of the control socket in a node's data directory.
pub(crate) const CONTROL: &str = "control";

/// The time between two consensuses while there is none yet, in seconds.
pub(crate) const INITIAL_VOTING_INTERVAL_S: u64 = 5;
const VOTING_INTERVAL_S: u64 = 20;
/// On a testing network C tor takes 24 voting intervals for the time period of onion services, arti the parameter of
/// the consensus, in minutes: they must agree, or no client finds a descriptor.
const HSDIR_INTERVAL_MIN: u64 = 24 * VOTING_INTERVAL_S / 60;
/// The length of a time period of onion services (rend-spec-v3, section 2.2.1).
pub(crate) const TIME_PERIOD: Duration = Duration::from_mins(HSDIR_INTERVAL_MIN);
/// By how much time periods begin later than multiples of their length: twelve voting intervals.
pub(crate) const TIME_PERIOD_OFFSET: Duration = Duration::from_secs(12 * VOTING_INTERVAL_S);

/// For every node.
const COMMON: &str = "\
TestingTorNetwork 1
ShutdownWaitLength 0
DisableDebuggerAttachment 0
ProtocolWarnings 1
SafeLogging 0
LogTimeGranularity 1
NoExec 1
AvoidDiskWrites 1
PathsNeededToBuildCircuits 0.25
TestingDirConnectionMaxStall 30 seconds
TestingServerDownloadInitialDelay 0
TestingClientDownloadInitialDelay 0
TestingServerConsensusDownloadInitialDelay 0
TestingClientConsensusDownloadInitialDelay 0
";

/// For authorities and relays.
const ROUTER: &str = "\
SocksPort 0
AssumeReachable 1
ContactInfo test@localhost
ExitPolicyRejectPrivate 0
RelayBandwidthRate 1 GBytes
RelayBandwidthBurst 1 GBytes
MaxAdvertisedBandwidth 1 GBytes
NumCPUs 1
";

/// Only a relay that lets everything out counts as an exit, and without exits there are no circuits at all. An exit looks up names of
/// the clear net to see whether its resolver lies; none is to leave this network.
const RELAY: &str = "\
PublishServerDescriptor 1
DirCache 1
ExitRelay 1
ExitPolicy accept *:*
ServerDNSDetectHijacking 0
";

/// A relay that no consensus names.
const BRIDGE: &str = "\
BridgeRelay 1
PublishServerDescriptor 0
ExitRelay 0
";

const AUTHORITY: &str = "\
PublishServerDescriptor 1
ExitRelay 0
ExitPolicy reject *:*
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
V3AuthVoteDelay 4 seconds
V3AuthDistDelay 4 seconds
V3AuthNIntervalsValid 3
TestingV3AuthInitialVoteDelay 2 seconds
TestingV3AuthInitialDistDelay 2 seconds
TestingAuthDirTimeToLearnReachability 0
TestingDirAuthVoteExit *
TestingDirAuthVoteGuard *
TestingDirAuthVoteHSDir *
TestingMinExitFlagThreshold 0
TestingMinFastFlagThreshold 0
MinUptimeHidServDirectoryV2 0
AuthDirListBadExits 0
";

/// Writes the configurations of one network.
#[derive(Debug)]
pub(crate) struct Torrc {
    /// What every node gets, which ends in the list of authorities.
    common: String,
    entry_nodes: String,
    /// By how many seconds votes come later than multiples of the voting interval; less than the initial one.
    pub(crate) voting_offset_s: u64,
}

impl Torrc {
    pub(crate) fn new(identities: &[Identity], tcp_nodelay: bool) -> Self {
        let mut common = COMMON.to_owned();
        // Tor polls this process; a node whose parent died before it could take ownership ends within 15 seconds.
        line(&mut common, format_args!("__OwningControllerProcess {}", std::process::id()));
        if tcp_nodelay {
            line(&mut common, format_args!("Schedulers Vanilla"));
        }
        let mut entry_nodes = Vec::new();
        for Identity { router, rsa, v3ident, .. } in identities {
            let Some(v3ident) = v3ident else { continue };
            let (or, directory) = (router.or_address().port(), router.directory_address());
            let name = &router.name;
            line(
                &mut common,
                format_args!("DirAuthority {name} orport={or} no-v2 v3ident={v3ident} {directory} {rsa}"),
            );
            entry_nodes.push(name.as_str());
        }
        Self { common, entry_nodes: entry_nodes.join(","), voting_offset_s: 0 }
    }

    pub(crate) fn router(&self, home: &Path, router: &Router) -> String {
        let mut text = self.node(home);
        line(&mut text, format_args!("Nickname {}", router.name));
        line(&mut text, format_args!("Address {0}\nOutboundBindAddress {0}", router.ip));
        line(&mut text, format_args!("ORPort {} IPv4Only", router.or_address()));
        text.push_str(ROUTER);
        if router.is_authority {
            line(&mut text, format_args!("DirPort {} IPv4Only", router.directory_address()));
            line(&mut text, format_args!("V3AuthVotingInterval {VOTING_INTERVAL_S} seconds"));
            line(&mut text, format_args!("TestingV3AuthInitialVotingInterval {INITIAL_VOTING_INTERVAL_S} seconds"));
            line(&mut text, format_args!("TestingV3AuthVotingStartOffset {}", self.voting_offset_s));
            line(
                &mut text,
                format_args!(
                    "ConsensusParams hsdir_interval={HSDIR_INTERVAL_MIN} cbtdisabled=1 cbtinitialtimeout=5000"
                ),
            );
            text.push_str(AUTHORITY);
        } else {
            text.push_str(RELAY);
        }
        text
    }

    pub(crate) fn bridge(&self, home: &Path, listen: SocketAddr) -> String {
        let mut text = self.node(home);
        line(&mut text, format_args!("Nickname bridge"));
        line(&mut text, format_args!("Address {0}\nOutboundBindAddress {0}", listen.ip()));
        line(&mut text, format_args!("ORPort {listen} IPv4Only"));
        text.push_str(ROUTER);
        text.push_str(BRIDGE);
        text
    }

    pub(crate) fn host<'a>(&self, home: &Path, onions: impl Iterator<Item = &'a Onion>) -> String {
        let mut text = self.client_like(home);
        line(&mut text, format_args!("SocksPort 0"));
        for onion in onions {
            line(&mut text, format_args!("HiddenServiceDir {}", service_dir(home, &onion.name).display()));
            for (port, to) in &onion.ports {
                line(&mut text, format_args!("HiddenServicePort {port} {to}"));
            }
            line(&mut text, format_args!("HiddenServiceNumIntroductionPoints 3"));
            if let Some(work) = onion.proof_of_work {
                line(&mut text, format_args!("HiddenServicePoWDefensesEnabled 1"));
                line(&mut text, format_args!("HiddenServicePoWQueueRate {}", work.queue_rate));
                line(&mut text, format_args!("HiddenServicePoWQueueBurst {}", work.queue_burst));
            }
        }
        text
    }

    pub(crate) fn socks_client(&self, home: &Path, listen: SocketAddr) -> String {
        let mut text = self.client_like(home);
        line(&mut text, format_args!("SocksPort {listen}"));
        text
    }

    /// Relays answer requests for microdescriptors a little late on a new network; authorities have them at once.
    fn client_like(&self, home: &Path) -> String {
        let mut text = self.node(home);
        line(&mut text, format_args!("ORPort 0\nEntryNodes {}", self.entry_nodes));
        text
    }

    fn node(&self, home: &Path) -> String {
        let mut text = self.common.clone();
        line(&mut text, format_args!("DataDirectory {}", home.display()));
        line(&mut text, format_args!("Log notice file {}", home.join(LOG).display()));
        line(&mut text, format_args!("ControlSocket {}", home.join(CONTROL).display()));
        text
    }
}

/// Where the host with data directory `home` keeps the keys of an onion service.
pub(crate) fn service_dir(home: &Path, onion: &str) -> PathBuf {
    home.join(format!("onion-{onion}"))
}

fn line(text: &mut String, rest: std::fmt::Arguments<'_>) {
    text.push_str(&rest.to_string());
    text.push('\n');
}
