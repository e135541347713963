use std::ops::Range;

use model::{CharsetSource, Digest, Document, Fields, FormKind, Observable, ObservableKind, PageKind, Problem};
use scraper::Html;

use crate::{
    Limits, Page, charset, decode,
    digest::{self, DIGEST_RULE},
    fields::Reading,
    kind, language,
    media::Media,
    observables::{merged, observables, offset},
    parse, refresh,
    site::{self, SiteProfile},
    user_names::user_names,
    walk::{self, Content, forms::Form},
};

/// Version of the extractor; part of every document. It goes up with any change that can change a document.
pub const EXTRACTOR: u32 = 3;

/// Makes a document of a capture.
///
/// Total: any bytes under any headers yield a document. What could not be read as it stands is told beside it, each kind of problem once.
pub fn document(page: &Page<'_>, limits: &Limits) -> (Document, Vec<Problem>) {
    document_of_site(page, limits, &[])
}

/// Makes a document of a capture like [`document()`], its fields read with the first of `profiles` that fits the site, if one does.
pub fn document_of_site(page: &Page<'_>, limits: &Limits, profiles: &[SiteProfile]) -> (Document, Vec<Problem>) {
    let (body, problem) = decode(page.content_encoding, page.payload, limits.decoded_bytes);
    let mut problems: Vec<Problem> = problem.into_iter().collect();
    let media = Media::of(page.content_type, &body, charset::is_declared_wide(page.content_type, &body));
    let mut tree = None;
    let (mut content, charset, source) = if media == Media::Binary {
        problems.push(Problem::NotText);
        (Content::default(), encoding_rs::UTF_8, CharsetSource::Guess)
    } else {
        let decoded = charset::decode(page.content_type, &body);
        if decoded.has_errors {
            problems.push(Problem::Charset);
        }
        let content = if media == Media::Html {
            let (content, html) = of_html(&decoded.text, page, limits);
            tree = (!profiles.is_empty()).then_some(html);
            content
        } else {
            of_plain(&decoded.text, limits)
        };
        (content, decoded.charset, decoded.source)
    };
    problems.append(&mut content.problems);
    // A header comes before the page, but browsers let the page's own word count where it has one.
    let from_header = || page.refresh.and_then(|value| refresh::refresh(&String::from_utf8_lossy(value), page.uri));
    content.refresh = content.refresh.or_else(from_header);
    let (kind, cues, fields) = if media == Media::Binary && page.status < 400 {
        (PageKind::Other, Vec::new(), Fields::default())
    } else {
        let reading = Reading::of(&content);
        let (kind, cues) = kind::of(page, &content, &reading);
        let (kind, fields) = match &tree {
            Some(html) => site::read(profiles, page, html, &content.title, kind, |kind| reading.fields(kind)),
            None => (kind, reading.fields(kind)),
        };
        (kind, cues, fields)
    };
    let content_digest = if media == Media::Binary {
        Digest::of(&body)
    } else {
        digest::of_content(page.uri, &content.title, &content.text, content.shown_links())
    };
    let (language, languages) = language::of(&content.text);
    let names = user_names_of_theme(&fields, &content.text, limits);
    let (text, hidden, problem) = whole_text(content.text, &content.hidden_text, &content.hidden, limits.text_bytes);
    problems.extend(problem);
    let (observables, problem) = some_of(merged(observables(&text, &limits.keep), names), limits.observables);
    problems.extend(problem);
    let document = Document {
        extractor: EXTRACTOR,
        charset: charset.name().to_owned(),
        charset_source: source,
        language,
        languages,
        kind,
        cues,
        fields,
        forms: content.forms.iter().chain(&content.hidden_forms).map(Form::kind).collect::<Vec<FormKind>>(),
        title: content.title,
        text,
        hidden,
        links: content.links,
        images: content.images,
        refresh: content.refresh,
        observables,
        shape: content.shape,
        content_digest,
        digest_rule: DIGEST_RULE,
    };
    (document, once_each(problems))
}

fn of_html(text: &str, page: &Page<'_>, limits: &Limits) -> (Content, Html) {
    let mut parsed = parse::parse(text, limits);
    let mut content = walk::walk(&parsed.html, page, limits);
    content.problems.append(&mut parsed.problems);
    (content, parsed.html)
}

fn of_plain(text: &str, limits: &Limits) -> Content {
    let (text, is_full) = walk::text::plain(text, limits.text_bytes);
    let mut content = Content { text, ..Content::default() };
    content.layout.words = content.text.split_whitespace().count();
    content.problems.extend(is_full.then_some(Problem::TooLong));
    content
}

/// The visible text, below it that of hidden elements, and where each of them stands in it. What has no room is left out, and told.
fn whole_text(
    mut text: String,
    hidden_text: &str,
    hidden: &[Range<usize>],
    limit: usize,
) -> (String, Vec<Range<u32>>, Option<Problem>) {
    let border = usize::from(!text.is_empty() && !hidden_text.is_empty());
    let room = limit.saturating_sub(text.len() + border);
    let kept = hidden_text.get(..hidden_text.floor_char_boundary(room)).unwrap_or_default().trim_end();
    let problem = (room < hidden_text.len()).then_some(Problem::TooLong);
    if kept.is_empty() {
        return (text, Vec::new(), problem);
    }
    text.push_str(if border > 0 { "\n" } else { "" });
    let begin = text.len();
    text.push_str(kept);
    let place = |element: &Range<usize>| offset(begin + element.start)..offset(begin + element.end.min(kept.len()));
    let hidden = hidden.iter().filter(|element| element.start < kept.len()).map(place).collect();
    (text, hidden, problem)
}

/// The user names on a page, if they may be kept.
fn user_names_of_theme(fields: &Fields, text: &str, limits: &Limits) -> Vec<Observable> {
    if limits.keep.kinds.contains(&ObservableKind::UserName) { user_names(fields, text) } else { Vec::new() }
}

/// The first observables, and whether there were more.
fn some_of(mut observables: Vec<Observable>, limit: usize) -> (Vec<Observable>, Option<Problem>) {
    let problem = (observables.len() > limit).then_some(Problem::TooManyObservables);
    observables.truncate(limit);
    (observables, problem)
}

fn once_each(problems: Vec<Problem>) -> Vec<Problem> {
    let mut once = Vec::with_capacity(problems.len());
    for problem in problems {
        if !once.contains(&problem) {
            once.push(problem);
        }
    }
    once
}

#[cfg(test)]
mod tests;
