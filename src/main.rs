//! The one binary. What it can do stands in `cli`, but for the process of statements, which the server alone starts.

use taskloom::executor::sql;

fn main() -> std::process::ExitCode {
    #[expect(unsafe_code, reason = "the environment is changed while there is one thread")]
    // SAFETY: nothing was started yet.
    unsafe {
        taskloom::secrecy::begin();
    }
    taskloom::memory::give_back();
    if std::env::args_os().nth(1).is_some_and(|command| command == sql::COMMAND) {
        return sql::main();
    }
    taskloom::cli::main()
}
