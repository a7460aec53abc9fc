//! Stories of the engine and the graph, told to a whole server on each database.

/// A test of each story on each database.
macro_rules! stories {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::$story(crate::engine::bench::Bench::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::$story(crate::engine::bench::Bench::postgres().await).await;
            })+
        }
    };
}

mod bench;
mod run;
mod step;
