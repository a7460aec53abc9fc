//! `/v1/vsphere/task`: transcripts, the document's examples, roles, envelopes of what does not exist, sign-in.

use serde_json::Value;
use taskloom::compat::vsphere::DOCUMENTS;

use super::bench::{Bench, on_both};
use super::seed_vsphere::{FIRST, SECOND};
use super::transcript::{read, replay};

const LIST: &str = "/v1/vsphere/task/root/list";

#[tokio::test]
async fn every_answer_is_as_it_was_written_down() {
    replay(DOCUMENTS.iter().map(|(name, _)| *name)).await;
}

#[test]
fn every_route_has_its_transcripts() {
    for (operation, _) in DOCUMENTS {
        let cases = read(operation);
        for kind in ["success", "not found", "bad input", "not signed in", "wrong method"] {
            assert!(cases.iter().any(|case| case.title.starts_with(kind)), "{operation} has no case of {kind}");
        }
    }
}

/// What the document shows is what the same tasks give here, key by key and in the same order.
#[tokio::test]
async fn the_documents_examples_are_reproduced() {
    on_both(async |t| {
        let example: Value = serde_json::from_str(include_str!("vsphere-examples.json")).unwrap();
        let path = format!(
            "/v1/vsphere/task/root_recent/list?vsphere_uuid={FIRST}&cluster_uuid=52601d51-7b60-4e16-8c77-cedf08056c91"
        );
        let recent = t.call("GET", &path, "viewer").await.text().await.unwrap();
        let data = example["recent"].to_string();
        let whole =
            format!(r#"{{"scode":0,"desc":"","message":"success","message_cn":"成功","stack":null,"data":{data}}}"#);
        assert_eq!(recent, whole);
        let item = async |path: String, key: &str| {
            let page: Value = t.call("GET", &path, "viewer").await.json().await.unwrap();
            let list = page["data"]["list"].as_array().unwrap();
            list.iter().find(|item| item["key"] == key).unwrap_or_else(|| panic!("{page}")).to_string()
        };
        let listed = item(format!("{LIST}?vsphere_uuid={SECOND}&page_num=0&page_size=0"), "task-3247").await;
        assert_eq!(listed, example["listed"].to_string());
        let resource = "/v1/vsphere/task/resource/list";
        let of = item(format!("{resource}?vsphere_uuid={SECOND}&reference=Folder:group-d1"), "task-3276").await;
        assert_eq!(of, example["resource"].to_string());
    })
    .await;
}

#[tokio::test]
async fn every_route_asks_for_its_role_and_hides_foreign_vcenters() {
    on_both(async |t| {
        for (operation, _) in DOCUMENTS {
            let case = read(operation).into_iter().find(|case| case.title.starts_with("success")).unwrap();
            let path = case.request[0].split_once(' ').unwrap().1.to_owned();
            let scode = async |who| {
                let answer = t.call("GET", &path, who).await;
                let status = answer.status().as_u16();
                (status, answer.json::<Value>().await.unwrap()["scode"].as_u64().unwrap())
            };
            assert_eq!(scode("nobody").await, (401, 10401), "{operation}");
            for who in ["viewer", "manager", "admin"] {
                assert_eq!(scode(who).await, (200, 0), "{operation} by {who}");
            }
            assert_eq!(scode("stranger").await, (200, 18004), "{operation}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_does_not_exist_is_answered_in_the_envelope() {
    let t = Bench::sqlite().await;
    for path in ["/v1/vsphere/task", "/v1/vsphere/task/nothing", "/v1/vsphere/task/root/list/more"] {
        let answer = t.call("GET", path, "admin").await;
        assert_eq!(answer.status().as_u16(), 404, "{path}");
        assert_eq!(answer.json::<Value>().await.unwrap()["scode"], 10001, "{path}");
    }
}

#[tokio::test]
async fn a_token_signs_in_with_and_without_its_scheme() {
    let t = Bench::sqlite().await;
    let url = format!("http://{}{LIST}?vsphere_uuid={FIRST}", t.address);
    let token = t.token("viewer");
    for value in [token.to_owned(), format!("Bearer {token}")] {
        let answer = t.client.get(&url).header("authorization", value).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
    }
    let answer = t.client.get(&url).header("authorization", "tl_wrong").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 401);
}
