use axum::{Json, extract::State};
use derive::Comparison;
use model::{Document, Uri};

use super::version_of;
use crate::{
    api::{self, Compared, FieldChange, LinkChanges, TextChange, TextChanges},
    app::{Running, Shared},
    controllers::content,
    refusal::Refusal,
    request::{AtCapture, AtPair},
};

/// What differs between two versions
///
/// As the two captures show them, which may be of one version or of several, and also of two URIs. Data and never a page: nothing in it is
/// to be displayed as HTML.
#[utoipa::path(
    get, path = "/themes/{theme}/versions/{a}/compare/{b}", tag = "versions", operation_id = "compare_versions",
    params(AtPair),
    responses((status = 200, description = "The differences.", body = api::Comparison)),
)]
pub(crate) async fn compare(State(running): State<Shared>, at: AtPair) -> Result<Json<api::Comparison>, Refusal> {
    let compare = move |running: &Running| {
        let [old, new] = at.captures().map(|at| Side::read(running, at));
        let (old, new) = (old?, new?);
        Ok(shown(&old, &new, derive::compare((&old.uri, &old.document), (&new.uri, &new.document))))
    };
    running.blocking(compare).await.map(Json)
}

struct Side {
    at: AtCapture,
    uri: Uri,
    number: u32,
    document: Document,
}

impl Side {
    /// A capture with its document. A 304 stands for the page of which it says that it has not changed.
    fn read(running: &Running, mut at: AtCapture) -> Result<Self, Refusal> {
        let (capture, version) = version_of(running, &at)?;
        if !capture.outcome.has_content() {
            let (grant, store) = (at.grant(&running.app), &running.app.store);
            let page = store.page_held(&grant, at.theme, capture.uri.id(), capture.target, Some(at.seq))?;
            at.seq = page.map_or(version.first, |page| page.seq);
        }
        let document = content::read(running, &at)?;
        Ok(Self { at, uri: capture.uri, number: version.number, document })
    }

    fn shown(&self) -> Compared {
        Compared {
            capture: self.at.id(),
            uri: self.uri.clone(),
            number: self.number,
            digest_rule: self.document.digest_rule,
            extractor: self.document.extractor,
        }
    }
}

fn shown(old: &Side, new: &Side, comparison: Comparison) -> api::Comparison {
    let content = |side: &Side| (side.document.digest_rule, side.document.content_digest);
    let links = |links: Vec<model::Link>| links.into_iter().map(content::link).collect();
    let field =
        |change: derive::FieldChange| FieldChange { field: change.field.to_owned(), old: change.old, new: change.new };
    api::Comparison {
        old: old.shown(),
        new: new.shown(),
        is_same_content: content(old) == content(new),
        fields: comparison.fields.into_iter().map(field).collect(),
        links: LinkChanges { added: links(comparison.links_added), removed: links(comparison.links_removed) },
        text: TextChanges {
            granularity: comparison.text.granularity.as_str().to_owned(),
            changes: comparison.text.changes.into_iter().map(change).collect(),
        },
    }
}

fn change(change: derive::TextChange) -> TextChange {
    TextChange {
        old: change.old.into(),
        new: change.new.into(),
        deleted: change.deleted,
        inserted: change.inserted,
        before: change.before,
        after: change.after,
        is_noise: change.is_noise,
    }
}
