//! Any text: what is read as note, checkpoint, proof, tile or key is written as it stood.

#![no_main]

use libfuzzer_sys::fuzz_target;
use proof::{Checkpoint, InclusionProof, Note, Tile, VerifierKey};

fuzz_target!(|text: &str| {
    if let Ok(note) = Note::parse(text.as_bytes()) {
        assert_eq!(note.to_string(), text);
        if let Ok(checkpoint) = Checkpoint::of(&note) {
            assert_eq!(checkpoint.to_string(), note.text());
        }
    }
    if let Ok(proof) = InclusionProof::parse(text.as_bytes()) {
        assert_eq!(proof.to_string(), text);
        let _ = proof.verify_path(b"entry");
    }
    if let Ok(tile) = text.parse::<Tile>() {
        assert_eq!(tile.to_string(), text);
    }
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text);
    }
});
