//! What a request says: where it points, its parameters, its body. Whatever cannot be read becomes a refusal that names
//! the place.

use std::{fmt::Display, str::FromStr, time::Duration};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::{HeaderMap, HeaderName, header::CONTENT_TYPE, request::Parts},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use model::{AccountName, CaptureId, Grant, Phase, Role, Seq, TargetId, ThemeId, Uri};
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use crate::{
    app::{App, Running, Shared},
    authentication::Who,
    refusal::Refusal,
};

/// The largest body that is read, in bytes.
pub(crate) const MAX_BODY: usize = 1 << 20;

/// The largest text of a rule, which may list a hundred thousand values, in bytes.
pub(crate) const MAX_LARGE_BODY: usize = 8 << 20;

/// The longest name or author, in characters.
const MAX_LINE: usize = 200;

/// The longest reason, in bytes.
const MAX_REASON: usize = 4096;

/// The longest time in which a body may come.
const BODY_TIME: Duration = Duration::from_secs(20);

/// A path that points at a theme.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtTheme {
    /// The name of a theme.
    #[param(value_type = String, example = "marketplace")]
    pub(crate) theme: ThemeId,
    #[param(ignore)]
    pub(crate) who: Who,
}

/// A path that points at a target of a theme.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtTarget {
    /// The name of a theme.
    #[param(value_type = String, example = "marketplace")]
    pub(crate) theme: ThemeId,
    /// The id of a target: 16 hexadecimal digits.
    #[param(value_type = String, example = "00000000000007f3")]
    pub(crate) id: TargetId,
    #[param(ignore)]
    pub(crate) who: Who,
}

/// A path that points at a proposal about a target.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtProposal {
    /// The name of a theme.
    #[param(value_type = String, example = "marketplace")]
    pub(crate) theme: ThemeId,
    /// The id of a target: 16 hexadecimal digits.
    #[param(value_type = String, example = "00000000000007f3")]
    pub(crate) id: TargetId,
    /// The proposal: the index of its leaf in the evidence log.
    #[param(example = 4711)]
    pub(crate) proposal: u64,
    #[param(ignore)]
    pub(crate) who: Who,
}

/// A path that points at a capture of a theme.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtCapture {
    /// The name of a theme.
    #[param(value_type = String, example = "marketplace")]
    pub(crate) theme: ThemeId,
    /// The sequence of a capture within the theme.
    #[param(value_type = u64, example = 17)]
    pub(crate) seq: Seq,
    #[param(ignore)]
    pub(crate) who: Who,
}

/// A path that points at a service of a theme.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtService {
    /// The name of a theme.
    #[param(value_type = String, example = "marketplace")]
    pub(crate) theme: ThemeId,
    /// The onion address of a service, or its domain.
    pub(crate) host: String,
    #[param(ignore)]
    pub(crate) who: Who,
}

/// A path that points at a checkpoint of the evidence log.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtCheckpoint {
    /// The size of the log at the checkpoint, in leaves.
    #[param(example = 410)]
    pub(crate) size: u64,
}

/// A path that points at two captures of a theme.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtPair {
    /// The name of a theme.
    #[param(value_type = String, example = "marketplace")]
    pub(crate) theme: ThemeId,
    /// The sequence of a capture within the theme.
    #[param(value_type = u64, example = 17)]
    pub(crate) a: Seq,
    /// The sequence of another capture within the theme.
    #[param(value_type = u64, example = 42)]
    pub(crate) b: Seq,
    #[param(ignore)]
    pub(crate) who: Who,
}

/// A path that points at an export of a theme.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtExport {
    /// The name of a theme.
    #[param(value_type = String, example = "marketplace")]
    pub(crate) theme: ThemeId,
    /// The index of the export's leaf in the evidence log.
    #[param(example = 4711)]
    pub(crate) leaf: u64,
    #[param(ignore)]
    pub(crate) who: Who,
}

/// A path that points at an account.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtAccount {
    /// The name of an account.
    #[param(value_type = String, example = "anna")]
    pub(crate) name: AccountName,
}

/// A path that points at a role that was given.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AtRole {
    /// The name of an account.
    #[param(value_type = String, example = "anna")]
    pub(crate) name: AccountName,
    /// The number of the role, counted from 1 per account.
    #[param(example = 1)]
    pub(crate) number: u32,
}

impl AtPair {
    /// The two captures.
    pub(crate) fn captures(&self) -> [AtCapture; 2] {
        let Self { theme, a, b, .. } = *self;
        [a, b].map(|seq| AtCapture { theme, seq, who: self.who.clone() })
    }
}

impl AtTheme {
    /// Leave to work on this theme, for whoever asks.
    pub(crate) fn grant(&self, app: &App, phase: Phase) -> Grant {
        app.authority.grant(self.who.name(), self.theme, phase)
    }
}

impl AtTarget {
    /// Leave to see to the target, for whoever asks.
    pub(crate) fn grant(&self, app: &App) -> Grant {
        app.authority.grant(self.who.name(), self.theme, Phase::Technique)
    }
}

impl AtProposal {
    /// Leave to see to the target, for whoever asks.
    pub(crate) fn grant(&self, app: &App) -> Grant {
        app.authority.grant(self.who.name(), self.theme, Phase::Technique)
    }
}

impl AtCapture {
    /// Leave to read the capture, for whoever asks.
    pub(crate) fn grant(&self, app: &App) -> Grant {
        app.authority.grant(self.who.name(), self.theme, Phase::Analysis)
    }

    pub(crate) const fn id(&self) -> CaptureId {
        CaptureId { theme: self.theme, seq: self.seq }
    }
}

impl AtService {
    /// Leave to read what is known of the service, for whoever asks.
    pub(crate) fn grant(&self, app: &App) -> Grant {
        app.authority.grant(self.who.name(), self.theme, Phase::Analysis)
    }
}

impl AtExport {
    /// Leave to take the export out, for whoever asks.
    pub(crate) fn grant(&self, app: &App) -> Grant {
        app.authority.grant(self.who.name(), self.theme, Phase::OperationalUse)
    }
}

impl FromRequestParts<Shared> for AtTheme {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, running: &Shared) -> Result<Self, Refusal> {
        let (theme, who) = theme_of(parts, running).await?;
        Ok(Self { theme, who })
    }
}

impl FromRequestParts<Shared> for AtTarget {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, running: &Shared) -> Result<Self, Refusal> {
        let (theme, who) = theme_of(parts, running).await?;
        let id = part(parts, "id").await?.ok_or(Refusal::NoTarget)?;
        Ok(Self { theme, id, who })
    }
}

impl FromRequestParts<Shared> for AtProposal {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, running: &Shared) -> Result<Self, Refusal> {
        let AtTarget { theme, id, who } = AtTarget::from_request_parts(parts, running).await?;
        let proposal = part(parts, "proposal").await?.ok_or(Refusal::NoProposal)?;
        Ok(Self { theme, id, proposal, who })
    }
}

impl FromRequestParts<Shared> for AtCapture {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, running: &Shared) -> Result<Self, Refusal> {
        let (theme, who) = theme_of(parts, running).await?;
        let seq = part(parts, "seq").await?.map(Seq).ok_or(Refusal::NoCapture)?;
        Ok(Self { theme, seq, who })
    }
}

impl FromRequestParts<Shared> for AtService {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, running: &Shared) -> Result<Self, Refusal> {
        let (theme, who) = theme_of(parts, running).await?;
        let host = part::<String>(parts, "host").await?.ok_or(Refusal::NoService)?;
        let uri: Uri = format!("http://{host}/").parse().map_err(|_| Refusal::NoService)?;
        Ok(Self { theme, host: uri.host().to_string(), who })
    }
}

impl FromRequestParts<Shared> for AtCheckpoint {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Refusal> {
        let size = part(parts, "size").await?.ok_or(Refusal::NoCheckpoint)?;
        Ok(Self { size })
    }
}

impl FromRequestParts<Shared> for AtAccount {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Refusal> {
        let name = part(parts, "name").await?.ok_or(Refusal::NoAccount)?;
        Ok(Self { name })
    }
}

impl FromRequestParts<Shared> for AtRole {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, running: &Shared) -> Result<Self, Refusal> {
        let AtAccount { name } = AtAccount::from_request_parts(parts, running).await?;
        let number = part(parts, "number").await?.ok_or(Refusal::NoRoleGiven)?;
        Ok(Self { name, number })
    }
}

impl FromRequestParts<Shared> for AtPair {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, running: &Shared) -> Result<Self, Refusal> {
        let (theme, who) = theme_of(parts, running).await?;
        let a = part(parts, "a").await?.map(Seq).ok_or(Refusal::NoCapture)?;
        let b = part(parts, "b").await?.map(Seq).ok_or(Refusal::NoCapture)?;
        Ok(Self { theme, a, b, who })
    }
}

impl FromRequestParts<Shared> for AtExport {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, running: &Shared) -> Result<Self, Refusal> {
        let (theme, who) = theme_of(parts, running).await?;
        let leaf = part(parts, "leaf").await?.ok_or(Refusal::NoExport)?;
        Ok(Self { theme, leaf, who })
    }
}

impl Who {
    /// Leave to decide about sealed items too, which an approver has.
    pub(crate) fn custody(&self, app: &App, theme: ThemeId) -> Grant {
        if self.has(Role::Approver, Some(theme)) {
            app.authority.custody(self.name(), theme)
        } else {
            app.authority.grant(self.name(), theme, Phase::Analysis)
        }
    }
}

/// The theme of the path, if it exists, and who asks for it.
async fn theme_of(parts: &mut Parts, running: &Running) -> Result<(ThemeId, Who), Refusal> {
    let who = parts.extensions.get::<Who>().cloned().ok_or(Refusal::Unauthenticated)?;
    let may_see = |theme: &ThemeId| running.has_theme(*theme) && who.is_known_in(*theme);
    let theme = part(parts, "theme").await?.filter(may_see).ok_or(Refusal::NoTheme)?;
    Ok((theme, who))
}

/// A part of the path; `None` when it is no `T`, so that nothing of that name can exist.
pub(crate) async fn part<T: FromStr>(parts: &mut Parts, name: &str) -> Result<Option<T>, Refusal> {
    let path = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| Refusal::NoRoute)?;
    let found = path.iter().find(|(key, _)| *key == name);
    Ok(found.and_then(|(_, value)| value.parse().ok()))
}

/// The field in which a request says what it is for: a purpose, or the number of a case.
pub(crate) const PURPOSE: HeaderName = HeaderName::from_static("nachtwacht-purpose");

/// What a request is for, in its own words.
pub(crate) fn purpose(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(PURPOSE) else { return Ok(None) };
    let text = str::from_utf8(value.as_bytes()).map_err(|_| refused(PURPOSE.as_str(), "is not UTF-8"))?;
    checked("purpose", text).map(Some)
}

/// Refuses a reason or a ground that says nothing.
pub(crate) fn said(field: &'static str, text: &str) -> Result<(), Refusal> {
    let is_said = !text.trim().is_empty() && text.len() <= MAX_REASON;
    let problem = || format!("say it in 1 to {MAX_REASON} bytes");
    if is_said { Ok(()) } else { Err(Refusal::Invalid { field, problem: problem() }) }
}

/// A name as people write it: something, and not too much, on one line.
pub(crate) fn checked(field: &'static str, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let problem = if text.is_empty() {
        "is empty".to_owned()
    } else if text.chars().count() > MAX_LINE {
        format!("is longer than {MAX_LINE} characters")
    } else if text.chars().any(char::is_control) {
        "control characters do not belong in it".to_owned()
    } else {
        return Ok(text.to_owned());
    };
    Err(Refusal::Invalid { field, problem })
}

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        if !is_json(request.headers()) {
            return Err(Refusal::MediaType);
        }
        serde_json::from_slice(&bytes_of(request, MAX_BODY).await?).map(Self).map_err(Refusal::Body)
    }
}

/// A body that is taken as it is.
pub(crate) struct Media(pub(crate) Bytes);

impl<S: Sync> FromRequest<S> for Media {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        bytes_of(request, MAX_BODY).await.map(Self)
    }
}

/// A body that is taken as it is, and may be large.
pub(crate) struct LargeMedia(pub(crate) Bytes);

impl<S: Sync> FromRequest<S> for LargeMedia {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        bytes_of(request, MAX_LARGE_BODY).await.map(Self)
    }
}

/// The bytes of a body, which must be neither too long nor too slow.
pub(crate) async fn bytes_of(request: Request, most: usize) -> Result<Bytes, Refusal> {
    let body = Limited::new(request.into_body(), most).collect();
    let read = tokio::time::timeout(BODY_TIME, body).await.map_err(|_| Refusal::TooSlow)?;
    let broken = |error: axum::BoxError| {
        if error.is::<LengthLimitError>() { Refusal::TooLarge(most >> 20) } else { Refusal::BrokenBody }
    };
    Ok(read.map_err(broken)?.to_bytes())
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// The parameters of a query (`application/x-www-form-urlencoded`), of which each name is known.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn read(query: Option<&str>, known: &[&str]) -> Result<Self, Refusal> {
        let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect::<Vec<_>>();
        match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => {
                Err(refused(name, format!("there is no such parameter; there are {}", known.join(", "))))
            }
            None => Ok(Self(pairs)),
        }
    }

    /// The value of a parameter that may be given once.
    pub(crate) fn one<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let mut values = self.values(name);
        let value = values.next().map(|value| parse(name, value)).transpose()?;
        if values.next().is_some() { Err(refused(name, "given more than once")) } else { Ok(value) }
    }

    /// The values of a parameter that may be repeated, and hold several values with commas between them.
    pub(crate) fn many<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Vec<T>, Refusal> {
        let values =
            self.values(name).flat_map(|value| value.split(',')).map(str::trim).filter(|value| !value.is_empty());
        values.map(|value| parse(name, value)).collect()
    }

    /// The size of a page: `default` when it is not given, and never more than `most`.
    pub(crate) fn limit(&self, default: usize, most: usize) -> Result<usize, Refusal> {
        match self.one("limit")?.unwrap_or(default) {
            limit if limit > most => Err(refused("limit", format!("{limit} is more than {most}"))),
            limit => Ok(limit),
        }
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn parse<T: FromStr<Err: Display>>(name: &str, value: &str) -> Result<T, Refusal> {
    value.parse().map_err(|error: T::Err| refused(name, error.to_string()))
}

pub(crate) fn refused(name: &str, problem: impl Into<String>) -> Refusal {
    Refusal::Parameter { name: name.chars().take(40).collect(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_known_single_or_many() {
        let known = ["q", "kind", "limit"];
        let read = |query| Parameters::read(Some(query), &known);
        let given = read("kind=a,b&q=x+%26%20y&kind=c,").unwrap();
        assert_eq!(given.one::<String>("q").unwrap().as_deref(), Some("x & y"));
        assert_eq!(given.many::<String>("kind").unwrap(), ["a", "b", "c"]);
        assert_eq!(given.limit(7, 10).unwrap(), 7);
        assert!(Parameters::read(None, &known).unwrap().one::<String>("q").unwrap().is_none());
        assert!(read("q=1&q=2").unwrap().one::<String>("q").is_err());
        assert!(read("limit=11").unwrap().limit(7, 10).is_err());
        assert!(read("limit=-1").unwrap().limit(7, 10).is_err());
        assert!(read("kinds=a").is_err());
    }
}
