# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
#
# For drivers written in sh:  . "$DRYDOCK_LIB/drydock.sh"
# docs/plugin-protocol.md says what the records mean.

# The script's own first argument: what the host asks for.
dd_verb=${1:-}

# Reads the welcome and the request; afterwards $request is the request's JSON. For any other verb than `run` answer yourself
# before this; what it does not know ends as the protocol asks for.
dd_begin() {
    [ "$dd_verb" = run ] || exit 64
    read -r welcome
    read -r request || request=
    case $welcome$request in
    '{'*'}{'*'}') ;;
    *)
        echo "bad input: it is no request of a host's" >&2
        exit 65
        ;;
    esac
    export welcome request
    echo "@dd hello protocol=1.0"
}

# has NAME: whether NAME stands at the top of the project.
has() { [ -e "$DRYDOCK_SOURCE/$1" ]; }

# stage ID TITLE...: from here on everything belongs to this stage.
stage() {
    _id=$1
    shift
    printf '@dd stage %s -- %s\n' "$_id" "$*"
}

# json_text TEXT...: a JSON string.
json_text() {
    printf '"%s"' "$(printf '%s' "$*" | sed -e 's/[\\"]/\\&/g' -e 's/	/\\t/g' -e '$!s/$/\\n/' | tr -d '\n')"
}

# in_sandbox LINES: the host runs these lines of shell in the build's sandbox, in $DRYDOCK_SOURCE. Returns their exit
# status. LINES is the plugin's own text; what comes from the project belongs into "$variables" of the project's environment.
in_sandbox() {
    _count=$((${_count:-0} + 1))
    # Not echo: some shells' echo turns \n into a newline.
    printf '@dd {"t":"exec","id":"%s","argv":["sh","-c",%s]}\n' "c$_count" "$(json_text "$*")"
    while read -r _answer; do
        case $_answer in
        # The host did not take the record: that is this plugin's mistake, not the project's.
        *'"error":"'*) exit 70 ;;
        *'"t":"exec.end"'*)
            # Keys come in alphabetical order, so "exit" stands before the project's own text in "tail".
            _status=${_answer#*'"exit":'}
            _status=${_status%%,*}
            [ "$_status" = null ] && return 1
            return "$_status"
            ;;
        *'"t":"cancel"'*) exit 1 ;;
        esac
    done
    exit 1
}

# must LINES: the same, and the step fails with it.
must() {
    in_sandbox "$*" || {
        _failed=$?
        echo "@dd end failed"
        [ "$_failed" -le 63 ] || _failed=1
        exit "$_failed"
    }
}

# fail MESSAGE...: the step fails, and this is why.
fail() {
    printf '@dd error failed fault=user -- %s\n' "$*"
    echo "@dd end failed"
    exit 1
}

# dd_end: everything went well.
dd_end() { echo "@dd end ok"; }
