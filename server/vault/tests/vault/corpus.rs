//! What the fuzzer of the envelope begins with, played once: each input reaches what it was written for, and finds nothing.

#[path = "../../fuzz/src/envelope.rs"]
mod envelope;

use std::fs;

#[test]
fn nothing_in_the_corpus_of_the_envelope_is_a_finding() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/envelope");
    let mut played = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // So that a failure says which it was.
        println!("{}", path.display());
        envelope::run(&fs::read(path).unwrap());
        played += 1;
    }
    assert!(played >= 20, "only {played} inputs are there");
}
