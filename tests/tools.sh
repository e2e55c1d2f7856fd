#!/bin/sh
# Brings the Debian packages whose programs tests run, and lets none of their services start. Says what to do where it may not.
set -eu
packages=""
command -v promtool >/dev/null && command -v prometheus >/dev/null || packages="prometheus"
command -v amtool >/dev/null && command -v prometheus-alertmanager >/dev/null || packages="$packages prometheus-alertmanager"
command -v chromium >/dev/null || packages="$packages chromium"
[ -n "$(find /usr/share/fonts -name '*CJK*' -print -quit 2>/dev/null)" ] || packages="$packages fonts-noto-cjk"
[ -n "$packages" ] || exit 0
root=""
if [ "$(id -u)" != 0 ]; then
    if sudo -n true 2>/dev/null; then
        root="sudo -n"
    else
        echo "tests need Debian's programs; run as root: apt-get install --no-install-recommends $packages" >&2
        exit 0 # the tests that need them say so themselves; all others can run
    fi
fi
policy=/usr/sbin/policy-rc.d
ours=no
if [ ! -e $policy ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null
    $root chmod 755 $policy
fi
status=0
$root apt-get update -qq && $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null || status=$?
[ $ours = no ] || $root rm -f $policy
exit $status
