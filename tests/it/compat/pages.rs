//! What old clients ask for by the page: a long page is written while it is read, and one that is too large is refused
//! in the dialect's own words with a size that fits.

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use super::bench::{Bench, on_both};
use crate::harness::wide::{Wide, long_lines, say};

const LIST: &str = "/api/v2/tasks/instances";
const PAGE: usize = 4 << 20;
const LONG: usize = 64 << 10;

async fn get(t: &Bench, path: &str) -> Value {
    t.call("GET", path, "admin").await.json().await.unwrap()
}

#[tokio::test]
async fn a_long_list_is_written_in_pieces() {
    on_both(async |t| {
        let many = Wide { tasks: 2_000, subtasks: 17, ..Wide::default() };
        many.fill(&t.app.store).await;
        let answer = t.call("GET", &format!("{LIST}?size=2000"), "admin").await;
        assert_eq!((answer.status().as_u16(), answer.content_length()), (200, None));
        assert_eq!(answer.headers()["content-type"], "application/json");
        let text = answer.text().await.unwrap();
        let whole: Value = serde_json::from_str(&text).unwrap();
        let contents = whole["data"]["contents"].as_array().unwrap();
        assert_eq!(contents.len(), 2_000);
        let numbers = json!({"number": 1, "size": 2000, "totalElements": 2100, "totalPages": 2});
        assert_eq!(whole["data"]["page"], numbers);
        // The same as in small pages, which are written in one piece, down to the order of the keys.
        for number in [1, 2, 20] {
            let answer = t.call("GET", &format!("{LIST}?size=100&page={number}"), "admin").await;
            assert!(answer.content_length().is_some());
            let small = answer.text().await.unwrap();
            let (_, list) = small.split_once("\"contents\":[").unwrap();
            let (list, rest) = list.split_once("],\"page\":").unwrap();
            assert!(text.contains(list), "page {number}");
            let same = |rest: &str| rest.split_once('}').unwrap().1.split(['"', ':']).step_by(2).map(str::len).count();
            assert_eq!(same(rest), same(text.rsplit_once("],\"page\":").unwrap().1));
        }
        for (task, at) in contents.iter().zip(0..) {
            let steps: Vec<&str> =
                task["subtasks"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
            assert_eq!((task["id"].as_i64(), steps.len(), steps[16]), (Some(3_000 - at), 17, "step 17"));
        }
        // Beyond 200,000 subtasks it names the parameter and what would be possible.
        many.fill_subtasks(&t.app.store, (18, 101)).await;
        let refused = t.call("GET", &format!("{LIST}?size=2000"), "admin").await;
        assert_eq!(refused.status().as_u16(), 400);
        let refused: Value = refused.json().await.unwrap();
        assert_eq!((&refused["error"]["code"], &refused["error"]["target"]), (&json!(10001), &json!("size")));
        let message = refused["error"]["message"].as_str().unwrap();
        let fits: usize = message.rsplit_once("ask for ").unwrap().1.parse().unwrap();
        let fitting = get(&t, &format!("{LIST}?size={fits}")).await;
        assert_eq!((fits > 1_900, fitting["data"]["contents"].as_array().unwrap().len()), (true, fits));
    })
    .await;
}

#[tokio::test]
async fn a_list_that_cannot_be_finished_is_broken_off() {
    on_both(async |t| {
        // More than a connection holds: the server waits for the reader, and the database goes away meanwhile.
        let many = Wide { tasks: 1_000, subtasks: 17, description: 2_000, ..Wide::default() };
        many.fill(&t.app.store).await;
        let mut answer = t.call("GET", &format!("{LIST}?size=1000"), "admin").await;
        let begun = answer.chunk().await.unwrap().unwrap();
        assert!(begun.starts_with(b"{\"data\":{\"contents\":[{"));
        t.app.store.write().execute_unprepared("ALTER TABLE subtask RENAME TO lost").await.unwrap();
        let broken = loop {
            match answer.chunk().await {
                Ok(Some(_)) => {}
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert!(broken, "a body that ends as if it were whole");
    })
    .await;
}

#[tokio::test]
async fn a_job_s_log_ends_early_and_says_where_it_goes_on() {
    on_both(async |t| {
        let job = Wide { subtasks: 2, ..Wide::default() };
        job.fill(&t.app.store).await;
        let lines = long_lines(200);
        say(&t.app.store, 1_001, 1_001_001, &lines, 16).await;
        say(&t.app.store, 1_001, 1_001_002, &lines[..3], 16).await;
        let wanted: Vec<&str> = lines.iter().chain(&lines[..3]).map(String::as_str).collect();
        for (distinct, texts) in [(true, 2), (false, 1)] {
            let (mut from, mut seen) = (1, vec![]);
            loop {
                let path =
                    format!("/api/rest_j/v1/entrance/1001/log?fromLine={from}&size=10000&distinctLevel={distinct}");
                let answer = t.call("GET", &path, "admin").await.text().await.unwrap();
                assert!(answer.len() <= PAGE + texts * LONG, "{}", answer.len());
                let answer: Value = serde_json::from_str(&answer).unwrap();
                let log = &answer["data"]["log"];
                let all = if distinct { &log[3] } else { log }.as_str().unwrap();
                if all.is_empty() {
                    break;
                }
                seen.extend(all.split('\n').map(str::to_owned));
                let next = answer["data"]["fromLine"].as_i64().unwrap();
                assert_eq!(next, i64::try_from(seen.len()).unwrap() + 1);
                from = next;
            }
            assert!(seen[0].contains("Your job is accepted"));
            assert!(seen[1..] == wanted, "every line once, in order: {} of {}", seen.len() - 1, wanted.len());
        }
        // The whole log: as much of its end as a page has, and how much lies before it.
        let whole = get(&t, "/api/rest_j/v1/filesystem/openLog?path=taskloom:/jobs/1001/log").await;
        let all: Vec<&str> = whole["data"]["log"][3].as_str().unwrap().split('\n').collect();
        assert_eq!(all.len(), 2 + PAGE / LONG);
        assert_eq!(all[1], format!("... the first {} bytes of this log are left out", (200 - 61) * LONG));
        assert_eq!((&all[2..63], &all[63..]), (&wanted[139..200], &wanted[200..]));
    })
    .await;
}

#[tokio::test]
async fn a_page_of_a_job_s_output_is_whole_or_refused_in_the_product_s_words() {
    on_both(async |t| {
        Wide::default().fill(&t.app.store).await;
        let lines = long_lines(200);
        say(&t.app.store, 1_001, 1_001_001, &lines, 16).await;
        let open = |page: usize, size: usize| {
            format!("/api/rest_j/v1/filesystem/openFile?path=taskloom:/jobs/1001/result/_0.dolphin&page={page}&pageSize={size}")
        };
        let refused = t.call("GET", &open(1, 5_000), "admin").await;
        assert_eq!(refused.status().as_u16(), 400);
        let refused: Value = refused.json().await.unwrap();
        assert_eq!((&refused["method"], &refused["status"]), (&json!("/api/filesystem/openFile"), &json!(1)));
        let message = refused["message"].as_str().unwrap();
        assert!(message.starts_with("pageSize does not accept '5000': "), "{message}");
        let fits: usize = message.split_once("bytes, ").unwrap().1.split_once(' ').unwrap().0.parse().unwrap();
        let mut seen = vec![];
        for page in 1.. {
            let answer = get(&t, &open(page, fits)).await;
            let rows = answer["data"]["fileContent"].as_array().unwrap();
            if rows.is_empty() {
                break;
            }
            seen.extend(rows.iter().map(|row| row[0].as_str().unwrap().to_owned()));
        }
        assert!(seen == lines);
    })
    .await;
}

#[tokio::test]
async fn a_page_of_the_history_shows_what_was_sent_or_is_refused() {
    on_both(async |t| {
        Wide { tasks: 10, submission: 1_000_000, ..Wide::default() }.fill(&t.app.store).await;
        let list = |size: usize, page: usize| {
            format!("/api/rest_j/v1/jobhistory/list?pageSize={size}&pageNow={page}&isAdminView=true&startDate=0")
        };
        let refused = get(&t, &list(10, 1)).await;
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.starts_with("pageSize does not accept '10': ") && message.contains("4 is possible"),
            "{message}"
        );
        let mut jobs = vec![];
        for page in 1..=2 {
            let answer = get(&t, &list(4, page)).await;
            for job in answer["data"]["tasks"].as_array().unwrap() {
                assert_eq!(job["executionCode"].as_str().unwrap().len(), 1_000_000);
                jobs.push(job["taskID"].as_i64().unwrap());
            }
        }
        assert_eq!(jobs, (1_003..=1_010).rev().collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn an_ocp_log_is_the_end_that_a_page_holds() {
    on_both(async |t| {
        Wide::default().fill(&t.app.store).await;
        let lines = long_lines(200);
        say(&t.app.store, 1_001, 1_001_001, &lines, 200).await;
        let answer = get(&t, &format!("{LIST}/1001/subtasks/1001001/log")).await;
        let log = answer["data"]["log"].as_str().unwrap();
        assert!(
            log.len() < PAGE + 200 && log.starts_with("... the first ") && log.ends_with(lines[199].as_str()),
            "{}",
            log.len()
        );
    })
    .await;
}
