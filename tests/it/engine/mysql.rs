//! The executor `sql` on a real MariaDB, which speaks MySQL's protocol.

use serde_json::{Value, json};
use sqlx::Row as _;

use super::bench::{Bench, until};
use super::step::step;
use crate::harness::mariadb::{self, MariaDb, PASSWORD};

/// A server with the data source `my`.
async fn open() -> (Bench, MariaDb) {
    let (bench, _) = Bench::postgres_with(&[]).await;
    let database = mariadb::start().await;
    let source = json!({"name": "my", "kind": "MYSQL", "host": "127.0.0.1", "port": database.port, "database": "story",
        "user": "story", "password": PASSWORD, "options": {"charset": "utf8mb4"}, "tenantId": bench.tenant().await});
    let put = "mutation($input: PutDataSourceInput!) { putDataSource(input: $input) { dataSource { id } } }";
    let id = bench.admin.get(put, json!({"input": source}), "/putDataSource/dataSource/id").await;
    let test = "mutation($id: ID!) { testDataSource(input: {id: $id}) { ok version } }";
    let tested = bench.admin.get(test, json!({"id": id}), "/testDataSource").await;
    assert!(tested["ok"] == true && tested["version"].as_str().unwrap().contains("MariaDB"), "{tested}");
    (bench, database)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_each_type_is_read_as_it_is_written() {
    let (bench, _database) = open().await;
    let sql = r"create table t (id int primary key, at datetime(6), day date, price decimal(8,2), ok bool, bits bit(4),
            raw varbinary(10), big bigint unsigned, ratio double, j json, word text, exact varchar(9) collate utf8mb4_bin,
            one enum('a','b'), born year) default charset utf8mb4;
        insert into t values (1, '2024-02-29 12:00:00.5', '2024-02-29', 1.50, true, b'1010', x'00ff',
            18446744073709551615, 2.25, '{}', '安装; \'x\' # no', 'Aa', 'b', 2024),
            (2, null, null, null, false, null, null, null, null, null, null, null, null, null);
        # a comment; with a semicolon
        select * from t order by id; /* another */ select * from t where false";
    let task = bench.admin.submit("ask", &[step("a", json!({"sql": sql, "source": "my"}))]).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    let fields = "resultSets { columns { name type } totalRows rows(first: 3) }";
    let sets = bench.admin.subtask(&task, "a", fields).await["resultSets"].take();
    let types: Vec<&Value> = sets[0]["columns"].as_array().unwrap().iter().map(|column| &column["type"]).collect();
    let wanted = [
        "INT",
        "TIMESTAMP",
        "DATE",
        "DECIMAL",
        "BOOLEAN",
        "BINARY",
        "BINARY",
        "BIGINT",
        "DOUBLE",
        "STRING",
        "STRING",
        "STRING",
        "STRING",
        "INT",
    ];
    assert_eq!(types, wanted);
    let full = json!([
        "1",
        "2024-02-29 12:00:00.500",
        "2024-02-29",
        "1.50",
        "true",
        "\\x0a",
        "\\x00ff",
        "18446744073709551615",
        "2.25",
        "{}",
        "安装; 'x' # no",
        "Aa",
        "b",
        "2024",
    ]);
    let mut empty = vec![Value::Null; 14];
    (empty[0], empty[4]) = (json!("2"), json!("false"));
    assert_eq!(sets[0]["rows"], json!([full, empty]));
    assert_eq!((&sets[1]["totalRows"], sets[1]["columns"].as_array().unwrap().len()), (&json!(0), 14));

    let wrong = json!({"sql": "select 1; select * from nothing; drop table t", "source": "my"});
    let task = bench.admin.submit("ask", &[step("a", wrong)]).await;
    bench.admin.wait(&task, "FAILED").await;
    let message = bench.admin.subtask(&task, "a", "message").await;
    assert_eq!(message["message"], "statement 2 of 3: Table 'story.nothing' doesn't exist (42S02)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_reaches_the_database() {
    let (bench, database) = open().await;
    let mut watch = database.connect().await.unwrap();
    let mut sleeping = async || {
        let count = "select count(*) from information_schema.processlist where info like 'select sleep%'";
        sqlx::query(count).fetch_one(&mut watch).await.unwrap().get::<i64, _>(0)
    };
    let task = bench.admin.submit("sleep", &[step("a", json!({"sql": "select sleep(600)", "source": "my"}))]).await;
    until("it sleeps", async || (sleeping().await == 1).then_some(())).await;
    bench.admin.act("cancelTask", &task).await;
    bench.admin.wait(&task, "CANCELED").await;
    until("it sleeps no more", async || (sleeping().await == 0).then_some(())).await;
}
