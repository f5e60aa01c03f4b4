//! Parts that several pages are made of.

pub mod current;
pub mod dialog;
pub mod form;
pub mod frame;
pub mod icon;
pub mod moment;
pub mod more;
pub mod opened;
pub mod pager;
pub mod proof;
pub mod redirect;
pub mod watcher;
