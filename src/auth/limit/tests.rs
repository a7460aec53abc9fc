//! Guesses of every kind, one after the other and at once.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::join_all;

use super::*;
use crate::clock::HeldClock;

const NOW: Timestamp = Timestamp(1_000_000_000_000);

/// Failures under a clock that stands.
struct FailuresFixture(Failures, Arc<HeldClock>);

impl FailuresFixture {
    fn new() -> Self {
        Self(Failures::default(), HeldClock::at(NOW))
    }

    /// Leave for a guess that has nobody to wait for.
    fn permit(&self, name: &str, from: Option<IpAddr>) -> Result<Permit<'_>> {
        self.0.permit(name, from, self.1.as_ref()).now_or_never().expect("nobody is waited for")
    }

    fn fail(&self, name: &str, from: Option<IpAddr>) {
        self.permit(name, from).unwrap().failed();
    }
}

fn address(last: u8) -> Option<IpAddr> {
    Some(IpAddr::from([10, 0, 0, last]))
}

#[tokio::test]
async fn an_address_that_failed_too_often_waits() {
    let door = FailuresFixture::new();
    for n in 0..10 {
        door.fail(&format!("user{n}"), address(1));
    }
    let refused = door.permit("other", address(1)).unwrap_err();
    assert_eq!(refused.code(), &code::TOO_MANY_REQUESTS);
    assert_eq!(refused.pause(), Some(Duration::from_secs(7)));
    door.permit("other", address(2)).unwrap().untried();
    door.1.advance(Duration::from_secs(7));
    door.permit("other", address(1)).unwrap().untried();
}

#[tokio::test]
async fn one_address_cannot_lock_a_name_but_a_crowd_slows_it() {
    let door = FailuresFixture::new();
    for from in 1..=3 {
        for _ in 0..10 {
            door.fail("admin", address(from));
        }
    }
    door.permit("admin", address(9)).unwrap_err();
    door.permit("ann", address(9)).unwrap().untried();
    door.1.advance(Duration::from_secs(5));
    door.permit("admin", address(9)).unwrap().untried();
}

#[tokio::test]
async fn a_user_is_not_locked_out_where_it_signed_in_lately() {
    let door = FailuresFixture::new();
    door.permit("ann", address(1)).unwrap().passed();
    for from in 1..=4 {
        for _ in 0..10 {
            let _ = door.permit("bob", address(from)).map(Permit::failed);
        }
    }
    for from in 2..=4 {
        let _ = door.permit("ann", address(from)).map(Permit::failed);
    }
    door.permit("bob", address(1)).unwrap_err();
    door.permit("ann", address(1)).unwrap().passed();
    for _ in 0..10 {
        door.fail("ann", address(1));
    }
    door.permit("ann", address(1)).unwrap_err();
    door.1.advance(LATELY);
    door.permit("ann", address(1)).unwrap().untried();
}

#[tokio::test]
async fn as_many_at_once_are_no_more_than_one_after_the_other() {
    let door = FailuresFixture::new();
    let guess = async |name: &str, from| {
        let permit = door.0.permit(name, from, door.1.as_ref()).await?;
        tokio::task::yield_now().await;
        permit.failed();
        Ok::<_, Error>(())
    };
    let tried = join_all((0..300).map(|_| guess("admin", address(1)))).await;
    assert_eq!(tried.iter().filter(|tried| tried.is_ok()).count(), FAILURES as usize);
    let mut refused = tried.iter().filter_map(|tried| tried.as_ref().err());
    assert!(refused.all(|error| error.code() == &code::TOO_MANY_REQUESTS));
}

#[tokio::test]
async fn who_knows_its_password_waits_for_its_turn_and_is_not_refused() {
    let door = FailuresFixture::new();
    let guess = async |n: usize| {
        let permit = door.0.permit(&format!("user{n}"), address(1), door.1.as_ref()).await?;
        tokio::task::yield_now().await;
        permit.passed();
        Ok::<_, Error>(())
    };
    let tried = join_all((0..100).map(guess)).await;
    assert!(tried.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_guess_that_nobody_waits_for_costs() {
    let door = FailuresFixture::new();
    for _ in 0..10 {
        drop(door.permit("ann", address(1)).unwrap());
    }
    door.permit("ann", address(1)).unwrap_err();
}

#[tokio::test]
async fn a_network_of_version_6_counts_as_one() {
    let door = FailuresFixture::new();
    for n in 0..10 {
        let from: IpAddr = format!("2001:db8::{n}").parse().unwrap();
        door.fail(&format!("user{n}"), Some(from));
    }
    door.permit("other", Some("2001:db8::ffff".parse().unwrap())).unwrap_err();
    door.permit("other", Some("2001:db8:0:1::1".parse().unwrap())).unwrap().untried();
}

#[tokio::test]
async fn memory_is_bounded() {
    let door = FailuresFixture::new();
    for n in 0..CAPACITY + 50 {
        door.fail(&format!("user{n}"), None);
        let who = IpAddr::from(u128::try_from(n).unwrap().to_be_bytes());
        door.0.lock().remember((secret::fingerprint(&["ann"]), who), NOW.after(Duration::from_millis(n as u64)));
    }
    assert!(door.0.lock().accounts.len() <= CAPACITY && door.0.lock().lately.len() <= CAPACITY);
}
