//! Stories of the engine and the graph, told to a whole server on each database.

/// A test of each story on each database.
macro_rules! stories {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::$story(super::Bench::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::$story(super::Bench::postgres().await).await;
            })+
        }
    };
}

mod accept;
mod again;
mod asked;
mod batch;
pub(crate) mod bench;
mod command;
mod cost;
mod crowd;
mod environment;
mod found;
mod history;
mod http;
mod lab;
mod live;
mod log;
pub(crate) mod metric;
mod mysql;
mod names;
mod pages;
mod queue;
mod recovery;
mod refuse;
mod removal;
mod retention;
mod run;
mod secret;
mod sleep;
mod sql;
mod statements;
pub(crate) mod step;
mod stop;
mod subscribe;
mod tenants;
mod vsphere;
mod wire;
mod workers;
