//! Small houses, each with one way in which a file uses another.

use super::{Crate, House, Texts, module_of};

/// Files by their paths, each with its text; the crate is `taskloom`, another is `taskloom_core`.
fn house(files: &[(&str, &str)]) -> House {
    let of = |name: &str, folder: &str| Crate { name: name.to_owned(), folder: folder.to_owned() };
    let crates = [of("taskloom", "src"), of("taskloom_core", "crates/core/src")];
    let texts: Texts = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    House::of(&crates, &texts).expect("a house")
}

/// What `src/a.rs` uses, in a house with modules `b` (with `c` and `d` in it) and `core::e`.
fn used(text: &str) -> Vec<String> {
    let house = house(&[
        ("src/lib.rs", "mod a; pub mod b; pub use taskloom_core::{e, f as g}; pub use taskloom_core::*;"),
        ("src/a.rs", text),
        ("src/b/mod.rs", "pub mod c; mod d; pub use d::{Thing, Other as Another}; pub use c::*; pub struct Own;"),
        ("src/b/c.rs", "pub fn find() {} pub struct Deep; pub(super) mod inner { pub fn in_it() {} }"),
        ("src/b/d.rs", "pub struct Thing; pub struct Other; pub enum Kind { One }"),
        ("crates/core/src/lib.rs", "pub mod e; pub mod f; pub mod h;"),
        ("crates/core/src/e.rs", "pub struct Far;"),
        ("crates/core/src/f.rs", "make_it! { Made }"),
        ("crates/core/src/h.rs", "pub const H: u8 = 1;"),
    ]);
    house.files.0["src/a.rs"].iter().map(|path| path.trim_start_matches("src/").to_owned()).collect()
}

#[test]
fn each_way_to_name_something_is_a_use_of_where_it_is() {
    for (text, files) in [
        ("use crate::b::c::find;", "b/c.rs"),
        ("use crate::b::{c::{self, Deep}, d::Kind};", "b/c.rs b/d.rs"),
        ("use super::b::Own;", "b/mod.rs"),
        ("fn f() { crate::b::c::find() }", "b/c.rs"),
        ("use crate::b; fn f() { b::c::find() }", "b/c.rs"),
        ("use crate::b::c as other; fn f() { other::find() }", "b/c.rs"),
        ("fn f() { select! { x = crate::b::c::find() => {} } }", "b/c.rs"),
        ("#[with = \"super::b::d::Thing\"] struct S;", "b/d.rs"),
        ("fn f() -> Vec<crate::b::d::Kind> { crate::b::d::Kind::One }", "b/d.rs"),
        ("mod inner { use super::super::b::Own; }", "b/mod.rs"),
        ("use taskloom_core::e::Far;", "crates/core/src/e.rs"),
        ("fn f() { crate::b::c::inner::in_it() }", "b/c.rs"),
        ("use crate::e::Far; use crate::g::Made;", "crates/core/src/e.rs crates/core/src/f.rs"),
        ("use crate::h; fn f() { h::H }", "crates/core/src/h.rs"),
    ] {
        assert_eq!(used(text).join(" "), files, "{text}");
    }
}

#[test]
fn what_is_given_on_is_used_where_it_is_defined() {
    assert_eq!(used("use crate::b::Thing;"), ["b/d.rs"]);
    assert_eq!(used("use crate::b::Another;"), ["b/d.rs"]);
    assert_eq!(used("use crate::b::Deep;"), ["b/c.rs"]);
    assert_eq!(used("pub use crate::b::Thing;"), [""; 0]);
    assert_eq!(used("pub use crate::b::Thing; struct S(Thing);"), ["b/d.rs"]);
}

#[test]
fn what_is_not_named_is_not_used() {
    for text in [
        "use crate::b;",
        "use std::collections::BTreeMap; fn f() { serde_json::to_string() }",
        "// crate::b::c::find()\nconst A: &str = \"see crate::b::c::find\";",
        "#[cfg(test)] mod tests { use crate::b::c::find; }",
        "#[cfg(test)]\nuse crate::b::c::find;",
        "fn f() { Self::find(); let find = 1; }",
    ] {
        assert_eq!(used(text), [""; 0], "{text}");
    }
}

#[test]
fn circles_and_ways_are_of_the_whole() {
    let house = house(&[
        ("src/lib.rs", "mod graphql; mod store; mod auth;"),
        ("src/graphql.rs", "use crate::auth::Who;"),
        ("src/auth.rs", "use crate::store::user::User; pub struct Who;"),
        ("src/store/mod.rs", "pub mod user; pub mod task;"),
        (
            "src/store/user.rs",
            "use sea_orm::Entity; use super::task; fn f(w: crate::auth::Who) { task::find() } pub struct User;",
        ),
        ("src/store/task.rs", "use sea_orm::Entity; pub fn find() {}"),
    ]);
    let names = |way: Vec<std::collections::BTreeSet<String>>| {
        way.iter().map(|step| step.iter().cloned().collect::<Vec<_>>().join("+")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(house.modules.circles()), "auth+store");
    assert_eq!(names(house.circles.clone()), "src/auth.rs+src/store/user.rs");
    assert_eq!(names(house.longest()), "src/graphql.rs src/auth.rs+src/store/user.rs src/store/task.rs");
    assert_eq!(names(house.longest_of_modules()), "graphql auth+store");
}

#[test]
fn a_file_that_uses_the_module_in_which_it_lies_makes_no_circle() {
    let house = house(&[
        ("src/lib.rs", "mod a;"),
        ("src/a/mod.rs", "mod b; mod c; pub struct Own; fn f() { b::g(); c::h() }"),
        ("src/a/b.rs", "use super::Own; pub fn g() {}"),
        ("src/a/c.rs", "use super::Own; pub fn h() { super::b::g() }"),
    ]);
    assert_eq!(house.files.circles().len(), 1);
    assert!(house.circles.is_empty(), "{:?}", house.circles);
}

#[test]
fn a_crate_is_a_module_unless_it_holds_several() {
    for (path, module) in [
        ("src/store/vsphere/task.rs", "store"),
        ("src/clock.rs", "clock"),
        ("crates/core/src/task/mod.rs", "core::task"),
        ("crates/vsphere/src/xml/read.rs", "vsphere"),
        ("entity/src/task.rs", "entity"),
    ] {
        assert_eq!(module_of(path), module);
    }
}

#[test]
fn a_module_that_is_not_there_is_said() {
    let crates = [Crate { name: "taskloom".to_owned(), folder: "src".to_owned() }];
    let texts: Texts = [("src/lib.rs".to_owned(), "mod gone;".to_owned())].into();
    let error = House::of(&crates, &texts).map(|_| ()).expect_err("it is not there");
    assert_eq!(error, "neither src/gone.rs nor src/gone/mod.rs is there");
}

#[test]
fn what_a_file_names_is_found_in_every_form_of_a_path() {
    let house = house(&[
        ("src/lib.rs", "mod a; mod store { } mod error; mod engine;"),
        (
            "src/a.rs",
            "use crate::{store::{self, task}, error::Error};
             fn f() { crate::engine::apply(); tokio::spawn(x); taskloom_core::clock::now(); taskloom_worker::port::ask() }
             #[cfg(test)] mod tests { use sea_orm::Set; #[test] fn g() { Instant::now() } }",
        ),
        ("src/error.rs", ""),
        ("src/engine.rs", ""),
    ]);
    let seen = house.names("src/a.rs");
    for name in ["store", "error", "engine", "tokio", "clock", "worker", "sea_orm", "Instant"] {
        assert!(seen.contains(name), "{name} was not seen in {seen:?}");
    }
    assert!(!seen.contains("apply") && !seen.contains("task"), "{seen:?}");
}

#[test]
fn what_is_handed_on_is_found_in_every_form() {
    let house = house(&[
        ("src/lib.rs", "mod a;"),
        (
            "src/a.rs",
            "pub use crate::store::task::{list as tasks, Filter}; use crate::store::user::many; pub use super::b::c;
             pub(crate) use store::{wide::{Document, texts}, user::*}; pub use crate::{error::E, store::log};
             pub use crate::store::One;",
        ),
    ]);
    assert_eq!(house.handed_on("src/a.rs", "store"), ["list", "Filter", "Document", "texts", "*", "log", "One"]);
}

#[test]
fn types_of_the_same_name_in_one_crate_are_found() {
    let house = house(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "pub struct Own; struct Same; trait T { type Same; } #[cfg(test)] mod tests { struct Other; }"),
        ("src/b.rs", "enum Same { Own } struct Other;"),
        ("crates/core/src/lib.rs", "struct Own;"),
    ]);
    let files = ["src/a.rs", "src/b.rs"].map(str::to_owned).to_vec();
    assert_eq!(house.namesakes(), [("Same".to_owned(), files)]);
}
