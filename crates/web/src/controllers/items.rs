//! Items over mirrors with their prices, sellers over services, and services that may be watched too.

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use model::{CaptureId, Phase, Seq};
use utoipa::IntoParams;

use super::services::{ListParameters, MAX_LIMIT, pair, seen_at};
use crate::{
    api::{CalledBy, FoundIn, Item, ItemCapture, PriceRun, Proposal, Proposals, Vendor, VendorKey, VendorPage},
    app::{Running, Shared},
    csv::{Format, Listed, Table},
    refusal::Refusal,
    request::{AtCapture, AtTheme, Parameters, refused},
};

/// Which captures of an item.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ItemParameters {
    /// From this capture on: the `next` of the page before.
    #[param(value_type = Option<u64>)]
    from: Option<Seq>,
    /// How many captures at most; never more than 100.
    #[param(value_type = Option<usize>, default = 50)]
    limit: usize,
    /// `json`, or `csv` for a table of the prices.
    #[param(value_type = Option<String>, default = "json")]
    format: Format,
}

/// The item that a capture is of, over the mirrors of its service, and what it cost over time
///
/// An item is told by its title and its seller, or by its seller and its place.
#[utoipa::path(
    get, path = "/themes/{theme}/captures/{seq}/item", tag = "services", operation_id = "show_item",
    params(AtCapture, ItemParameters),
    responses((
        status = 200, description = "The item, with a page of its captures and all of its prices.",
        content((Item = "application/json"), (String = "text/csv")),
    )),
)]
pub(crate) async fn item(
    State(running): State<Shared>,
    at: AtCapture,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let given = Parameters::read(query.as_deref(), &["from", "limit", "format"])?;
    let wanted = ItemParameters {
        from: given.one("from")?.map(Seq),
        limit: given.limit(50, MAX_LIMIT)?.max(1),
        format: given.one("format")?.unwrap_or_default(),
    };
    let format = wanted.format;
    let read = move |running: &Running| {
        let (store, grant) = (&running.app.store, at.grant(&running.app));
        store.capture(&grant, at.id())?.ok_or(Refusal::NoCapture)?;
        let item = derive::item(store, &grant, at.theme, at.seq)?.ok_or(Refusal::NoItem)?;
        let mut captures = item.captures;
        captures.retain(|capture| wanted.from.is_none_or(|from| capture.seq >= from));
        let next = captures.get(wanted.limit).map(|capture| capture.seq);
        let shown = |capture: derive::ItemCapture| ItemCapture {
            capture: CaptureId { theme: at.theme, seq: capture.seq },
            host: capture.host,
            seen: capture.seen,
            title: capture.title,
            price: capture.price.map(|price| price.to_string()),
        };
        let run = |run: derive::PriceRun| PriceRun {
            host: run.host,
            price: run.price.to_string(),
            from: run.from,
            until: run.until,
            first: run.first,
            last: run.last,
            captures: run.captures as u64,
        };
        Ok(Item {
            title: item.title,
            vendor: item.vendor,
            hosts: item.hosts,
            captures: captures.into_iter().take(wanted.limit).map(shown).collect(),
            next,
            prices: item.prices.into_iter().map(run).collect(),
            is_cut: item.is_cut,
        })
    };
    running.blocking(read).await.map(|item| format.answer(&item))
}

/// Which seller.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct VendorParameters {
    /// The name, however it is set.
    name: String,
    /// `json`, or `csv` for a table of the pages that keys link.
    #[param(value_type = Option<String>, default = "json")]
    format: Format,
}

/// The sellers of a name, and with whom verified keys link them over services
#[utoipa::path(
    get, path = "/themes/{theme}/vendors", tag = "services", operation_id = "show_vendor",
    params(AtTheme, VendorParameters),
    responses((
        status = 200, description = "The pages of the sellers of this name, and the keys on them with all pages that show them.",
        content((Vendor = "application/json"), (String = "text/csv")),
    )),
)]
pub(crate) async fn vendor(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let given = Parameters::read(query.as_deref(), &["name", "format"])?;
    let name = given.one::<String>("name")?.filter(|name| !store::folded(name).is_empty());
    let wanted = VendorParameters {
        name: name.ok_or_else(|| refused("name", "which seller's?"))?,
        format: given.one("format")?.unwrap_or_default(),
    };
    let format = wanted.format;
    let read = move |running: &Running| {
        let grant = at.grant(&running.app, Phase::Analysis);
        let found = derive::vendor_links(&running.app.store, &grant, at.theme, &wanted.name)?;
        let key = |link: derive::KeyLink| VendorKey {
            fingerprint: link.fingerprint,
            is_shared: link.is_shared,
            pages: link.pages.into_iter().map(vendor_page).collect(),
        };
        Ok(Vendor {
            pages: found.pages.into_iter().map(vendor_page).collect(),
            keys: found.keys.into_iter().map(key).collect(),
        })
    };
    running.blocking(read).await.map(|vendor| format.answer(&vendor))
}

fn vendor_page(page: derive::VendorPage) -> VendorPage {
    VendorPage { name: page.name, host: page.host, first: page.first, last: page.last, last_seen: page.last_seen }
}

/// Onion services that belong to no target and are held to be that of one
///
/// Addresses that a watched service calls its mirrors, and services whose pages are those of a watched one. Nothing is crawled for being listed.
#[utoipa::path(
    get, path = "/themes/{theme}/proposals", tag = "services", operation_id = "list_proposals",
    params(AtTheme, ListParameters),
    responses((
        status = 200, description = "A page of proposals.",
        content((Proposals = "application/json"), (String = "text/csv")),
    )),
)]
pub(crate) async fn proposals(
    State(running): State<Shared>,
    at: AtTheme,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let wanted = ListParameters::read(query.as_deref())?;
    let format = wanted.format;
    let read = move |running: &Running| {
        let grant = at.grant(&running.app, Phase::Analysis);
        let found = derive::proposals(&running.app.store, &grant, at.theme)?;
        let (page, next) = wanted.page(found.proposals, |proposal| proposal.host.as_str());
        let shown = |proposal: derive::Proposal| {
            let called_by = |(host, first, last): (String, Seq, Seq)| {
                let seen = |seq| seen_at(running, &grant, at.theme, seq);
                Ok(CalledBy { host, first: seen(first)?, last: seen(last)? })
            };
            let found_in = found_in(&proposal);
            Ok(Proposal {
                host: proposal.host,
                found_in,
                because: proposal.because,
                called_by: proposal.called_by.into_iter().map(called_by).collect::<Result<_, Refusal>>()?,
                alike: proposal.alike.into_iter().map(pair).collect(),
            })
        };
        let proposals = page.into_iter().map(shown).collect::<Result<_, Refusal>>()?;
        Ok(Proposals { proposals, next, is_cut: found.is_cut })
    };
    running.blocking(read).await.map(|proposals| format.answer(&proposals))
}

/// The newest capture that names a service, and the watched service that it is said or seen to be the same as.
fn found_in(proposal: &derive::Proposal) -> FoundIn {
    let named = proposal.called_by.iter().max_by_key(|(_, _, last)| *last);
    let alike = || proposal.alike.first().map(|pair| pair.a.clone());
    FoundIn {
        capture: named.map(|(_, _, last)| *last),
        service: named.map(|(host, _, _)| host.clone()).or_else(alike),
        link: format!("http://{}/", proposal.host).parse().ok(),
    }
}

impl Listed for Item {
    const NAME: &'static str = "prices";

    fn table(&self) -> Table {
        let row = |run: &PriceRun| {
            vec![
                run.host.clone(),
                run.price.clone(),
                run.from.to_string(),
                run.until.to_string(),
                run.first.to_string(),
                run.last.to_string(),
                run.captures.to_string(),
            ]
        };
        let columns = &["host", "price", "from", "until", "first", "last", "captures"];
        Table { columns, rows: self.prices.iter().map(row).collect() }
    }

    /// A table holds every price.
    fn next(&self) -> Option<String> {
        None
    }
}

impl Listed for Vendor {
    const NAME: &'static str = "vendor";

    fn table(&self) -> Table {
        let mut rows = Vec::new();
        for key in &self.keys {
            for page in &key.pages {
                rows.push(vec![
                    key.fingerprint.clone(),
                    key.is_shared.to_string(),
                    page.name.clone(),
                    page.host.clone(),
                    page.first.to_string(),
                    page.last.to_string(),
                    page.last_seen.to_string(),
                ]);
            }
        }
        Table { columns: &["fingerprint", "is_shared", "name", "host", "first", "last", "last_seen"], rows }
    }

    fn next(&self) -> Option<String> {
        None
    }
}

impl Listed for Proposals {
    const NAME: &'static str = "proposals";

    fn table(&self) -> Table {
        let captures = |it: &Proposal| {
            let last = it.called_by.iter().map(|by| by.last.capture.to_string());
            last.collect::<Vec<_>>().join(" ")
        };
        let rows = self.proposals.iter().map(|it| vec![it.host.clone(), it.because.join("; "), captures(it)]);
        Table { columns: &["host", "because", "captures"], rows: rows.collect() }
    }

    fn next(&self) -> Option<String> {
        self.next.clone()
    }
}
