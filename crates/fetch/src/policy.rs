//! The address policy: the one place that says where a connection may lead.
//!
//! [`model::Uri`] already keeps out IP literals, local names and onion addresses whose checksum does not hold.

use model::{Host, Uri};

use crate::{Config, block_list::BlockList};

/// The block lists, or why nothing may be fetched without them.
pub(crate) type Blocks = Result<BlockList, String>;

/// Why an address may not be reached; nothing otherwise.
pub(crate) fn objection(uri: &Uri, allows_exit: bool, blocks: &Blocks) -> Option<String> {
    let blocks = match blocks {
        Ok(blocks) => blocks,
        Err(problem) => return Some(format!("no fetch without the block lists: {problem}")),
    };
    let host = uri.host();
    if matches!(host, Host::ClearNet(_)) && !allows_exit {
        return Some(format!("{host} is on the clear net, and the decision does not allow the exit"));
    }
    blocks.contains(&host).then(|| "the service is on a block list".to_owned())
}

/// Why an onion service may not be reached under these settings, for whoever connects without a [`Fetcher`](crate::Fetcher); nothing otherwise.
pub fn onion_objection(config: &Config, uri: &Uri) -> Option<String> {
    objection(uri, false, &BlockList::read(&config.block_lists).map_err(|error| error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clear_net_needs_the_decision() {
        let blocks = Ok(BlockList::default());
        let uri: Uri = "http://shop.example/".parse().unwrap();
        assert!(objection(&uri, false, &blocks).is_some());
        assert_eq!(objection(&uri, true, &blocks), None);
    }

    #[test]
    fn without_a_readable_list_nothing_passes() {
        let uri: Uri = "http://shop.example/".parse().unwrap();
        let objection = objection(&uri, true, &Err("gone".to_owned()));
        assert!(objection.is_some_and(|detail| detail.contains("gone")));
    }
}
