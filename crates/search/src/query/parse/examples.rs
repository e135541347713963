//! The examples of the documentation are queries that can be read.

use super::*;

const DOCUMENTATION: &str = include_str!("../../../../../docs/search.md");

#[test]
fn every_example_can_be_read() {
    let rows = DOCUMENTATION.lines().filter_map(|line| line.strip_prefix("| `"));
    let examples: Vec<&str> = rows.filter_map(|row| row.split_once("` |").map(|(example, _)| example)).collect();
    assert!(examples.len() > 30, "{examples:?}");
    for example in examples {
        let read = parse(example);
        assert!(read.is_ok(), "{example}: {read:?}");
    }
}
