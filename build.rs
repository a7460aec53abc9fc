//! Builds again when the console's bundle changes: its files come and go, and the compiler watches only those it saw.

fn main() {
    println!("cargo::rerun-if-changed=web/dist");
}
