use std::{
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use model::{Grant, ThemeId, Timestamp};
use store::{LocalCopy, Notary, Store};

use crate::{Error, Export, Order, archive::Maker, order::Plan, selected, sink::Sink};

/// Lets captures out of the house.
#[derive(Clone)]
pub struct Exporter {
    store: Store,
    notary: Arc<Notary>,
    version: &'static str,
}

impl Exporter {
    /// An exporter over `store`, whose log `notary` signs; `version` is the program's own.
    pub fn new(store: Store, notary: Arc<Notary>, version: &'static str) -> Self {
        Self { store, notary, version }
    }

    /// Settles what an order comes to, and writes that it was given into the log, with length and digest of the export. Nothing leaves yet.
    ///
    /// Makes the export once without keeping it, and so takes as long as writing it does.
    pub fn order(&self, grant: &Grant, theme: ThemeId, order: &Order, now: Timestamp) -> Result<Export, Error> {
        if order.purpose.trim().is_empty() {
            return Err(Error::NoPurpose);
        }
        let checkpoint = match order.checkpoint {
            Some(size) => self.notary.checkpoint(size)?.ok_or(Error::NoCheckpoint(size))?,
            None => self.notary.sign(now)?,
        };
        let mut plan = Plan {
            theme,
            selection: order.selection.clone(),
            format: order.format,
            with_revisits: order.with_revisits,
            log_size: checkpoint.size,
            timestamps: checkpoint.timestamps.len(),
        };
        selected::settle(&self.store, grant, &mut plan)?;
        let (captures, sink) = self.maker(grant, &plan)?.write(Sink::new(io::sink(), 0))?;
        if captures == 0 {
            return Err(Error::Nothing);
        }
        let (bytes, digest, _) = sink.finish();
        let (format, log_size) = (plan.format, plan.log_size);
        let export = Export { leaf: 0, theme, at: now, format, captures, log_size, bytes, digest, plan };
        let leaf = self.store.record_act(grant, theme, export.act(grant.who(), &order.purpose))?;
        Ok(Export { leaf, ..export })
    }

    /// The export whose leaf is at this index, if it is one of the theme.
    pub fn find(&self, grant: &Grant, theme: ThemeId, leaf: u64) -> Result<Option<Export>, Error> {
        let act = self.store.acts(grant, theme, leaf, 1)?.pop().filter(|act| act.leaf == leaf);
        act.map_or(Ok(None), |act| Export::of(theme, &act))
    }

    /// Fails with [`Error::Changed`] where captures of the export were erased since. Reads their records, and not what was received.
    pub fn check(&self, grant: &Grant, export: &Export) -> Result<(), Error> {
        let mut captures = 0;
        let counted = selected::each(&self.store, grant, &export.plan, &mut |_, _| {
            captures += 1;
            Ok(())
        });
        match counted {
            Ok(()) if captures == export.captures => Ok(()),
            Ok(()) | Err(Error::Store(store::Error::Erased(..))) => Err(Error::Changed(export.leaf)),
            Err(error) => Err(error),
        }
    }

    /// Notes the file of this machine that an export is carried to, so that an erasure of what it holds reaches it.
    pub fn note_file(&self, grant: &Grant, export: &Export, path: PathBuf) -> Result<(), Error> {
        let mut captures = Vec::new();
        selected::each(&self.store, grant, &export.plan, &mut |capture, _| {
            captures.push(capture.seq);
            Ok(())
        })?;
        captures.sort_unstable();
        Ok(self.store.note_copy(&LocalCopy { path, theme: export.theme, captures, must_go: false })?)
    }

    /// Writes an export from the byte at `offset` on. Fails with [`Error::Changed`], and without its last bytes, where it would not be what the log says.
    pub fn write(&self, grant: &Grant, export: &Export, offset: u64, out: impl Write) -> Result<(), Error> {
        let (_, sink) = self.maker(grant, &export.plan)?.write(Sink::new(out, offset))?;
        let (bytes, digest, mut rest) = sink.finish();
        if (bytes, digest) != (export.bytes, export.digest) {
            // What is dropped with it would be written.
            let _ = rest.into_parts();
            return Err(Error::Changed(export.leaf));
        }
        Ok(rest.flush().map_err(warc::Error::from)?)
    }

    fn maker<'a>(&'a self, grant: &'a Grant, plan: &'a Plan) -> Result<Maker<'a>, Error> {
        Maker::new(&self.store, &self.notary, grant, plan, self.version)
    }
}
