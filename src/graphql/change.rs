//! Inputs that name one thing and payloads that show it. Each mutation has a type of each of its own, so that one can
//! take or tell more some day without its siblings.

/// Inputs of nothing but the thing's id or number.
macro_rules! names_one {
    ($kind:literal as $id:ident: $($(#[$about:meta])* $input:ident)+) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, async_graphql::InputObject)]
        pub struct $input {
            /// Its id; or give `databaseId`.
            id: Option<async_graphql::ID>,
            /// Its number; or give `id`.
            database_id: Option<crate::gql::scalar::BigInt>,
        }

        impl $input {
            fn decode(self) -> crate::error::Result<$id> {
                crate::gql::id::pick($kind, self.id, self.database_id).map($id)
            }
        }
    )+};
}

/// Payloads of nothing but the thing.
macro_rules! shows_one {
    ($field:ident: $shown:ty, of $row:ty: $($(#[$about:meta])* $payload:ident)+) => {$(
        $(#[$about])*
        #[derive(Debug, async_graphql::SimpleObject)]
        pub struct $payload {
            /// As it stands now; as it was, where it is no more.
            $field: $shown,
        }

        impl From<$row> for $payload {
            fn from(row: $row) -> Self {
                Self { $field: row.into() }
            }
        }
    )+};
}

pub(super) use {names_one, shows_one};
