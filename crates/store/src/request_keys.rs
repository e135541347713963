//! Keys under which a request may be sent again: what was begun under one is not begun a second time, over restarts too. Of what was
//! asked a digest is kept, and of what was answered a status and a location: nothing that somebody wrote.

use model::{Digest, Timestamp};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::{Error, Store, codec, key::Key, schema::Table};

/// What became of a request that was sent with a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedRequest {
    /// The digest of what was asked.
    pub asked: Digest,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// How it was answered; `None` until it was.
    pub answer: Option<KeyedAnswer>,
}

/// How a request was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedAnswer {
    /// The status code.
    pub status: u16,
    /// Where what was made is.
    pub location: Option<String>,
}

impl Store {
    /// What became of the request under this key; `None` when none was begun.
    pub fn keyed_request(&self, key: &Digest) -> Result<Option<KeyedRequest>, Error> {
        self.tables.get(Table::RequestKeys, &row_key(key))
    }

    /// Notes what is being done under a key, or how it was answered. It is on disk when this returns.
    pub fn put_keyed_request(&self, key: &Digest, request: &KeyedRequest) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        self.tables.put(&mut batch, Table::RequestKeys, &row_key(key), request);
        self.tables.write_synced(batch)
    }

    /// Forgets a key under which nothing was done.
    pub fn remove_keyed_request(&self, key: &Digest) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        batch.delete_cf(self.tables.family(Table::RequestKeys), row_key(key));
        self.tables.write(batch)
    }

    /// Forgets the keys of what was begun before `before`. Returns how many.
    pub fn forget_keyed_requests(&self, before: Timestamp) -> Result<u64, Error> {
        let mut batch = WriteBatch::default();
        for row in self.tables.scan(Table::RequestKeys, &Key::default(), None) {
            let (key, value) = row?;
            let request: KeyedRequest = codec::decode(Table::RequestKeys, &key, &value)?;
            if request.begun_at < before {
                batch.delete_cf(self.tables.family(Table::RequestKeys), &key);
            }
        }
        let forgotten = batch.len() as u64;
        self.tables.write(batch)?;
        Ok(forgotten)
    }
}

fn row_key(key: &Digest) -> Key {
    Key::bytes(key.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::open;

    #[test]
    fn a_key_is_known_until_its_time_is_over_and_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (Digest::of(b"old"), Digest::of(b"new"));
        let at = Timestamp::from_micros;
        let begun = |at| KeyedRequest { asked: Digest::of(b"asked"), begun_at: at, answer: None };
        {
            let store = open(dir.path());
            assert_eq!(store.keyed_request(&old).unwrap(), None);
            store.put_keyed_request(&old, &begun(at(1))).unwrap();
            let answer = Some(KeyedAnswer { status: 201, location: Some("/x".into()) });
            store.put_keyed_request(&new, &KeyedRequest { answer, ..begun(at(5)) }).unwrap();
        }
        let store = open(dir.path());
        assert_eq!(store.keyed_request(&old).unwrap(), Some(begun(at(1))));
        assert_eq!(store.forget_keyed_requests(at(5)).unwrap(), 1);
        assert_eq!(store.keyed_request(&old).unwrap(), None);
        assert_eq!(store.keyed_request(&new).unwrap().unwrap().answer.unwrap().status, 201);
        store.remove_keyed_request(&new).unwrap();
        assert_eq!(store.keyed_request(&new).unwrap(), None);
    }
}
