//! The one binary. What it can do stands in `cli`, but for the process of statements, which the server alone starts.

use taskloom::executor::sql;

fn main() -> std::process::ExitCode {
    taskloom::memory::give_back();
    if std::env::args_os().nth(1).is_some_and(|command| command == sql::COMMAND) {
        return sql::main();
    }
    taskloom::cli::main()
}
