//! The one binary. What it can do stands in `cli`.

fn main() -> std::process::ExitCode {
    taskloom::cli::main()
}
