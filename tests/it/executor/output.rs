//! What programs write: directives, long lines, bytes, order, back-pressure.

use taskloom::executor::{Order, Outcome, Program, Report, StopReason};
use taskloom::vault::Hidden;

use super::stage::{each_way, eventually, lives, look};

#[tokio::test]
async fn directives_are_reports_and_the_rest_is_log() {
    each_way(async |stage| {
        let code = "echo '::progress 0.25 first quarter'; echo plain; echo '::progress lots'; \
             echo '::output path=/a=b' >&2; echo '::warning careful'; printf '::output last=1'";
        let (finished, said) = stage.run_shell(code).await;
        assert_eq!(finished.outcome, Outcome::Succeeded);
        assert_eq!(said.text(), "plain\n::progress lots\n");
        assert_eq!(said.stderr, b"");
        for expected in [
            Report::Progress { fraction: 0.25, text: Some("first quarter".into()) },
            Report::Output { key: "path".into(), value: "/a=b".into() },
            Report::Output { key: "last".into(), value: "1".into() },
            Report::Warning("careful".into()),
        ] {
            assert!(said.others.contains(&expected), "{expected:?} in {:?}", said.others);
        }
        assert_eq!(said.others.len(), 4);
    })
    .await;
}

#[tokio::test]
async fn lines_appear_while_it_runs() {
    each_way(async |stage| {
        let mut work = stage.shell("w", "echo begun; while [ ! -e go ]; do sleep 0.02; done; echo done");
        let said = work.until(|said| !said.stdout.is_empty()).await;
        assert_eq!(said.text(), "begun\n");
        std::fs::write(work.folder.join("go"), "").unwrap();
        assert_eq!(work.finish().await.1.text(), "begun\ndone\n");
    })
    .await;
}

#[tokio::test]
async fn long_lines_are_cut_and_bytes_are_kept() {
    each_way(async |stage| {
        let code = "import os, sys\n\
            os.write(1, bytes(range(256)) + b'\\n')\n\
            sys.stdout.buffer.write(b'x' * 200_000)\n\
            sys.stdout.flush()\n\
            os.write(1, b'\\nend')\n";
        let (finished, said) = stage.run(stage.work("w", Program::Python(code.to_owned()))).await;
        assert_eq!(finished.outcome, Outcome::Succeeded, "{finished:?} {said:?}");
        let all: Vec<u8> = (0..=255).collect();
        assert!(said.stdout.starts_with(&all));
        let pieces: Vec<usize> = said.stdout[257..].split(|byte| *byte == b'\n').map(<[u8]>::len).collect();
        assert!(pieces.iter().all(|length| *length <= 64 * 1024), "{pieces:?}");
        assert_eq!(said.stdout.iter().filter(|byte| **byte == b'x').count(), 200_001);
        assert!(said.stdout.ends_with(b"\nend\n"));
    })
    .await;
}

#[tokio::test]
async fn characters_are_whole_with_and_without_secrets() {
    each_way(async |stage| {
        let code = "import sys\nprint('升'*200000)\nprint('升級é𝄞z'*20000, file=sys.stderr)\n\
            for n in range(20000): print(f'\\r{n/200:6.2f}%|{\"█\" * (n % 7)}▌|', end='')\n";
        for secret in [None, Some("a secret"), Some("升升升鑰"), Some("▌|鑰")] {
            let mut work = stage.work("w", Program::Python(code.to_owned()));
            work.environment = vec![("PYTHONIOENCODING".to_owned(), "utf-8".to_owned())];
            work.secrets =
                secret.map(|secret| ("name".to_owned(), Hidden::new(secret.to_owned()))).into_iter().collect();
            let (finished, said) = stage.run(work).await;
            assert_eq!(finished.outcome, Outcome::Succeeded, "{finished:?}");
            let bar = |n: usize| format!("\r{:6.2}%|{}▌|", n as f64 / 200.0, "█".repeat(n % 7));
            let wanted = "升".repeat(200_000) + &(0..20_000).map(bar).collect::<String>();
            let (out, err) = (String::from_utf8(said.stdout).unwrap(), String::from_utf8(said.stderr).unwrap());
            assert!(out.replace('\n', "") == wanted && err.replace('\n', "") == "升級é𝄞z".repeat(20_000), "{secret:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_output_of_64_kib_arrives_whole_and_a_longer_one_to_be_refused() {
    each_way(async |stage| {
        let code = "printf '::output full=%s\\r\\n' $(head -c 65536 /dev/zero | tr '\\0' x); \
             printf '::output more=%s\\n' $(head -c 165536 /dev/zero | tr '\\0' y); echo '::output last=1'";
        let (finished, said) = stage.run_shell(code).await;
        assert_eq!(finished.outcome, Outcome::Succeeded);
        let lengths = said.others.iter().map(|report| match report {
            Report::Output { key, value } => (key.as_str(), value.len().min(64 * 1024 + 1)),
            other => panic!("{other:?}"),
        });
        assert_eq!(lengths.collect::<Vec<_>>(), [("full", 65_536), ("more", 65_537), ("last", 1)]);
        assert_eq!(said.text().replace('\n', ""), format!("::output more={}", "y".repeat(165_536)));
    })
    .await;
}

#[tokio::test]
async fn what_is_said_first_comes_first() {
    each_way(async |stage| {
        let mut work = stage.shell("w", "echo out; while [ ! -e go ]; do sleep 0.02; done; echo err >&2; echo more");
        work.until(|said| !said.stdout.is_empty()).await;
        std::fs::write(work.folder.join("go"), "").unwrap();
        let (_, said) = work.finish().await;
        assert_eq!((said.text().as_str(), said.stderr.as_slice()), ("out\nmore\n", &b"err\n"[..]));
    })
    .await;
}

#[tokio::test]
async fn a_slow_reader_holds_the_program_back() {
    each_way(async |stage| {
        let code = "echo pid $$ >&2; exec yes 'a line that is repeated until somebody stops it'";
        let mut work = stage.start_with(stage.work("w", Program::Shell(code.to_owned())), 4);
        work.until(|said| !said.stderr.is_empty()).await;
        let said = work.until(|said| said.stdout.len() > 1_000_000).await;
        let pid = String::from_utf8_lossy(&said.stderr)[4..].trim().parse().unwrap();
        // Nobody reads now: the channel fills, then the pipe, then `write` waits and no time is used any more.
        eventually("the channel is full", || work.waiting_reports() == 4).await;
        eventually("the program waits", || look(pid).is_some_and(|(state, _)| state == 'S')).await;
        // A full channel does not delay a stop, and what was written before is still heard.
        work.order(Order::Stop(StopReason::Canceled));
        let (finished, more) = work.finish().await;
        assert_eq!(finished.outcome, Outcome::Canceled);
        assert!(more.stdout.len() < said.stdout.len() + 4_000_000, "{}", more.stdout.len());
        assert!(!lives(pid));
    })
    .await;
}

#[tokio::test]
async fn every_line_arrives() {
    each_way(async |stage| {
        let (finished, said) = stage.run_shell("seq 1 200000; seq 200001 200003 >&2").await;
        assert_eq!(finished.outcome, Outcome::Succeeded);
        assert_eq!(said.lines, 200_003);
        let expected: String = (1..=200_000).map(|n| format!("{n}\n")).collect();
        assert!(said.text() == expected);
        assert_eq!(said.stderr, b"200001\n200002\n200003\n");
    })
    .await;
}
