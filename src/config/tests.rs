//! Layers, origins and mistakes of the settings.

use std::time::Duration;

use super::{DEFAULTS, Flag, Settings, Sources, load, mask};

fn sources(folder: &tempfile::TempDir, file: &str) -> Sources {
    std::fs::write(folder.path().join("taskloom.toml"), file).unwrap();
    Sources { data_dir: folder.path().into(), ..Sources::default() }
}

fn mistakes(file: &str, environment: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = sources(&folder, file);
    sources.environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let prefix = format!("{}/", folder.path().display());
    let faults = load(&sources).unwrap_err();
    faults.0.iter().map(|fault| fault.to_string().replace(&prefix, "")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_defaults_are_valid_and_complete() {
    let settings = Settings::defaults("/nowhere");
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.worker.lease, Duration::from_secs(15));
    assert_eq!(settings.log.limit.0, 1 << 30);
    assert!(settings.worker.slots.0 >= 4);
    let written = DEFAULTS.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')).count();
    assert_eq!(written, settings.show().len(), "a key stands in taskloom.toml or in section.rs alone");
}

#[test]
fn every_default_is_explained() {
    let lines: Vec<_> = DEFAULTS.lines().collect();
    let bare = lines.windows(2).filter(|pair| pair[1].contains(" = ") && pair[0].is_empty()).collect::<Vec<_>>();
    assert!(bare.is_empty(), "{bare:?}");
}

#[test]
fn the_later_layer_counts_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = sources(&folder, "[worker]\nslots = 3\nlease = \"20s\"\n\n[server]\nlisten = \"127.0.0.1:1\"\n");
    sources.environment = vec![
        ("TASKLOOM_WORKER__SLOTS".into(), "5".into()),
        ("TASKLOOM_WORKER__LABELS".into(), "linux, gpu".into()),
        ("TASKLOOM_LISTEN".into(), "127.0.0.1:2".into()),
        ("TASKLOOM_PARAM_host".into(), "left to the processes of subtasks".into()),
    ];
    sources.flags = vec![Flag { name: "--listen", key: "server.listen", value: "127.0.0.1:3".into() }];
    let loaded = load(&sources).unwrap();
    assert_eq!(loaded.settings.worker.slots.0, 5);
    assert_eq!(loaded.settings.worker.labels, ["linux", "gpu"]);
    assert_eq!(loaded.settings.server.listen.port(), 3);
    assert_eq!(loaded.origins["server.listen"].to_string(), "--listen");
    assert_eq!(loaded.origins["worker.slots"].to_string(), "TASKLOOM_WORKER__SLOTS");
    assert!(loaded.origins["worker.lease"].to_string().ends_with("taskloom.toml:3"));
    assert_eq!(loaded.origins["worker.renew"].to_string(), "default");
}

#[test]
fn an_unknown_key_names_its_line_and_the_nearest() {
    let file = "[server]\nlisen = \"127.0.0.1:1\"\n\n[sever]\nlisten = \"127.0.0.1:1\"\n";
    insta::assert_snapshot!(mistakes(file, &[("TASKLOOM_WORKER__SLOT", "1")]), @r#"
    taskloom.toml:2: unknown key server.lisen: did you mean server.listen?
    taskloom.toml:5: unknown key sever.listen: did you mean server.listen?
    TASKLOOM_WORKER__SLOT: unknown key worker.slot: did you mean worker.slots?
    "#);
}

#[test]
fn a_variable_that_may_be_somebody_else_s_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = sources(&folder, "");
    let variables = ["TASKLOOM_PORT", "TASKLOOM_PORT_8080_TCP_ADDR", "TASKLOOM_SERVICE_HOST", "TASKLOOM_LISTEM"];
    sources.environment = variables.map(|name| (name.to_owned(), "tcp://10.0.0.1:8080".to_owned())).to_vec();
    let loaded = load(&sources).unwrap();
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(warnings.join("\n"), @r"
    TASKLOOM_PORT: unknown variable, left alone: settings are TASKLOOM_SECTION__KEY, with two underscores
    TASKLOOM_PORT_8080_TCP_ADDR: unknown variable, left alone: settings are TASKLOOM_SECTION__KEY, with two underscores
    TASKLOOM_SERVICE_HOST: unknown variable, left alone: settings are TASKLOOM_SECTION__KEY, with two underscores
    TASKLOOM_LISTEM: unknown variable: did you mean TASKLOOM_LISTEN?
    ");
    assert_eq!(loaded.settings.server.listen.to_string(), "127.0.0.1:8080");
}

#[test]
fn a_wrong_type_names_what_is_expected() {
    let file = "[server]\nlisten = 8080\n\n[worker]\nslots = \"many\"\nlease = \"15\"\n\n[log]\nlimit = \"1 GiB\"\nchunk = \"0B\"\n";
    insta::assert_snapshot!(mistakes(file, &[("TASKLOOM_TELEMETRY__FORMAT", "xml")]), @r#"
    taskloom.toml:2: server.listen: expected an address and a port, such as 127.0.0.1:8080, [::]:8080, localhost:8080, or :8080 for every address, found 8080
    taskloom.toml:5: worker.slots: expected a whole number, or 0 for twice the processors, found "many"
    taskloom.toml:6: worker.lease: expected a duration above zero, such as 500ms, 30s, 10m, 2h or 7d, found "15"
    taskloom.toml:10: log.chunk: expected a size above zero, such as 64KiB, 2MiB or 1GiB, found "0B"
    TASKLOOM_TELEMETRY__FORMAT: telemetry.format: expected pretty or json, found "xml"
    "#);
}

#[test]
fn keys_must_agree_with_each_other() {
    insta::assert_snapshot!(mistakes("[worker]\nlease = \"8s\"\n", &[]), @r#"
    taskloom.toml:2: worker.renew: expected at most half of worker.lease, so that one sign of life may be lost
    "#);
}

#[test]
fn a_shutdown_may_be_given_no_time() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = load(&sources(&folder, "[worker]\nshutdown_grace = \"0s\"\n")).unwrap();
    assert!(loaded.settings.worker.shutdown_grace.0.is_zero());
    assert!(loaded.render().contains("shutdown_grace = \"0s\""), "{}", loaded.render());
    assert!(mistakes("[worker]\ngrace = \"0s\"\n", &[]).contains("a duration above zero"));
}

#[test]
fn broken_toml_names_its_line() {
    insta::assert_snapshot!(mistakes("[server]\n\nlisten = \n", &[]), @r#"
    taskloom.toml:3: string values must be quoted, expected literal string
    "#);
}

#[test]
fn a_password_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let url = "postgres://loom:s3cr@t@db/taskloom?sslmode=require&sslpassword=hidden";
    let loaded = load(&sources(&folder, &format!("[database]\nurl = \"{url}\"\n"))).unwrap();
    let shown = format!("{}{:?}", loaded.render(), loaded);
    assert!(shown.contains("postgres://loom:***@db/taskloom?sslmode=require&sslpassword=***"), "{shown}");
    assert!(!shown.contains("s3cr") && !shown.contains("hidden"), "{shown}");
    assert_eq!(loaded.settings.database.url.unwrap().expose(), url);
    assert_eq!(mask("postgres://me:se:cr@et@db:5432/x"), "postgres://me:***@db:5432/x");
    assert_eq!(mask("nonsense"), "nonsense");
    let refused = mistakes("", &[("TASKLOOM_DATABASE_URL", "mysql://loom:secret@db/x")]);
    assert!(!refused.contains("secret") && refused.contains("expected an address such as postgres://"), "{refused}");
}

#[test]
fn what_is_shown_can_be_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = load(&sources(&folder, "[worker]\nlabels = [\"a\"]\n")).unwrap().render();
    let second = load(&sources(&folder, &first)).unwrap();
    assert_eq!(second.settings.worker.labels, ["a"]);
}
