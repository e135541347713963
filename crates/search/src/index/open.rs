use std::{fs, io, path::Path};

use model::{Seq, ThemeId};
use tantivy::{
    IndexReader, IndexSettings, ReloadPolicy, TantivyError,
    directory::MmapDirectory,
    error::DataCorruption,
    tokenizer::{TextAnalyzer, TokenizerManager},
};
use tracing::warn;

use crate::{
    Error,
    analyzer::{self, Analyzer},
    error::is_damage,
    query::Place,
    schema::{CAPTURED_AT, Fields, SEQ},
    stems::{self, Stems},
};

/// How many decompressed blocks of stored entries are kept in memory.
const CACHED_BLOCKS: usize = 8;

type Opened = (tantivy::Index, IndexReader, Seq);

/// Opens the index in `directory`. What lies there and is no index of this version gives way to an empty one: nothing
/// is lost that cannot be derived again.
pub(super) fn open_or_empty(directory: &Path, theme: ThemeId, fields: &Fields) -> Result<Opened, Error> {
    create(directory)?;
    match open(directory, fields) {
        Err(error) if is_damage(&error) => {
            warn!(%theme, %error, "the index cannot be used and is built again");
            fs::remove_dir_all(directory).map_err(|source| failed(directory, source))?;
            create(directory)?;
            Ok(open(directory, fields)?)
        }
        opened => Ok(opened?),
    }
}

/// The sequence that the last commit is complete to.
pub(super) fn committed_up_to(engine: &tantivy::Index) -> tantivy::Result<Seq> {
    let metas = engine.load_metas()?;
    match metas.payload.as_deref() {
        Some(payload) => payload.parse().map(Seq).map_err(|_| foreign("a commit without a sequence")),
        None if metas.segments.is_empty() => Ok(Seq(0)),
        None => Err(foreign("entries that nobody vouches for")),
    }
}

/// Removes the files of segments that the last commit does not have. Nothing is being written meanwhile.
pub(super) fn sweep(directory: &Path, engine: &tantivy::Index) -> Result<(), Error> {
    let live: Vec<String> =
        engine.searchable_segment_ids()?.iter().map(tantivy::index::SegmentId::uuid_string).collect();
    let failing = |source| failed(directory, source);
    for file in fs::read_dir(directory).map_err(failing)? {
        let file = file.map_err(failing)?;
        let name = file.file_name();
        let segment = name.to_str().and_then(|name| name.split('.').next()).unwrap_or_default();
        let is_of_segment = segment.len() == 32 && segment.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_of_segment && !live.iter().any(|live| live == segment) {
            fs::remove_file(file.path()).map_err(failing)?;
        }
    }
    Ok(())
}

fn open(directory: &Path, fields: &Fields) -> tantivy::Result<Opened> {
    let tokenizers = TokenizerManager::default();
    tokenizers.register(analyzer::NAME, TextAnalyzer::from(Analyzer));
    tokenizers.register(stems::NAME, TextAnalyzer::from(Stems::default()));
    let engine = tantivy::Index::builder()
        .schema(fields.schema.clone())
        .settings(IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() })
        .tokenizers(tokenizers)
        .open_or_create(MmapDirectory::open(directory)?)?;
    let up_to = committed_up_to(&engine)?;
    let reader = engine
        .reader_builder()
        .reload_policy(ReloadPolicy::Manual)
        .doc_store_cache_num_blocks(CACHED_BLOCKS)
        .try_into()?;
    open_parts(&reader, fields)?;
    Ok((engine, reader, up_to))
}

/// Opens those parts of each segment that the engine opens only when they are asked for, so that a missing one is
/// found now, while it can be cured.
fn open_parts(reader: &IndexReader, fields: &Fields) -> tantivy::Result<()> {
    for segment in reader.searcher().segment_readers() {
        segment.fast_fields().column_first_or_default::<u64>(SEQ)?;
        segment.fast_fields().column_first_or_default::<i64>(CAPTURED_AT)?;
        for field in [fields.uri, fields.title, fields.text] {
            segment.inverted_index(field)?;
            segment.get_fieldnorms_reader(field)?;
        }
        let terms =
            [fields.target, fields.outcome, fields.kind, fields.language, fields.observable, fields.observable_kind];
        for field in terms.iter().chain(fields.stems_of(Place::Page)).copied() {
            segment.inverted_index(field)?;
        }
        segment.get_store_reader(0)?;
    }
    Ok(())
}

fn create(directory: &Path) -> Result<(), Error> {
    fs::create_dir_all(directory).map_err(|source| failed(directory, source))
}

fn failed(directory: &Path, source: io::Error) -> Error {
    Error::Directory { path: directory.to_owned(), source }
}

fn foreign(what: &str) -> TantivyError {
    DataCorruption::comment_only(what).into()
}
