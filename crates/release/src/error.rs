use model::CaptureId;

/// Why nothing, or not all, was exported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The order does not say what for.
    #[error("an export needs a purpose")]
    NoPurpose,
    /// The selection holds nothing, as of the checkpoint.
    #[error("nothing is selected")]
    Nothing,
    /// There is no such capture.
    #[error("there is no capture {0}")]
    NoCapture(CaptureId),
    /// The capture has no version: it is not analysed, or has no content.
    #[error("capture {0} belongs to no version")]
    NoVersion(CaptureId),
    /// The log was not signed at this size.
    #[error("there is no checkpoint of {0} leaves")]
    NoCheckpoint(u64),
    /// The capture came later than the checkpoint.
    #[error("capture {0} came after the checkpoint of {1} leaves")]
    BeyondCheckpoint(CaptureId, u64),
    /// The same bytes cannot be made again: captures were erased since, or another release writes them differently.
    #[error(
        "export {0} cannot be made again as it was: captures were erased since, or this release writes it differently; export anew"
    )]
    Changed(u64),
    /// The leaf or the act of an export does not say what one says.
    #[error("export {0}: its act is damaged")]
    Damaged(u64),
    /// The store failed, or refused.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The archive cannot be written; also where nobody takes its bytes any more.
    #[error(transparent)]
    Archive(#[from] warc::Error),
}
