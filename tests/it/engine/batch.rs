//! The rows of a batch reach the database as they are: NULL is NULL, and nothing that could be written for it is.

use sea_orm::ConnectionTrait;
use taskloom::store::bulk::BulkRows;

use super::lab::Lab as Bench;

stories!(each_value_of_a_batch_comes_back_as_it_was);

type Row = (Option<i64>, Option<i32>, Option<f64>, bool, Option<String>);

async fn each_value_of_a_batch_comes_back_as_it_was(lab: Bench) {
    let texts =
        ["", "NULL", "null", "\u{1}", "\"", "\\", "a\"b\\\\c\\\"", "{,}", "{1,NULL}", " x ", "two\nlines\t", "界🙂'$1"];
    let mut sent: Vec<Row> = vec![
        (None, None, None, false, None),
        (Some(i64::MIN), Some(i32::MIN), Some(f64::MIN), true, Some("least".into())),
        (Some(i64::MAX), Some(i32::MAX), Some(f64::MAX), true, None),
        (Some(-1), None, Some(f64::MIN_POSITIVE), false, Some("small".into())),
        (None, Some(0), Some(-0.1), true, None),
    ];
    sent.extend(texts.map(|text| (None, None, None, false, Some(text.to_owned()))));
    let mut rows = BulkRows::default();
    for (place, (long, short, real, is, text)) in (0_i64..).zip(sent.clone()) {
        rows.push([place.into(), long.into(), short.into(), real.into(), is.into(), text.into()]);
    }
    let (select, order) = ("SELECT v.* FROM ", "WHERE v.column1 IS NOT NULL ORDER BY v.column1");
    let mut come: Vec<Row> = vec![];
    for statement in rows.statements(lab.store().backend(), select, order) {
        for row in lab.store().read().query_all_raw(statement).await.unwrap() {
            let at = |number: u8| format!("column{number}");
            come.push((
                row.try_get("", &at(2)).unwrap(),
                row.try_get("", &at(3)).unwrap(),
                row.try_get("", &at(4)).unwrap(),
                row.try_get("", &at(5)).unwrap(),
                row.try_get("", &at(6)).unwrap(),
            ));
        }
    }
    assert_eq!(come, sent);
}
