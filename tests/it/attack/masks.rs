//! Secrets that a step repeats through the encoders of real programs: none of them is readable in its log.

use serde_json::{Value, json};

use super::figure;
use crate::engine::bench::Bench;
use crate::engine::step::step;

/// Awkward for each encoder in its own way; the last has lines in base64 and hexadecimal.
const SECRETS: [&str; 4] = [
    "p\"a'ss/w=rd &<ö升😀>\u{1b}$\\",
    "https://user:pass/w@host?q=a b#c",
    "пароль с пробелом/и косой",
    "a secret that is longer than a line of base64, twice over: 0123456789 0123456789 0123456789",
];

/// Says each of its secrets as each of these libraries writes it, a line or some an encoder.
const PYTHON: &str = r#"
import base64, html, json, os, re, shlex, subprocess, urllib.parse
say = lambda name, text: print(name, ">>", text, "<<", flush=True)
for at in range(4):
    s = os.environ[f"TASKLOOM_SECRET_s{at}"]
    b = s.encode()
    say("quote", urllib.parse.quote(s))
    say("quote all", urllib.parse.quote(s, safe=""))
    say("quote_plus", urllib.parse.quote_plus(s))
    say("urlencode", urllib.parse.urlencode({"k": s}))
    say("lower case", re.sub("%..", lambda found: found[0].lower(), urllib.parse.quote(s)))
    say("json", json.dumps({"k": s}))
    say("json as it is", json.dumps(s, ensure_ascii=False))
    say("json in json", json.dumps(json.dumps(s)))
    say("json with slashes", json.dumps(s).replace("/", "\\/"))
    say("html", html.escape(s))
    say("references", s.encode("ascii", "xmlcharrefreplace").decode())
    say("shlex", shlex.quote(s))
    say("repr", repr(s))
    say("ascii", ascii(s))
    say("bytes", repr(b))
    say("hex", b.hex())
    say("HEX", b.hex().upper())
    for before in range(3):
        say("base64", base64.b64encode(b"x" * before + b + b"y").decode())
        say("base64url", base64.urlsafe_b64encode(b"x" * before + b).decode().rstrip("="))
    say("base64 in lines", base64.encodebytes(b).decode())
    for code in ["printf '%q' \"$1\"", "LC_ALL=C; printf '%q' \"$1\"", "x=$1; declare -p x", "printf '%s' \"${1@Q}\""]:
        say(code[:6], subprocess.run(["bash", "-c", code, "-", s], capture_output=True).stdout.decode())
    say("xtrace", subprocess.run(["sh", "-xc", ": \"$1\"", "-", s], capture_output=True).stderr.decode())
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_forms_of_real_encoders_are_unreadable() {
    let bench = Bench::sqlite().await;
    let names: Vec<String> = (0..SECRETS.len()).map(|at| format!("s{at}")).collect();
    let put = "mutation($input: PutSecretInput!) { putSecret(input: $input) { __typename } }";
    for (name, value) in names.iter().zip(SECRETS) {
        let input = json!({"name": name, "value": value, "tenantId": bench.tenant().await});
        bench.admin.get(put, json!({"input": input}), "").await;
    }
    let task = bench.admin.submit("say", &[step("a", json!({"python": PYTHON})).with("secrets", json!(names))]).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    let a = bench.admin.subtask(&task, "a", "log { lines { text } }").await;
    let lines: Vec<&str> = a["log"]["lines"].as_array().unwrap().iter().map(text).collect();
    let log = lines.join("\n");
    let said: Vec<(&str, &str)> =
        log.split("<<").filter_map(|line| line.trim_start_matches([' ', '\n']).split_once(">>")).collect();
    assert!(said.len() > 100, "{log}");
    for (encoder, shown) in said {
        // What an encoder puts around it is short; base64 may leave the letters in which its neighbours have a share.
        let left = shown.replace("***", "");
        assert!(left.trim().len() <= 24, "{encoder}: {shown}");
    }
    figure::note(
        "masks::the_forms_of_real_encoders_are_unreadable",
        "secrets through 29 encoders of Python, bash and sh",
        "none is readable in the log",
        "all masked",
    );
}

fn text(line: &Value) -> &str {
    line["text"].as_str().unwrap()
}
