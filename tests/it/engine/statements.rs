//! Texts of statements, cut and run where they are meant: on a real PostgreSQL and on a file of SQLite.

use serde_json::{Value, json};

use super::sql::{open, run};

/// The rows of each result set.
fn tables(a: &Value) -> Vec<&Value> {
    a["resultSets"].as_array().unwrap().iter().map(|set| &set["rows"]).collect()
}

fn types(set: &Value) -> Vec<&str> {
    set["columns"].as_array().unwrap().iter().map(|column| column["type"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_and_parentheses_of_postgresql_hold_their_semicolons() {
    let (bench, _url, _folder) = open(&[]).await;
    let sql = "\u{feff}create table t (n int); create table a (n int); create table b (n int);
        create rule r as on insert to t do also (insert into a values (new.n); insert into b values (new.n));
        create function kind(n int) returns text begin atomic
            select 1; select case when n > 1 then 'many;' else 'one;' end; end;
        create procedure twice(n int) begin atomic insert into t values (n); insert into t values (n + 1); end;
        call twice(1);
        select (select count(*) from a), (select count(*) from b), kind(2), E'it\\'s;'";
    let a = run(&bench, "pg", sql, "SUCCESSFUL").await;
    assert_eq!(tables(&a), [&json!([["2", "2", "many;", "it's;"]])], "{a}");
}

#[tokio::test(flavor = "multi_thread")]
async fn triggers_of_sqlite_go_to_their_end() {
    let (bench, _url, _folder) = open(&[]).await;
    let sql = "\u{feff}create table t (n int); create table u (word text);
        create trigger r after insert on t begin
            insert into u values (case when new.n > 1 then 'many;' else 'one;' end);
            update u set word = word || case word when 'one;' then '!' else '?' end; -- end;
        end;
        insert into t values (1); select word from u";
    let a = run(&bench, "file", sql, "SUCCESSFUL").await;
    assert_eq!(tables(&a), [&json!([["one;!"]])], "{a}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_is_refused_before_anything_is_done() {
    let (bench, _url, _folder) = open(&[]).await;
    for (sql, word) in [
        ("create table never (n int); listen done", "statement 2 of 2: LISTEN is not possible"),
        ("create table never (n int); copy never from stdin", "statement 2 of 2: COPY from STDIN or to STDOUT"),
        ("copy (select 1) to stdout; create table never (n int)", "statement 1 of 2: COPY from STDIN or to STDOUT"),
    ] {
        let a = run(&bench, "pg", sql, "FAILED").await;
        assert!(a["message"].as_str().unwrap().starts_with(word), "{a}");
    }
    let sql = "notify done, 'x'; unlisten *; select to_regclass('never') is null";
    let a = run(&bench, "pg", sql, "SUCCESSFUL").await;
    assert_eq!(tables(&a), [&json!([["true"]])], "{a}");
}

#[tokio::test(flavor = "multi_thread")]
async fn computed_columns_of_sqlite_have_their_values_type() {
    let (bench, _url, _folder) = open(&[]).await;
    let sql = "select 1 + 1 as a, 1.5 as b, 'x' as c, x'00' as d, null as e, count(*) as f, 2 > 1 as g;
        select column1 from (values (null), (1), (2.5)); select column1 from (values (1), ('x'));
        create table t (n decimal(5,2), at datetime); insert into t values (1.25, '2024-02-29 01:02:03');
        select n, n * 2, at, max(at) from t; select n + 1 from t where false;
        with recursive r (n) as (select 1 union all select n + 1 from r where n < 3000) select n, n / 2.0 from r";
    let a = run(&bench, "file", sql, "SUCCESSFUL").await;
    let sets = a["resultSets"].as_array().unwrap();
    assert_eq!(types(&sets[0]), ["BIGINT", "DOUBLE", "STRING", "BINARY", "STRING", "BIGINT", "BIGINT"]);
    assert_eq!(sets[0]["rows"], json!([["2", "1.5", "x", "\\x00", null, "1", "1"]]));
    assert_eq!((types(&sets[1]), &sets[1]["rows"]), (vec!["DOUBLE"], &json!([[null], ["1"], ["2.5"]])));
    assert_eq!(types(&sets[2]), ["STRING"], "numbers and texts are texts");
    assert_eq!(types(&sets[3]), ["DOUBLE", "DOUBLE", "TIMESTAMP", "STRING"]);
    assert_eq!((types(&sets[4]), &sets[4]["totalRows"]), (vec!["STRING"], &json!(0)), "nothing tells");
    assert_eq!((types(&sets[5]), &sets[5]["totalRows"]), (vec!["BIGINT", "DOUBLE"], &json!(3000)));
    assert_eq!(sets[5]["rows"], json!([["1", "0.5"], ["2", "1"], ["3", "1.5"]]));
}
