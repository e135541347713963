//! A descriptor that demands proofs of work (Tor specifications, hspow-spec). C tor asks for effort only under load, so the
//! descriptor that a service has published is opened, given the effort, and signed anew with the key of the service.

use std::{
    collections::BTreeSet,
    fmt::Display,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use model::{Clock as _, OnionAddress, SystemClock, Timestamp};
use tokio::{net::UnixStream, time::timeout};
use tor_cell::chancell::msg::HandshakeType;
use tor_checkable::{TimeBound as _, timed::TimeRangeBound};
use tor_hscrypto::{
    pk::HsIdKeypair,
    pow::v1::{Effort, Seed},
    time::TimePeriod,
};
use tor_llcrypto::pk::ed25519;
use tor_netdoc::{
    NetdocBuilder as _,
    doc::hsdesc::{
        HsDesc, HsDescBuilder, create_desc_sign_key_cert,
        pow::{PowParams, v1::PowParamsV1},
    },
};

use super::{
    control::{Broken, Control},
    error::Error,
    torrc,
};

/// How long what is signed here is good for: longer than a network lives.
const LIFETIME: Duration = Duration::from_hours(3);

/// How long a try to publish may take. Now and then tor waits for a circuit that does not come about; the next try gets another.
const TRY: Duration = Duration::from_secs(10);
const TRIES: usize = 12;

/// The demand of one service.
pub(crate) struct Demand<'a> {
    pub(crate) identity: HsIdKeypair,
    pub(crate) service: OnionAddress,
    pub(crate) effort: u32,
    /// The control socket of a tor process that can fetch and upload.
    pub(crate) control: PathBuf,
    /// Fingerprints of the directories that get the descriptor.
    pub(crate) directories: BTreeSet<&'a str>,
}

impl Demand<'_> {
    /// Puts a descriptor with the demand in the place of the one that clients find.
    pub(crate) async fn publish(&self) -> Result<(), Error> {
        for _ in 0..TRIES {
            // A connection of its own for each try, which forgets what the last one was told.
            if let Ok(result) = timeout(TRY, self.try_to_publish()).await {
                return result;
            }
        }
        Err(Error::Descriptor("no answer from the directories".to_owned()))
    }

    async fn try_to_publish(&self) -> Result<(), Error> {
        let stream = UnixStream::connect(&self.control).await.map_err(Error::file(&self.control))?;
        let mut control = Control::over(stream);
        control.ask("AUTHENTICATE").await?;
        control.ask("SETEVENTS HS_DESC HS_DESC_CONTENT").await?;
        let published = self.fetch(&mut control).await?;
        let now = SystemTime::UNIX_EPOCH + SystemClock.now().since(Timestamp::from_micros(0));
        self.upload(&mut control, &with_effort(&published, &self.identity, self.effort, now)?).await
    }

    /// Asks a directory for the descriptor, as a client does.
    async fn fetch(&self, control: &mut Control) -> Result<String, Error> {
        let name = self.name();
        control.ask(&format!("HSFETCH {name}")).await?;
        loop {
            // The first line says whose descriptor it is, the last one that it was complete.
            let lines = control.event().await?;
            if let [head, content @ .., _] = lines.as_slice()
                && head.starts_with(&format!("HS_DESC_CONTENT {name} "))
                && content.len() > 1
            {
                return Ok(content.iter().map(|line| format!("{line}\n")).collect());
            }
        }
    }

    /// Uploads a descriptor, and waits until all directories have taken it.
    async fn upload(&self, control: &mut Control, descriptor: &str) -> Result<(), Error> {
        let (name, mut missing) = (self.name(), self.directories.clone());
        let servers: String = missing.iter().map(|directory| format!(" SERVER={directory}")).collect();
        control.ask(&format!("+HSPOST{servers} HSADDRESS={name}\r\n{}\r\n.", descriptor.trim_end())).await?;
        while !missing.is_empty() {
            for line in control.event().await? {
                missing.retain(|directory| !line.starts_with(&format!("HS_DESC UPLOADED {name} UNKNOWN ${directory}")));
            }
        }
        Ok(())
    }

    fn name(&self) -> String {
        self.service.to_string().replace(".onion", "")
    }
}

impl From<Broken> for Error {
    fn from(broken: Broken) -> Self {
        Self::Descriptor(match broken {
            Broken::Closed => "the control connection is gone".to_owned(),
            Broken::Refused(answer) => answer,
        })
    }
}

/// Reads the identity key of a service from its directory, in the format of C tor: a header of 32 bytes, the expanded key of 64.
pub(crate) fn identity(service_dir: &Path) -> Result<HsIdKeypair, Error> {
    let file = service_dir.join("hs_ed25519_secret_key");
    let bytes = fs::read(&file).map_err(Error::file(&file))?;
    let key =
        bytes.get(32..).and_then(|key| key.try_into().ok()).and_then(ed25519::ExpandedKeypair::from_secret_key_bytes);
    key.map(HsIdKeypair::from).ok_or_else(|| Error::Descriptor("the identity key is malformed".to_owned()))
}

/// The same descriptor, with a demand of this effort. A service that defends itself gives a seed already, and can check the proofs
/// if that is kept; another gets one, and ignores them.
fn with_effort(descriptor: &str, identity: &HsIdKeypair, effort: u32, now: SystemTime) -> Result<String, Error> {
    let current = TimePeriod::new(torrc::TIME_PERIOD, now, torrc::TIME_PERIOD_OFFSET).map_err(wrong)?;
    // Tor goes by the time of its consensus, which lags behind.
    let mut result = anew(descriptor, identity, effort, now, current);
    if let (Err(_), Some(previous)) = (&result, current.prev()) {
        result = anew(descriptor, identity, effort, now, previous);
    }
    result
}

fn anew(
    descriptor: &str,
    identity: &HsIdKeypair,
    effort: u32,
    now: SystemTime,
    period: TimePeriod,
) -> Result<String, Error> {
    let (blinded, blinded_keys, subcredential) = identity.compute_blinded_key(period).map_err(wrong)?;
    let opened = HsDesc::parse_decrypt_validate(descriptor, &blinded.id(), &subcredential, None).map_err(wrong)?;
    let opened = opened.if_valid_at(&now).map_err(wrong)?;
    let (rng, until) = (&mut rand::rng(), now + LIFETIME);
    let seed = match opened.pow_params() {
        [PowParams::V1(params), ..] => params.seed().clone(),
        _ => TimeRangeBound::new(Seed::new(rng, None), ..until),
    };
    let demand = PowParams::V1(PowParamsV1::new(seed, Effort::from(effort)));
    let signing = ed25519::Keypair::generate(rng);
    let certificate = create_desc_sign_key_cert(&signing.verifying_key(), &blinded_keys, until).map_err(wrong)?;
    HsDescBuilder::default()
        .blinded_id(&blinded)
        .hs_desc_sign(&signing)
        .hs_desc_sign_cert(certificate)
        .create2_formats(&[HandshakeType::NTOR])
        .auth_required(None)
        .is_single_onion_service(opened.is_single_onion_service())
        .intro_points(opened.intro_points())
        .intro_auth_key_cert_expiry(until)
        .intro_enc_key_cert_expiry(until)
        .pow_params(Some(&demand))
        .flow_control(opened.flow_control().map(|(protocols, increment)| (protocols, increment.get())))
        .supported_protocols(opened.declared_capabilities().clone())
        .lifetime(180.into())
        .revision_counter(revision(now).into())
        .subcredential(subcredential)
        .build_sign(rng)
        .map_err(wrong)
}

/// Microseconds since 1970: higher with each descriptor, and than what C tor counts, which is the encrypted age of the time period
/// and stays below 2^40.
fn revision(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| u64::try_from(age.as_micros()).unwrap_or(u64::MAX))
}

fn wrong(error: impl Display) -> Error {
    Error::Descriptor(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_and_what_is_no_descriptor_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(identity(dir.path()), Err(Error::File { .. })));
        fs::write(dir.path().join("hs_ed25519_secret_key"), [7; 95]).unwrap();
        assert!(matches!(identity(dir.path()), Err(Error::Descriptor(_))));
        fs::write(dir.path().join("hs_ed25519_secret_key"), [7; 96]).unwrap();
        let identity = identity(dir.path()).unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 50);
        assert!(matches!(with_effort("hs-descriptor 3\n", &identity, 1, now), Err(Error::Descriptor(_))));
    }
}
