//! The commands that pages show, run as a reader would: in order, in one shell a page, in a folder of its own, against a
//! server with the demo's tasks.
//!
//! What a page cannot know is put in its place: the server's address and folder, the password, a token, a database.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use super::page::{Block, Page};
use crate::harness::postgres::{self, Own};
use crate::harness::server::{PASSWORD, Server};

/// How long all commands of a page may take.
const PATIENCE: Duration = Duration::from_secs(150);

/// What an answer has that refuses something.
const REFUSALS: [&str; 2] = ["\"errors\":[", "\"successful\":false"];

/// Why some commands do not run here, how many blocks there are, and what shows them instead.
const UNTESTED: &[(&str, usize, &str)] = &[
    ("container", 1, "builds an image; `deploy` compares the file with the settings"),
    ("make", 4, "builds or tests everything; `named` looks for the targets"),
    ("proxy", 1, "needs a host with a name and a certificate"),
    ("systemd", 2, "changes the machine; `deploy` has the unit verified"),
    ("vcenter", 1, "needs a vCenter's history; the transcripts of the dialect make the same calls"),
];

macro_rules! pages {
    ($($story:ident: $path:literal;)*) => {
        const RUN: &[&str] = &[$($path),*];
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                run(&Page::read($path)).await;
            }
        )*
    };
}

pages! {
    the_commands_of_the_readme: "README.md";
    the_commands_of_apply: "docs/apply.md";
    the_commands_of_definitions: "docs/definitions.md";
    the_commands_of_linkis: "docs/dialects/linkis.md";
    the_commands_of_ocp: "docs/dialects/ocp.md";
    the_commands_of_operations: "docs/operations.md";
    the_commands_of_schedules: "docs/schedules.md";
    the_commands_of_subscriptions: "docs/subscriptions.md";
    the_commands_of_troubleshooting: "docs/troubleshooting.md";
}

#[test]
fn every_page_with_commands_runs() {
    let pages: Vec<Page> = Page::all().into_iter().filter(|page| !page.is_translation()).collect();
    let with: Vec<&str> =
        pages.iter().filter(|page| page.blocks.iter().any(Block::runs)).map(|page| page.path.as_str()).collect();
    assert_eq!(with, RUN);
    for (reason, count, _) in UNTESTED {
        let blocks = pages.iter().flat_map(|page| &page.blocks);
        let found = blocks.filter(|block| block.untested() == Some(reason)).count();
        assert_eq!(found, *count, "blocks that do not run for the reason {reason}");
    }
    for page in &pages {
        for block in &page.blocks {
            let reason = block.untested().unwrap_or("make");
            assert!(UNTESTED.iter().any(|(known, ..)| *known == reason), "{}:{}: {reason}", page.path, block.line);
            let language = block.language();
            assert!(!["bash", "shell", "console", ""].contains(&language), "{}:{}: sh or text", page.path, block.line);
        }
    }
}

/// Where a page runs.
struct Stage {
    folder: PathBuf,
    server: Server,
    database: Option<Own>,
}

async fn run(page: &Page) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[("SERVER__DEMO", "true")]).await;
    let database = match page.blocks.iter().any(|block| block.language() == "sql") {
        true => Some(postgres::own().await),
        false => None,
    };
    let stage = Stage { folder: folder.path().to_owned(), server, database };
    fs::write(stage.folder.join("page.sh"), stage.script(page)).unwrap();
    for block in &page.blocks {
        if let Some(file) = block.file() {
            fs::write(stage.folder.join(file), &block.body).unwrap();
        }
    }
    let status = tokio::time::timeout(PATIENCE, stage.shell().status()).await;
    let ended = status.is_ok_and(|status| status.unwrap().success());
    for (at, block) in page.blocks.iter().enumerate().filter(|(_, block)| block.runs()) {
        let said = fs::read_to_string(stage.said(block)).unwrap_or_default();
        let place = format!("{}:{}", page.path, block.line);
        let is_last = page.blocks[at + 1..].iter().all(|later| !stage.said(later).exists());
        assert!(ended || !is_last, "{place} failed:\n{said}");
        let shown = page.blocks.get(at + 1).filter(|next| next.is_output()).map_or("", |next| next.body.as_str());
        if let Some(missing) = missing(&said, shown) {
            panic!("{place} does not print {missing:?} there:\n{said}");
        }
        let refused = REFUSALS.iter().find(|refusal| said.contains(**refusal) && !shown.contains(**refusal));
        assert!(refused.is_none(), "{place} is refused:\n{said}");
    }
}

impl Stage {
    /// Everything that the page runs; what each block prints goes into a file of its own.
    fn script(&self, page: &Page) -> String {
        let mut script = String::from("set -euo pipefail\n");
        for block in &page.blocks {
            if block.language() == "sql" {
                let url = &self.database.as_ref().unwrap().url;
                script += &format!("psql -q -v ON_ERROR_STOP=1 '{url}' <<'SQL'\n{}SQL\n", block.body);
            } else if block.runs() {
                let body = self.stand_in(&block.body);
                let body = if body.contains("taskloom serve ") { served(&body) } else { body };
                script += &format!("exec > {} 2>&1\n{body}", self.said(block).display());
            }
        }
        script
    }

    /// The commands with what is so here.
    fn stand_in(&self, commands: &str) -> String {
        let password = format!("'{PASSWORD}'");
        let mut commands = commands
            .replace("http://127.0.0.1:8080", &self.server.url())
            .replace("PASSWORD=…", &format!("PASSWORD={password}"))
            .replace("TASKLOOM_TOKEN=…", "TASKLOOM_TOKEN=$(taskloom token create --user admin --role admin)");
        if let Some(database) = &self.database {
            let (_, address) = database.url.rsplit_once('@').unwrap();
            let (address, _) = address.split_once('/').unwrap();
            commands =
                commands.replace("@127.0.0.1/", &format!("@{address}/")).replace("@db/", &format!("@{address}/"));
        }
        // A server beside ours needs a folder of its own.
        let data = if commands.contains("taskloom serve ") { "second" } else { "data" };
        commands.replace("/var/lib/taskloom", &self.folder.join(data).display().to_string())
    }

    fn said(&self, block: &Block) -> PathBuf {
        self.folder.join(format!("line-{}.txt", block.line))
    }

    fn shell(&self) -> tokio::process::Command {
        let programs = Path::new(env!("CARGO_BIN_EXE_taskloom")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut shell = tokio::process::Command::new("bash");
        shell.arg("page.sh").current_dir(&self.folder).env_clear().kill_on_drop(true).process_group(0);
        shell.env("PATH", format!("{}:{path}", programs.display())).env("HOME", &self.folder).env("LANG", "C.UTF-8");
        shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        shell
    }
}

/// A command that starts a server is over when the server answers, and ends well when it is told to.
fn served(body: &str) -> String {
    let body = body.trim_end();
    format!(
        "export TASKLOOM_LISTEN=127.0.0.1:0\n{body} > served.txt 2>&1 &\nserver=$!\n\
         until grep 'GraphQL at' served.txt; do kill -0 $server; sleep 0.1; done\nkill $server\nwait $server\n\
         unset TASKLOOM_LISTEN\n"
    )
}

/// The first piece between two `…` that does not come in its order.
fn missing<'a>(said: &str, shown: &'a str) -> Option<&'a str> {
    let mut rest = said;
    for piece in shown.split('…').map(|piece| piece.trim_matches('\n')) {
        match rest.split_once(piece) {
            Some((_, behind)) => rest = behind,
            None => return Some(piece),
        }
    }
    None
}

#[test]
fn what_is_shown_comes_in_its_order() {
    let said = "event: next\ndata: {\"state\":\"RUNNING\"}\nevent: complete\n";
    assert_eq!(missing(said, "event: next\ndata: {\"state\":\"…\"}\n…\nevent: complete\n"), None);
    assert_eq!(missing(said, "…complete…next\n"), Some("next"));
    assert_eq!(missing(said, ""), None);
}
