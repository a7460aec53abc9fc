//! The differential test: each route and the GraphQL document that does the same, on the same hundred tasks, field by
//! field. What a dialect calls otherwise is translated here, by hand, from the graph's words.

mod linkis;
mod ocp;
mod vsphere;

use taskloom::compat::DIALECTS;

/// The GraphQL document of an operation.
fn document(operation: &str) -> &'static str {
    let mut documents = DIALECTS.iter().flat_map(|dialect| dialect.documents);
    documents.find(|(name, _)| *name == operation).unwrap().1
}
