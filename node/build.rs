//! Makes the folder of the built web app exist, empty if need be, so that the crate compiles before the web app was built, and
//! compiles anew when it was.

fn main() {
    let folder = std::path::Path::new("../frontend/dist");
    // Where this fails (read-only sources), the crate compiles without a web app all the same.
    let _ = std::fs::create_dir_all(folder);
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-changed=build.rs");
}
