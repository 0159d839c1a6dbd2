# What cibus does on a host. It is sent there at each connection and removed with its folder; POSIX sh, tar, find.
#
#   sh host.sh COMMAND FOLDER ...   FOLDER: of this connection, only its user can read it
#
# Every command that sshd starts leads a process group of its own, so `run` needs no setsid.
command=$1 S=$2
shift 2

# -- processes

# "pid parent" of every process
table() {
    ps -axo pid=,ppid= 2>/dev/null || for p in /proc/[0-9]*; do
        read -r line 2>/dev/null <"$p/stat" || continue
        rest=${line##*) }
        set -- $rest
        echo "${p#/proc/} $2"
    done
}

# $found: the processes below $1, deepest first, without it
below() {
    found='' at=$1
    all=$(table)
    while [ -n "$at" ]; do
        next=''
        while read -r child parent; do
            case " $at " in *" $parent "*) next="$next $child" ;; esac
        done <<LIST
$all
LIST
        at=$next found="$next $found"
    done
}

# the processes whose environment has $1, where the system shows it
having() {
    [ -r /proc/self/environ ] || return 0
    for p in $(grep -ls "$1" /proc/[0-9]*/environ 2>/dev/null); do
        p=${p#/proc/}
        echo "${p%/environ}"
    done
}

# ends what LEADER started: KIDS asks the children first, so that the shell above them can say how they ended
end() { # LEADER COOKIE HOW
    below "$1"
    tops=''
    kids=''
    for pid in $found; do
        if direct "$pid" "$1"; then tops="$tops $pid"; else kids="$kids $pid"; fi
    done
    [ -z "$2" ] || for pid in $(having "JENKINS_SERVER_COOKIE=$2"); do
        case " $found $1 " in *" $pid "*) ;; *) kids="$kids $pid" ;; esac
    done
    if [ "$3" = TERM ]; then
        if [ -n "$kids" ]; then
            kill -TERM $kids 2>/dev/null
            sleep 0.15 2>/dev/null || sleep 1
        fi
        [ -z "$tops" ] || kill -TERM $tops 2>/dev/null
        return
    fi
    [ -z "$kids$tops" ] || kill -KILL $kids $tops 2>/dev/null
    [ "$3" = KILL ] || kill -KILL "-$1" 2>/dev/null
}

direct() { # PID PARENT
    while read -r child parent; do
        [ "$child" = "$1" ] && [ "$parent" = "$2" ] && return 0
    done <<LIST
$all
LIST
    return 1
}

leftovers() { # COOKIE
    for pid in $(having "JENKINS_NODE_COOKIE=$1"); do kill -KILL "$pid" 2>/dev/null; done
    if [ ! -r /proc/self/environ ] && [ -f "$S/node.$1" ]; then
        while read -r group; do kill -KILL "-$group" 2>/dev/null; done <"$S/node.$1"
    fi
    rm -f "$S/node.$1"
}

# removes the folders that a file names
dropped() {
    [ -f "$1" ] && while IFS= read -r each; do rm -rf -- "$each"; done <"$1"
    rm -f "$1"
}

# the connection is gone or given back: nothing of it stays
finish() {
    for each in "$S"/run.*; do
        [ -f "$each" ] && read -r leader cookie <"$each" && end "$leader" "$cookie" ALL
    done
    for each in "$S"/node.*; do
        [ -f "$each" ] && leftovers "${each#"$S"/node.}"
    done
    [ -f "$S/finally" ] && sh "$S/finally" </dev/null >/dev/null 2>&1
    for list in "$S/remove" "$S"/drop.*; do dropped "$list"; done
    [ -f "$S/locks" ] && while IFS= read -r each; do rm -f -- "$each"; done <"$S/locks"
    rm -rf "$S"
}

# -- files

# one record per entry: type, mode, size, mtime, ctime, inode, name, target
listing() { # FLAVOUR TOKEN TOP...
    flavour=$1 token=$2
    shift 2
    case $flavour in
    gnu) find "$@" -printf '%y %m %s %T@ %C@ %i %p\0%l\0' ;;
    stat) find "$@" -exec stat -c "$token%f %s %Y %Z %i %n" {} +; targets "$token" "$@" ;;
    bsd) find "$@" -exec stat -f "$token%Xp %z %Fm %Fc %i %N" {} +; targets "$token" "$@" ;;
    esac 2>/dev/null
}

targets() { # TOKEN TOP...
    token=$1
    shift
    find "$@" -type l -exec sh -c 't=$1; shift; for f; do printf "%s@ %s\n%s> %s\n" "$t" "$f" "$t" "$(readlink "$f")"; done' sh "$token" {} +
}

# the listing, or "=" where it is the one that was sent last
list() { # ID FLAVOUR TOKEN TOP...
    id=$1
    shift
    listing "$@" >"$S/$id.new"
    if cmp -s "$S/$id.new" "$S/$id.list"; then
        printf '='
    elif command -v gzip >/dev/null 2>&1; then
        printf 'z' && gzip -1c <"$S/$id.new"
    else
        printf '+' && cat "$S/$id.new"
    fi
    mv "$S/$id.new" "$S/$id.list"
}

writable() { # FOLDER
    mkdir -p "$1" && : >"$1/.cibus-$$" && rm -f "$1/.cibus-$$"
}

case $command in
facts)
    say() { printf '%s=%s\n' "$1" "$2"; }
    say session "$S"
    say system "$(uname -s)"
    say host "$(uname -n)"
    say ids "$(id -u):$(id -g)"
    for name in docker podman; do
        command -v $name >/dev/null 2>&1 && $name version >/dev/null 2>&1 && say containers $name && break
    done
    for name in PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TMPDIR $(env | sed -n 's/^\(LC_[A-Z]*\)=.*/\1/p'); do
        eval "value=\${$name-}"
        [ -z "$value" ] || say "env.$name" "$value"
    done
    if find "$S" -prune -printf '' 2>/dev/null; then
        say find gnu
    elif stat -c %i "$S" >/dev/null 2>&1; then
        say find stat
    else
        say find bsd
    fi
    if (cd "$S" && printf './host.sh\0' | tar -cf - --no-recursion --null -T - >/dev/null 2>&1); then
        say tar null
    fi
    ;;
guard) # SECONDS without a word until the connection counts as lost
    trap : HUP INT TERM
    echo $$ >"$S/guard"
    echo 0 >"$S/beat"
    (
        last=
        while sleep "$1"; do
            now=$(cat "$S/beat") || exit
            [ "$now" != "$last" ] || finish
            last=$now
        done
    ) </dev/null >/dev/null 2>&1 &
    watch=$!
    echo ready
    while read -r beat; do
        echo "$beat" >"$S/beat"
        [ "$beat" != bye ] || break
    done
    below "$watch"
    kill -KILL "$watch" $found 2>/dev/null
    finish
    ;;
run) # ID TOKEN CAPTURE SERVER_COOKIE NODE_COOKIE; the job is on standard input
    id=$1 token=$2 capture=$3 cookie=$4 node=$5
    (umask 077 && cat >"$S/job.$id") || exit 1
    echo "$$ $cookie" >"$S/run.$id"
    [ -z "$node" ] || echo $$ >>"$S/node.$node"
    trap : HUP INT TERM
    exec 3>&2 2>"$S/said.$id" # what this shell has to say of signals
    if [ "$capture" = 1 ]; then
        (exec 2>&3 3>&-; set --; . "$S/job.$id")
    else
        (exec 2>&1 3>&-; set --; . "$S/job.$id") 3>&-
    fi
    code=$?
    [ "$capture" = 1 ] || exec 3>&1
    if [ -s "$S/said.$id" ]; then
        case $code in
        129) echo Hangup >&3 ;;
        134) echo Aborted >&3 ;;
        137) echo Killed >&3 ;;
        139) echo 'Segmentation fault' >&3 ;;
        143) echo Terminated >&3 ;;
        esac
    fi
    left=0
    if [ -n "$node" ] && [ -r /proc/self/environ ]; then
        [ -z "$(having "JENKINS_NODE_COOKIE=$node")" ] || left=1
    fi
    dropped "$S/drop.$id"
    rm -f "$S/run.$id" "$S/job.$id" "$S/said.$id"
    [ "$capture" = 1 ] && printf '\036%s %s %s\036' "$token" "$code" "$left" >&3
    printf '\036%s %s %s\036' "$token" "$code" "$left"
    ;;
keep) # ID; a text for the user alone on standard input; says where it is
    (umask 077 && cat >"$S/kept.$1") && printf '%s' "$S/kept.$1"
    ;;
end) # ID HOW
    if [ -f "$S/run.$1" ] && read -r leader cookie <"$S/run.$1"; then
        end "$leader" "$cookie" "$2"
    fi
    ;;
leftovers)
    leftovers "$1"
    ;;
claim) # FOLDER NAME: a folder for the work that no other run uses; says its name
    writable "$1" || exit 1
    number=1 name=$2
    read -r guard <"$S/guard"
    while :; do
        lock=$1/.$name.cibus-lock
        if (set -C && echo "$guard $S" >"$lock") 2>/dev/null; then
            echo "$lock" >>"$S/locks"
            break
        fi
        read -r pid other <"$lock" || exit 1
        if kill -0 "$pid" 2>/dev/null && [ -d "$other" ]; then
            number=$((number + 1))
            name=$2@$number
        else
            rm -f "$lock" || exit 1
        fi
    done
    writable "$1/$name" || exit 1
    echo "$1/$name@tmp/secretFiles" >>"$S/remove"
    printf '%s' "$name"
    ;;
unclaim) # FOLDER NAME
    rm -f "$1/.$2.cibus-lock"
    ;;
list) # BASE ID FLAVOUR TOKEN TOP...
    mkdir -p "$1" && cd "$1" && shift && list "$@"
    ;;
put) # BASE
    mkdir -p "$1" && cd "$1" && tar -xpof -
    ;;
get) # BASE FLAVOUR; names on standard input, each with a NUL at its end
    cd "$1" || exit 1
    if [ "$2" = null ]; then
        tar -cf - --no-recursion --null -T -
    else
        xargs -0 tar -cf - # maybe several archives, one behind the other
    fi
    ;;
fetch) # PATH: d for a folder; f and the content for a file
    if [ -d "$1" ]; then
        printf d
    elif [ -f "$1" ]; then
        if [ -x "$1" ]; then printf x; else printf f; fi
        cat <"$1"
    fi
    ;;
finally) # what is run should the connection break; on standard input
    cat >>"$S/finally"
    ;;
unfinally)
    rm -f "$S/finally"
    ;;
drop) # BASE; names on standard input, each with a NUL at its end
    cd "$1" && xargs -0 rm -rf --
    ;;
esac
