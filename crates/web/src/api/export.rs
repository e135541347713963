use std::path::PathBuf;

use model::{Digest, TargetId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is to be exported, in which form, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExport {
    /// Which captures.
    pub selection: ExportSelection,
    /// In which form.
    pub format: ExportFormat,
    /// What for; it is kept with the export's leaf and can be erased.
    #[schema(example = "Case 17, for the examining magistrate.")]
    pub purpose: String,
    /// Whether a payload that the export holds already for the same URI is left out, so that the export is smaller and less of it can be checked.
    #[serde(default)]
    pub revisits: bool,
    /// The size of the log at the checkpoint that the proofs rest on; a new one where none is named.
    #[serde(default)]
    pub checkpoint: Option<u64>,
}

/// Which captures of the theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ExportSelection {
    /// These, by sequence.
    Captures(Vec<u64>),
    /// Those of a target that began within a time.
    Target {
        /// The target's id: 16 hexadecimal digits.
        #[schema(value_type = String)]
        id: TargetId,
        /// At or after this moment.
        #[serde(default)]
        #[schema(value_type = Option<String>, format = DateTime)]
        from: Option<Timestamp>,
        /// Before this moment.
        #[serde(default)]
        #[schema(value_type = Option<String>, format = DateTime)]
        until: Option<Timestamp>,
    },
    /// Those of the version to which the capture of this sequence belongs.
    Version(u64),
    /// Those that the dossier with this leaf holds, but for erased and sealed ones.
    Dossier(u64),
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// WARC/1.1, each record a gzip member: `.warc.gz`.
    Warc,
    /// WACZ 1.1.1 around such a file: `.wacz`.
    Wacz,
}

/// Search results to be exported, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewResults {
    /// What to look for: the parameters of a search, as `GET /themes/{theme}/search` takes them, without `limit` and `after`.
    #[schema(example = "q=%22ship+lantern%22&kind=listing")]
    pub query: String,
    /// What for; it is kept with the export's leaf and can be erased.
    pub purpose: String,
    /// The file of this machine that they are carried to, by its absolute path: it is deleted when something that it holds is erased. Only the
    /// command line can say where it lies. The file is there already.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "/home/jan/lanterns.csv")]
    pub file: Option<PathBuf>,
}

/// The file of this machine that an export is carried to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportFile {
    /// Its absolute path, which ends as files of the export's form do. The file is there already.
    #[schema(value_type = String, example = "/home/jan/case-17.wacz")]
    pub path: PathBuf,
}

/// An export that the evidence log knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Export {
    /// The index of its leaf.
    pub leaf: u64,
    /// Where its bytes are, under `/api/v1`.
    pub path: String,
    /// A name for its file.
    pub filename: String,
    /// When it was ordered.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Its form.
    pub format: ExportFormat,
    /// The number of captures in it.
    pub captures: u64,
    /// The size of the log at the checkpoint that its proofs rest on.
    pub log_size: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    #[schema(value_type = String)]
    pub digest: Digest,
}
