#!/bin/sh
# A day's attendance from the school server's read API (docs/sync-protocol.md, section 9), as CSV:
#
#     child,kind,local time,node,entry
#
#     SERVER=http://server:8440 TOKEN=... DATE=2026-11-23 sh attendance.sh
#
# One line for each arrival and release of that day that stands, by time; what was taken back is left out. A correction
# by the school is a line with its word as kind: left_unrecorded, never_arrived. Each run receives what is new on the
# server since the last and prints the whole day as it is known now.
#
# STATE (a folder, ./attendance-state) keeps the cursor, the lines of each day, and what could not be read. LIMIT is the
# size of a page, SCHOOL is for a server with several. Needs curl and jq. One run at a time.
#
# It simplifies one thing: a `passage_unused` always counts here, also where another gate saw the child in between.
set -eu
: "${SERVER:?}" "${TOKEN:?}" "${DATE:?}"
state=${STATE:-attendance-state} limit=${LIMIT:-500} school=${SCHOOL:+school=$SCHOOL&}
mkdir -p "$state/days"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# The token goes through a pipe, because anybody on this computer may read a command line.
ask() {
    status=$(printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" |
        curl -sS -K - --retry 5 --max-time 60 -o "$scratch/answer" -w '%{http_code}' "$SERVER$1")
    [ "$status" = 200 ] && return
    echo "attendance: $SERVER$1 answers $status: $(jq -r .message "$scratch/answer" 2>&1)" >&2
    exit 1
}

keep() { # the file is there whole, or as it was
    cat >"$state/$1.new"
    mv "$state/$1.new" "$state/$1"
}

# A server that was started anew may have been restored, and then its positions are others: begin at 0.
ask "/sync/v1/status?$school"
run=$(jq -er .run "$scratch/answer")
if [ "$run" != "$(cat "$state/run" 2>/dev/null)" ]; then
    echo 0 | keep cursor
    echo "$run" | keep run
fi

more=true
while [ "$more" = true ]; do
    ask "/api/v1/entries?${school}after=$(cat "$state/cursor")&limit=$limit"

    # An item becomes one line of three parts: the file it belongs to, its name, what to keep. Other kinds become nothing.
    jq -r '
        def local: . / 1000 | floor + 8 * 3600 | strftime("%Y-%m-%dT%H:%M:%S+08:00");
        def happened: if (.body.read_at_ms // 0) > 0 then [.body.read_at_ms, .at_ms] | min else .at_ms end;
        def like($form): if type == "string" and test($form) then . else error("unread") end;
        .entries[] | . as $item | "\(.node)/\(.incarnation)/\(.seq)" as $name
        | try (
            if .quarantined then error("unread") else . end
            | .entry // (.octets | @base64d | fromjson)
            | {arrived: "arrived", released: "released", correction: .body.what}[.kind] as $means
            | if .kind == "passage_unused" then ["taken-back", $name, (.body.passage | like("^[-A-Za-z0-9._/]+$"))]
              elif .kind == "release_undone" or $means == "not_released" then
                ["taken-back", $name, (.body.release // "none" | like("^[-A-Za-z0-9._/]+$"))]
              elif $means then
                (happened | local) as $time
                | [ "days/" + (.body.day // $time[:10] | like("^[0-9]{4}-[0-9]{2}-[0-9]{2}$")), $name,
                    ([(.body.child | numbers // error("unread")), $means, $time, $item.node, $name] | @csv) ]
              else empty end
          ) catch ["unread", $name, ($item | tojson)]
        | join("\t")' "$scratch/answer" >"$scratch/lines"

    # First the lines, then the cursor. A line whose name is there already is not written again.
    awk -F '\t' -v state="$state/" '
        { file = state $1 }
        !(file in read) { read[file]; while ((getline line <file) > 0) { split(line, part, "\t"); seen[part[2]] }; close(file) }
        !($2 in seen) { seen[$2]; print >>file }' "$scratch/lines"
    more=$(jq -r .more "$scratch/answer")
    next=$(jq -er .next "$scratch/answer")
    echo "$next" | keep cursor
done

touch "$state/unread" "$state/taken-back" "$state/days/$DATE"
[ ! -s "$state/unread" ] || echo "attendance: a person should look at what could not be read: $state/unread" >&2
awk -F '\t' 'FILENAME ~ /taken-back$/ { gone[$3]; next } !($2 in gone) { print $3 }' \
    "$state/taken-back" "$state/days/$DATE" | LC_ALL=C sort -t , -k 3
