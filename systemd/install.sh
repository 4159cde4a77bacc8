#!/bin/sh
# Makes this computer (Debian 12 or newer) a gate, or the school's server: programs, users, folders, units. As root:
#
#     sh systemd/install.sh            # with the extras nfc and camera
#     sh systemd/install.sh nfc,osdp   # with others; pyproject.toml lists them
#
# Put settings and keys of a running gate in place first, and they get their owners here. It starts nothing, and never touches
# what is there already but for owners and units; run it again whenever you like. DESTDIR=/folder builds an image there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/.." && pwd)
root=${DESTDIR:-}
extras=${1:-nfc,camera}
programs=$root/opt/campus-kiosk/.venv

if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
  echo "install.sh: run it as root (sudo sh $0)" >&2
  exit 1
fi
if [ ! -x "$programs/bin/kiosk" ]; then
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "install.sh: Python 3.11 or newer is needed")'
  python3 -m venv "$programs" || { echo "install.sh: apt-get install python3-venv, then run it again" >&2; exit 1; }
  "$programs/bin/pip" install --quiet "$project[$extras]" -c "$project/constraints.txt"
fi
install -d "$root/usr/local/bin"
for program in kiosk sync-agent; do
  ln -sf "/opt/campus-kiosk/.venv/bin/$program" "$root/usr/local/bin/$program"
done

put() { install -D -m 644 "$here/$1" "$root$2"; }
put campus-kiosk.sysusers /etc/sysusers.d/campus-kiosk.conf
put campus-kiosk.modules-load /etc/modules-load.d/campus-kiosk.conf
put campus-kiosk.modprobe /etc/modprobe.d/campus-kiosk.conf
put 60-campus-kiosk.rules /etc/udev/rules.d/60-campus-kiosk.rules
for unit in "$here"/*.service "$here"/*.timer; do
  put "${unit##*/}" "/etc/systemd/system/${unit##*/}"
done

[ -e "$root/etc/campus-kiosk" ] || cp -r "$project/config/site.example" "$root/etc/campus-kiosk"
install -d "$root/etc/campus-kiosk/national"
install -d "$root/var/lib/campus-kiosk/keys" "$root/var/backups/campus-kiosk"
chmod 700 "$root/var/lib/campus-kiosk" "$root/var/lib/campus-kiosk/keys" "$root/var/backups/campus-kiosk"

if [ -z "$root" ]; then
  systemd-sysusers
  chown -R campus-kiosk:campus-kiosk /var/lib/campus-kiosk /var/backups/campus-kiosk
  # Passwords of cameras and the like: for the services, not for everybody. *.env is systemd's own to read.
  chgrp -R campus-kiosk /etc/campus-kiosk
  find /etc/campus-kiosk ! -name '*.env' -exec chmod g+rX,o-rwx {} +
  chown campus-kiosk:campus-kiosk /etc/campus-kiosk/national
  systemctl daemon-reload
  systemctl restart systemd-modules-load || echo "install.sh: restart the computer for its USB readers" >&2
  udevadm control --reload && udevadm trigger
fi
echo "installed in $root/opt/campus-kiosk; next: sync-agent enrol, or kiosk check ${root}/etc/campus-kiosk"
