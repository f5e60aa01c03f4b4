//! On how many servers of how many.

use crate::model::encryption::Servers;

impl Servers {
    /// How the servers stand to the key. `None` if none is known.
    pub fn standing(self) -> Option<String> {
        let (live, locked) = (self.live, self.locked.min(self.live));
        Some(match (live, locked) {
            (0, _) => return None,
            (1, 0) => "1 server, with the key".to_owned(),
            (2, 0) => "2 servers, both with the key".to_owned(),
            (live, 0) => format!("{live} servers, all with the key"),
            (1, _) => "1 server, which has ended access".to_owned(),
            (2, 2) => "Both servers have ended access".to_owned(),
            (live, locked) if live == locked => format!("All {live} servers have ended access"),
            (live, 1) => format!("1 of {live} servers has ended access"),
            (live, locked) => format!("{locked} of {live} servers have ended access"),
        })
    }

    /// On how many of them access has ended, as the end of a sentence.
    pub fn ended(self) -> Option<String> {
        on_servers(self.locked.min(self.live), self.live)
    }
}

/// "on 2 of 3 servers so far". `None` if no server is known.
pub fn on_servers(done: u64, of: u64) -> Option<String> {
    (of > 0).then(|| {
        let servers = if of == 1 { "server" } else { "servers" };
        let so_far = if done < of { " so far" } else { "" };
        format!("on {done} of {of} {servers}{so_far}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(live: u64, locked: u64) -> Option<String> {
        Servers { live, locked }.standing()
    }

    #[test]
    fn servers_are_counted_in_plain_words() {
        assert_eq!(standing(0, 0), None);
        assert_eq!(standing(1, 0).as_deref(), Some("1 server, with the key"));
        assert_eq!(standing(2, 0).as_deref(), Some("2 servers, both with the key"));
        assert_eq!(standing(3, 0).as_deref(), Some("3 servers, all with the key"));
        assert_eq!(standing(1, 1).as_deref(), Some("1 server, which has ended access"));
        assert_eq!(standing(2, 2).as_deref(), Some("Both servers have ended access"));
        assert_eq!(standing(3, 1).as_deref(), Some("1 of 3 servers has ended access"));
        assert_eq!(standing(3, 2).as_deref(), Some("2 of 3 servers have ended access"));
        assert_eq!(standing(3, 3).as_deref(), Some("All 3 servers have ended access"));
    }

    #[test]
    fn what_is_done_on_some_servers_is_done_so_far() {
        let ended = |live, locked| Servers { live, locked }.ended();
        assert_eq!(ended(0, 0), None);
        assert_eq!(ended(1, 1).as_deref(), Some("on 1 of 1 server"));
        assert_eq!(ended(3, 2).as_deref(), Some("on 2 of 3 servers so far"));
        assert_eq!(ended(3, 3).as_deref(), Some("on 3 of 3 servers"));
        assert_eq!(ended(3, 4).as_deref(), Some("on 3 of 3 servers"), "one that has left meanwhile is not counted");
    }
}
