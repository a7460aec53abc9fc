//! Prints the import graph of the project in the present folder, or in the one that is named.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use taskloom_house::{House, module_of};

fn main() -> ExitCode {
    let root = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    match House::read(&root) {
        Ok(house) => {
            print(&house);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn print(house: &House) {
    println!("modules   {}, one uses another {} times", house.modules.0.len(), house.modules.edges());
    println!("files     {}, one uses another {} times", house.files.0.len(), house.files.edges());
    let circles = house.modules.circles();
    println!("\ncircles of modules: {}", circles.len());
    for circle in &circles {
        println!("  {}", names(circle));
    }
    println!("\ncircles of files: {}", house.circles.len());
    for circle in &house.circles {
        let modules: BTreeSet<String> = circle.iter().map(|path| module_of(path)).collect();
        println!("  {} files in {}", circle.len(), names(&modules));
        for path in circle {
            println!("    {path}");
        }
    }
    let way = house.longest();
    println!("\nlongest way from a door to SQL: {} files", way.len());
    for step in &way {
        match step.len() {
            1 => println!("  {}", names(step)),
            many => println!("  a circle of {many} with {}", step.first().map_or("", String::as_str)),
        }
    }
    let way = house.longest_of_modules();
    println!("\nlongest way from a door to SQL: {} modules", way.len());
    for step in &way {
        println!("  {}", names(step));
    }
}

fn names(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
