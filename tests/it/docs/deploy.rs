//! The files of `docs/deploy`, held against the settings, and read by the tools they are for where this machine has them.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::named::settings;
use super::page::source;
use crate::cli::taskloom;

fn file(name: &str) -> String {
    fs::read_to_string(source("docs/deploy").join(name)).unwrap()
}

/// The value of `key` in a file of lines.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().map(str::trim).find_map(|line| line.strip_prefix(key)?.strip_prefix(['=', ' ']));
    line.unwrap_or_else(|| panic!("no {key}")).trim_end_matches(';')
}

/// A setting's default.
fn default(section: &str, key: &str) -> String {
    let all: toml::Table = toml::from_str(include_str!("../../../src/config/taskloom.toml")).unwrap();
    all[section][key].as_str().unwrap().to_owned()
}

fn seconds(section: &str, key: &str) -> u64 {
    humantime::parse_duration(&default(section, key)).unwrap().as_secs()
}

#[test]
fn the_unit_gives_the_server_what_it_needs() {
    let unit = file("taskloom.service");
    assert_eq!((value(&unit, "KillMode"), value(&unit, "Delegate")), ("mixed", "yes"));
    let stop: u64 = value(&unit, "TimeoutStopSec").parse().unwrap();
    assert!(stop > seconds("worker", "shutdown_grace") + seconds("worker", "grace"), "{stop}");

    let start = value(&unit, "ExecStart");
    let (program, rest) = start.split_once(' ').unwrap();
    let help = taskloom().args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let options = rest.split(' ').filter(|word| word.starts_with("--")).collect::<Vec<_>>();
    assert!(!options.is_empty() && options.iter().all(|option| help.contains(option)), "{rest}");

    // With the program that there is here.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("taskloom.service");
    fs::write(&copy, unit.replace(program, env!("CARGO_BIN_EXE_taskloom"))).unwrap();
    let Ok(verified) = Command::new("systemd-analyze").arg("verify").arg(&copy).output() else { return };
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("taskloom.service")).collect();
    assert!(ours.is_empty(), "{said}");
}

#[test]
fn the_image_is_built_and_started_as_the_source_says() {
    let recipe = file("Containerfile");
    let toolchain: toml::Table = toml::from_str(include_str!("../../../rust-toolchain.toml")).unwrap();
    let channel = toolchain["toolchain"]["channel"].as_str().unwrap();
    let image = value(&recipe, "FROM").split([':', '-']).nth(1).unwrap();
    assert!(channel.starts_with(&format!("{image}.")), "{image} is not {channel}");

    let environment = value(&recipe, "ENV");
    let listen = environment.split(' ').find_map(|pair| pair.strip_prefix("TASKLOOM_LISTEN=")).unwrap();
    assert_eq!(listen, format!("0.0.0.0:{}", value(&recipe, "EXPOSE")));
    let data = environment.split(' ').find_map(|pair| pair.strip_prefix("TASKLOOM_DATA_DIR=")).unwrap();
    assert_eq!(value(&recipe, "VOLUME"), data);
    assert!(recipe.contains("ENTRYPOINT [\"tini\", \"--\", \"taskloom\"]") && recipe.contains("CMD [\"serve\"]"));
}

/// A quiet stream or socket speaks more often than the proxy's patience lasts, and bodies are as large as the server's.
#[test]
fn the_proxies_let_through_what_the_server_takes() {
    let nginx = file("nginx.conf");
    let transport = taskloom::gql::transport::TransportSettings::default();
    let quiet: Duration = transport.keep_alive.max(transport.socket.ping);
    let patience: u64 = value(&nginx, "proxy_read_timeout").trim_end_matches('s').parse().unwrap();
    assert!(Duration::from_secs(patience) > quiet * 2, "{patience}");
    assert_eq!(value(&nginx, "proxy_buffering"), "off");
    assert_eq!(value(&nginx, "proxy_http_version"), "1.1");
    for header in ["Host $http_host", "Upgrade $http_upgrade", "X-Forwarded-For $proxy_add_x_forwarded_for"] {
        assert!(nginx.contains(&format!("proxy_set_header {header};")), "{header}");
    }
    assert_eq!(nginx.matches('{').count(), nginx.matches('}').count());
    let limit = default("server", "body_limit");
    assert_eq!(value(&nginx, "client_max_body_size"), limit.to_lowercase().trim_end_matches("ib"));
    assert_eq!(value(&file("Caddyfile"), "max_size"), limit);
    for text in [nginx, file("Caddyfile")] {
        assert!(text.contains(&default("server", "listen")), "{text}");
    }
}

#[test]
fn the_settings_beside_them_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let mut check = taskloom();
    check.current_dir(folder.path()).arg("check-config").arg("--config").arg(source("docs/deploy/taskloom.toml"));
    let output = check.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("format = \"json\""), "{shown}");
    let (keys, _) = settings();
    assert!(keys.contains("server.listen") && keys.contains("telemetry.format"));
}
