//! Who is calling. Reads credentials from a request, proves them against the store, and answers with a
//! [`Principal`]: its role and the tenants it may see.
//!
//! A secret (password, token, cookie) is never stored and never logged: what is kept of it is a digest, in memory
//! one salted by the process. Nothing here decides what a role may do; that is the resolvers' [`Principal::require`].

pub mod cookie;
pub mod credentials;
pub mod first_start;
pub mod gate;
pub mod limit;
pub mod origin;
pub mod password;
pub mod recent;
pub mod secret;
pub mod seen;
pub mod signature;
pub mod token;

pub use credentials::Credentials;
pub use gate::Authenticator;
pub use taskloom_core::principal::{self, Principal, Scope, Subject, Via};
