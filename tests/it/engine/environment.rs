//! What steps are given, at its limits: secrets, parameters and the outputs of others, whatever of it an environment holds.

use serde_json::json;

use super::bench::{Bench, until};
use super::secret;
use super::step::{Step, shell, step};

stories!(a_step_may_be_given_all_that_the_limits_allow, a_character_is_never_cut);

/// Fails unless each file and each parameter is whole, and each variable the same.
const CHECK: &str = r#"
import json, os
from pathlib import Path
files = {file.name: file.read_text() for file in Path(os.environ["TASKLOOM_SECRETS_FOLDER"]).iterdir()}
assert files == {f"s{n:02}": f"{n:04}" * 16384 for n in range(32)}, "the files"
given = json.loads(Path(os.environ["TASKLOOM_PARAMETERS_FILE"]).read_text())
assert {key: len(value) for key, value in given.items()} == {"mine": 300000} | {f"k{n:02}": 65000 for n in range(16)}, "the parameters"
held = {"TASKLOOM_SECRET_" + name: text for name, text in files.items()}
held |= {"TASKLOOM_PARAM_" + name: text for name, text in given.items()}
assert all(held[name] == os.environ[name] for name in os.environ.keys() & held.keys()), "the variables"
print("left out:", len(held.keys() - os.environ.keys()))
"#;

async fn a_step_may_be_given_all_that_the_limits_allow(bench: Bench) {
    let names: Vec<String> = (0..32).map(|n| format!("s{n:02}")).collect();
    for (n, name) in names.iter().enumerate() {
        secret::put(&bench, name, &format!("{n:04}").repeat(16_384)).await;
    }
    let with = |step: Step| step.with("secrets", json!(names)).needs("out");
    let says = "i=10; while [ $i -lt 26 ]; do n=$((i - 10)); printf '::output k%02d=' $n; \
        head -c 65000 /dev/zero | tr '\\0' x; echo; i=$((i + 1)); done";
    let in_shell = format!("exec python3 -c '{CHECK}'");
    let steps = [
        shell("out", says),
        with(step("python", json!({"python": CHECK}))),
        with(shell("shell", &in_shell)).undo(&in_shell),
        shell("last", "exit 3").needs("python shell"),
    ];
    let input =
        json!({"input": {"spec": super::step::spec("given", &steps), "parameters": {"mine": "y".repeat(300_000)}}});
    let task = bench.admin.get(super::bench::SUBMIT, input, "/submitTask/task/id").await;
    let task = task.as_str().unwrap();
    bench.admin.wait(task, "FAILED").await;
    for name in ["python", "shell"] {
        let log = bench.admin.subtask(task, name, "log { lines { source text } }").await["log"]["lines"].clone();
        let lines = log.as_array().unwrap();
        let system: Vec<&str> =
            lines.iter().filter(|line| line["source"] == "SYSTEM").filter_map(|line| line["text"].as_str()).collect();
        let left_out = format!("left out: {}", system.len());
        assert!(system.len() > 30 && lines.iter().any(|line| line["text"] == left_out.as_str()), "{name}: {log}");
        assert!(system.iter().any(|line| line.starts_with("parameter mine is too large")), "{system:?}");
        assert!(system.iter().any(|line| line.starts_with("secret s31 is too large")), "{system:?}");
        assert!(system.iter().all(|line| line.len() < 200), "names, and no value: {system:?}");
    }
    bench.admin.act("rollbackTask", task).await;
    let undone = until("it is undone", async || {
        let attempts =
            bench.admin.subtask(task, "shell", "attempts { operation state message }").await["attempts"].clone();
        let last = attempts.as_array().unwrap().last().unwrap().clone();
        (last["operation"] == "ROLLBACK" && last["state"] != "RUNNING").then_some(last)
    });
    assert_eq!(undone.await, json!({"operation": "ROLLBACK", "state": "SUCCESSFUL", "message": null}));
}

async fn a_character_is_never_cut(bench: Bench) {
    secret::put(&bench, "key", "鑰匙在這裡").await;
    let code =
        "import os, sys\nprint('升' * 200000)\nprint('升級é𝄞' * 9000 + os.environ['TASKLOOM_SECRET_key'], end='')\n";
    let step = step("a", json!({"python": code})).with("secrets", json!(["key"]));
    let task = bench.admin.submit("characters", &[step]).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    let log = bench.admin.subtask(&task, "a", "log { lines { source text } }").await;
    let lines = log["log"]["lines"].as_array().unwrap().iter().filter(|line| line["source"] == "STDOUT");
    let text: String = lines.map(|line| line["text"].as_str().unwrap()).collect();
    assert!(text == "升".repeat(200_000) + &"升級é𝄞".repeat(9_000) + "***", "{} bytes", text.len());
}
