//! Services and pairs of them on the wire, and as tables.

use crate::{
    api::{Clusters, DifferingElement, PagePair, SeenAt, Service, ServicePair, Services, SharedElement},
    csv::{Listed, Table},
};

pub(crate) fn pair(pair: derive::Pair) -> ServicePair {
    let derive::Pair { a, b, likeness } = pair;
    let page = |pair: derive::PagePair| PagePair { title: pair.title, a: pair.a, b: pair.b };
    let difference = |difference: derive::Difference| DifferingElement {
        kind: difference.what.to_owned(),
        a: difference.a,
        b: difference.b,
        captures: difference.captures.map(|(a, b)| vec![a, b]).unwrap_or_default(),
        is_evidence: difference.is_evidence,
    };
    ServicePair {
        a,
        b,
        verdict: likeness.verdict.as_str().to_owned(),
        confidence: likeness.confidence,
        compared: likeness.compared as u64,
        alike: likeness.alike as u64,
        because: likeness.because,
        pages: likeness.pages.into_iter().map(page).collect(),
        shared: likeness
            .shared
            .into_iter()
            .map(|(kind, value)| SharedElement { kind: kind.to_string(), value })
            .collect(),
        differing: likeness.differing.into_iter().map(difference).collect(),
    }
}

impl Listed for Services {
    const NAME: &'static str = "services";

    fn table(&self) -> Table {
        let targets =
            |targets: &[model::TargetId]| targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let rows = self.services.iter().map(|it| vec![it.host.clone(), it.pages.to_string(), targets(&it.targets)]);
        Table { columns: &["host", "pages", "targets"], rows: rows.collect() }
    }

    fn next(&self) -> Option<String> {
        self.next.clone()
    }
}

impl Listed for Service {
    const NAME: &'static str = "service";

    fn table(&self) -> Table {
        let seen = |at: &SeenAt| at.seen.map(|seen| seen.to_string()).unwrap_or_default();
        let rows = self.elements.iter().map(|element| {
            vec![
                self.host.clone(),
                element.kind.clone(),
                element.value.clone(),
                element.captures.to_string(),
                element.first.capture.to_string(),
                seen(&element.first),
                element.last.capture.to_string(),
                seen(&element.last),
            ]
        });
        let columns = &["host", "kind", "value", "captures", "first", "first_seen", "last", "last_seen"];
        Table { columns, rows: rows.collect() }
    }

    fn next(&self) -> Option<String> {
        self.next.clone()
    }
}

impl Listed for Clusters {
    const NAME: &'static str = "clusters";

    /// A row for each pair; pairs of one cluster have one first host.
    fn table(&self) -> Table {
        let mut rows = Vec::new();
        for cluster in &self.clusters {
            for pair in &cluster.pairs {
                rows.push(vec![
                    cluster.hosts.first().cloned().unwrap_or_default(),
                    pair.a.clone(),
                    pair.b.clone(),
                    pair.verdict.clone(),
                    pair.confidence.to_string(),
                    pair.alike.to_string(),
                    pair.compared.to_string(),
                    pair.because.join("; "),
                ]);
            }
        }
        let columns = &["cluster", "a", "b", "verdict", "confidence", "alike", "compared", "because"];
        Table { columns, rows }
    }

    fn next(&self) -> Option<String> {
        self.next.clone()
    }
}
