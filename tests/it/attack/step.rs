//! A step that tries to take the server over: its variables, its key, its database, its memory, another step's folder. As
//! a plain user's, on a host with namespaces and on one without, and as root's that runs steps as somebody else.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::geteuid;
use serde_json::{Value, json};

use super::figure;
use crate::harness::server::{self, PASSWORD, Server, until};

/// In the settings file, and in another step's folder and variables.
const SETTINGS: &str = "words of the settings";
const OTHER: &str = "words of another step";

/// Says what it got hold of, and fails then. What it looks for stands in it backwards, so that it does not find itself.
/// Landlock refuses to open what it cannot hide: there a name that is seen is not got.
const THIEF: &str = r#"
import ctypes, glob, os, stat
server, data, work, settings, hides = PLACES
words = [word[::-1].encode() for word in WORDS]
found, own = [], os.getcwd()

def look(path):
    try:
        if stat.S_ISREG(os.stat(path).st_mode):
            with open(path, 'rb') as file:
                content = file.read(1 << 22)
            found.extend(f'{path}: {word}' for word in words if word in content)
    except OSError:
        pass

for root in ('', f'/proc/{server}/root', f'/proc/{os.getppid()}/root'):
    for name in ('secret.key', 'taskloom.db', 'taskloom.db-wal', 'taskloom.lock', 'reserve'):
        path = f'{root}{data}/{name}'
        if hides and os.path.exists(path):
            found.append(path)
        for way in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR | os.O_CREAT):
            try:
                os.close(os.open(path, way))
                found.append(f'{path}, opened')
            except OSError:
                pass
    look(f'{root}{settings}')
    for path in glob.glob(f'{root}{work}/*/*') + glob.glob(f'{root}{work}/*/.*/*'):
        if not path.startswith(own):
            look(path)
for process in glob.glob('/proc/[0-9]*'):
    if process == f'/proc/{os.getpid()}':
        continue
    look(f'{process}/environ')
    for path in glob.glob(f'{process}/fd/*') + glob.glob(f'{process}/cwd/*') + glob.glob(f'{process}/root{work}/*/*'):
        look(path)
try:
    open(f'/proc/{server}/mem', 'rb').close()
    found.append('the memory of the server')
except OSError:
    pass
if ctypes.CDLL(None).ptrace(16, server, 0, 0) == 0:
    found.append('a trace of the server')
for path in found:
    print('::warning got', path)
raise SystemExit(len(found) > 0)
"#;

/// A server, and where everything is.
struct Scene {
    folder: tempfile::TempDir,
    server: Server,
}

impl Scene {
    /// Started by this command, to which the program and its arguments are given.
    async fn start(command: Option<Command>, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Other users pass through it.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let file = folder.path().join("elsewhere.toml");
        fs::write(&file, format!("# {SETTINGS}\n")).unwrap();
        let file = file.display().to_string();
        let settings: Vec<(&str, &str)> = settings.iter().copied().chain([("CONFIG", file.as_str())]).collect();
        let data = folder.path().join("data");
        let server = match command {
            Some(command) => {
                let program = folder.path().join("taskloom");
                fs::copy(server::program(), &program).unwrap();
                Server::start_as(command, &program, &data, &settings).await
            }
            None => Server::start(&data, &settings).await,
        };
        Self { folder, server }
    }

    fn place(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// How steps are held apart here, as the graph says it.
    async fn tier(&self) -> String {
        let tier = self.server.get("{ workers { isolation } }", json!({}), "/workers/0/isolation").await;
        tier.as_str().unwrap().to_owned()
    }

    /// What the thief got while another step runs.
    async fn rob(&self) -> Value {
        let go = self.place("go");
        let other = format!("export OTHER='{OTHER}'; sh -c 'until test -e {go}; do sleep 0.1; done' # {OTHER}");
        let other = self.server.submit(json!([{"name": "other", "run": {"shell": other}}])).await;
        self.server.wait(&other, "RUNNING: other RUNNING").await;
        let places = json!([
            self.server.pid().as_raw(),
            self.place("data"),
            self.place("data.work"),
            self.place("elsewhere.toml"),
            u8::from(self.tier().await != "LANDLOCK")
        ]);
        let backwards = |word: &str| word.chars().rev().collect::<String>();
        let words = json!([PASSWORD, SETTINGS, OTHER].map(backwards));
        let code = format!("PLACES, WORDS = {places}, {words}\n{THIEF}");
        let thief = self.server.submit(json!([{"name": "thief", "run": {"python": code}}])).await;
        let document = "query($id: ID!) { task(id: $id) { subtasks { state message log { lines { text } } } } }";
        let ended = until("the thief ends", async || {
            let stands = self.server.get(document, json!({"id": thief}), "/task/subtasks/0").await;
            ["SUCCESSFUL", "FAILED"].iter().any(|end| stands["state"] == *end).then_some(stands)
        });
        let ended = ended.await;
        fs::write(go, "").unwrap();
        self.server.wait(&other, "SUCCESSFUL: other SUCCESSFUL").await;
        ended
    }

    /// Runs this, and gives what it says.
    async fn run(&self, shell: &str) -> String {
        let task = self.server.submit(json!([{"name": "a", "run": {"shell": shell}}])).await;
        self.server.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
        let document = "query($id: ID!) { task(id: $id) { subtasks { log { lines { text } } } } }";
        let lines = self.server.get(document, json!({"id": task}), "/task/subtasks/0/log/lines").await;
        lines.as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
    }
}

/// Another user than this, where there can be one.
fn plain() -> Option<Command> {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]);
    geteuid().is_root().then_some(command)
}

/// The same user on a host that gives neither user nor mount namespaces: within a user namespace whose limits allow none.
/// They count there alone. None: nobody may make a user namespace here.
fn walled() -> Option<Command> {
    const LIMIT: &str = "echo 0 >/proc/sys/user/max_user_namespaces && echo 0 >/proc/sys/user/max_mnt_namespaces && \
                         exec setpriv --inh-caps=-all --ambient-caps=-all -- \"$@\"";
    let command = || {
        let mut command = plain().unwrap_or_else(|| Command::new("env"));
        command.args(["unshare", "--user", "--map-current-user", "--keep-caps", "sh", "-c", LIMIT, "sh"]);
        command
    };
    command().arg("true").status().is_ok_and(|status| status.success()).then(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_user_s_step_gets_nothing_where_there_are_no_namespaces() {
    let Some(command) = walled() else {
        return eprintln!("this host has no user namespaces: the test before this one was of Landlock");
    };
    let scene = Scene::start(Some(command), &[]).await;
    let (tier, log) = (scene.tier().await, scene.server.log());
    assert!(log.contains("not better: no mount namespace") && log.contains("no user namespace"), "{log}");
    if !has_landlock() {
        assert!(
            tier == "NONE" && log.contains("steps are not held apart: they reach what the server's user does"),
            "{log}"
        );
        return;
    }
    assert_eq!(tier, "LANDLOCK", "{log}");
    assert!(log.contains("steps are held apart by Landlock: sudo and mounts do not work in them"), "{log}");
    let thief = scene.rob().await;
    assert_eq!(thief["state"], "SUCCESSFUL", "{thief}\n{log}");
    // Its own folder is its own, and what it starts works there as well.
    let own = "echo here > file && cat file; mkdir a && mv file a/file && rm -r a; python3 -c 'print(1)' > b && cat b";
    assert_eq!(scene.run(own).await, "here\n1");
    let data = scene.place("data");
    let tries = format!(
        "echo x >{data}/new || echo nothing new; cat {data}/secret.key || echo no key; rm {data}/secret.key || echo kept"
    );
    assert_eq!(scene.run(&format!("exec 2>/dev/null; {tries}")).await, "nothing new\nno key\nkept");
    let promise = "as above; names of files may be seen";
    figure::note(
        "step::landlock",
        "a step of a plain user's server without namespaces",
        promise,
        "nothing (isolation LANDLOCK)",
    );
}

/// Whether this kernel has it, as it says itself (`landlock_create_ruleset(2)`).
fn has_landlock() -> bool {
    const ASK: &str = "import ctypes; raise SystemExit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 1)";
    Command::new("python3").args(["-c", ASK]).status().unwrap().success()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_user_s_step_gets_nothing() {
    let scene = Scene::start(plain(), &[]).await;
    let tier = scene.tier().await;
    if tier == "NONE" {
        assert!(scene.server.log().contains("steps are not held apart"), "what a host cannot give is said");
        return;
    }
    let thief = scene.rob().await;
    assert_eq!(thief["state"], "SUCCESSFUL", "{tier}: {thief}\n{}", scene.server.log());
    assert_eq!(scene.run("echo here > file && cat file; mkdir a && rmdir a; exec 2>/dev/null; ls /proc/self/fd >/dev/null && echo proc").await, "here\nproc");
    let promise = "it gets no variable, key, database, memory, trace, nor another step's folder";
    figure::note("step::plain", "a step of a plain user's server", promise, &format!("nothing (isolation {tier})"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_root_runs_as_somebody_else_gets_nothing_and_may_what_it_may() {
    if !geteuid().is_root() {
        return assert!(refuses(&[("WORKER__RUN_AS", "nobody")]).contains("needs a server that runs as root"));
    }
    let scene = Scene::start(None, &[("WORKER__RUN_AS", "nobody"), ("WORKER__ISOLATION", "user")]).await;
    assert_eq!(scene.tier().await, "USER");
    let thief = scene.rob().await;
    assert_eq!(thief["state"], "SUCCESSFUL", "{thief}\n{}", scene.server.log());
    // What sudo and ping are made of goes on working, and what scripts take for granted.
    let id = PathBuf::from(scene.place("id"));
    fs::copy("/usr/bin/id", &id).unwrap();
    fs::set_permissions(&id, Permissions::from_mode(0o4755)).unwrap();
    let mut outside = plain().unwrap();
    let outside = outside.arg(&id).arg("-u").output().unwrap().stdout;
    let said = scene
        .run(&format!("id -un; {} -u; echo $USER; echo there > /dev/stderr; touch file; stat -c %U file", id.display()))
        .await;
    let expected = format!("nobody\n{}\nnobody\nthere\nnobody", String::from_utf8(outside).unwrap().trim());
    assert_eq!(
        said.lines().filter(|line| *line != "there").collect::<Vec<_>>(),
        expected.lines().filter(|line| *line != "there").collect::<Vec<_>>()
    );
    assert!(said.contains("there"), "{said}");
    let promise = "as above; programs with the set-user-ID bit go on working";
    figure::note("step::run_as", "a step that root runs as `nobody`", promise, "nothing");
}

/// Root is root: but what a step of its does by mistake does not reach the server's data.
#[tokio::test(flavor = "multi_thread")]
async fn root_s_steps_do_not_see_the_data_and_may_mount() {
    if !geteuid().is_root() {
        return;
    }
    let scene = Scene::start(None, &[]).await;
    assert_eq!(scene.tier().await, "NAMESPACE", "{}", scene.server.log());
    assert!(scene.server.log().contains("run as root, which no wall holds"));
    let (data, work, file) = (scene.place("data"), scene.place("data.work"), scene.place("elsewhere.toml"));
    let look = format!(
        "ls -A {data} | wc -l; ls {work} | wc -l; wc -c < {file}; mkdir m && mount -t tmpfs none m && echo mounted"
    );
    assert_eq!(scene.run(&look).await, "0\n1\n0\nmounted");
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_steps_reach_what_is_named() {
    let named = tempfile::tempdir_in("/var/tmp").unwrap();
    fs::write(named.path().join("file"), "named").unwrap();
    let paths = format!("/usr,/bin,/lib,/lib64,/etc,/proc,/dev:rw,{}", named.path().display());
    let scene = Scene::start(None, &[("WORKER__ISOLATION", "strict"), ("WORKER__PATHS", &paths)]).await;
    assert_eq!(scene.tier().await, "STRICT");
    let named = named.path().display();
    let tries = format!(
        "cat {named}/file; echo; echo more 2>&- > {named}/more || echo for reading; ls {} 2>/dev/null || echo hidden; \
         ls -A /tmp | grep -v tmp; echo own > /tmp/own && cat /tmp/own; ls /var/tmp 2>/dev/null || echo no such",
        scene.place("elsewhere.toml")
    );
    let said = scene.run(&tries).await;
    assert!(said.contains("named") && said.contains("for reading") && said.contains("hidden"), "{said}");
    assert!(said.contains("own") && said.contains("no such"), "{said}");
    assert!(!Path::new("/tmp/own").exists(), "its /tmp is its own");
}

#[test]
fn what_cannot_be_held_keeps_a_server_from_starting() {
    assert!(refuses(&[("WORKER__ISOLATION", "user")]).contains("needs worker.run_as"));
    assert!(refuses(&[("WORKER__RUN_AS", "nobody-at-all")]).contains("there is no user nobody-at-all"));
}

/// What a server says that does not start.
fn refuses(settings: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(server::program());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path().join("data"));
    command.envs(settings.iter().map(|(name, value)| (format!("TASKLOOM_{name}"), value)));
    let output = command.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}
