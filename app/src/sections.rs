//! The addresses of the public help pages, and the sections of the guide: pages link to them, and the guide is made of them.

/// The index of the public help pages.
pub const HELP: &str = "/help";
/// The guide to customer managed keys.
pub const GUIDE: &str = "/help/customer-managed-keys";

/// A section of the guide. Its id is part of its address, so it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    What,
    Prerequisites,
    Create,
    Activate,
    After,
    Disable,
    Delete,
    Replace,
    Rotate,
    States,
    Limits,
    Backups,
    Costs,
    Questions,
}

impl Section {
    /// All of them, in their order on the page.
    pub const ALL: [Self; 14] = [
        Self::What,
        Self::Prerequisites,
        Self::Create,
        Self::Activate,
        Self::After,
        Self::Disable,
        Self::Delete,
        Self::Replace,
        Self::Rotate,
        Self::States,
        Self::Limits,
        Self::Backups,
        Self::Costs,
        Self::Questions,
    ];

    pub const fn id(self) -> &'static str {
        match self {
            Self::What => "what",
            Self::Prerequisites => "prerequisites",
            Self::Create => "create",
            Self::Activate => "activate",
            Self::After => "after",
            Self::Disable => "disable",
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::Rotate => "rotate",
            Self::States => "states",
            Self::Limits => "limits",
            Self::Backups => "backups",
            Self::Costs => "costs",
            Self::Questions => "questions",
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::What => "What a customer managed key is",
            Self::Prerequisites => "What you need first",
            Self::Create => "Create a key in AWS",
            Self::Activate => "Activate the key",
            Self::After => "What happens then",
            Self::Disable => "Disable and enable the key",
            Self::Delete => "Delete the key from Keystead",
            Self::Replace => "Replace the key",
            Self::Rotate => "Rotate the key in AWS",
            Self::States => "Key states and what they mean",
            Self::Limits => "What is promised, and what is not",
            Self::Backups => "Backups",
            Self::Costs => "What it costs",
            Self::Questions => "Questions",
        }
    }

    /// What a link to the section is called where only it is shown: it must make sense by itself.
    pub const fn invitation(self) -> &'static str {
        match self {
            Self::What => "What is a customer managed key?",
            Self::Prerequisites => "What do I need for this?",
            Self::Create => "How do I create a key?",
            Self::Activate => "How does activating work?",
            Self::After => "What happens during this?",
            Self::Disable => "What happens when the key is disabled?",
            Self::Delete => "What does deleting the key do?",
            Self::Replace => "How do I replace the key?",
            Self::Rotate => "Do I have to rotate the key?",
            Self::States => "What do the states of a key mean?",
            Self::Limits => "What is protected, and what is not?",
            Self::Backups => "What about backups?",
            Self::Costs => "What do the checks cost?",
            Self::Questions => "Questions and answers",
        }
    }

    pub fn href(self) -> String {
        [GUIDE, "#", self.id()].concat()
    }
}
