//! Each limit refuses what is above it with `QUERY_TOO_COMPLEX`, also the documents that end a process without it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use async_graphql::{Executor, Response};
use futures::StreamExt;
use taskloom::gql::error::{ResponseContext, finish};
use taskloom::gql::limits::{OperationLimits, Sizes};

use super::server::schema;

/// Limits for who has signed in, or is asked by a part of the server, as here.
fn users(users: Sizes) -> OperationLimits {
    OperationLimits { users, ..OperationLimits::default() }
}

/// The code and message of a document's refusal; none when it passes.
async fn refusal(limits: &OperationLimits, document: impl Into<String>) -> Option<(String, String)> {
    let document = document.into();
    let mut over_http = schema(limits).execute(document.as_str().into()).await;
    let mut as_stream: Response =
        schema(limits).execute_stream(document.as_str().into(), None).next().await.expect("a stream says something");
    finish(&mut over_http, &ResponseContext::default());
    finish(&mut as_stream, &ResponseContext::default());
    assert_eq!(over_http.errors, as_stream.errors, "the guard stands before every transport");
    let error = over_http.errors.into_iter().next()?;
    let code = serde_json::to_value(&error).expect("serializes")["extensions"]["code"].as_str()?.to_owned();
    Some((code, error.message))
}

async fn assert_too_complex(limits: &OperationLimits, document: impl Into<String>, what: &str) {
    let (code, message) = refusal(limits, document).await.unwrap_or_else(|| panic!("{what} was let through"));
    assert_eq!((code.as_str(), message.contains(what)), ("QUERY_TOO_COMPLEX", true), "{message}");
}

/// As many of something as the limit allows pass; one more does not.
async fn assert_limit(limits: &OperationLimits, what: &str, limit: usize, document: impl Fn(usize) -> String) {
    assert_eq!(refusal(limits, document(limit)).await, None, "{limit} {what} are allowed");
    assert_too_complex(limits, document(limit + 1), &format!("{what} > {limit}")).await;
}

#[tokio::test]
async fn documents_that_would_end_the_process_are_refused() {
    let limits = OperationLimits::default();
    for (open, close) in [("[", "]"), ("{a:", "}")] {
        let document = format!("{{ swallow(any: {}1{}) }}", open.repeat(1500), close.repeat(1500));
        assert_too_complex(&limits, document, "levels of brackets > 60").await;
        let unclosed = format!("{{ swallow(any: {}", open.repeat(1500));
        assert_too_complex(&limits, unclosed, "levels of brackets > 60").await;
    }
    let mut chain = String::from("{ task { id } }");
    for n in 0..5000 {
        write!(chain, " fragment f{n} on Task {{ ...f{} }}", n + 1).expect("writes");
    }
    let all = Sizes { bytes: 1_000_000, tokens: 1_000_000, ..Sizes::USERS };
    assert_too_complex(&users(all), &chain, "fragments > 100").await;
    assert_too_complex(&users(Sizes { bytes: 1_000_000, ..Sizes::USERS }), chain, "tokens > 10000").await;
}

#[tokio::test]
async fn a_chain_of_fragments_is_as_deep_as_it_is_long() {
    let chain = |length: usize| {
        let mut chain = String::from("{ task { ...f1 } }");
        for n in 1..length {
            write!(chain, " fragment f{n} on Task {{ ...f{} }}", n + 1).expect("writes");
        }
        chain + &format!(" fragment f{length} on Task {{ id }}")
    };
    assert_limit(&OperationLimits::default(), "levels of selections", 60, |n| chain(n - 2)).await;
}

#[tokio::test]
async fn what_expands_is_refused_without_being_expanded() {
    let mut bomb = String::from("{ task { ...f0 } }");
    for n in 0..24 {
        write!(bomb, " fragment f{n} on Task {{ ...f{} ...f{} }}", n + 1, n + 1).expect("writes");
    }
    bomb.push_str(" fragment f24 on Task { id }");
    let wide = format!("{{ task {{ {} }} }} fragment f on Task {{ {} }}", "...f ".repeat(2000), "id ".repeat(2000));
    let begun = Instant::now();
    assert_too_complex(&OperationLimits::default(), bomb, "selected fields > 10000").await;
    assert_too_complex(&OperationLimits::default(), wide, "selected fields > 10000").await;
    assert!(begun.elapsed() < Duration::from_secs(5), "without a guard these take minutes");
}

#[tokio::test]
async fn each_limit_lets_its_number_pass_and_no_more() {
    let all = OperationLimits::default();
    let task = |fields: String| format!("{{task{{{fields}}}}}");
    let numbered = |n: usize, name: &dyn Fn(usize) -> String| (0..n).map(name).collect::<Vec<_>>().join(" ");

    assert_limit(&users(Sizes { bytes: 400, ..Sizes::USERS }), "bytes", 400, |n| {
        task("id".into()) + &",".repeat(n - 10)
    })
    .await;
    let tokens = users(Sizes { tokens: 40, ..Sizes::USERS });
    assert_limit(&tokens, "tokens", 40, |n| task("id ".repeat(n - 5))).await;
    let nesting = OperationLimits { nesting: 9, ..users(Sizes { depth: 100, ..Sizes::USERS }) };
    assert_limit(&nesting, "levels of brackets", 9, |n| task("next{".repeat(n - 2) + "id" + &"}".repeat(n - 2))).await;
    let depth = users(Sizes { depth: 9, ..Sizes::USERS });
    assert_limit(&depth, "levels of fields", 9, |n| task("next{".repeat(n - 2) + "id" + &"}".repeat(n - 2))).await;
    let selections = users(Sizes { selections: 40, ..Sizes::USERS });
    assert_limit(&selections, "selected fields", 40, |n| task("id ".repeat(n - 1))).await;
    let aliases = users(Sizes { aliases: 9, ..Sizes::USERS });
    assert_limit(&aliases, "aliases", 9, |n| task(numbered(n, &|i| format!("a{i}:id")))).await;
    let roots = users(Sizes { roots: 9, ..Sizes::USERS });
    assert_limit(&roots, "root fields", 9, |n| format!("{{{}}}", "__typename ".repeat(n))).await;
    let directives = users(Sizes { directives: 9, ..Sizes::USERS });
    assert_limit(&directives, "directives", 9, |n| task("id @include(if: true) ".repeat(n))).await;
    let fragments = OperationLimits { fragments: 9, ..all.clone() };
    let fragment = |i| format!("fragment f{i} on Task {{ id }}");
    let spreads = |n| task(numbered(n, &|i| format!("...f{i}"))) + &numbered(n, &fragment);
    assert_limit(&fragments, "fragments", 9, spreads).await;
    let variables = users(Sizes { variables: 9, ..Sizes::USERS });
    let variable = |i| format!("$v{i}");
    let query = |n| {
        let defined = numbered(n, &|i| format!("$v{i}: Int"));
        format!("query({defined}) {{ swallow(any: [{}]) }}", numbered(n, &variable))
    };
    assert_limit(&variables, "variables", 9, query).await;
    let lists = |n| format!("{{__type(name:\"Task\"){{{}name{}}}}}", "fields{type{".repeat(n), "}}".repeat(n));
    assert_limit(&all, "lists in introspection", 2, lists).await;
    let complexity = OperationLimits { complexity: 100, ..all.clone() };
    assert_limit(&complexity, "complexity", 100, |n| {
        task(format!("list(first:{}){{list(first:1){{id}}}}", (n - 1) / 3) + if (n - 1) % 3 == 0 { "" } else { " id" })
    })
    .await;
}

#[tokio::test]
async fn directives_count_wherever_they_stand() {
    let limits = users(Sizes { directives: 9, ..Sizes::USERS });
    let many = "@include(if: true) ".repeat(10);
    for document in [
        format!("query {many} {{ task {{ id }} }}"),
        format!("{{ task {{ ...f }} }} fragment f on Task {many} {{ id }}"),
        format!("{{ task {{ ...f {many} }} }} fragment f on Task {{ id }}"),
        format!("{{ task {{ ... on Task {many} {{ id }} }} }}"),
        format!("query($v: Int {many}) {{ task(id: $v) {{ id }} }}"),
    ] {
        assert_too_complex(&limits, document, "directives > 9").await;
    }
}

#[tokio::test]
async fn operations_are_limited_and_counted_together() {
    let operations = |n: usize| (0..n).map(|i| format!("query q{i} {{ __typename }} ")).collect::<String>();
    let limits = OperationLimits { operations: 9, ..OperationLimits::default() };
    assert_too_complex(&limits, operations(10), "operations > 9").await;
    let (code, message) = refusal(&limits, operations(9)).await.expect("no operation is chosen");
    assert_eq!(code, "BAD_REQUEST", "{message}");
    let chosen = async_graphql::Request::new(operations(9)).operation_name("q3");
    assert!(schema(&limits).execute(chosen).await.is_ok());
}

#[tokio::test]
async fn fragments_in_a_circle_or_without_use_are_refused() {
    let limits = OperationLimits::default();
    for (document, reason) in [
        ("{ task { ...a } } fragment a on Task { ...a }", "the fragment a contains itself"),
        ("{ task { ...a } } fragment a on Task { next { ...b } } fragment b on Task { ...a }", "contains itself"),
        ("{ task { id } } fragment a on Task { id }", "the fragment a is not used"),
        ("{ task { id } } fragment a on Task { ...a }", "the fragment a is not used"),
    ] {
        let (code, message) = refusal(&limits, document).await.expect("refused");
        assert_eq!((code.as_str(), message.contains(reason)), ("BAD_REQUEST", true), "{message}");
    }
}

#[tokio::test]
async fn megabytes_of_nothing_are_refused_before_parsing() {
    let limits = OperationLimits::default();
    for document in [
        format!("{{ task {{ id }} }} #{}", "x".repeat(10_000_000)),
        format!("{{ task {{ id }} }} {}", ",".repeat(10_000_000)),
        format!("{{ {} }}", "__typename ".repeat(1_000_000)),
    ] {
        assert_too_complex(&limits, document, "bytes > 262144").await;
    }
}

#[tokio::test]
async fn what_tools_ask_for_passes() {
    let introspection = include_str!("introspection.graphql");
    assert_eq!(refusal(&OperationLimits::default(), introspection).await, None);
    let response = schema(&OperationLimits::default()).execute(introspection.into()).await;
    assert!(response.data.to_string().contains("Subscriptions"), "it is answered, not only let through");
}

#[tokio::test]
async fn a_syntax_error_in_a_long_line_is_a_short_message() {
    let document = format!("{{ task {{ {} ]", "id ".repeat(9000));
    let (code, message) = refusal(&OperationLimits::default(), document).await.expect("refused");
    assert_eq!(code, "BAD_REQUEST");
    assert!(message.chars().count() <= 501, "{} characters", message.chars().count());
}
