//! The one table from arti's kinds of error to outcomes.

use arti_client::ErrorKind;
use model::{Outcome, Stage};

/// How an attempt to connect ended. For an onion service and for a host of the clear net the same kind can mean different things.
pub(crate) fn outcome_of(kind: ErrorKind, is_onion: bool) -> Outcome {
    use ErrorKind as K;
    match kind {
        K::OnionServiceNotFound => Outcome::DescriptorNotFound,
        // The service was found, and did not let itself be reached.
        K::OnionServiceConnectionFailed | K::OnionServiceNotRunning | K::OnionServiceProtocolViolation => {
            Outcome::IntroductionFailed
        }
        K::OnionServiceMissingClientAuth | K::OnionServiceWrongClientAuth => Outcome::AuthorisationKeyNeeded,
        K::RemoteNetworkTimeout if is_onion => Outcome::RendezvousTimeout,
        K::RemoteNetworkTimeout | K::ExitTimeout | K::TorNetworkTimeout => Outcome::TimedOut(Stage::Connect),
        // An onion service says no more than that the stream did not open: nothing listens behind it.
        K::RemoteConnectionRefused
        | K::RemoteStreamError
        | K::RemoteStreamReset
        | K::RemoteStreamClosed
        | K::ExitPolicyRejected => Outcome::ConnectionRefused,
        // `model::Uri` and the address policy let no such address come here; if one does, arti's refusal is a refusal.
        K::InvalidStreamTarget | K::ForbiddenStreamTarget | K::OnionServiceAddressInvalid => Outcome::Blocked,
        // Something on the way broke, in the network or behind the exit.
        K::CircuitCollapse
        | K::CircuitRefused
        | K::RelayTooBusy
        | K::RelayIdMismatch
        | K::RemoteNetworkFailed
        | K::RemoteHostNotFound
        | K::RemoteHostResolutionFailed
        | K::RemoteProtocolViolation
        | K::TorProtocolViolation
        | K::TransientFailure
        // Opening a stream on a circuit that ended at the same moment: arti takes that for a misuse of its interface.
        | K::BadApiUsage => Outcome::Interrupted(Stage::Connect),
        // No way into the network, no view of it, or a client that is not well.
        _ => Outcome::TorUnavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_does_is_told_from_what_tor_does() {
        let cases = [
            (ErrorKind::OnionServiceNotFound, Outcome::DescriptorNotFound),
            (ErrorKind::OnionServiceConnectionFailed, Outcome::IntroductionFailed),
            (ErrorKind::OnionServiceMissingClientAuth, Outcome::AuthorisationKeyNeeded),
            (ErrorKind::OnionServiceWrongClientAuth, Outcome::AuthorisationKeyNeeded),
            (ErrorKind::RemoteNetworkTimeout, Outcome::RendezvousTimeout),
            (ErrorKind::RemoteStreamError, Outcome::ConnectionRefused),
            (ErrorKind::CircuitCollapse, Outcome::Interrupted(Stage::Connect)),
            (ErrorKind::BadApiUsage, Outcome::Interrupted(Stage::Connect)),
            (ErrorKind::TorAccessFailed, Outcome::TorUnavailable),
            (ErrorKind::BootstrapRequired, Outcome::TorUnavailable),
            (ErrorKind::DirectoryExpired, Outcome::TorUnavailable),
            (ErrorKind::LocalResourceExhausted, Outcome::TorUnavailable),
        ];
        for (kind, outcome) in cases {
            assert_eq!(outcome_of(kind, true), outcome, "{kind:?}");
        }
        assert_eq!(outcome_of(ErrorKind::RemoteNetworkTimeout, false), Outcome::TimedOut(Stage::Connect));
    }
}
