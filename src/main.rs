//! The one binary. What it can do stands in `cli`.

fn main() -> std::process::ExitCode {
    #[expect(unsafe_code, reason = "the environment is changed while there is one thread")]
    // SAFETY: nothing was started yet.
    unsafe {
        taskloom::secrecy::begin();
    }
    taskloom::memory::give_back();
    taskloom::cli::main()
}
