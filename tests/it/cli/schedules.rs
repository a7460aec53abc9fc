//! `schedules next`: what is due, and what is refused with which status.

use super::{done, run};

fn next(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &[&["schedules", "next"], arguments].concat())
}

#[test]
fn an_instant_a_line_is_printed() {
    let stockholm =
        ["--cron", "30 2 * * *", "--zone", "Europe/Stockholm", "--after", "2026-03-28T12:00:00Z", "-n", "2"];
    assert_eq!(next(&stockholm), "2026-03-29T01:00:00Z\n2026-03-30T00:30:00Z\n");
    let interval =
        ["--every", "300", "--anchor", "2026-01-01T00:00:10Z", "--after", "2026-01-01T01:00:10+01:00", "-n", "1"];
    assert_eq!(next(&interval), "2026-01-01T00:05:10Z\n");
    let late = ["--jitter", "600", "--id", "2fd69493-5005-4a2e-9e60-f6923040a48d", "-n", "1"];
    let daily = ["--cron", "@daily", "--after", "2025-12-31T12:00:00Z"];
    assert_eq!(next(&[&daily[..], &late].concat()), "2026-01-01T00:07:50Z\n");
    assert_eq!(next(&["--cron", "* * * * *"]).lines().count(), 5, "from now on");
}

#[test]
fn what_is_refused_names_its_code_and_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, said) in [
        (&["--cron", "60 * * * *"][..], "RANGE: minute: 60 is not within 0 to 59"),
        (&["--cron", "0 0 30 2 *"], "NEVER"),
        (&["--cron", "@daily", "--zone", "Europe/Stokholm"], "the nearest is Europe/Stockholm"),
        (&["--cron", "@daily", "--after", "yesterday"], "say it like 2026-03-29T01:00:00Z"),
        (&["--every", "0", "--anchor", "2026-01-01T00:00:00Z"], "--every"),
        (&["--every", "60"], "--anchor"),
        (&["--cron", "@daily", "--jitter", "60"], "--id"),
        (&[], "--cron"),
    ] {
        let (status, output, errors) = run(folder.path(), &[&["schedules", "next"], arguments].concat());
        assert_eq!((status, output.as_str()), (2, ""), "{arguments:?}: {errors}");
        assert!(errors.contains(said), "{arguments:?}: {errors}");
    }
}
