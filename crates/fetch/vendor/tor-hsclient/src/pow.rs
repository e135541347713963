//! Common support for proof of work denial of service mitigation on the client side

#[cfg_attr(not(feature = "hs-pow-full"), path = "pow/v1_stub.rs")]
mod v1;

use crate::err::ProofOfWorkError;
use tor_cell::relaycell::hs::pow::ProofOfWork;
use tor_hscrypto::pk::HsBlindId;
use tor_netdoc::doc::hsdesc::HsDesc;
use tor_netdoc::doc::hsdesc::pow::PowParams;
use v1::HsPowClientV1;

use futures::future::BoxFuture;
use std::sync::OnceLock;

/// A turn at the work.
pub struct Turn {
    /// The right to work. The thread that works holds it until it has ended.
    pub place: Box<dyn Send>,
    /// Completes when the time for the work is over.
    pub is_over: BoxFuture<'static, ()>,
}

/// Says whether a proof of work of this effort may be made for the connection attempt in whose task it is
/// called, and waits for the turn; `None` when it may not.
pub type WorkGate = fn(effort: u32) -> BoxFuture<'static, Option<Turn>>;

/// The gate of this process. Without one no proof of work is ever made.
static WORK_GATE: OnceLock<WorkGate> = OnceLock::new();

/// Sets the gate of this process; only the first call has an effect.
pub fn set_work_gate(gate: WorkGate) {
    let _ = WORK_GATE.set(gate);
}

/// Client-side state for a series of connection attempts that might use proof-of-work.
///
/// The `HsPowClient` can be initialized using a recent `HsDesc`, at which point
/// we choose a proof of work scheme and its initial parameters.
///
/// When an attempt fails, we can increase the effort in an algorithm-specific way.
///
/// For now we have only scheme, `v1`. We try to make only minimal assumptions
/// about how future schemes may interact with each other.
#[derive(Default)]
pub(crate) struct HsPowClient {
    /// Client state specifically for the `v1` scheme
    v1: Option<HsPowClientV1>,
}

impl HsPowClient {
    /// Initialize a new group of connection attempts, given the required context
    pub(crate) fn new(hs_blind_id: &HsBlindId, desc: &HsDesc) -> Self {
        let mut client: HsPowClient = Default::default();
        for params in desc.pow_params() {
            if let PowParams::V1(v1) = params {
                client.v1 = Some(HsPowClientV1::new(hs_blind_id, v1));
            }
        }
        client
    }

    /// Increase effort in response to a failed connection attempt.
    ///
    /// If no proof of work scheme is in use or the effort cannot be increased, this has no effect.
    ///
    /// Specified in <https://spec.torproject.org/hspow-spec/common-protocol.html#client-timeout>
    ///
    pub(crate) fn increase_effort(&mut self) {
        if let Some(v1) = &mut self.v1 {
            v1.increase_effort();
        }
    }

    /// If we have an applicable proof of work scheme, do the work and return a proof
    pub(crate) async fn solve(&self) -> Result<Option<ProofOfWork>, ProofOfWorkError> {
        let Some(v1) = &self.v1 else { return Ok(None) };
        let (Some(effort), Some(gate)) = (v1.effort(), WORK_GATE.get()) else { return Ok(None) };
        let Some(Turn { place, is_over }) = gate(effort).await else { return Ok(None) };
        let work = v1.solve(place);
        futures::pin_mut!(work);
        // Whichever ends first; dropping the work ends the thread that does it.
        match futures::future::select(work, is_over).await {
            futures::future::Either::Left((proof, _)) => Ok(proof?.map(ProofOfWork::V1)),
            futures::future::Either::Right(((), _)) => Ok(None),
        }
    }
}
