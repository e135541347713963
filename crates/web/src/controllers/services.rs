//! Services: what they show, whom they name, and which of them are the same.

mod shown;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use model::{CaptureId, Grant, Phase, Seq, ServiceId, TargetId, ThemeId};
use store::{ElementKind, Mark};
use utoipa::IntoParams;

pub(super) use shown::pair;

use crate::{
    api::{Cluster, Clusters, NamedBy, SeenAt, Service, ServiceElement, ServiceSummary, Services},
    app::{Running, Shared},
    csv::Format,
    refusal::Refusal,
    request::{AtService, AtTheme, Parameters, refused},
};

/// The most of anything on a page.
pub(super) const MAX_LIMIT: usize = 100;

/// Elements on a page.
const MAX_ELEMENTS: usize = 500;

/// Pages of a service that are counted.
const MAX_PAGES: usize = 1000;

/// Services that name another that are told.
const MAX_NAMED_BY: usize = 100;

/// Which page of a list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// From here on: the `next` of the page before.
    pub(super) from: Option<String>,
    /// How many at most; never more than 100.
    #[param(value_type = Option<usize>, default = 50)]
    pub(super) limit: usize,
    /// `json`, or `csv` for a table of what is listed.
    #[param(value_type = Option<String>, default = "json")]
    pub(super) format: Format,
}

impl ListParameters {
    pub(super) fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let given = Parameters::read(query, &["from", "limit", "format"])?;
        Ok(Self {
            from: given.one("from")?,
            limit: given.limit(50, MAX_LIMIT)?.max(1),
            format: given.one("format")?.unwrap_or_default(),
        })
    }

    /// The page of things in order of their names, and the name that the next page begins with.
    pub(super) fn page<T>(&self, mut all: Vec<T>, name: impl Fn(&T) -> &str) -> (Vec<T>, Option<String>) {
        all.retain(|one| self.from.as_deref().is_none_or(|from| name(one) >= from));
        let next = all.get(self.limit).map(|one| name(one).to_owned());
        all.truncate(self.limit);
        (all, next)
    }
}

/// The services of a theme of which a page was read
#[utoipa::path(
    get, path = "/themes/{theme}/services", tag = "services", operation_id = "list_services",
    params(AtTheme, ListParameters),
    responses((
        status = 200, description = "A page of services.",
        content((Services = "application/json"), (String = "text/csv")),
    )),
)]
pub(crate) async fn list(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let wanted = ListParameters::read(query.as_deref())?;
    let format = wanted.format;
    let read = move |running: &Running| {
        let (store, grant) = (&running.app.store, at.grant(&running.app, Phase::Analysis));
        let from = wanted.from.as_deref().map(ServiceId::of);
        let targets = targets(running, at.theme)?;
        let mut services = Vec::new();
        for service in store.services(&grant, at.theme, from, wanted.limit + 1)? {
            let host = host(running, &grant, at.theme, service)?;
            services.extend(host.map(|host| (service, host)));
        }
        let next = services.get(wanted.limit).map(|(_, host)| host.clone());
        services.truncate(wanted.limit);
        let summary = |(service, host): (ServiceId, String)| {
            let pages = pages(running, &grant, at.theme, service)?;
            Ok(ServiceSummary { pages, targets: of_host(&targets, &host), host })
        };
        Ok(Services { services: services.into_iter().map(summary).collect::<Result<_, Refusal>>()?, next })
    };
    running.blocking(read).await.map(|services| format.answer(&services))
}

/// Which elements of a service.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ElementParameters {
    /// Only elements of this kind: an observable's, such as `btc`, or `mention`, or `called-mirror`.
    #[param(value_type = Option<String>)]
    kind: Option<ElementKind>,
    /// From this element on: the `next` of the page before.
    #[param(value_type = Option<String>, example = "btc:1BoatSLRHtKNngkdXEeobR76b53LETtpyT")]
    from: Option<(ElementKind, String)>,
    /// How many elements at most; never more than 500.
    #[param(value_type = Option<usize>, default = 100)]
    limit: usize,
    /// `json`, or `csv` for a table of the elements.
    #[param(value_type = Option<String>, default = "json")]
    format: Format,
}

impl ElementParameters {
    fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let given = Parameters::read(query, &["kind", "from", "limit", "format"])?;
        let from = given.one::<String>("from")?.map(|from| {
            let (kind, value) = from.split_once(':').ok_or("a kind, a colon and a value were expected".to_owned())?;
            Ok((kind.parse::<ElementKind>().map_err(|error| error.to_string())?, value.to_owned()))
        });
        Ok(Self {
            kind: given.one("kind")?,
            from: from.transpose().map_err(|problem: String| refused("from", problem))?,
            limit: given.limit(100, MAX_ELEMENTS)?.max(1),
            format: given.one("format")?.unwrap_or_default(),
        })
    }
}

/// What is known of a service
///
/// What its pages show, which services name it, and of which it is a mirror or a suspected clone.
#[utoipa::path(
    get, path = "/themes/{theme}/services/{host}", tag = "services", operation_id = "show_service",
    params(AtService, ElementParameters),
    responses((
        status = 200, description = "The service, with a page of what it shows.",
        content((Service = "application/json"), (String = "text/csv")),
    )),
)]
pub(crate) async fn read(
    State(running): State<Shared>,
    at: AtService,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let wanted = ElementParameters::read(query.as_deref())?;
    let format = wanted.format;
    running.blocking(move |running| service(running, at, &wanted)).await.map(|service| format.answer(&service))
}

fn service(running: &Running, at: AtService, wanted: &ElementParameters) -> Result<Service, Refusal> {
    let (store, theme) = (&running.app.store, at.theme);
    let grant = at.grant(&running.app);
    let service = ServiceId::of(&at.host);
    let pages = pages(running, &grant, theme, service)?;
    if pages == 0 {
        return Err(Refusal::NoService);
    }
    let from = wanted.from.as_ref().map(|(kind, value)| (*kind, value.as_str()));
    let mut elements = store.elements(&grant, theme, service, wanted.kind, from, wanted.limit + 1)?;
    let next = elements.get(wanted.limit).map(|next| format!("{}:{}", next.kind, next.value));
    elements.truncate(wanted.limit);
    let element = |element: store::Element| {
        Ok(ServiceElement {
            kind: element.kind.to_string(),
            value: element.value,
            captures: element.captures as u64,
            first: seen_at(running, &grant, theme, element.first)?,
            last: seen_at(running, &grant, theme, element.last)?,
        })
    };
    Ok(Service {
        pages,
        targets: of_host(&targets(running, theme)?, &at.host),
        elements: elements.into_iter().map(element).collect::<Result<_, Refusal>>()?,
        next,
        named_by: named_by(running, &grant, theme, &at.host)?,
        alike: derive::alike(store, &grant, theme, &at.host)?.into_iter().map(pair).collect(),
        host: at.host,
    })
}

/// Clusters of a theme's services: mirrors and suspected clones
///
/// Computed when it is asked for, from what is analysed up to the sequence that the answer names.
#[utoipa::path(
    get, path = "/themes/{theme}/clusters", tag = "services", operation_id = "list_clusters",
    params(AtTheme, ListParameters),
    responses((
        status = 200, description = "A page of clusters.",
        content((Clusters = "application/json"), (String = "text/csv")),
    )),
)]
pub(crate) async fn clusters(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let wanted = ListParameters::read(query.as_deref())?;
    let format = wanted.format;
    let read = move |running: &Running| {
        let (store, grant) = (&running.app.store, at.grant(&running.app, Phase::Analysis));
        let up_to = store.derive_cursor(at.theme)?;
        let found = derive::clusters(store, &grant, at.theme, up_to)?;
        let (page, next) =
            wanted.page(found.clusters, |cluster| cluster.hosts.first().map(String::as_str).unwrap_or_default());
        let shown = |cluster: derive::Cluster| Cluster {
            hosts: cluster.hosts,
            pairs: cluster.pairs.into_iter().map(pair).collect(),
        };
        Ok(Clusters { up_to, clusters: page.into_iter().map(shown).collect(), next, is_cut: found.is_cut })
    };
    running.blocking(read).await.map(|clusters| format.answer(&clusters))
}

/// A capture, with the moment of its attempt.
pub(super) fn seen_at(running: &Running, grant: &Grant, theme: ThemeId, seq: Seq) -> Result<SeenAt, Refusal> {
    let sketch = running.app.store.sketch(grant, theme, seq)?;
    Ok(SeenAt { capture: CaptureId { theme, seq }, seen: sketch.map(|sketch| sketch.seen) })
}

fn named_by(running: &Running, grant: &Grant, theme: ThemeId, host: &str) -> Result<Vec<NamedBy>, Refusal> {
    let (store, mark) = (&running.app.store, Mark::mention(host));
    let mut named_by = Vec::new();
    for service in store.services_with(grant, theme, mark, Seq(u64::MAX), MAX_NAMED_BY)? {
        for seq in store.captures_with(grant, theme, mark, service, 1)? {
            if let Some(sketch) = store.sketch(grant, theme, seq)? {
                let last = SeenAt { capture: CaptureId { theme, seq }, seen: Some(sketch.seen) };
                named_by.push(NamedBy { host: sketch.host, last });
            }
        }
    }
    Ok(named_by)
}

/// The host of a service, as its pages tell it; `None` where the last of them was taken away a moment ago.
fn host(running: &Running, grant: &Grant, theme: ThemeId, service: ServiceId) -> Result<Option<String>, Refusal> {
    let store = &running.app.store;
    for seq in store.places(grant, theme, service, Seq(u64::MAX), 1, 1)?.captures.into_iter().flatten() {
        if let Some(sketch) = store.sketch(grant, theme, seq)? {
            return Ok(Some(sketch.host));
        }
    }
    Ok(None)
}

fn pages(running: &Running, grant: &Grant, theme: ThemeId, service: ServiceId) -> Result<u64, Refusal> {
    Ok(running.app.store.places(grant, theme, service, Seq(u64::MAX), 0, MAX_PAGES)?.captures.len() as u64)
}

/// The hosts of a theme's targets.
fn targets(running: &Running, theme: ThemeId) -> Result<Vec<(String, TargetId)>, Refusal> {
    let mut hosts = Vec::new();
    for target in running.app.store.targets(theme)? {
        let of_target = target.terms().map(model::Terms::hosts).unwrap_or_default();
        hosts.extend(of_target.into_iter().map(|host| (host, target.id)));
    }
    hosts.sort_unstable();
    hosts.dedup();
    Ok(hosts)
}

fn of_host(targets: &[(String, TargetId)], host: &str) -> Vec<TargetId> {
    targets.iter().filter(|(known, _)| known == host).map(|(_, id)| *id).collect()
}
