use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use model::{Grant, Phase, Seq, ThemeId};
use rocksdb::{
    BlockBasedOptions, BottommostLevelCompaction, Cache, ColumnFamily, ColumnFamilyDescriptor, CompactOptions, DB,
    DBCompressionType, DBIterator, Direction, IteratorMode, LogLevel, Options, ReadOptions, WriteBatch, WriteOptions,
    checkpoint::Checkpoint,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use tokio::sync::watch;

use crate::{
    Error,
    audit::AuditLog,
    backup, codec,
    committer::Committer,
    key::Key,
    log::{Log, Places},
    logins::CredentialKey,
    room::{RESERVE_FILE, Room, Space, SpaceKeeper},
    schema::{FORMAT, Table},
};

/// Settings of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Memory for blocks read from disk, in MiB.
    pub cache_mb: usize,
    /// Memory for rows not yet written to tables, in MiB; writes wait when it is full.
    pub write_buffer_mb: usize,
    /// The greatest number of captures in one synced batch.
    pub group_size: usize,
    /// The time between two signatures under the evidence log while it grows, in seconds.
    pub checkpoint_every_s: u32,
    /// The free space on the disk below which nothing is fetched, in MiB; below half of it nothing is recorded either. 0 sets no floor.
    pub floor_mb: u64,
    /// A file beside the tables that is given back when the disk is full, for acts of audit and erasure and a clean stop, in MiB. 0 keeps none.
    pub reserve_mb: u64,
}

impl Config {
    /// The time between two signatures under the evidence log.
    pub fn checkpoint_every(&self) -> Duration {
        Duration::from_secs(self.checkpoint_every_s.max(1).into())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cache_mb: 16,
            write_buffer_mb: 32,
            group_size: 64,
            checkpoint_every_s: 3_600,
            floor_mb: 512,
            reserve_mb: 256,
        }
    }
}

/// Behind every key of a derived table, all of which begin with a theme.
const END_OF_KEYS: [u8; 1] = [0xff];

/// The truth, open. Cheap to clone; the last clone closes it.
#[derive(Clone)]
pub struct Store {
    pub(crate) tables: Arc<Tables>,
    pub(crate) log: Arc<Log>,
    pub(crate) audit: Arc<AuditLog>,
    pub(crate) space: Arc<SpaceKeeper>,
    committer: Arc<Committer>,
    credential: Arc<CredentialKey>,
    /// Serialises backups, which share a place for their links.
    pub(crate) backing_up: Arc<Mutex<()>>,
    /// Serialises read-modify-write of accounts and tokens.
    pub(crate) accounts_lock: Arc<Mutex<()>>,
    /// Serialises read-modify-write of targets.
    pub(crate) targets_lock: Arc<Mutex<()>>,
    /// Serialises read-modify-write of watches, their states and alerts.
    pub(crate) watches_lock: Arc<Mutex<()>>,
    /// Serialises read-modify-write of dossiers.
    pub(crate) dossiers_lock: Arc<Mutex<()>>,
    /// Tells who follows the derived tables that they grew.
    pub(crate) analysed: Arc<watch::Sender<HashMap<ThemeId, Seq>>>,
    /// Tells who keeps the views that captures left them or came back.
    pub(crate) changed: Arc<watch::Sender<()>>,
    /// The erased captures of each theme that was asked about, in order.
    pub(crate) erased: Arc<Mutex<HashMap<ThemeId, Vec<Seq>>>>,
}

/// Bytes on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DiskUse {
    /// Tables and write-ahead log of the store, without the reserve.
    pub store_bytes: u64,
    /// The disk that they lie on.
    pub space: Space,
}

impl Store {
    /// Opens the store in `directory`, or makes one there.
    pub fn open(directory: &Path, config: &Config, credential: CredentialKey) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(|source| Error::Directory { path: directory.to_owned(), source })?;
        let space = Arc::new(SpaceKeeper::new(directory, config.floor_mb << 20, config.reserve_mb << 20));
        // Links of a backup that died hold space, and what was erased since.
        drop(fs::remove_dir_all(backup::checkpoint_dir(directory)));
        // Opening writes, too; the reserve is made good when there is room.
        space.give_way();
        let tables = Arc::new(Tables::open(directory, config)?);
        tables.check_format()?;
        let log = Arc::new(Log::open(Arc::clone(&tables), Places::EVIDENCE)?);
        let audit = Arc::new(AuditLog::open(Arc::clone(&tables))?);
        let committer = Arc::new(Committer::start(Arc::clone(&tables), Arc::clone(&log), config.group_size)?);
        space.look();
        Ok(Self {
            tables,
            log,
            audit,
            space,
            committer,
            credential: Arc::new(credential),
            backing_up: Arc::default(),
            accounts_lock: Arc::default(),
            targets_lock: Arc::default(),
            watches_lock: Arc::default(),
            dossiers_lock: Arc::default(),
            analysed: Arc::default(),
            changed: Arc::default(),
            erased: Arc::default(),
        })
    }

    pub(crate) fn committer(&self) -> &Committer {
        &self.committer
    }

    pub(crate) fn credential(&self) -> &CredentialKey {
        &self.credential
    }

    /// The sequence that the follower `name` has dealt with in `theme`; 0 before the first.
    pub fn cursor(&self, name: &str, theme: ThemeId) -> Result<Seq, Error> {
        Ok(self.tables.get(Table::Cursors, &cursor_key(name, theme))?.unwrap_or_default())
    }

    /// The space that the store takes on disk, and what is left there.
    pub fn disk_use(&self) -> DiskUse {
        let size = |entry: fs::DirEntry| entry.metadata().map_or(0, |meta| meta.len());
        let files = fs::read_dir(&self.tables.directory).into_iter().flatten().flatten();
        let files = files.filter(|entry| entry.file_name() != RESERVE_FILE);
        DiskUse { store_bytes: files.map(size).sum(), space: self.space.look() }
    }

    /// What there is room for on the disk, as it is now: whoever fetches asks before each fetch.
    pub fn room(&self) -> Room {
        self.space.look().room
    }

    /// The space that the rows of `table` take in files; rows that are in memory and in the write-ahead log only are not counted.
    pub fn table_bytes(&self, table: Table) -> Result<u64, Error> {
        let files = self.tables.db.live_files()?;
        let own = files.iter().filter(|file| file.column_family_name == table.name());
        Ok(own.map(|file| file.size as u64).sum())
    }

    /// Gives the reserve back to a full disk, for a clean stop. Acts do so by themselves.
    pub fn use_reserve(&self) {
        self.space.give_way();
    }

    /// The rows of `table`, raw, from the first key on: for snapshots, tests and maintenance.
    pub fn raw_rows(&self, grant: &Grant, table: Table) -> Result<Vec<(Vec<u8>, Vec<u8>)>, Error> {
        if !grant.covers_every_theme() {
            return Err(Error::NotGrantedEverywhere);
        }
        self.tables.scan(table, &Key::default(), None).collect()
    }

    /// Deletes every derived row and the cursor of whoever derives them, so that they are made again.
    pub fn forget_derived(&self, follower: &str) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        for table in Table::ALL.iter().filter(|table| table.kind() == crate::Kind::Derived) {
            batch.delete_range_cf(self.tables.family(*table), Vec::new(), END_OF_KEYS.to_vec());
        }
        for row in self.tables.scan(Table::Cursors, &Key::bytes(&follower_name(follower)), None) {
            batch.delete_cf(self.tables.family(Table::Cursors), row?.0);
        }
        self.tables.write_synced(batch)
    }
}

/// A follower's name in keys: zero-padded, so that one name is never the beginning of another.
fn follower_name(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    bytes
}

pub(crate) fn cursor_key(name: &str, theme: ThemeId) -> Key {
    Key::bytes(&follower_name(name)).with(theme.as_bytes())
}

pub(crate) fn demand(grant: &Grant, theme: ThemeId) -> Result<(), Error> {
    if grant.covers(theme) { Ok(()) } else { Err(Error::NotGranted(theme)) }
}

/// Leave to read content: not that of whoever sees to the crawl, nor of whoever reads the logs (R29).
pub(crate) fn demand_content(grant: &Grant, theme: ThemeId) -> Result<(), Error> {
    match grant.phase() {
        Phase::Analysis | Phase::OperationalUse => demand(grant, theme),
        Phase::Technique | Phase::Audit => Err(Error::NotGranted(theme)),
    }
}

/// A lock that a panic elsewhere cannot take away: it guards no data of its own.
pub(crate) fn lock(mutex: &Mutex<()>) -> MutexGuard<'_, ()> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A lock over data that is whole between any two statements.
pub(crate) fn lock_data<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The database under the domain methods.
pub(crate) struct Tables {
    db: DB,
    pub(crate) directory: PathBuf,
}

impl Tables {
    fn open(directory: &Path, config: &Config) -> Result<Self, Error> {
        let cache = Cache::new_lru_cache(config.cache_mb << 20);
        let families =
            Table::ALL.iter().map(|table| ColumnFamilyDescriptor::new(table.name(), family_options(*table, &cache)));
        let db =
            DB::open_cf_descriptors(&database_options(config), directory, families).map_err(|error| {
                match error.kind() {
                    rocksdb::ErrorKind::IOError if error.to_string().contains("lock") => {
                        Error::Locked(directory.to_owned())
                    }
                    _ => Error::Database(error),
                }
            })?;
        Ok(Self { db, directory: directory.to_owned() })
    }

    fn check_format(&self) -> Result<(), Error> {
        let key = Key::bytes(b"format");
        match self.get::<u32>(Table::Format, &key)? {
            None => {
                let mut batch = WriteBatch::default();
                self.put(&mut batch, Table::Format, &key, &FORMAT);
                self.write_synced(batch)
            }
            Some(found) if found > FORMAT => Err(Error::NewerFormat { found, supported: FORMAT }),
            Some(found) if found < FORMAT => Err(Error::OlderFormat(found)),
            Some(_) => Ok(()),
        }
    }

    pub(crate) fn family(&self, table: Table) -> &ColumnFamily {
        #[expect(clippy::expect_used, reason = "every table is opened as a column family in `open`, or opening fails")]
        self.db.cf_handle(table.name()).expect("an opened column family")
    }

    pub(crate) fn get_raw(&self, table: Table, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.db.get_cf(self.family(table), key)?)
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, table: Table, key: &Key) -> Result<Option<T>, Error> {
        match self.db.get_pinned_cf(self.family(table), key)? {
            Some(value) => codec::decode(table, key.as_ref(), &value).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn contains(&self, table: Table, key: &Key) -> Result<bool, Error> {
        Ok(self.db.get_pinned_cf(self.family(table), key)?.is_some())
    }

    pub(crate) fn put<T: Serialize>(&self, batch: &mut WriteBatch, table: Table, key: &Key, value: &T) {
        batch.put_cf(self.family(table), key, codec::encode(value));
    }

    /// Writes what may be lost with the power, and not with the process.
    pub(crate) fn write(&self, batch: WriteBatch) -> Result<(), Error> {
        Ok(self.db.write_opt(batch, &WriteOptions::default())?)
    }

    /// Writes what must be on disk when this returns, and with it all that was written before.
    pub(crate) fn write_synced(&self, batch: WriteBatch) -> Result<(), Error> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        Ok(self.db.write_opt(batch, &options)?)
    }

    /// A consistent copy of everything in a new directory on the same disk; tables are linked and not copied.
    pub(crate) fn checkpoint(&self, directory: &Path) -> Result<(), Error> {
        Ok(Checkpoint::new(&self.db)?.create_checkpoint(directory)?)
    }

    /// Writes every table anew, so that what was deleted is in no file any more.
    pub(crate) fn compact(&self) -> Result<(), Error> {
        Table::ALL.iter().try_for_each(|table| self.compact_table(*table))
    }

    /// Writes one table anew.
    pub(crate) fn compact_table(&self, table: Table) -> Result<(), Error> {
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        self.db.flush_cf(self.family(table))?;
        self.db.compact_range_cf_opt(self.family(table), None::<&[u8]>, None::<&[u8]>, &options);
        Ok(())
    }

    /// The rows whose keys begin with `prefix`, in order, from `from` on when given.
    pub(crate) fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &Key,
        from: Option<&Key>,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), Error>> + use<'a> {
        self.walk(table, prefix, from, Direction::Forward)
    }

    /// The rows whose keys begin with `prefix`, backwards, from `from` (included) down when given.
    pub(crate) fn scan_back<'a>(
        &'a self,
        table: Table,
        prefix: &Key,
        from: Option<&Key>,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), Error>> + use<'a> {
        self.walk(table, prefix, from, Direction::Reverse)
    }

    /// The rows of a table, with options of the caller's.
    pub(crate) fn iterate(&self, table: Table, options: ReadOptions, mode: IteratorMode<'_>) -> DBIterator<'_> {
        self.db.iterator_cf_opt(self.family(table), options, mode)
    }

    /// The database itself, for its upkeep.
    pub(crate) const fn database(&self) -> &DB {
        &self.db
    }

    /// Where the database keeps its files.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// About how many rows a table has.
    pub(crate) fn estimated_rows(&self, table: Table) -> u64 {
        let property = self.db.property_int_value_cf(self.family(table), rocksdb::properties::ESTIMATE_NUM_KEYS);
        property.ok().flatten().unwrap_or(0)
    }

    fn walk<'a>(
        &'a self,
        table: Table,
        prefix: &Key,
        from: Option<&Key>,
        direction: Direction,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), Error>> + use<'a> {
        let mut options = ReadOptions::default();
        options.set_iterate_range(rocksdb::PrefixRange(prefix.as_ref()));
        let mode = match (from, direction) {
            (Some(from), direction) => IteratorMode::From(from.as_ref(), direction),
            (None, Direction::Forward) => IteratorMode::Start,
            (None, Direction::Reverse) => IteratorMode::End,
        };
        self.iterate(table, options, mode)
            .map(|row| row.map(|(key, value)| (key.into_vec(), value.into_vec())).map_err(Error::from))
    }
}

fn database_options(config: &Config) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_db_write_buffer_size(config.write_buffer_mb << 20);
    options.set_max_total_wal_size((4 * config.write_buffer_mb as u64) << 20);
    options.set_max_open_files(256);
    options.set_keep_log_file_num(4);
    options.set_max_log_file_size(4 << 20);
    // Its own log would name the keys of what it compacts, digests of erased payloads among them.
    options.set_log_level(LogLevel::Warn);
    options.set_paranoid_checks(true);
    options.set_bytes_per_sync(1 << 20);
    options
}

/// Bytes of rows that are compressed together, where one row is much like the next. Reading one of them undoes the whole block, some 0.05 ms.
const ROWS_BLOCK: usize = 16 << 10;

fn family_options(table: Table, cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_bloom_filter(10.0, false);
    blocks.set_cache_index_and_filter_blocks(true);
    if matches!(table, Table::Captures | Table::LogLeaves) {
        blocks.set_block_size(ROWS_BLOCK);
    }
    let mut options = Options::default();
    options.set_block_based_table_factory(&blocks);
    options.set_write_buffer_size(8 << 20);
    options.set_compression_type(match table {
        // These are compressed already.
        Table::Payloads | Table::Documents => DBCompressionType::None,
        // One row is much like the next: requests, heads, names of fields. Only digests, salts and commitments differ in all.
        Table::Captures | Table::LogLeaves => DBCompressionType::Zstd,
        _ => DBCompressionType::Lz4,
    });
    options
}
