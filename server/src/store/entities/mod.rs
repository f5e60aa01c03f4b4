//! The tables as `SeaORM` sees them. One file a table.
//!
//! Times are Unix milliseconds, ids are UUIDs, and `scope` is the id of a workspace or the nil UUID for the organization.
//! A column whose name ends in `_sealed` holds a record in the envelope format; the data key it was sealed under is named
//! by the row's `data_key_id`.

pub mod audit_entry;
pub mod audit_head;
pub mod audit_open;
pub mod audit_signed;
pub mod backup;
pub mod data_key;
pub mod encryption;
pub mod file;
pub mod invitation;
pub mod job;
pub mod job_item;
pub mod job_key;
pub mod job_mark;
pub mod key_test;
pub mod key_test_answer;
pub mod lock_event;
pub mod note;
pub mod object;
pub mod object_note;
pub mod object_sweep;
pub mod organization;
pub mod recovery_code;
pub mod reset;
pub mod server;
pub mod session;
pub mod set_aside;
pub mod sign_in_attempt;
pub mod user;
pub mod workspace;
pub mod workspace_member;
