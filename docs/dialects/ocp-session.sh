#!/usr/bin/env bash
# An old client's session with curl, and beside each call what a GraphQL subscription saw of it:
#
#   TASKLOOM_ADMIN_PASSWORD=… docs/dialects/ocp-session.sh http://127.0.0.1:8080
#
# It submits a task of its own, by GraphQL, since the old API cannot: one step that can be undone, one that fails, one
# that takes a minute.
set -euo pipefail
OCP=${1:-http://127.0.0.1:8080}
: "${TASKLOOM_ADMIN_PASSWORD:?say the password of the user admin}"

seen=$(mktemp)
trap 'kill "${watcher:-}" 2>/dev/null || true; rm -f "$seen"' EXIT
# The password comes over a pipe: a command line can be read by everybody on the host.
ask() { curl -sS --config <(printf 'user = "admin:%s"\n' "$TASKLOOM_ADMIN_PASSWORD") "$@"; }
graph() { ask "$OCP/graphql" -H 'content-type: application/json' "$@"; }
# The first value of a key in JSON on one line.
value() { grep -o "\"$1\":[^,}]*" | head -n 1 | cut -d: -f2- | tr -d '"'; }

submitted=$(graph -d @- <<'JSON'
{"query": "mutation($spec: SpecInput!) { submitTask(input: {spec: $spec}) { task { id n: databaseId subtasks { name id: databaseId } events(first: 1) { nodes { cursor } } } } }",
 "variables": {"spec": {"name": "renew certificates", "subtasks": [
   {"name": "backup", "run": {"shell": "echo the old ones are kept"}, "undo": {"shell": "echo the old ones are back"}},
   {"name": "renew", "needs": ["backup"], "run": {"shell": "echo the authority does not answer; exit 3"}},
   {"name": "reload", "needs": ["renew"], "run": {"shell": "echo reloading; exec sleep 60"}}]}}}
JSON
)
task=$(value n <<<"$submitted") || { echo "$submitted" >&2; exit 1; }
step() { grep -o "\"name\":\"$1\",\"id\":\"*[0-9]*" <<<"$submitted" | grep -o '[0-9]*$'; }

# One line an event: what changed, and into what.
watch() {
    local query='subscription($id: ID, $after: String) { taskChanged(filter: {taskId: $id}, after: $after) { subtask { name } event { operation subtaskState taskState } } }'
    graph -N -H 'accept: text/event-stream' \
        -d "{\"query\": \"${query//\"/}\", \"variables\": {\"id\": \"$(value id <<<"$submitted")\", \"after\": \"$(value cursor <<<"$submitted" | tr -d ']')\"}}" |
        sed -un -e 's/.*"name":"\([^"]*\)"}.*"operation":"\([^"]*\)","subtaskState":"\([^"]*\)".*/\1 \3 by \2/p; t' \
            -e 's/.*"taskState":"\([^"]*\)".*/task \1/p'
}
watch >"$seen" 2>/dev/null &
watcher=$!

# call METHOD PATH [EVENT]: one call, the beginning of its answer, and the events up to the one that is waited for.
shown=0
call() {
    local answer
    answer=$(ask -X "$1" "$OCP$2")
    printf '\n%s %s\n    %.140s\n' "$1" "$2" "$answer"
    [ $# -lt 3 ] && return
    for _ in $(seq 300); do
        [ "$(news | tail -n 1)" = "$3" ] && break
        sleep 0.1
    done
    news | sed 's/^/    event: /'
    [ "$(news | tail -n 1)" = "$3" ] || { echo "the event did not come: $3" >&2; exit 1; }
    shown=$(wc -l <"$seen")
}
news() { tail -n "+$((shown + 1))" "$seen"; }

tasks=/api/v2/tasks/instances
call GET "$tasks?name=renew&size=1&sort=id,desc" 'task FAILED'
call GET "$tasks/$task"
call GET "$tasks/$task/subtasks/$(step renew)/log"
call POST "$tasks/$task/subtasks/$(step renew)/retry" 'task FAILED'
call POST "$tasks/$task/subtasks/$(step renew)/skip" 'reload RUNNING by EXECUTE'
call POST "$tasks/$task/subtasks/$(step reload)/cancel" 'task FAILED'
call POST "$tasks/$task/retry" 'reload RUNNING by RETRY'
call POST "$tasks/$task/subtasks/$(step reload)/cancel" 'task FAILED'
call POST "$tasks/$task/rollback" 'task ROLLED_BACK'
call GET "$tasks/$task/subtasks/$(step backup)/log"
call GET "$tasks/$task"
