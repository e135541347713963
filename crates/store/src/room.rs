//! Room on the disk. Fetching stops before the disk is full, and a reserve keeps possible what always must be: to record acts, to erase, to stop.
//!
//! The reserve is a file and not merely a threshold, because only a file keeps its space from everybody else who writes to the disk: the
//! index, Tor's state, another program. The floor is a threshold, because what it holds back, the fetches, asks before it begins.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use serde::Serialize;

use crate::Error;

/// The file of the reserve, in the store's directory.
pub(crate) const RESERVE_FILE: &str = "RESERVE";

/// RocksDB looks every five seconds whether a disk that was full has room again.
const RECOVERY: Duration = Duration::from_secs(15);
const TICK: Duration = Duration::from_millis(200);

/// What there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Room {
    /// Everything.
    ForAll,
    /// What is in flight may still be recorded, and nothing new is fetched.
    ForWhatIsInFlight,
    /// Only acts are recorded, and may use the reserve.
    ForActs,
}

/// The disk that the store lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Space {
    /// What is free, without the reserve, in bytes.
    pub free_bytes: u64,
    /// Nothing is fetched below this, in bytes.
    pub floor_bytes: u64,
    /// What the reserve holds at present, in bytes.
    pub reserve_bytes: u64,
    /// What there is room for.
    pub room: Room,
}

/// Looks at the disk, and keeps the reserve.
pub(crate) struct SpaceKeeper {
    directory: PathBuf,
    floor: u64,
    reserve: u64,
    state: Mutex<State>,
}

struct State {
    room: Room,
    is_reserve_kept: bool,
    /// The disk would not keep one; it is asked again when there is room after there was none.
    has_refused: bool,
}

impl SpaceKeeper {
    /// Keeps `floor` bytes free on the disk of `directory`, and `reserve` bytes in a file there.
    pub(crate) fn new(directory: &Path, floor: u64, reserve: u64) -> Self {
        let kept = fs::metadata(directory.join(RESERVE_FILE)).is_ok_and(|meta| meta.len() == reserve);
        let state = State { room: Room::ForAll, is_reserve_kept: kept, has_refused: false };
        Self { directory: directory.to_owned(), floor, reserve, state: Mutex::new(state) }
    }

    /// The disk as it is now. Tells the log when that changes what there is room for, and makes the reserve good when it can.
    pub(crate) fn look(&self) -> Space {
        let free = self.free();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let room = room(state.room, free, self.floor);
        self.tell(state.room, room, free);
        state.has_refused &= state.room == room;
        state.room = room;
        let is_missing = room == Room::ForAll && !state.is_reserve_kept && !state.has_refused;
        if is_missing && free >= self.floor + self.floor / 8 + 2 * self.reserve {
            state.is_reserve_kept = self.make_reserve();
            state.has_refused = !state.is_reserve_kept;
        }
        let reserve_bytes = if state.is_reserve_kept { self.reserve } else { 0 };
        Space { free_bytes: free, floor_bytes: self.floor, reserve_bytes, room }
    }

    /// Gives the reserve back to the disk where there is room for acts only; says whether it was there to give.
    pub(crate) fn give_way(&self) -> bool {
        self.look().room == Room::ForActs && self.release()
    }

    fn release(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let was_kept = std::mem::take(&mut state.is_reserve_kept);
        let removed = fs::remove_file(self.directory.join(RESERVE_FILE)).is_ok();
        if removed {
            tracing::warn!(directory = %self.directory.display(), reserve_mb = self.reserve >> 20, "the reserve is given back to the full disk, for an act");
        }
        was_kept || removed
    }

    /// Does what must be possible on a full disk: gives the reserve back, and the database the time to see that there is room.
    pub(crate) fn on_reserve<T>(&self, mut work: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        self.give_way();
        let mut waited = Duration::ZERO;
        loop {
            match work() {
                Err(error) if error.is_disk_full() && waited < RECOVERY => {
                    self.release();
                    std::thread::sleep(TICK);
                    waited += TICK;
                }
                result => return result,
            }
        }
    }

    /// What is free to a program without privileges; a disk that does not say is taken to have room, and the writes will tell.
    fn free(&self) -> u64 {
        statvfs(&self.directory).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn make_reserve(&self) -> bool {
        let path = self.directory.join(RESERVE_FILE);
        let make = || -> io::Result<()> {
            let file = fs::File::options().write(true).create(true).truncate(true).open(&path)?;
            fallocate(&file, FallocateFlags::empty(), 0, self.reserve)?;
            file.sync_all()
        };
        if self.reserve == 0 {
            drop(fs::remove_file(&path));
            return true;
        }
        make()
            .inspect_err(|error| {
                tracing::warn!(path = %path.display(), %error, "no reserve can be kept on this disk");
                drop(fs::remove_file(&path));
            })
            .is_ok()
    }

    fn tell(&self, before: Room, now: Room, free: u64) {
        let (directory, free_mb, floor_mb) = (self.directory.display(), free >> 20, self.floor >> 20);
        match (before, now) {
            (before, now) if before == now => {}
            (_, Room::ForAll) => tracing::info!(%directory, free_mb, floor_mb, "the disk has room again: going on"),
            (_, Room::ForWhatIsInFlight) => {
                tracing::warn!(%directory, free_mb, floor_mb, "the disk is nearly full: nothing is fetched until there is room; make room there, or erase something");
            }
            (_, Room::ForActs) => {
                tracing::error!(%directory, free_mb, floor_mb, "the disk is full: nothing but acts is recorded until there is room; make room there, or erase something");
            }
        }
    }
}

/// What there is room for, given what there was room for before: to go on takes an eighth more than to stop, so that nothing flutters.
fn room(before: Room, free: u64, floor: u64) -> Room {
    let enough = if before == Room::ForAll { floor } else { floor + floor / 8 };
    if free >= enough {
        Room::ForAll
    } else if free >= floor / 2 {
        Room::ForWhatIsInFlight
    } else {
        Room::ForActs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fetching_stops_first_then_recording_and_both_go_on_with_a_margin() {
        let check = |before, free, expect| assert_eq!(room(before, free, 800), expect, "{before:?}, {free} free");
        check(Room::ForAll, 800, Room::ForAll);
        check(Room::ForAll, 799, Room::ForWhatIsInFlight);
        check(Room::ForAll, 399, Room::ForActs);
        check(Room::ForActs, 400, Room::ForWhatIsInFlight);
        check(Room::ForActs, 899, Room::ForWhatIsInFlight);
        check(Room::ForWhatIsInFlight, 900, Room::ForAll);
        assert_eq!(room(Room::ForAll, 0, 0), Room::ForAll, "without a floor nothing stops");
    }

    #[test]
    fn the_reserve_is_kept_while_there_is_room_and_given_back_when_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(RESERVE_FILE);
        let ample = SpaceKeeper::new(dir.path(), 1 << 20, 1 << 20);
        assert_eq!((ample.look().room, ample.look().reserve_bytes), (Room::ForAll, 1 << 20));
        assert_eq!(fs::metadata(&path).unwrap().len(), 1 << 20);
        assert!(!ample.give_way(), "given away although there is room");
        assert!(path.exists());
        // No disk has this much room.
        let full = SpaceKeeper::new(dir.path(), 1 << 60, 1 << 20);
        assert_eq!((full.look().room, full.look().reserve_bytes), (Room::ForActs, 1 << 20));
        assert!(full.give_way());
        assert!(!path.exists());
        assert_eq!(full.look().reserve_bytes, 0);
        assert!(!full.give_way(), "there is nothing more to give");
    }

    #[test]
    fn a_disk_that_keeps_no_reserve_is_asked_once() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");
        let keeper = SpaceKeeper::new(&missing, 1 << 20, 1 << 20);
        assert_eq!((keeper.look().room, keeper.look().reserve_bytes), (Room::ForAll, 0));
        fs::create_dir(&missing).unwrap();
        assert_eq!(keeper.look().reserve_bytes, 0, "the disk is asked at every look, and the log told");
        assert_eq!(SpaceKeeper::new(&missing, 1 << 20, 1 << 20).look().reserve_bytes, 1 << 20);
    }
}
