use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{Finding, advice, well, wrong};
use crate::config::Config;

/// Devices beneath each other that are followed.
const MOST_LAYERS: usize = 16;

/// Whether there is room to go on.
pub(super) fn room(config: &Config) -> Finding {
    let free = match rustix::fs::statvfs(&config.data_dir) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => return wrong("disk", format!("{}: {error}", config.data_dir.display())),
    };
    let (free_mb, floor_mb) = (free >> 20, config.store.floor_mb);
    if free_mb < floor_mb {
        return wrong(
            "disk",
            format!("{free_mb} MB free, and nothing is fetched below {floor_mb}: make room, or erase something"),
        );
    }
    if free_mb < 4 * floor_mb {
        return advice("disk", format!("{free_mb} MB free; below {floor_mb} nothing is fetched: make room in time"));
    }
    well("disk", format!("{free_mb} MB free"))
}

/// Whether what a thief of the machine gets is encrypted: the device of the data directory, or one beneath it, is a dm-crypt.
pub(super) fn encryption(data_dir: &Path) -> Finding {
    let Ok(meta) = fs::metadata(data_dir) else {
        return wrong("encryption", format!("{} is not there: run `nachtwacht init`", data_dir.display()));
    };
    let (major, minor) = (rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()));
    let device = PathBuf::from(format!("/sys/dev/block/{major}:{minor}"));
    if is_encrypted(&device, MOST_LAYERS) {
        return well("encryption", format!("{} lies on an encrypted disk", data_dir.display()));
    }
    let what = "lies on no disk that is seen to be encrypted: whoever takes the machine has the evidence; use LUKS (cryptsetup)";
    advice("encryption", format!("{} {what}", data_dir.display()))
}

fn is_encrypted(device: &Path, layers: usize) -> bool {
    if layers == 0 {
        return false;
    }
    let uuid = fs::read_to_string(device.join("dm/uuid")).unwrap_or_default();
    let beneath = fs::read_dir(device.join("slaves")).into_iter().flatten().flatten();
    uuid.starts_with("CRYPT-") || beneath.into_iter().any(|below| is_encrypted(&below.path(), layers - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crypt_is_seen_beneath_a_volume() {
        let dir = tempfile::tempdir().unwrap();
        let (volume, crypt) = (dir.path().join("volume"), dir.path().join("volume/slaves/dm-0"));
        fs::create_dir_all(crypt.join("dm")).unwrap();
        assert!(!is_encrypted(&volume, MOST_LAYERS));
        fs::write(crypt.join("dm/uuid"), "CRYPT-LUKS2-0123\n").unwrap();
        assert!(is_encrypted(&volume, MOST_LAYERS));
        assert!(!is_encrypted(&volume, 1), "beneath what is followed");
    }
}
