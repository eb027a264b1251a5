#!/bin/bash
# A Postfix of its own: configuration, spool and Maildirs in the folder $1, listening on 127.0.0.1:$2, until standard input ends.
# Every address of example.org and northwind.example has a Maildir; nobody@example.org is refused.
set -euo pipefail
export PATH="$PATH:/usr/sbin"
folder=$1 port=$2
mkdir -p "$folder"/{conf,spool,data,mail}
chmod 755 "$folder"
chown postfix "$folder/data" "$folder/mail"
cat > "$folder/conf/main.cf" <<END
compatibility_level = 3.6
queue_directory = $folder/spool
data_directory = $folder/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
alias_maps =
local_recipient_maps =
virtual_alias_maps =
proxy_read_maps =
virtual_mailbox_domains = example.org northwind.example
virtual_mailbox_base = $folder/mail
virtual_mailbox_maps = regexp:$folder/conf/boxes
virtual_uid_maps = static:$(id -u postfix)
virtual_gid_maps = static:$(id -g postfix)
maillog_file = $folder/log
maillog_file_prefixes = $folder
smtpd_peername_lookup = no
smtpd_reject_unlisted_recipient = yes
END
printf 'if !/^nobody@/\n/./ box/\nendif\n' > "$folder/conf/boxes"
cat > "$folder/conf/master.cf" <<END
127.0.0.1:$port inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
END
trap 'postfix -c "$folder/conf" stop >/dev/null 2>&1 || true' EXIT
# A daemon must not hold what whoever started this script watches.
(
    for descriptor in /proc/self/fd/*; do
        number=${descriptor##*/}
        if [ "$number" -gt 2 ]; then eval "exec $number>&-"; fi
    done
    exec postfix -c "$folder/conf" start
) > /dev/null 2>&1 < /dev/null
echo ready
cat > /dev/null
