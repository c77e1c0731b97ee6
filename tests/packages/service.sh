# shellcheck shell=bash disable=SC2154 # for with-rpm.sh
# In the root, with the rpm installed: the init script with a stand-in for the agent, log rotation, the health check.

service=/etc/rc.d/init.d/mt-agent-resume
log=/var/log/mt-agent.log
waiting=/var/lib/mt-agent/resume.json
mv /usr/sbin/mt-agent /test/mt-agent.real
mv $log /test/log.before

# stand_in STATUS [COMMAND]: what the service starts.
stand_in() {
    printf '#!/bin/sh\n[ "$*" = "apply --resume" ] || exit 99\necho the report\necho the error >&2\n%s\nexit %s\n' \
        "${2-}" "$1" >/usr/sbin/mt-agent
    chmod 755 /usr/sbin/mt-agent
}
# Its clock is not ours to know.
dated() { sed -E 's/[0-9]{4}-[0-9-]+T[0-9:]+Z/DATE/'; }
begins="mt-agent-resume: DATE: resuming the apply that waited for this boot
the report
the error"

stand_in 0 "rm $waiting"
same "the service with no apply waiting does nothing, says nothing" "" "$($service start)"
expect_not "and logs nothing" test -e $log
same "status says off" "mt-agent-resume is off: no apply waits for a boot, 3" "$($service status), $($service status >/test/null; echo $?)"
touch $waiting
same "status says on" "mt-agent-resume is on: an apply waits for the next boot ($waiting), 0" \
    "$($service status), $($service status >/test/null; echo $?)"
said=$($service start; echo "status $?")
same "it goes on, says so on the console, and is off" "$begins
mt-agent-resume: ended with status 0; nothing waits any more: off
status 0" "$(dated <<<"$said")"
same "the log has what the console had" "$said" "$(cat $log; echo "status 0")"
same "the log is root's alone" "600 root" "$(stat -c '%a %U' $log)"
touch $waiting
stand_in 3
same "a restart that is still owed is no failure, and it stays on" "$begins
mt-agent-resume: ended with status 3; an apply still waits: it resumes after the next boot
status 0" "$($service start 2>&1 | dated; echo "status ${PIPESTATUS[0]}")"
stand_in 1 "rm -f $waiting"
same "not ready is a failure, and it is off" "$begins
mt-agent-resume: ended with status 1; nothing waits any more: off
status 1" "$($service start 2>&1 | dated; echo "status ${PIPESTATUS[0]}")"
touch $waiting
stand_in 2
same "what could not be done is a failure, and it stays on" "$begins
mt-agent-resume: ended with status 2; what still waits, and for what: mt-agent history --pending
status 2" "$($service start 2>&1 | dated; echo "status ${PIPESTATUS[0]}")"
stand_in 1
same "what waits for a person is a failure, and it says where that is told" "$begins
mt-agent-resume: ended with status 1; what still waits, and for what: mt-agent history --pending
status 1" "$($service start 2>&1 | dated; echo "status ${PIPESTATUS[0]}")"
# What is put in the log's place is not written to, and not waited for.
stand_in 0
echo kept >/test/victim
for kind in link dangling hard fifo read-fifo; do
    rm -f $log
    case $kind in
    link) ln -s /test/victim $log ;;
    dangling) ln -s /test/not-there $log ;;
    hard) ln /test/victim $log ;;
    *fifo) mkfifo $log ;;
    esac
    if [ $kind = read-fifo ]; then
        exec 8<>$log
    fi
    touch $waiting
    same "a log that is another thing ($kind): the console has it all" "$begins
mt-agent-resume: ended with status 0; what still waits, and for what: mt-agent history --pending
status 0" "$(timeout 60 $service start 2>&1 | dated; echo "status ${PIPESTATUS[0]}")"
    same "and nothing is written elsewhere ($kind)" "kept, no" \
        "$(cat /test/victim), $([ -e /test/not-there ] && echo yes || echo no)"
    if [ $kind = read-fifo ]; then
        same "nor to who reads there" "" "$(timeout 1 cat <&8)"
        exec 8<&-
    fi
done
rm -f $log /test/victim
for verb in stop reload condrestart try-restart; do
    same "$verb does nothing" "status 0" "$($service $verb; echo "status $?")"
done
same "another verb is refused" "Usage: mt-agent-resume {start|stop|restart|force-reload|status}
status 2" "$($service dance 2>&1; echo "status $?")"
rm /usr/sbin/mt-agent
same "without the program it says so" "mt-agent-resume: /usr/sbin/mt-agent is missing
status 5" "$($service start 2>&1; echo "status $?")"
rm -f $waiting

# The headers, by their grammars: chkconfig's is read by the stand-in, LSB's here.
lsb=$(sed -n '/^### BEGIN INIT INFO$/,/^### END INIT INFO$/p' $service)
same "the LSB header has each key once, and nothing else" \
    "Provides Required-Start Required-Stop Should-Start Default-Start Default-Stop Short-Description Description" \
    "$(sed -nE 's/^# ([A-Z][A-Za-z-]*):.*/\1/p' <<<"$lsb" | tr '\n' ' ' | sed 's/ $//')"
same "LSB and chkconfig start it in the same levels" "$(sed -n 's/^# Default-Start: *//p' $service | tr -d ' ')" \
    "$(sed -nE 's/^# chkconfig: ([0-6]+) .*/\1/p' $service)"

# And by insserv, the program that orders LSB scripts by what they require.
mkdir -p /test/lsb/init.d /test/lsb/rc{0..6}.d /test/lsb/rcS.d
cp $service /test/lsb/init.d/
# facility NAME REQUIRES LEVELS: a script of the machine's.
facility() {
    printf '#!/bin/sh\n### BEGIN INIT INFO\n# Provides: %s\n# Required-Start: %s\n# Required-Stop:\n# Default-Start: %s\n%s' \
        "$1" "$2" "$3" $'# Default-Stop:\n# Short-Description: one of the machine\n### END INIT INFO\n' >"/test/lsb/init.d/$1"
    chmod 755 "/test/lsb/init.d/$1"
}
facility localmount '' S
facility network localmount '2 3 4 5'
facility rsyslog localmount '2 3 4 5'
facility multipathd localmount '3 4 5'
facility netfs network '3 4 5'
# shellcheck disable=SC2016 # insserv's variables
printf '%s\n' '$local_fs localmount' '$network network' '$remote_fs netfs' '$syslog rsyslog' '$time rsyslog' >/test/lsb/conf
same "insserv has nothing to say about the header" "" \
    "$(insserv -c /test/lsb/conf -o /test/lsb/none -p /test/lsb/init.d -f localmount network rsyslog multipathd netfs mt-agent-resume 2>&1)"
same "it starts last in level 3, after network and file systems, and not in level 2" \
    "S01multipathd S01network S01rsyslog S02netfs S03mt-agent-resume, K01mt-agent-resume S01network S01rsyslog" \
    "$(cd /test/lsb/rc3.d && echo *), $(cd /test/lsb/rc2.d && echo *)"

# Log rotation, while an apply has the log open.
echo 'before the rotation' >$log
chmod 600 $log
same "logrotate has nothing to say about the file" "" \
    "$(logrotate -d /etc/logrotate.d/mt-agent 2>&1 | grep -iE 'error|warn|ignor|unknown' | grep -vE 'state file|logrotate in debug mode does nothing')"
exec 9>>$log
expect "it rotates the log" logrotate -f -s /test/rotation /etc/logrotate.d/mt-agent
echo 'written by an apply that had it open' >&9
exec 9>&-
same "nothing of an apply that had it open is lost" "before the rotation
written by an apply that had it open" "$(cat $log.1)"
expect_not "the next run makes the new log itself, readable by root alone" test -e $log
same "the rotated log is root's alone" "600 root" "$(stat -c '%a %U' $log.1)"
rm -f $log $log.1

# The health check.
check=/etc/cron.d/mt-agent
same "the health check is off" "" "$(grep -vE '^(#|[A-Z]+=|$)' $check)"
line=$(sed -n 's/^#\([0-9].*\)/\1/p' $check)
expect "its line has a time, a user and a command" grep -qE '^[0-9]+ [0-9]+ \* \* \* root \[ -x ' <<<"$line"
expect_not "no percent sign that cron takes for the end of the line" grep -qE '(^|[^\\])%' <<<"$line"
# What cron hands to the shell: crontab(5) takes the backslash from a percent sign.
command=${line#*root }
command=${command//\\%/%}
# health SHELL REPORT STATUS: in cron's own environment.
health() {
    { printf '#!/bin/sh\n[ "$*" = "check --quiet" ] || exit 99\ncat <<"END"\n%s\nEND\nexit %s\n' "$2" "$3"; } >/usr/sbin/mt-agent
    printf '#!/bin/sh\necho "$@" >/test/logged\ncat >>/test/logged\n' >/usr/sbin/logger
    chmod 755 /usr/sbin/{mt-agent,logger}
    checked "$1"
}
checked() {
    rm -f /test/logged
    env -i "$(grep ^PATH= $check)" HOME=/root LOGNAME=root "$1" -c "$command" 2>&1
    local status=$?
    cat /test/logged 2>/test/null
    return $status
}
same "the shell is the system's" /bin/sh "$(sed -n 's/^SHELL=//p' $check)"
# The system's shell is dash on Debian and bash on CentOS.
for shell in /bin/sh /bin/dash /bin/bash; do
    same "$shell: a host that is ready is not worth a mail" "" "$(health $shell ready 0)"
    for status in 1 2 3; do
        same "$shell: status $status is mailed and logged, to the letter" 'trouble: 100% \n \c \\ -e
-t mt-agent -p daemon.err
trouble: 100% \n \c \\ -e' "$(health $shell 'trouble: 100% \n \c \\ -e' $status)"
    done
    rm -f /usr/sbin/mt-agent
    same "$shell: without the program it does nothing" ", 0" "$(checked $shell), $?"
done
rm -f /usr/sbin/logger
mv /test/mt-agent.real /usr/sbin/mt-agent
mv /test/log.before $log
same "rpm -V is clean after all this" "" "$(rpm -V mt-agent)"
