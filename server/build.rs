//! Compiles the program again when the site inside it has changed, and lets it be compiled before there is one.

use std::{env, fs, io, path::PathBuf};

fn main() -> io::Result<()> {
    let site = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../target/site");
    fs::create_dir_all(&site)?;
    println!("cargo::rerun-if-changed={}", site.display());
    Ok(())
}
