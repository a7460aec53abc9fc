//! What a program is given: its parameters, a clean environment, a private folder, three descriptors.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use taskloom::executor::{ExecutorError, Outcome, Program};
use taskloom::vault::Hidden;

use super::stage::{Stage, each_way};

#[tokio::test]
async fn parameters_come_as_variables_and_as_a_file() {
    each_way(async |stage| {
        let nasty = "'; echo pasted; '$(echo pasted)`echo pasted`\n\"";
        let code = "printf '%s|%s|%s|%s' \"$TASKLOOM_PARAM_text\" \"$TASKLOOM_PARAM_number\" \"$TASKLOOM_PARAM_list\" \
             \"$TASKLOOM_PARAM_flag\"; cat \"$TASKLOOM_PARAMETERS_FILE\" >&2";
        let mut work = stage.work("w", Program::Shell(code.to_owned()));
        work.parameters =
            json!({ "text": nasty, "number": 1.5, "list": [1, "a"], "flag": true, "not-a-name": 1, "nul": "a\0b" });
        let (parameters, folder) = (work.parameters.clone(), work.folder.clone());
        let (finished, said) = stage.run(work).await;
        assert_eq!(finished.outcome, Outcome::Succeeded, "{finished:?}");
        assert_eq!(said.text(), format!("{nasty}|1.5|[1,\"a\"]|true\n"));
        assert_eq!(serde_json::from_slice::<Value>(&said.stderr).unwrap(), parameters);
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("parameters.json"))), (0o700, 0o600));
        assert_eq!(mode(&folder.join("script.sh")), 0o600);
    })
    .await;
}

#[tokio::test]
async fn a_huge_parameter_is_in_the_file_only() {
    each_way(async |stage| {
        let code = "echo \"[$TASKLOOM_PARAM_big]\"; wc -c <\"$TASKLOOM_PARAMETERS_FILE\"";
        let mut work = stage.work("w", Program::Shell(code.to_owned()));
        work.parameters = json!({ "big": "x".repeat(300_000) });
        let (finished, said) = stage.run(work).await;
        assert_eq!((finished.outcome, said.text().as_str()), (Outcome::Succeeded, "[]\n300010\n"));
        assert!(said.system.contains("parameter big is too large"), "{}", said.system);
    })
    .await;
}

#[tokio::test]
async fn nothing_of_the_server_leaks() {
    each_way(async |stage| {
        let mut work = stage.work("w", Program::Shell("env; echo fds $(ls /proc/self/fd); pwd".to_owned()));
        work.environment = vec![
            ("GIVEN".to_owned(), "yes".to_owned()),
            ("HOME".to_owned(), "/elsewhere".to_owned()),
            ("TASKLOOM_RUN".to_owned(), "3".to_owned()),
            ("TASKLOOM_ATTEMPT".to_owned(), "forged".to_owned()),
            ("TASKLOOM_PARAM_x".to_owned(), "forged".to_owned()),
        ];
        let folder = work.folder.canonicalize().unwrap_or_else(|_| work.folder.clone());
        let (_, said) = stage.run(work).await;
        let text = said.text();
        let mut names: Vec<&str> = text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
        names.sort_unstable();
        // PWD and its kind are the shell's own.
        names.retain(|name| !matches!(*name, "PWD" | "OLDPWD" | "SHLVL" | "_"));
        assert_eq!(
            names,
            [
                "GIVEN",
                "HOME",
                "LANG",
                "PATH",
                "TASKLOOM_ATTEMPT",
                "TASKLOOM_ATTEMPT_FOLDER",
                "TASKLOOM_PARAMETERS_FILE",
                "TASKLOOM_RUN",
                "TMPDIR"
            ]
        );
        assert!(std::env::vars_os().count() > names.len(), "this test itself has a richer environment");
        let has = |line: &str| text.lines().any(|other| other == line);
        assert!(has("GIVEN=yes") && has("HOME=/elsewhere"), "{text}");
        assert!(!text.contains("forged"));
        // The fourth is ls's own, of the folder it lists.
        assert!(has("fds 0 1 2 3"), "{text}");
        assert!(text.ends_with(&format!("{}\n", folder.display())), "{text}");
    })
    .await;
}

#[tokio::test]
async fn signals_are_as_a_program_expects_them() {
    each_way(async |stage| {
        let (_, said) = stage.run_shell("grep -E '^Sig(Blk|Ign)' /proc/self/status; cat; echo stdin is empty").await;
        let masks: Vec<&str> =
            said.text().lines().filter_map(|line| line.split_whitespace().nth(1)).map(|_| "").collect();
        assert_eq!(masks.len(), 3);
        assert!(said.text().lines().take(2).all(|line| line.ends_with("0000000000000000")), "{}", said.text());
        assert!(said.text().ends_with("stdin is empty\n"));
    })
    .await;
}

#[tokio::test]
async fn python_runs_unbuffered_and_may_be_missing() {
    each_way(async |stage| {
        let code = "import os\nprint('from', os.environ['TASKLOOM_PARAM_who'])\nraise SystemExit(4)";
        let mut work = stage.work("w", Program::Python(code.to_owned()));
        work.parameters = json!({ "who": "python" });
        let (finished, said) = stage.run(work).await;
        assert_eq!((finished.exit_code, said.text().as_str()), (Some(4), "from python\n"));

        let mut work = stage.work("missing", Program::Python("print(1)".to_owned()));
        work.environment = vec![("PATH".to_owned(), stage.folder.path().display().to_string())];
        let (finished, _) = stage.run(work).await;
        assert_eq!((finished.outcome, finished.exit_code), (Outcome::Failed, None));
        assert!(finished.message.unwrap().starts_with("python3 was not found"));
    })
    .await;
}

#[tokio::test]
async fn an_interpreter_that_cannot_start_is_named() {
    each_way(async |stage| {
        let bin = stage.folder.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(bin.join("python3"), "#!/no/such/interpreter\n").unwrap();
        std::fs::set_permissions(bin.join("python3"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut work = stage.work("w", Program::Python("print(1)".to_owned()));
        work.environment = vec![("PATH".to_owned(), bin.display().to_string())];
        let (finished, _) = stage.run(work).await;
        assert_eq!(finished.outcome, Outcome::Failed);
        let message = finished.message.unwrap();
        assert!(message.contains("bin/python3 could not be started: No such file"), "{message}");
    })
    .await;
}

#[tokio::test]
async fn our_own_faults_are_errors() {
    let stage = Stage::open(taskloom::executor::Way::Reaper).unwrap();
    let run = async |name: &str, folder: &str| {
        let mut work = stage.work("w", Program::Shell(String::new()));
        (work.name, work.folder) = (name.to_owned(), folder.into());
        let (_orders, receiver) = tokio::sync::watch::channel(taskloom::executor::Order::Run);
        let (reports, _receiver) = tokio::sync::mpsc::channel(1);
        let clock = std::sync::Arc::new(taskloom::clock::SystemClock);
        stage.host.run(work, receiver, reports, clock).await
    };
    for name in ["", "../up", "a/b", ".hidden", "a b"] {
        assert!(matches!(run(name, "/nowhere").await, Err(ExecutorError::Name(_))), "{name:?}");
    }
    assert!(matches!(run("w", "/proc/nowhere/w").await, Err(ExecutorError::Folder { .. })));
}

#[tokio::test]
async fn a_secret_is_given_and_masked_however_it_is_written() {
    each_way(async |stage| {
        let code = "printf 'a sword'; sleep 0.1; printf 'fish\\n'; \
             i=0; while [ $i -lt 3000 ]; do printf 'xxxxxxxxxxxxxxxxxxxxxx%s' \"$TASKLOOM_SECRET_name\"; i=$((i+1)); done; \
             echo; cat .secrets/name; echo; env | grep -c ^TASKLOOM_SECRET_; printf 'ends in sword'";
        let mut work = stage.work("w", Program::Shell(code.to_owned()));
        work.secrets = vec![("name".to_owned(), Hidden::new("swordfish".to_owned()))];
        // Nobody else may set what looks like one.
        work.environment = vec![("TASKLOOM_SECRET_other".to_owned(), "x".to_owned())];
        let folder = work.folder.clone();
        let (finished, said) = stage.run(work).await;
        assert_eq!(finished.outcome, Outcome::Succeeded, "{finished:?}");
        let text = said.text();
        // A line longer than the log's longest is cut, but no secret is.
        assert_eq!(text.replace('\n', ""), format!("a ***{}***1ends in sword", "xxxxxxxxxxxxxxxxxxxxxx***".repeat(3000)));
        taskloom::executor::tidy(&folder).unwrap();
        assert!(!folder.exists());
    })
    .await;
}
