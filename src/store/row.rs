//! Rows of some columns of a table, read by their places in the statement: a list reads what it shows, and looks no name
//! up for each value of each row.

/// Declares a row: each field with its column of the entity.
macro_rules! row {
    ($(#[$doc:meta])* $Row:ident of $entity:ident {
        $($(#[$about:meta])* $field:ident: $Type:ty = $Column:ident),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Row { $($(#[$about])* pub $field: $Type),+ }

        impl $Row {
            /// The rows that a query finds.
            pub(in crate::store) fn of(query: sea_orm::Select<$entity::Entity>) -> sea_orm::Selector<sea_orm::SelectModel<Self>> {
                use sea_orm::QuerySelect as _;
                query.select_only().columns([$($entity::Column::$Column),+]).into_model()
            }
        }

        impl sea_orm::FromQueryResult for $Row {
            fn from_query_result(row: &sea_orm::QueryResult, _: &str) -> Result<Self, sea_orm::DbErr> {
                let mut places = 0_usize..;
                // Fields are read in the order in which they are written here, which is that of the columns.
                Ok(Self { $($field: row.try_get_by_index(places.next().unwrap_or_default())?),+ })
            }
        }
    };
}

/// The same of a whole row: each column with its field, but for those that nobody reads.
macro_rules! whole_row {
    ($(#[$doc:meta])* $Row:ident of $entity:ident { $($field:ident = $Column:ident),+ $(,)? } without { $($unread:ident),* }) => {
        $(#[$doc])*
        struct $Row($entity::Model);

        impl $Row {
            /// A query that finds such rows.
            fn select(query: sea_orm::Select<$entity::Entity>) -> sea_orm::Select<$entity::Entity> {
                query.select_only().columns([$($entity::Column::$Column),+])
            }
        }

        impl sea_orm::FromQueryResult for $Row {
            fn from_query_result(row: &sea_orm::QueryResult, _: &str) -> Result<Self, sea_orm::DbErr> {
                let mut places = 0_usize..;
                Ok(Self($entity::Model {
                    $($field: row.try_get_by_index(places.next().unwrap_or_default())?,)+
                    $($unread: None),*
                }))
            }
        }
    };
}

pub(super) use {row, whole_row};
