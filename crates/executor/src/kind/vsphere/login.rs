//! The way into a vCenter, which is taken again when a session was lost.

use crate::executor::program::VcenterLogin;
use crate::vsphere::{Client, Error, Limits, Session};

pub(super) async fn sign_in(server: &VcenterLogin, locale: &str) -> Result<Session, Error> {
    let client = Client::connect(&server.address, &server.trust, Limits::default()).await?;
    client.sign_in(&server.user, server.password.expose(), locale).await
}
