//! The one binary. What it can do stands in `cli`.

fn main() -> std::process::ExitCode {
    taskloom::memory::give_back();
    taskloom::cli::main()
}
