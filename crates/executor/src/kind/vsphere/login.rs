//! The way into a vCenter, which is taken again when a session was lost.

use taskloom_vsphere::{Client, Error, Limits, Session};

use crate::program::VcenterLogin;

pub(super) async fn sign_in(server: &VcenterLogin, locale: &str) -> Result<Session, Error> {
    let client = Client::connect(&server.address, &server.trust, Limits::default()).await?;
    client.sign_in(&server.user, server.password.expose(), locale).await
}
