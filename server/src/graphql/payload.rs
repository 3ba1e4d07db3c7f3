//! The answers of mutations: the object, and why it was refused.

/// Makes a payload type with one nullable result besides `userErrors`, and the conversion from an outcome.
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident: $type:ty }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $(#[$field_doc])*
            pub $field: Option<$type>,
            /// Why the request was refused, if it was.
            pub user_errors: Vec<crate::graphql::error::UserError>,
        }

        impl<T: Into<$type>> From<crate::graphql::error::Outcome<T>> for $name {
            fn from(outcome: crate::graphql::error::Outcome<T>) -> Self {
                match outcome {
                    Ok(value) => Self { $field: Some(value.into()), user_errors: Vec::new() },
                    Err(user_errors) => Self { $field: None, user_errors },
                }
            }
        }
    };
}

pub(crate) use payload;
