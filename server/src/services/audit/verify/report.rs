//! What a verification found, in words.

use std::fmt;

/// So many findings are listed; the others are counted. Neighbours of one kind are one finding.
const LISTED: usize = 50;

/// Something that is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// No entries with these numbers.
    Missing { from: i64, to: i64 },
    /// The entry does not fit its hash, or does not follow the one before.
    Changed(i64),
    /// The same of several in a row.
    AllChanged { from: i64, to: i64 },
    /// So many entries claim to come before the first one.
    BeforeTheFirst(u64),
    /// The end of the log is gone.
    CutOff { from: i64, to: i64 },
    /// The row that says where the log ends names another hash.
    HeadRow(i64),
    /// There is no such row.
    NoHead,
    /// The hash that is stored as a signed head is not that of the entry.
    SignedHead(i64),
    /// What was signed by KMS as this head is another hash, or it was not signed by us.
    Forged(i64),
    /// A head from outside is another.
    OutsideHead(i64),
    /// Everything after the first one was written anew, up to the second one at least.
    Rewritten { after: i64, to: i64 },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { from, to } if from == to => write!(f, "entry {from} is missing"),
            Self::Missing { from, to } => write!(f, "entries {from} to {to} are missing"),
            Self::Changed(sequence) => write!(f, "entry {sequence} was changed, moved or inserted"),
            Self::AllChanged { from, to } => write!(f, "entries {from} to {to} were changed, moved or inserted"),
            Self::BeforeTheFirst(count) => write!(f, "entries were inserted before the first one: {count}"),
            Self::CutOff { from, to } if from == to => write!(f, "the end is cut off: entry {from} is missing"),
            Self::CutOff { from, to } => write!(f, "the end is cut off: entries {from} to {to} are missing"),
            Self::HeadRow(sequence) => write!(f, "the row audit_head does not fit entry {sequence}"),
            Self::NoHead => f.write_str("the row audit_head is missing"),
            Self::SignedHead(sequence) => write!(f, "the signed head {sequence} does not fit the entries"),
            Self::Forged(sequence) => write!(f, "the signed head {sequence} is not what KMS signed"),
            Self::OutsideHead(sequence) => write!(f, "the head {sequence} that was given does not fit the entries"),
            Self::Rewritten { after, to } => {
                write!(
                    f,
                    "something after entry {after} and up to entry {to} was changed, and all hashes after it written anew"
                )
            }
        }
    }
}

/// How far it is certain that the log is as it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vouched {
    /// Up to here by a head that KMS confirmed.
    pub by_kms: Option<i64>,
    /// Up to here by a head from outside.
    pub by_outside: Option<i64>,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub entries: u64,
    /// The sequence of the last entry; 0 if there is none.
    pub last: i64,
    pub findings: Vec<Finding>,
    /// How many more there were.
    pub unlisted: u64,
    pub vouched: Vouched,
    /// Why no signed head could be confirmed, if so.
    pub unconfirmed: Option<String>,
    /// Entries that were signed much later than they should have been; the worst such stretch.
    pub longest_unsigned: Option<Unsigned>,
}

/// Entries that were signed together, late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsigned {
    pub from: i64,
    pub to: i64,
    /// How long after the first of them; milliseconds.
    pub waited: i64,
}

impl Report {
    pub fn is_intact(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether anything but the log itself says that it is intact.
    pub fn is_vouched_for(&self) -> bool {
        self.last == 0 || self.vouched.by_kms.is_some() || self.vouched.by_outside.is_some()
    }
}

/// Findings as they are gathered.
pub struct Findings {
    /// What the row `audit_head` says.
    head: Option<(i64, Vec<u8>)>,
    listed: Vec<Finding>,
    unlisted: u64,
}

impl Findings {
    pub fn new(head: Option<(i64, Vec<u8>)>) -> Self {
        Self { head, listed: Vec::new(), unlisted: 0 }
    }

    pub fn head_sequence(&self) -> i64 {
        self.head.as_ref().map_or(0, |(sequence, _)| *sequence)
    }

    /// Compares an entry with what the row `audit_head` says, if it is the one.
    pub fn head(&mut self, sequence: i64, hash: &[u8]) {
        if self.head.as_ref().is_some_and(|(at, expected)| *at == sequence && expected != hash) {
            self.add(Finding::HeadRow(sequence));
        }
    }

    pub fn add(&mut self, finding: Finding) {
        if let Finding::CutOff { to: further, .. } = finding
            && let Some(Finding::CutOff { to, .. }) =
                self.listed.iter_mut().find(|listed| matches!(listed, Finding::CutOff { .. }))
        {
            *to = further.max(*to);
            return;
        }
        let neighbours = self.listed.last_mut().and_then(|last| match (*last, finding) {
            (Finding::Changed(from), Finding::Changed(to)) if to == from + 1 => Some((last, from, to)),
            (Finding::AllChanged { from, to: before }, Finding::Changed(to)) if to == before + 1 => {
                Some((last, from, to))
            }
            _ => None,
        });
        if let Some((last, from, to)) = neighbours {
            *last = Finding::AllChanged { from, to };
        } else if self.listed.len() < LISTED {
            self.listed.push(finding);
        } else {
            self.unlisted += 1;
        }
    }

    pub fn into_parts(self) -> (Vec<Finding>, u64) {
        (self.listed, self.unlisted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_finding_and_the_list_ends() {
        let mut findings = Findings::new(None);
        for sequence in [3, 4, 5, 9] {
            findings.add(Finding::Changed(sequence));
        }
        for sequence in 0..100 {
            findings.add(Finding::SignedHead(sequence));
        }
        let (listed, unlisted) = findings.into_parts();
        assert_eq!(listed[..2], [Finding::AllChanged { from: 3, to: 5 }, Finding::Changed(9)]);
        assert_eq!((listed.len(), unlisted), (LISTED, 52));
    }
}
