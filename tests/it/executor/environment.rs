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
        let code = "echo \"[$TASKLOOM_PARAM_big] ${#TASKLOOM_PARAM_fits}\"; wc -c <\"$TASKLOOM_PARAMETERS_FILE\"";
        let mut work = stage.work("w", Program::Shell(code.to_owned()));
        work.parameters = json!({ "big": "x".repeat(64 * 1024 + 1), "fits": "x".repeat(64 * 1024) });
        let (finished, said) = stage.run(work).await;
        let length = "{\"big\":\"\",\"fits\":\"\"}".len() + 128 * 1024 + 1;
        assert_eq!((finished.outcome, said.text()), (Outcome::Succeeded, format!("[] 65536\n{length}\n")));
        assert!(said.system.contains("parameter big is too large"), "{}", said.system);
        assert!(said.system.contains("in parameters.json") && !said.system.contains("xxx"), "{}", said.system);
        assert_eq!(said.system.lines().count(), 1);
    })
    .await;
}

/// Says which variables it has, how much of an environment that is, and how large the files of secrets are.
const COUNT: &str = "import os\nfrom pathlib import Path\n\
    for name in sorted(os.environ): print('has', name)\n\
    print('bytes', len(open('/proc/self/environ', 'rb').read()))\n\
    for file in sorted(Path(os.environ['TASKLOOM_SECRETS_FOLDER']).iterdir()):\n\
    \x20   print('file', file.name, file.stat().st_size, oct(file.stat().st_mode & 0o777))\n";

#[tokio::test]
async fn what_is_given_never_keeps_a_work_from_its_start() {
    each_way(async |stage| {
        // The limits of a subtask: 32 secrets of 64 KiB, and 1 MiB of parameters beside 1 MiB of outputs.
        let secrets: Vec<_> =
            (0..32).map(|n| (format!("s{n:02}"), Hidden::new(format!("{n:04}").repeat(16_384)))).collect();
        let parameters: serde_json::Map<_, _> =
            (0..40).map(|n| (format!("p{n:02}"), json!("v".repeat(50_000)))).collect();
        let python = stage.work("python", Program::Python(COUNT.to_owned()));
        let code = format!("exec python3 -c \"$(cat <<'END'\n{COUNT}\nEND\n)\"");
        let shell = stage.work("shell", Program::Shell(code));
        for mut work in [python, shell] {
            (work.secrets, work.parameters) = (secrets.clone(), Value::Object(parameters.clone()));
            work.environment = vec![("TASKLOOM_RUN".to_owned(), "3".to_owned())];
            let (finished, said) = stage.run(work).await;
            assert_eq!(finished.outcome, Outcome::Succeeded, "{finished:?}");
            let text = said.text();
            let most =
                nix::unistd::sysconf(nix::unistd::SysconfVar::ARG_MAX).unwrap().unwrap().min(6 << 20) as usize / 4;
            let bytes: usize = text.lines().find_map(|line| line.strip_prefix("bytes ")).unwrap().parse().unwrap();
            assert!(bytes <= most && bytes + 128 * 1024 > most, "{bytes} of {most}");
            for n in 0..32 {
                assert!(text.contains(&format!("file s{n:02} 65536 0o600\n")), "{text}");
            }
            // First those, then parameters by their names; each is there or said to be left out.
            assert!(text.contains("has TASKLOOM_RUN\n") && text.contains("has TASKLOOM_SECRET_s00\n"), "{text}");
            for (kind, prefix, names) in [("secret", "SECRET", 's'), ("parameter", "PARAM", 'p')] {
                for n in 0..if names == 's' { 32 } else { 40 } {
                    let has = text.contains(&format!("has TASKLOOM_{prefix}_{names}{n:02}\n"));
                    let named = said.system.contains(&format!("{kind} {names}{n:02} is too large for the environment"));
                    assert_eq!(has, !named, "{kind} {n}: {}", said.system);
                }
            }
            assert!(!said.system.contains("0000") && !said.system.contains("vvvv"), "no value: {}", said.system);
        }
    })
    .await;
}

#[tokio::test]
async fn many_parameters_and_long_names_are_given_as_far_as_they_go() {
    each_way(async |stage| {
        let code = "env | grep -c '^TASKLOOM_PARAM_p'; echo ${TASKLOOM_PARAM_p00000} ${TASKLOOM_PARAM_p19999-none}";
        let mut work = stage.work("w", Program::Shell(code.to_owned()));
        let mut parameters: serde_json::Map<_, _> = (0..20_000).map(|n| (format!("p{n:05}"), json!(n))).collect();
        // By their name they come last but one, and are too long for a string of the kernel.
        parameters.insert(format!("o{}", "n".repeat(200_000)), json!("x"));
        work.parameters = Value::Object(parameters);
        let (finished, said) = stage.run(work).await;
        let text = said.text();
        let (count, values) = text.split_once('\n').unwrap();
        let count: usize = count.parse().unwrap();
        assert_eq!((finished.outcome, values), (Outcome::Succeeded, "0 none\n"));
        assert!(count > 5_000 && count < 20_000, "{count}");
        assert!(said.system.contains("parameter onnn"), "{}", said.system);
        let named = (0..20_000).filter(|n| said.system.contains(&format!("p{n:05}"))).count();
        assert_eq!(named, 20_000 - count);
        assert!(said.system.lines().count() < 200, "{} lines", said.system.lines().count());
        assert!(said.system.lines().all(|line| line.len() < 5_000));
    })
    .await;
}

#[tokio::test]
async fn what_no_variable_can_be_is_named() {
    each_way(async |stage| {
        let code = "env -0 | grep -zc '^TASKLOOM_\\(PARAM\\|SECRET\\)_'; od -An -c .secrets/nul; echo $PATH";
        let mut work = stage.work("w", Program::Shell(code.to_owned()));
        work.parameters = json!({ "nul": "a\0b", "list": ["\0"], "not-a-name": 1, "two\nlines": 2, "": 3, "主机": 4, "x=y": 5, "1": 6 });
        work.secrets = vec![("nul".to_owned(), Hidden::new("ab\0cd".to_owned()))];
        work.environment = vec![("PATH".to_owned(), "/bin\0".to_owned()), ("A=B".to_owned(), "c".to_owned())];
        let (finished, said) = stage.run(work).await;
        assert_eq!(finished.outcome, Outcome::Succeeded, "{finished:?} {said:?}");
        // A list is text without U+0000: JSON has it as six letters.
        assert!(said.text().starts_with("2\n") && said.text().contains("a   b  \\0   c   d"), "{}", said.text());
        assert!(said.text().contains("/bin"), "the PATH of before");
        for line in [
            "variable PATH has the character U+0000, which no variable can have; it is left out",
            "variable A=B has a name that no variable can have; it is left out",
            "secret nul has the character U+0000, which no variable can have; it is in its file",
            "parameter nul has the character U+0000, which no variable can have; it is in parameters.json",
            "parameter not-a-name has a name that no variable can have; it is in parameters.json",
            "parameter two lines has a name",
            "parameter  has a name",
            "parameter 主机 has a name",
            "parameter x=y has a name",
        ] {
            assert!(said.system.lines().any(|said| said.starts_with(line)), "{line}:\n{}", said.system);
        }
        assert_eq!(said.system.lines().count(), 9);
    })
    .await;
}

#[tokio::test]
async fn code_may_be_as_large_as_it_is() {
    each_way(async |stage| {
        let filler = "# a line that does nothing\n".repeat(170_000);
        for program in [Program::Shell(format!("{filler}echo done")), Program::Python(format!("{filler}print('done')"))]
        {
            let (finished, said) = stage.run(stage.work("w", program)).await;
            assert_eq!((finished.outcome, said.text().as_str()), (Outcome::Succeeded, "done\n"));
        }
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
    let stage = Stage::open(taskloom::executor::TreeKind::Subreaper).unwrap();
    let run = async |name: &str, folder: &str| {
        let mut work = stage.work("w", Program::Shell(String::new()));
        (work.name, work.folder) = (name.to_owned(), folder.into());
        let (_orders, receiver) = tokio::sync::watch::channel(taskloom::executor::Order::Run);
        let (reports, _receiver) = tokio::sync::mpsc::channel(1);
        let clock = taskloom::executor::LineClock::system();
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
        let code = "printf 'a sword'; printf 'fish\\n'; \
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
